package mcts

import (
	"math"
	"slices"
)

// runGumbel is Algorithm 2 of the paper: it draws actions by the Gumbel-top-k trick, simulates them by sequential
// halving and returns the one to play.
func (s *Search) runGumbel(g Game) (int, error) {
	logp := s.t.logp[s.t.first[s.root]:]
	for i := range s.noise {
		// −log of a unit exponential variable has the standard Gumbel distribution.
		s.noise[i] = -s.opts.GumbelScale * math.Log(max(s.rng.ExpFloat64(), math.SmallestNonzeroFloat64))
	}
	// The unvisited actions of a root share one Q, so noise and logit alone decide which come first.
	s.order = s.order[:0]
	for i := range s.noise {
		s.order = append(s.order, int32(i))
	}
	slices.SortStableFunc(s.order, func(a, b int32) int {
		switch x, y := s.noise[a]+logp[a], s.noise[b]+logp[b]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	s.order = s.order[:min(s.opts.Considered, len(s.order))]

	s.stages = appendSchedule(s.stages[:0], len(s.order), s.opts.Simulations)
	level := int32(0) // visits of every surviving action
	for _, stage := range s.stages {
		begin := len(s.trace)
		for j := range stage.Simulations {
			if err := s.simulate(g, s.bestOf(level+int32(j/stage.Considered))); err != nil {
				return 0, err
			}
		}
		level += int32(stage.Rounds)
		s.recordStage(stage, s.trace[begin:begin+min(stage.Considered, stage.Simulations)])
	}
	most := int32(0)
	for _, i := range s.order {
		most = max(most, s.visits[i])
	}
	return int(s.bestOf(most)), nil
}

// bestOf returns the considered action with the highest score among those that this search visited the given number
// of times, as an index among the legal ones; the one drawn first among equals.
func (s *Search) bestOf(visits int32) int32 {
	best, high := none, math.Inf(-1)
	k := s.know(s.root)
	scale, top := s.sigma(k, 1)
	for _, i := range s.order {
		if s.visits[i] != visits {
			continue
		}
		if score := s.score(i, k, scale, top); best == none || score > high {
			best, high = i, score
		}
	}
	return best
}

// score is g(a) + logits(a) + σ(q̂(a)) of a legal action of the root, up to a term that all of them share.
func (s *Search) score(i int32, k knowledge, scale, top float64) float64 {
	e := s.t.first[s.root] + i
	q := k.mixed
	if s.t.visits[e] > 0 {
		q = s.q[i]
	}
	return s.noise[i] + s.t.logp[e] + scale*(q-top)
}

// sigma returns the factor of σ (see Options.ValueScale), normalisation included, and the highest completed Q: subtracting it
// changes no softmax and keeps exponents small.
func (s *Search) sigma(k knowledge, weight float64) (scale, top float64) {
	lo, hi := k.lo, k.hi
	if k.unvisited {
		lo, hi = min(lo, k.mixed), max(hi, k.mixed)
	}
	return (s.opts.VisitOffset + float64(k.most)) * s.opts.ValueScale * s.unit(lo, hi, weight), hi
}

// selectGumbel returns the edge to take from an interior node (equation 14): the one for which
//
//	π′(a) − N(a) / (1 + Σ N)
//
// is largest, so that visits approach the improved policy π′; the likelier by the prior among equals. All unvisited
// actions have the same Q, so that only the likeliest of them can be that edge, and the others matter only by their
// total probability.
func (s *Search) selectGumbel(at step) int32 {
	t := &s.t
	from, seen := t.first[at.node], t.seen[at.node]
	if seen == 0 {
		return from
	}
	k := s.know(at.node)
	scale, top := s.sigma(k, at.weight)
	high := math.Inf(-1)
	for i := range seen {
		w := t.logp[from+i] + scale*(s.q[i]-top)
		s.weights[i] = w
		high = max(high, w)
	}
	next := from + seen
	open, rest := 0.0, 0.0 // weights of the likeliest unvisited action, and of all of them
	if k.unvisited {
		open = t.logp[next] + scale*(k.mixed-top)
		high = max(high, open)
		open = math.Exp(open - high)
		// The bounds undo what cancellation may do to a small difference.
		likeliest := t.prior[next]
		left := min(max(1-k.mass, likeliest), likeliest*float64(t.count[at.node]-seen))
		rest = open * (left / likeliest)
	}
	total := rest
	for i := range seen {
		s.weights[i] = math.Exp(s.weights[i] - high)
		total += s.weights[i]
	}
	best, gain := none, math.Inf(-1)
	for i := range seen {
		x := s.weights[i]/total - float64(t.visits[from+i])/float64(1+t.sum[at.node])
		if x > gain {
			best, gain = from+i, x
		}
	}
	if k.unvisited && open/total > gain {
		best = next
	}
	return best
}

// improve writes the improved policy of a node (section 4), in the order of its edges, to policy and its
// completed Q-values to q, both as long as the node has edges.
func (s *Search) improve(n int32, weight float64, policy, q []float64) {
	k := s.know(n)
	scale, top := s.sigma(k, weight)
	from := s.t.first[n]
	for i := range q {
		q[i] = k.mixed
		if s.t.visits[from+int32(i)] > 0 {
			q[i] = s.q[i]
		}
	}
	improvedPolicy(policy, s.t.logp[from:], q, scale, top)
}

// improvedPolicy writes softmax(logits + scale·(q − top)).
func improvedPolicy(policy, logits, q []float64, scale, top float64) {
	high := math.Inf(-1)
	for i := range policy {
		policy[i] = logits[i] + scale*(q[i]-top)
		high = max(high, policy[i])
	}
	total := 0.0
	for i, x := range policy {
		policy[i] = math.Exp(x - high)
		total += policy[i]
	}
	for i := range policy {
		policy[i] /= total
	}
}
