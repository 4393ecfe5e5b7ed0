package ad_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"pgregory.net/rapid"
)

// worst is the largest difference relative to the larger of the two entries.
func worst(got, want []float64) float64 {
	w := 0.0
	for i := range want {
		if math.IsNaN(got[i]) || math.IsNaN(want[i]) {
			return math.NaN()
		}
		if d := math.Abs(got[i] - want[i]); d != 0 {
			w = math.Max(w, d/math.Max(math.Abs(got[i]), math.Abs(want[i])))
		}
	}
	return w
}

// TestTasksAgainstDualNumbers: for every task, 20 random orders at 5 random points.
func TestTasksAgainstDualNumbers(t *testing.T) {
	for _, task := range tasks.All() {
		t.Run(task.Name, func(t *testing.T) {
			p, err := task.Program()
			if err != nil {
				t.Fatal(err)
			}
			g, err := ad.Graph(p)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(3, 4))
			var points, wants [][]float64
			for range 5 {
				x, err := task.Point(rng)
				if err != nil {
					t.Fatal(err)
				}
				want, err := dualJacobian(p, x)
				if err != nil {
					t.Fatal(err)
				}
				points, wants = append(points, x), append(wants, want)
			}
			largest := 0.0
			for k := range 20 {
				order := g.Eliminable()
				rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				jac, err := ad.Jacobian(p, order)
				if err != nil {
					t.Fatal(err)
				}
				for i, x := range points {
					got, err := interp.EvalScalar(jac, x)
					if err != nil {
						t.Fatal(err)
					}
					w := worst(got, wants[i])
					if !(w <= 1e-10) {
						t.Fatalf("order %d, point %v: relative difference %g", k, x, w)
					}
					largest = math.Max(largest, w)
				}
			}
			t.Logf("largest relative difference %.1e", largest)
		})
	}
}

// randomProgram draws a scalar program whose vertices use every op.
func randomProgram(t *rapid.T) *ir.Program {
	var ops []*ir.OpInfo
	for _, o := range ir.Ops() {
		if o.Class == ir.Elementwise {
			ops = append(ops, o)
		}
	}
	b := ir.NewBuilder("p")
	var vs []*ir.Value
	for i := range rapid.IntRange(1, 3).Draw(t, "inputs") {
		vs = append(vs, b.Input(fmt.Sprintf("x%d", i)))
	}
	for range rapid.IntRange(1, 12).Draw(t, "nodes") {
		op := rapid.SampledFrom(ops).Draw(t, "op")
		args := make([]*ir.Value, op.Arity)
		for k := range args {
			if k > 0 && rapid.IntRange(0, 5).Draw(t, "constant") == 0 {
				args[k] = ir.Const(b, rapid.SampledFrom([]float64{1, -1, 2, 0.5}).Draw(t, "c"))
			} else {
				args[k] = vs[rapid.IntRange(0, len(vs)-1).Draw(t, "arg")]
			}
		}
		var attrs *ir.Attrs
		if op == ir.OpPowi {
			attrs = &ir.Attrs{N: rapid.IntRange(-3, 5).Draw(t, "n")}
		}
		vs = append(vs, ir.Apply(op, attrs, args...))
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "outputs") {
		b.Output(fmt.Sprintf("y%d", i), vs[rapid.IntRange(0, len(vs)-1).Draw(t, "out")])
	}
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRandomProgramsAgainstDualNumbers(t *testing.T) {
	finite := 0
	rapid.Check(t, func(t *rapid.T) {
		p := randomProgram(t)
		g, err := ad.Graph(p)
		if err != nil {
			t.Fatal(err)
		}
		order := rapid.Permutation(g.Eliminable()).Draw(t, "order")
		x := make([]float64, len(p.Inputs))
		for i := range x {
			x[i] = rapid.Float64Range(0.1, 0.9).Draw(t, "x")
		}
		want, err := dualJacobian(p, x)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range want {
			if math.IsNaN(v) || math.Abs(v) > 1e6 {
				t.Skip("outside the domain")
			}
		}
		raw, err := ad.Raw(p, order)
		if err != nil {
			t.Fatal(err)
		}
		// Every intermediate result is an output here: the largest bounds what rounding can leave where terms cancel.
		raw.Outputs = nil
		for i := range raw.Nodes {
			raw.Outputs = append(raw.Outputs, ir.Output{Name: fmt.Sprint(i), Node: ir.ID(i)})
		}
		y, err := interp.EvalScalar(raw, x)
		if err != nil {
			t.Fatal(err)
		}
		peak := 0.0
		for _, v := range y {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Skip("a partial derivative is infinite") // 0·∞ where dual numbers skip the product
			}
			peak = math.Max(peak, math.Abs(v))
		}
		finite++
		jac, err := ad.Jacobian(p, order)
		if err != nil {
			t.Fatal(err)
		}
		got, err := interp.EvalScalar(jac, x)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if d := math.Abs(got[i] - want[i]); !(d <= 1e-10*math.Abs(want[i])+1e-13*peak) {
				t.Fatalf("%s differs by %g\n%s\norder %v at %v\ngot  %v\nwant %v", jac.Outputs[i].Name, d, p, order, x, got, want)
			}
		}
	})
	if finite < 20 {
		t.Errorf("only %d programs were compared", finite)
	}
}

