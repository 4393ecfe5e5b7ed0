package elim

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// randomSpec draws a program of the given size: vertices use up to three earlier values, mostly recent ones,
// some only constants; a fraction of the operations are linear, and some outputs are used again.
func randomSpec(r *rand.Rand, inputs, vertices int) Spec {
	spec := Spec{Inputs: inputs, Vertices: vertices}
	used := make([]bool, inputs+vertices)
	for v := inputs; v < inputs+vertices; v++ {
		linear := r.IntN(3) == 0
		args := map[int]bool{}
		for range []int{0, 1, 1, 2, 2, 2, 2, 3}[r.IntN(8)] {
			if v == 0 {
				break
			}
			u := r.IntN(v)
			if r.IntN(2) == 0 {
				u = v - 1 - r.IntN(min(v, 6))
			}
			args[u] = true
		}
		for u := range args {
			used[u] = true
			spec.Edges = append(spec.Edges, Edge{From: u, To: v, Unit: linear})
		}
	}
	slices.SortFunc(spec.Edges, func(a, b Edge) int { return (a.To-b.To)*100000 + a.From - b.From })
	for n := range inputs + vertices {
		if !used[n] && r.IntN(5) > 0 || r.IntN(10) == 0 {
			spec.Outputs = append(spec.Outputs, n)
		}
	}
	return spec
}

// drawGraph draws a graph of at most the given number of vertices. Its size is uniform, not one of the small
// sizes rapid prefers.
func drawGraph(t *rapid.T, vertices int) (*Graph, Spec) {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "graph"), 1))
	spec := randomSpec(r, r.IntN(7), r.IntN(vertices+1))
	g, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return g, spec
}

func drawOrder(t *rapid.T, g *Graph) []int {
	return rapid.Permutation(g.Eliminable()).Draw(t, "order")
}

func mustNew(tb testing.TB, spec Spec) *Graph {
	tb.Helper()
	g, err := New(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// naive is the elimination graph once more, with maps of maps and nothing clever: the value of an edge is
// whether it is a unit.
type naive struct {
	inputs int
	from   map[int]map[int]bool // from[u][w]
	ops    Ops
}

// newNaive numbers sinks after the vertices, in the order of the first mention of their output.
func newNaive(spec Spec) *naive {
	n := &naive{inputs: spec.Inputs, from: map[int]map[int]bool{}}
	next := spec.Inputs + spec.Vertices
	for _, e := range spec.Edges {
		n.put(e.From, e.To, e.Unit)
	}
	done := map[int]bool{}
	for _, o := range spec.Outputs {
		if !done[o] && o >= spec.Inputs && len(n.from[o]) > 0 {
			n.put(o, next, true)
			next++
		}
		done[o] = true
	}
	return n
}

func (n *naive) put(u, w int, unit bool) {
	if n.from[u] == nil {
		n.from[u] = map[int]bool{}
	}
	n.from[u][w] = unit
}

// eliminate returns the multiplications.
func (n *naive) eliminate(vertex int) int {
	v := n.inputs + vertex - 1
	after := n.from[v]
	delete(n.from, v)
	preds := 0
	for u, edges := range n.from {
		unitIn, ok := edges[v]
		if !ok {
			continue
		}
		preds++
		delete(edges, v)
		for w, unitOut := range after {
			if !unitIn && !unitOut {
				n.ops.Mul++
			}
			if _, exists := edges[w]; exists {
				n.ops.Add++
				edges[w] = false
			} else {
				n.put(u, w, unitIn && unitOut)
			}
		}
	}
	return preds * len(after)
}

// edges is the edge set of a state over the nodes still there, with their unit flags if the state has them.
func edges(s *State) map[[2]int]bool {
	all := map[[2]int]bool{}
	for u := range s.g.nodes {
		if s.Eliminated(s.g.Vertex(u)) {
			continue
		}
		for w := range s.Succ(u) {
			all[[2]int{u, w}] = s.unit != nil && has(rowOf(s.unit, s.g.words, u, succ), w)
		}
	}
	return all
}

// edgesBackwards is edges read from the rows of predecessors.
func edgesBackwards(s *State) map[[2]int]bool {
	all := map[[2]int]bool{}
	for w := range s.g.nodes {
		if s.Eliminated(s.g.Vertex(w)) {
			continue
		}
		for u := range s.Pred(w) {
			all[[2]int{u, w}] = s.unit != nil && has(rowOf(s.unit, s.g.words, w, pred), u)
		}
	}
	return all
}

func (n *naive) edges() map[[2]int]bool {
	all := map[[2]int]bool{}
	for u, edges := range n.from {
		for w, unit := range edges {
			all[[2]int{u, w}] = unit
		}
	}
	return all
}
