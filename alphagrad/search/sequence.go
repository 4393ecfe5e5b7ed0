package search

import (
	"math"
	"math/bits"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// A sequence is an elimination order that knows, for every vertex, the neighbours it has when its turn comes.
// It turns a small change of the order into a small change of the sequence, with no replay.
//
// # Why this is exact
//
// Call S the set of vertices before x. The neighbours of x at its turn depend on S only (package elim). If x
// and the next vertex y are not neighbours at that time, exchanging them changes neither one's neighbours.
// If they are, with an edge x → y say, exchanging them leaves the predecessors of x and the successors of y
// as they are, and
//
//	succ'(x) = succ(x) − {y} ∪ succ(y)
//	pred'(y) = the predecessors y has after eliminating S.
//
// The last line is gathered from earlier vertices: a path from u to y through S has a last eliminated vertex z;
// when z's turn came, u was its predecessor and y its successor. So u is a predecessor of y in the given graph
// or of some z before y that had y as a successor, and not in S. Counting those ways of reaching y also says
// whether the edge is a unit: there must be one way, made of units. An edge x ← y mirrors all this.
//
// It follows that moving x towards its next or previous neighbour in the order is free, and that moving it
// past that neighbour, an exchange, is priced and made by looking at two vertices and their earlier
// neighbours.
type sequence struct {
	price func(p, s, np, ns int) int64
	words int
	units bool // whether price looks at unit edges

	order  []int32  // [n]: nodes in order
	place  []int32  // [nodes]: index in order, math.MaxInt32 for nodes that are not in it
	sets   []uint64 // [nodes][kinds][words]
	before []uint64 // [n+1][words]: nodes at smaller indices
	cost   []int64  // [nodes]: price of each vertex in the order
	total  int64    // sum of cost

	next exchange // the last one proposed
}

// The sets kept for every node. Adding a side, 0 for predecessors or 1 for successors, to a kind gives a set.
const (
	given      = 0  // neighbours before any elimination
	givenUnits = 2  // of those, the ones joined by a unit edge
	turn       = 4  // neighbours when its turn comes
	turnUnits  = 6  // of those, the ones joined by a unit edge
	earlier    = 8  // vertices before it that had it on their other side when their turn came
	kinds      = 10 // number of sets
)

// An exchange is a proposal: the vertex moving goes directly past its neighbour.
type exchange struct {
	first, second int32    // the two in their present order
	later         bool     // first moves past second, rather than second past first
	side          int      // first is on this side of second
	far           []uint64 // [words]: neighbours of second on that side, once it comes first
	farUnits      []uint64
	own           []uint64 // [words]: neighbours of first on the other side, once it comes second
	ownUnits      []uint64
	cost          [2]int64 // prices of first and second afterwards
}

func newSequence(g *elim.Graph, m *objective) *sequence {
	n, nodes := len(g.Eliminable()), g.Nodes()
	words := (nodes + 63) / 64
	q := &sequence{
		price:  m.price,
		words:  words,
		units:  m.units,
		order:  make([]int32, n),
		place:  make([]int32, nodes),
		sets:   make([]uint64, nodes*kinds*words),
		before: make([]uint64, (n+1)*words),
		cost:   make([]int64, nodes),
	}
	scratch := make([]uint64, 4*words)
	for i, row := range []*[]uint64{&q.next.far, &q.next.farUnits, &q.next.own, &q.next.ownUnits} {
		*row = scratch[i*words : (i+1)*words]
	}
	for u := range nodes {
		q.place[u] = math.MaxInt32
		for w := range g.Succ(u) {
			add(q.set(u, given+1), w)
			add(q.set(w, given), u)
			if g.IsUnit(u, w) {
				add(q.set(u, givenUnits+1), w)
				add(q.set(w, givenUnits), u)
			}
		}
	}
	return q
}

func (q *sequence) set(node, kind int) []uint64 {
	i := (node*kinds + kind) * q.words
	return q.sets[i : i+q.words : i+q.words]
}

func (q *sequence) prefix(i int) []uint64 { return q.before[i*q.words : (i+1)*q.words] }

// load replaces the order; vertices are nodes here.
func (q *sequence) load(order []int32) {
	for u := range q.place {
		clear(q.set(u, earlier))
		clear(q.set(u, earlier+1))
	}
	clear(q.prefix(0))
	q.total = 0
	for i, v := range order {
		q.order[i], q.place[v] = v, int32(i)
		for side := range 2 {
			q.gather(int(v), side, -1, q.prefix(i), q.set(int(v), turn+side), q.set(int(v), turnUnits+side))
			for k, word := range q.set(int(v), turn+side) {
				for ; word != 0; word &= word - 1 {
					add(q.set(64*k+bits.TrailingZeros64(word), earlier+1-side), int(v))
				}
			}
		}
		q.cost[v] = q.priceOf(int(v))
		q.total += q.cost[v]
		copy(q.prefix(i+1), q.prefix(i))
		add(q.prefix(i+1), int(v))
	}
}

// gather writes the neighbours v has on a side after eliminating the set gone, as far as they come from the
// given graph and from earlier vertices other than skip.
func (q *sequence) gather(v, side, skip int, gone, into, units []uint64) {
	for k, word := range q.set(v, given+side) {
		into[k] = word &^ gone[k]
	}
	if q.units {
		for k, word := range q.set(v, givenUnits+side) {
			units[k] = word &^ gone[k]
		}
	}
	for k, word := range q.set(v, earlier+side) {
		for ; word != 0; word &= word - 1 {
			z := 64*k + bits.TrailingZeros64(word)
			if z == skip {
				continue
			}
			reached := q.set(z, turn+side)
			if q.units {
				direct := -(q.set(z, turnUnits+1-side)[v>>6] >> (v & 63) & 1) // all ones if a unit joins z and v
				for j, u := range q.set(z, turnUnits+side) {
					// A unit if this is the only way, and no unit any more if it is not the first one.
					units[j] = units[j]&^reached[j] | u&direct&^gone[j]&^into[j]
				}
			}
			for j, w := range reached {
				into[j] |= w &^ gone[j]
			}
		}
	}
}

// size counts a set and, if units matter, its members that are not joined by a unit.
func (q *sequence) size(set, units []uint64) (all, priced int) {
	for _, w := range set {
		all += bits.OnesCount64(w)
	}
	priced = all
	if q.units {
		for _, w := range units {
			priced -= bits.OnesCount64(w)
		}
	}
	return all, priced
}

func (q *sequence) priceOf(v int) int64 {
	p, np := q.size(q.set(v, turn), q.set(v, turnUnits))
	s, ns := q.size(q.set(v, turn+1), q.set(v, turnUnits+1))
	return q.price(p, s, np, ns)
}

// propose finds the exchange that moves a vertex past its next or its previous neighbour and returns by how
// much it would change the total. It reports false if there is no such neighbour.
func (q *sequence) propose(v int32, later bool) (delta int64, ok bool) {
	x := &q.next
	x.later = later
	if later {
		nearest := int32(math.MaxInt32)
		for side := range 2 {
			for k, word := range q.set(int(v), turn+side) {
				for ; word != 0; word &= word - 1 {
					if u := int32(64*k + bits.TrailingZeros64(word)); q.place[u] < nearest {
						nearest, x.second, x.side = q.place[u], u, 1-side
					}
				}
			}
		}
		if nearest == math.MaxInt32 {
			return 0, false
		}
		x.first = v
	} else {
		nearest := int32(-1)
		for side := range 2 {
			for k, word := range q.set(int(v), earlier+side) {
				for ; word != 0; word &= word - 1 {
					if u := int32(64*k + bits.TrailingZeros64(word)); q.place[u] > nearest {
						nearest, x.first, x.side = q.place[u], u, side
					}
				}
			}
		}
		if nearest < 0 {
			return 0, false
		}
		x.second = v
	}
	q.evaluate()
	return x.cost[0] + x.cost[1] - q.cost[x.first] - q.cost[x.second], true
}

// evaluate fills in what the proposed exchange leads to.
func (q *sequence) evaluate() {
	x := &q.next
	a, b, side := int(x.first), int(x.second), x.side
	gone := q.prefix(int(q.place[a]))
	if x.later {
		gone = q.prefix(int(q.place[b])) // a is in it, and added below
	}
	q.gather(b, side, a, gone, x.far, x.farUnits)
	add(x.far, a)
	beyond := q.set(b, turn+1-side)
	own := q.set(a, turn+1-side)
	for k := range own {
		x.own[k] = own[k] | beyond[k]
	}
	remove(x.own, b)
	if q.units {
		unit := has(q.set(a, turnUnits+1-side), b)
		direct := uint64(0)
		if unit {
			add(x.farUnits, a)
			direct = ^direct
		}
		ownUnits, beyondUnits := q.set(a, turnUnits+1-side), q.set(b, turnUnits+1-side)
		for k := range own {
			x.ownUnits[k] = ownUnits[k]&^beyond[k] | beyondUnits[k]&^own[k]&direct
		}
		remove(x.ownUnits, b)
	}
	far, farPriced := q.size(x.far, x.farUnits)
	own2, ownPriced := q.size(x.own, x.ownUnits)
	near, nearPriced := q.size(q.set(a, turn+side), q.set(a, turnUnits+side))
	past, pastPriced := q.size(beyond, q.set(b, turnUnits+1-side))
	if side == 0 {
		x.cost[0] = q.price(near, own2, nearPriced, ownPriced)
		x.cost[1] = q.price(far, past, farPriced, pastPriced)
	} else {
		x.cost[0] = q.price(own2, near, ownPriced, nearPriced)
		x.cost[1] = q.price(past, far, pastPriced, farPriced)
	}
}

// accept makes the exchange proposed last.
func (q *sequence) accept() {
	x := &q.next
	a, b, side := int(x.first), int(x.second), x.side
	q.total += x.cost[0] + x.cost[1] - q.cost[a] - q.cost[b]
	q.cost[a], q.cost[b] = x.cost[0], x.cost[1]

	far, own := q.set(b, turn+side), q.set(a, turn+1-side)
	for k := range far {
		for lost := far[k] &^ x.far[k]; lost != 0; lost &= lost - 1 {
			remove(q.set(64*k+bits.TrailingZeros64(lost), earlier+1-side), b)
		}
		for won := x.own[k] &^ own[k]; won != 0; won &= won - 1 {
			add(q.set(64*k+bits.TrailingZeros64(won), earlier+side), a)
		}
	}
	remove(q.set(b, earlier+side), a)
	add(q.set(a, earlier+1-side), b)
	copy(far, x.far)
	copy(own, x.own)
	if q.units {
		copy(q.set(b, turnUnits+side), x.farUnits)
		copy(q.set(a, turnUnits+1-side), x.ownUnits)
	}

	i, j := int(q.place[a]), int(q.place[b])
	if x.later {
		for k := i; k < j; k++ {
			q.order[k] = q.order[k+1]
			q.place[q.order[k]] = int32(k)
			if k > i {
				copy(q.prefix(k), q.prefix(k+1))
				remove(q.prefix(k), a)
			}
		}
		copy(q.prefix(j), q.prefix(j+1))
		remove(q.prefix(j), a)
		q.order[j], q.place[a] = int32(a), int32(j)
	} else {
		for k := j; k > i; k-- {
			q.order[k] = q.order[k-1]
			q.place[q.order[k]] = int32(k)
			copy(q.prefix(k), q.prefix(k-1))
			add(q.prefix(k), b)
		}
		q.order[i], q.place[b] = int32(b), int32(i)
	}
}

func (q *sequence) current() ([]int32, int64) { return q.order, q.total }

func add(set []uint64, i int)      { set[i>>6] |= 1 << (i & 63) }
func remove(set []uint64, i int)   { set[i>>6] &^= 1 << (i & 63) }
func has(set []uint64, i int) bool { return set[i>>6]&(1<<(i&63)) != 0 }
