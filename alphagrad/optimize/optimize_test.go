package optimize

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/graphgen"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

func limited(evaluations int64, seed uint64) Settings {
	return Settings{Method: "portfolio", Settings: search.Settings{Evaluations: evaluations, Seed: seed}, Clock: DefaultClock()}
}

// costOf is what an order costs, from the program that package ad emits.
func costOf(t *testing.T, p Problem, order []int) int64 {
	t.Helper()
	if p.Objective == Memory {
		m, err := ad.Memory(p.Program, order)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	c, err := ad.CountOps(p.Program, order)
	if err != nil {
		t.Fatal(err)
	}
	return c.Mul + c.Add
}

// tiny draws a program of products, sums and calls with few vertices to eliminate, values used again and several outputs.
func tiny(t *testing.T, rng *rand.Rand) *ir.Program {
	b := ir.NewBuilder("tiny")
	x := []*ir.Value{b.Input("a"), b.Input("b"), b.Input("c")}
	for range 6 + rng.IntN(3) {
		u, v := x[rng.IntN(len(x))], x[len(x)-1-rng.IntN(min(3, len(x)))]
		switch rng.IntN(5) {
		case 0:
			x = append(x, ir.Sin(u))
		case 1:
			x = append(x, ir.Add(u, v))
		case 2:
			x = append(x, ir.Div(u, v))
		default:
			x = append(x, ir.Mul(u, v))
		}
	}
	for k := range 3 {
		b.Output(fmt.Sprintf("y%d", k), x[len(x)-1-k])
	}
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// best is the least cost by trying all orders.
func best(t *testing.T, p Problem) int64 {
	least := int64(math.MaxInt64)
	order := p.Graph.Eliminable()
	var try func(k int)
	try = func(k int) {
		if k == len(order) {
			least = min(least, costOf(t, p, order))
			return
		}
		for i := k; i < len(order); i++ {
			order[k], order[i] = order[i], order[k]
			try(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	try(0)
	return least
}

// TestFindsTheOptimumOfSmallGraphs: what trying all orders finds, and better than the named orders on some.
func TestFindsTheOptimumOfSmallGraphs(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	found, better, tried := 0, map[string]int{}, 0
	for tried < 6 {
		pr := problem(t, tiny(t, rng), nil)
		if n := len(pr.Graph.Eliminable()); n < 3 || n > 5 {
			continue
		}
		tried++
		for _, pr.Objective = range []string{Ops, Memory} {
			want := best(t, pr)
			r, err := Run(context.Background(), pr, limited(40_000, 1))
			if err != nil {
				t.Fatal(err)
			}
			if got := costOf(t, pr, r.Order); got != r.Cost || got < want {
				t.Fatalf("%s %d, reported %d, least %d", pr.Objective, got, r.Cost, want)
			}
			if r.Cost == want {
				found++
			} else if r.Cost > want+1 {
				t.Errorf("%s %d of program %d, least %d", pr.Objective, r.Cost, tried, want)
			}
			if want < costOf(t, pr, elim.Forward(pr.Graph)) && want < costOf(t, pr, elim.Reverse(pr.Graph)) {
				better[pr.Objective]++
			}
		}
	}
	// Searches are short, so that an optimum may be missed.
	if found < 11 {
		t.Errorf("%d of 12 optima found", found)
	}
	if better[Ops] == 0 || better[Memory] == 0 {
		t.Errorf("forward or reverse is best everywhere: nothing was searched for (%v)", better)
	}
}

// TestNeverWorse: than the named orders and the order with the fewest multiplications, as recomputed, on graphs of any size;
// the same seed and evaluations give the same result.
func TestNeverWorse(t *testing.T) {
	var programs []*ir.Program
	for _, name := range []string{"Lighthouse", "HumanHeartDipole"} {
		pr, _ := taskProblem(t, name)
		programs = append(programs, pr.Program)
	}
	for seed := range uint64(2) {
		p, err := graphgen.Draw(seed, 10, 50)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	fewer := 0
	for _, p := range programs {
		pr := problem(t, p, nil)
		pr.Objective = Muls
		muls, err := Run(context.Background(), pr, limited(10_000, 1))
		if err != nil {
			t.Fatal(err)
		}
		for _, pr.Objective = range []string{Ops, Memory} {
			s := limited(40_000, 1) // a quarter goes to multiplications
			r, err := Run(context.Background(), pr, s)
			if err != nil {
				t.Fatal(err)
			}
			if err := pr.Graph.CheckOrder(r.Order); err != nil {
				t.Fatal(err)
			}
			cost := costOf(t, pr, r.Order)
			if cost != r.Cost || r.Optimal || r.LowerBound != 0 || len(r.Trace) == 0 || r.Trace[len(r.Trace)-1].Cost != cost {
				t.Errorf("%s: cost %d, recomputed %d, %+v", p.Name, r.Cost, cost, r.Result)
			}
			for _, c := range append(Named(pr.Graph), muls.Best) {
				if other := costOf(t, pr, c.Order); other < cost {
					t.Errorf("%s: %s %d, %s order %d", p.Name, pr.Objective, cost, c.Name, other)
				}
			}
			if pr.Objective == Ops && cost < costOf(t, pr, muls.Order) {
				fewer++
			}
			again, err := Run(context.Background(), pr, s)
			if err != nil || !slices.Equal(r.Order, again.Order) || len(r.Compared) != len(again.Compared) {
				t.Errorf("%s: two runs differ: %v and %v, %v", p.Name, r.Order, again.Order, err)
			}
		}
	}
	if fewer == 0 {
		t.Error("the order with the fewest multiplications has the fewest operations everywhere")
	}
}

// TestArrays: orders of array programs are priced on what they emit.
func TestArrays(t *testing.T) {
	pr, _ := taskProblem(t, "Perceptron")
	for _, pr.Objective = range []string{Ops, Memory} {
		r, err := Run(context.Background(), pr, limited(600, 1))
		if err != nil {
			t.Fatal(err)
		}
		if cost := costOf(t, pr, r.Order); cost != r.Cost || cost > costOf(t, pr, elim.Reverse(pr.Graph)) || cost > costOf(t, pr, elim.Forward(pr.Graph)) {
			t.Errorf("%s %d, recomputed %d", pr.Objective, r.Cost, cost)
		}
	}
}

// TestMerge: the value and derivatives stay, vertices become fewer, and so do operations that sharing afterwards leaves.
func TestMerge(t *testing.T) {
	pr, task := taskProblem(t, "Lighthouse")
	q, err := Merge(pr.Program)
	merged := problem(t, q, err)
	if len(merged.Graph.Eliminable()) >= len(pr.Graph.Eliminable()) {
		t.Fatal("nothing was merged")
	}
	pr.Objective, merged.Objective = Ops, Ops
	if a, b := short(t, pr), short(t, merged); b >= a {
		t.Errorf("%d operations with equal subexpressions merged, %d without", b, a)
	}
	x, err := task.Point(rand.New(rand.NewPCG(7, 8)))
	if err != nil {
		t.Fatal(err)
	}
	var results [2][]float64
	for i, p := range []Problem{pr, merged} {
		raw, err := ad.Raw(p.Program, elim.Forward(p.Graph))
		if err != nil {
			t.Fatal(err)
		}
		if results[i], err = interp.EvalScalar(raw, x); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range results[0] {
		if math.Abs(v-results[1][i]) > 1e-12*(1+math.Abs(v)) {
			t.Errorf("result %d is %v, merged %v", i, v, results[1][i])
		}
	}
}

// short is what a short search finds.
func short(t *testing.T, p Problem) int64 {
	r, err := Run(context.Background(), p, limited(20_000, 1))
	if err != nil {
		t.Fatal(err)
	}
	return costOf(t, p, r.Order)
}

func TestFixedMethods(t *testing.T) {
	pr, _ := taskProblem(t, "Lighthouse")
	pr.Objective = Ops
	s := limited(100, 1)
	s.Method = "forward"
	r, err := Run(context.Background(), pr, s)
	if err != nil || !slices.Equal(r.Order, elim.Forward(pr.Graph)) || len(r.Compared) != 1 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestCancelledRunsHaveAnOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	pr, task := taskProblem(t, "RoeFlux_1d")
	var err error
	if pr.Points, err = task.Points(rand.New(rand.NewPCG(1, 1)), 2); err != nil {
		t.Fatal(err)
	}
	for _, pr.Objective = range []string{Muls, Ops, Memory, Time} {
		r, err := Run(ctx, pr, limited(1000, 1))
		if err != nil {
			t.Fatalf("%s: %v", pr.Objective, err)
		}
		if pr.Graph.CheckOrder(r.Order) != nil || r.Status != search.Cancelled || r.Timing != nil {
			t.Errorf("%s: %+v", pr.Objective, r.Result)
		}
	}
}

func TestRefusals(t *testing.T) {
	pr, _ := taskProblem(t, "Lighthouse")
	arrays, _ := taskProblem(t, "Perceptron")
	for want, try := range map[string]func(p *Problem, s *Settings){
		`unknown objective "opps"; did you mean "ops"?; known: muls, ops, memory, time`: func(p *Problem, s *Settings) { p.Objective = "opps" },
		"without a program":            func(p *Problem, s *Settings) { p.Program = nil },
		`unknown search method "luck"`: func(p *Problem, s *Settings) { s.Method = "luck" },
		"start 1: the order":           func(p *Problem, s *Settings) { s.Start = [][]int{{1}} },
		"no points":                    func(p *Problem, s *Settings) { p.Objective = Time },
		"is an array":                  func(p *Problem, s *Settings) { *p = arrays; p.Objective = Time },
		"2 candidates, batches of 1":   func(p *Problem, s *Settings) { p.Objective, p.Points, s.Clock.Candidates = Time, [][]float64{{1}}, 2 },
		"batches of 0":                 func(p *Problem, s *Settings) { p.Objective, p.Points, s.Clock.Batch = Time, [][]float64{{1}}, 0 },
		"neither can be negative":      func(p *Problem, s *Settings) { s.Evaluations = -1 },
	} {
		p, s := pr, limited(100, 1)
		p.Objective = Ops
		try(&p, &s)
		if _, err := Run(context.Background(), p, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	pr.Objective, pr.Points = Time, [][]float64{{1, 2, 3, 4}}
	if _, err := Run(context.Background(), pr, limited(100, 1)); err == nil || !strings.Contains(err.Error(), "needs the Go toolchain") {
		t.Errorf("without a toolchain: %v", err)
	}
}
