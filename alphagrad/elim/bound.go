package elim

import (
	"context"
	"math/bits"
)

// maxCut ends the search for disjoint paths. A smaller cut than the true one still bounds from below, and
// without a limit a dense graph of thousands of nodes would keep a single vertex busy for seconds.
const maxCut = 256

// LowerBound returns a number of multiplications that every way of eliminating the remaining vertices needs:
// the sum over those vertices v of
//
//	mincut(inputs, v) · mincut(v, outputs)
//
// with minimum vertex cuts in the current graph, where inputs and outputs may be part of a cut and v may not.
// Vertices that no input reaches or that reach no output contribute nothing.
//
// Proof. Consider the moment some order eliminates v. Every path from an input to v in the current graph, with
// the vertices eliminated since then skipped, is a path in the graph of that moment; its last node before v is
// a predecessor of v there, and a node of the original path. So the predecessors v has then separate it from
// the inputs now, and there are at least as many as in a minimum cut; likewise its successors and the outputs.
// The order pays their product. Cuts only grow as elimination proceeds, by the same argument, so the bound of
// a state never falls below that of an earlier one less what was paid for in between.
//
// If the context ends first the sum is incomplete, which complete reports; every term being non-negative, it
// is a bound all the same.
func LowerBound(ctx context.Context, s *State) (bound int64, complete bool) {
	if s.g.IsStructured() {
		return 0, true // counting edges bounds nothing there
	}
	b := NewBounder(s.g)
	for v := range s.Remaining() {
		if ctx.Err() != nil {
			return bound, false
		}
		in, out := b.Cuts(s, v)
		bound += int64(in) * int64(out)
	}
	return bound, true
}

// A Bounder computes minimum cuts and owns the memory that takes. It is not safe for concurrent use.
//
// The cut is found as its dual, a largest set of paths that share no node but v, by augmenting paths in the
// graph with every node split into an entrance and an exit (Menger 1927; Ford and Fulkerson 1956). Paths are
// searched from v outwards, against the edges for the inputs and along them for the outputs; "next" and
// "prior" below follow that direction.
type Bounder struct {
	g       *Graph
	starts  []uint64 // [words]: the inputs
	onPath  []uint64 // [words]: nodes some path of the current set uses
	entered []uint64 // [words]: nodes whose entrance the current search has reached
	left    []uint64 // [words]: nodes whose exit the current search has reached
	prior   []int32  // [nodes]: the node before it on its path
	from    []int32  // [nodes]: the exit from which the search reached its entrance
	undid   []int32  // [nodes]: for a node on a path, the node after it whose entrance led back to its exit, or −1
	queue   []int32  // exits still to be searched from
}

// NewBounder returns a Bounder for states of a graph.
func NewBounder(g *Graph) *Bounder {
	b := &Bounder{
		g:       g,
		starts:  make([]uint64, g.words),
		onPath:  make([]uint64, g.words),
		entered: make([]uint64, g.words),
		left:    make([]uint64, g.words),
		prior:   make([]int32, g.nodes),
		from:    make([]int32, g.nodes),
		undid:   make([]int32, g.nodes),
		queue:   make([]int32, 0, g.nodes),
	}
	for i := range g.inputs {
		set(b.starts, i)
	}
	return b
}

// Cuts returns the sizes of minimum vertex cuts between the inputs and a vertex and between the vertex and the
// outputs, in the current graph of a state. Both are 0 for a number that is no vertex.
func (b *Bounder) Cuts(s *State, vertex int) (in, out int) {
	v := b.g.Node(vertex)
	if b.g.Vertex(v) == 0 || s.g != b.g {
		return 0, 0
	}
	return b.disjoint(s, v, pred, b.starts), b.disjoint(s, v, succ, b.g.ends)
}

// disjoint counts paths from v to the targets that share no node but v, walking to the given side.
func (b *Bounder) disjoint(s *State, v, side int, targets []uint64) int {
	clear(b.onPath)
	limit := min(s.degree(v, side), maxCut)
	paths := 0
	for paths < limit && b.augment(s, int32(v), side, targets) {
		paths++
	}
	return paths
}

// augment looks for one more path and adds it to the set.
func (b *Bounder) augment(s *State, v int32, side int, targets []uint64) bool {
	clear(b.entered)
	clear(b.left)
	set(b.entered, int(v)) // v is where paths start: none passes through it
	set(b.left, int(v))
	b.queue = append(b.queue[:0], v)
	for head := 0; head < len(b.queue); head++ {
		u := b.queue[head]
		for i, word := range rowOf(s.rows, b.g.words, int(u), side) {
			word &^= b.entered[i]
			b.entered[i] |= word
			if goal := word & targets[i] &^ b.onPath[i]; goal != 0 {
				w := int32(64*i + bits.TrailingZeros64(goal))
				b.from[w] = u
				b.accept(v, w)
				return true
			}
			for ; word != 0; word &= word - 1 {
				w := int32(64*i + bits.TrailingZeros64(word))
				b.from[w] = u
				b.enter(v, w)
			}
		}
	}
	return false
}

// enter continues a search that has reached the entrance of w: through w if no path uses it, and otherwise
// back along that path, freeing its part from the node before w on.
func (b *Bounder) enter(v, w int32) {
	if !has(b.onPath, int(w)) {
		set(b.left, int(w))
		b.undid[w] = -1
		b.queue = append(b.queue, w)
		return
	}
	// The exit of the node before w is reached, and as the path no longer needs to pass through that node,
	// its entrance too, and so on back to v.
	for after := w; ; {
		u := b.prior[after]
		if u == v || has(b.left, int(u)) {
			return
		}
		set(b.left, int(u))
		b.undid[u] = after
		b.queue = append(b.queue, u)
		if has(b.entered, int(u)) {
			return
		}
		set(b.entered, int(u))
		b.from[u] = -1 // its entrance was reached from its own exit
		after = u
	}
}

// accept turns the search that ended at the free target w into paths, backwards from w: a step along an edge
// joins its two nodes on a path, a step back along a path takes its edge or its node away from it.
func (b *Bounder) accept(v, w int32) {
	set(b.onPath, int(w))
	for {
		u := b.from[w] // at the entrance of w, reached from the exit of u
		if u < 0 {
			clear1(b.onPath, int(w))
			u = w
		} else {
			b.prior[w] = u
		}
		if u == v {
			return
		}
		if after := b.undid[u]; after >= 0 {
			w = after
		} else {
			set(b.onPath, int(u))
			w = u
		}
	}
}
