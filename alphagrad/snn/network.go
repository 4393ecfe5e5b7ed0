package snn

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A Reset says what a spike does to the potential in the next step.
type Reset string

// The resets.
const (
	ResetSubtract Reset = ""     // takes the threshold off
	ResetZero     Reset = "zero" // starts from rest
	ResetNone     Reset = "none"
)

// A Surrogate is the derivative that stands in for that of a spike; zero values mean the piecewise linear one of height
// 0.3 and the width of the threshold (Bellec et al. 2020).
type Surrogate struct {
	Form   string  `yaml:"form"`   // of [ir.Surrogates]
	Width  float64 `yaml:"width"`  // steepness, relative to the threshold
	Height float64 `yaml:"height"` // of the derivative
}

// A Layer is a population of neurons of one model.
type Layer struct {
	Name       string               `yaml:"name"` // unique; prefix of its states and weights
	Model      string               `yaml:"model"`
	Size       int                  `yaml:"size"`
	Recurrent  bool                 `yaml:"recurrent"`  // every neuron has a synapse on every other one, with a delay of one step
	Autapses   bool                 `yaml:"autapses"`   // and on itself
	Params     map[string]float64   `yaml:"params"`     // constants of the model, see [Model.Params]
	PerNeuron  map[string][]float64 `yaml:"per_neuron"` // constants that differ between the neurons
	Adaptive   int                  `yaml:"adaptive"`   // so many neurons, the last ones, adapt: beta of the others is 0; 0: all
	Reset      Reset                `yaml:"reset"`
	Refractory int                  `yaml:"refractory"` // steps
	Surrogate  Surrogate            `yaml:"surrogate"`
	// ScaleInput multiplies what arrives by 1 − exp(−Δt/τ) of the model's tau_m, so that a constant input i has the
	// potential go to i.
	ScaleInput bool `yaml:"scale_input"`
	Bias       bool `yaml:"bias"` // a constant current, learned
	// Local and Direct are fixed matrices [readouts][Size], or nil, that add nothing to the loss but, as paths for a learning
	// rule to keep or to drop, something to its derivative: Local through the loss of a readout with these weights of the
	// layer's own (Kaiser et al. 2020), edge LAYER.s→LAYER.local; Direct through the error of the network's readout, fed
	// back by these weights (Nøkland 2016), edge LAYER.s→LAYER.direct. LAYER.s is filtered as the readout's input is; the
	// last layer's is the readout's.
	Local  []float64 `yaml:"local"`
	Direct []float64 `yaml:"direct"`
}

// A Loss is how the readout is compared with its target.
type Loss string

// The losses, each times the weight of the step.
const (
	SquaredError Loss = "squared_error" // ½Σ(y − y*)²
	CrossEntropy Loss = "cross_entropy" // −Σ y*·log softmax(y)
)

// A Readout is a layer of leaky integrators without spikes, y' = κy + (1 − κ)·W·z with κ = exp(−Δt/τ). It is written with
// the filter before the weights, s' = κs + (1 − κ)z and y = W·s, which is the same as long as the weights do not change
// within a sequence, and lets influences be filtered by synapse instead of by synapse and output.
type Readout struct {
	Size  int     `yaml:"-"`
	Tau   float64 `yaml:"tau"`   // ms; 0 means none: y = W·z
	Plain bool    `yaml:"plain"` // κs + z
	Bias  bool    `yaml:"bias"`
}

// Regularisation draws firing rates to a target: ½·Cost·Σ_j (rate_j − Target)² with the rate of neuron j in spikes a step
// over a sequence (Bellec et al. 2020, equation 32).
type Regularisation struct {
	Cost   float64
	Target float64 // spikes per step
}

// A Network is layers of spiking neurons, each fed by the one before, and a readout of the last one.
type Network struct {
	Inputs  int
	Layers  []Layer
	Readout Readout
	Loss    Loss
	Rates   Regularisation
	Steps   int     // of a sequence, for rates
	Dt      float64 // ms; 0 means 1
}

// Names of data inputs.
const (
	InputName  = "x"      // [Inputs] spikes or currents that arrive
	TargetName = "target" // [Readout.Size]
	WeightName = "weight" // scalar: weight of the step in the loss
)

// Names of the readout's parts.
const (
	ReadoutState  = "out.s"
	ReadoutWeight = "out.W"
	ReadoutValue  = "out.y"
	ReadoutBias   = "out.b"
	biasedValue   = "out.biased"
)

