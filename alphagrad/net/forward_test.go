package net

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"pgregory.net/rapid"
)

// near fails unless two numbers agree to 1e-5, relative to numbers above 1.
func near(t *testing.T, what string, got, want float32) {
	t.Helper()
	if !(math.Abs(float64(got-want)) <= 1e-5*max(1, math.Abs(float64(want)))) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestForwardEqualsGoMLX compares the hand-written pass with GoMLX's.
func TestForwardEqualsGoMLX(t *testing.T) {
	for _, model := range Models() {
		t.Run(model, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			n := randomNetwork(t, Spec{model, 32, 3}, 3)
			e := n.NewEvaluator()
			for _, size := range []struct{ inputs, vertices, gone int }{{1, 1, 0}, {3, 9, 2}, {0, 4, 1}, {6, 50, 10}, {12, 90, 40}, {20, 150, 3}} {
				s := randomState(r, randomGraph(t, r, size.inputs, size.vertices), size.gone)
				var p Position
				NewEncoder().Encode(s, &p)
				b, err := bucketFor(p.Nodes)
				if err != nil {
					t.Fatal(err)
				}
				wantLogits, wantValue := reference(t, n, b, &p)
				got := make([]float32, len(p.Vertices))
				gotValue := e.network.run(&e.pass, &p, got)
				near(t, "value", gotValue, wantValue)
				for i := range got {
					near(t, "logit", got[i], wantLogits[i])
				}
			}
		})
	}
}

// TestPortableKernelsEqualGoMLX is TestForwardEqualsGoMLX without assembly, and with AVX2 alone.
func TestPortableKernelsEqualGoMLX(t *testing.T) {
	for i := range vectorKernels {
		usable := vectorKernels[i].usable
		defer func() { vectorKernels[i].usable = usable }()
		vectorKernels[i].usable = false
		t.Run("without "+vectorKernels[i].name, TestForwardEqualsGoMLX)
	}
}

// TestPadding checks that the bucket does not matter.
func TestPadding(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 2))
	for _, model := range Models() {
		n := randomNetwork(t, Spec{model, 32, 3}, 5)
		var p Position
		NewEncoder().Encode(randomState(r, randomGraph(t, r, 5, 40), 6), &p)
		logits, value := reference(t, n, bucket{64, 1}, &p)
		for _, b := range []bucket{{96, 3}, {192, 2}} {
			other, otherValue := reference(t, n, b, &p)
			near(t, model+" value", otherValue, value)
			for i := range logits {
				near(t, model+" logit", other[i], logits[i])
			}
		}
	}
}

// relabelled gives the nodes of a program other numbers that are still in the order of a trace, and returns the new
// number of every vertex.
func relabelled(r *rand.Rand, spec elim.Spec) (elim.Spec, []int) {
	n := spec.Inputs + spec.Vertices
	to := make([]int, n)
	for i, j := range r.Perm(spec.Inputs) {
		to[i] = j
	}
	waits := make([]int, n)
	for _, e := range spec.Edges {
		if e.From >= spec.Inputs {
			waits[e.To]++
		}
	}
	var ready []int
	for v := spec.Inputs; v < n; v++ {
		if waits[v] == 0 {
			ready = append(ready, v)
		}
	}
	for next := spec.Inputs; next < n; next++ {
		k := r.IntN(len(ready))
		v := ready[k]
		ready = slices.Delete(ready, k, k+1)
		to[v] = next
		for _, e := range spec.Edges {
			if e.From == v {
				if waits[e.To]--; waits[e.To] == 0 {
					ready = append(ready, e.To)
				}
			}
		}
	}
	other := elim.Spec{Inputs: spec.Inputs, Vertices: spec.Vertices}
	for _, e := range spec.Edges {
		other.Edges = append(other.Edges, elim.Edge{From: to[e.From], To: to[e.To], Unit: e.Unit})
	}
	for _, o := range spec.Outputs {
		other.Outputs = append(other.Outputs, to[o])
	}
	numbers := make([]int, spec.Vertices+1)
	for v := 1; v <= spec.Vertices; v++ {
		numbers[v] = to[spec.Inputs+v-1] - spec.Inputs + 1
	}
	return other, numbers
}

// TestRelabelling renumbers the vertices of a graph: the features must move with them, except the few that depend on
// how Markowitz breaks ties, and with these made equal, the logits too.
func TestRelabelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "graph"), 1))
		spec := randomSpec(r, r.IntN(6), 1+r.IntN(40))
		renumbered, number := relabelled(r, spec)
		a, err := elim.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		b, err := elim.New(renumbered)
		if err != nil {
			t.Fatal(err)
		}
		sa, sb := elim.NewState(a), elim.NewState(b)
		gone := a.Eliminable()
		for _, k := range r.Perm(len(gone))[:r.IntN(len(gone)+1)] {
			sa.Eliminate(gone[k])
			sb.Eliminate(number[gone[k]])
		}
		var pa, pb Position
		NewEncoder().Encode(sa, &pa)
		NewEncoder().Encode(sb, &pb)
		rowOf := map[int32]int{}
		for i, v := range pb.Vertices {
			rowOf[v] = i
		}
		for i, v := range pa.Vertices {
			mine := pa.Node[int(pa.Rows[i])*NodeFeatures:][:NodeFeatures]
			theirs := pb.Node[int(pb.Rows[rowOf[int32(number[v])]])*NodeFeatures:][:NodeFeatures]
			for k, f := range nodeTable {
				if f.Ties {
					theirs[k] = mine[k]
				} else if mine[k] != theirs[k] {
					t.Fatalf("vertex %d, now %d: %s is %v, was %v", v, number[v], f.Name, theirs[k], mine[k])
				}
			}
		}
		for k, f := range gameTable {
			if f.Ties {
				pb.Game[k] = pa.Game[k]
			} else if pa.Game[k] != pb.Game[k] {
				t.Fatalf("%s is %v, was %v", f.Name, pb.Game[k], pa.Game[k])
			}
		}
		pb.Cheap = pa.Cheap
		for _, n := range relabellingNetworks {
			e := n.NewEvaluator()
			la, lb := make([]float32, len(pa.Vertices)), make([]float32, len(pb.Vertices))
			va, vb := e.EvaluatePosition(&pa, la), e.EvaluatePosition(&pb, lb)
			if math.Abs(va-vb) > 1e-5 {
				t.Fatalf("%s: value %v, was %v", n.spec.Model, vb, va)
			}
			for i, v := range pa.Vertices {
				if got := lb[rowOf[int32(number[v])]]; math.Abs(float64(got-la[i])) > 2e-5*max(1, math.Abs(float64(la[i]))) {
					t.Fatalf("%s: logit of vertex %d is %v, was %v", n.spec.Model, v, got, la[i])
				}
			}
		}
	})
}

