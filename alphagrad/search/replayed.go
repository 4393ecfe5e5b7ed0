package search

import (
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// A walker holds an elimination order and prices small changes of it.
type walker interface {
	load(order []int32)                                 // replaces the order; vertices are nodes here
	propose(v int32, later bool) (delta int64, ok bool) // a change that moves v later or earlier
	accept()                                            // makes the change proposed last
	current() (order []int32, total int64)              // the order, valid until the next change, and its cost
}

func newWalker(r *run, rng *rand.Rand) walker {
	if !r.proves() {
		return &replayed{ledger: r.newLedger(), graph: r.graph, rng: rng}
	}
	return newSequence(r.graph, r.objective)
}

// A replayed order is priced by eliminating in that order, from the first vertex that changed. It serves graphs of arrays,
// whose costs depend on more than neighbours, so that nothing less is exact.
type replayed struct {
	ledger Ledger
	graph  *elim.Graph
	rng    *rand.Rand
	done   []int32 // what the ledger has eliminated
	order  []int32
	total  int64
	next   []int32 // the order proposed last
	cost   int64
}

func (q *replayed) load(order []int32) {
	q.order = append(q.order[:0], order...)
	q.total = q.replay(q.order)
}

// replay eliminates in an order, undoing only what differs from the last one.
func (q *replayed) replay(order []int32) int64 {
	same := 0
	for same < len(q.done) && q.done[same] == order[same] {
		same++
	}
	for range len(q.done) - same {
		q.ledger.Undo()
	}
	q.done = append(q.done[:same], order[same:]...)
	for _, v := range order[same:] {
		q.ledger.Eliminate(q.graph.Vertex(int(v)))
	}
	return q.ledger.Cost()
}

// propose moves a vertex by a random distance, short ones more often.
func (q *replayed) propose(v int32, later bool) (int64, bool) {
	from := 0
	for q.order[from] != v {
		from++
	}
	distance := 1
	for distance < len(q.order) && q.rng.Uint64()&3 != 0 {
		distance += 1 + distance/2
	}
	to := max(0, from-distance)
	if later {
		to = min(len(q.order)-1, from+distance)
	}
	if to == from {
		return 0, false
	}
	q.next = append(q.next[:0], q.order...)
	if to > from {
		copy(q.next[from:to], q.order[from+1:to+1])
	} else {
		copy(q.next[to+1:from+1], q.order[to:from])
	}
	q.next[to] = v
	q.cost = q.replay(q.next)
	return q.cost - q.total, true
}

func (q *replayed) accept() {
	q.order, q.next = q.next, q.order
	q.total = q.cost
}

func (q *replayed) current() ([]int32, int64) { return q.order, q.total }
