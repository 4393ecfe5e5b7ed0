package search_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// perceptron is a two-layer network on a batch: 8 eliminable vertices of arrays.
func perceptron(t *testing.T) *elim.Graph {
	b := ir.NewBuilder("perceptron")
	x, w, v, c := b.Input("x", 4, 3), b.Input("w", 3, 5), b.Input("v", 5, 2), b.Input("c", 5)
	h := ir.Tanh(ir.Add(ir.Dot(x, w), ir.Broadcast(c, ir.Shape{4, 5}, 1)))
	y := ir.Square(ir.Dot(ir.Mul(h, ir.Logistic(h)), v))
	b.Output("loss", ir.ReduceMean(y))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	g, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGraphOfArrays: every method that works on arrays finds what trying all orders finds, and the others say so.
func TestGraphOfArrays(t *testing.T) {
	g := perceptron(t)
	s := elim.NewState(g)
	best := int64(math.MaxInt64)
	var all func()
	all = func() {
		if s.Left() == 0 {
			best = min(best, s.Muls())
			return
		}
		if s.Muls() >= best {
			return
		}
		var left []int
		for v := range s.Remaining() {
			left = append(left, v)
		}
		for _, v := range left {
			s.Eliminate(v)
			all()
			s.Undo()
		}
	}
	all()
	reverse, err := g.Muls(elim.Reverse(g))
	if err != nil || best > reverse || best <= 0 {
		t.Fatalf("best %d, reverse %d, %v", best, reverse, err)
	}
	for _, name := range []string{"anneal", "beam", "portfolio"} {
		r, err := search.Run(context.Background(), name, search.Problem{Graph: g}, search.Settings{Evaluations: 20_000, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		if r.Cost != best || r.Optimal {
			t.Errorf("%s finds %d (optimal: %v), the best of all orders costs %d; nothing is proved on arrays", name, r.Cost, r.Optimal, best)
		}
	}
	for _, c := range []struct{ method, objective string }{{"exact", "muls"}, {"anneal", "ops"}} {
		if _, err := search.Run(context.Background(), c.method, search.Problem{Graph: g, Objective: search.Objective(c.objective)}, search.Settings{Evaluations: 1000}); err == nil || !strings.Contains(err.Error(), "graph of arrays") {
			t.Errorf("%s for %s: %v", c.method, c.objective, err)
		}
	}
}

// TestUndoOnArrays: undoing restores every price, and Cost says what Eliminate will cost.
func TestUndoOnArrays(t *testing.T) {
	g := perceptron(t)
	s, rng := elim.NewState(g), rand.New(rand.NewPCG(1, 2))
	prices := func() (list []int) {
		for _, v := range g.Eliminable() {
			list = append(list, s.Cost(v))
		}
		return list
	}
	for range 50 {
		order := g.Eliminable()
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		var before [][]int
		for _, v := range order {
			before = append(before, prices())
			if want := s.Cost(v); s.Eliminate(v) != want {
				t.Fatalf("vertex %d was to cost %d", v, want)
			}
		}
		if muls, err := g.Muls(order); err != nil || muls != s.Muls() {
			t.Fatalf("%d multiplications, replayed %d, %v", s.Muls(), muls, err)
		}
		for k := len(order) - 1; k >= 0; k-- {
			s.Undo()
			for i, p := range prices() {
				if p != before[k][i] {
					t.Fatalf("after undoing vertex %d, vertex %d costs %d, was %d", order[k], g.Eliminable()[i], p, before[k][i])
				}
			}
		}
		if s.Muls() != 0 {
			t.Fatalf("%d multiplications left after undoing all", s.Muls())
		}
	}
}
