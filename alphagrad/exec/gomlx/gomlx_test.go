package gomlx_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// point draws inputs in (low, high).
func point(p *ir.Program, rng *rand.Rand, low, high float64) (at []ir.Tensor) {
	for _, id := range p.Inputs {
		x := ir.Tensor{Shape: p.Nodes[id].Shape, Data: make([]float64, p.Nodes[id].Shape.Size())}
		for k := range x.Data {
			x.Data[k] = low + (high-low)*rng.Float64()
		}
		at = append(at, x)
	}
	return at
}

func convert[T gomlx.Float](x []float64) []T {
	y := make([]T, len(x))
	for k := range x {
		y[k] = T(x[k])
	}
	return y
}

// compare runs a program on GoMLX and in the interpreter.
func compare[T gomlx.Float](t *testing.T, p *ir.Program, at []ir.Tensor, tolerance float64) {
	t.Helper()
	want, err := interp.Eval(p, at)
	if err != nil {
		t.Fatal(err)
	}
	e, err := gomlx.Compile[T](p, gomlx.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, p)
	}
	defer e.Close()
	var inputs [][]T
	for _, x := range at {
		inputs = append(inputs, convert[T](x.Data))
	}
	got, err := e.Call(inputs, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, p)
	}
	for k := range want {
		if len(got[k]) != len(want[k].Data) {
			t.Fatalf("output %d has %d elements, want %d", k, len(got[k]), len(want[k].Data))
		}
		for i, w := range want[k].Data {
			if g := float64(got[k][i]); math.Abs(g-w) > tolerance*(1+math.Abs(w)) || math.IsNaN(g) != math.IsNaN(w) {
				t.Fatalf("%s[%d] = %v, want %v\n%s", p.Outputs[k].Name, i, g, w, p)
			}
		}
	}
}

// TestElementwise: every elementwise op on arrays, and with a scalar argument.
func TestElementwise(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, op := range ir.Ops() {
		if op.Class != ir.Elementwise {
			continue
		}
		t.Run(op.Name, func(t *testing.T) {
			b := ir.NewBuilder(op.Name)
			arrays, mixed, scalars := make([]*ir.Value, op.Arity), make([]*ir.Value, op.Arity), make([]*ir.Value, op.Arity)
			for k := range arrays {
				arrays[k], scalars[k] = b.Input(fmt.Sprintf("x%d", k), 2, 5), b.Input(fmt.Sprintf("s%d", k))
				mixed[k] = arrays[k]
				if k == op.Arity-1 && k > 0 {
					mixed[k] = scalars[k]
				}
			}
			var attrs *ir.Attrs
			if op == ir.OpPowi {
				attrs = &ir.Attrs{N: -3}
			}
			b.Output("arrays", ir.Apply(op, attrs, arrays...))
			b.Output("mixed", ir.Apply(op, attrs, mixed...))
			b.Output("scalars", ir.Apply(op, attrs, scalars...))
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			low, high := -0.9, 0.9
			switch op {
			case ir.OpAcosh:
				low, high = 1, 3
			case ir.OpLog, ir.OpSqrt, ir.OpRsqrt, ir.OpPow:
				low, high = 0.1, 3
			case ir.OpLog1p:
				high = 3
			}
			for range 5 {
				at := point(p, rng, low, high)
				at[0].Data[3] = max(0, low) // a kink, or a step
				compare[float64](t, p, at, 1e-12)
				compare[float32](t, p, at, 2e-5)
			}
		})
	}
}

func TestStructure(t *testing.T) {
	b := ir.NewBuilder("structure")
	x, y, v := b.Input("x", 2, 3, 4), b.Input("y", 4, 3), b.Input("v", 3)
	sq := b.Input("sq", 3, 3)
	b.Output("reshape", ir.Reshape(x, 4, 6))
	b.Output("transpose", ir.Transpose(x, 2, 0, 1))
	b.Output("broadcast", ir.Broadcast(v, ir.Shape{3, 2, 3}, 2))
	b.Output("broadcast front", ir.Broadcast(v, ir.Shape{3, 2}, 0))
	b.Output("broadcast swapped", ir.Broadcast(y, ir.Shape{3, 2, 4}, 2, 0))
	b.Output("slice", ir.Apply(ir.OpSlice, &ir.Attrs{Start: []int{0, 1, 0}, Limit: []int{2, 3, 4}, Stride: []int{1, 1, 3}}, x))
	b.Output("concat", ir.Concatenate([]*ir.Value{y, y, ir.Sin(y)}, 1))
	b.Output("pad", ir.Pad(y, []int{1, 0}, []int{0, 2}))
	b.Output("gather", ir.Gather(x, 1, 2, 0, 0, 1, 2))
	b.Output("gather last", ir.Gather(x, 2, 3, 1))
	b.Output("sum", ir.ReduceSum(x, 0, 2))
	b.Output("nothing reduced", ir.Apply(ir.OpReduceSum, &ir.Attrs{Axes: []int{}}, v))
	b.Output("product", ir.ReduceMultiply(x, 1))
	b.Output("max", ir.ReduceMax(x))
	b.Output("min", ir.ReduceMin(x, 2))
	for _, spec := range []string{"abc,cb->ab", "abc,cb->ca", "abc,cb->", "abc,de->adb", "abc,cb->abc", "abc,cd->bda"} {
		b.Output(spec, ir.Einsum(spec, x, y))
	}
	b.Output("trace", ir.Einsum("ii->", sq))
	b.Output("diagonal", ir.Einsum("ii->i", sq))
	b.Output("diagonal of a product", ir.Einsum("ii,bi->bi", sq, y))
	b.Output("three", ir.Einsum("ij,bj,i->b", sq, y, v))
	b.Output("outer", ir.Einsum("i,j->ij", v, v))
	b.Output("const", ir.Add(v, ir.ConstTensor(b, ir.Shape{3}, []float64{1, 2, 3})))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	at := point(p, rand.New(rand.NewPCG(3, 4)), -1, 1)
	compare[float64](t, p, at, 1e-13)
	compare[float32](t, p, at, 1e-5)
}

