package rules

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// TestSketch: the mean gradient of a rule with a sketch of the recurrent Jacobian is the exact gradient, within its standard
// error: signs of different steps are independent, so every product along a path is unbiased.
func TestSketch(t *testing.T) {
	const draws = 4000
	p, err := NewProblem("pattern_generation", Size{Model: "lif", Neurons: 5, Iterations: 1})
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(5, 5))
	shared := p.weights(runs.Seed(3))
	for i := range shared["rec.W_in"] {
		shared["rec.W_in"][i] = 0.06 * math.Abs(shared["rec.W_in"][i]) // so that all neurons are near their thresholds
	}
	batch := &snn.Batch{Steps: 15, Size: 1}
	for range batch.Steps {
		batch.Weight, batch.Target = append(batch.Weight, 1), append(batch.Target, rnd.NormFloat64())
		for range p.Network.Inputs {
			batch.Input = append(batch.Input, float64(rnd.IntN(2)))
		}
	}
	gradient := func(r *Rule, seed runs.Seed) *snn.Gradient {
		b, err := r.Build(p.Recurrence)
		if err != nil {
			t.Fatal(err)
		}
		b.Draw(shared, seed)
		g, err := snn.NewGradient(p.Recurrence, b.Method)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	want, err := gradient(&Rule{Time: Carrier{Mode: Reverse}}, 0).Compute(shared, batch)
	if err != nil {
		t.Fatal(err)
	}
	dropped, err := gradient(&Rule{Time: Carrier{Mode: Reverse}, Edits: []Edit{{From: "rec.z", To: "rec.recurrent", Kind: "drop"}}}, 0).Compute(shared, batch)
	if err != nil {
		t.Fatal(err)
	}
	r := &Rule{Time: Carrier{Mode: Reverse}, Edits: []Edit{{From: "rec.z", To: "rec.recurrent", Kind: "sketch", K: 2}}}
	g := gradient(r, 0)
	sum, squares := make([]float64, len(want.Gradient["rec.W_rec"])), make([]float64, len(want.Gradient["rec.W_rec"]))
	for k := range draws {
		g.Method.Seed = uint64(k)
		x, err := g.Compute(shared, batch)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range x.Gradient["rec.W_rec"] {
			sum[i] += v
			squares[i] += v * v
		}
	}
	varied, told := 0, 0
	for i, v := range want.Gradient["rec.W_rec"] {
		mean := sum[i] / draws
		deviation := math.Sqrt(math.Max(0, squares[i]/draws-mean*mean))
		if deviation > 1e-9 {
			varied++
		}
		if math.Abs(mean-dropped.Gradient["rec.W_rec"][i]) > 10*deviation/math.Sqrt(draws)+1e-9 {
			told++
		}
		// 25 weights, each within 4.5 standard errors: the draws are seeded, and a bias would grow with their number.
		if math.Abs(mean-v) > 4.5*deviation/math.Sqrt(draws)+1e-12 {
			t.Errorf("weight %d: the mean gradient is %v ± %v, the exact one %v", i, mean, deviation/math.Sqrt(draws), v)
		}
	}
	if varied < 20 || told < 10 {
		t.Errorf("%d gradients vary, %d differ from those without the edge: this network shows no sketch", varied, told)
	}
}
