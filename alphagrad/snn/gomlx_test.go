package snn_test

import (
	"testing"

	mlx "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// antiderivatives are smooth steps, written independently of the derivatives that the surrogates name.
var antiderivatives = map[string]func(u *ir.Value) *ir.Value{
	"piecewise_linear": func(u *ir.Value) *ir.Value {
		u = ir.Max(ir.Min(u, ir.Const(u.Builder(), 1)), ir.Const(u.Builder(), -1))
		return ir.Sub(u, ir.MulScalar(ir.Mul(u, ir.Abs(u)), 0.5))
	},
	"fast_sigmoid": func(u *ir.Value) *ir.Value { return ir.Div(u, ir.OnePlus(ir.Abs(u))) },
	"sigmoid":      func(u *ir.Value) *ir.Value { return ir.MulScalar(ir.Tanh(ir.MulScalar(u, 0.5)), 0.5) },
}

// softened replaces every spike H(x) by stop_gradient(H(x) − s(x)) + s(x): another program knows the derivative of s.
func softened(t *testing.T, b *ir.Builder, p *ir.Program, inputs map[string]*ir.Value) map[string]*ir.Value {
	t.Helper()
	values := make([]*ir.Value, len(p.Nodes))
	for i := range p.Nodes {
		n := &p.Nodes[i]
		args := make([]*ir.Value, len(n.Args))
		for k, a := range n.Args {
			args[k] = values[a]
		}
		switch {
		case n.Op == ir.OpInput:
			values[i] = inputs[n.Name]
		case n.Op == ir.OpConst:
			values[i] = ir.ConstTensor(b, n.Shape, n.Value)
		case n.Op == ir.OpHeaviside && n.Attrs.Surrogate != "":
			soft := ir.MulScalar(antiderivatives[n.Attrs.Surrogate](ir.MulScalar(args[0], *n.Attrs.Width)), *n.Attrs.Height)
			values[i] = ir.Add(ir.StopGradient(ir.Sub(ir.Heaviside(args[0], &ir.Attrs{AtZero: n.Attrs.AtZero}), soft)), soft)
		default:
			values[i] = ir.Apply(n.Op, n.Attrs, args...)
		}
	}
	outputs := map[string]*ir.Value{}
	for _, o := range p.Outputs {
		outputs[o.Name] = values[o.Node]
	}
	return outputs
}

// unrolled is the loss of one sequence as a program of the parameters.
func (s *small) unrolled(t *testing.T) *ir.Program {
	t.Helper()
	b := ir.NewBuilder("unrolled")
	values := map[string]*ir.Value{}
	for _, p := range s.r.Params {
		values[p] = b.Input(p, s.r.Shape(p)...)
	}
	for _, name := range s.r.States {
		shape := s.r.Shape(name)
		values[name] = ir.ConstTensor(b, shape, make([]float64, shape.Size()))
	}
	in, out := s.net.Inputs, s.net.Readout.Size
	total := ir.Const(b, 0)
	for k := range s.batch.Steps {
		values[snn.InputName] = ir.ConstTensor(b, ir.Shape{in}, s.batch.Input[k*in:(k+1)*in])
		values[snn.TargetName] = ir.ConstTensor(b, ir.Shape{out}, s.batch.Target[k*out:(k+1)*out])
		values[snn.WeightName] = ir.Const(b, s.batch.Weight[k])
		for name, v := range softened(t, b, s.r.Step, values) {
			values[name] = v
		}
		total = ir.Add(total, softened(t, b, s.r.Loss, values)["loss"])
	}
	if s.r.End != nil {
		total = ir.Add(total, softened(t, b, s.r.End, values)["loss"])
	}
	b.Output("loss", total)
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGoMLX compares backpropagation through time with GoMLX's gradient of the unrolled network.
func TestGoMLX(t *testing.T) {
	backend, err := mlx.Backend()
	if err != nil {
		t.Fatal(err)
	}
	fast := layer("rec", "cuba_lif", 6)
	fast.Surrogate.Form, fast.Reset = "fast_sigmoid", snn.ResetZero
	for _, v := range []variant{
		{"lif", []snn.Layer{layer("rec", "lif", 6)}, snn.SquaredError, true},
		{"alif", []snn.Layer{layer("rec", "alif", 6)}, snn.CrossEntropy, true},
		{"cuba_lif, fast sigmoid, reset to zero", []snn.Layer{fast}, snn.CrossEntropy, false},
		{"two layers, sigmoid", []snn.Layer{layer("one", "lif", 5), sigmoid(eager(layer("two", "alif", 4)))}, snn.SquaredError, false},
		{"rate", []snn.Layer{layer("rec", "rate", 6)}, snn.SquaredError, false},
	} {
		s := v.build(t, 20, 1, 5)
		p := s.unrolled(t)
		exec, err := graph.NewExec(backend, func(inputs []*graph.Node) []*graph.Node {
			loss := mlx.Build(p, inputs)[0]
			return append(graph.Gradient(loss, inputs...), loss)
		})
		if err != nil {
			t.Fatal(err)
		}
		var args []any
		for _, name := range s.r.Params {
			args = append(args, tensors.FromFlatDataAndDimensions(s.shared[name], s.r.Shape(name)...))
		}
		outputs, err := mlx.Call(exec, args...)
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		theirs := snn.Values{}
		for k, name := range s.r.Params {
			theirs[name] = tensors.MustCopyFlatData[float64](outputs[k])
		}
		ours := s.gradient(t, snn.BPTT())
		if names := vanishes(theirs); names != nil {
			t.Errorf("%s: no gradient by %v", v.name, names)
		}
		if d := distance(ours.Gradient, theirs); !(d <= 1e-10) {
			t.Errorf("%s: gradients differ by %.2g", v.name, d)
		}
		exec.Finalize()
	}
}
