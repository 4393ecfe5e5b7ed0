package ir_test

import (
	"math"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"pgregory.net/rapid"
)

// programs generates random legal programs of scalars over most elementwise ops.
func programs(t *rapid.T) *ir.Program {
	var ops []*ir.OpInfo
	for _, o := range ir.Ops() {
		if o.Class == ir.Elementwise {
			ops = append(ops, o)
		}
	}
	b := ir.NewBuilder(rapid.StringMatching(`[a-z ]{1,6}`).Draw(t, "name"))
	var vs []*ir.Value
	for i := range rapid.IntRange(1, 4).Draw(t, "inputs") {
		vs = append(vs, b.Input(string(rune('a'+i))))
	}
	for range rapid.IntRange(1, 25).Draw(t, "nodes") {
		if rapid.IntRange(0, 4).Draw(t, "constant") == 0 {
			c := rapid.OneOf(rapid.SampledFrom([]float64{0, 1, -1, 2, 0.5, -0.25}), rapid.Float64Range(-3, 3)).Draw(t, "c")
			vs = append(vs, ir.Const(b, c))
			continue
		}
		op := rapid.SampledFrom(ops).Draw(t, "op")
		args := make([]*ir.Value, op.Arity)
		for k := range args {
			args[k] = vs[rapid.IntRange(0, len(vs)-1).Draw(t, "arg")]
		}
		var attrs *ir.Attrs
		if op == ir.OpPowi {
			attrs = &ir.Attrs{N: rapid.IntRange(-4, 6).Draw(t, "n")}
		}
		vs = append(vs, ir.Apply(op, attrs, args...))
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "outputs") {
		b.Output("out"+string(rune('1'+i)), vs[rapid.IntRange(0, len(vs)-1).Draw(t, "out")])
	}
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func point(t *rapid.T, p *ir.Program) []float64 {
	x := make([]float64, len(p.Inputs))
	for i := range x {
		x[i] = rapid.Float64Range(-2, 2).Draw(t, "x")
	}
	return x
}

func close(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) == math.IsNaN(b)
	}
	return a == b || math.Abs(a-b) <= 1e-11*math.Max(math.Abs(a), math.Abs(b))
}

// TestPassesKeepValues checks every pass against the interpreter on the program before it.
func TestPassesKeepValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := programs(t)
		x := point(t, p)
		want, err := interp.EvalScalar(p, x)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range want {
			// Reordered signs keep finite values; an overflow or an undefined form may surface elsewhere.
			if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 1e100 {
				t.Skip("not finite")
			}
		}
		for _, pass := range ir.Passes {
			q, err := pass.Run(p)
			if err != nil {
				t.Fatal(err)
			}
			if err := ir.Verify(q); err != nil {
				t.Fatalf("after %s: %v", pass.Name, err)
			}
			got, err := interp.EvalScalar(q, x)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if !close(got[i], want[i]) {
					t.Fatalf("after %s: output %d is %v, was %v\nbefore:\n%safter:\n%s", pass.Name, i, got[i], want[i], p, q)
				}
			}
			p = q
		}
		again, err := ir.Optimize(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Nodes) > len(p.Nodes) {
			t.Fatalf("optimising twice grows the program from %d to %d nodes", len(p.Nodes), len(again.Nodes))
		}
	})
}

func TestPrintParseRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := programs(t)
		text := ir.Print(p)
		q, err := ir.Parse(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !ir.Equal(p, q) || ir.Print(q) != text {
			t.Fatalf("round trip changes the program:\n%s\n%s", text, q)
		}
	})
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := programs(t)
		var b strings.Builder
		if err := ir.WriteGraph(&b, p); err != nil {
			t.Fatal(err)
		}
		q, err := ir.ReadGraph(strings.NewReader(b.String()))
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if !ir.Equal(p, q) {
			t.Fatalf("round trip changes the program:\n%s\n%s", p, q)
		}
	})
}