// Output is the name of what the network puts out.
func (n *Network) Output() string {
	if n.Readout.Bias {
		return biasedValue
	}
	return ReadoutValue
}

// Weight names.
func inWeight(layer string) string  { return layer + ".W_in" }
func recWeight(layer string) string { return layer + ".W_rec" }
func bias(layer string) string      { return layer + ".b" }

// check reports the first mistake in a network.
func (n *Network) check() error {
	switch {
	case n.Inputs < 1:
		return fmt.Errorf("network: %d inputs; at least one", n.Inputs)
	case len(n.Layers) == 0:
		return fmt.Errorf("network: no layers")
	case n.Readout.Size < 1:
		return fmt.Errorf("network: %d readouts; at least one", n.Readout.Size)
	case n.Readout.Tau < 0 || n.Dt < 0:
		return fmt.Errorf("network: a time constant or step is negative")
	case n.Loss != SquaredError && n.Loss != CrossEntropy:
		return fmt.Errorf("network: unknown loss %q; known: %s, %s", n.Loss, SquaredError, CrossEntropy)
	case n.Rates.Cost < 0 || n.Rates.Target < 0:
		return fmt.Errorf("network: rates are regularised with cost %g to %g spikes a step; neither may be negative", n.Rates.Cost, n.Rates.Target)
	case n.Rates.Cost > 0 && n.Steps < 1:
		return fmt.Errorf("network: rates are regularised, so that the steps of a sequence must be given")
	}
	names := map[string]bool{"out": true}
	for i := range n.Layers {
		l := &n.Layers[i]
		if l.Name == "" || names[l.Name] {
			return fmt.Errorf("network: layer %d needs a name of its own, has %q", i+1, l.Name)
		}
		names[l.Name] = true
		if err := l.check(); err != nil {
			return fmt.Errorf("layer %q: %w", l.Name, err)
		}
		for name, w := range map[string][]float64{"local": l.Local, "direct": l.Direct} {
			if w != nil && len(w) != n.Readout.Size*l.Size {
				return fmt.Errorf("layer %q: %d %s weights, expected %d for %d readouts of %d neurons", l.Name, len(w), name, n.Readout.Size*l.Size, n.Readout.Size, l.Size)
			}
		}
	}
	return nil
}

func (l *Layer) check() error {
	m, err := FindModel(l.Model)
	if err != nil {
		return err
	}
	if l.Size < 1 {
		return fmt.Errorf("%d neurons; at least one", l.Size)
	}
	if l.Refractory < 0 || l.Refractory > 0 && !m.refracts {
		return fmt.Errorf("a refractory period of %d steps; model %q takes none that is negative%s", l.Refractory, m.Name, map[bool]string{false: " or positive"}[m.refracts])
	}
	if l.Reset != ResetSubtract && l.Reset != ResetZero && l.Reset != ResetNone {
		return fmt.Errorf("unknown reset %q; known: \"\" (subtract), zero, none", l.Reset)
	}
	if f := l.Surrogate.Form; f != "" && !slices.Contains(ir.Surrogates, f) {
		return fmt.Errorf("unknown surrogate %q%s; known: %v", f, ir.Suggest(f, ir.Surrogates), ir.Surrogates)
	}
	if l.Surrogate.Width < 0 || l.Surrogate.Height < 0 {
		return fmt.Errorf("the width and height of a surrogate are not negative")
	}
	var known []string
	for p := range m.Params {
		known = append(known, p)
	}
	slices.Sort(known)
	set := map[string][]float64{}
	for p, v := range m.Params {
		set[p] = []float64{v}
	}
	for p, v := range l.Params {
		if set[p] == nil {
			return fmt.Errorf("model %q has no parameter %q%s; it has %v", m.Name, p, ir.Suggest(p, known), known)
		}
		set[p] = []float64{v}
	}
	for p, v := range l.PerNeuron {
		if set[p] == nil {
			return fmt.Errorf("model %q has no parameter %q%s; it has %v", m.Name, p, ir.Suggest(p, known), known)
		}
		if len(v) != l.Size {
			return fmt.Errorf("parameter %q has %d values for %d neurons", p, len(v), l.Size)
		}
		set[p] = v
	}
	if l.Adaptive < 0 || l.Adaptive > l.Size || l.Adaptive > 0 && (set["beta"] == nil || l.PerNeuron["beta"] != nil) {
		return fmt.Errorf("%d of %d neurons adapt; a model with a parameter beta, the same for all, takes 0 to %d", l.Adaptive, l.Size, l.Size)
	}
	for p, values := range set {
		for _, v := range values {
			divides := strings.HasPrefix(p, "tau_") || p == "threshold" || p == "scale"
			if math.IsNaN(v) || math.IsInf(v, 0) || divides && v <= 0 {
				return fmt.Errorf("parameter %q is %g; time constants, thresholds and scales are positive, every parameter finite", p, v)
			}
		}
	}
	return nil
}

