package search

import (
	"cmp"
	"container/heap"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// maxSets is how many sets an exact search remembers: some hundred megabytes at a hundred vertices.
const maxSets = 1 << 20

// A node of the exact search is a set of eliminated vertices.
type node struct {
	paid   int64 // the least found to eliminate the set
	ahead  int64 // lower bound on what is left to pay
	parent int32 // node it was reached from, −1 at the root
	vertex int32 // eliminated last
	priced bool  // ahead comes from cuts in the set's own graph rather than from its parent
	closed bool  // expanded
}

func (n *node) total() int64 { return n.paid + n.ahead }

// A visit is an entry of the frontier: a node as it was when put there.
type visit struct {
	total, paid int64
	node        int32
}

// A frontier is the heap of nodes to look at, the most promising first: the lowest total, the most paid, hence
// the closest to the end, among those, and the oldest.
type frontier []visit

func (f frontier) Len() int      { return len(f) }
func (f frontier) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f frontier) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(f[i].total, f[j].total), cmp.Compare(f[j].paid, f[i].paid), cmp.Compare(f[i].node, f[j].node)) < 0
}
func (f *frontier) Push(x any) { *f = append(*f, x.(visit)) }
func (f *frontier) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

// exact proves an order optimal, or stops with a better bound when the budget or its memory is spent.
func exact(r *run, rng *rand.Rand) {
	greedy(r, rng)
	if a := newAnnealer(r, rng); a != nil && r.left() > 4*longestFirst {
		a.cycles(1) // a good order first keeps hopeless sets out of memory
	}
	prove(r, r.left())
	if r.stop == "" {
		r.stop = BudgetSpent // of memory
	}
}

// A proof is an exact search under way.
type proof struct {
	run   *run
	state *elim.State
	cuts  *elim.Bounder
	nodes []node
	index map[string]int32 // from the set of a node to the node
	open  frontier
	set   []byte  // [vertices/8 rounded up]: the set of the node being expanded
	share []int64 // [vertices+1]: cut product of each remaining vertex in the graph of that node
}

// prove is A* over sets of eliminated vertices (Hart, Nilsson and Raphael 1968), within a number of
// evaluations. The graph after a set does not depend on how it was reached, so one node per set suffices. The
// sum of cuts never overestimates, and from a set to a larger one it falls by no more than the step costs (see
// elim.LowerBound), so the first complete order taken from the frontier is optimal, and the least total in the
// frontier is a lower bound at any time. A node's cuts are computed only once it comes up; until then it has
// its parent's bound less the share of the vertex eliminated. Objectives without a bound search with zero.
//
// When prove returns, the order is certified, the run is to end, or the evaluations or the memory are spent.
func prove(r *run, evaluations int64) {
	if r.best == nil || r.stop != "" {
		return
	}
	p := &proof{
		run: r, state: r.objective.state(r.graph), cuts: elim.NewBounder(r.graph), index: map[string]int32{},
		set: make([]byte, r.graph.Vertices()/8+1), share: make([]int64, r.graph.Vertices()+1),
	}
	end := r.used + min(evaluations, r.left())
	p.reach(0, node{parent: -1})
	for len(p.open) > 0 {
		top := heap.Pop(&p.open).(visit)
		if n := &p.nodes[top.node]; n.closed || n.total() != top.total {
			continue // reached more cheaply since
		}
		r.raise(min(top.total, r.cost))
		if r.stop != "" || r.used >= end || len(p.nodes) > maxSets || !p.expand(top.node) {
			return
		}
	}
	r.raise(r.cost) // every set left out leads to nothing cheaper
}

// reach records that the set being expanded, with one more vertex (0 for none), can be reached in a new way.
func (p *proof) reach(vertex int, n node) {
	if n.total() >= p.run.cost {
		return
	}
	flip(p.set, vertex)
	defer flip(p.set, vertex)
	i, known := p.index[string(p.set)]
	if !known {
		i = int32(len(p.nodes))
		p.index[string(p.set)] = i
		p.nodes = append(p.nodes, n)
	} else {
		old := &p.nodes[i]
		if n.paid >= old.paid {
			return
		}
		if old.priced {
			n.ahead, n.priced = old.ahead, true
		} else {
			n.ahead = max(n.ahead, old.ahead)
		}
		*old = n
	}
	heap.Push(&p.open, visit{p.nodes[i].total(), n.paid, i})
}

// flip adds a vertex to a set or takes it out.
func flip(set []byte, vertex int) { set[vertex/8] ^= 1 << (vertex % 8) }

// visitState brings state and set to those of a node and returns the order that led there.
func (p *proof) visitState(i int32) []int {
	var order []int
	for n := p.nodes[i]; n.parent >= 0; n = p.nodes[n.parent] {
		order = append(order, int(n.vertex))
	}
	slices.Reverse(order)
	p.state.Reset()
	clear(p.set)
	for _, v := range order {
		p.state.Apply(v)
		flip(p.set, v)
	}
	return order
}

// expand reaches all sets with one more vertex than a node has, unless its bound rises when computed. It
// reports false if the run is to end.
func (p *proof) expand(i int32) bool {
	r := p.run
	order := p.visitState(i)
	left := int64(p.state.Left())
	if left == 0 {
		p.nodes[i].closed = true
		r.offer(order)
		return true
	}
	if r.grant(left) < left {
		return false
	}
	if r.objective.bounded {
		bound := int64(0)
		for v := range p.state.Remaining() {
			in, out := p.cuts.Cuts(p.state, v)
			p.share[v] = int64(in) * int64(out)
			bound += p.share[v]
		}
		n := &p.nodes[i]
		rose := bound > n.ahead
		n.ahead, n.priced = max(bound, n.ahead), true
		if n.total() >= r.cost {
			n.closed = true
			return true
		}
		if rose && len(p.open) > 0 && p.open[0].total < n.total() {
			heap.Push(&p.open, visit{n.total(), n.paid, i})
			return true
		}
	}
	n := p.nodes[i]
	p.nodes[i].closed = true
	if v := p.free(); v > 0 {
		p.step(i, n, v)
		return true
	}
	for v := range p.state.Remaining() {
		p.step(i, n, v)
	}
	return true
}

func (p *proof) step(from int32, n node, v int) {
	cost := p.run.objective.step(p.state, v)
	p.reach(v, node{paid: n.paid + cost, ahead: max(0, n.ahead-p.share[v]), parent: from, vertex: int32(v)})
}

// free finds a vertex that some best order eliminates next, or returns 0.
//
// A vertex without predecessors or without successors costs nothing and only takes itself out of the rows of
// others. A vertex v with one predecessor, an input, only puts that input in its own place among the
// predecessors of others, whatever else has been eliminated; if it costs no more now than its cuts say it ever
// will, moving it to the front of an order makes nothing dearer. The same holds with one successor where
// accumulation ends.
func (p *proof) free() int {
	g, s := p.state.Graph(), p.state
	only := func(nodes iter.Seq[int]) int {
		for u := range nodes {
			return u
		}
		return -1
	}
	for v := range s.Remaining() {
		u := g.Node(v)
		preds, succs := s.PredCount(u), s.SuccCount(u)
		if preds == 0 || succs == 0 {
			return v
		}
		if p.run.objective.bounded && int64(preds)*int64(succs) == p.share[v] &&
			(preds == 1 && only(s.Pred(u)) < g.Inputs() || succs == 1 && g.IsEnd(only(s.Succ(u)))) {
			return v
		}
	}
	return 0
}
