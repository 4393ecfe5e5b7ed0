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
	t := report.Table{Title: c.Title, Caption: fmt.Sprintf("Held-out loss on %d fresh seeds, mean (95 %% confidence interval); rates tuned over %v on %d other seeds. Difference: paired with the first rule, negative is better; "+
		"cosine with the exact gradient at the start and at the end of the rule's own training.", c.Seeds, c.Rates, c.Tuning),
		Columns: []report.Column{{Name: "task"}, {Name: "rates regularised"}, {Name: "rule"}, {Name: "learning rate"}, {Name: "loss", Format: "%.4f"}, {Name: "difference", Format: "%+.4f"}, {Name: "better on"}, {Name: "cosine"}, {Name: "verdict"}}}
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
				tuner := &rules.Evaluator{Problems: []*rules.Problem{p}, Rates: c.Rates, Seeds: seedsOf(runs.Seed(c.Seed).Sub("tuning"), c.Tuning), Split: data.Validation}
				q, err := tuner.Tune(ctx, p, r)
				if err != nil {
					return err
				}
				if q.Failed != "" {
					t.Rows = append(t.Rows, []any{task, regularise, r.Name, nil, nil, nil, nil, nil, "diverges: " + q.Failed})
					continue
				}
				list, err := rules.On(ctx, p, r, q.Rate, seedsOf(runs.Seed(c.Seed).Sub("fresh"), c.Seeds), data.Test)
				if err != nil {
					return err
				}
				raw[fmt.Sprintf("%s/%v/%s", task, regularise, r.Name)] = list
				var losses, before, after []float64
				for _, x := range list {
					losses, before, after = append(losses, x.Loss), append(before, x.Cos[0]), append(after, x.Cos[3])
				}
				mean, half := rules.Interval(losses)
				a, _ := rules.Interval(before)
				b, _ := rules.Interval(after)
				row := []any{task, regularise, r.Name, q.Rate, report.Range{Value: mean, Low: mean - half, High: mean + half}, nil, nil, fmt.Sprintf("%.2f → %.2f", a, b), nil}
				if k == 0 {
					first = losses
				} else if first != nil {
					d := difference(losses, first)
					mean, half := rules.Interval(d)
					better := 0
					for _, x := range d {
						if x < 0 {
							better++
						}
					}
					row[5], row[6] = report.Range{Value: mean, Low: mean - half, High: mean + half}, fmt.Sprintf("%d of %d", better, len(d))
					switch {
					case mean+half < 0:
						row[8] = "better"
					case mean-half > 0:
						row[8] = "worse"
					default:
						row[8] = "no difference beyond chance"
					}
				}
				t.Rows = append(t.Rows, row)
			}
		}
	}
	if err := report.SaveTable(env.Dir, "compared", t); err != nil {
		return err
	}
	text, err := t.Markdown()
	if err != nil {
		return err
	}
	for _, list := range raw {
		for _, x := range list {
			x.Curve = nil
			if math.IsNaN(x.Loss) {
				x.Loss = -1 // no number in JSON; losses are not negative
			}
		}
	}
	return errors.Join(writeJSON(filepath.Join(env.Dir, "trained.json"), raw), runs.WriteFile(filepath.Join(env.Dir, "README.md"), []byte("# "+c.Title+"\n\n"+
		"[manifest.json](manifest.json) names the program, the machine and the settings; [trained.json](trained.json) has every training, a loss of −1 standing for one that diverged.\n\n"+text)))
}