// Recurrence builds the network's programs of one time step.
func (n *Network) Recurrence() (*ad.Recurrence, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	r := &ad.Recurrence{}
	b := ir.NewBuilder("step")
	dt := cmp.Or(n.Dt, 1)
	state := func(name string, size int) *ir.Value {
		r.States = append(r.States, name)
		return b.Input(name, size)
	}
	cells := make([]*Cell, len(n.Layers))
	for i := range n.Layers {
		l := &n.Layers[i]
		m, err := FindModel(l.Model)
		if err != nil {
			return nil, err
		}
		cells[i] = &Cell{layer: l, model: m, b: b, Step: dt, state: map[string]*ir.Value{}, named: map[*ir.Value]bool{}}
		states := slices.Clone(m.States)
		if l.Refractory > 0 {
			states = append(states, "r")
		}
		for _, s := range states {
			cells[i].state[s] = state(l.Name+"."+s, l.Size)
		}
	}
	var counts []*ir.Value
	if n.Rates.Cost > 0 {
		for i := range n.Layers {
			if cells[i].model.Spiking() {
				counts = append(counts, state(n.Layers[i].Name+".count", n.Layers[i].Size))
			} else {
				counts = append(counts, nil)
			}
		}
	}
	last := n.Layers[len(n.Layers)-1].Size
	filter := state(ReadoutState, last)
	param := func(name string, shape ...int) *ir.Value {
		r.Params = append(r.Params, name)
		return b.Input(name, shape...)
	}
	x, size := b.Input(InputName, n.Inputs), n.Inputs
	for i, c := range cells {
		l := c.layer
		c.Input = c.Name("in", ir.Dot(param(inWeight(l.Name), l.Size, size), x))
		if l.Recurrent {
			c.Input = ir.Add(c.Input, c.Name("recurrent", ir.Dot(param(recWeight(l.Name), l.Size, l.Size), c.state[c.model.output()])))
		}
		if l.Bias {
			c.Input = ir.Add(c.Input, param(bias(l.Name), l.Size))
		}
		if l.ScaleInput {
			c.Input = ir.Mul(c.Rest("tau_m"), c.Input)
		}
		next, err := c.model.step(c)
		if err != nil {
			return nil, err
		}
		for _, s := range r.States {
			for name, v := range next {
				if s == l.Name+"."+name {
					b.Output(s, v)
				}
			}
		}
		x, size = next[c.model.output()], l.Size
		if i < len(cells)-1 && (l.Local != nil || l.Direct != nil) {
			b.Output(l.Name+".s", n.Readout.filter(b, state(l.Name+".s", l.Size), x, dt, l.Name+".filter").Named(l.Name+".s'"))
		}
		if counts != nil && counts[i] != nil {
			b.Output(l.Name+".count", ir.Add(counts[i], x))
		}
	}
	b.Output(ReadoutState, n.Readout.filter(b, filter, x, dt, "out.leak").Named(ReadoutState+"'"))
	var err error
	if r.Step, err = b.Build(); err != nil {
		return nil, err
	}
	r.Show = []string{n.Output()}
	if r.Loss, err = n.loss(r); err != nil {
		return nil, err
	}
	if r.End, err = n.rates(); err != nil {
		return nil, err
	}
	return r, r.Check()
}

// filter is the leaky integration of the spikes that the readout weights.
func (o *Readout) filter(b *ir.Builder, s, z *ir.Value, dt float64, leak string) *ir.Value {
	if o.Tau == 0 {
		return z
	}
	kappa := math.Exp(-dt / o.Tau)
	drive := z
	if !o.Plain {
		drive = ir.MulScalar(z, 1-kappa)
	}
	return ir.Add(ir.MulScalar(s, kappa).Named(leak), drive)
}

