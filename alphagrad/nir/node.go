package nir

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Array is a parameter: numbers in row-major order.
type Array struct {
	Shape []int
	Data  []float64
}

// Vector makes an array of one dimension.
func Vector(data ...float64) Array { return Array{[]int{len(data)}, data} }

// Matrix makes an array of two dimensions; len(data) must be rows·cols.
func Matrix(rows, cols int, data ...float64) Array { return Array{[]int{rows, cols}, data} }

// Filled makes an array of equal numbers.
func Filled(shape []int, v float64) Array {
	a := Array{slices.Clone(shape), make([]float64, size(shape))}
	for i := range a.Data {
		a.Data[i] = v
	}
	return a
}

// maxSize bounds shapes, which a file can claim without having the numbers.
const maxSize = 1 << 24

func size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

// Node is a primitive of a graph: one of the types of this file, or a [Graph] inside another.
type Node interface {
	// Type is the name of the primitive in files.
	Type() string
	// fields are what a file holds about the node.
	fields() []field
	// shapes of what goes in and comes out, once the fields have been checked.
	shapes() (in, out []int)
}

// field is a parameter by its name in files.
type field struct {
	name  string
	value *Array // or
	shape *[]int
	like  *Array  // if set, the field may be missing, and is then as long as this one …
	fill  float64 // … and made of this number
	kind  fieldKind
}

// fieldKind says which values are legal.
type fieldKind int

const (
	anyNumber    fieldKind = iota // finite, one a neuron
	timeConstant                  // positive, one a neuron
	matrix                        // two dimensions
)

// Parameter describes a parameter of a node.
type Parameter struct {
	Name  string   `json:"name"`
	Shape []int    `json:"shape"`
	Min   *float64 `json:"min,omitempty"` // smallest and largest number; nil for a shape
	Max   *float64 `json:"max,omitempty"`
}

// Parameters describes the parameters of a node, in the order of the format. A nested graph has none.
func Parameters(n Node) []Parameter {
	list := []Parameter{}
	for _, f := range n.fields() {
		if f.shape != nil {
			list = append(list, Parameter{Name: f.name, Shape: *f.shape})
			continue
		}
		p := Parameter{Name: f.name, Shape: f.value.Shape}
		if len(f.value.Data) > 0 {
			least, most := slices.Min(f.value.Data), slices.Max(f.value.Data)
			p.Min, p.Max = &least, &most
		}
		list = append(list, p)
	}
	return list
}

// Input is where data enter a graph.
type Input struct{ Shape []int }

// Output is where data leave a graph.
type Output struct{ Shape []int }

// Linear is y = W·x.
type Linear struct {
	Weight Array // [out, in]
}

// Affine is y = W·x + b.
type Affine struct {
	Weight Array // [out, in]
	Bias   Array // [out]
}

// Scale is y = s ⊙ x.
type Scale struct {
	Scale Array // [neurons]
}

// LI is a leaky integrator: τ dv/dt = (v_leak − v) + R·I, which puts out v.
type LI struct {
	Tau, R, VLeak Array // [neurons]
}

// LIF is a leaky integrate-and-fire neuron: τ dv/dt = (v_leak − v) + R·I; it spikes when v > v_threshold, and v then becomes
// v_reset.
type LIF struct {
	Tau, R, VLeak, VThreshold, VReset Array // [neurons]
}

// CubaLI is a current-based leaky integrator: τ_syn dI/dt = −I + w_in·S, τ_mem dv/dt = (v_leak − v) + R·I, which puts out v.
type CubaLI struct {
	TauSyn, TauMem, R, VLeak, WIn Array // [neurons]
}

// CubaLIF is a current-based leaky integrate-and-fire neuron: the current of [CubaLI], and spikes as of [LIF].
type CubaLIF struct {
	TauSyn, TauMem, R, VLeak, VThreshold, VReset, WIn Array // [neurons]
}

// primitives lists the types of nodes: one row adds one.
var primitives = []func() Node{
	func() Node { return &Input{} }, func() Node { return &Output{} },
	func() Node { return &Linear{} }, func() Node { return &Affine{} }, func() Node { return &Scale{} },
	func() Node { return &LI{} }, func() Node { return &LIF{} }, func() Node { return &CubaLI{} }, func() Node { return &CubaLIF{} },
	func() Node { return &Graph{} },
}

// Types returns the names of the primitives that are supported.
func Types() []string {
	var names []string
	for _, p := range primitives {
		names = append(names, p().Type())
	}
	return names
}

// newNode returns an empty node of a type.
func newNode(kind string) (Node, error) {
	for _, p := range primitives {
		if n := p(); n.Type() == kind {
			return n, nil
		}
	}
	return nil, fmt.Errorf("type %q is not supported; supported are %s", kind, strings.Join(Types(), ", "))
}

// Types of the primitives.

func (*Input) Type() string   { return "Input" }
func (*Output) Type() string  { return "Output" }
func (*Linear) Type() string  { return "Linear" }
func (*Affine) Type() string  { return "Affine" }
func (*Scale) Type() string   { return "Scale" }
func (*LI) Type() string      { return "LI" }
func (*LIF) Type() string     { return "LIF" }
func (*CubaLI) Type() string  { return "CubaLI" }
func (*CubaLIF) Type() string { return "CubaLIF" }

