// Package search looks for cheap elimination orders: any-time, seeded, cancellable, and with a certificate
// where the order found meets a bound.
//
// Run is the only entry. Its parts are kept apart: a Problem is what to minimise, Settings are what it may
// cost, a Result says what came out and why the search ended. Methods lists the methods; a row in the table
// adds one.
//
// # Evaluations
//
// An evaluation is one price asked of the graph: what eliminating one vertex would cost in one state, the cut
// of one vertex, or the change of cost of one proposed exchange in annealing. It takes tens to hundreds of
// nanoseconds on graphs of a hundred vertices with every method, so budgets in evaluations compare methods
// fairly. No decision of a search looks at a clock: when the evaluation budget is what ends it, the same
// problem, method, settings and seed give the same order, cost and number of evaluations on any machine.
package search

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// DefaultEvaluations is the budget of a search that is given none, about two seconds on a graph of a hundred
// vertices.
const DefaultEvaluations = 10_000_000

// A Problem is a graph and what to minimise over the orders that eliminate it.
type Problem struct {
	Graph     *elim.Graph
	Objective Objective // Muls if empty
	// Ledger, if not nil, makes ledgers that price orders in place of the objective, which then only guides greedy choices.
	// Nothing is proved under a ledger.
	Ledger func() Ledger
}

// A Ledger knows what an elimination costs by other means than counting edges, such as the program that it emits. It may be
// slow: a price of an order takes the eliminations that differ from the last one priced. It starts before any elimination.
type Ledger interface {
	Eliminate(vertex int) // one that is eliminable and not yet eliminated
	Undo()                // takes the last Eliminate back
	Cost() int64          // of the eliminations so far; of interest when all vertices are eliminated
}

// Settings limit and steer a search.
type Settings struct {
	Budget      time.Duration  // wall time; 0 for no limit
	Evaluations int64          // prices asked; 0 for no limit, DefaultEvaluations if Budget is 0 too
	Seed        uint64         // of all random choices
	Start       [][]int        // orders to improve on, each a permutation of the eliminable vertices
	Propose     Proposer       // of orders for the portfolio, such as a trained network; may be nil
	Improved    func([]int)    // called with every order that is better than all before it, which it must not change
	Progress    func(Progress) // called at every improvement and every 0.2 s, in the goroutine of Run
}

// A Proposer makes the k-th order that a search asks for, given the best so far, or returns nil if ctx ends first. The same
// arguments give the same order. What it returns is checked and replayed like any order. A proposal counts as n²
// evaluations, n being the vertices to eliminate: a price for every vertex at every move.
type Proposer func(ctx context.Context, k int, best []int) []int

// Progress is the state of a search that runs.
type Progress struct {
	Seconds     float64 // since the search began
	Evaluations int64
	Cost        int64 // of the best order so far
	LowerBound  int64
}

// A TracePoint says when the best order so far was found.
type TracePoint struct {
	Seconds     float64 // since the search began; the only field that depends on the machine
	Evaluations int64
	Cost        int64
}

// Status says why a search ended.
type Status string

// The reasons.
const (
	Certified   Status = "certified"    // the order is proved optimal
	Finished    Status = "finished"     // the method has nothing more to try
	BudgetSpent Status = "budget spent" // of time, of evaluations, or of the memory the method allows itself
	Cancelled   Status = "cancelled"    // by the context
)

// A Result is the best order found and what is known about it.
type Result struct {
	Method      string
	Order       []int // vertex numbers
	Cost        int64 // replayed from the untouched graph
	LowerBound  int64 // no order costs less; 0 where nothing better is known
	Optimal     bool  // Cost equals LowerBound
	Status      Status
	Seconds     float64
	Evaluations int64
	Trace       []TracePoint // costs strictly decrease, evaluations and seconds never do
}

// MethodInfo describes a method.
type MethodInfo struct {
	Name, About string
}

// A method is a row of the table of methods. Its search offers orders to the run and asks it for evaluations
// until it is granted none or has nothing more to try.
type method struct {
	name, about string
	search      func(r *run, rng *rand.Rand)
}

var methods = []method{
	{"forward", "the trace order: forward accumulation", func(r *run, _ *rand.Rand) { r.offer(elim.Forward(r.graph)) }},
	{"reverse", "the reverse trace order: reverse accumulation", func(r *run, _ *rand.Rand) { r.offer(elim.Reverse(r.graph)) }},
	{"markowitz", "always the vertex with the fewest multiplications, lowest number first", func(r *run, _ *rand.Rand) { r.offer(elim.Markowitz(r.graph)) }},
	{"greedy", "many rules for the next vertex, with ties broken low, high and at random", greedy},
	{"random", "orders drawn at random", random},
	{"anneal", "simulated annealing by exchanges of neighbouring vertices, in ever longer cycles", annealing},
	{"beam", "beam search over sets of eliminated vertices, in ever wider beams", beam},
	{"exact", "best-first search over sets of eliminated vertices with the minimum-cut bound, to a proof", exact},
	{"portfolio", "greedy, a short annealing, a short attempt at a proof, and annealing for the rest; with a network, orders it proposes first and in between", portfolio},
}

// Methods lists the methods of Run.
func Methods() []MethodInfo {
	all := make([]MethodInfo, len(methods))
	for i, m := range methods {
		all[i] = MethodInfo{m.name, m.about}
	}
	return all
}

// Run searches for a cheap order. It fails on a problem or settings that make no sense, never for lack of
// budget: however small that is, and however early the context ends, the result has an order.
func Run(ctx context.Context, name string, p Problem, s Settings) (Result, error) {
	if p.Graph == nil {
		return Result{}, errors.New("search without a graph")
	}
	if p.Objective == "" {
		p.Objective = Muls
	}
	o, err := lookupObjective(p.Objective)
	if err != nil {
		return Result{}, err
	}
	m, err := lookupMethod(name)
	if err != nil {
		return Result{}, err
	}
	if p.Graph.IsStructured() && (m.name == "exact" || o.units && p.Ledger == nil) {
		return Result{}, fmt.Errorf("method %s for objective %s works on scalars; this is a graph of arrays, whose costs depend on the structure of the edges (use objective %s and another method, or the scalar form of the program)", m.name, o.name, Muls)
	}
	if p.Ledger != nil && m.name == "exact" {
		return Result{}, fmt.Errorf("method %s proves by counts of edges, not by a ledger; use another method", m.name)
	}
	if s.Budget < 0 || s.Evaluations < 0 {
		return Result{}, fmt.Errorf("search with a budget of %v and %d evaluations: neither can be negative", s.Budget, s.Evaluations)
	}
	for i, order := range s.Start {
		if err := p.Graph.CheckOrder(order); err != nil {
			return Result{}, fmt.Errorf("start %d: %w", i+1, err)
		}
	}
	r := newRun(ctx, p, o, s)
	for _, order := range s.Start {
		r.offer(order)
	}
	r.bound()
	if r.stop == "" {
		m.search(r, rand.New(rand.NewPCG(s.Seed, 0x5eed)))
	}
	if r.best == nil {
		r.offer(elim.Reverse(p.Graph))
	}
	return r.result(m.name)
}

func lookupMethod(name string) (method, error) {
	var known []string
	for _, m := range methods {
		if m.name == name {
			return m, nil
		}
		known = append(known, m.name)
	}
	return method{}, fmt.Errorf("unknown search method %q: known are %s", name, strings.Join(known, ", "))
}
