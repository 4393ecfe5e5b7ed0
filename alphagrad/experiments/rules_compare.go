package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// RulesCompare compares given rules with the first of them on fresh seeds: rates are tuned on other seeds, losses measured on
// held-out sequences, differences paired by seed.
type RulesCompare struct {
	Kind       string         `yaml:"kind"`
	Title      string         `yaml:"title"`
	Seed       uint64         `yaml:"seed"`
	Tasks      []string       `yaml:"tasks"`
	Size       rules.Size     `yaml:"size"`
	Regularise []bool         `yaml:"regularise"` // of firing rates: both, to see whether it matters
	Rates      []float64      `yaml:"rates"`
	Widen      int            `yaml:"widen"`  // rates more that may be tried beyond an end of the rates where the best one is
	Tuning     int            `yaml:"tuning"` // seeds
	Seeds      int            `yaml:"seeds"`  // fresh ones
	Rules      []ComparedRule `yaml:"rules"`
}

// ComparedRule is a published rule, or a file, with some edits taken back.
type ComparedRule struct {
	Name string   `yaml:"name"`
	Base string   `yaml:"base"` // of the ladder
	File string   `yaml:"file"` // or of a rule file
	Keep []string `yaml:"keep"` // ends of edges that are not edited after all, without the layer
}

// DefaultRulesCompare compares e-prop with and without the reset edge.
func DefaultRulesCompare() *RulesCompare {
	return &RulesCompare{Kind: "rules_compare", Title: "Rules compared", Seed: 1, Tasks: []string{"pattern_generation"}, Size: rules.DefaultSize(), Regularise: []bool{false},
		Rates: []float64{2e-2}, Tuning: 1, Seeds: 2, Rules: []ComparedRule{{Name: "e-prop", Base: "e-prop symmetric"}, {Name: "with reset", Base: "e-prop symmetric", Keep: []string{"reset"}}}}
}

// RootSeed is the seed that the manifest names.
func (c *RulesCompare) RootSeed() uint64 { return c.Seed }

// Validate reports settings that cannot be run.
func (c *RulesCompare) Validate() error {
	if err := validTraining(c.Tasks, c.Size, c.Rates); err != nil {
		return err
	}
	if c.Widen < 0 {
		return fmt.Errorf("widen is %d; expected a number of rates, or 0", c.Widen)
	}
	if c.Tuning < 1 || c.Seeds < 2 || len(c.Rules) < 2 || len(c.Regularise) == 0 {
		return errors.New("tuning needs a seed, the comparison two seeds and two rules, regularise a value")
	}
	p, err := rules.NewProblem(c.Tasks[0], c.Size)
	if err != nil {
		return err
	}
	for _, r := range c.Rules {
		if _, err := r.rule(p); err != nil {
			return err
		}
	}
	return nil
}

func (r *ComparedRule) rule(p *rules.Problem) (rule *rules.Rule, err error) {
	switch {
	case (r.Base == "") == (r.File == ""):
		return nil, fmt.Errorf("rules: %q needs either base or file", r.Name)
	case r.Base != "":
		rule, err = rules.LadderRule(p.Recurrence, r.Base)
	default:
		rule, err = rules.Read(r.File)
	}
	if err != nil {
		return nil, fmt.Errorf("rules: %s: %w", r.Name, err)
	}
	rule.Name = r.Name
	for _, k := range r.Keep {
		n := len(rule.Edits)
		rule.Edits = slices.DeleteFunc(rule.Edits, func(e rules.Edit) bool { return strings.HasSuffix(e.To, "."+k) })
		if len(rule.Edits) == n {
			return nil, fmt.Errorf("rules: %s: keep: the rule edits no edge to %q", r.Name, k)
		}
	}
	if _, err := rule.Build(p.Recurrence); err != nil {
		return nil, fmt.Errorf("rules: %s: %w", r.Name, err)
	}
	return rule, nil
}

