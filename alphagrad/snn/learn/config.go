// Package learn trains spiking networks on tasks: configuration, optimisers and their schedules, checkpoints, resuming,
// metrics.
package learn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// Config is one training.
type Config struct {
	Kind string `yaml:"kind"`
	Seed uint64 `yaml:"seed"` // of weights, feedback and data

	Task       string     `yaml:"task"`
	Parameters Parameters `yaml:"parameters"`

	Layers  []snn.Layer `yaml:"layers"`
	Readout snn.Readout `yaml:"readout"`
	Weights snn.Spread  `yaml:"weights"`
	Rates   Rates       `yaml:"rates"`

	Rule      Rule      `yaml:"rule"`
	Optimizer Optimizer `yaml:"optimizer"`

	Batch      int     `yaml:"batch"`
	Iterations int     `yaml:"iterations"`
	Evaluate   int     `yaml:"evaluate"`   // iterations between validations and checkpoints
	Validation int     `yaml:"validation"` // sequences of a validation
	Until      float64 `yaml:"until"`      // end when a validation has no larger error; 0: never
}

// Parameters are those of the task: one entry, under the task's name.
type Parameters struct {
	PatternGeneration    *data.PatternGeneration    `yaml:"pattern_generation"`
	EvidenceAccumulation *data.EvidenceAccumulation `yaml:"evidence_accumulation"`
	DelayedMatch         *data.DelayedMatch         `yaml:"delayed_match"`
	StoreRecall          *data.StoreRecall          `yaml:"store_recall"`
	Randman              *data.Randman              `yaml:"randman"`
	SHD                  *data.SHD                  `yaml:"shd"`
}

// Rates draws firing rates to a target.
type Rates struct {
	Cost   float64 `yaml:"cost"`
	Target float64 `yaml:"target"` // Hz
}

// Rule is how the gradient is computed.
type Rule struct {
	Name     string       `yaml:"name"`     // bptt, tbptt, rtrl, eprop, readout or edits
	Feedback snn.Feedback `yaml:"feedback"` // of e-prop
	Window   int          `yaml:"window"`   // of tbptt, steps
	Forward  bool         `yaml:"forward"`  // carry influences forward in time: slow and online instead of fast and with a memory of the sequence
	Edits    []ad.Edit    `yaml:"edits"`    // of edits
	Decay    float64      `yaml:"decay"`    // of readout and feedback weights in an iteration, with adaptive feedback
}

// Optimizer is how parameters follow the gradient.
type Optimizer struct {
	Name     string  `yaml:"name"` // adam or sgd
	Rate     float64 `yaml:"rate"`
	Schedule string  `yaml:"schedule"` // constant, step, exponential or cosine
	Every    int     `yaml:"every"`    // iterations between steps; of the exponential decay; 0: all iterations
	Factor   float64 `yaml:"factor"`   // of each step; of the exponential decay; what the cosine ends at
	Warmup   int     `yaml:"warmup"`   // iterations of linear growth from 0
	Average  bool    `yaml:"average"`  // divide the gradient by the number of steps that count
	Clip     float64 `yaml:"clip"`     // largest norm of the gradient of a batch's mean; 0: none
}

// Default is e-prop with random feedback on evidence accumulation, as published (Bellec et al. 2020).
func Default() *Config {
	return &Config{
		Kind: "eprop", Seed: 1, Task: "evidence_accumulation",
		Layers: []snn.Layer{{Name: "rec", Model: "alif", Size: 100, Recurrent: true, Adaptive: 50, Refractory: 5,
			Params: map[string]float64{"tau_m": 20, "threshold": 0.6, "tau_a": 2000, "beta": 0.0174241851}}},
		Readout:   snn.Readout{Tau: 20},
		Rates:     Rates{Cost: 300, Target: 10},
		Rule:      Rule{Name: "eprop", Feedback: snn.Random},
		Optimizer: Optimizer{Name: "adam", Rate: 5e-3, Schedule: "constant", Factor: 0.5, Average: true},
		Batch:     64, Iterations: 500, Evaluate: 25, Validation: 256,
	}
}

