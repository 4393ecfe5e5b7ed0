package policy

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
)

// samples of a game in which move 1 is right where feature 0 is set, else move 2, worth 0.5 and −0.5.
func samples(r *rand.Rand, n int) (list []rules.Sample) {
	for range n {
		s := rules.Sample{Features: []float32{float32(r.IntN(2)), float32(r.IntN(2)), 1}, Policy: make([]float32, 4), Legal: []bool{true, true, true, false}, Value: 0.5}
		if s.Features[0] == 1 {
			s.Policy[1] = 1
		} else {
			s.Policy[2], s.Value = 1, -0.5
		}
		list = append(list, s)
	}
	return list
}

// TestLearns: the network starts uniform, learns the game, and answers by hand what GoMLX computes.
func TestLearns(t *testing.T) {
	n, err := New(3, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	memory := samples(rand.New(rand.NewPCG(1, 1)), 100)
	if logits, value := n.Predict(memory[0].Features); logits[0] != logits[3] || value != 0 {
		t.Fatalf("untrained: %v, %v", logits, value)
	}
	before, _, _, _, err := n.run(memory[:batch])
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := n.Learn(memory); err != nil {
			t.Fatal(err)
		}
	}
	after, gradient, logits, values, err := n.run(memory[:batch])
	if err != nil {
		t.Fatal(err)
	}
	if !(after < 0.3*before) {
		t.Errorf("loss went from %v to %v", before, after)
	}
	for i, s := range memory[:batch] {
		l, v := n.Predict(s.Features)
		if math.Abs(v-values[i]) > 1e-6 || math.Abs(float64(l[1])-logits[i*4+1]) > 1e-5 || math.Abs(float64(l[2])-logits[i*4+2]) > 1e-5 {
			t.Fatalf("sample %d: %v, %v by hand; %v, %v by GoMLX", i, l, v, logits[i*4:i*4+4], values[i])
		}
		if (s.Features[0] == 1) != (l[1] > l[2]) {
			t.Errorf("sample %d: features %v, logits %v", i, s.Features, l)
		}
	}
	// The gradient is that of finite differences.
	for _, k := range []int{0, 17, len(n.weights) - 1, len(n.weights) - 4} {
		const h = 1e-5
		at := n.weights[k]
		n.weights[k] = at + h
		up, _, _, _, _ := n.run(memory[:batch])
		n.weights[k] = at - h
		down, _, _, _, _ := n.run(memory[:batch])
		n.weights[k] = at
		if d := (up - down) / (2 * h); math.Abs(d-gradient[k]) > 1e-6 {
			t.Errorf("gradient %d is %v, by differences %v", k, gradient[k], d)
		}
	}
}
