package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"github.com/alphagrad/alphagrad-go/alphagrad/train"
)

// Trainings trains one agent for every task, seed and variant of the settings, and compares the variants: long trainings
// and ablations alike. A finished training is kept, so that an interrupted experiment goes on where it was; seeds that are
// not there are reported as missing.
type Trainings struct {
	Kind     string    `yaml:"kind"`
	Title    string    `yaml:"title"`
	Tasks    []string  `yaml:"tasks"`
	Seeds    []uint64  `yaml:"seeds"`
	Parallel int       `yaml:"parallel"` // trainings at a time
	Reuse    string    `yaml:"reuse"`    // directory of earlier runs: trainings with the same configuration are taken from there
	Set      []string  `yaml:"set"`      // assignments to the settings of all trainings, such as budget=15m
	Variants []Variant `yaml:"variants"`
}

// Variant is one way to train.
type Variant struct {
	Name   string   `yaml:"name"`
	Set    []string `yaml:"set"`    // assignments to the settings, after those of the experiment
	Policy string   `yaml:"policy"` // learned, or uniform: the search alone, with no network to learn
}

// DefaultTrainings is one moment of self-play.
func DefaultTrainings() *Trainings {
	return &Trainings{Kind: "trainings", Title: "Trainings", Tasks: []string{"RoeFlux_1d"}, Seeds: []uint64{1}, Parallel: 1,
		Set: []string{"budget=10s"}, Variants: []Variant{{Name: "self-play", Policy: "learned"}}}
}

// RootSeed is the seed of the first training of each variant.
func (c *Trainings) RootSeed() uint64 { return c.Seeds[0] }

// Validate reports settings that cannot be run.
func (c *Trainings) Validate() error {
	switch {
	case len(c.Tasks) == 0 || len(c.Seeds) == 0 || len(c.Variants) == 0:
		return errors.New("tasks, seeds and variants: a list is empty")
	case c.Parallel < 1:
		return errors.New("parallel: at least 1")
	}
	for i, v := range c.Variants {
		if v.Policy != "learned" && v.Policy != "uniform" {
			return fmt.Errorf("variants: %s: policy %q; expected learned or uniform", v.Name, v.Policy)
		}
		if slices.ContainsFunc(c.Variants[:i], func(o Variant) bool { return o.Name == v.Name }) {
			return fmt.Errorf("variants: there are two named %q", v.Name)
		}
		for _, task := range c.Tasks {
			t, err := c.settings(v, task, c.Seeds[0])
			if err != nil {
				return err
			}
			if err := t.Validate(); err != nil {
				return fmt.Errorf("variants: %s: %w", v.Name, err)
			}
		}
	}
	return nil
}

// settings is the configuration of one training.
func (c *Trainings) settings(v Variant, task string, seed uint64) (*train.Config, error) {
	t := train.Default()
	t.Seed, t.Tasks, t.Generated.Share = seed, []string{task}, 0
	t.Games, t.Steps, t.Replay, t.Iterations = 16, 8, 200, 0
	for _, assignment := range append(slices.Clone(c.Set), v.Set...) {
		if err := runs.Override(t, assignment); err != nil {
			return nil, fmt.Errorf("variants: %s: %w", v.Name, err)
		}
	}
	return t, nil
}

// Trained is what one training found.
type Trained struct {
	Variant string       `json:"variant"`
	Task    string       `json:"task"`
	Seed    uint64       `json:"seed"`
	Best    train.Best   `json:"best"`
	Curve   [][2]float64 `json:"curve"`            // seconds of training, best cost so far
	Spent   float64      `json:"spent"`            // seconds
	Policy  int64        `json:"policy,omitempty"` // cost of the order that the network plays by itself; 0 without one
	Commit  string       `json:"commit,omitempty"` // of the program that trained, if it was another run's
}

func (v *Trained) file() string {
	clean := strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' || r == ',' {
			return '_'
		}
		return r
	}, v.Variant)
	return fmt.Sprintf("%s-%s-%d.json", clean, v.Task, v.Seed)
}

// Run trains and reports. Trainings that a variant needs and that are finished are not repeated.
func (c *Trainings) Run(ctx context.Context, env Env) error {
	var wanted []*Trained
	for _, task := range c.Tasks {
		for _, seed := range c.Seeds {
			for _, v := range c.Variants {
				wanted = append(wanted, &Trained{Variant: v.Name, Task: task, Seed: seed})
			}
		}
	}
	work := make(chan *Trained)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var done []*Trained
	var failed error
	for range c.Parallel {
		wg.Go(func() {
			for t := range work {
				err := c.train(ctx, env.Dir, t)
				mu.Lock()
				if failed = errors.Join(failed, err); err == nil {
					done = append(done, t)
					env.progress(fmt.Sprintf("%s, %s, seed %d: %d", t.Task, t.Variant, t.Seed, t.Best.Muls), len(done), len(wanted))
				}
				mu.Unlock()
			}
		})
	}
	for _, t := range wanted {
		if ctx.Err() != nil {
			break
		}
		work <- t
	}
	close(work)
	wg.Wait()
	if failed != nil && ctx.Err() == nil {
		return failed
	}
	if len(done) == 0 {
		return errors.Join(failed, ctx.Err())
	}
	slices.SortFunc(done, func(a, b *Trained) int { return slices.Index(wanted, a) - slices.Index(wanted, b) })
	return errors.Join(c.report(env.Dir, done), ctx.Err())
}

