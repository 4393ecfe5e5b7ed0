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
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"pgregory.net/rapid"
)

// xla is set by a build with the tag of the same name.
var xla compute.Backend

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// run compiles a program and calls it once.
func run[T gomlx.Float](t fataler, p *ir.Program, o gomlx.Options, in []ir.Tensor) [][]T {
	t.Helper()
	if o.Backend == nil {
		o.Backend = xla
	}
	e, err := gomlx.Compile[T](p, o)
	if err != nil {
		t.Fatalf("%v\n%s", err, p)
	}
	defer e.Close()
	flat := make([][]T, len(in))
	for k, x := range in {
		for _, v := range x.Data {
			flat[k] = append(flat[k], T(v))
		}
	}
	out, err := e.Call(flat, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, p)
	}
	return out
}

// near compares with the interpreter, relative to the largest number of an output.
func near[T gomlx.Float](t fataler, p *ir.Program, got [][]T, want []ir.Tensor, tolerance float64) {
	t.Helper()
	for k, w := range want {
		if len(got[k]) != len(w.Data) {
			t.Fatalf("output %d has %d elements, want %d\n%s", k, len(got[k]), len(w.Data), p)
		}
		scale := 1.0
		for _, v := range w.Data {
			scale = max(scale, math.Abs(v))
		}
		for i, v := range w.Data {
			g := float64(got[k][i])
			if !(math.Abs(g-v) <= tolerance*scale) && g != v && !(math.IsNaN(g) && math.IsNaN(v)) {
				t.Fatalf("output %d[%d] = %v, want %v\n%s", k, i, g, v, p)
			}
		}
	}
}

// points are arguments for elementwise ops: ordinary ones, kinks, ends of domains, large and tiny ones.
var points = []float64{0.3, -0.7, 2.5, -3.25, 0, 1, -1, 1e-9, -1e-9, 1 - 1e-7, -1 + 1e-7, 40, -40, 1e6, 1e12, -1e12, 300, 1 + 1e-9}

// TestElementwiseOps compares every elementwise op of the table with the interpreter at single numbers, relative to the
// result.
func TestElementwiseOps(t *testing.T) {
	for _, op := range ir.Ops() {
		if op.Class != ir.Elementwise {
			continue
		}
		b := ir.NewBuilder(op.Name)
		var args []*ir.Value
		var in []ir.Tensor
		n := len(points)
		for k := range op.Arity {
			args = append(args, b.Input(fmt.Sprintf("x%d", k), n*n))
			x := ir.Tensor{Shape: ir.Shape{n * n}}
			for i := range n * n {
				x.Data = append(x.Data, points[[]int{i % n, i / n, (i + i/n) % n}[k]])
			}
			in = append(in, x)
		}
		var attrs []*ir.Attrs
		switch one := 1.0; op {
		case ir.OpPowi:
			attrs = []*ir.Attrs{{N: 0}, {N: 1}, {N: 2}, {N: 5}, {N: -1}, {N: -4}}
		case ir.OpHeaviside:
			attrs = []*ir.Attrs{{}, {AtZero: &one}, {Surrogate: "fast_sigmoid"}}
		default:
			attrs = []*ir.Attrs{nil}
		}
		for k, a := range attrs {
			b.Output(fmt.Sprintf("y%d", k), ir.Apply(op, a, args...))
		}
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		want, err := interp.Eval(p, in)
		if err != nil {
			t.Fatal(err)
		}
		for k, out := range run[float64](t, p, gomlx.Options{}, in) {
			for i, w := range want[k].Data {
				tolerance := 1e-12
				if xla != nil && op == ir.OpPow {
					tolerance = 1e-10
				}
				if c := math.Abs(math.Remainder(in[0].Data[i], math.Pi)); op == ir.OpTan || op == ir.OpSin || op == ir.OpCos {
					tolerance /= min(1, max(c, 1e-4)) // the reduction of large angles differs between libraries
				}
				scale := math.Abs(w)
				if op == ir.OpAcos {
					scale = 1 // Go takes the difference of π/2 and the arc sine
				}
				if g := out[i]; !(math.Abs(g-w) <= tolerance*max(scale, 1e-300)) && g != w && !(math.IsNaN(g) && math.IsNaN(w)) {
					t.Errorf("%s: row %d = %v, want %v", op, i, g, w)
				}
			}
		}
		// Rounding an argument to float32 moves the result by far more than rounding errors: use rounded arguments.
		for _, x := range in {
			for i := range x.Data {
				x.Data[i] = float64(float32(x.Data[i]))
			}
		}
		if want, err = interp.Eval(p, in); err != nil {
			t.Fatal(err)
		}
		for k, out := range run[float32](t, p, gomlx.Options{}, in) {
			for i, w := range want[k].Data {
				g := float64(out[i])
				inDomain := math.Abs(w) < 1e18 && math.Abs(in[0].Data[i]) < 1e4 // beyond, float32 angles and powers mean little
				if inDomain && !(math.Abs(g-w) <= 1e-5*max(math.Abs(w), 1)) && !(math.IsNaN(g) && math.IsNaN(w)) {
					t.Errorf("float32 %s: row %d = %v, want %v", op, i, g, w)
				}
			}
		}
	}
}