func (n *Input) fields() []field  { return []field{{name: "shape", shape: &n.Shape}} }
func (n *Output) fields() []field { return []field{{name: "shape", shape: &n.Shape}} }
func (n *Linear) fields() []field { return []field{{name: "weight", value: &n.Weight, kind: matrix}} }
func (n *Affine) fields() []field {
	return []field{{name: "weight", value: &n.Weight, kind: matrix}, {name: "bias", value: &n.Bias}}
}
func (n *Scale) fields() []field { return []field{{name: "scale", value: &n.Scale}} }
func (n *LI) fields() []field {
	return []field{{name: "tau", value: &n.Tau, kind: timeConstant}, {name: "r", value: &n.R}, {name: "v_leak", value: &n.VLeak}}
}
func (n *LIF) fields() []field {
	return []field{{name: "tau", value: &n.Tau, kind: timeConstant}, {name: "r", value: &n.R}, {name: "v_leak", value: &n.VLeak},
		{name: "v_threshold", value: &n.VThreshold}, {name: "v_reset", value: &n.VReset, like: &n.VThreshold}}
}
func (n *CubaLI) fields() []field {
	return []field{{name: "tau_syn", value: &n.TauSyn, kind: timeConstant}, {name: "tau_mem", value: &n.TauMem, kind: timeConstant},
		{name: "r", value: &n.R}, {name: "v_leak", value: &n.VLeak}, {name: "w_in", value: &n.WIn, like: &n.VLeak, fill: 1}}
}
func (n *CubaLIF) fields() []field {
	return []field{{name: "tau_syn", value: &n.TauSyn, kind: timeConstant}, {name: "tau_mem", value: &n.TauMem, kind: timeConstant},
		{name: "r", value: &n.R}, {name: "v_leak", value: &n.VLeak}, {name: "v_threshold", value: &n.VThreshold},
		{name: "v_reset", value: &n.VReset, like: &n.VThreshold}, {name: "w_in", value: &n.WIn, like: &n.VThreshold, fill: 1}}
}

func (n *Input) shapes() (in, out []int)   { return n.Shape, n.Shape }
func (n *Output) shapes() (in, out []int)  { return n.Shape, n.Shape }
func (n *Linear) shapes() (in, out []int)  { return n.Weight.Shape[1:], n.Weight.Shape[:1] }
func (n *Affine) shapes() (in, out []int)  { return n.Weight.Shape[1:], n.Weight.Shape[:1] }
func (n *Scale) shapes() (in, out []int)   { return n.Scale.Shape, n.Scale.Shape }
func (n *LI) shapes() (in, out []int)      { return n.R.Shape, n.R.Shape }
func (n *LIF) shapes() (in, out []int)     { return n.R.Shape, n.R.Shape }
func (n *CubaLI) shapes() (in, out []int)  { return n.R.Shape, n.R.Shape }
func (n *CubaLIF) shapes() (in, out []int) { return n.R.Shape, n.R.Shape }

// complete fills in optional fields that are missing.
func complete(n Node) {
	for _, f := range n.fields() {
		if f.like != nil && f.value.Data == nil && f.value.Shape == nil {
			*f.value = Filled(f.like.Shape, f.fill)
		}
	}
}

// checkNode reports the first parameter that is not as it must be.
func checkNode(n Node) error {
	var first *field // of those with one number a neuron
	for _, f := range n.fields() {
		if f.shape != nil {
			if len(*f.shape) == 0 || slices.Min(*f.shape) < 1 {
				return fmt.Errorf("%s is %v; want positive sizes", f.name, *f.shape)
			}
			n := 1
			for _, s := range *f.shape {
				if n *= min(s, maxSize+1); n > maxSize {
					return fmt.Errorf("%s is %v; want at most %d elements", f.name, *f.shape, maxSize)
				}
			}
			continue
		}
		if len(f.value.Data) != size(f.value.Shape) || len(f.value.Data) == 0 {
			return fmt.Errorf("%s has %d numbers of shape %v", f.name, len(f.value.Data), f.value.Shape)
		}
		switch {
		case f.kind == matrix && len(f.value.Shape) != 2:
			return fmt.Errorf("%s has shape %v; want [out in]", f.name, f.value.Shape)
		case f.kind != matrix && len(f.value.Shape) == 0:
			return fmt.Errorf("%s is a single number; want one for every neuron", f.name)
		case f.kind != matrix && first == nil:
			first = &f
		case f.kind != matrix && !slices.Equal(f.value.Shape, first.value.Shape):
			return fmt.Errorf("%s has shape %v and %s %v; want equal ones", first.name, first.value.Shape, f.name, f.value.Shape)
		}
		for i, v := range f.value.Data {
			if math.IsNaN(v) || math.IsInf(v, 0) || f.kind == timeConstant && v <= 0 {
				return fmt.Errorf("%s of element %d is %g; want a %s number", f.name, i, v, map[bool]string{false: "finite", true: "positive"}[f.kind == timeConstant])
			}
		}
	}
	if a, ok := n.(*Affine); ok && !slices.Equal(a.Bias.Shape, a.Weight.Shape[:1]) {
		return fmt.Errorf("weight has shape %v and bias %v; want as many biases as rows", a.Weight.Shape, a.Bias.Shape)
	}
	return nil
}
