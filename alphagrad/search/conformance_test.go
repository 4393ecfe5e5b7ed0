package search

import (
	"context"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"pgregory.net/rapid"
)

// conforms checks what every result promises, whatever the method.
func conforms(t interface {
	Helper()
	Errorf(string, ...any)
}, p Problem, s Settings, r Result) {
	t.Helper()
	o, err := lookupObjective(p.Objective)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	cost, err := o.replay(p.Graph, r.Order)
	if err != nil {
		t.Errorf("%s: %v", r.Method, err)
		return
	}
	if cost != r.Cost {
		t.Errorf("%s: cost %d, replay says %d", r.Method, r.Cost, cost)
	}
	if r.LowerBound > r.Cost || r.LowerBound < 0 {
		t.Errorf("%s: lower bound %d of cost %d", r.Method, r.LowerBound, r.Cost)
	}
	if r.Optimal != (r.Cost == r.LowerBound) || r.Optimal != (r.Status == Certified) {
		t.Errorf("%s: optimal %v and %s at cost %d with lower bound %d", r.Method, r.Optimal, r.Status, r.Cost, r.LowerBound)
	}
	if s.Evaluations > 0 && r.Evaluations > s.Evaluations {
		t.Errorf("%s: %d evaluations of a budget of %d", r.Method, r.Evaluations, s.Evaluations)
	}
	if len(r.Trace) == 0 || r.Trace[len(r.Trace)-1].Cost != r.Cost {
		t.Errorf("%s: the trace %v does not end at cost %d", r.Method, r.Trace, r.Cost)
	}
	for i := 1; i < len(r.Trace); i++ {
		a, b := r.Trace[i-1], r.Trace[i]
		if b.Cost >= a.Cost || b.Evaluations < a.Evaluations || b.Seconds < a.Seconds {
			t.Errorf("%s: the trace goes from %v to %v", r.Method, a, b)
		}
	}
	for _, start := range s.Start {
		if c, err := o.replay(p.Graph, start); err != nil || r.Cost > c {
			t.Errorf("%s: cost %d is worse than a start of %d (%v)", r.Method, r.Cost, c, err)
		}
	}
}

func allObjectives() []Objective {
	var all []Objective
	for _, o := range objectives {
		all = append(all, o.name)
	}
	return all
}

func TestMethodsConform(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t, rapid.SampledFrom([]int{4, 20, 90}).Draw(t, "size"))
		p := Problem{Graph: g, Objective: rapid.SampledFrom(allObjectives()).Draw(t, "objective")}
		s := Settings{Evaluations: rapid.Int64Range(1, 20_000).Draw(t, "evaluations"), Seed: rapid.Uint64().Draw(t, "seed")}
		if rapid.Bool().Draw(t, "warm") {
			s.Start = [][]int{rapid.Permutation(g.Eliminable()).Draw(t, "start"), elim.Forward(g)}
		}
		if rapid.Bool().Draw(t, "proposer") {
			s.Propose = func(_ context.Context, k int, _ []int) []int {
				order := slices.Clone(g.Eliminable())
				rand.New(rand.NewPCG(s.Seed, uint64(k))).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				return order[k%4/3:] // now and then one too short, or nothing
			}
		}
		for _, m := range Methods() {
			r, err := Run(context.Background(), m.Name, p, s)
			if err != nil {
				t.Fatalf("%s: %v", m.Name, err)
			}
			conforms(t, p, s, r)
			// The same seed and evaluation budget give the same answer, with a time limit that never binds too.
			again := s
			again.Budget = time.Hour
			r2, err := Run(context.Background(), m.Name, p, again)
			if err != nil || !slices.Equal(r.Order, r2.Order) || r.Cost != r2.Cost || r.LowerBound != r2.LowerBound ||
				r.Evaluations != r2.Evaluations || r.Status != r2.Status || len(r.Trace) != len(r2.Trace) {
				t.Fatalf("%s: two runs differ: %+v, %+v, %v", m.Name, r, r2, err)
			}
		}
	})
}

// optimum is the least cost by dynamic programming over all sets of eliminated vertices.
func optimum(t *rapid.T, g *elim.Graph, o *objective) int64 {
	el := g.Eliminable()
	best := make([]int64, 1<<len(el))
	for set := range best {
		if set == 0 {
			continue
		}
		best[set] = 1 << 60
		for x := uint(set); x != 0; x &= x - 1 {
			last := bits.TrailingZeros(x)
			s := o.state(g)
			for i, v := range el {
				if set>>i&1 == 1 && i != last {
					s.Apply(v)
				}
			}
			best[set] = min(best[set], best[set&^(1<<last)]+o.step(s, el[last]))
		}
	}
	return best[len(best)-1]
}

