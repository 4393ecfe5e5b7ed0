package flat_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/flat"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"pgregory.net/rapid"
)

// specs are products: outer, along axes, diagonal, matrix and vector, with sums.
var specs = []string{"a,b->ba", "a,b->ab", "a,ab->ab", "b,ab->ab", "b,ab->ba", "ab,ab->ab", "ab,ba->ab", "aa,a->a", "abc,b->cba", ",ab->ba",
	"a,a->", "ab,b->a", "ab,a->b", "a,ab->b", "ab,bc->ac", "ab,cb->ac", "ba,bc->ca", "abc,bc->ba", "abc,cb->ac", "abc,c->ab", "ab,ab->", "ab,c->c", "ab,b->b", "aa,b->b", "a,bc->c"}

// program draws a program of arrays; the first outputs have the names of inputs and replace them.
func program(t *rapid.T) *ir.Program {
	b := ir.NewBuilder("random")
	shapes := [][]int{{}, {3}, {9}, {3, 9}, {9, 3}, {2, 3, 9}}
	var values []*ir.Value
	var inputs []*ir.Value
	for k, s := range shapes {
		for j := range 2 {
			x := b.Input(fmt.Sprintf("x%d%c", k, 'a'+j), s...)
			inputs = append(inputs, x)
		}
	}
	values = append(values, inputs...)
	pick := func(name string) *ir.Value { return rapid.SampledFrom(values).Draw(t, name) }
	like := func(v *ir.Value, name string) *ir.Value {
		var fit []*ir.Value
		for _, x := range values {
			if x.Shape().Equal(v.Shape()) || len(x.Shape()) == 0 {
				fit = append(fit, x)
			}
		}
		return rapid.SampledFrom(fit).Draw(t, name)
	}
	one := 1.0
	for range rapid.IntRange(1, 25).Draw(t, "nodes") {
		x := pick("x")
		var y *ir.Value
		switch rapid.IntRange(0, 13).Draw(t, "op") {
		case 0:
			y = ir.Add(x, like(x, "y"))
		case 1:
			y = ir.Mul(like(x, "y"), x)
		case 2:
			y = ir.Sub(like(x, "y"), x)
		case 3:
			y = ir.Tanh(x)
		case 4:
			y = ir.Neg(ir.Abs(x))
		case 5:
			y = ir.Heaviside(x, &ir.Attrs{AtZero: &one})
		case 6:
			y = ir.Select(x, like(x, "a"), ir.Const(b, 0.5))
		case 7:
			y = ir.Max(x, ir.Const(b, 0))
		case 8, 9:
			v, w := pick("v"), pick("w")
			var fit []string
			for _, spec := range specs {
				if _, err := ir.ParseEinsum(spec, []ir.Shape{v.Shape(), w.Shape()}); err == nil {
					fit = append(fit, spec)
				}
			}
			if len(fit) > 0 {
				y = ir.Einsum(rapid.SampledFrom(fit).Draw(t, "spec"), v, w)
			}
		case 10:
			if len(x.Shape()) == 2 {
				y = ir.Transpose(x, 1, 0)
			}
		case 11:
			switch {
			case len(x.Shape()) == 1 && x.Shape()[0] == 3:
				y = ir.Broadcast(x, ir.Shape{3, 9}, 0)
			case len(x.Shape()) == 1:
				y = ir.Broadcast(x, ir.Shape{2, 3, x.Shape()[0]}, 2)
			case len(x.Shape()) == 2:
				y = ir.Reshape(x, x.Shape()[1], x.Shape()[0])
			}
		case 12:
			if len(x.Shape()) > 0 {
				axis := rapid.IntRange(0, len(x.Shape())-1).Draw(t, "axis")
				switch rapid.IntRange(0, 2).Draw(t, "reduction") {
				case 0:
					y = ir.ReduceSum(x, axis)
				case 1:
					y = ir.ReduceMax(x, axis)
				case 2:
					y = ir.ReduceMultiply(x, axis)
				}
			}
		case 13:
			if len(x.Shape()) == 1 && x.Shape()[0] >= 3 {
				y = ir.Gather(x, 0, 2, 0, 1)
			}
		}
		if y != nil && y.Shape().Size() > 0 {
			values = append(values, y)
		}
	}
	for k, x := range inputs {
		if rapid.Bool().Draw(t, "fed") {
			var fit []*ir.Value
			for _, v := range values {
				if v.Shape().Equal(x.Shape()) {
					fit = append(fit, v)
				}
			}
			v := rapid.SampledFrom(fit).Draw(t, "next")
			if len(x.Shape()) == 2 && rapid.Bool().Draw(t, "update") { // the pattern of a gradient
				outer := ir.Einsum("a,b->ab", ir.ReduceSum(x, 1), ir.Broadcast(ir.Const(b, 0.25), ir.Shape{x.Shape()[1]}))
				if rapid.Bool().Draw(t, "reshaped") {
					outer = ir.Reshape(ir.Reshape(outer, outer.Shape().Size()), x.Shape()...)
				}
				v = ir.Add(x, outer)
			}
			b.Output(fmt.Sprintf("x%d%c", k/2, 'a'+k%2), v)
		}
	}
	b.Output("last", values[len(values)-1])
	b.Output("any", rapid.SampledFrom(values).Draw(t, "any"))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestInterp compares three steps of random programs, outputs fed back, with the interpreter.
func TestInterp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := program(t)
		f, err := flat.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		m := f.New()
		inputs := make([]ir.Tensor, len(p.Inputs))
		for k, id := range p.Inputs {
			n := &p.Nodes[id]
			inputs[k] = ir.Tensor{Shape: n.Shape, Data: make([]float64, n.Shape.Size())}
			for i := range inputs[k].Data {
				if rapid.Bool().Draw(t, "zero") {
					inputs[k].Data[i] = rapid.Float64Range(-2, 2).Draw(t, "value")
				}
			}
			copy(m.Input(n.Name), inputs[k].Data)
		}
		for step := range 3 {
			want, err := interp.Eval(p, inputs)
			if err != nil {
				t.Fatal(err)
			}
			m.Run()
			for k, o := range p.Outputs {
				got := m.Output(o.Name)
				for i, w := range want[k].Data {
					if g := got[i]; !(math.Abs(g-w) <= 1e-9*math.Max(1, math.Abs(w))) && !(g != g && w != w) && g != w && !math.IsInf(w, 0) {
						t.Fatalf("step %d: %s[%d] is %v, interpreted %v\n%s", step, o.Name, i, g, w, ir.Print(p))
					}
				}
				for j, name := range p.InputNames() {
					if name == o.Name {
						inputs[j] = want[k]
						copy(m.Input(name), want[k].Data) // rounding must not grow from step to step
					}
				}
			}
		}
	})
}
