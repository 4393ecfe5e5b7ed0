package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/learn"
)

// EpropCurves trains one network on one task by several rules and seeds, the learning rate of each rule chosen on seeds of
// its own.
type EpropCurves struct {
	Kind  string       `yaml:"kind"`
	Base  learn.Config `yaml:"base"` // all but rule, rate and seed
	Rules []CurveRule  `yaml:"rules"`
	Seeds []uint64     `yaml:"seeds"`
	Tune  CurveTuning  `yaml:"tune"`
	Goal  float64      `yaml:"goal"` // error whose first undercutting is reported; 0: none
	// Budget is the time after which no further seed is begun, 0: none. The page names the seeds that are missing.
	Budget time.Duration `yaml:"budget"`
	// From are directories of earlier results whose trainings on the same network, task, rule, rate and seed are taken.
	From []string `yaml:"from"`
}

// CurveRule is a rule under comparison.
type CurveRule struct {
	Name  string     `yaml:"name"`
	Rule  learn.Rule `yaml:"rule"`
	Rates []float64  `yaml:"rates"` // to choose from; one needs no choice
}

// CurveTuning is how learning rates are chosen: the smallest mean validation loss at the end.
type CurveTuning struct {
	Seeds      []uint64 `yaml:"seeds"`
	Iterations int      `yaml:"iterations"`
}

// DefaultEpropCurves compares e-prop with backpropagation on evidence accumulation.
func DefaultEpropCurves() *EpropCurves {
	eprop := func(f snn.Feedback) learn.Rule { return learn.Rule{Name: "eprop", Feedback: f, Decay: 0.01} }
	rates := []float64{1e-3, 3e-3, 1e-2}
	return &EpropCurves{Kind: "eprop_curves", Base: *learn.Default(), Seeds: []uint64{1, 2, 3}, Tune: CurveTuning{Seeds: []uint64{101}, Iterations: 50},
		Rules: []CurveRule{{"BPTT", learn.Rule{Name: "bptt"}, rates}, {"e-prop, symmetric", eprop(snn.Symmetric), rates}, {"e-prop, random", eprop(snn.Random), rates},
			{"e-prop, adaptive", eprop(snn.Adaptive), rates}, {"readout only", learn.Rule{Name: "readout"}, rates}}}
}

// RootSeed is the first seed.
func (c *EpropCurves) RootSeed() uint64 { return c.Seeds[0] }

// Validate reports settings that cannot be run.
func (c *EpropCurves) Validate() error {
	if len(c.Rules) == 0 || len(c.Seeds) == 0 {
		return errors.New("rules or seeds: the list is empty")
	}
	if c.Budget < 0 {
		return fmt.Errorf("budget is %v; none is 0", c.Budget)
	}
	names := map[string]bool{}
	for _, r := range c.Rules {
		if r.Name == "" || names[r.Name] {
			return fmt.Errorf("rules: %q needs a name of its own", r.Name)
		}
		names[r.Name] = true
		if len(r.Rates) == 0 || slices.Min(r.Rates) <= 0 {
			return fmt.Errorf("rules: %q has learning rates %v; expected positive ones", r.Name, r.Rates)
		}
		if len(r.Rates) > 1 && (len(c.Tune.Seeds) == 0 || c.Tune.Iterations < 1) {
			return fmt.Errorf("tune: seeds and iterations are needed to choose the rate of %q", r.Name)
		}
		if err := c.training(r, r.Rates[0], c.Seeds[0]).Validate(); err != nil {
			return fmt.Errorf("rule %q: %w", r.Name, err)
		}
	}
	for _, s := range c.Tune.Seeds {
		if slices.Contains(c.Seeds, s) {
			return fmt.Errorf("tune.seeds: seed %d is one of the seeds that are reported", s)
		}
	}
	return nil
}

func (c *EpropCurves) training(r CurveRule, rate float64, seed uint64) *learn.Config {
	t := c.Base
	t.Rule, t.Optimizer.Rate, t.Seed = r.Rule, rate, seed
	return &t
}

// Curve is one training.
type Curve struct {
	Rule    string         `json:"rule"`
	Rate    float64        `json:"rate"`
	Seed    uint64         `json:"seed"`
	Outcome *learn.Outcome `json:"outcome"`
	Failed  string         `json:"failed,omitempty"` // why it ended early
	// Loss is that of the training batches, one an iteration; Validated holds iteration, loss and error of validations.
	Loss      []float64    `json:"loss"`
	Validated [][3]float64 `json:"validated"`
}

