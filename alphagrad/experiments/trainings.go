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

	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/train"
)

// Trainings trains one agent for every task, seed and variant of the settings, or jointly for all tasks, and compares the
// variants: long trainings and ablations alike. A finished training is kept, so that an interrupted experiment goes on where it was; seeds that are
// not there are reported as missing.
type Trainings struct {
	Kind     string    `yaml:"kind"`
	Title    string    `yaml:"title"`
	Tasks    []string  `yaml:"tasks"`
	Joint    bool      `yaml:"joint"` // one agent for all tasks
	Seeds    []uint64  `yaml:"seeds"`
	Parallel int       `yaml:"parallel"` // trainings at a time
	Reuse    string    `yaml:"reuse"`    // directory of earlier runs: trainings with the same configuration are taken from there
	From     string    `yaml:"from"`     // directory of an earlier result whose trainings are taken as they are
	Set      []string  `yaml:"set"`      // assignments to the settings of all trainings, such as budget=15m
	Variants []Variant `yaml:"variants"`
	Note     string    `yaml:"note"` // on the circumstances, for the page; may be empty
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
		if c.Joint && v.Policy == "uniform" {
			return fmt.Errorf("variants: %s: with no network there is nothing to train jointly", v.Name)
		}
		for _, group := range c.groups() {
			t, err := c.settings(v, group, c.Seeds[0])
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

// groups are the tasks that agents train on.
func (c *Trainings) groups() (groups [][]string) {
	if c.Joint {
		return [][]string{c.Tasks}
	}
	for _, task := range c.Tasks {
		groups = append(groups, []string{task})
	}
	return groups
}

// settings is the configuration of one training.
func (c *Trainings) settings(v Variant, group []string, seed uint64) (*train.Config, error) {
	t := train.Default()
	t.Seed, t.Tasks, t.Generated.Share = seed, group, 0
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
	var jobs [][]*Trained
	for _, group := range c.groups() {
		for _, seed := range c.Seeds {
			for _, v := range c.Variants {
				var job []*Trained
				for _, task := range group {
					job = append(job, &Trained{Variant: v.Name, Task: task, Seed: seed})
				}
				wanted, jobs = append(wanted, job...), append(jobs, job)
			}
		}
	}
	work := make(chan []*Trained)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var done []*Trained
	var failed error
	for range c.Parallel {
		wg.Go(func() {
			for job := range work {
				err := c.train(ctx, env.Dir, job)
				mu.Lock()
				if failed = errors.Join(failed, err); err == nil {
					done = append(done, job...)
					for _, t := range job {
						env.progress(fmt.Sprintf("%s, %s, seed %d: %d", t.Task, t.Variant, t.Seed, t.Best.Muls), len(done), len(wanted))
					}
				}
				mu.Unlock()
			}
		})
	}
	for _, job := range jobs {
		if ctx.Err() != nil {
			break
		}
		work <- job
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
	annealed, err := c.anneal(ctx, env, done)
	if err != nil && ctx.Err() == nil {
		return err
	}
	return errors.Join(c.report(env.Dir, done, annealed), ctx.Err())
}

// train fills in what a training finds, for all of its tasks, and keeps it in the directory.
func (c *Trainings) train(ctx context.Context, dir string, job []*Trained) error {
	first := job[0]
	v := c.Variants[slices.IndexFunc(c.Variants, func(v Variant) bool { return v.Name == first.Variant })]
	var group []string
	kept := c.From != ""
	for _, t := range job {
		group = append(group, t.Task)
		if c.From != "" {
			err := t.load(filepath.Join(c.From, "trainings", t.file()))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			kept = kept && err == nil
		}
	}
	settings, err := c.settings(v, group, first.Seed)
	if err != nil {
		return err
	}
	switch {
	case kept:
	case v.Policy == "uniform":
		err = first.uniform(ctx, settings)
	default:
		var from string
		if from, err = c.earlier(settings); err != nil {
			break
		}
		if from != "" {
			for _, t := range job {
				err = errors.Join(err, t.take(from))
			}
			break
		}
		err = inScratch(func(scratch string) error {
			metrics := func(r map[string]any) error {
				for _, t := range job {
					t.measure(r)
				}
				return nil
			}
			if err := settings.Run(ctx, train.Env{Dir: scratch, Metrics: metrics}); err != nil {
				return err
			}
			for _, t := range job {
				if err := t.collect(scratch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("%s, %s, seed %d: %w", strings.Join(group, ", "), first.Variant, first.Seed, err)
	}
	for _, t := range job {
		if err := t.keep(dir); err != nil {
			return err
		}
	}
	return nil
}

// load reads a training that was kept.
func (t *Trained) load(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, t)
}

// keep recounts the order from the root and writes the training into the directory.
func (t *Trained) keep(dir string) error {
	s, err := Prepare(t.Task)
	if err != nil {
		return err
	}
	if t.Best.Muls, err = s.Graph.Muls(t.Best.Order); err != nil {
		return err
	}
	if t.Best.Cost == 0 { // of a training from before there were other objectives
		t.Best.Cost = t.Best.Muls
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