// train fills in what a training finds and keeps it in the directory.
func (c *Trainings) train(ctx context.Context, dir string, t *Trained) error {
	v := c.Variants[slices.IndexFunc(c.Variants, func(v Variant) bool { return v.Name == t.Variant })]
	settings, err := c.settings(v, t.Task, t.Seed)
	if err != nil {
		return err
	}
	switch {
	case v.Policy == "uniform":
		err = t.uniform(ctx, settings)
	default:
		var from string
		if from, err = c.earlier(settings); err == nil && from != "" {
			err = t.take(from)
		} else if err == nil {
			err = inScratch(func(scratch string) error {
				metrics := func(r map[string]any) error { t.measure(r); return nil }
				if err := settings.Run(ctx, train.Env{Dir: scratch, Metrics: metrics}); err != nil {
					return err
				}
				return t.collect(scratch)
			})
		}
	}
	if err != nil {
		return fmt.Errorf("%s, %s, seed %d: %w", t.Task, t.Variant, t.Seed, err)
	}
	s, err := Prepare(t.Task)
	if err != nil {
		return err
	}
	if t.Best.Muls, err = s.Graph.Muls(t.Best.Order); err != nil { // recounted from the root
		return err
	}
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "trainings"), 0o755); err != nil {
		return err
	}
	return runs.WriteFile(filepath.Join(dir, "trainings", t.file()), append(data, '\n'))
}

// measure takes a metrics record of the trainer in.
func (t *Trained) measure(record map[string]any) {
	seconds, ok := number(record["seconds"])
	if best, has := number(record["best_"+t.Task]); ok && has {
		t.Spent = seconds
		t.Curve = append(t.Curve, [2]float64{seconds, best})
	}
}

// number reads a number of a record, fresh or decoded.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// collect reads the best order and lets the network of a finished training play by itself.
func (t *Trained) collect(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "best.json"))
	if err != nil {
		return err
	}
	var best map[string]train.Best
	if err := json.Unmarshal(data, &best); err != nil {
		return err
	}
	t.Best = best[t.Task]
	network, err := net.Load(filepath.Join(dir, train.ModelName))
	if err != nil {
		return err
	}
	s, err := Prepare(t.Task)
	if err != nil {
		return err
	}
	p, _, err := playOnce(network, s.Graph, 0, t.Seed)
	if err != nil {
		return err
	}
	t.Policy = p.Played
	return nil
}

// uniform plays with search alone: all moves equally likely, every position worth its cheap completion.
func (t *Trained) uniform(ctx context.Context, settings *train.Config) error {
	s, err := Prepare(t.Task)
	if err != nil {
		return err
	}
	start := time.Now()
	for game := 0; ; game++ {
		t.Spent = time.Since(start).Seconds()
		if t.Spent >= settings.Budget.Seconds() || ctx.Err() != nil {
			return ctx.Err()
		}
		p, err := settings.PlayUniform(s.Graph, uint64(runs.Seed(t.Seed).At(game)))
		if err != nil {
			return err
		}
		if t.Best.Order == nil || p.Muls < t.Best.Muls {
			seconds := time.Since(start).Seconds()
			t.Best = train.Best{Muls: p.Muls, Order: p.Order, Seconds: seconds, Games: game + 1}
			t.Curve = append(t.Curve, [2]float64{seconds, float64(p.Muls)})
		}
	}
}

// earlier finds a finished run with the same configuration.
func (c *Trainings) earlier(settings *train.Config) (string, error) {
	if c.Reuse == "" {
		return "", nil
	}
	want, err := runs.Encode(settings)
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(c.Reuse, "*", "config.yaml"))
	if err != nil {
		return "", err
	}
	for _, f := range files {
		have := train.Default()
		if err := runs.Load(f, have); err != nil {
			continue // another kind of run
		}
		text, err := runs.Encode(have)
		if err != nil || string(text) != string(want) {
			continue
		}
		if m, err := runs.ReadManifest(filepath.Dir(f)); err == nil && m.Status == runs.StatusFinished {
			return filepath.Dir(f), nil
		}
	}
	return "", nil
}

// take reads a finished run.
func (t *Trained) take(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			return fmt.Errorf("%s: metrics.jsonl: %w", dir, err)
		}
		t.measure(record)
	}
	m, err := runs.ReadManifest(dir)
	if err != nil {
		return err
	}
	t.Commit = m.Program.Commit
	return t.collect(dir)
}

