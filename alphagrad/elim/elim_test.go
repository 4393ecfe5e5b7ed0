package elim

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Sizes on both sides of the two-word fast path.
var sizes = []int{8, 40, 100, 220}

func TestAgreesWithNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, spec := drawGraph(t, rapid.SampledFrom(sizes).Draw(t, "size"))
		reference := newNaive(spec)
		s, plain := NewOpsState(g), NewState(g)
		var muls int64
		order := drawOrder(t, g)
		for _, v := range order {
			before := reference.ops
			want := s.Cost(v)
			wantOps := s.OpsCost(v)
			merged := s.Merged(v)
			got := reference.eliminate(v)
			if got != want || s.Eliminate(v) != got || plain.Apply(v) != got {
				t.Fatalf("vertex %d costs %d, want %d", v, want, got)
			}
			if int64(merged) != wantOps.Add || before.Mul+wantOps.Mul != reference.ops.Mul || before.Add+wantOps.Add != reference.ops.Add {
				t.Fatalf("vertex %d: operations %+v, want from %+v to %+v", v, wantOps, before, reference.ops)
			}
			muls += int64(got)
			if !maps.Equal(edges(s), reference.edges()) || !maps.Equal(edgesBackwards(s), reference.edges()) {
				t.Fatalf("after vertex %d: edges %v, want %v", v, edges(s), reference.edges())
			}
		}
		if s.Left() != 0 || s.Muls() != muls || s.Ops() != reference.ops {
			t.Fatalf("left %d, muls %d, ops %+v, want 0, %d, %+v", s.Left(), s.Muls(), s.Ops(), muls, reference.ops)
		}
		replayed, err := g.Muls(order)
		if err != nil || replayed != muls {
			t.Fatalf("Muls = %d, %v, want %d", replayed, err, muls)
		}
		ops, err := g.Ops(order)
		if err != nil || ops != reference.ops {
			t.Fatalf("Ops = %+v, %v, want %+v", ops, err, reference.ops)
		}
	})
}

// The fast path for two words and the general one are the same function.
func TestRowWidthsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, _ := drawGraph(t, 90)
		order := drawOrder(t, g)
		s, general := NewState(g), NewState(g)
		for _, v := range order {
			cost := s.Apply(v)
			if got := connectN(general.rows, g.words, g.Node(v)); got != cost {
				t.Fatalf("vertex %d costs %d on the general path, %d on the fast one", v, got, cost)
			}
			if !slices.Equal(s.rows, general.rows) {
				t.Fatalf("rows differ after vertex %d", v)
			}
		}
	})
}

func TestUndoRestoresExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, _ := drawGraph(t, rapid.SampledFrom(sizes).Draw(t, "size"))
		order := drawOrder(t, g)
		s := NewState(g)
		if rapid.Bool().Draw(t, "ops") {
			s = NewOpsState(g)
		}
		kept := rapid.IntRange(0, len(order)).Draw(t, "kept")
		for _, v := range order[:kept] {
			s.Eliminate(v)
		}
		before := NewState(g)
		if s.unit != nil {
			before = NewOpsState(g)
		}
		if !before.CopyFrom(s) {
			t.Fatal("cannot copy a state of the same kind")
		}
		for _, v := range order[kept:] {
			s.Eliminate(v)
		}
		for range order[kept:] {
			if !s.Undo() {
				t.Fatal("nothing to undo")
			}
		}
		if !slices.Equal(s.rows, before.rows) || !slices.Equal(s.unit, before.unit) || !slices.Equal(s.live, before.live) ||
			s.left != before.left || s.muls != before.muls || s.ops != before.ops {
			t.Fatal("undo left something changed")
		}
		for range kept {
			s.Undo()
		}
		if s.Undo() || !slices.Equal(s.rows, g.rows) || s.muls != 0 || s.ops != (Ops{}) {
			t.Fatal("undoing everything does not lead back to the root")
		}
	})
}

func TestOrderOfASetDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, _ := drawGraph(t, 60)
		order := drawOrder(t, g)
		set := order[:rapid.IntRange(0, len(order)).Draw(t, "size of the set")]
		other := rapid.Permutation(set).Draw(t, "other order")
		a, b := NewOpsState(g), NewOpsState(g)
		for i := range set {
			a.Eliminate(set[i])
			b.Eliminate(other[i])
		}
		if !maps.Equal(edges(a), edges(b)) {
			t.Fatalf("%v and %v lead to different graphs", set, other)
		}
	})
}

func TestRefusedEliminationChangesNothing(t *testing.T) {
	// Inputs 0, 1; vertex 1 uses both and is an output used again, vertex 2 uses it, vertex 3 is dead.
	g := mustNew(t, Spec{Inputs: 2, Vertices: 3, Edges: []Edge{{0, 2, false}, {1, 2, false}, {2, 3, false}, {2, 4, true}}, Outputs: []int{3, 2, 0, 3}})
	if got, want := g.Eliminable(), []int{1, 3}; !slices.Equal(got, want) {
		t.Fatalf("eliminable %v, want %v", got, want)
	}
	if g.Edges() != 5 || g.Nodes() != 6 || g.Outputs() != 4 || g.SinkOf(5) != 2 || g.SinkOf(4) != -1 || !g.IsUnit(2, 5) || !g.IsEnd(5) || !g.IsEnd(3) || g.IsEnd(2) {
		t.Fatalf("graph %+v is not as specified", g)
	}
	s := NewOpsState(g)
	for _, v := range []int{-5, -1, 0, 2, 4, 5, 1000, 1 << 40} {
		if s.Eliminate(v) != -1 || s.Apply(v) != -1 || s.Cost(v) != -1 || s.OpsCost(v) != (Ops{}) || s.Merged(v) != -1 || s.Eliminated(v) {
			t.Errorf("vertex %d is not eliminable, yet it was accepted", v)
		}
	}
	if s.Undo() || s.Left() != 2 || !slices.Equal(slices.Collect(s.Remaining()), []int{1, 3}) {
		t.Error("a refused elimination changed the state")
	}
	if cost := s.Eliminate(3); cost != 0 {
		t.Errorf("the dead vertex costs %d, want 0", cost)
	}
	if cost := s.Eliminate(1); cost != 4 {
		t.Errorf("the output used again costs %d, want 2 predecessors times 2 successors", cost)
	}
	if s.Eliminate(1) != -1 || !s.Eliminated(1) {
		t.Error("a vertex was eliminated twice")
	}
	if NewOpsState(g).CopyFrom(NewState(g)) || NewState(g).CopyFrom(NewState(mustNew(t, Spec{}))) {
		t.Error("a state was copied from one it cannot be copied from")
	}
	if s.PredCount(-1) != 0 || s.SuccCount(6) != 0 || len(slices.Collect(s.Pred(6))) != 0 {
		t.Error("nodes out of range have neighbours")
	}
}

func TestNamedOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, spec := drawGraph(t, 60)
		for _, order := range [][]int{Forward(g), Reverse(g), Markowitz(g)} {
			if err := g.CheckOrder(order); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.IsSorted(Forward(g)) {
			t.Fatal("forward order is not ascending")
		}
		backwards := Reverse(g)
		slices.Reverse(backwards)
		if !slices.Equal(backwards, Forward(g)) {
			t.Fatal("reverse order is not the reverse of forward")
		}
		// Markowitz against its definition, recomputing every price on the naive graph at every step.
		left := g.Eliminable()
		reference := newNaive(spec)
		for _, v := range Markowitz(g) {
			best, bestCost := 0, 1<<30
			for _, u := range left {
				n := g.Node(u)
				preds := 0
				for _, edges := range reference.from {
					if _, ok := edges[n]; ok {
						preds++
					}
				}
				if cost := preds * len(reference.from[n]); cost < bestCost {
					best, bestCost = u, cost
				}
			}
			if v != best {
				t.Fatalf("Markowitz takes vertex %d, want %d at %d multiplications", v, best, bestCost)
			}
			reference.eliminate(v)
			left = slices.DeleteFunc(left, func(u int) bool { return u == v })
		}
	})
}

