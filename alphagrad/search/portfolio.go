package search

import "math/rand/v2"

// The portfolio attempts a proof with a share of its evaluations, and at most this many: graphs that small
// searches can settle are settled by then.
const (
	proofShare = 10
	proofMost  = 300_000
)

// portfolio runs the methods in the order in which they pay off: greedy orders take milliseconds, a few
// cycles of annealing find a very good order, which an exact search may then prove optimal; whatever budget
// remains goes into further annealing.
func portfolio(r *run, rng *rand.Rand) {
	greedy(r, rng)
	a := newAnnealer(r, rng)
	if a == nil || !a.cycles(len(heats)) {
		return
	}
	if !r.graph.IsStructured() {
		prove(r, min(r.left()/proofShare, proofMost))
	}
	a.restart()
	a.cycles(1 << 62)
}
