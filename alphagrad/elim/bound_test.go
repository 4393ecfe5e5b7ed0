package elim

import (
	"context"
	"math/bits"
	"testing"

	"pgregory.net/rapid"
)

// bestOfSets finds the cheapest order by dynamic programming over all sets of eliminated vertices, on the
// naive graph.
func bestOfSets(g *Graph, spec Spec) int64 {
	el := g.Eliminable()
	best := make([]int64, 1<<len(el))
	for set := 1; set < len(best); set++ {
		best[set] = 1 << 60
		for x := uint(set); x != 0; x &= x - 1 {
			last := bits.TrailingZeros(x)
			n := newNaive(spec)
			for i, v := range el {
				if set>>i&1 == 1 && i != last {
					n.eliminate(v)
				}
			}
			best[set] = min(best[set], best[set&^(1<<last)]+int64(n.eliminate(el[last])))
		}
	}
	return best[len(best)-1]
}

func TestBoundNeverExceedsTheOptimum(t *testing.T) {
	tight := 0
	rapid.Check(t, func(t *rapid.T) {
		g, spec := drawGraph(t, 11)
		bound, complete := LowerBound(context.Background(), NewState(g))
		best := bestOfSets(g, spec)
		if !complete || bound > best {
			t.Fatalf("bound %d (complete: %v) exceeds the optimum %d", bound, complete, best)
		}
		if bound == best && best > 0 {
			tight++
		}
	})
	if tight == 0 {
		t.Error("the bound was never tight on a graph that costs anything")
	}
}

// cutByEnumeration is the smallest set of nodes other than v that meets every path from v to a target.
func cutByEnumeration(s *State, v, side int, targets []uint64) int {
	var others []int
	for u := range s.g.nodes {
		if u != v && !s.Eliminated(s.g.Vertex(u)) {
			others = append(others, u)
		}
	}
	best := len(others)
	for choice := range 1 << len(others) {
		if bits.OnesCount(uint(choice)) >= best {
			continue
		}
		removed := map[int]bool{}
		for i, u := range others {
			removed[u] = choice>>i&1 == 1
		}
		reached := map[int]bool{v: true}
		queue, open := []int{v}, false
		for len(queue) > 0 {
			u := queue[0]
			queue = queue[1:]
			for w := range s.g.each(s.rows, u, side) {
				if !reached[w] && !removed[w] {
					reached[w] = true
					queue = append(queue, w)
					open = open || has(targets, w)
				}
			}
		}
		if !open {
			best = bits.OnesCount(uint(choice))
		}
	}
	return best
}

func TestCutsAgreeWithEnumeration(t *testing.T) {
	largest := 0
	rapid.Check(t, func(t *rapid.T) {
		g, _ := drawGraph(t, 9)
		if g.Nodes() > 13 {
			t.Skip("too many subsets")
		}
		b := NewBounder(g)
		s := NewState(g)
		order := drawOrder(t, g)
		for _, v := range order[:rapid.IntRange(0, len(order)).Draw(t, "eliminated")] {
			s.Eliminate(v)
		}
		for v := range s.Remaining() {
			in, out := b.Cuts(s, v)
			wantIn := cutByEnumeration(s, g.Node(v), pred, b.starts)
			wantOut := cutByEnumeration(s, g.Node(v), succ, g.ends)
			if in != wantIn || out != wantOut {
				t.Fatalf("vertex %d: cuts %d and %d, want %d and %d", v, in, out, wantIn, wantOut)
			}
			largest = max(largest, in, out)
		}
	})
	if largest < 3 {
		t.Errorf("no cut exceeded %d: augmentation was not exercised", largest)
	}
}

// A path found first may have to give way to a second one.
func TestCutTakesPathsBack(t *testing.T) {
	// v = node 6 has predecessors 4 and 5. Node 4 is computed from 2 and 3, node 5 from 2 only; the first
	// path found, through 4 and 2, must give 2 up.
	g := mustNew(t, Spec{Inputs: 2, Vertices: 6, Edges: []Edge{{0, 2, false}, {1, 3, false}, {2, 4, false}, {3, 4, false}, {2, 5, false}, {4, 6, false}, {5, 6, false}, {6, 7, false}}, Outputs: []int{7}})
	in, out := NewBounder(g).Cuts(NewState(g), g.Vertex(6))
	if in != 2 || out != 1 {
		t.Errorf("cuts %d and %d, want 2 and 1", in, out)
	}
	if in, out := NewBounder(g).Cuts(NewState(g), 0); in != 0 || out != 0 {
		t.Errorf("cuts %d and %d of no vertex, want 0", in, out)
	}
}

// The bound of a state, plus what was paid to get there, never falls.
func TestBoundIsConsistent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, _ := drawGraph(t, 40)
		s := NewState(g)
		last, _ := LowerBound(context.Background(), s)
		for _, v := range drawOrder(t, g) {
			s.Eliminate(v)
			bound, _ := LowerBound(context.Background(), s)
			if bound+s.Muls() < last {
				t.Fatalf("bound falls from %d to %d after vertex %d", last, bound+s.Muls(), v)
			}
			last = bound + s.Muls()
		}
	})
}

func TestBoundStopsWithItsContext(t *testing.T) {
	g := mustNew(t, Spec{Inputs: 1, Vertices: 2, Edges: []Edge{{0, 1, false}, {1, 2, false}}, Outputs: []int{2}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if bound, complete := LowerBound(ctx, NewState(g)); bound != 0 || complete {
		t.Errorf("bound %d, complete %v after cancellation, want 0 and false", bound, complete)
	}
}