// network is a small program with shared weights.
func network(t *testing.T) *ir.Program {
	b := ir.NewBuilder("network")
	x, w, c := b.Input("x", 3), b.Input("w", 2, 3), b.Input("c")
	h := ir.Tanh(ir.Mul(c, ir.Dot(w, x)))
	y := ir.Concatenate([]*ir.Value{h, ir.Gather(x, 0, 2, 1)}, 0)
	b.Output("y", ir.Pad(ir.Transpose(ir.Reshape(y, 2, 2), 1, 0), []int{0, 1}, []int{0, 0}))
	b.Output("loss", ir.ReduceSum(ir.Square(ir.Slice(y, []int{1}, []int{4}))))
	b.Output("w again", ir.Neg(w))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBatch: sample by sample, the batch computes what the program does.
func TestBatch(t *testing.T) {
	p := network(t)
	jac, err := ad.ValueAndJacobian(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	const n = 4
	rng := rand.New(rand.NewPCG(5, 6))
	for _, p := range []*ir.Program{p, jac} {
		for _, shared := range [][]string{nil, {"w"}, {"c"}, {"w", "c"}, {"x"}} {
			samples := make([][]ir.Tensor, n)
			batch := make([][]float64, len(p.Inputs))
			for k := range samples {
				samples[k] = point(p, rng, -1, 1)
				for i, name := range p.InputNames() {
					if slices.Contains(shared, name) {
						samples[k][i] = samples[0][i]
						batch[i] = samples[0][i].Data
					} else {
						batch[i] = append(batch[i], samples[k][i].Data...)
					}
				}
			}
			e, err := gomlx.Compile[float64](p, gomlx.Options{Batch: n, Shared: shared})
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Call(batch, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, x := range samples {
				want, err := interp.Eval(p, x)
				if err != nil {
					t.Fatal(err)
				}
				for o, w := range want {
					size := len(w.Data)
					for i, v := range w.Data {
						if math.Abs(got[o][k*size+i]-v) > 1e-13*(1+math.Abs(v)) {
							t.Fatalf("shared %v, sample %d: %s[%d] = %v, want %v", shared, k, p.Outputs[o].Name, i, got[o][k*size+i], v)
						}
					}
				}
			}
			e.Close()
		}
	}
}

// TestJacobianAgainstGradient: the Jacobian that elimination writes equals GoMLX's own gradients of every output element.
func TestJacobianAgainstGradient(t *testing.T) {
	p := network(t)
	jac, err := ad.ValueAndJacobian(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := point(p, rand.New(rand.NewPCG(7, 8)), -1, 1)
	got, err := interp.Eval(jac, at)
	if err != nil {
		t.Fatal(err)
	}
	backend, err := gomlx.Backend()
	if err != nil {
		t.Fatal(err)
	}
	var inputs []any
	for _, x := range at {
		inputs = append(inputs, tensors.FromFlatDataAndDimensions(x.Data, x.Shape...))
	}
	for o := range p.Outputs {
		rows := p.Nodes[p.Outputs[o].Node].Shape.Size()
		for r := range rows {
			exec, err := graph.NewExec(backend, func(x []*graph.Node) []*graph.Node {
				y := graph.Reshape(gomlx.Build(p, x)[o], rows)
				return graph.Gradient(graph.Reshape(graph.Slice(y, graph.AxisRange(r, r+1))), x...)
			})
			if err != nil {
				t.Fatal(err)
			}
			gradients, err := gomlx.Call(exec, inputs...)
			if err != nil {
				t.Fatal(err)
			}
			for j, g := range gradients {
				n := len(at[j].Data)
				row := got[len(p.Outputs)+o*len(at)+j].Data[r*n : (r+1)*n]
				if err := tensors.ConstFlatData(g, func(want []float64) {
					for i, w := range want {
						if math.Abs(row[i]-w) > 1e-12 {
							t.Errorf("%s[%d] by %s[%d] is %v, GoMLX says %v", p.Outputs[o].Name, r, p.InputNames()[j], i, row[i], w)
						}
					}
				}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestBadCalls(t *testing.T) {
	p := network(t)
	for _, o := range []gomlx.Options{{Batch: -1}, {Shared: []string{"w"}}, {Batch: 2, Shared: []string{"ww"}}} {
		if _, err := gomlx.Compile[float64](p, o); err == nil {
			t.Errorf("%+v is accepted", o)
		} else {
			t.Log(err)
		}
	}
	e, err := gomlx.Compile[float32](p, gomlx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range [][][]float32{nil, {{1}, {2}, {3}}} {
		if _, err := e.Call(x, nil); err == nil || !strings.Contains(err.Error(), "network") {
			t.Errorf("%v: %v", x, err)
		}
	}
}
