package game_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
)

// TestReductionsKeepTheOptimum walks every state that a reduced game can reach on thousands of small graphs and compares
// the best return from there, within the reduced game, with dynamic programming over all sets.
func TestReductionsKeepTheOptimum(t *testing.T) {
	graphs := 4000
	if testing.Short() {
		graphs = 150
	}
	var reduced [16]int // how often each set of rules made a game shorter or narrower
	for seed := range graphs {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		g := randomGraph(t, r, 2+r.IntN(7))
		o := newOracle(g)
		for _, objective := range []game.Objective{game.Muls, game.Ops} {
			best := togo(o.prices(objective.Name()), nil)
			for _, reduce := range []game.Reduction{game.Dead, game.Border, game.Twins, game.Components, game.All} {
				e := mustGame(t, g, game.Options{Objective: objective, Reduce: reduce})
				if first := -e.Return() + float64(best[o.setOf(e)]); first != float64(best[0]) {
					t.Fatalf("graph %d, %s, %v: with the opening %v the best is %v, without it %d", seed, objective.Name(), reduce, e.Order(), first, best[0])
				}
				known := map[uint64]float64{}
				if len(e.Legal(nil)) < len(o.el) {
					reduced[reduce]++
				}
				explore(t, e, o, best, known)
				if t.Failed() {
					t.Fatalf("graph %d, %s, %v", seed, objective.Name(), reduce)
				}
			}
		}
	}
	for _, reduce := range []game.Reduction{game.Dead, game.Border, game.Twins, game.Components, game.All} {
		if reduced[reduce|game.Dead] < graphs/50 && reduced[reduce] < graphs/50 {
			t.Errorf("%v applied to %d of %d graphs only", reduce, reduced[reduce], graphs)
		}
	}
}

// explore returns the best return from the current state and compares it with the oracle.
func explore(t *testing.T, e *game.Game, o *oracle, best []int64, known map[uint64]float64) float64 {
	if value, ok := known[e.Hash()]; ok {
		return value
	}
	value := 0.0
	for i, a := range e.Legal(nil) {
		got := e.Apply(a) + explore(t, e, o, best, known)
		e.Undo()
		if i == 0 || got > value {
			value = got
		}
	}
	if want := -float64(best[o.setOf(e)]); value != want {
		t.Errorf("after %v the best return is %v, with the legal actions %v only %v", e.Order(), want, e.Legal(nil), value)
	}
	known[e.Hash()] = value
	return value
}