func TestExactFindsTheOptimum(t *testing.T) {
	hard := 0
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t, 15)
		o := &objectives[rapid.IntRange(0, len(objectives)-1).Draw(t, "objective")]
		want := optimum(t, g, o)
		r, err := Run(context.Background(), "exact", Problem{Graph: g, Objective: o.name}, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Cost != want || !r.Optimal || r.Status != Certified {
			t.Fatalf("cost %d, %s, want %d, certified", r.Cost, r.Status, want)
		}
		// The search must not owe its success to a good order found before it starts.
		run := newRun(context.Background(), Problem{Graph: g}, o, Settings{})
		run.offer(rapid.Permutation(g.Eliminable()).Draw(t, "start"))
		run.bound()
		if run.lower < want {
			hard++
		}
		prove(run, run.left())
		if run.cost != want || run.lower != want {
			t.Fatalf("from a random order: cost %d, bound %d, want %d", run.cost, run.lower, want)
		}
	})
	if hard == 0 {
		t.Error("the plain bound was the optimum every time: nothing was proved")
	}
}

func TestSearchBeatsItsStart(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 3 {
		g := randomGraph(t, r, 6, 80)
		for _, o := range objectives {
			start := elim.Reverse(g)
			before, err := o.replay(g, start)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []string{"greedy", "anneal", "beam", "exact", "portfolio"} {
				res, err := Run(context.Background(), m, Problem{Graph: g, Objective: o.name}, Settings{Evaluations: 100_000, Start: [][]int{start}})
				if err != nil {
					t.Fatal(err)
				}
				if res.Cost >= before && !res.Optimal {
					t.Errorf("%s found nothing better than the reverse order's %d %s", m, before, o.name)
				}
			}
		}
	}
}

func TestCancelReturnsTheBestSoFar(t *testing.T) {
	g := randomGraph(t, rand.New(rand.NewPCG(7, 8)), 6, 100)
	for _, m := range []string{"random", "anneal", "beam", "exact", "portfolio"} {
		ctx, cancel := context.WithCancel(context.Background())
		var seen int64
		s := Settings{Budget: time.Hour, Progress: func(p Progress) {
			seen = p.Cost
			cancel()
		}}
		r, err := Run(ctx, m, Problem{Graph: g}, s)
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != Cancelled || r.Cost > seen {
			t.Errorf("%s: status %s, cost %d, want cancelled and at most %d", m, r.Status, r.Cost, seen)
		}
		conforms(t, Problem{Graph: g, Objective: Muls}, s, r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, m := range Methods() {
		r, err := Run(ctx, m.Name, Problem{Graph: g}, Settings{})
		if err != nil || g.CheckOrder(r.Order) != nil || r.Status != Cancelled {
			t.Errorf("%s cancelled before it began: %v, %v, want an order all the same", m.Name, r.Status, err)
		}
	}
}

func TestTimeBudgetEndsTheSearch(t *testing.T) {
	g := randomGraph(t, rand.New(rand.NewPCG(7, 8)), 6, 100)
	for _, m := range []string{"random", "anneal", "portfolio"} {
		r, err := Run(context.Background(), m, Problem{Graph: g}, Settings{Budget: 20 * time.Millisecond})
		if err != nil || r.Status != BudgetSpent || r.Seconds < 0.02 {
			t.Errorf("%s: %s after %v s, %v, want the budget of 0.02 s spent", m, r.Status, r.Seconds, err)
		}
	}
}

func TestSmallestGraphs(t *testing.T) {
	for name, spec := range map[string]elim.Spec{
		"empty":            {},
		"inputs only":      {Inputs: 3, Outputs: []int{1, 1}},
		"one output":       {Inputs: 1, Vertices: 1, Edges: []elim.Edge{{From: 0, To: 1}}, Outputs: []int{1}},
		"one dead vertex":  {Inputs: 1, Vertices: 1, Edges: []elim.Edge{{From: 0, To: 1}}},
		"one to eliminate": {Inputs: 1, Vertices: 2, Edges: []elim.Edge{{From: 0, To: 1}, {From: 1, To: 2}}, Outputs: []int{2}},
		"two unconnected":  {Vertices: 2},
	} {
		g, err := elim.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range Methods() {
			for _, o := range allObjectives() {
				p, s := Problem{Graph: g, Objective: o}, Settings{Evaluations: 1000}
				r, err := Run(context.Background(), m.Name, p, s)
				if err != nil {
					t.Fatalf("%s, %s: %v", name, m.Name, err)
				}
				conforms(t, p, s, r)
			}
		}
	}
}

func TestRunRefuses(t *testing.T) {
	g := randomGraph(t, rand.New(rand.NewPCG(7, 8)), 2, 9)
	for want, c := range map[string]struct {
		method string
		p      Problem
		s      Settings
	}{
		"without a graph":                          {"anneal", Problem{}, Settings{}},
		"known are forward, reverse":               {"magic", Problem{Graph: g}, Settings{}},
		`unknown objective "beauty": known are mu`: {"anneal", Problem{Graph: g, Objective: "beauty"}, Settings{}},
		"neither can be negative":                  {"anneal", Problem{Graph: g}, Settings{Evaluations: -1}},
		"start 2: the order is not a permutation":  {"anneal", Problem{Graph: g}, Settings{Start: [][]int{elim.Forward(g), {1, 1}}}},
	} {
		if _, err := Run(context.Background(), c.method, c.p, c.s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestTablesDescribeThemselves(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Methods() {
		if m.About == "" || seen[m.Name] {
			t.Errorf("method %q has no description or appears twice", m.Name)
		}
		seen[m.Name] = true
	}
	for name, about := range Objectives() {
		if about == "" {
			t.Errorf("objective %q has no description", name)
		}
	}
}