// Run chooses rates, trains and reports.
func (c *EpropCurves) Run(ctx context.Context, env Env) error {
	start, total, done := time.Now(), len(c.Rules)*len(c.Seeds), 0
	for _, r := range c.Rules {
		if len(r.Rates) > 1 {
			total += len(r.Rates) * len(c.Tune.Seeds)
		}
	}
	earlier, err := c.earlier()
	if err != nil {
		return fmt.Errorf("from: %w", err)
	}
	train := func(r CurveRule, t *learn.Config, which string) (*Curve, error) {
		env.progress(r.Name+", "+which, done, total)
		done++
		return trainCurve(ctx, r, t)
	}
	best, tuned := map[string]float64{}, map[string]map[float64]float64{}
	for _, r := range c.Rules {
		best[r.Name] = r.Rates[0]
		if len(r.Rates) == 1 {
			continue
		}
		of := map[float64]float64{}
		for _, rate := range r.Rates {
			for _, seed := range c.Tune.Seeds {
				t := c.training(r, rate, seed)
				t.Iterations, t.Evaluate = c.Tune.Iterations, c.Tune.Iterations
				v, err := train(r, t, fmt.Sprintf("rate %g", rate))
				if err != nil {
					return err
				}
				of[rate] += v.last() / float64(len(c.Tune.Seeds))
			}
			if !(of[rate] >= of[best[r.Name]]) {
				best[r.Name] = rate
			}
		}
		tuned[r.Name] = of
	}
	var curves []*Curve
	ran := *c
	ran.Seeds = nil
	var missing []uint64
	for k, seed := range c.Seeds {
		over, before := k > 0 && c.Budget > 0 && time.Since(start) > c.Budget, len(curves)
		for _, r := range c.Rules {
			v := earlier[curveKey{r.Name, best[r.Name], seed}]
			if v == nil && over {
				continue
			}
			if v == nil {
				if v, err = train(r, c.training(r, best[r.Name], seed), fmt.Sprintf("seed %d", seed)); err != nil {
					return err
				}
			}
			curves = append(curves, v)
			data, err := json.Marshal(curves)
			if err != nil {
				return err
			}
			if err := runs.WriteFile(filepath.Join(env.Dir, "curves.json"), append(data, '\n')); err != nil { // kept should the experiment be interrupted
				return err
			}
		}
		if len(curves) > before {
			ran.Seeds = append(ran.Seeds, seed)
		}
		if len(curves) < before+len(c.Rules) {
			missing = append(missing, seed)
		}
	}
	env.progress("done", total, total)
	return ran.report(env.Dir, curves, tuned, missing)
}

type curveKey struct {
	rule string
	rate float64
	seed uint64
}

// earlier reads the trainings of earlier results, whose network and task must be those of this experiment.
func (c *EpropCurves) earlier() (map[curveKey]*Curve, error) {
	all := map[curveKey]*Curve{}
	want, err := runs.Encode(&c.Base)
	if err != nil {
		return nil, err
	}
	for _, dir := range c.From {
		file := filepath.Join(dir, "config.yaml")
		other := DefaultEpropCurves()
		if err := runs.Load(file, other); err != nil {
			return nil, err
		}
		have, err := runs.Encode(&other.Base)
		if err != nil {
			return nil, err
		}
		if string(have) != string(want) {
			return nil, fmt.Errorf("%s: its base differs from that of this experiment", file)
		}
		data, err := os.ReadFile(filepath.Join(dir, "curves.json"))
		if err != nil {
			return nil, err
		}
		var curves []*Curve
		if err := json.Unmarshal(data, &curves); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, "curves.json"), err)
		}
		for _, v := range curves {
			same := func(r CurveRule) bool { return r.Name == v.Rule }
			mine, its := slices.IndexFunc(c.Rules, same), slices.IndexFunc(other.Rules, same)
			if mine < 0 || its < 0 {
				continue
			}
			want, err := runs.Encode(c.Rules[mine].Rule)
			if err != nil {
				return nil, err
			}
			have, err := runs.Encode(other.Rules[its].Rule)
			if err != nil {
				return nil, err
			}
			if string(have) == string(want) {
				all[curveKey{v.Rule, v.Rate, v.Seed}] = v
			}
		}
	}
	return all, nil
}

