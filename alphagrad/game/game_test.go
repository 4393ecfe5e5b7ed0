package game_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts/mctstest"
	"pgregory.net/rapid"
)

// memory is a made-up objective that depends on the order.
var memory = game.AtEnd("memory", func(order []int) (float64, error) {
	sum := 0
	for i, v := range order {
		sum += i * v % 17
	}
	return float64(sum), nil
})

// kinds are the games every test of the contract plays.
var kinds = []game.Options{
	{Objective: game.Muls},
	{Objective: game.Muls, Reduce: game.Border},
	{Objective: game.Muls, Reduce: game.Twins | game.Components},
	{Objective: game.Muls, Reduce: game.All},
	{Objective: game.Ops},
	{Objective: game.Ops, Reduce: game.All},
	{Objective: memory},
}

func TestConformance(t *testing.T) {
	for _, o := range kinds {
		if err := mctstest.Check(func() mcts.Game { return mustGame(t, taskGraph(t, "RoeFlux_1d"), o) }, 3, 1); err != nil {
			t.Errorf("%s, %v: %v", o.Objective.Name(), o.Reduce, err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		r := rand.New(rand.NewPCG(seed, 3))
		g := randomGraph(t, r, 1+r.IntN(12))
		if len(g.Eliminable()) == 0 {
			return
		}
		o := rapid.SampledFrom(kinds).Draw(rt, "game")
		if err := mctstest.Check(func() mcts.Game { return mustGame(t, g, o) }, 2, seed); err != nil {
			rt.Fatal(err)
		}
	})
}

// TestReturnIsReplayedCost plays tasks at random, with moves taken back on the way, and replays the order.
func TestReturnIsReplayedCost(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	for _, name := range []string{"RoeFlux_1d", "RobotArm_6DOF", "PropaneCombustion", "CloudSchemes", "Lighthouse"} {
		g := taskGraph(t, name)
		for _, o := range kinds {
			e := mustGame(t, g, o)
			for range 3 {
				sum := e.Reset()
				var rewards []float64
				for !e.Done() {
					legal := e.Legal(nil)
					rewards = append(rewards, e.Apply(legal[rng.IntN(len(legal))]))
					for rng.IntN(3) == 0 && len(rewards) > 0 {
						e.Undo()
						rewards = rewards[:len(rewards)-1]
					}
				}
				for _, r := range rewards {
					sum += r
				}
				var want float64
				switch o.Objective.Name() {
				case "muls":
					muls, err := g.Muls(e.Order())
					if err != nil {
						t.Fatal(err)
					}
					want = float64(muls)
				case "ops":
					ops, err := g.Ops(e.Order())
					if err != nil {
						t.Fatal(err)
					}
					want = float64(ops.Total())
				default:
					want = 0
					for i, v := range e.Order() {
						want += float64(i * v % 17)
					}
				}
				if sum != -want || e.Return() != -want {
					t.Errorf("%s, %s, %v: rewards %v, return %v, order costs %v", name, o.Objective.Name(), o.Reduce, sum, e.Return(), want)
				}
			}
		}
	}
}

// TestHashIsOfTheSet: on a small graph all sets have different hashes, each reached by several orders.
func TestHashIsOfTheSet(t *testing.T) {
	g := taskGraph(t, "Helmholtz")
	e := mustGame(t, g, game.Options{})
	rng := rand.New(rand.NewPCG(1, 1))
	sets := map[uint64]string{}
	hashes := map[string]uint64{}
	for range 200 {
		e.Reset()
		for _, a := range rng.Perm(e.Actions()) {
			e.Apply(int32(a))
			set := make([]byte, e.Actions())
			for v := range e.State().Remaining() {
				set[e.Action(v)] = 1
			}
			h := e.Hash()
			if s, ok := sets[h]; ok && s != string(set) {
				t.Fatalf("hash %#x stands for two sets", h)
			}
			if k, ok := hashes[string(set)]; ok && k != h {
				t.Fatalf("one set has the hashes %#x and %#x", k, h)
			}
			sets[h], hashes[string(set)] = string(set), h
		}
	}
	if len(sets) != len(hashes) || len(sets) < 500 {
		t.Errorf("%d sets, %d hashes", len(hashes), len(sets))
	}
	if other := mustGame(t, taskGraph(t, "Hole"), game.Options{}); other.Hash() == mustGame(t, g, game.Options{}).Hash() {
		t.Error("two graphs start with the same hash")
	}
	// Where the order matters it is part of the state.
	m := mustGame(t, g, game.Options{Objective: memory})
	m.Apply(0)
	m.Apply(1)
	first := m.Hash()
	m.Reset()
	m.Apply(1)
	m.Apply(0)
	if m.Hash() == first {
		t.Error("two orders have one hash under an objective that depends on the order")
	}
}

func TestActionsAreEliminableVertices(t *testing.T) {
	g := taskGraph(t, "RoeFlux_1d")
	e := mustGame(t, g, game.Options{})
	el := g.Eliminable()
	if e.Actions() != len(el) {
		t.Fatalf("%d actions, %d eliminable vertices", e.Actions(), len(el))
	}
	for a, v := range el {
		if e.Vertex(int32(a)) != v || e.Action(v) != int32(a) {
			t.Errorf("action %d is vertex %d and back action %d; eliminable is %d", a, e.Vertex(int32(a)), e.Action(v), v)
		}
	}
	if e.Vertex(-1) != 0 || e.Vertex(int32(len(el))) != 0 || e.Action(-1) != -1 || e.Action(0) != -1 || e.Action(10000) != -1 {
		t.Error("there are actions without vertices or the reverse")
	}
	e.Apply(3)
	mask := e.Mask(nil)
	for a, legal := range mask {
		if legal != slices.Contains(e.Legal(nil), int32(a)) {
			t.Errorf("the mask says %v of action %d", legal, a)
		}
	}
}

func TestIllegalMovesChangeNothing(t *testing.T) {
	e := mustGame(t, taskGraph(t, "Lighthouse"), game.Options{})
	e.Undo()
	e.Apply(1)
	before := e.Hash()
	for _, a := range []int32{-1, 1, 100} {
		if r := e.Apply(a); !math.IsNaN(r) || e.Hash() != before || len(e.Order()) != 1 {
			t.Errorf("action %d: reward %v, order %v", a, r, e.Order())
		}
	}
	e.Undo()
	if len(e.Order()) != 0 {
		t.Errorf("undone, the order is %v", e.Order())
	}
}

// TestCompletion compares with the orders of package elim at the start, and with a replay everywhere.
func TestCompletion(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for _, name := range []string{"RoeFlux_1d", "RobotArm_6DOF", "HumanHeartDipole", "g", "Lighthouse"} {
		g := taskGraph(t, name)
		reverse, err1 := g.Muls(elim.Reverse(g))
		markowitz, err2 := g.Muls(elim.Markowitz(g))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if got := mustGame(t, g, game.Options{}).Baseline(); got != -float64(min(reverse, markowitz)) {
			t.Errorf("%s: baseline %v, reverse costs %d and Markowitz %d", name, got, reverse, markowitz)
		}
		for _, o := range kinds {
			e := mustGame(t, g, o)
			for !e.Done() {
				legal := e.Legal(nil)
				e.Apply(legal[rng.IntN(len(legal))])
				if e.Done() {
					break
				}
				baseline, hash := e.Baseline(), e.Hash()
				order, cost := e.Completion(nil)
				if cost != -baseline || e.Hash() != hash {
					t.Fatalf("baseline %v, completion costs %v", baseline, cost)
				}
				f := mustGame(t, g, game.Options{Objective: o.Objective})
				for _, v := range append(e.Order(), order...) {
					f.Apply(f.Action(v))
				}
				if !f.Done() || f.Return() != e.Return()+baseline {
					t.Fatalf("%s, %s: completing from %v costs %v, replayed %v", name, o.Objective.Name(), e.Return(), cost, f.Return())
				}
			}
			if e.Baseline() != 0 {
				t.Errorf("baseline %v at the end", e.Baseline())
			}
		}
	}
}

func TestPlayingAllocatesNothing(t *testing.T) {
	g := taskGraph(t, "RoeFlux_1d")
	for _, o := range kinds[:6] {
		e, rng := mustGame(t, g, o), rand.New(rand.NewPCG(1, 2))
		legal := make([]int32, 0, e.Actions())
		for range 3 {
			playUniform(e, rng, legal)
		}
		e.Reset()
		e.Baseline()
		if n := testing.AllocsPerRun(5, func() {
			e.Baseline()
			playUniform(e, rng, legal)
		}); n > 1 { // a buffer may still grow once
			t.Errorf("%s, %v: %v allocations per game", o.Objective.Name(), o.Reduce, n)
		}
	}
}

// TestMeasuredObjective: a measurement that never says the same twice is asked once for each order, and a failure shows.
func TestMeasuredObjective(t *testing.T) {
	g := taskGraph(t, "Lighthouse")
	calls := 0
	noisy := game.AtEnd("time", func(order []int) (float64, error) {
		if err := g.CheckOrder(order); err != nil {
			t.Error(err)
		}
		calls++
		return float64(calls), nil
	})
	e := mustGame(t, g, game.Options{Objective: noisy})
	for a := range int32(e.Actions()) {
		if r := e.Apply(a); (r != 0) != e.Done() {
			t.Errorf("move %d has reward %v", a+1, r)
		}
	}
	first := e.Return()
	e.Undo()
	if e.Return() != 0 || e.Apply(int32(e.Actions()-1)) != first || calls != 1 {
		t.Errorf("measured %d times, return %v", calls, e.Return())
	}

	for _, c := range []struct {
		cost float64
		err  error
		want string
	}{
		{0, errors.New("no compiler"), "objective time: no compiler"},
		{math.Inf(1), nil, "objective time: the cost is +Inf, not a number to compare"},
	} {
		e := mustGame(t, g, game.Options{Objective: game.AtEnd("time", func([]int) (float64, error) { return c.cost, c.err })})
		var last float64
		for a := range int32(e.Actions()) {
			last = e.Apply(a)
		}
		if e.Err() == nil || e.Err().Error() != c.want || !math.IsNaN(last) {
			t.Errorf("error %v, last reward %v", e.Err(), last)
		}
		if e.Reset(); e.Err() != nil {
			t.Errorf("after Reset: %v", e.Err())
		}
	}
}

func TestBadOptions(t *testing.T) {
	g := taskGraph(t, "Lighthouse")
	for _, c := range []struct {
		graph *elim.Graph
		o     game.Options
		want  string
	}{
		{nil, game.Options{}, "a game needs a graph"},
		{g, game.Options{Objective: memory, Reduce: game.Twins}, "objective memory is not safe with the reductions twins: proved for it are none"},
		{g, game.Options{Reduce: 64}, "reductions"},
		{g, game.Options{Objective: game.AtEnd("time", nil)}, `objective "time" has no cost function`},
	} {
		if _, err := game.New(c.graph, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, expected %s", err, c.want)
		}
	}
	if _, err := game.LookupObjective("mulls"); err == nil || !strings.Contains(err.Error(), `no dense objective "mulls": known are muls, ops`) {
		t.Errorf("%v", err)
	}
	if o, err := game.LookupObjective("ops"); err != nil || o.Name() != "ops" || !o.Dense() {
		t.Errorf("%v %v", o, err)
	}
}

// TestNothingToEliminate: a program whose vertices are all outputs is a game that is over at once.
func TestNothingToEliminate(t *testing.T) {
	g := build(t, 1, 1, []int{1}, [3]int{0, 1, 0})
	for _, o := range kinds {
		e := mustGame(t, g, o)
		if !e.Done() || e.Return() != 0 || e.Reset() != 0 || e.Baseline() != 0 || len(e.Legal(nil)) != 0 {
			t.Errorf("%s: %+v", o.Objective.Name(), e.Playthrough())
		}
	}
}

func TestForksAreIndependent(t *testing.T) {
	e := mustGame(t, taskGraph(t, "Lighthouse"), game.Options{Reduce: game.Dead})
	e.Apply(e.Legal(nil)[0])
	f := e.Fork()
	if len(f.Order()) != 0 || f.Options().Reduce != game.Dead || f.Graph() != e.Graph() {
		t.Errorf("the fork starts with %v", f.Order())
	}
}
