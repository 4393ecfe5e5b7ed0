package rules

import (
	"context"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// A Problem is a small task with a network and a budget of training, on which rules are compared.
type Problem struct {
	Name       string
	Network    *snn.Network
	Recurrence *ad.Recurrence
	Config     data.Config
	Iterations int
	Batch      int // sequences of an iteration
	Held       int // sequences on which the loss is measured, none of them trained on

	mu    sync.Mutex
	kept  map[drawn]*sequences
	exact *snn.Gradient // compiled once
}

// Size are the sizes of the problems of a comparison.
type Size struct {
	Model      string `yaml:"model"` // of the neurons
	Neurons    int    `yaml:"neurons"`
	Iterations int    `yaml:"iterations"` // of training
	Regularise bool   `yaml:"regularise"` // draw firing rates to 20 Hz
}

// DefaultSize is small enough for an evaluation to take a fraction of a second.
func DefaultSize() Size { return Size{Model: "alif", Neurons: 16, Iterations: 60} }

// problems holds one row a task: its configuration scaled down to about 100 steps, and its batches.
var problems = []struct {
	name        string
	config      func() data.Config
	batch, held int
}{
	{"pattern_generation", func() data.Config {
		return &data.PatternGeneration{DT: 1, Inputs: 16, Outputs: 1, Duration: 100, Rate: 60, Periods: []float64{100, 50, 33, 20}, Low: 0.5, High: 2, Noise: 0.1}
	}, 2, 16},
	{"evidence_accumulation", func() data.Config {
		return &data.EvidenceAccumulation{DT: 1, GroupSize: 4, Cues: 3, Cue: 10, Interval: 14, Delay: 20, Recall: 10, CueRate: 250, RecallRate: 250, NoiseRate: 50, Bias: 0.3}
	}, 4, 64},
	{"delayed_match", func() data.Config {
		return &data.DelayedMatch{DT: 1, Inputs: 12, Directions: 2, Fixation: 2, Sample: 20, Delay: 10, Test: 20, Rate: 500, Background: 10, Kappa: 4}
	}, 8, 64},
	{"randman", func() data.Config {
		return &data.Randman{DT: 1, Classes: 3, Units: 16, Steps: 50, Manifold: 1, Alpha: 2, Samples: 100, Held: 30}
	}, 4, 90},
	{"store_recall", func() data.Config { return data.DefaultStoreRecall() }, 1, 4},
}

// ProblemNames lists the tasks on which rules can be compared.
func ProblemNames() (names []string) {
	for _, p := range problems {
		names = append(names, p.name)
	}
	return names
}

// NewProblem is the task of a name, scaled down.
func NewProblem(name string, size Size) (*Problem, error) {
	for _, row := range problems {
		if row.name == name {
			return newProblem(name, row.config(), row.batch, row.held, size)
		}
	}
	return nil, fmt.Errorf("unknown task %q; known: %s", name, strings.Join(ProblemNames(), ", "))
}

func newProblem(name string, config data.Config, batch, held int, size Size) (*Problem, error) {
	task, err := config.Open(runs.Seed(0))
	if err != nil {
		return nil, fmt.Errorf("task %s: %w", name, err)
	}
	if size.Iterations < 1 {
		return nil, fmt.Errorf("task %s: %d iterations, expected at least 1", name, size.Iterations)
	}
	d := task.Dims()
	l := snn.Layer{Name: "rec", Model: size.Model, Size: size.Neurons, Recurrent: true}
	if size.Model == "alif" {
		l.Params = map[string]float64{"tau_a": 60, "beta": 0.15}
	}
	p := &Problem{Name: name, Config: config, Iterations: size.Iterations, Batch: batch, Held: held,
		Network: &snn.Network{Inputs: d.Inputs, Layers: []snn.Layer{l}, Readout: snn.Readout{Size: d.Outputs, Tau: 20}, Loss: snn.SquaredError, Steps: d.Steps, Dt: d.DT}}
	if d.Kind == data.Classification {
		p.Network.Loss = snn.CrossEntropy
	}
	if size.Regularise {
		p.Network.Rates = snn.Regularisation{Cost: 1, Target: 0.02}
	}
	if p.Recurrence, err = p.Network.Recurrence(); err != nil {
		return nil, fmt.Errorf("task %s: %w", name, err)
	}
	b, err := task.Batch(data.Training, 0, 1)
	if err != nil {
		return nil, fmt.Errorf("task %s: %w", name, err)
	}
	if !slices.ContainsFunc(b.Mask, func(w float64) bool { return w > 0 }) {
		return nil, fmt.Errorf("task %s: %w", name, errTargets)
	}
	return p, nil
}

// Steps is the length of the sequences.
func (p *Problem) Steps() int { return p.Network.Steps }

// sequences are what a network is trained and judged on.
type sequences struct {
	training []*snn.Batch // of the iterations, from the start again where there are fewer
	held     *snn.Batch
}

// drawn says which sequences.
type drawn struct {
	seed  runs.Seed
	split data.Split
}

// maxKept bounds the sequences remembered, which all rules share.
const maxKept = 32

// sequences draws those of a seed, or remembers them.
func (p *Problem) sequences(seed runs.Seed, split data.Split) (*sequences, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.kept[drawn{seed, split}]; s != nil {
		return s, nil
	}
	task, err := p.Config.Open(seed.Sub("task"))
	if err != nil {
		return nil, err
	}
	s := &sequences{}
	n := task.Batches(data.Training, p.Batch)
	if n == 0 || n > p.Iterations+1 {
		n = p.Iterations + 1
	}
	for i := range n {
		d, err := task.Batch(data.Training, i, p.Batch)
		if err != nil {
			return nil, err
		}
		s.training = append(s.training, batchOf(d))
	}
	d, err := task.Batch(split, 0, p.Held)
	if err != nil {
		return nil, err
	}
	s.held = batchOf(d)
	if len(p.kept) >= maxKept || p.kept == nil {
		p.kept = map[drawn]*sequences{}
	}
	p.kept[drawn{seed, split}] = s
	return s, nil
}

func batchOf(b *data.Batch) *snn.Batch {
	return &snn.Batch{Steps: b.Steps, Size: b.Size, Input: b.Input, Target: b.Target, Weight: b.Mask}
}

// weights draws the parameters, normal with variance 1/fan-in, no unit connected with itself.
func (p *Problem) weights(seed runs.Seed) snn.Values {
	w := snn.Values{}
	for _, name := range p.Recurrence.Params {
		rnd := seed.Sub(name).Rand()
		shape := p.Recurrence.Shape(name)
		v := make([]float64, shape.Size())
		for i := range v {
			v[i] = rnd.NormFloat64() / math.Sqrt(float64(shape[len(shape)-1]))
		}
		w[name] = v
		clearAutapses(name, v, shape[0])
	}
	return w
}

func clearAutapses(name string, v []float64, units int) {
	if strings.HasSuffix(name, ".W_rec") {
		for j := range units {
			v[j*units+j] = 0
		}
	}
}

// A trainer trains networks of one problem by one rule; it compiles both once.
type trainer struct {
	p     *Problem
	b     *Build
	rule  *snn.Gradient
	exact *snn.Gradient // for alignment
}

func (p *Problem) trainer(r *Rule) (*trainer, error) {
	b, err := r.Build(p.Recurrence)
	if err != nil {
		return nil, fmt.Errorf("task %s: rule %q: %w", p.Name, r.Name, err)
	}
	if r.Reach >= 2 { // every unit reaches every other one in these networks
		b.Method.Masks = nil
	}
	if b.Method.Masks == nil {
		b.Method.Forward = false // the same gradient for less
	}
	t := &trainer{p: p, b: b}
	if t.rule, err = snn.NewGradient(p.Recurrence, b.Method); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exact == nil {
		if p.exact, err = snn.NewGradient(p.Recurrence, snn.BPTT()); err != nil {
			return nil, err
		}
	}
	t.exact = p.exact
	return t, nil
}

// serial is the trainer for one more goroutine.
func (t *trainer) serial() *trainer {
	b := *t.b
	return &trainer{p: t.p, b: &b, rule: t.rule.Serial(), exact: t.exact.Serial()}
}

// A job is one training.
type job struct {
	seed runs.Seed
	rate float64
}

// all trains every job, as many at a time as there are cores; a training that diverges has its error. Results do not depend
// on the number of cores.
func (t *trainer) all(ctx context.Context, jobs []job, split data.Split) ([]*Trained, []error, error) {
	trained, errs := make([]*Trained, len(jobs)), make([]error, len(jobs))
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(len(jobs), runtime.GOMAXPROCS(0)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			one := t.serial()
			for ctx.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= len(jobs) {
					return
				}
				trained[k], errs[k] = one.train(jobs[k].seed, jobs[k].rate, split)
			}
		}()
	}
	wg.Wait()
	return trained, errs, ctx.Err()
}