// rules lists what Rule.Name may be.
var rules = []string{"bptt", "tbptt", "rtrl", "eprop", "readout", "edits"}

// schedules holds one row a schedule: the factor of the rate at an iteration, from 0.
var schedules = map[string]func(o *Optimizer, i, all int) float64{
	"constant":    func(*Optimizer, int, int) float64 { return 1 },
	"step":        stepped,
	"exponential": exponential,
	"cosine":      cosine,
}

// Validate implements [runs.Validator].
func (c *Config) Validate() error {
	_, err := c.open()
	return err
}

// training is what a configuration describes.
type training struct {
	task    data.Task
	network snn.Network
	r       *ad.Recurrence
	method  snn.Method
}

// open checks a configuration and opens its task.
func (c *Config) open() (*training, error) {
	if c.Kind != "eprop" {
		return nil, fmt.Errorf("kind is %q, expected \"eprop\"", c.Kind)
	}
	switch {
	case c.Batch < 1 || c.Iterations < 1 || c.Evaluate < 1 || c.Validation < 1:
		return nil, errors.New("batch, iterations, evaluate and validation: at least 1")
	case c.Until < 0 || c.Until >= 1:
		return nil, fmt.Errorf("until is %g; an error is from 0 to below 1", c.Until)
	case c.Rates.Cost < 0 || c.Rates.Target < 0:
		return nil, fmt.Errorf("rates: cost %g, target %g Hz; neither may be negative", c.Rates.Cost, c.Rates.Target)
	}
	if err := c.Optimizer.check(); err != nil {
		return nil, err
	}
	config, err := c.task()
	if err != nil {
		return nil, err
	}
	t := &training{}
	if t.task, err = config.Open(runs.Seed(c.Seed).Sub("data")); err != nil {
		return nil, fmt.Errorf("parameters.%s: %w", c.Task, err)
	}
	d := t.task.Dims()
	t.network = snn.Network{Inputs: d.Inputs, Layers: c.Layers, Readout: c.Readout, Loss: snn.SquaredError, Steps: d.Steps, Dt: d.DT,
		Rates: snn.Regularisation{Cost: c.Rates.Cost, Target: c.Rates.Target * d.DT / 1000}}
	t.network.Readout.Size = d.Outputs
	if d.Kind == data.Classification {
		t.network.Loss = snn.CrossEntropy
	}
	if t.r, err = t.network.Recurrence(); err != nil {
		return nil, err
	}
	t.method, err = c.Rule.method(t.r)
	return t, err
}

// task is the configuration of the task: that given under its name, or the default one.
func (c *Config) task() (data.Config, error) {
	config, err := data.New(c.Task)
	if err != nil {
		return nil, err
	}
	for name, p := range c.Parameters.all() {
		if p == nil {
			continue
		}
		if name != c.Task {
			return nil, fmt.Errorf("parameters.%s: the task is %s", name, c.Task)
		}
		config = p
	}
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("parameters.%s: %w", c.Task, err)
	}
	return config, nil
}

// all lists the parameters given, by task; nil where none are.
func (p *Parameters) all() map[string]data.Config {
	m := map[string]data.Config{}
	put := func(name string, given bool, c data.Config) {
		if m[name] = nil; given {
			m[name] = c
		}
	}
	put("pattern_generation", p.PatternGeneration != nil, p.PatternGeneration)
	put("evidence_accumulation", p.EvidenceAccumulation != nil, p.EvidenceAccumulation)
	put("delayed_match", p.DelayedMatch != nil, p.DelayedMatch)
	put("store_recall", p.StoreRecall != nil, p.StoreRecall)
	put("randman", p.Randman != nil, p.Randman)
	put("shd", p.SHD != nil, p.SHD)
	return m
}