// last is the loss of the last validation; not a number if the training failed.
func (v *Curve) last() float64 {
	if v.Failed != "" || len(v.Validated) == 0 {
		return math.NaN()
	}
	return v.Validated[len(v.Validated)-1][1]
}

// trainCurve runs one training. One that leaves the numbers is a result, not an error.
func trainCurve(ctx context.Context, r CurveRule, t *learn.Config) (*Curve, error) {
	v := &Curve{Rule: r.Name, Rate: t.Optimizer.Rate, Seed: t.Seed}
	var err error
	v.Outcome, err = t.Run(ctx, learn.Env{Metrics: func(record map[string]any) error {
		if loss, ok := record["loss"].(float64); ok {
			v.Loss = append(v.Loss, loss)
		}
		if loss, ok := record["validation_loss"].(float64); ok {
			wrong, classes := record["validation_error"].(float64)
			if !classes {
				wrong = -1
			}
			v.Validated = append(v.Validated, [3]float64{float64(record["iteration"].(int)), loss, wrong})
		}
		return nil
	}})
	var where *snn.NonFiniteError
	switch {
	case errors.As(err, &where):
		v.Failed, err = where.Error(), nil
	case err != nil:
		err = fmt.Errorf("%s, seed %d: %w", r.Name, t.Seed, err)
	}
	return v, err
}

// report writes the table, the figures and the page.
func (c *EpropCurves) report(dir string, curves []*Curve, tuned map[string]map[float64]float64, missing []uint64) error {
	p := newPage(dir, "Learning rules on "+c.Base.Task, "")
	p.printf("\n%d neurons (%s), batches of %d, at most %d iterations; seeds %v.\n", c.Base.Layers[0].Size, c.Base.Layers[0].Model, c.Base.Batch, c.Base.Iterations, c.Seeds)
	if len(missing) > 0 {
		p.printf("Partial: with seeds %v not every rule was trained, for want of time.\n", missing)
	}
	if len(c.From) > 0 {
		p.printf("Trainings with these settings were taken from an earlier result (`from` in [config.yaml](config.yaml)).\n")
	}
	classes := slices.ContainsFunc(curves, func(v *Curve) bool { return len(v.Validated) > 0 && v.Validated[0][2] >= 0 })
	p.table("rules", c.table(curves, tuned, classes))
	p.figure("loss", "training loss", c.figure(curves))
	if classes {
		p.figure("error", "validation error", c.errors(curves))
	}
	return p.save()
}

func (c *EpropCurves) table(curves []*Curve, tuned map[string]map[float64]float64, classes bool) report.Table {
	t := report.Table{
		Title:   "Rules",
		Caption: "Median [lowest–highest] over the seeds; first: the loss of the first batch. ",
		Columns: []report.Column{{Name: "rule"}, {Name: "learning rate"}, {Name: "first loss", Format: "%.4g"}, {Name: "last validation loss", Format: "%.3g"}, {Name: "test loss", Format: "%.3g"}},
	}
	if frozen, err := c.training(c.Rules[0], c.Rules[0].Rates[0], c.Seeds[0]).Frozen(); err == nil && frozen {
		t.Caption += "The task is one sequence for each seed, to be learned by heart: test and validation are the sequence that is trained on. "
	} else {
		t.Caption += "Test sequences are never used in training. "
	}
	if classes {
		t.Columns = append(t.Columns, report.Column{Name: "test error", Unit: "%", Format: "%.1f"}, report.Column{Name: "best validation error", Unit: "%", Format: "%.1f"})
	}
	if classes && c.Goal > 0 {
		t.Columns = append(t.Columns, report.Column{Name: fmt.Sprintf("iterations to below %.3g %%", 100*c.Goal), Format: "%.0f"}, report.Column{Name: "seeds that got there"})
	}
	t.Columns = append(t.Columns, report.Column{Name: "time an iteration", Unit: "s", Format: "%.2f"}, report.Column{Name: "seeds"})
	for _, r := range c.Rules {
		var first, last, test, wrong, best, reached, seconds []float64
		n, there, rate := 0, 0, 0.0
		for _, v := range curves {
			if v.Rule != r.Name {
				continue
			}
			rate = v.Rate
			if v.Failed != "" {
				t.Caption += fmt.Sprintf("%s, seed %d: %s. ", v.Rule, v.Seed, v.Failed)
				continue
			}
			n++
			first, last, test = append(first, v.Loss[0]), append(last, v.last()), append(test, v.Outcome.Test.Loss)
			wrong, best = append(wrong, 100*v.Outcome.Test.Error), append(best, 100*v.Outcome.Best.Error)
			seconds = append(seconds, v.Outcome.Seconds/float64(v.Outcome.Iterations))
			for _, x := range v.Validated {
				if c.Goal > 0 && x[2] >= 0 && x[2] < c.Goal {
					reached = append(reached, x[0])
					there++
					break
				}
			}
		}
		if n == 0 {
			continue
		}
		row := []any{r.Name, rate, span(first), span(last), span(test)}
		if classes {
			row = append(row, span(wrong), span(best))
		}
		if classes && c.Goal > 0 {
			var at any
			if there > 0 {
				at = span(reached)
			}
			row = append(row, at, fmt.Sprintf("%d of %d", there, n))
		}
		t.Rows = append(t.Rows, append(row, bench.Summarize(seconds).Median, n))
		if rates := tuned[r.Name]; rates != nil && (rate == slices.Min(r.Rates) || rate == slices.Max(r.Rates)) {
			t.Caption += fmt.Sprintf("The rate of %s lies at the border of those tried, %v. ", r.Name, slices.Sorted(maps.Keys(rates)))
		}
	}
	if len(tuned) > 0 {
		t.Caption += fmt.Sprintf("Rates were chosen by the validation loss after %d iterations on seeds %v. ", c.Tune.Iterations, c.Tune.Seeds)
	}
	return t
}

