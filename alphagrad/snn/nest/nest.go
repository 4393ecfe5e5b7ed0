// Package nest repeats the e-prop experiments whose losses the simulator NEST keeps in its test suite
// (testsuite/pytests/synapses/test_eprop_bsshslm_2020_plasticity.py): the same weights, spikes and targets from NumPy's
// generator, five iterations each. Traces and gradients come from the automatic differentiation of the step program, so that
// agreement tests it against an independent implementation, NEST's event-based one.
package nest

import (
	"fmt"
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/internal/numpy"
)

// The losses that NEST keeps, which its test compares to a relative 1e-8.
var (
	Regression      = []float64{101.964356999041, 103.466731126205, 103.340607074771, 103.680244037686, 104.412775748752}
	Classification1 = []float64{0.741152550006, 0.740388187700, 0.665785233177, 0.663644193322, 0.729428962844}
	Classification2 = []float64{0.702163370672, 0.735555303152, 0.740354864111, 0.683882815282, 0.707841122268}
)

// Losses are those that we compute, by the names of the experiments.
type Losses struct {
	Regression      []float64 `json:"regression"`
	Classification1 []float64 `json:"classification_b1"`
	Classification2 []float64 `json:"classification_b2"`
}

// Compute runs the three experiments, by influences carried forward in time.
func Compute() (*Losses, error) {
	var l Losses
	for _, e := range []struct {
		to *[]float64
		x  *Experiment
	}{{&l.Regression, NewRegression()}, {&l.Classification1, NewClassification(1)}, {&l.Classification2, NewClassification(2)}} {
		losses, err := e.x.Run()
		if err != nil {
			return nil, err
		}
		*e.to = losses
	}
	return &l, nil
}

// WorstError is the largest relative difference to the losses that NEST keeps.
func (l *Losses) WorstError() (worst float64) {
	for _, pair := range [][2][]float64{{l.Regression, Regression}, {l.Classification1, Classification1}, {l.Classification2, Classification2}} {
		for i, want := range pair[1] {
			worst = max(worst, math.Abs(pair[0][i]-want)/want)
		}
	}
	return worst
}

// An Experiment is one training run of five iterations.
type Experiment struct {
	Network   snn.Network
	Method    snn.Method
	Optimizer snn.Optimizer
	Shared    snn.Values // weights and feedback
	Batches   []*snn.Batch
	Divisor   float64 // of gradients: sequences times, where they are averaged over time, steps of the window
	PerLoss   float64 // what the loss of a batch is divided by
}

// Eprop are the edits that make e-prop of backpropagation through time: no derivative through recurrent weights and reset,
// feedback through a matrix of its own.
func Eprop() []ad.Edit {
	return []ad.Edit{
		{From: "rec.z", To: "rec.recurrent", Kind: "drop"},
		{From: "rec.z", To: "rec.reset", Kind: "drop"},
		{From: snn.ReadoutState, To: snn.ReadoutValue, Kind: "replace", Matrix: snn.FeedbackMatrix},
	}
}

// Run trains and returns the loss of every iteration, taken before its update.
func (x *Experiment) Run() ([]float64, error) {
	r, err := x.Network.Recurrence()
	if err != nil {
		return nil, err
	}
	g, err := snn.NewGradient(r, x.Method)
	if err != nil {
		return nil, err
	}
	var losses []float64
	for i, b := range x.Batches {
		result, err := g.Compute(x.Shared, b)
		if err != nil {
			return nil, fmt.Errorf("iteration %d: %w", i+1, err)
		}
		losses = append(losses, result.Loss/x.PerLoss)
		x.Network.Constrain(result.Gradient)
		x.Optimizer.Advance()
		for _, p := range r.Params {
			d := result.Gradient[p]
			for k := range d {
				d[k] /= x.Divisor
			}
			x.Optimizer.Step(p, x.Shared[p], d)
		}
	}
	return losses, nil
}

// narrow rounds to float32, in which NEST's test keeps initial weights.
func narrow(x float64) float64 { return float64(float32(x)) }

// transposed draws a matrix row by row and returns its transpose, every number divided by a scale.
func transposed(draw func() float64, rows, cols int, scale float64) []float64 {
	m := make([]float64, rows*cols)
	for i := range rows {
		for j := range cols {
			m[j*rows+i] = narrow(draw() / scale)
		}
	}
	return m
}

func clearDiagonal(m []float64, n int) {
	for j := range n {
		m[j*n+j] = 0
	}
}

// NewRegression is pattern generation: 100 neurons learn a sum of four sines from frozen noise.
func NewRegression() *Experiment {
	const steps, in, rec, iterations = 1000, 100, 100, 5
	r := numpy.Seed(1)
	w := snn.Values{}
	w["rec.W_in"] = transposed(r.Randn, in, rec, math.Sqrt(in))
	w["rec.W_rec"] = transposed(r.Randn, rec, rec, math.Sqrt(rec))
	clearDiagonal(w["rec.W_rec"], rec)
	w[snn.ReadoutWeight] = transposed(r.Randn, rec, 1, math.Sqrt(rec))
	w[snn.FeedbackMatrix] = transposed(r.Randn, rec, 1, math.Sqrt(rec))

	b := &snn.Batch{Steps: steps, Size: 1, Input: make([]float64, steps*in), Weight: slices.Repeat([]float64{1}, steps)}
	for i := range b.Input {
		if r.Rand() < 0.05 && i >= in { // nothing arrives in the first step
			b.Input[i] = 1
		}
	}
	b.Target = sines(r, steps, 1000, 500, 333, 200)
	return &Experiment{
		Network: snn.Network{
			Inputs: in,
			Layers: []snn.Layer{{Name: "rec", Model: "lif", Size: rec, Recurrent: true, ScaleInput: true,
				Params: map[string]float64{"tau_m": 30, "threshold": 0.03}}},
			Readout: snn.Readout{Size: 1, Tau: 30},
			Loss:    snn.SquaredError,
			Rates:   snn.Regularisation{Cost: 300, Target: 0.01},
			Steps:   steps,
		},
		Method:    snn.Method{Name: "e-prop", Edits: Eprop(), Forward: true},
		Optimizer: &snn.SGD{Rate: 1e-4},
		Shared:    w,
		Batches:   slices.Repeat([]*snn.Batch{b}, iterations),
		Divisor:   1,
		PerLoss:   1,
	}
}

