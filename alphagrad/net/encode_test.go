package net

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"pgregory.net/rapid"
)

func TestFeatureTables(t *testing.T) {
	node, game := Features()
	if len(node) != NodeFeatures || len(game) != GameFeatures {
		t.Fatalf("%d and %d rows, want %d and %d", len(node), len(game), NodeFeatures, GameFeatures)
	}
	for _, table := range [][]Feature{node, game} {
		seen := map[string]bool{}
		for _, f := range table {
			if f.Name == "" || f.Scale == "" || f.Meaning == "" || seen[f.Name] {
				t.Errorf("row %+v is incomplete or has the name of another", f)
			}
			seen[f.Name] = true
		}
	}
}

// edgesOf is the edges of a state between the nodes still there, from the rows of successors.
func edgesOf(s *elim.State) map[[2]int]bool {
	edges := map[[2]int]bool{}
	g := s.Graph()
	for u := range g.Nodes() {
		if s.Eliminated(g.Vertex(u)) {
			continue
		}
		for w := range s.Succ(u) {
			edges[[2]int{u, w}] = true
		}
	}
	return edges
}

// drawState draws a state of a random graph, sometimes one of more than 128 nodes.
func drawState(t *rapid.T) *elim.State {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "graph"), 1))
	vertices := r.IntN(40)
	if r.IntN(5) == 0 {
		vertices += 120
	}
	g, err := elim.New(randomSpec(r, r.IntN(8), vertices))
	if err != nil {
		t.Fatal(err)
	}
	return randomState(r, g, r.IntN(vertices+1))
}

// TestFacts derives what the features are made of once more, by eliminating each vertex and looking at the edges.
func TestFacts(t *testing.T) {
	e := NewEncoder()
	var p Position
	rapid.Check(t, func(t *rapid.T) {
		s := drawState(t)
		g := s.Graph()
		before := edgesOf(s)
		e.Encode(s, &p)

		if len(p.Preds) != len(before) || len(p.Succs) != len(before) || e.game.edges != len(before) {
			t.Fatalf("%d and %d edges, want %d", len(p.Preds), len(p.Succs), len(before))
		}
		for i := range p.Nodes {
			for _, j := range p.Preds[p.PredStart[i]:p.PredStart[i+1]] {
				if !before[[2]int{int(e.node[j]), int(e.node[i])}] {
					t.Fatalf("no edge %d -> %d", e.node[j], e.node[i])
				}
			}
			for _, j := range p.Succs[p.SuccStart[i]:p.SuccStart[i+1]] {
				if !before[[2]int{int(e.node[i]), int(e.node[j])}] {
					t.Fatalf("no edge %d -> %d", e.node[i], e.node[j])
				}
			}
			f := e.facts[i]
			unitIn, unitOut := int32(0), int32(0)
			for edge := range before {
				if g.IsUnit(edge[0], edge[1]) && edge[1] == int(e.node[i]) {
					unitIn++
				}
				if g.IsUnit(edge[0], edge[1]) && edge[0] == int(e.node[i]) {
					unitOut++
				}
			}
			if f.unitIn != unitIn || f.unitOut != unitOut {
				t.Fatalf("node %d has %d and %d unit edges, want %d and %d", e.node[i], f.unitIn, f.unitOut, unitIn, unitOut)
			}
			if in, out := longestPath(before, int(e.node[i]), 1), longestPath(before, int(e.node[i]), 0); int(f.depthIn) != in || int(f.depthOut) != out {
				t.Fatalf("node %d has depths %d and %d, want %d and %d", e.node[i], f.depthIn, f.depthOut, in, out)
			}
		}
		bounder, start := elim.NewBounder(g), elim.NewState(g)
		left := slices.Collect(s.Remaining())
		if len(left) != len(p.Vertices) || e.game.left != len(left) || e.game.eliminable != len(g.Eliminable()) {
			t.Fatalf("%d vertices left of %d, want %d of %d", len(p.Vertices), e.game.eliminable, len(left), len(g.Eliminable()))
		}
		for i, v := range left {
			if int(p.Vertices[i]) != v || int(e.node[p.Rows[i]]) != g.Node(v) {
				t.Fatalf("vertex %d is listed as %d at node %d", v, p.Vertices[i], e.node[p.Rows[i]])
			}
			f := e.facts[p.Rows[i]]
			around := neighbourPrices(s, v)
			price := s.Eliminate(v)
			after := edgesOf(s)
			ripple := neighbourPrices(s, v) - around
			created := 0
			for edge := range after {
				if !before[edge] {
					created++
				}
			}
			s.Undo()
			in, out := bounder.Cuts(start, v)
			if f.price != int64(price) || f.merged != int64(price-created) || f.ripple != int64(ripple) || f.bound() != int64(in*out) {
				t.Fatalf("vertex %d: price %d merged %d ripple %d bound %d, want %d %d %d %d",
					v, f.price, f.merged, f.ripple, f.bound(), price, price-created, ripple, in*out)
			}
			growth := p.Node[int(p.Rows[i])*NodeFeatures+featureNamed(t, "growth")]
			if want := slog(int64(len(after)-len(before))) / 3; growth != want {
				t.Fatalf("vertex %d: growth %v, want %v", v, growth, want)
			}
		}
		for _, x := range slices.Concat(p.Node, p.Game) {
			if !(math.Abs(float64(x)) < 5) {
				t.Fatalf("a feature is %v, not of size about one", x)
			}
		}
	})
}