// Run tunes, trains and reports.
func (c *RulesCompare) Run(ctx context.Context, env Env) error {
	t := report.Table{Title: c.Title, Caption: fmt.Sprintf("Loss on sequences that were not trained on, on %d fresh seeds: mean (95 %% confidence interval). Learning rates are tuned on %d other seeds over %v and up to %d rates beyond an end where the best one is; "+
		"interior: the best rate is at neither end of those tried. Difference: paired with the first rule, negative is better; a training that diverges is left out and counted.", c.Seeds, c.Tuning, c.Rates, c.Widen),
		Columns: []report.Column{{Name: "task"}, {Name: "firing rates regularised"}, {Name: "rule"}, {Name: "learning rate", Format: "%.3g"}, {Name: "interior"}, {Name: "loss", Format: "%.4f"}, {Name: "difference", Format: "%+.4f"}, {Name: "better on"}, {Name: "diverged"}, {Name: "verdict"}}}
	along := alignmentTable()
	raw := map[string][]*rules.Trained{}
	total := len(c.Tasks) * len(c.Regularise) * len(c.Rules)
	done := 0
	for _, task := range c.Tasks {
		for _, regularise := range c.Regularise {
			size := c.Size
			size.Regularise = regularise
			p, err := rules.NewProblem(task, size)
			if err != nil {
				return err
			}
			var first []float64
			for k := range c.Rules {
				r, err := c.Rules[k].rule(p)
				if err != nil {
					return err
				}
				env.progress(task+": "+r.Name, done, total)
				done++
				tuner := &rules.Evaluator{Problems: []*rules.Problem{p}, Rates: c.Rates, Widen: c.Widen, Seeds: seedsOf(runs.Seed(c.Seed).Sub("tuning"), c.Tuning), Split: data.Validation}
				q, err := tuner.Tune(ctx, p, r)
				if err != nil {
					return err
				}
				if q.Failed != "" {
					t.Rows = append(t.Rows, []any{task, regularise, r.Name, nil, nil, nil, nil, nil, nil, "diverges: " + q.Failed})
					continue
				}
				list, err := rules.On(ctx, p, r, q.Rate, seedsOf(runs.Seed(c.Seed).Sub("fresh"), c.Seeds), data.Test)
				if err != nil {
					return err
				}
				raw[fmt.Sprintf("%s/%v/%s", task, regularise, r.Name)] = list
				losses := lossesOf(list)
				t.Rows = append(t.Rows, comparedRow(task, regularise, r.Name, q, losses, first, k == 0))
				if k == 0 {
					first = losses
				}
				name := r.Name
				if regularise {
					name += ", regularised"
				}
				along.Rows = append(along.Rows, alignmentRow(name, task, list))
			}
		}
	}
	page := "# " + c.Title + "\n\n[manifest.json](manifest.json) names the program, the machine and the settings; [trained.json](trained.json) has every training, a loss of −1 standing for one that diverged.\n\n"
	var errs error
	for name, table := range map[string]report.Table{"compared": t, "alignment": along} {
		errs = errors.Join(errs, report.SaveTable(env.Dir, name, table))
	}
	for _, table := range []report.Table{t, along} {
		text, err := table.Markdown()
		page, errs = page+text+"\n", errors.Join(errs, err)
	}
	for _, list := range raw {
		for _, x := range list {
			x.Curve = nil
			if math.IsNaN(x.Loss) {
				x.Loss = -1 // no number in JSON; losses are not negative
			}
		}
	}
	return errors.Join(errs, writeJSON(filepath.Join(env.Dir, "trained.json"), raw), runs.WriteFile(filepath.Join(env.Dir, "README.md"), []byte(page)))
}

// comparedRow is a row of the table: losses beside those of the first rule.
func comparedRow(task string, regularise bool, name string, q *rules.TaskQuality, losses, first []float64, isFirst bool) []any {
	diverged := 0
	for _, l := range losses {
		if math.IsNaN(l) {
			diverged++
		}
	}
	row := []any{task, regularise, name, q.Rate, yesNo(!q.Edge), meanInterval(losses), nil, nil, diverged, nil}
	if isFirst || first == nil {
		return row
	}
	d := difference(losses, first)
	mean, half := rules.Interval(d)
	better, pairs := 0, 0
	for _, x := range d {
		if !math.IsNaN(x) {
			pairs++
		}
		if x < 0 {
			better++
		}
	}
	row[6], row[7] = meanInterval(d), fmt.Sprintf("%d of %d", better, pairs)
	switch {
	case mean+half < 0:
		row[9] = "better"
	case mean-half > 0:
		row[9] = "worse"
	default:
		row[9] = "no difference beyond chance"
	}
	return row
}

// meanInterval is the mean with its 95 % confidence interval; nil where nothing was measured.
func meanInterval(x []float64) any {
	mean, half := rules.Interval(x)
	if math.IsNaN(mean) {
		return nil
	}
	return report.Range{Value: mean, Low: mean - half, High: mean + half}
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func lossesOf(list []*rules.Trained) (losses []float64) {
	for _, x := range list {
		losses = append(losses, x.Loss)
	}
	return losses
}

// alignmentTable has rows from alignmentRow.
func alignmentTable() report.Table {
	return report.Table{Title: "Alignment along the rule's own training", Caption: "The rule's gradient of the weights before the readout beside the exact one, at the weights to which the rule has led the network: cosine and ratio of magnitudes, at the start and after 10, 50 and 100 % of the iterations; means over the fresh seeds.",
		Columns: []report.Column{{Name: "rule"}, {Name: "task"}, {Name: "cosine"}, {Name: "magnitude"}}}
}

func alignmentRow(name, task string, list []*rules.Trained) []any {
	var cos, ratio []string
	for k := range rules.Checkpoints {
		var c, r []float64
		for _, x := range list {
			if !math.IsNaN(x.Loss) {
				c, r = append(c, x.Cos[k]), append(r, x.Ratio[k])
			}
		}
		meanCos, _ := rules.Interval(c)
		meanRatio, _ := rules.Interval(r)
		cos, ratio = append(cos, fmt.Sprintf("%.2f", meanCos)), append(ratio, fmt.Sprintf("%.2g", meanRatio))
	}
	return []any{name, task, strings.Join(cos, " → "), strings.Join(ratio, " → ")}
}