// Fill gives the parameters of the named task their defaults, so that a file needs to name only what differs.
func (p *Parameters) Fill(task string) {
	switch task {
	case "pattern_generation":
		p.PatternGeneration = data.DefaultPatternGeneration()
	case "evidence_accumulation":
		p.EvidenceAccumulation = data.DefaultEvidenceAccumulation()
	case "delayed_match":
		p.DelayedMatch = data.DefaultDelayedMatch()
	case "store_recall":
		p.StoreRecall = data.DefaultStoreRecall()
	case "randman":
		p.Randman = data.DefaultRandman()
	case "shd":
		p.SHD = data.DefaultSHD()
	}
}

// Load reads a training from a file, over the defaults of its task.
func Load(path string, overrides ...string) (*Config, error) {
	c := Default()
	task, err := runs.Peek(path, "task")
	if err != nil {
		return nil, err
	}
	for _, o := range overrides {
		if name, is := strings.CutPrefix(o, "task="); is {
			task = name
		}
	}
	c.Parameters.Fill(task)
	return c, runs.Load(path, c, overrides...)
}

// Frozen reports whether the task has the same sequences for training and for test.
func (c *Config) Frozen() (bool, error) {
	t, err := c.open()
	if err != nil {
		return false, err
	}
	trained, err := t.task.Batch(data.Training, 0, 1)
	if err != nil {
		return false, err
	}
	tested, err := t.task.Batch(data.Test, 0, 1)
	return err == nil && slices.Equal(trained.Input, tested.Input), err
}

func (o *Optimizer) check() error {
	if o.Name != "adam" && o.Name != "sgd" {
		return fmt.Errorf("optimizer.name is %q; known: adam, sgd", o.Name)
	}
	var known []string
	for s := range schedules {
		known = append(known, s)
	}
	slices.Sort(known)
	switch {
	case schedules[o.Schedule] == nil:
		return fmt.Errorf("optimizer.schedule is %q%s; known: %v", o.Schedule, ir.Suggest(o.Schedule, known), known)
	case o.Rate <= 0:
		return fmt.Errorf("optimizer.rate is %g; expected a positive number", o.Rate)
	case o.Every < 0 || o.Warmup < 0 || o.Clip < 0 || o.Factor < 0 || o.Factor > 1:
		return fmt.Errorf("optimizer: every %d, warmup %d, clip %g, factor %g; none is negative, the factor is at most 1", o.Every, o.Warmup, o.Clip, o.Factor)
	}
	return nil
}

// method is the rule for a network.
func (u *Rule) method(r *ad.Recurrence) (snn.Method, error) {
	var m snn.Method
	switch u.Name {
	case "bptt":
		m = snn.BPTT()
	case "tbptt":
		if u.Window < 1 {
			return m, fmt.Errorf("rule.window is %d; expected at least one step", u.Window)
		}
		m = snn.TruncatedBPTT(u.Window)
	case "rtrl":
		m = snn.RTRL()
	case "eprop":
		if u.Feedback != snn.Symmetric && u.Feedback != snn.Random && u.Feedback != snn.Adaptive {
			return m, fmt.Errorf("rule.feedback is %q; known: %s, %s, %s", u.Feedback, snn.Symmetric, snn.Random, snn.Adaptive)
		}
		m = snn.Eprop(r, u.Feedback, u.Forward)
	case "readout": // the floor of every comparison: only the readout learns
		m = snn.Method{Name: "readout", Edits: []ad.Edit{{From: snn.ReadoutState, To: snn.ReadoutValue, Kind: "drop"}}}
	case "edits":
		m = snn.Method{Name: "edits", Edits: u.Edits}
		for _, e := range u.Edits {
			if e.Matrix != "" && e.Matrix != snn.FeedbackMatrix {
				return m, fmt.Errorf("rule.edits: matrix %q of %s; a training has %q only", e.Matrix, e, snn.FeedbackMatrix)
			}
		}
	default:
		return m, fmt.Errorf("rule.name is %q%s; known: %v", u.Name, ir.Suggest(u.Name, rules), rules)
	}
	m.Forward = m.Forward || u.Forward
	if u.Decay < 0 || u.Decay >= 1 {
		return m, fmt.Errorf("rule.decay is %g; expected 0 to below 1", u.Decay)
	}
	_, err := r.Reverse(m.Edits...) // edges that do not exist
	return m, err
}
