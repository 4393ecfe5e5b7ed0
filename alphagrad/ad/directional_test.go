package ad_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// TestDirectionalDerivativesAndHessians compares products with those of the dual numbers' Jacobian, and second derivatives
// with dual numbers through the program of the first.
func TestDirectionalDerivativesAndHessians(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, name := range []string{"Simple", "Lighthouse", "Hole", "Helmholtz", "BlackScholes", "RoeFlux_1d"} {
		task, err := tasks.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		x, err := task.Point(rng)
		if err != nil {
			t.Fatal(err)
		}
		n, m := len(p.Inputs), len(p.Outputs)
		jac, err := dualJacobian(p, x)
		if err != nil {
			t.Fatal(err)
		}
		value, err := interp.EvalScalar(p, x)
		if err != nil {
			t.Fatal(err)
		}
		draw := func(n int) []float64 {
			v := make([]float64, n)
			for i := range v {
				v[i] = rng.NormFloat64()
			}
			return v
		}
		v, w := draw(n), draw(m)
		forward, backward := append([]float64{}, value...), append([]float64{}, value...)
		for i := range m {
			s := 0.0
			for j := range n {
				s += jac[i*n+j] * v[j]
			}
			forward = append(forward, s)
		}
		for j := range n {
			s := 0.0
			for i := range m {
				s += w[i] * jac[i*n+j]
			}
			backward = append(backward, s)
		}
		jvp, err := ad.JVP(p)
		compare(t, name+" JVP", jvp, err, append(append([]float64{}, x...), v...), forward)
		vjp, err := ad.VJP(p)
		compare(t, name+" VJP", vjp, err, append(append([]float64{}, x...), w...), backward)

		first, err := ad.Jacobian(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		second, err := dualJacobian(first, x)
		if err != nil {
			t.Fatal(err)
		}
		h, err := ad.Hessian(p, nil)
		compare(t, name+" Hessian", h, err, x, append(append(append([]float64{}, value...), jac...), second...))
	}
}

func compare(t *testing.T, name string, p *ir.Program, err error, x, want []float64) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got, err := interp.EvalScalar(p, x)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d outputs, want %d", name, len(got), len(want))
	}
	peak := 0.0
	for _, v := range want {
		peak = math.Max(peak, math.Abs(v))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-10*math.Abs(want[i])+1e-12*peak) {
			t.Errorf("%s: %s = %v, want %v", name, p.Outputs[i].Name, got[i], want[i])
		}
	}
}

// TestGuardedDerivatives: what the branch not taken computes, infinite or not, spoils no derivative in any order.
func TestGuardedDerivatives(t *testing.T) {
	p, err := ir.Trace("guarded", []string{"x", "z"}, nil, func(in []*ir.Value) []*ir.Value {
		x, z := ir.Mul(in[0], in[1]), in[1]
		zero := 0.0
		positive := ir.Heaviside(x, &ir.Attrs{AtZero: &zero})
		root := ir.Sqrt(x)
		a := ir.Mul(ir.Log(x), ir.Mul(root, z))
		b := ir.Select(positive, ir.Add(a, ir.Div(z, root)), ir.Sin(z))
		return []*ir.Value{ir.Mul(b, ir.Select(positive, root, x)), ir.Select(positive, ir.Square(a), z)}
	})
	if err != nil {
		t.Fatal(err)
	}
	g, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(9, 9))
	orders := [][]int{elim.Forward(g), elim.Reverse(g), elim.Markowitz(g)}
	for range 30 {
		o := append([]int{}, g.Eliminable()...)
		rng.Shuffle(len(o), func(i, j int) { o[i], o[j] = o[j], o[i] })
		orders = append(orders, o)
	}
	for _, at := range [][]float64{{0, 1}, {-2, 0.5}, {0, 0}, {1.5, 2}} {
		want, err := dualJacobian(p, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range orders {
			jac, err := ad.Jacobian(p, o)
			compare(t, "guarded", jac, err, at, want)
		}
		h, err := ad.Hessian(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := interp.EvalScalar(h, at)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if math.IsNaN(v) {
				t.Errorf("%s is NaN at %v", h.Outputs[i].Name, at)
			}
		}
	}
}