// build makes a graph from edges "from, to, unit".
func build(t *testing.T, inputs, vertices int, outputs []int, edges ...[3]int) *elim.Graph {
	t.Helper()
	spec := elim.Spec{Inputs: inputs, Vertices: vertices, Outputs: outputs}
	for _, e := range edges {
		spec.Edges = append(spec.Edges, elim.Edge{From: e[0], To: e[1], Unit: e[2] == 1})
	}
	g, err := elim.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// linkGraph has six vertices, of which vertex 4 has one predecessor and one successor. Inputs A, B, C and outputs X, Y
// come in bundles of two, one, three; three, one.
func linkGraph(tb testing.TB) *elim.Graph {
	tb.Helper()
	bundles := map[string][]int{"A": {0, 1}, "B": {2}, "C": {3, 4, 5}, "X": {12, 13, 14}, "Y": {15}}
	for v := 1; v <= 6; v++ {
		bundles[string(rune('0'+v))] = []int{5 + v}
	}
	spec := elim.Spec{Inputs: 6, Vertices: 10, Outputs: []int{12, 13, 14, 15}}
	for _, e := range []string{"A1", "A2", "A3", "B1", "C1", "C5", "13", "1Y", "23", "25", "2X", "34", "3Y", "46", "56", "5X", "6X"} {
		for _, u := range bundles[e[:1]] {
			for _, w := range bundles[e[1:]] {
				spec.Edges = append(spec.Edges, elim.Edge{From: u, To: w})
			}
		}
	}
	g, err := elim.New(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// TestLinksInsideAreNotSafe shows why a vertex with one predecessor and one successor may only be eliminated at once at
// the border: here that is vertex 4, which costs 1, and yet every order that starts with it costs 63 and the best 62.
func TestLinksInsideAreNotSafe(t *testing.T) {
	g := linkGraph(t)
	o := newOracle(g)
	prices := o.prices("muls")
	best := togo(prices, nil)
	const link = 3 // index of vertex 4
	if first := prices[0][link] + best[1<<link]; best[0] != 62 || prices[0][link] != 1 || first != 63 {
		t.Errorf("the optimum is %d, and %d if vertex 4, of price %d, goes first", best[0], first, prices[0][link])
	}
	if e := mustGame(t, g, game.Options{Reduce: game.Border}); slices.Contains(e.Order(), 4) {
		t.Errorf("vertex 4 is forced in the opening %v", e.Order())
	}
}

// TestUnitsBreakReductions shows why rules ask for more under ops: vertices that muls may eliminate at once, or one right
// after the other, lose the optimum where units are about. Package documentation names the conditions.
func TestUnitsBreakReductions(t *testing.T) {
	// y = exp(x + copy(x)): eliminating the copy first adds 1 to 1, and makes a factor of a unit.
	border := build(t, 1, 3, []int{3}, [3]int{0, 1, 1}, [3]int{0, 2, 1}, [3]int{1, 2, 1}, [3]int{2, 3, 0})
	o := newOracle(border)
	prices := o.prices("ops")
	best := togo(prices, nil)
	if first := prices[0][0] + best[1]; first <= best[0] {
		t.Errorf("the copy may go first: %d, optimum %d", first, best[0])
	}
	if e := mustGame(t, border, game.Options{Objective: game.Ops, Reduce: game.All}); slices.Index(e.Order(), 1) == 0 {
		t.Errorf("the copy goes first in %v", e.Order())
	}
	if e := mustGame(t, border, game.Options{Reduce: game.All}); !slices.Equal(e.Order(), []int{1, 2}) {
		t.Errorf("for muls the opening is %v", e.Order())
	}

	// Vertices 1 and 2 are twins, one all units before, the other not, and vertex 3 best goes between them.
	twins := build(t, 2, 4, []int{5},
		[3]int{0, 2, 1}, [3]int{1, 2, 1}, [3]int{0, 3, 0}, [3]int{1, 3, 0},
		[3]int{2, 4, 0}, [3]int{3, 4, 1}, [3]int{2, 5, 1}, [3]int{3, 5, 1}, [3]int{4, 5, 1})
	o = newOracle(twins)
	prices = o.prices("ops")
	together := togo(prices, func(set, i int) bool { return set&3 == 0 || set&3 == 3 || i < 2 })
	if apart := togo(prices, nil); together[0] <= apart[0] {
		t.Errorf("twins together cost %d, apart %d", together[0], apart[0])
	}
	if e := mustGame(t, twins, game.Options{Objective: game.Ops, Reduce: game.Twins}); len(e.Legal(nil)) != 3 {
		t.Errorf("of the three vertices only %v are offered", e.Legal(nil))
	}
	if e := mustGame(t, twins, game.Options{Reduce: game.Twins}); len(e.Legal(nil)) != 2 {
		t.Errorf("for muls %v are offered", e.Legal(nil))
	}
}

func TestReductionNames(t *testing.T) {
	for r := game.None; r <= game.All; r++ {
		got, err := game.ParseReduction(r.Names()...)
		if err != nil || got != r {
			t.Errorf("%v is read back as %v (%v)", r, got, err)
		}
	}
	const want = `unknown reduction "chains": known are dead, border, twins, components`
	if _, err := game.ParseReduction("chains"); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// TestReductionsSolveTasks: the rules alone play these tasks to the costs that the minimum-cut bound proves optimal, and
// leave little of others.
func TestReductionsSolveTasks(t *testing.T) {
	for _, c := range []struct {
		task  string
		cost  float64 // of the opening
		moves int     // vertices left after it
	}{
		{"HumanHeartDipole", 148, 0},
		{"PropaneCombustion", 88, 0},
		{"RobotArm_6DOF", 189, 6},
	} {
		e := mustGame(t, taskGraph(t, c.task), game.Options{Reduce: game.All})
		if e.Return() != -c.cost || e.State().Left() != c.moves {
			t.Errorf("%s: the opening costs %v and leaves %d vertices, expected %v and %d", c.task, -e.Return(), e.State().Left(), c.cost, c.moves)
		}
		if c.moves == 0 {
			continue
		}
		best := math.Inf(-1)
		var play func()
		play = func() {
			if e.Done() {
				best = max(best, e.Return())
				return
			}
			for _, a := range e.Legal(nil) {
				e.Apply(a)
				play()
				e.Undo()
			}
		}
		play()
		if best != -221 {
			t.Errorf("%s: the best of what is left gives %v, the optimum is 221", c.task, -best)
		}
	}
}
