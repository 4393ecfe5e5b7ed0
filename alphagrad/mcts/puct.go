package mcts

import (
	"math"
	"math/rand/v2"
)

// runPUCT is the search of AlphaZero. It writes the policy target to r and returns the action drawn from it.
func (s *Search) runPUCT(g Game, r *Result) (int, error) {
	from := s.t.first[s.root]
	copy(s.noise, s.t.prior[from:])
	if f := s.opts.DirichletFraction; f > 0 {
		share := s.weights[:len(s.noise)]
		dirichlet(s.rng, s.opts.DirichletAlpha, share)
		for i := range s.noise {
			s.noise[i] = (1-f)*s.noise[i] + f*share[i]
		}
	}
	at := step{node: s.root, weight: 1}
	for range s.opts.Simulations {
		if err := s.simulate(g, s.selectPUCT(at, s.noise)-from); err != nil {
			return 0, err
		}
	}
	return s.drawByVisits(r), nil
}

// selectPUCT returns the edge for which
//
//	Q̄(a) + π(a) · √N / (1 + N(a)) · (c₁ + log((N + c₂ + 1) / c₂))
//
// is largest, N the visits of the node, its own evaluation included, and Q̄ the normalised Q; the first in the order
// of edges among equals. Actions never taken count as the worst of the values around: those of the node itself and
// of the actions taken. priors has one entry per edge of the node.
func (s *Search) selectPUCT(at step, priors []float64) int32 {
	t := &s.t
	from, seen := t.first[at.node], t.seen[at.node]
	k := s.know(at.node)
	worst := min(k.lo, t.value[at.node])
	unit := s.unit(worst, max(k.hi, t.value[at.node]), at.weight)
	n := float64(1 + t.sum[at.node])
	c := math.Sqrt(n) * (s.opts.PUCTInit + math.Log((n+s.opts.PUCTBase+1)/s.opts.PUCTBase))
	best, high := none, math.Inf(-1)
	// Behind the visited edges comes the likeliest of the others, which is the best of them.
	for i := range min(seen+1, t.count[at.node]) {
		e := from + i
		x := c * priors[i] / float64(1+t.visits[e])
		if t.visits[e] > 0 {
			x += (s.q[i] - worst) * unit
		}
		if x > high {
			best, high = e, x
		}
	}
	return best
}

// drawByVisits writes the policy N^(1/T) to r and returns an action drawn from it, as an index among the legal ones.
// Without visits the prior, noise included, takes their place.
func (s *Search) drawByVisits(r *Result) int {
	from := s.t.first[s.root]
	most, best := math.Inf(-1), 0
	for i := range r.Policy {
		count := float64(s.visits[i])
		if s.opts.Simulations == 0 {
			count = s.noise[i]
		}
		r.Policy[i] = count
		e := from + int32(i)
		switch {
		case count > most:
			most, best = count, i
		case count == most && count > 0 && s.opts.Simulations > 0 && s.t.q(e, s.opts.Discount) > s.t.q(from+int32(best), s.opts.Discount):
			best = i
		}
	}
	if s.opts.Temperature == 0 {
		clear(r.Policy)
		r.Policy[best] = 1
		return best
	}
	total := 0.0
	for i, count := range r.Policy {
		r.Policy[i] = math.Pow(count/most, 1/s.opts.Temperature)
		total += r.Policy[i]
	}
	mark := s.rng.Float64()
	for i := range r.Policy {
		r.Policy[i] /= total
		mark -= r.Policy[i]
		if mark < 0 {
			best, mark = i, math.Inf(1)
		}
	}
	return best
}

// dirichlet draws from the symmetric Dirichlet distribution by normalising gamma variables. In logarithms, because
// small concentrations give variables below the smallest float64.
func dirichlet(rng *rand.Rand, alpha float64, to []float64) {
	top := math.Inf(-1)
	for i := range to {
		to[i] = logGamma(rng, alpha)
		top = max(top, to[i])
	}
	total := 0.0
	for i, x := range to {
		to[i] = math.Exp(x - top)
		total += to[i]
	}
	for i := range to {
		to[i] /= total
	}
}

// logGamma draws the logarithm of a gamma variable of the given shape and scale 1 by the method of Marsaglia and
// Tsang, "A simple method for generating gamma variables", ACM Transactions on Mathematical Software 26, 2000, which
// also reduces shapes below 1 to larger ones.
func logGamma(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return logGamma(rng, shape+1) - rng.ExpFloat64()/shape // −Exp(1) is the logarithm of a uniform variable
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if -rng.ExpFloat64() < x*x/2+d-d*v+d*math.Log(v) {
			return math.Log(d * v)
		}
	}
}