// Checkpoints are the parts of the training after which a rule's gradient is compared with the exact one.
var Checkpoints = [...]float64{0, 0.1, 0.5, 1}

// A Trained network is what a rule makes of a problem.
type Trained struct {
	Loss  float64    `json:"loss"`  // at the end, on held-out sequences
	Cos   [4]float64 `json:"cos"`   // with the exact gradient at the checkpoints, of weights before the readout
	Ratio [4]float64 `json:"ratio"` // of magnitudes, the rule's over the exact one's
	Curve []float64  `json:"curve"` // training loss of every iteration
}

// decay is that of learned feedback and the weights that it follows (Bellec et al. 2020).
const decay = 1e-2

// train trains once. Everything random comes from the seed, which is the same for all rules and rates.
func (t *trainer) train(seed runs.Seed, rate float64, split data.Split) (*Trained, error) {
	p := t.p
	set, err := p.sequences(seed, split)
	if err != nil {
		return nil, err
	}
	shared := p.weights(seed.Sub("weights"))
	t.b.Draw(shared, seed.Sub("rule"))
	t.rule.Method.Seed = t.b.Method.Seed
	result := &Trained{}
	adam := snn.NewAdam(rate)
	last := p.Iterations
	for i := 0; ; i++ {
		batch := set.training[i%len(set.training)]
		g, err := t.rule.Compute(shared, batch)
		if err != nil {
			return nil, fmt.Errorf("iteration %d: %w", i, err)
		}
		total := weightOf(batch)
		for k, at := range Checkpoints {
			if i == int(math.Round(at*float64(last))) {
				exact, err := t.exact.Compute(shared, batch)
				if err != nil {
					return nil, fmt.Errorf("iteration %d: exact gradient: %w", i, err)
				}
				result.Cos[k], result.Ratio[k] = compare(g.Gradient, exact.Gradient)
			}
		}
		if i == last {
			break
		}
		result.Curve = append(result.Curve, (g.Loss+g.EndLoss)/total)
		adam.Advance()
		for _, name := range p.Recurrence.Params {
			v := g.Gradient[name]
			for j := range v {
				v[j] /= total
				if !finite(v[j]) {
					return nil, fmt.Errorf("iteration %d: the gradient by %s is %v", i, name, v[j])
				}
			}
			clearAutapses(name, v, p.Recurrence.Shape(name)[0])
			for _, m := range t.b.Matrices {
				if m.Kind == "learned" && m.Param == name {
					adam.Step(m.Name, shared[m.Name], decayed(v, shared[m.Name]))
					v = decayed(v, shared[name])
				}
			}
			adam.Step(name, shared[name], v)
		}
	}
	g, err := t.rule.Evaluate(shared, set.held)
	if err != nil {
		return nil, fmt.Errorf("held-out sequences: %w", err)
	}
	if result.Loss = g.Loss / weightOf(set.held); !finite(result.Loss) {
		return nil, fmt.Errorf("the held-out loss is %v", result.Loss)
	}
	return result, nil
}

func weightOf(b *snn.Batch) (total float64) {
	for _, w := range b.Weight {
		total += w
	}
	return total
}

func finite(x float64) bool { return x-x == 0 }

func decayed(gradient, weights []float64) []float64 {
	v := slices.Clone(gradient)
	for i := range v {
		v[i] += decay * weights[i]
	}
	return v
}

// compare gives the cosine and the ratio of magnitudes of two gradients by all parameters before the readout. A gradient
// that is zero has cosine 0.
func compare(rule, exact snn.Values) (cos, ratio float64) {
	dot, a, b := 0.0, 0.0, 0.0
	for _, name := range slices.Sorted(maps.Keys(rule)) { // in one order, so that sums are the same every time
		x := rule[name]
		if strings.HasPrefix(name, "out.") {
			continue
		}
		for i, v := range x {
			w := exact[name][i]
			dot, a, b = dot+v*w, a+v*v, b+w*w
		}
	}
	if a == 0 || b == 0 {
		return 0, 0
	}
	return dot / math.Sqrt(a) / math.Sqrt(b), math.Sqrt(a / b)
}
