package search

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

const (
	widestBeam = 1 << 14
	// Beams stop growing when their states would take this many bytes.
	beamMemory = 256 << 20
)

// A partial is a set of eliminated vertices in a beam, with the cheapest way found to eliminate it.
type partial struct {
	state *elim.State
	order []int
	cost  int64
	score int64  // prices paid and those its remaining vertices have now, less those of the untouched graph
	hash  uint64 // exclusive or of the keys of the set's vertices
}

// A candidate is a partial to come: one more vertex after a parent.
type candidate struct {
	parent, vertex int
	cost, score    int64
	hash           uint64
}

// beam runs beam searches of growing width. Sets reached in several ways are kept once, in the cheapest way:
// nothing that follows depends on the way.
func beam(r *run, rng *rand.Rand) {
	g := r.graph
	perState := 8 * g.Nodes() * 4 * ((g.Nodes() + 63) / 64)
	if g.IsStructured() {
		perState += 4 * g.Nodes() * g.Nodes()
	}
	keys := make([]uint64, g.Vertices()+1)
	for i := range keys {
		keys[i] = rng.Uint64()
	}
	for width := 1; width <= widestBeam && (width == 1 || 2*width*perState <= beamMemory); width *= 4 {
		order := sweep(r, width, keys)
		if order == nil {
			return
		}
		r.offer(order)
	}
}

// sweep runs one beam search, or returns nil if the run is to end first.
func sweep(r *run, width int, keys []uint64) []int {
	n := len(r.graph.Eliminable())
	level := []partial{{state: r.objective.state(r.graph)}}
	var spare []*elim.State
	var pool []candidate
	for range n {
		pool = pool[:0]
		for i := range level {
			p := &level[i]
			for v := range p.state.Remaining() {
				if r.grant(1) == 0 {
					return nil
				}
				step := r.objective.step(p.state, v)
				rise := lookahead(r, p.state, v) - r.objective.local(p.state, v)
				pool = append(pool, candidate{i, v, p.cost + step, p.score + rise, p.hash ^ keys[v]})
			}
		}
		next := make([]partial, 0, width)
		for _, c := range pick(pool, width) {
			var s *elim.State
			if k := len(spare); k > 0 {
				s, spare = spare[k-1], spare[:k-1]
			} else {
				s = r.objective.state(r.graph)
			}
			s.CopyFrom(level[c.parent].state)
			s.Apply(c.vertex)
			order := append(append(make([]int, 0, n), level[c.parent].order...), c.vertex)
			next = append(next, partial{s, order, c.cost, c.score, c.hash})
		}
		for _, p := range level {
			spare = append(spare, p.state)
		}
		level = next
	}
	return level[0].order
}

// pick returns the best candidates, one for every set, in an order that depends on nothing but them.
func pick(pool []candidate, width int) []candidate {
	slices.SortFunc(pool, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.hash, b.hash), cmp.Compare(a.cost, b.cost),
			cmp.Compare(a.parent, b.parent), cmp.Compare(a.vertex, b.vertex))
	})
	// Ways to the same set lead to the same prices, so their scores differ as their costs do: the first is the
	// cheapest.
	kept := pool[:0]
	seen := make(map[uint64]bool, width)
	for _, c := range pool {
		if len(kept) == width {
			break
		}
		if !seen[c.hash] {
			seen[c.hash] = true
			kept = append(kept, c)
		}
	}
	return kept
}
