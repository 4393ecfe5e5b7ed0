package snn

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A Model is a neuron model: how the state of a layer of such neurons goes on in one time step.
type Model struct {
	Name   string
	Doc    string             // with source
	States []string           // of each neuron, all 0 at the start of a sequence; "z" is the spike of the step before
	Output string             // the state that other neurons see, "z" if empty
	Params map[string]float64 // constants with their defaults; times are in ms, as the step
	Step   func(c *Cell)

	refracts bool // its step calls Fire, which knows the refractory period
}

// Spiking reports whether the model puts out spikes.
func (m *Model) Spiking() bool { return m.output() == "z" }

func (m *Model) output() string { return cmp.Or(m.Output, "z") }

// models holds one row a neuron model.
var models = []*Model{&lif, &cubaLIF, &alif, &izhikevich, &adEx, &sigmaDelta, &leaky, &rate}

// Models lists the neuron models.
func Models() []*Model { return slices.Clone(models) }

// FindModel looks a model up by its name.
func FindModel(name string) (*Model, error) {
	var names []string
	for _, m := range models {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return nil, fmt.Errorf("unknown neuron model %q%s; known: %v", name, ir.Suggest(name, names), names)
}

// A Cell is a layer of neurons while its step function is traced.
type Cell struct {
	// Input is the sum of weighted spikes that arrive in this step, one number a neuron.
	Input *ir.Value
	// Step is the length of a time step in ms.
	Step float64

	layer *Layer
	model *Model
	b     *ir.Builder
	state map[string]*ir.Value
	next  map[string]*ir.Value
	named map[*ir.Value]bool
	err   error
}

// State is a state before the step.
func (c *Cell) State(name string) *ir.Value {
	v := c.state[name]
	if v == nil {
		c.fail("state %q is not declared", name)
		return c.Input
	}
	return v
}

// Set gives a state its value after the step, which is named as the state with a prime unless it has a name.
func (c *Cell) Set(name string, v *ir.Value) {
	if c.state[name] == nil {
		c.fail("state %q is not declared", name)
		return
	}
	c.next[name] = v
	if !c.named[v] {
		c.Name(name+"'", v)
	}
}

func (c *Cell) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("neuron model %q: "+format, append([]any{c.model.Name}, args...)...)
	}
}

// Name names a value, "leak" of layer "rec" as "rec.leak", so that its edges can be spoken of. It returns the value.
func (c *Cell) Name(name string, v *ir.Value) *ir.Value {
	for s, x := range c.state {
		if x == v {
			c.fail("state %q is to be named %q: only what is computed takes a name", s, name)
			return v
		}
	}
	c.named[v] = true
	return v.Named(c.layer.Name + "." + name)
}

// numbers are the values of a constant: one, or one a neuron.
func (c *Cell) numbers(name string) []float64 {
	if v, ok := c.layer.PerNeuron[name]; ok {
		return v
	}
	if n := c.layer.Adaptive; name == "beta" && n > 0 && n < c.layer.Size {
		v := make([]float64, c.layer.Size)
		for j := len(v) - n; j < len(v); j++ {
			v[j] = cmp.Or(c.layer.Params[name], c.model.Params[name])
		}
		return v
	}
	if v, ok := c.layer.Params[name]; ok {
		return []float64{v}
	}
	v, ok := c.model.Params[name]
	if !ok {
		c.fail("parameter %q is not declared", name)
	}
	return []float64{v}
}

// Number is the value of a constant that all neurons share.
func (c *Cell) Number(name string) float64 {
	v := c.numbers(name)
	if len(v) != 1 {
		c.fail("parameter %q is the same for all neurons", name)
	}
	return v[0]
}

// Constant is f of a constant as a value, by neuron where it differs between them.
func (c *Cell) Constant(name string, f func(x float64) float64) *ir.Value {
	v := slices.Clone(c.numbers(name))
	for i := range v {
		if f != nil {
			v[i] = f(v[i])
		}
	}
	if len(v) == 1 {
		return ir.Const(c.b, v[0])
	}
	return ir.ConstTensor(c.b, ir.Shape{len(v)}, v)
}

// Param is a constant as a value.
func (c *Cell) Param(name string) *ir.Value { return c.Constant(name, nil) }

// Decay is exp(−Δt/τ) for a time constant.
func (c *Cell) Decay(tau string) *ir.Value {
	return c.Constant(tau, func(tau float64) float64 { return math.Exp(-c.Step / tau) })
}

// Rest is 1 − exp(−Δt/τ) for a time constant.
func (c *Cell) Rest(tau string) *ir.Value {
	return c.Constant(tau, func(tau float64) float64 { return 1 - math.Exp(-c.Step/tau) })
}

// Spike is 1 where x ≥ 0, with the layer's surrogate for a derivative, whose width is relative to the given scale.
func (c *Cell) Spike(x *ir.Value, scale float64) *ir.Value {
	s := c.layer.Surrogate
	one, width, height := 1.0, cmp.Or(s.Width, 1)/scale, cmp.Or(s.Height, 0.3)
	return ir.Heaviside(x, &ir.Attrs{Surrogate: cmp.Or(s.Form, "piecewise_linear"), Width: &width, Height: &height, AtZero: &one})
}

// Fire sets the spikes to those of [Cell.Spike]. Neurons that fired less than the layer's refractory period ago neither
// fire nor have a derivative; the period is counted in state "r".
func (c *Cell) Fire(x *ir.Value, scale float64) {
	z := c.Spike(x, scale)
	if c.layer.Refractory > 0 {
		// The counter is set when a spike leaves and goes down at the start of every step.
		left := ir.Max(ir.SubScalar(ir.Select(c.State("z"), ir.Const(c.b, float64(c.layer.Refractory)), c.State("r")), 1), ir.Const(c.b, 0))
		c.Set("r", left)
		z = ir.Mul(z, ir.Select(left, ir.Const(c.b, 0), ir.Const(c.b, 1)))
	}
	c.Set("z", z)
}

// Membrane is the potential after leak and reset by the spike of the step before, and before input: subtractive takes the
// threshold off, zero starts from rest. leak is the factor by which the potential decays.
func (c *Cell) Membrane(v, leak, threshold *ir.Value) *ir.Value {
	z := c.State("z")
	if c.layer.Reset == ResetZero {
		stays := c.Name("reset", ir.OneMinus(z))
		return c.Name("leak", ir.Mul(leak, ir.Mul(v, stays)))
	}
	decayed := c.Name("leak", ir.Mul(leak, v))
	if c.layer.Reset == ResetNone {
		return decayed
	}
	return ir.Sub(decayed, c.Name("reset", ir.Mul(threshold, z)))
}

// step traces a model's step and returns the states after it.
func (m *Model) step(c *Cell) (map[string]*ir.Value, error) {
	c.model, c.next = m, map[string]*ir.Value{}
	m.Step(c)
	if c.err != nil {
		return nil, c.err
	}
	for _, s := range slices.Sorted(maps.Keys(c.state)) {
		if c.next[s] == nil {
			if s == "z" {
				return nil, fmt.Errorf("neuron model %q: its step writes no spike", m.Name)
			}
			return nil, fmt.Errorf("neuron model %q: its step does not say what becomes of state %q", m.Name, s)
		}
	}
	return c.next, nil
}
