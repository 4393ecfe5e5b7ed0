package learn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// Env is where a training runs.
type Env struct {
	Dir      string // existing directory for checkpoints and the network; empty: keep nothing
	Metrics  func(record map[string]any) error
	Progress func(what string, done, total int)
	Warn     func(format string, args ...any)
	Resume   string // directory of an earlier training to continue; its checkpoints are read, never written
}

// A Score is what a network does on some sequences.
type Score struct {
	Loss  float64 `json:"loss"`  // a step that counts
	Error float64 `json:"error"` // fraction of wrong decisions: of sequences that have one class, else of steps; NaN for signals
	Rate  float64 `json:"rate"`  // Hz, mean over all spiking neurons
}

// MarshalJSON leaves out what is no number.
func (s Score) MarshalJSON() ([]byte, error) {
	m := map[string]float64{}
	for name, x := range map[string]float64{"loss": s.Loss, "error": s.Error, "rate": s.Rate} {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			m[name] = x
		}
	}
	return json.Marshal(m)
}

// UnmarshalJSON is the inverse of MarshalJSON: what is left out is no number.
func (s *Score) UnmarshalJSON(data []byte) error {
	m := map[string]float64{}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	get := func(name string) float64 {
		if x, ok := m[name]; ok {
			return x
		}
		return math.NaN()
	}
	*s = Score{get("loss"), get("error"), get("rate")}
	return nil
}

// better reports whether a score beats another one, which may be none.
func (s Score) better(than Score) bool {
	if math.IsNaN(s.Error) {
		return !(s.Loss >= than.Loss)
	}
	return !(s.Error >= than.Error)
}

// Outcome is how a training ended.
type Outcome struct {
	Iterations int     `json:"iterations"`
	Validation Score   `json:"validation"` // the last one
	Best       Score   `json:"best"`       // that with the smallest error, or loss for signals
	Test       Score   `json:"test"`
	Seconds    float64 `json:"seconds"`
	Reached    int     `json:"reached"` // iterations until the error of a validation was at most Until, 0: never
}

// Trainer is a training under way.
type Trainer struct {
	*training
	config   *Config
	env      Env
	gradient *snn.Gradient
	state    state
	opt      snn.Optimizer
	began    time.Time
	before   float64
	kept     string
}

// state is what a checkpoint holds.
type state struct {
	Iteration int        `json:"iteration"` // iterations done
	Shared    snn.Values `json:"parameters"`
	Optimizer snn.Values `json:"optimizer"`
	Outcome   Outcome    `json:"outcome"`
	Config    string     `json:"config"` // digest of what determines the training
}

// New prepares a training: from the start, or from the newest checkpoint of an earlier one.
func New(c *Config, env Env) (*Trainer, error) {
	t, err := c.open()
	if err != nil {
		return nil, err
	}
	x := &Trainer{training: t, config: c, env: env, opt: c.Optimizer.make(), began: time.Now()}
	if x.gradient, err = snn.NewGradient(t.r, t.method); err != nil {
		return nil, err
	}
	x.state = state{Shared: t.network.Draw(t.r, runs.Seed(c.Seed).Sub("weights").Rand(), c.Weights), Config: c.digest()}
	x.state.Outcome.Best = Score{math.NaN(), math.NaN(), math.NaN()}
	if env.Resume != "" {
		return x, x.restore(env.Resume)
	}
	return x, nil
}

// Run trains as configured until the iterations are done, the wanted error is reached, or ctx ends; in all these cases the
// last state is saved. A network that leaves the numbers ends it with an error, the last good checkpoint kept.
func (c *Config) Run(ctx context.Context, env Env) (*Outcome, error) {
	t, err := New(c, env)
	if err != nil {
		return nil, err
	}
	return t.Run(ctx)
}

// Run trains to the end.
func (t *Trainer) Run(ctx context.Context) (*Outcome, error) {
	c, s := t.config, &t.state
	for s.Iteration < c.Iterations && s.Outcome.Reached == 0 {
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), t.save())
		}
		t.progress()
		if err := t.iterate(); err != nil {
			return nil, fmt.Errorf("iteration %d: %w%s", s.Iteration+1, err, t.lastKept())
		}
		if s.Iteration%c.Evaluate == 0 || s.Iteration == c.Iterations {
			if err := t.evaluate(); err != nil {
				return nil, fmt.Errorf("validation after iteration %d: %w%s", s.Iteration, err, t.lastKept())
			}
			if err := t.save(); err != nil {
				return nil, err
			}
		}
	}
	s.Outcome.Iterations, s.Outcome.Seconds = s.Iteration, t.seconds()
	var err error
	if s.Outcome.Test, err = t.score(data.Test); err != nil {
		return nil, err
	}
	t.progress()
	return &s.Outcome, t.write()
}

func (t *Trainer) lastKept() string {
	if t.kept == "" {
		return ""
	}
	return "; the last checkpoint is " + t.kept
}

func (t *Trainer) seconds() float64 { return t.before + time.Since(t.began).Seconds() }

func (t *Trainer) progress() {
	if t.env.Progress == nil {
		return
	}
	what := fmt.Sprintf("%s, %s", t.config.Task, t.method.Name)
	if v := t.state.Outcome.Validation; t.state.Iteration >= t.config.Evaluate {
		what += fmt.Sprintf(", loss %.3g", v.Loss)
		if !math.IsNaN(v.Error) {
			what += fmt.Sprintf(", error %.1f %%", 100*v.Error)
		}
	}
	t.env.Progress(what, t.state.Iteration, t.config.Iterations)
}