func drawInputs(t *rapid.T, p *ir.Program) (in []ir.Tensor, rng *rand.Rand) {
	rng = rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	for _, id := range p.Inputs {
		in = append(in, randomTensor(p.Nodes[id].Shape, rng))
	}
	return in, rng
}

func TestRandomPrograms(t *testing.T) {
	seen := map[string]bool{}
	check := func(t *rapid.T) {
		p := drawProgram(t)
		for i := range p.Nodes {
			seen[p.Nodes[i].Op.Name] = true
		}
		in, _ := drawInputs(t, p)
		want, err := interp.Eval(p, in)
		if err != nil {
			t.Fatal(err)
		}
		near(t, p, run[float64](t, p, gomlx.Options{}, in), want, 1e-12)
		smooth := true // rounding moves comparisons across their kinks
		for i := range p.Nodes {
			smooth = smooth && p.Nodes[i].Op != ir.OpSelect && p.Nodes[i].Op != ir.OpAtan2
		}
		if smooth {
			near(t, p, run[float32](t, p, gomlx.Options{}, in), want, 1e-5)
		}
	}
	unused := func() *ir.OpInfo {
		for _, op := range ir.Ops() {
			if op.Class != ir.Leaf && op.Class != ir.Elementwise && !seen[op.Name] {
				return op
			}
		}
		return nil
	}
	// A hundred draws can miss a rare op by chance; a thousand cannot unless drawProgram forgets it.
	for round := 0; round == 0 || round < 10 && unused() != nil; round++ {
		rapid.Check(t, check)
	}
	if op := unused(); op != nil {
		t.Errorf("no program used %s", op)
	}
}

// TestBatches: each sample of a batch is what the program gives for it alone.
func TestBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProgram(t)
		n := rapid.IntRange(1, 3).Draw(t, "batch")
		in, rng := drawInputs(t, p)
		o := gomlx.Options{Batch: n}
		samples := make([][]ir.Tensor, n)
		batch := make([]ir.Tensor, len(in))
		for k, name := range p.InputNames() {
			if rapid.Bool().Draw(t, "shared") {
				o.Shared = append(o.Shared, name)
				batch[k] = in[k]
			}
			for s := range samples {
				x := in[k]
				if !slices.Contains(o.Shared, name) {
					x = randomTensor(x.Shape, rng)
					batch[k].Data = append(batch[k].Data, x.Data...)
				}
				samples[s] = append(samples[s], x)
			}
		}
		got := run[float64](t, p, o, batch)
		for s, x := range samples {
			want, err := interp.Eval(p, x)
			if err != nil {
				t.Fatal(err)
			}
			one := make([][]float64, len(got))
			for k := range got {
				size := len(want[k].Data)
				one[k] = got[k][s*size : (s+1)*size]
			}
			near(t, p, one, want, 1e-12)
		}
	})
}