// loss is the program of the readout and its loss after a step.
func (n *Network) loss(r *ad.Recurrence) (*ir.Program, error) {
	b := ir.NewBuilder("loss")
	last := n.Layers[len(n.Layers)-1].Size
	s := b.Input(ReadoutState, last)
	target, weight := b.Input(TargetName, n.Readout.Size), b.Input(WeightName)
	r.Params = append(r.Params, ReadoutWeight)
	y := ir.Dot(b.Input(ReadoutWeight, n.Readout.Size, last), s).Named(ReadoutValue)
	if n.Readout.Bias {
		r.Params = append(r.Params, ReadoutBias)
		y = ir.Add(y, b.Input(ReadoutBias, n.Readout.Size)).Named(biasedValue)
	}
	of := func(y *ir.Value) *ir.Value {
		if n.Loss == CrossEntropy {
			return ir.CrossEntropy(target, y)
		}
		return ir.MulScalar(ir.ReduceSum(ir.Square(ir.Sub(y, target))), 0.5)
	}
	var local []*ir.Value
	for i := range n.Layers {
		l := &n.Layers[i]
		if l.Local == nil && l.Direct == nil {
			continue
		}
		x := s
		if i < len(n.Layers)-1 {
			x = b.Input(l.Name+".s", l.Size)
		}
		side := func(weights []float64, name string) *ir.Value {
			return ir.Dot(ir.ConstTensor(b, ir.Shape{n.Readout.Size, l.Size}, weights), x).Named(l.Name + "." + name)
		}
		if l.Direct != nil {
			y = ir.Add(y, valueless(side(l.Direct, "direct")))
		}
		if l.Local != nil {
			local = append(local, valueless(of(side(l.Local, "local"))))
		}
	}
	loss := of(y)
	for _, l := range local {
		loss = ir.Add(loss, l)
	}
	b.Output(ad.LossName, ir.Mul(weight, loss))
	return b.Build()
}

// valueless is 0 with the derivative of x.
func valueless(x *ir.Value) *ir.Value { return ir.Sub(x, ir.StopGradient(x)) }

// rates is the program of the loss on firing rates at the end of a sequence, nil if there is none.
func (n *Network) rates() (*ir.Program, error) {
	if n.Rates.Cost == 0 {
		return nil, nil
	}
	b := ir.NewBuilder("rates")
	var total *ir.Value
	for i := range n.Layers {
		l := &n.Layers[i]
		if m, err := FindModel(l.Model); err != nil || !m.Spiking() {
			continue
		}
		rate := ir.DivScalar(b.Input(l.Name+".count", l.Size), float64(n.Steps))
		cost := ir.MulScalar(ir.ReduceSum(ir.Square(ir.SubScalar(rate, n.Rates.Target))), 0.5*n.Rates.Cost)
		if total != nil {
			cost = ir.Add(total, cost)
		}
		total = cost
	}
	if total == nil {
		return nil, nil
	}
	b.Output(ad.LossName, total)
	return b.Build()
}

// Constrain zeroes what belongs to no synapse, in weights or their gradients: those of neurons on themselves.
func (n *Network) Constrain(v Values) {
	for i := range n.Layers {
		l := &n.Layers[i]
		if w := v[recWeight(l.Name)]; w != nil && !l.Autapses {
			for j := range l.Size {
				w[j*l.Size+j] = 0
			}
		}
	}
}

// A Spread is how initial weights are drawn: normal numbers of this deviation, that of weights times 1/√(neurons they come
// from); 0 means 1.
type Spread struct {
	Input     float64 `yaml:"input"`
	Recurrent float64 `yaml:"recurrent"`
	Readout   float64 `yaml:"readout"`
	Feedback  float64 `yaml:"feedback"` // not divided by anything
}

// Draw makes initial parameters and a feedback matrix; biases are zero.
func (n *Network) Draw(r *ad.Recurrence, rnd *rand.Rand, s Spread) Values {
	v := Values{}
	for _, p := range append(slices.Clone(r.Params), FeedbackMatrix) {
		shape, scale := r.Shape(p), 0.0
		switch {
		case p == FeedbackMatrix:
			shape, scale = r.Shape(ReadoutWeight), cmp.Or(s.Feedback, 1)
		case len(shape) < 2:
		case p == ReadoutWeight:
			scale = cmp.Or(s.Readout, 1) / math.Sqrt(float64(shape[1]))
		case strings.HasSuffix(p, ".W_rec"):
			scale = cmp.Or(s.Recurrent, 1) / math.Sqrt(float64(shape[1]))
		default:
			scale = cmp.Or(s.Input, 1) / math.Sqrt(float64(shape[1]))
		}
		w := make([]float64, shape.Size())
		for i := range w {
			w[i] = scale * rnd.NormFloat64()
		}
		v[p] = w
	}
	n.Constrain(v)
	return v
}
