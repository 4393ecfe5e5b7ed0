package rules

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// contractive is a random network h' = diag·h + tanh(W·h + U·x), of random size.
func contractive(t *testing.T, r *rand.Rand) (*ad.Recurrence, snn.Values, *snn.Batch, float64) {
	t.Helper()
	n, in := 2+r.IntN(4), 1+r.IntN(2)
	b := ir.NewBuilder("step")
	h, x := b.Input("h", n), b.Input("x", in)
	recurrent := ir.Dot(b.Input("W", n, n), h).Named("recurrent")
	diag := 0.6 * r.Float64()
	b.Output("h", ir.Add(ir.MulScalar(h, diag), ir.Tanh(ir.Add(recurrent, ir.Dot(b.Input("U", n, in), x)))))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	rec := &ad.Recurrence{Step: p, States: []string{"h"}, Params: []string{"W", "U"}}
	draw := func(size int, scale float64) []float64 {
		v := make([]float64, size)
		for i := range v {
			v[i] = scale * r.NormFloat64()
		}
		return v
	}
	shared := snn.Values{"W": draw(n*n, 0.6*r.Float64()/float64(n)), "U": draw(n*in, 1)}
	steps := 5 + r.IntN(10)
	batch := &snn.Batch{Steps: steps, Size: 1, Input: draw(steps*in, 1)}
	return rec, shared, batch, diag
}

// TestCertificate: on 1000 random graphs the bound is never below the error, for every kind of edit; without contraction
// there is no certificate.
func TestCertificate(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	kinds := []Edit{{Kind: "drop"}, {Kind: "diagonal"}, {Kind: "sign"}, {Kind: "scale", Factor: 0.5}, {Kind: "leak", Factor: 0.2}, {Kind: "random_k", K: 1}, {Kind: "random"}}
	valid, invalid, sum, worst := 0, 0, 0.0, 0.0
	for valid < 1000 {
		rec, shared, batch, diag := contractive(t, r)
		e := kinds[r.IntN(len(kinds))]
		e.From, e.To = "h", "recurrent"
		b, err := (&Rule{Time: Carrier{Mode: Reverse}, Edits: []Edit{e}}).Build(rec)
		if err != nil {
			t.Fatal(err)
		}
		b.Draw(shared, 5)
		if valid == 0 {
			checkJacobian(t, rec, shared, batch, diag)
		}
		c, err := b.Certify(rec, shared, batch)
		if err != nil {
			t.Fatal(err)
		}
		if !c.Valid {
			if invalid++; !math.IsInf(c.Bound, 1) || c.Lambda < 1 {
				t.Fatalf("no certificate but a bound: %+v", c)
			}
			continue
		}
		valid++
		if c.Error > c.Bound*(1+1e-12) {
			t.Fatalf("%s: the error %g is above its bound: %+v", e.Kind, c.Error, c)
		}
		if c.Bound > 0 {
			sum, worst = sum+c.Tightness(), math.Max(worst, c.Tightness())
		}
	}
	t.Logf("1000 certificates, %d graphs without; error over bound: mean %.3f, largest %.3f", invalid, sum/1000, worst)
	if invalid == 0 || worst < 0.3 {
		t.Errorf("%d graphs without a certificate, largest tightness %.3f: the test sees too little", invalid, worst)
	}
}

// checkJacobian compares the Jacobian of the first step with the formula.
func checkJacobian(t *testing.T, rec *ad.Recurrence, shared snn.Values, batch *snn.Batch, diag float64) {
	t.Helper()
	s, err := newStepper(rec, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, in := rec.Shape("h")[0], rec.Shape("x")[0]
	d, f := s.jacobians(shared, snn.Values{"h": make([]float64, n)}, batch, 0)
	for i := range n {
		u := 0.0
		for k := range in {
			u += shared["U"][i*in+k] * batch.Input[k]
		}
		slope := 1 - math.Tanh(u)*math.Tanh(u)
		for j := range n {
			want := slope * shared["W"][i*n+j]
			if i == j {
				want += diag
			}
			if math.Abs(d.at[i*n+j]-want) > 1e-12 {
				t.Fatalf("∂h[%d]/∂h[%d] is %v, expected %v", i, j, d.at[i*n+j], want)
			}
		}
		for k := range in { // ∂h_i/∂U_ik, after W
			if got := f.at[i*f.cols+n*n+i*in+k]; math.Abs(got-slope*batch.Input[k]) > 1e-12 {
				t.Fatalf("∂h[%d]/∂U[%d,%d] is %v, expected %v", i, i, k, got, slope*batch.Input[k])
			}
		}
	}
}