func TestMarkowitzTiesGoToTheLowestNumber(t *testing.T) {
	// Two chains of equal vertices: every vertex costs 1 throughout.
	g := mustNew(t, Spec{Inputs: 1, Vertices: 6, Edges: []Edge{{0, 1, false}, {1, 2, false}, {2, 5, false}, {0, 3, false}, {3, 4, false}, {4, 6, false}}, Outputs: []int{5, 6}})
	if got, want := Markowitz(g), []int{1, 2, 3, 4}; !slices.Equal(got, want) {
		t.Fatalf("order %v, want %v", got, want)
	}
}

func TestCheckOrder(t *testing.T) {
	spec := Spec{Inputs: 1, Vertices: 30, Outputs: []int{30}}
	for v := 1; v <= 30; v++ {
		spec.Edges = append(spec.Edges, Edge{From: v - 1, To: v})
	}
	g := mustNew(t, spec)
	if err := g.CheckOrder(Reverse(g)); err != nil {
		t.Fatal(err)
	}
	order := Forward(g)
	order[3], order[7] = 6, 6
	for _, c := range []struct {
		order []int
		want  []string
	}{
		{order, []string{"missing 4, 8", "more than once 6"}},
		{append(Forward(g), 30), []string{"output", "30"}},
		{append(Forward(g), 31, 0, -2), []string{"not a vertex from 1 to 30, 31, 0, -2"}},
		{nil, []string{"missing 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 17 more"}},
	} {
		for _, check := range []func() error{
			func() error { return g.CheckOrder(c.order) },
			func() error { _, err := g.Muls(c.order); return err },
			func() error { _, err := g.Ops(c.order); return err },
		} {
			err := check()
			if err == nil {
				t.Fatalf("order %v is accepted", c.order)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q does not say %q in one line", err, part)
				}
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for want, spec := range map[string]Spec{
		"negative":                 {Inputs: -1},
		"too large":                {Inputs: 1, Vertices: 1_000_000},
		"at most 16384":            {Inputs: 1 << 62, Vertices: 1 << 62},
		"lower to a higher":        {Inputs: 1, Vertices: 2, Edges: []Edge{{2, 1, false}}},
		"edge 1 -> 1":              {Inputs: 1, Vertices: 2, Edges: []Edge{{1, 1, false}}},
		"is an input":              {Inputs: 2, Vertices: 1, Edges: []Edge{{0, 1, false}}},
		"edge 0 -> 3: nodes are":   {Inputs: 1, Vertices: 2, Edges: []Edge{{0, 3, false}}},
		"edge -1 -> 1":             {Inputs: 1, Vertices: 2, Edges: []Edge{{-1, 1, false}}},
		"edge 0 -> 1 appears":      {Inputs: 1, Vertices: 2, Edges: []Edge{{0, 1, false}, {0, 1, true}}},
		"output 3: nodes are numb": {Inputs: 1, Vertices: 2, Outputs: []int{3}},
		"output -1":                {Inputs: 1, Vertices: 2, Outputs: []int{-1}},
		"1 copied outputs":         {Inputs: 1, Vertices: MaxNodes - 1, Edges: []Edge{{1, 2, false}}, Outputs: []int{1}},
	} {
		if _, err := New(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestReplayDoesNotAllocate(t *testing.T) {
	g := mustNew(t, randomSpec(rand.New(rand.NewPCG(1, 2)), 6, 100))
	s := NewState(g)
	order := Markowitz(g)
	if n := testing.AllocsPerRun(20, func() {
		s.Reset()
		for _, v := range order {
			s.Apply(v)
		}
	}); n != 0 {
		t.Errorf("a replay allocates %v times", n)
	}
}