// arrays is a program that uses every op over arrays.
func arrays(t testing.TB) *ir.Program {
	b := ir.NewBuilder("arrays")
	x := b.Input("x", 2, 3)
	w := b.Input("w", 3, 2)
	s := b.Input("s")
	m := ir.Dot(x, w)                                                                // [2,2]
	k := ir.Mul(m, s)                                                                // a scalar stretches
	tr := ir.Transpose(x, 1, 0)                                                      // [3,2]
	cat := ir.Concatenate([]*ir.Value{tr, w}, 0)                                     // [6,2]
	pad := ir.Pad(ir.Slice(cat, []int{1, 0}, []int{5, 1}), []int{0, 1}, []int{1, 0}) // [5,2]
	g := ir.Gather(pad, 0, 3, 0, 0)                                                  // [3,2]
	r := ir.Reshape(g, 6)
	bc := ir.Broadcast(ir.ReduceSum(r), ir.Shape{2, 2})
	red := ir.Add(ir.Add(ir.ReduceMax(x), ir.ReduceMin(w)), ir.Add(ir.ReduceMultiply(tr), ir.ReduceMean(x)))
	c := ir.ConstTensor(b, ir.Shape{2, 2}, []float64{1, 2, 3, 4})
	b.Output("y", ir.Add(ir.Mul(ir.Add(k, bc), c), red))
	b.Output("d", ir.Einsum("ii->i", m))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestArrays(t *testing.T) {
	p := arrays(t)
	x := []float64{1, 2, 3, 4, 5, 6}
	w := []float64{0.5, -1, 2, 1, 0, 3}
	in := []ir.Tensor{{Shape: ir.Shape{2, 3}, Data: x}, {Shape: ir.Shape{3, 2}, Data: w}, ir.Scalar(2)}
	out, err := interp.Eval(p, in)
	if err != nil {
		t.Fatal(err)
	}
	// By hand: x·w = [[4.5, 10], [12, 19]]; cat column 0 is (1,2,3,0.5,2,0), rows 1…4 are (2,3,0.5,2), padded to
	// [[0,2],[0,3],[0,0.5],[0,2],[0,0]]; gather rows 3,0,0 sums to 2+2+2 = 6; reductions 6 + (−1) + 720 + 3.5.
	want := []float64{(9+6)*1 + 728.5, (20+6)*2 + 728.5, (24+6)*3 + 728.5, (38+6)*4 + 728.5}
	for i, v := range out[0].Data {
		if v != want[i] {
			t.Errorf("y[%d] = %v, want %v", i, v, want[i])
		}
	}
	if d := out[1].Data; d[0] != 4.5 || d[1] != 19 {
		t.Errorf("diagonal %v, want [4.5 19]", d)
	}

	// The scalar form computes the same.
	q, origin, err := ir.Scalarize(p)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := q.IsScalar(); !ok || len(origin) != len(q.Nodes) {
		t.Fatalf("scalar form: scalar %v, %d origins for %d nodes", ok, len(origin), len(q.Nodes))
	}
	flat := append(append(append([]float64{}, x...), w...), 2)
	got, err := interp.EvalScalar(q, flat)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range append(append([]float64{}, out[0].Data...), out[1].Data...) {
		if got[i] != v {
			t.Errorf("%s = %v, want %v", q.Outputs[i].Name, got[i], v)
		}
	}

	// Files keep arrays.
	back, err := ir.Parse(ir.Print(p))
	if err != nil || !ir.Equal(p, back) {
		t.Errorf("text round trip: %v\n%s\n%s", err, p, back)
	}
	var b strings.Builder
	if err := ir.WriteGraph(&b, p); err != nil {
		t.Fatal(err)
	}
	back, err = ir.ReadGraph(strings.NewReader(b.String()))
	if err != nil || !ir.Equal(p, back) {
		t.Errorf("graph file round trip: %v\n%s", err, b.String())
	}
}

// TestEinsumAgainstLoops compares with matrix products written out.
func TestEinsumAgainstLoops(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m, k := rapid.IntRange(1, 4).Draw(t, "n"), rapid.IntRange(1, 4).Draw(t, "m"), rapid.IntRange(1, 4).Draw(t, "k")
		b := ir.NewBuilder("p")
		x, y := b.Input("x", n, m), b.Input("y", k, m)
		b.Output("z", ir.Einsum("im,km->ki", x, y))
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		gen := rapid.Float64Range(-5, 5)
		xs := rapid.SliceOfN(gen, n*m, n*m).Draw(t, "x")
		ys := rapid.SliceOfN(gen, k*m, k*m).Draw(t, "y")
		out, err := interp.Eval(p, []ir.Tensor{{Shape: ir.Shape{n, m}, Data: xs}, {Shape: ir.Shape{k, m}, Data: ys}})
		if err != nil {
			t.Fatal(err)
		}
		for a := range k {
			for c := range n {
				want := 0.0
				for l := range m {
					want += xs[c*m+l] * ys[a*m+l]
				}
				if !close(out[0].Data[a*n+c], want) {
					t.Fatalf("z[%d,%d] = %v, want %v", a, c, out[0].Data[a*n+c], want)
				}
			}
		}
	})
}