// report writes the table, a curve for each task and a page.
func (c *Trainings) report(dir string, done []*Trained) error {
	table := report.Table{
		Title: c.Title,
		Caption: fmt.Sprintf("Multiplications of the cheapest order met: median [lowest–highest] over the seeds, of which %v were asked for. Settings: %s. "+
			"Bare policy: the order that the network of the training plays without search and without reductions. Annealing: %v on one core. Published: the best over seeds (Lohoff & Neftci, arXiv 2406.05027).",
			c.Seeds, strings.Join(c.Set, ", "), annealingMost),
		Columns: []report.Column{{Name: "task"}, {Name: "variant"}, {Name: "seeds"}, {Name: "cheapest", Format: "%.0f"}, {Name: "bare policy", Format: "%.0f"}, {Name: "time to best", Unit: "s", Format: "%.1f"},
			{Name: "published AlphaZero"}, {Name: "annealing"}},
	}
	var page strings.Builder
	page.WriteString("# " + c.Title + "\n\n[manifest.json](manifest.json) names the program, the machine and the settings; trainings/ holds every training with its order.\n\n")
	var figures strings.Builder
	bars := report.BarChart{Title: c.Title, Subtitle: "excess over the cheapest known order, median over the seeds", Y: report.Axis{Label: "excess", Unit: "%"}, Groups: c.Tasks}
	for _, v := range c.Variants {
		bars.Series = append(bars.Series, report.BarSeries{Name: v.Name})
	}
	for _, task := range c.Tasks {
		s, err := Prepare(task)
		if err != nil {
			return err
		}
		annealed, err := search.Run(context.Background(), "anneal", search.Problem{Graph: s.Graph}, search.Settings{Evaluations: 2_000_000, Seed: c.Seeds[0]})
		if err != nil {
			return err
		}
		var published any
		f := report.LinePlot{Title: task + ": cheapest order met", Subtitle: "median and quartiles over the seeds", X: report.Axis{Label: "time", Unit: "s", Log: true}, Y: report.Axis{Label: "multiplications"},
			References: []report.Line{{Value: float64(annealed.Cost), Label: "annealing"}}}
		if ref := tasks.Reference(task); ref != nil && ref.BestAlphaZero > 0 {
			published = count(ref.BestAlphaZero)
			f.References = append(f.References, report.Line{Value: float64(ref.BestAlphaZero), Label: "published AlphaZero"})
		}
		known := float64(annealed.Cost)
		for _, t := range done {
			if t.Task == task {
				known = min(known, float64(t.Best.Muls))
			}
		}
		for k, v := range c.Variants {
			var muls, policy, seconds []float64
			var traces [][]report.TracePoint
			for _, t := range done {
				if t.Task != task || t.Variant != v.Name {
					continue
				}
				muls, seconds = append(muls, float64(t.Best.Muls)), append(seconds, t.Best.Seconds)
				if t.Policy > 0 {
					policy = append(policy, float64(t.Policy))
				}
				var trace []report.TracePoint
				for _, p := range t.Curve {
					trace = append(trace, report.TracePoint{Seconds: max(p[0], 1e-2), Cost: p[1]})
				}
				traces = append(traces, trace)
			}
			if len(muls) == 0 {
				bars.Series[k].Values = append(bars.Series[k].Values, 0)
				continue
			}
			seeds := fmt.Sprint(len(muls))
			if len(muls) < len(c.Seeds) {
				seeds += fmt.Sprintf(" of %d", len(c.Seeds))
			}
			var bare any
			if len(policy) > 0 {
				bare = span(policy)
			}
			table.Rows = append(table.Rows, []any{task, v.Name, seeds, span(muls), bare, bench.Summarize(seconds).Median, published, annealed.Cost})
			bars.Series[k].Values = append(bars.Series[k].Values, 100*(bench.Summarize(muls).Median/known-1))
			series, err := report.AnytimeSeries(v.Name, traces...)
			if err != nil {
				return err
			}
			f.Series = append(f.Series, series)
		}
		if err := report.SaveFigure(dir, "curve_"+task, f); err != nil {
			return err
		}
		fmt.Fprintf(&figures, "\n![%s](curve_%s.svg)\n", task, task)
	}
	if err := report.SaveTable(dir, "trainings", table); err != nil {
		return err
	}
	if len(c.Variants) > 1 {
		if err := report.SaveFigure(dir, "variants", bars); err != nil {
			return err
		}
		figures.WriteString("\n![variants](variants.svg)\n")
	}
	text, err := table.Markdown()
	if err != nil {
		return err
	}
	page.WriteString(strings.TrimPrefix(text, "**"+table.Title+"**\n\n") + figures.String())
	return runs.WriteFile(filepath.Join(dir, "README.md"), []byte(page.String()))
}