func featureNamed(t *rapid.T, name string) int {
	for i, row := range nodeTable {
		if row.Name == name {
			return i
		}
	}
	t.Fatalf("no feature %s", name)
	return 0
}

// longestPath is the number of edges of the longest path that ends (end=1) or starts (end=0) at a node, by relaxing
// all edges as often as there are nodes on a path.
func longestPath(edges map[[2]int]bool, node, end int) int {
	far := map[int]int{}
	for changed := true; changed; {
		changed = false
		for e := range edges {
			if from, to := e[1-end], e[end]; far[to] < far[from]+1 {
				far[to], changed = far[from]+1, true
			}
		}
	}
	return far[node]
}

// neighbourPrices sums the prices of the vertices that are neighbours of a vertex, or were when it was eliminated.
func neighbourPrices(s *elim.State, v int) (sum int) {
	g := s.Graph()
	for u := range s.Pred(g.Node(v)) {
		sum += max(0, s.Cost(g.Vertex(u)))
	}
	for w := range s.Succ(g.Node(v)) {
		sum += max(0, s.Cost(g.Vertex(w)))
	}
	return sum
}

// TestCompletions compares the completions with orders replayed from the start, and their prices with what each
// elimination costs.
func TestCompletions(t *testing.T) {
	var c Completion
	rapid.Check(t, func(t *rapid.T) {
		s := drawState(t)
		g := s.Graph()
		n := g.Vertices() + 1
		price, turn := make([]int64, n), make([]int32, n)
		left := slices.Collect(s.Remaining())
		backwards := slices.Clone(left)
		slices.Reverse(backwards)
		greedy := []int{}
		for s.Left() > 0 {
			best := -1
			for v := range s.Remaining() {
				if best < 0 || s.Cost(v) < s.Cost(best) {
					best = v
				}
			}
			greedy = append(greedy, best)
			s.Eliminate(best)
		}
		for range greedy {
			s.Undo()
		}
		muls := s.Muls()
		want := map[string]int64{}
		for name, play := range map[string]struct {
			order []int
			run   func() int64
		}{
			"forward":   {left, func() int64 { return c.forward(s, price) }},
			"reverse":   {backwards, func() int64 { return c.reverse(s, price) }},
			"markowitz": {greedy, func() int64 { return c.markowitz(s, price, turn) }},
		} {
			got := play.run()
			for i, v := range play.order {
				if cost := s.Eliminate(v); price[v] != int64(cost) {
					t.Fatalf("%s: vertex %d costs %d, want %d", name, v, price[v], cost)
				}
				if name == "markowitz" && turn[v] != int32(i) {
					t.Fatalf("vertex %d has turn %d, want %d", v, turn[v], i)
				}
			}
			want[name] = s.Muls() - muls
			if got != want[name] {
				t.Fatalf("%s completion costs %d, want %d", name, got, want[name])
			}
			for range play.order {
				s.Undo()
			}
		}
		if got := c.CheapCost(s); got != min(want["reverse"], want["markowitz"]) {
			t.Fatalf("cheap completion costs %d, want the better of %v", got, want)
		}
		if s.Muls() != muls || s.Left() != len(left) {
			t.Fatal("the state has changed")
		}
	})
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		cheap, cost int64
		want        float64
	}{{100, 90, 0.1}, {100, 100, 0}, {50, 100, -1}, {0, 0, 0}} {
		if got := Value(c.cheap, c.cost); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("Value(%d, %d) = %v, want %v", c.cheap, c.cost, got, c.want)
		}
		if got := Cost(c.cheap, c.want); math.Abs(got-float64(c.cost)) > 1e-9 {
			t.Errorf("Cost(%d, %v) = %v, want %d", c.cheap, c.want, got, c.cost)
		}
	}
}