// band is a curve with the extremes over seeds; curves that end early count as long as they last.
func band(name string, x [][]float64, y [][]float64) report.Series {
	s := report.Series{Name: name}
	longest := 0
	for k := range y {
		longest = max(longest, len(y[k]))
	}
	for i := range longest {
		var at []float64
		where := 0.0
		for k := range y {
			if i < len(y[k]) {
				at, where = append(at, y[k][i]), x[k][i]
			}
		}
		r := span(at)
		s.X, s.Y, s.Low, s.High = append(s.X, where), append(s.Y, r.Value), append(s.Low, r.Low), append(s.High, r.High)
	}
	return s
}

// figure is the training loss, averaged over windows of iterations.
func (c *EpropCurves) figure(curves []*Curve) report.Figure {
	window := max(1, c.Base.Iterations/50)
	f := report.LinePlot{Title: "Training loss", Subtitle: fmt.Sprintf("means over %d iterations; median and extremes over the seeds", window),
		X: report.Axis{Label: "iteration"}, Y: report.Axis{Label: "loss a step", Log: true}}
	for _, r := range c.Rules {
		var xs, ys [][]float64
		for _, v := range curves {
			if v.Rule != r.Name || len(v.Loss) < window {
				continue
			}
			var x, y []float64
			for i := 0; i+window <= len(v.Loss); i += window {
				sum := 0.0
				for _, l := range v.Loss[i : i+window] {
					sum += l
				}
				x, y = append(x, float64(i)+float64(window+1)/2), append(y, sum/float64(window))
			}
			xs, ys = append(xs, x), append(ys, y)
		}
		if len(ys) > 0 {
			f.Series = append(f.Series, band(r.Name, xs, ys))
		}
	}
	return f
}

// errors is the validation error.
func (c *EpropCurves) errors(curves []*Curve) report.Figure {
	f := report.LinePlot{Title: "Wrong decisions in validation", Subtitle: "median and extremes over the seeds", X: report.Axis{Label: "iteration"}, Y: report.Axis{Label: "error", Unit: "%"}}
	for _, r := range c.Rules {
		var xs, ys [][]float64
		for _, v := range curves {
			if v.Rule != r.Name || len(v.Validated) == 0 {
				continue
			}
			var x, y []float64
			for _, p := range v.Validated {
				x, y = append(x, p[0]), append(y, 100*p[2])
			}
			xs, ys = append(xs, x), append(ys, y)
		}
		if len(ys) > 0 {
			f.Series = append(f.Series, band(r.Name, xs, ys))
		}
	}
	if c.Goal > 0 {
		f.References = []report.Line{{Value: 100 * c.Goal, Label: "goal"}}
	}
	return f
}
