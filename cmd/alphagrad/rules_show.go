package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

func newRulesShow() *cobra.Command {
	var task, out, order string
	size := rules.DefaultSize()
	cmd := &cobra.Command{
		Use:   "show [FILE|NAME]",
		Short: "Show a learning rule: formula, cost, memory, locality, certificate, drawing",
		Long: `Show what a learning rule is on a network: its formula, what becomes of every edge of the step, multiplications and memory,
whether it is causal and local, and a bound on the error of its influences where there is one. FILE is a rule file, NAME a
published rule; without either, the published rules are listed. -o draws the step with the edited edges coloured.`,
		Example: `  alphagrad rules show
  alphagrad rules show "e-prop symmetric" --model alif
  alphagrad rules show results/rules/rules_pareto/best.json --task delayed_match -o best.svg`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			size.Iterations = 1
			p, err := rules.NewProblem(task, size)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				if out != "" {
					return errors.New("-o: there is no rule to draw; name one")
				}
				return listRules(cmd, p)
			}
			r, err := readRule(p, args[0])
			if err != nil {
				return err
			}
			if order != "" {
				if r.Order, err = rules.ParseOrder(order); err != nil {
					return fmt.Errorf("--order: %w", err)
				}
			}
			d, err := p.Describe(r, 1)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if out != "" {
				if err := draw(out, view.Rule(p.Recurrence, r)); err != nil {
					return err
				}
			}
			if wantsJSON(cmd) {
				return printJSON(cmd, d)
			}
			return printRule(cmd, p, d)
		},
	}
	cmd.Flags().StringVar(&task, "task", "pattern_generation", strings.Join(rules.ProblemNames(), ", "))
	cmd.Flags().StringVar(&size.Model, "model", size.Model, "model of the neurons")
	cmd.Flags().IntVar(&size.Neurons, "neurons", size.Neurons, "number of neurons")
	cmd.Flags().StringVar(&order, "order", "", "order of elimination instead of the rule's: "+strings.Join(rules.OrderNames(), ", ")+", or vertices \"3 1 2\"")
	cmd.Flags().StringVarP(&out, "output", "o", "", "drawing to write, .svg or .png")
	return cmd
}

// readRule reads a rule file or finds a published rule.
func readRule(p *rules.Problem, text string) (*rules.Rule, error) {
	r, err := rules.Read(text)
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	if r, lerr := rules.LadderRule(p.Recurrence, text); lerr == nil || filepath.Ext(text) != ".json" {
		return r, lerr
	}
	return nil, err
}

func draw(path string, f report.Figure) error {
	render := map[string]func(report.Figure) ([]byte, error){".svg": report.SVG, ".png": report.PNG}[strings.ToLower(filepath.Ext(path))]
	if render == nil {
		return fmt.Errorf("-o %s: expected a name that ends in .svg or .png", path)
	}
	data, err := render(f)
	if err == nil {
		err = runs.WriteFile(path, data)
	}
	if err != nil {
		return failure{err}
	}
	return nil
}

// ruleRow is a published rule in the list.
type ruleRow struct {
	Name    string         `json:"name"`
	Source  string         `json:"source"`
	Formula string         `json:"formula"`
	Meaning *rules.Meaning `json:"meaning"`
}

func listRules(cmd *cobra.Command, p *rules.Problem) error {
	source := map[string]string{}
	for _, r := range rules.Rungs() {
		source[r.Name] = r.Source
	}
	var rows []ruleRow
	for _, r := range rules.Ladder(p.Recurrence) {
		b, err := r.Build(p.Recurrence)
		if err != nil {
			return failure{err}
		}
		m, err := b.Meaning(p.Recurrence, p.Steps())
		if err != nil {
			return failure{err}
		}
		rows = append(rows, ruleRow{r.Name, source[r.Name], r.Formula(), m})
	}
	if wantsJSON(cmd) {
		return printJSON(cmd, rows)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "rule\tmultiplications\tmemory\thops\tlocal\tsource")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%v\t%s\n", r.Name, r.Meaning.Cost, r.Meaning.Memory, r.Meaning.Hops, r.Meaning.Local, r.Source)
	}
	return w.Flush()
}

func printRule(cmd *cobra.Command, p *rules.Problem, d *rules.Description) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	m := d.Meaning
	if d.Name != "" {
		fmt.Fprintf(w, "rule\t%s\n", d.Name)
	}
	fmt.Fprintf(w, "network\t%d %s neurons, %d inputs, %d steps: %s\n", p.Network.Layers[0].Size, p.Network.Layers[0].Model, p.Network.Inputs, p.Steps(), p.Name)
	fmt.Fprintf(w, "formula\t%s\n", d.Formula)
	fmt.Fprintf(w, "update\t%s\n", d.Update)
	fmt.Fprintf(w, "cost\t%d multiplications a step\n", m.Cost)
	if len(m.Order) > 0 {
		fmt.Fprintf(w, "order\t%s: %s\n", d.Canonical.Order, rules.Order{Vertices: m.Order})
	}
	fmt.Fprintf(w, "memory\t%d numbers besides the states\n", m.Memory)
	fmt.Fprintf(w, "locality\t%s\n", locality(m))
	for _, s := range m.Signals {
		fmt.Fprintf(w, "signal\t%s\n", s)
	}
	fmt.Fprintf(w, "certificate\t%s\n\n", d.Certificate)
	if len(m.Carried) > 0 {
		fmt.Fprintln(w, "carried\tby\tstructure\tnumbers\tindexed by")
		for _, c := range m.Carried {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\n", c.State, c.Param, c.Structure, c.Elements, c.Index)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "edge\tJacobian")
	for _, e := range d.Edges {
		edit := e.Edit
		if e.Dead {
			edit += ", but nothing passes any more"
		}
		fmt.Fprintf(w, "%s→%s\t%s\n", e.From, e.To, edit)
	}
	return w.Flush()
}

func locality(m *rules.Meaning) string {
	words := []string{map[bool]string{true: "causal", false: "back in time"}[m.Causal], map[bool]string{true: "local", false: "not local"}[m.Local], fmt.Sprintf("%d hops", m.Hops)}
	if m.Transport {
		words = append(words, "needs weights of other synapses for the error")
	}
	return strings.Join(words, ", ")
}