var relabellingNetworks = func() (all []*Network) {
	for _, model := range Models() {
		n, err := New(Spec{model, 16, 2}, 1)
		if err != nil {
			panic(err)
		}
		r := rand.New(rand.NewPCG(1, 7))
		for i := range n.weights {
			n.weights[i] += float32(r.NormFloat64() * 0.1)
		}
		all = append(all, n)
	}
	return all
}()

// TestUntrained checks that a new network plays uniformly and expects nothing.
func TestUntrained(t *testing.T) {
	for _, model := range Models() {
		n, err := New(Spec{model, 48, 2}, 1)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(6, 2))
		s := elim.NewState(randomGraph(t, r, 5, 30))
		e := n.NewEvaluator()
		_, logits := evaluateOnce(e, s)
		for _, l := range logits {
			if l != 0 {
				t.Fatalf("%s: logit %v, want 0", model, l)
			}
		}
		if v := e.Evaluate(s, nil, nil); v != 0 {
			t.Errorf("%s: value %v, want 0", model, v)
		}
		e.Use(randomNetwork(t, Spec{model, 32, 3}, 1))
		if v := e.Evaluate(s, nil, nil); v == 0 {
			t.Errorf("%s: another network has the value 0 too", model)
		}
	}
}

// TestEvaluate plays games to the end and checks the contract of Evaluate at every state.
func TestEvaluate(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	n := randomNetwork(t, Spec{"gnn", 32, 2}, 1)
	e := n.NewEvaluator()
	var c Completion
	for range 5 {
		g := randomGraph(t, r, 4, 30)
		s := elim.NewState(g)
		all := []int32{0, -3, int32(g.Vertices()) + 1}
		for v := g.Vertices(); v > 0; v-- {
			all = append(all, int32(v))
		}
		logits := make([]float32, len(all))
		for {
			value := e.Evaluate(s, all, logits)
			if math.IsNaN(value) || math.IsInf(value, 0) || (e.Cheap() == 0 && value != 0) {
				t.Fatalf("value %v", value)
			}
			if e.Cheap() != c.CheapCost(s) {
				t.Fatalf("cheap completion %d, want %d", e.Cheap(), c.CheapCost(s))
			}
			for i, v := range all {
				if open := s.Cost(int(v)) >= 0; open == math.IsInf(float64(logits[i]), -1) {
					t.Fatalf("vertex %d: logit %v, can be eliminated: %v", v, logits[i], open)
				}
			}
			if s.Left() == 0 {
				break
			}
			for v := range s.Remaining() {
				if r.IntN(s.Left()) == 0 {
					s.Eliminate(v)
					break
				}
			}
		}
	}
}

// TestEvaluateDoesNotAllocate covers a whole game and its way back.
func TestEvaluateDoesNotAllocate(t *testing.T) {
	for _, model := range Models() {
		s := elim.NewState(randomGraph(t, rand.New(rand.NewPCG(2, 3)), 6, 40))
		e := randomNetwork(t, Spec{model, 32, 3}, 1).NewEvaluator()
		vertices, logits := evaluateOnce(e, s)
		order := s.Graph().Eliminable()
		game := func() {
			for _, v := range order {
				s.Eliminate(v)
				e.Evaluate(s, vertices, logits)
			}
			for s.Undo() {
			}
		}
		game()
		if allocs := testing.AllocsPerRun(3, game); allocs > 0 {
			t.Errorf("%s: %v allocations per game", model, allocs)
		}
	}
}

// TestGoroutines has several evaluators of one network at work.
func TestGoroutines(t *testing.T) {
	n := randomNetwork(t, Spec{"gnn", 32, 2}, 1)
	g := randomGraph(t, rand.New(rand.NewPCG(2, 9)), 6, 40)
	_, want := evaluateOnce(n.NewEvaluator(), elim.NewState(g))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			e := n.NewEvaluator()
			for range 20 {
				if _, got := evaluateOnce(e, elim.NewState(g)); !slices.Equal(got, want) {
					t.Error("different logits")
				}
			}
		})
	}
	group.Wait()
}

func TestSpecErrors(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{"gmm", 32, 3}, `unknown network model "gmm": expected one of gnn, transformer`},
		{Spec{"gnn", 30, 3}, "network width 30: expected a multiple of 16 from 16 to 256"},
		{Spec{"gnn", 512, 3}, "network width 512: expected a multiple of 16 from 16 to 256"},
		{Spec{"gnn", 32, 0}, "network of 0 rounds: expected 1 to 16"},
	} {
		if _, err := New(c.spec, 1); err == nil || err.Error() != c.want {
			t.Errorf("%v: error %v, want %s", c.spec, err, c.want)
		}
	}
}
