package search

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"pgregory.net/rapid"
)

// randomGraph draws a program: vertices use up to three earlier values, mostly recent ones; a third of the
// operations are linear; results nobody uses are outputs, mostly, and some outputs are used again.
func randomGraph(tb interface{ Fatal(...any) }, r *rand.Rand, inputs, vertices int) *elim.Graph {
	spec := elim.Spec{Inputs: inputs, Vertices: vertices}
	used := make([]bool, inputs+vertices)
	for v := inputs; v < inputs+vertices; v++ {
		linear := r.IntN(3) == 0
		var args []int
		for range []int{0, 1, 1, 2, 2, 2, 2, 3}[r.IntN(8)] {
			if v == 0 {
				break
			}
			u := r.IntN(v)
			if r.IntN(2) == 0 {
				u = v - 1 - r.IntN(min(v, 6))
			}
			if !slices.Contains(args, u) {
				args = append(args, u)
				used[u] = true
				spec.Edges = append(spec.Edges, elim.Edge{From: u, To: v, Unit: linear})
			}
		}
	}
	for n := range inputs + vertices {
		if !used[n] && r.IntN(5) > 0 || r.IntN(10) == 0 {
			spec.Outputs = append(spec.Outputs, n)
		}
	}
	g, err := elim.New(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// drawGraph draws a graph of at most the given number of vertices. Its size is uniform, not one of the small
// sizes rapid prefers.
func drawGraph(t *rapid.T, vertices int) *elim.Graph {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "graph"), 1))
	return randomGraph(t, r, r.IntN(7), r.IntN(vertices+1))
}

func (q *sequence) vertices(g *elim.Graph) []int {
	order := make([]int, len(q.order))
	for i, v := range q.order {
		order[i] = g.Vertex(int(v))
	}
	return order
}

// After any exchanges the sequence is the one loaded from its order, and prices differ from the replayed cost
// by the same constant throughout.
func TestSequenceAgreesWithReplay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t, rapid.SampledFrom([]int{10, 50, 150}).Draw(t, "size"))
		m := &objectives[rapid.IntRange(0, len(objectives)-1).Draw(t, "objective")]
		order := rapid.Permutation(g.Eliminable()).Draw(t, "order")
		if len(order) == 0 {
			t.Skip("nothing to eliminate")
		}
		q := newSequence(g, m)
		q.load(nodesOf(g, order))
		cost, err := m.replay(g, order)
		if err != nil {
			t.Fatal(err)
		}
		constant := cost - q.total
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "exchanges"), 2))
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			before := q.total
			delta, ok := q.propose(q.order[r.IntN(len(q.order))], r.IntN(2) == 0)
			if !ok || r.IntN(3) == 0 {
				continue
			}
			q.accept()
			if q.total != before+delta {
				t.Fatalf("total goes from %d to %d, delta was %d", before, q.total, delta)
			}
		}
		cost, err = m.replay(g, q.vertices(g))
		if err != nil {
			t.Fatal(err)
		}
		if cost != q.total+constant {
			t.Fatalf("cost %d, want %d + %d", cost, q.total, constant)
		}
		fresh := newSequence(g, m)
		fresh.load(q.order)
		for _, c := range []struct {
			name string
			same bool
		}{
			{"sets", slices.Equal(q.sets, fresh.sets)},
			{"prefixes", slices.Equal(q.before, fresh.before)},
			{"places", slices.Equal(q.place, fresh.place)},
			{"costs", slices.Equal(q.cost, fresh.cost) && q.total == fresh.total},
		} {
			if !c.same {
				t.Fatalf("%s differ from those of the order loaded afresh", c.name)
			}
		}
	})
}

func BenchmarkExchange(b *testing.B) {
	g := randomGraph(b, rand.New(rand.NewPCG(3, 14)), 6, 101)
	for i := range objectives {
		m := &objectives[i]
		b.Run(string(m.name), func(b *testing.B) {
			q := newSequence(g, m)
			q.load(nodesOf(g, elim.Markowitz(g)))
			r := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for range b.N {
				x := r.Uint64()
				if delta, ok := q.propose(q.order[x%uint64(len(q.order))], x>>63 == 0); ok && delta <= 0 {
					q.accept()
				}
			}
		})
	}
}