// TestRawMultiplicationsAreTheMetric: elimination appends exactly as many products as the graph replay counts.
func TestRawMultiplicationsAreTheMetric(t *testing.T) {
	products := func(p *ir.Program) (n int64) {
		for i := range p.Nodes {
			if p.Nodes[i].Op == ir.OpMul {
				n++
			}
		}
		return n
	}
	for _, task := range tasks.All() {
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		g, err := ad.Graph(p)
		if err != nil {
			t.Fatal(err)
		}
		// Two orders differ by nothing but the products of elimination.
		forward, reverse := elim.Forward(g), elim.Reverse(g)
		mf, _ := g.Muls(forward)
		mr, _ := g.Muls(reverse)
		pf, err := ad.Raw(p, forward)
		if err != nil {
			t.Fatal(err)
		}
		pr, err := ad.Raw(p, reverse)
		if err != nil {
			t.Fatal(err)
		}
		if products(pf)-products(pr) != mf-mr {
			t.Errorf("%s: programs differ by %d products, replay by %d", task.Name, products(pf)-products(pr), mf-mr)
		}
	}
}

// TestGreeks compares the second-order derivatives of the call price with their closed forms (Hull, Options, Futures and
// Other Derivatives, ch. 19).
func TestGreeks(t *testing.T) {
	task, err := tasks.Lookup("BlackScholes")
	if err != nil {
		t.Fatal(err)
	}
	p, err := task.Program()
	if err != nil {
		t.Fatal(err)
	}
	first, err := ad.Jacobian(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ad.Jacobian(first, nil)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 10 {
		x, err := task.Point(rng)
		if err != nil {
			t.Fatal(err)
		}
		s, k, r, sigma, tt := x[0], x[1], x[2], x[3], x[4]
		cdf := func(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }
		pdf := func(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }
		root := math.Sqrt(tt)
		d1 := (math.Log(s/k) + (r+sigma*sigma/2)*tt) / (sigma * root)
		d2 := d1 - sigma*root
		df := math.Exp(-r * tt)
		want1 := []float64{cdf(d1), -df * cdf(d2), k * tt * df * cdf(d2), s * pdf(d1) * root, s*pdf(d1)*sigma/(2*root) + r*k*df*cdf(d2)}
		got1, err := interp.EvalScalar(first, x)
		if err != nil {
			t.Fatal(err)
		}
		if w := worst(got1, want1); !(w < 1e-11) {
			t.Errorf("first order: relative difference %g", w)
		}
		got2, err := interp.EvalScalar(second, x)
		if err != nil {
			t.Fatal(err)
		}
		at := func(i, j int) float64 { return got2[5*i+j] }
		for name, c := range map[string][2]float64{
			"gamma": {at(0, 0), pdf(d1) / (s * sigma * root)},
			"vanna": {at(0, 3), -pdf(d1) * d2 / sigma},
			"vomma": {at(3, 3), s * pdf(d1) * root * d1 * d2 / sigma},
			"charm": {at(0, 4), pdf(d1) * (2*r*tt - d2*sigma*root) / (2 * tt * sigma * root)},
		} {
			if math.Abs(c[0]-c[1]) > 1e-10*math.Max(1, math.Abs(c[1])) {
				t.Errorf("%s = %v, closed form %v", name, c[0], c[1])
			}
		}
		for i := range 5 {
			for j := range i {
				if math.Abs(at(i, j)-at(j, i)) > 1e-10*math.Max(1, math.Abs(at(i, j))) {
					t.Errorf("Hessian is not symmetric at %d,%d: %v, %v", i, j, at(i, j), at(j, i))
				}
			}
		}
	}
}

// TestSurrogates integrates every surrogate derivative: each is the slope of a smooth step, so its area is known.
func TestSurrogates(t *testing.T) {
	area := map[string]float64{"piecewise_linear": 1, "fast_sigmoid": 2, "exponential": 2, "arctan": math.Pi, "sigmoid": 1}
	for _, name := range ir.Surrogates {
		for _, width := range []float64{0.5, 3} {
			w := width
			p, err := ir.Trace("s", []string{"v"}, nil, func(x []*ir.Value) []*ir.Value {
				return []*ir.Value{ir.Heaviside(x[0], &ir.Attrs{Surrogate: name, Width: &w})}
			})
			if err != nil {
				t.Fatal(err)
			}
			jac, err := ad.Jacobian(p, nil)
			if err != nil {
				t.Fatal(err)
			}
			sum, h := 0.0, 0.01
			for v := -200.0; v <= 200; v += h {
				d, err := interp.EvalScalar(jac, []float64{v})
				if err != nil {
					t.Fatal(err)
				}
				sum += d[0] * h
			}
			if math.Abs(sum-area[name]) > 0.02*area[name] {
				t.Errorf("%s with slope %v: area %v, want %v", name, width, sum, area[name])
			}
		}
	}
}

func TestEveryScalarOpHasARule(t *testing.T) {
	for _, op := range ir.Ops() {
		if op.Class != ir.Elementwise {
			continue
		}
		b := ir.NewBuilder("p")
		args := make([]*ir.Value, op.Arity)
		for k := range args {
			args[k] = b.Input(fmt.Sprintf("x%d", k))
		}
		b.Output("y", ir.Apply(op, nil, args...))
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ad.Jacobian(p, nil); err != nil {
			t.Error(err)
		}
	}
}

// TestArrayProgram differentiates an array program through its scalar form and compares with central differences.
func TestArrayProgram(t *testing.T) {
	b := ir.NewBuilder("net")
	x, w := b.Input("x", 3), b.Input("w", 2, 3)
	h := ir.Tanh(ir.Dot(w, x))
	b.Output("y", ir.ReduceSum(ir.Mul(h, ir.Exp(ir.Neg(h)))))
	b.Output("m", ir.ReduceMax(ir.Concatenate([]*ir.Value{h, x}, 0)))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	q, _, err := ir.Scalarize(p)
	if err != nil {
		t.Fatal(err)
	}
	jac, err := ad.Jacobian(q, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := []float64{0.3, -0.2, 0.9, 0.1, 0.5, -0.4, 0.7, -0.6, 0.2}
	got, err := interp.EvalScalar(jac, at)
	if err != nil {
		t.Fatal(err)
	}
	const step = 1e-6
	for j := range at {
		shift := func(d float64) []float64 {
			z := append([]float64{}, at...)
			z[j] += d
			y, err := interp.EvalScalar(q, z)
			if err != nil {
				t.Fatal(err)
			}
			return y
		}
		up, down := shift(step), shift(-step)
		for i := range up {
			if fd := (up[i] - down[i]) / (2 * step); math.Abs(fd-got[i*len(at)+j]) > 1e-8 {
				t.Errorf("%s = %v, differences give %v", jac.Outputs[i*len(at)+j].Name, got[i*len(at)+j], fd)
			}
		}
	}
}

func TestOutputsUsedAgainAndInputsAsOutputs(t *testing.T) {
	p, err := ir.Parse("program p\ninput x []\ninput y []\na = mul(x, y)\nb = sin(a)\nc = const [] {7}\noutput a\noutput b\noutput x\noutput again = a\noutput c\n")
	if err != nil {
		t.Fatal(err)
	}
	g, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	if e := g.Eliminable(); len(e) != 1 || e[0] != 1 {
		t.Errorf("eliminable %v, want [1]: the output a is used again", e)
	}
	if m, _ := g.Muls([]int{1}); m != 4 { // x, y times b and the copy
		t.Errorf("%d multiplications, want 4", m)
	}
	jac, err := ad.Jacobian(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := interp.EvalScalar(jac, []float64{2, 3})
	if err != nil {
		t.Fatal(err)
	}
	c := math.Cos(6)
	want := []float64{3, 2, 3 * c, 2 * c, 1, 0, 3, 2, 0, 0}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-15 {
			t.Errorf("%s = %v, want %v", jac.Outputs[i].Name, got[i], want[i])
		}
	}
}

func TestBadOrder(t *testing.T) {
	task, _ := tasks.Lookup("Lighthouse")
	p, _ := task.Program()
	for _, order := range [][]int{{1, 2}, {1, 1, 2, 3, 4, 5, 6, 7}, {99}} {
		if _, err := ad.Jacobian(p, order); err == nil {
			t.Errorf("order %v is accepted", order)
		} else {
			t.Log(err)
		}
	}
}
