package search

import "math/rand/v2"

// The portfolio attempts a proof with a share of its evaluations, and at most this many: graphs that small
// searches can settle are settled by then.
const (
	proofShare = 10
	proofMost  = 300_000
)

// portfolio runs the methods in the order in which they pay off: two plain orders, a moment of annealing, an order proposed
// from outside if there is a proposer, and a cycle of annealing take milliseconds; greedy orders may be better starts of the
// next cycles; an exact search may then prove the best order optimal; whatever budget remains goes into further annealing,
// from proposed orders in turn with the best.
func portfolio(r *run, rng *rand.Rand) {
	plain(r, rng)
	a := newAnnealer(r, rng)
	if a == nil {
		return
	}
	a.cycle(a.steps()/16, max(2*coldest, a.scale*heats[0])) // a glance, which settles small graphs
	proposed := r.stop == "" && r.propose() != nil
	a.restart()
	if proposed {
		a.polish()
		a.restart()
	}
	if !a.cycles(1) {
		return
	}
	greedy(r, rng)
	a.restart()
	if !a.cycles(len(heats)) {
		return
	}
	if r.proves() {
		prove(r, min(r.left()/proofShare, proofMost))
	}
	a.restart()
	for proposed && r.stop == "" {
		if order := r.propose(); order != nil && r.stop == "" {
			a.start(order)
			a.polish()
			a.restart()
		}
		a.cycles(1)
	}
	a.cycles(1 << 62)
}
