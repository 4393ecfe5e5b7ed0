package ad_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// elman is h' = tanh(W·h + U·x) with the loss ½|V·h' − y|² and the end loss ½|h|².
func elman(t *testing.T, n, inputs, outputs int) *ad.Recurrence {
	t.Helper()
	build := func(b *ir.Builder) *ir.Program {
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	b := ir.NewBuilder("step")
	h, x := b.Input("h", n), b.Input("x", inputs)
	recurrent := ir.Dot(b.Input("W", n, n), h).Named("recurrent")
	b.Output("h", ir.Tanh(ir.Add(recurrent, ir.Dot(b.Input("U", n, inputs), x)).Named("drive")).Named("h'"))
	r := &ad.Recurrence{Step: build(b), States: []string{"h"}, Params: []string{"W", "U", "V"}}
	b = ir.NewBuilder("loss")
	z := ir.Dot(b.Input("V", outputs, n), b.Input("h", n)).Named("z")
	b.Output("loss", ir.MulScalar(ir.ReduceSum(ir.Square(ir.Sub(z, b.Input("y", outputs)))), 0.5))
	r.Loss = build(b)
	b = ir.NewBuilder("end")
	b.Output("loss", ir.MulScalar(ir.ReduceSum(ir.Square(b.Input("h", n))), 0.5))
	r.End = build(b)
	return r
}

type tensors map[string]ir.Tensor

// run evaluates a derived program on values by name and puts its outputs among them.
func (v tensors) run(t *testing.T, p *ir.Program) {
	t.Helper()
	inputs := make([]ir.Tensor, len(p.Inputs))
	for k, id := range p.Inputs {
		n := &p.Nodes[id]
		x, ok := v[n.Name]
		if !ok {
			x = ir.Tensor{Shape: n.Shape, Data: make([]float64, n.Shape.Size())} // influences and gradients start at zero
		}
		inputs[k] = x
	}
	outputs, err := interp.Eval(p, inputs)
	if err != nil {
		t.Fatal(err)
	}
	for k, o := range p.Outputs {
		v[o.Name] = outputs[k]
	}
}

// matrix is a dense matrix with the few operations that the oracle needs.
type matrix struct {
	rows, cols int
	at         []float64
}

func (m matrix) mul(x []float64) []float64 {
	y := make([]float64, m.rows)
	for i := range y {
		for j, v := range x {
			y[i] += m.at[i*m.cols+j] * v
		}
	}
	return y
}

func (m matrix) transposed() matrix {
	t := matrix{m.cols, m.rows, make([]float64, len(m.at))}
	for i := range m.rows {
		for j := range m.cols {
			t.at[j*m.rows+i] = m.at[i*m.cols+j]
		}
	}
	return t
}

func (m matrix) addOuter(u, v []float64) {
	for i, a := range u {
		for j, b := range v {
			m.at[i*m.cols+j] += a * b
		}
	}
}

// TestEdits compares every kind of edit, carried backward and forward, with the recursion of the Elman network written by
// hand, in which the edited matrix stands in for the recurrent weights, or for the readout weights, on the way back.
func TestEdits(t *testing.T) {
	const n, inputs, outputs, steps = 4, 3, 2, 6
	r := elman(t, n, inputs, outputs)
	rnd := rand.New(rand.NewPCG(1, 1))
	random := func(rows, cols int) matrix {
		m := matrix{rows, cols, make([]float64, rows*cols)}
		for i := range m.at {
			m.at[i] = rnd.NormFloat64()
		}
		return m
	}
	w, u, v, given, feedback := random(n, n), random(n, inputs), random(outputs, n), random(n, n), random(outputs, n)
	var xs, ys [][]float64
	for range steps {
		xs, ys = append(xs, random(1, inputs).at), append(ys, random(1, outputs).at)
	}
	with := func(f func(i, j int) float64) matrix {
		m := matrix{n, n, make([]float64, n*n)}
		for i := range n {
			for j := range n {
				m.at[i*n+j] = f(i, j)
			}
		}
		return m
	}
	delta := func(i, j int) float64 {
		if i == j {
			return 1
		}
		return 0
	}
	cases := []struct {
		edits   []ad.Edit
		back    matrix // in place of W
		readout matrix // in place of V
		carried int64  // numbers carried forward
	}{
		{nil, w, v, n * n * (n + inputs)},
		{[]ad.Edit{{Kind: "drop"}}, with(func(i, j int) float64 { return 0 }), v, n * (n + inputs)},
		{[]ad.Edit{{Kind: "diagonal"}}, with(func(i, j int) float64 { return delta(i, j) * w.at[i*n+j] }), v, n * (n + inputs)},
		{[]ad.Edit{{Kind: "leak", Factor: 0.7}}, with(func(i, j int) float64 { return 0.7 * delta(i, j) }), v, n * (n + inputs)},
		{[]ad.Edit{{Kind: "scale", Factor: -0.3}}, with(func(i, j int) float64 { return -0.3 * w.at[i*n+j] }), v, n * n * (n + inputs)},
		{[]ad.Edit{{Kind: "sign"}}, with(func(i, j int) float64 { return math.Copysign(1, w.at[i*n+j]) }), v, n * n * (n + inputs)},
		{[]ad.Edit{{Kind: "mask", Matrix: "B"}}, with(func(i, j int) float64 { return given.at[i*n+j] * w.at[i*n+j] }), v, n * n * (n + inputs)},
		{[]ad.Edit{{Kind: "replace", Matrix: "B"}}, given, v, n * n * (n + inputs)},
		{[]ad.Edit{{From: "h", To: ad.AllEdges, Kind: "drop"}}, with(func(i, j int) float64 { return 0 }), v, n * (n + inputs)},
		{[]ad.Edit{{Kind: "sketch", Factor: 2, Matrix: "S"}}, with(func(i, j int) (sum float64) {
			for k := range n {
				for r := range 2 {
					sum += w.at[i*n+k] * given.at[k*2+r] * given.at[j*2+r] / 2
				}
			}
			return sum
		}), v, n * n * (n + inputs)},
		{[]ad.Edit{{Kind: "diagonal"}, {From: "h", To: "z", Kind: "replace", Matrix: "F"}}, with(func(i, j int) float64 { return delta(i, j) * w.at[i*n+j] }), feedback, n * (n + inputs)},
	}
	for _, c := range cases {
		for k := range c.edits {
			if c.edits[k].From == "" {
				c.edits[k].From, c.edits[k].To = "h", "recurrent"
			}
		}
		name := "no edit"
		for k, e := range c.edits {
			if k == 0 {
				name = ""
			}
			name += e.String() + " "
		}

		// By hand.
		hs := [][]float64{make([]float64, n)}
		for _, x := range xs {
			h := w.mul(hs[len(hs)-1])
			for i, d := range u.mul(x) {
				h[i] = math.Tanh(h[i] + d)
			}
			hs = append(hs, h)
		}
		dw, du, dv := matrix{n, n, make([]float64, n*n)}, matrix{n, inputs, make([]float64, n*inputs)}, matrix{outputs, n, make([]float64, outputs*n)}
		lambda := append([]float64(nil), hs[steps]...)
		for k := steps - 1; k >= 0; k-- {
			h := hs[k+1]
			e := v.mul(h)
			for i := range e {
				e[i] -= ys[k][i]
			}
			dv.addOuter(e, h)
			for i, d := range c.readout.transposed().mul(e) {
				lambda[i] = (lambda[i] + d) * (1 - h[i]*h[i])
			}
			dw.addOuter(lambda, hs[k])
			du.addOuter(lambda, xs[k])
			lambda = c.back.transposed().mul(lambda)
		}
		want := map[string][]float64{"W": dw.at, "U": du.at, "V": dv.at}

		fixed := func() tensors {
			return tensors{"W": {Shape: ir.Shape{n, n}, Data: w.at}, "U": {Shape: ir.Shape{n, inputs}, Data: u.at}, "V": {Shape: ir.Shape{outputs, n}, Data: v.at},
				"B": {Shape: ir.Shape{n, n}, Data: given.at}, "S": {Shape: ir.Shape{n, 2}, Data: given.at[:2*n]}, "F": {Shape: ir.Shape{outputs, n}, Data: feedback.at}, "h": {Shape: ir.Shape{n}, Data: make([]float64, n)}}
		}
		set := func(x tensors, k int) {
			x["x"], x["y"] = ir.Tensor{Shape: ir.Shape{inputs}, Data: xs[k]}, ir.Tensor{Shape: ir.Shape{outputs}, Data: ys[k]}
		}
		check := func(how string, x tensors) {
			t.Helper()
			for p, g := range want {
				for i, d := range g {
					if got := x[ad.GradientName(p)].Data[i]; math.Abs(got-d) > 1e-10*math.Max(1, math.Abs(d)) {
						t.Fatalf("%s, %s: gradient by %s[%d] is %v, by hand %v", name, how, p, i, got, d)
					}
				}
			}
		}
		step, err := r.Reverse(c.edits...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		end, err := r.ReverseEnd(c.edits...)
		if err != nil {
			t.Fatal(err)
		}
		x := fixed()
		x["h"] = ir.Tensor{Shape: ir.Shape{n}, Data: hs[steps]}
		x.run(t, end)
		for k := steps - 1; k >= 0; k-- {
			set(x, k)
			x["h"] = ir.Tensor{Shape: ir.Shape{n}, Data: hs[k]}
			x.run(t, step)
		}
		check("backward", x)

		carrier, err := r.Forward(nil, c.edits...)
		if err != nil {
			t.Fatal(err)
		}
		x = fixed()
		for k := range steps {
			set(x, k)
			x.run(t, carrier.Step)
		}
		x.run(t, carrier.End)
		check("forward", x)
		if carrier.Elements() != c.carried {
			t.Errorf("%s: carries %d numbers, expected %d", name, carrier.Elements(), c.carried)
		}

		carrier, err = r.Forward(carrier.Order, c.edits...)
		if err != nil {
			t.Fatalf("the order found, given: %v", err)
		}
		if _, err := r.Forward(carrier.Order[1:], c.edits...); err == nil || !strings.Contains(err.Error(), "not a permutation") {
			t.Errorf("an order without a vertex: %v", err)
		}
	}
}

// TestBadRecurrence: what is wrong is named.
func TestBadRecurrence(t *testing.T) {
	edit := func(from, to, kind string) []ad.Edit { return []ad.Edit{{From: from, To: to, Kind: kind}} }
	for want, edits := range map[string][]ad.Edit{
		`unknown kind "dorp"`:                        edit("h", "recurrent", "dorp"),
		`near it: W→recurrent`:                       edit("W", "recurrant", "drop"),
		`no node of either name`:                     edit("a", "b", "drop"),
		`h→recurrent is edited twice`:                append(edit("h", "recurrent", "drop"), edit("h", "recurrent", "sign")...),
		`names no matrix`:                            edit("h", "recurrent", "mask"),
		`has rank 1.5, expected a whole number`:      {{From: "h", To: "recurrent", Kind: "sketch", Factor: 1.5, Matrix: "S"}},
		`takes values of one shape; they have [4,4]`: edit("W", "recurrent", "leak"),
		`matrix "W" has shape [4,4], expected [2,4]`: {{From: "h", To: "z", Kind: "replace", Matrix: "W"}},
	} {
		r := elman(t, 4, 3, 2)
		for _, f := range []func() error{
			func() error { _, err := r.Reverse(edits...); return err },
			func() error { _, err := r.Forward(nil, edits...); return err },
		} {
			if err := f(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: %v, expected %q", edits, err, want)
			}
		}
	}
	r := elman(t, 4, 3, 2)
	r.States = []string{"x"}
	if err := r.Check(); err == nil || !strings.Contains(err.Error(), `state "x" is no output`) {
		t.Error(err)
	}
	r = elman(t, 4, 3, 2)
	r.Params = append(r.Params, "Q")
	if err := r.Check(); err == nil || !strings.Contains(err.Error(), `parameter "Q" is an input of nothing`) {
		t.Error(err)
	}
	if _, err := elman(t, 4, 3, 2).Primal("recurent"); err == nil || !strings.Contains(err.Error(), `no node "recurent" to show`) {
		t.Error(err)
	}
}
