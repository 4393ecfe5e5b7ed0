package mcts_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"pgregory.net/rapid"
)

// drawGame returns a little game whose optimum can be enumerated.
func drawGame(t *rapid.T) mcts.Game {
	seed := rapid.Uint64().Draw(t, "game")
	switch rapid.SampledFrom([]string{"tree", "whole tree", "jobs", "elimination"}).Draw(t, "kind") {
	case "tree":
		return &treeGame{seed: seed, actions: 4, depth: 4}
	case "whole tree":
		return &treeGame{seed: seed, actions: 4, depth: 4, whole: true}
	case "jobs":
		return newJobs(seed, 7)
	}
	return newElimination(seed, 6)
}

// playOut plays a game to its end by search and returns the sum of rewards. With once, every search has a simulation per
// legal action: more of them would mix exploration further down into the values.
func playOut(t interface{ Fatal(...any) }, s *mcts.Search, g mcts.Game, reuse, once bool) float64 {
	var r mcts.Result
	total := 0.0
	for !g.Done() {
		if once {
			if err := s.SetSimulations(len(g.Legal(nil))); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Run(g, &r); err != nil {
			t.Fatal(err)
		}
		total += g.Apply(r.Action)
		if reuse {
			s.Advance(r.Action)
		}
	}
	return total
}

// TestPerfectEvaluatorPlaysOptimally: with true values and no idea of the policy, one simulation of every action shows
// the best; with true values and the optimal policy any budget, noise included, must keep to it.
func TestPerfectEvaluatorPlaysOptimally(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGame(t)
		best := worth(g, map[uint64]float64{})
		o := drawOptions(t)
		o.Discount = 1
		o.Transpositions = rapid.Bool().Draw(t, "transpositions")
		blind := rapid.Bool().Draw(t, "blind")
		reuse := !blind && rapid.Bool().Draw(t, "reuse")
		e := perfect(60)
		if blind {
			e = perfect(0)
			o.Algorithm, o.GumbelScale, o.Considered = mcts.Gumbel, 0, g.Actions()
		} else {
			o.DirichletFraction, o.Temperature = 0, 0
		}
		if got := playOut(t, search(t, e, o, 1), g, reuse, blind); math.Abs(got-best) > 1e-6 {
			t.Fatalf("return %v, the optimum is %v (%+v)", got, best, o)
		}
	})
}

// TestSmithsRule checks the optimum that other tests enumerate, and a search with it, against a closed formula.
func TestSmithsRule(t *testing.T) {
	for seed := range uint64(20) {
		j := newJobs(seed, 9)
		if enumerated := worth(j, map[uint64]float64{}); enumerated != j.best() {
			t.Fatalf("enumeration gives %v, Smith's rule %v", enumerated, j.best())
		}
		o := mcts.DefaultOptions()
		o.GumbelScale, o.Transpositions = 0, true
		if got := playOut(t, search(t, perfect(0), o, seed), j, false, true); got != j.best() {
			t.Fatalf("return %v, the optimum is %v", got, j.best())
		}
	}
}

// TestIgnorantSearchFindsOptimum: without any knowledge, thorough search of a little game meets its best play.
func TestIgnorantSearchFindsOptimum(t *testing.T) {
	for seed := range uint64(10) {
		for _, algorithm := range []mcts.Algorithm{mcts.Gumbel, mcts.PUCT} {
			g := newElimination(seed, 6)
			best := worth(g, map[uint64]float64{})
			o := mcts.DefaultOptions()
			o.Algorithm, o.Simulations, o.Transpositions = algorithm, 1500, true
			o.Temperature, o.DirichletFraction = 0, 0.25
			s, r := search(t, mcts.Uniform, o, seed), mcts.Result{}
			if err := s.Run(g, &r); err != nil {
				t.Fatal(err)
			}
			total := 0.0
			for _, a := range r.Line {
				total += g.Apply(a)
			}
			if !g.Done() || total != r.Best {
				t.Fatalf("seed %d, %s: line %v gives %v, reported %v", seed, algorithm, r.Line, total, r.Best)
			}
			if r.Best != best {
				t.Errorf("seed %d, %s: best line %v, the optimum is %v", seed, algorithm, r.Best, best)
			}
			if r.Evaluations > 64 {
				t.Errorf("seed %d, %s: %d evaluations of 63 states", seed, algorithm, r.Evaluations)
			}
		}
	}
}

func expect(p, q []float64) float64 {
	total := 0.0
	for i := range p {
		total += p[i] * q[i]
	}
	return total
}

func drawFloats(t *rapid.T, n int, name string) []float64 {
	return rapid.SliceOfN(rapid.Float64Range(-20, 20), n, n).Draw(t, name)
}