// sines is a sum of sines of the given periods with random amplitudes and phases, starting at 0, its largest value 1.
func sines(r *numpy.Random, steps int, periods ...int) []float64 {
	amplitudes, phases := make([]float64, len(periods)), make([]float64, len(periods))
	for i := range periods {
		amplitudes[i] = r.Uniform(0.5, 2)
	}
	for i := range periods {
		phases[i] = r.Uniform(0, 2*math.Pi)
	}
	y := make([]float64, steps)
	for i, period := range periods {
		end := phases[i] + 2*math.Pi*float64(steps/period)
		for t := range y {
			at := phases[i] + float64(t)*((end-phases[i])/float64(steps-1))
			y[t] += amplitudes[i] * math.Sin(at)
		}
	}
	first, largest := y[0], 1e-6
	for t := range y {
		y[t] -= first
		largest = max(largest, math.Abs(y[t]))
	}
	for t := range y {
		y[t] /= largest
	}
	return y
}

// NewClassification is evidence accumulation: 50 neurons and 50 adaptive ones learn on which of two sides there were more
// cues, long after the last of them.
func NewClassification(batch int) *Experiment {
	const in, rec, out, iterations, window = 40, 100, 2, 5, 150
	const cues, cue, spacing, noise = 7, 100, 50, 1050
	const steps = cues*(cue+spacing) + noise + window
	r := numpy.Seed(1)
	w := snn.Values{}
	w["rec.W_in"] = transposed(r.Randn, in, rec, math.Sqrt(in))
	w["rec.W_rec"] = transposed(r.Randn, rec, rec, math.Sqrt(rec))
	clearDiagonal(w["rec.W_rec"], rec)
	limit := math.Sqrt(3 / max(1, (rec+out)/2.0))
	w[snn.ReadoutWeight] = transposed(func() float64 { return r.Uniform(-limit, limit) }, rec, out, 1)
	w[snn.FeedbackMatrix] = transposed(r.Randn, rec, out, 1)

	beta := make([]float64, rec) // regular neurons come first
	for j := rec / 2; j < rec; j++ {
		beta[j] = 1.7 * (1 - math.Exp(-1.0/2000)) / (1 - math.Exp(-1.0/20))
	}
	x := &Experiment{
		Network: snn.Network{
			Inputs: in,
			Layers: []snn.Layer{{Name: "rec", Model: "alif", Size: rec, Recurrent: true, Refractory: 5,
				Params: map[string]float64{"tau_m": 20, "threshold": 0.6, "tau_a": 2000}, PerNeuron: map[string][]float64{"beta": beta}}},
			Readout: snn.Readout{Size: out, Tau: 20},
			Loss:    snn.CrossEntropy,
			Rates:   snn.Regularisation{Cost: 300, Target: 0.01},
			Steps:   steps,
		},
		Method:    snn.Method{Name: "e-prop", Edits: Eprop(), Forward: true},
		Optimizer: snn.NewAdam(5e-3),
		Shared:    w,
		Divisor:   float64(window * batch),
		PerLoss:   float64(window * batch),
	}
	for range iterations {
		x.Batches = append(x.Batches, evidence(r, batch, steps, in, cues, cue, spacing, window))
	}
	return x
}

// evidence draws a batch of evidence accumulation in the order of NEST's test.
func evidence(r *numpy.Random, size, steps, in, cues, cue, spacing, window int) *snn.Batch {
	const likely = 0.04 // spike of an active group in a step
	group := in / 4
	b := &snn.Batch{Steps: steps, Size: size, Input: make([]float64, steps*size*in), Target: make([]float64, steps*size*2), Weight: make([]float64, steps*size)}
	probabilities := []float64{narrow(0.3), narrow(0.7)}
	sides := make([]int, size)
	for s := range sides {
		sides[s] = r.Coin()
	}
	chosen := make([][]int, size)
	for s, side := range sides {
		for range cues {
			chosen[s] = append(chosen[s], r.Choice(probabilities[side], probabilities[1-side]))
		}
	}
	for s := range size {
		right := 0
		for _, c := range chosen[s] {
			right += c
		}
		class := 0
		if right > cues/2 {
			class = 1
		}
		for t := range steps {
			for i := range in {
				p := 0.0
				switch k := t / (cue + spacing); {
				case i >= 3*group:
					p = likely / 4
				case i >= 2*group:
					if t >= steps-window {
						p = likely
					}
				case k < cues && t%(cue+spacing) >= spacing && chosen[s][k] == i/group:
					p = likely
				}
				if p > r.Rand() && t > 0 { // nothing arrives in the first step
					b.Input[(t*size+s)*in+i] = 1
				}
			}
			b.Target[(t*size+s)*2+class] = 1
			if t >= steps-window {
				b.Weight[t*size+s] = 1
			}
		}
	}
	return b
}