// metric records a score and more.
func (t *Trainer) metric(prefix string, v Score, record map[string]any) error {
	if t.env.Metrics == nil {
		return nil
	}
	record["iteration"], record["seconds"] = t.state.Iteration, t.seconds()
	record[prefix+"loss"], record[prefix+"rate"] = v.Loss, v.Rate
	if !math.IsNaN(v.Error) {
		record[prefix+"error"] = v.Error
	}
	return t.env.Metrics(record)
}

// batch is a batch of a split in the form that gradients take.
func (t *Trainer) batch(split data.Split, index, size int) (*data.Batch, *snn.Batch, error) {
	b, err := t.task.Batch(split, index, size)
	if err != nil {
		return nil, nil, err
	}
	return b, &snn.Batch{Steps: b.Steps, Size: b.Size, Input: b.Input, Target: b.Target, Weight: b.Mask}, nil
}

// iterate takes one step along the gradient of a batch.
func (t *Trainer) iterate() error {
	c, s := t.config, &t.state
	b, sequences, err := t.batch(data.Training, s.Iteration, c.Batch)
	if err != nil {
		return err
	}
	r, err := t.gradient.Compute(s.Shared, sequences)
	if err != nil {
		return err
	}
	divisor := float64(b.Size)
	if c.Optimizer.Average {
		divisor = max(1, float64(r.Steps))
	}
	for _, g := range r.Gradient {
		for i := range g {
			g[i] /= divisor
		}
	}
	t.network.Constrain(r.Gradient)
	if c.Rule.Name == "readout" {
		for p := range r.Gradient {
			if !strings.HasPrefix(p, "out.") {
				delete(r.Gradient, p)
			}
		}
	}
	norm := clip(r.Gradient, c.Optimizer.Clip)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return fmt.Errorf("the norm of the gradient is %v", norm)
	}
	rate := c.Optimizer.rate(s.Iteration, c.Iterations)
	t.opt.SetRate(rate)
	t.opt.Advance()
	for _, p := range sortedNames(r.Gradient) {
		t.opt.Step(p, s.Shared[p], r.Gradient[p])
	}
	if c.Rule.Name == "eprop" && c.Rule.Feedback == snn.Adaptive { // the feedback learns as the readout does, and both decay
		t.opt.Step(snn.FeedbackMatrix, s.Shared[snn.FeedbackMatrix], r.Gradient[snn.ReadoutWeight])
		for _, p := range []string{snn.FeedbackMatrix, snn.ReadoutWeight} {
			for i := range s.Shared[p] {
				s.Shared[p][i] *= 1 - c.Rule.Decay
			}
		}
	}
	s.Iteration++
	score := t.judge(b, r)
	return t.metric("", score, map[string]any{"rate_loss": r.EndLoss / float64(b.Size), "gradient_norm": norm, "learning_rate": rate})
}

// judge is the score of a batch.
func (t *Trainer) judge(b *data.Batch, r *snn.Result) Score {
	v := Score{Loss: r.Loss / max(1, float64(r.Steps)), Error: math.NaN()}
	spikes, neurons := 0.0, 0
	for i := range t.network.Layers {
		l := &t.network.Layers[i]
		if n, ok := r.Spikes[l.Name]; ok {
			spikes, neurons = spikes+n, neurons+l.Size
		}
	}
	v.Rate = spikes / float64(max(1, neurons)) / float64(b.Size*b.Steps) * 1000 / b.DT
	switch {
	case b.Kind != data.Classification:
	case len(b.Labels) == b.Size:
		wrong := 0
		for k, label := range b.Labels {
			y := r.Outputs[k*b.Outputs : (k+1)*b.Outputs]
			if slices.Index(y, slices.Max(y)) != label {
				wrong++
			}
		}
		v.Error = float64(wrong) / float64(b.Size)
	default:
		v.Error = 1 - float64(r.Right)/max(1, float64(r.Steps))
	}
	return v
}

// score judges the network on sequences of a split.
func (t *Trainer) score(split data.Split) (total Score, err error) {
	size := min(t.config.Validation, t.config.Batch)
	batches := t.task.Batches(split, size)
	if wanted := (t.config.Validation + size - 1) / size; batches == 0 || wanted < batches {
		batches = wanted
	}
	n := 0.0
	for k := range batches {
		b, sequences, err := t.batch(split, k, size)
		if err != nil {
			return total, err
		}
		r, err := t.gradient.Evaluate(t.state.Shared, sequences)
		if err != nil {
			return total, err
		}
		v, w := t.judge(b, r), float64(b.Size)
		total.Loss, total.Error, total.Rate, n = total.Loss+w*v.Loss, total.Error+w*v.Error, total.Rate+w*v.Rate, n+w
	}
	return Score{total.Loss / n, total.Error / n, total.Rate / n}, nil
}

// evaluate judges the network on the validation split.
func (t *Trainer) evaluate() error {
	s := &t.state
	v, err := t.score(data.Validation)
	if err != nil {
		return err
	}
	o := &s.Outcome
	o.Validation = v
	if v.better(o.Best) {
		o.Best = v
	}
	if u := t.config.Until; u > 0 && v.Error <= u {
		o.Reached = s.Iteration
	}
	return t.metric("validation_", v, map[string]any{})
}

// Shared are the parameters and the feedback matrix.
func (t *Trainer) Shared() snn.Values { return t.state.Shared }

func sortedNames(v snn.Values) []string { return slices.Sorted(maps.Keys(v)) }
