package search

import (
	"iter"
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// A rule scores the vertices that can be eliminated next; the lowest score is taken. To add one, add a row.
type rule struct {
	name  string
	score func(r *run, s *elim.State, vertex int) int64
	// wide rules look further than the numbers of the vertex's neighbours, so that all scores must be computed
	// anew at every step. They are skipped on graphs of more than widest vertices, where that takes too long.
	wide bool
}

const widest = 400

var rules = []rule{
	{name: "price", score: func(r *run, s *elim.State, v int) int64 { return r.objective.local(s, v) }},
	{name: "growth", score: func(_ *run, s *elim.State, v int) int64 { return growth(s, v) }},
	{name: "excess", score: excess},
	{name: "fill", score: func(_ *run, s *elim.State, v int) int64 { return growth(s, v) - int64(s.Merged(v)) }, wide: true},
	{name: "lookahead", score: lookahead, wide: true},
}

// excess is the price beyond what the vertex costs in any order.
func excess(r *run, s *elim.State, v int) int64 { return r.objective.local(s, v) - r.cuts[v] }

// lookahead is the price plus what eliminating the vertex adds to the prices of its neighbours.
func lookahead(r *run, s *elim.State, v int) int64 {
	score := r.objective.local(s, v) - r.around(s, v)
	s.Eliminate(v)
	score += r.around(s, v)
	s.Undo()
	return score
}

// around sums the prices of the neighbours of a vertex, which may have just been eliminated.
func (r *run) around(s *elim.State, v int) (sum int64) {
	g := s.Graph()
	price := func(u int) {
		if k := g.Vertex(u); g.IsEliminable(k) {
			sum += r.objective.local(s, k)
		}
	}
	for u := range s.Pred(g.Node(v)) {
		price(u)
	}
	for u := range s.Succ(g.Node(v)) {
		price(u)
	}
	return sum
}

// How to choose among vertices of equal score.
const (
	lowest = iota
	highest
	either // at random
)

// build makes an order by a rule, or returns nil if the run is to end first.
func build(r *run, rule rule, ties int, rng *rand.Rand) []int {
	g := r.graph
	s := r.objective.state(g)
	left := g.Eliminable()
	order := make([]int, 0, len(left))
	score := make([]int64, g.Vertices()+1)
	rescore := func(v int) bool {
		if r.grant(1) == 0 {
			return false
		}
		score[v] = rule.score(r, s, v)
		return true
	}
	for _, v := range left {
		if !rescore(v) {
			return nil
		}
	}
	for len(left) > 0 {
		best, same := 0, 0
		for i, v := range left {
			switch {
			case i == 0 || score[v] < score[left[best]]:
				best, same = i, 1
			case score[v] == score[left[best]]:
				same++
				if ties == highest || ties == either && rng.IntN(same) == 0 {
					best = i
				}
			}
		}
		v := left[best]
		left = append(left[:best], left[best+1:]...)
		order = append(order, v)
		s.Apply(v)
		if rule.wide {
			for _, u := range left {
				if !rescore(u) {
					return nil
				}
			}
			continue
		}
		for _, side := range []func(int) iter.Seq[int]{s.Pred, s.Succ} {
			for u := range side(g.Node(v)) {
				if k := g.Vertex(u); g.IsEliminable(k) && !rescore(k) {
					return nil
				}
			}
		}
	}
	return order
}

// greedy tries every rule with both fixed ways of breaking ties, and then all of them in turn with ties broken
// at random, until that has not helped for a while.
func greedy(r *run, rng *rand.Rand) {
	r.offer(elim.Reverse(r.graph))
	r.offer(elim.Forward(r.graph))
	const patience = 8 // rounds without improvement
	for round, helped := 0, 0; round-helped < patience; round++ {
		before := r.cost
		for _, rule := range rules {
			if rule.wide && len(r.graph.Eliminable()) > widest {
				continue
			}
			order := build(r, rule, min(round, either), rng)
			if order == nil {
				return
			}
			r.offer(order)
		}
		if r.cost < before {
			helped = round
		}
	}
}

// random draws orders until the budget is spent.
func random(r *run, rng *rand.Rand) {
	order := r.graph.Eliminable()
	for r.grant(int64(max(1, len(order)))) > 0 {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		r.offer(order)
	}
}