func TestVertices(t *testing.T) {
	p, err := ir.Trace("v", []string{"x"}, nil, func(x []*ir.Value) []*ir.Value {
		b := x[0].Builder()
		c := ir.Sin(ir.Const(b, 2))      // depends on no input: no vertex
		a := ir.Square(x[0])             // 1
		ir.Exp(a)                        // 2, unused but numbered
		return []*ir.Value{ir.Mul(a, c)} // 3
	})
	if err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, id := range p.Vertices() {
		ops = append(ops, p.Nodes[id].Op.Name)
	}
	if got := strings.Join(ops, " "); got != "square exp mul" {
		t.Errorf("vertices %q, want square exp mul", got)
	}
}

func TestTracerMistakes(t *testing.T) {
	other := ir.NewBuilder("other").Input("z")
	cases := map[string]struct {
		want string
		fn   func(b *ir.Builder, x *ir.Value)
	}{
		"nil":     {"argument 1 is nil", func(b *ir.Builder, x *ir.Value) { ir.Add(x, nil) }},
		"foreign": {`belongs to program "other"`, func(b *ir.Builder, x *ir.Value) { ir.Add(x, other) }},
		"shapes":  {"[2] and [3] differ", func(b *ir.Builder, x *ir.Value) { ir.Add(b.Input("u", 2), b.Input("v", 3)) }},
		"twice":   {`name "x" is used twice`, func(b *ir.Builder, x *ir.Value) { ir.Sin(x).Named("x") }},
		"dot":     {"vectors and matrices", func(b *ir.Builder, x *ir.Value) { ir.Dot(x, x) }},
		"einsum":  {"result label", func(b *ir.Builder, x *ir.Value) { ir.Einsum("i->j", b.Input("u", 2)) }},
		"size":    {"sizes start at 1", func(b *ir.Builder, x *ir.Value) { b.Input("u", 0) }},
		"none":    {"has no outputs", func(b *ir.Builder, x *ir.Value) {}},
	}
	for name, c := range cases {
		b := ir.NewBuilder("p")
		c.fn(b, b.Input("x"))
		if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to say %q", name, err, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	p, err := ir.Parse("program p\ninput x []\ninput y []\na = powi(x) {\"n\": 5}\nb = square(y)\nc = sub(a, b)\nd = div(c, 3)\ne = sin(d)\noutput e\n")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ir.Count(p)
	if err != nil {
		t.Fatal(err)
	}
	if want := (ir.OpCount{Mul: 4, Add: 1, Div: 1, Call: 1}); c != want { // x⁵ takes three, y² one
		t.Errorf("counts %v, want %v", c, want)
	}
}

// TestFoldReshapes: reshapes in a row are one, and none where the shape comes back.
func TestFoldReshapes(t *testing.T) {
	b := ir.NewBuilder("reshapes")
	x := b.Input("x", 2, 3)
	b.Output("same", ir.Sin(ir.Reshape(ir.Reshape(x, 6), 2, 3)))
	b.Output("other", ir.Cos(ir.Reshape(ir.Reshape(ir.Reshape(x, 6), 2, 3, 1), 3, 2)))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	q, err := ir.Optimize(p)
	if err != nil {
		t.Fatal(err)
	}
	if want := "sin reshape cos"; want != strings.Join(opsOf(q), " ") {
		t.Errorf("ops %v, expected %s:\n%s", opsOf(q), want, q)
	}
	if s := q.Nodes[q.Outputs[1].Node].Shape; !s.Equal(ir.Shape{3, 2}) {
		t.Errorf("shape %v", s)
	}
}

func opsOf(p *ir.Program) (ops []string) {
	for i := range p.Nodes {
		if n := &p.Nodes[i]; n.Op != ir.OpInput {
			ops = append(ops, n.Op.Name)
		}
	}
	return ops
}