// TestDerivativePrograms: a derivative is a program like any other, batched too; buffers are used again.
func TestDerivativePrograms(t *testing.T) {
	b := ir.NewBuilder("p")
	w, x := b.Input("w", 3, 4), b.Input("x", 4)
	b.Output("y", ir.Tanh(ir.Einsum("ij,j->i", w, x)))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	jac, err := ad.ValueAndJacobian(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := gomlx.Compile[float64](jac, gomlx.Options{Batch: 2, Shared: []string{"w"}, Backend: xla})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	var out [][]float64
	for range 3 {
		tw, tx := randomTensor(ir.Shape{3, 4}, rng), randomTensor(ir.Shape{2, 4}, rng)
		before := out
		if out, err = e.Call([][]float64{tw.Data, tx.Data}, out); err != nil {
			t.Fatal(err)
		}
		if before != nil && &before[0][0] != &out[0][0] {
			t.Error("the buffer of an output was not used again")
		}
		for s := range 2 {
			want, err := interp.Eval(jac, []ir.Tensor{tw, {Shape: ir.Shape{4}, Data: tx.Data[4*s : 4*s+4]}})
			if err != nil {
				t.Fatal(err)
			}
			one := make([][]float64, len(out))
			for k := range out {
				size := len(want[k].Data)
				one[k] = out[k][s*size : (s+1)*size]
			}
			near(t, jac, one, want, 1e-12)
		}
	}
}

// TestManyConstants: GoMLX compares each constant with all earlier ones; ours are recorded once each.
func TestManyConstants(t *testing.T) {
	p, err := ir.Trace("p", []string{"x"}, []string{"y"}, func(x []*ir.Value) []*ir.Value {
		y := x[0]
		for k := range 2000 {
			y = ir.Add(ir.MulScalar(y, 1+1/float64(k+1)), ir.Const(y.Builder(), 0.25))
		}
		return []*ir.Value{y}
	})
	if err != nil {
		t.Fatal(err)
	}
	want, err := interp.Eval(p, []ir.Tensor{ir.Scalar(0.5)})
	if err != nil {
		t.Fatal(err)
	}
	near(t, p, run[float64](t, p, gomlx.Options{}, []ir.Tensor{ir.Scalar(0.5)}), want, 1e-11)
}

func TestBadUse(t *testing.T) {
	p, err := ir.Parse("program p\ninput x [2]\ny = sin(x)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	constant, err := ir.Parse("program c\ny = const [] {1}\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]func() error{
		"a batch of -1":     func() error { _, err := gomlx.Compile[float64](p, gomlx.Options{Batch: -1}); return err },
		"and there is none": func() error { _, err := gomlx.Compile[float64](p, gomlx.Options{Shared: []string{"x"}}); return err },
		`no input "z"`: func() error {
			_, err := gomlx.Compile[float64](p, gomlx.Options{Batch: 2, Shared: []string{"z"}})
			return err
		},
		`program "c" has no inputs`:         func() error { _, err := gomlx.Compile[float32](constant, gomlx.Options{}); return err },
		"has 1 inputs, not 2":               func() error { return call(p, [][]float64{{1, 2}, {3}}) },
		`input "x" has 2 elements, given 3`: func() error { return call(p, [][]float64{{1, 2, 3}}) },
		`input "x" takes Float32[2], has (Float32)[3]`: func() error {
			b, err := gomlx.Backend()
			if err != nil {
				return err
			}
			e, err := graph.NewExec(b, func(x *graph.Node) *graph.Node { return gomlx.Build(p, []*graph.Node{x})[0] })
			if err != nil {
				return err
			}
			_, err = gomlx.Call(e, []float32{1, 2, 3})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
}

func call(p *ir.Program, in [][]float64) error {
	e, err := gomlx.Compile[float64](p, gomlx.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	_, err = e.Call(in, nil)
	return err
}