// TestImprovedPolicyImproves is the theorem of section 4: completing exact Q-values of any set of visited actions with
// the value of the policy gives a policy that is at least as good.
func TestImprovedPolicyImproves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "actions")
		logits, q := drawFloats(t, n, "logits"), drawFloats(t, n, "q")
		visited := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "visited")
		scale := rapid.Float64Range(0, 30).Draw(t, "scale")
		prior := softmax(logits)
		value := expect(prior, q)
		completed := make([]float64, n)
		for i := range q {
			if completed[i] = value; visited[i] {
				completed[i] = q[i]
			}
		}
		improved := make([]float64, n)
		mcts.ImprovedPolicy(improved, logits, completed, scale, slices.Max(completed))
		if math.Abs(expect(improved, slices.Repeat([]float64{1}, n))-1) > 1e-12 {
			t.Fatalf("policy %v does not sum to 1", improved)
		}
		if got := expect(improved, q); got < value-1e-9 {
			t.Fatalf("improved policy is worth %v, the prior %v", got, value)
		}
	})
}

// TestSearchImproves checks a whole search on games of one move, where Q is exact. The policy target is at least as good
// as the prior once every action was tried; and the action played is, for every draw of the noise, at least as good as
// the one that the noise alone would have drawn from the prior (section 3).
func TestSearchImproves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "actions")
		b := &bandit{rewards: drawFloats(t, n, "rewards")}
		logits := drawFloats(t, n, "logits")
		e := mcts.EvaluatorFunc(func(_ mcts.Game, _ []int32, to []float32) (float64, error) {
			for i, l := range logits {
				to[i] = float32(l)
			}
			return expect(softmax(logits), b.rewards), nil
		})
		o := drawOptions(t)
		o.Algorithm, o.GumbelScale = mcts.Gumbel, 1
		s, r := search(t, e, o, rapid.Uint64().Draw(t, "seed")), mcts.Result{}
		if err := s.Run(b, &r); err != nil {
			t.Fatal(err)
		}
		if value := expect(r.Prior, b.rewards); slices.Min(r.Visits) > 0 && expect(r.Policy, b.rewards) < value-1e-6 {
			t.Fatalf("improved policy is worth %v, the prior %v", expect(r.Policy, b.rewards), value)
		}
		drawn, high := 0, math.Inf(-1)
		for i, x := range s.Noise() {
			if x += math.Log(r.Prior[i]); x > high {
				drawn, high = i, x
			}
		}
		if o.Simulations >= min(n, o.Considered) && b.rewards[r.Action] < b.rewards[drawn]-1e-9 {
			t.Fatalf("plays %d, worth %v; the prior drew %d, worth %v", r.Action, b.rewards[r.Action], drawn, b.rewards[drawn])
		}
	})
}

// TestGumbelSamplesFromPrior: with no simulations the action played is a sample of the prior.
func TestGumbelSamplesFromPrior(t *testing.T) {
	o := mcts.DefaultOptions()
	o.Simulations = 0
	want := []float64{0.5, 0.3, 0.15, 0.05}
	e := mcts.EvaluatorFunc(func(_ mcts.Game, _ []int32, to []float32) (float64, error) {
		for i, p := range want {
			to[i] = float32(math.Log(p))
		}
		return 0, nil
	})
	for _, o.Algorithm = range []mcts.Algorithm{mcts.Gumbel, mcts.PUCT} {
		o.DirichletFraction = 0
		const draws = 20000
		counts := make([]float64, len(want))
		s, r := search(t, e, o, 1), mcts.Result{}
		for range draws {
			if err := s.Run(&bandit{rewards: make([]float64, len(want))}, &r); err != nil {
				t.Fatal(err)
			}
			counts[r.Action]++
		}
		for i, p := range want {
			if sigma := math.Sqrt(p * (1 - p) / draws); math.Abs(counts[i]/draws-p) > 5*sigma {
				t.Errorf("%s: action %d drawn with frequency %v, expected %v", o.Algorithm, i, counts[i]/draws, p)
			}
			if math.Abs(r.Policy[i]-p) > 1e-6 {
				t.Errorf("%s: policy %v, expected the prior %v", o.Algorithm, r.Policy, want)
			}
		}
	}
}

// TestDirichletMoments compares mean and variance with those of the distribution.
func TestDirichletMoments(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, alpha := range []float64{0.03, 0.3, 1, 4} {
		const k, draws = 5, 20000
		x, sum, squares := make([]float64, k), 0.0, 0.0
		for range draws {
			mcts.Dirichlet(rng, alpha, x)
			if total := expect(x, []float64{1, 1, 1, 1, 1}); math.Abs(total-1) > 1e-12 {
				t.Fatalf("%v sums to %v", x, total)
			}
			sum += x[0]
			squares += x[0] * x[0]
		}
		m := sum / draws
		variance, want := squares/draws-m*m, (1.0/k)*(1-1.0/k)/(k*alpha+1)
		if math.Abs(m-1.0/k) > 0.015 || math.Abs(variance-want) > 0.06*want {
			t.Errorf("α=%v: mean %v variance %v, expected %v and %v", alpha, m, variance, 1.0/k, want)
		}
	}
}
