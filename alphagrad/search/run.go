package search

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// A run is one search under way: it keeps the budget, the best order and the bound, so that methods only search.
type run struct {
	graph     *elim.Graph
	objective *objective
	settings  Settings

	ctx      context.Context
	start    time.Time
	limit    int64     // evaluations allowed, math.MaxInt64 if unlimited
	used     int64     // evaluations granted
	reported time.Time // when Progress was called last

	ledger    func() Ledger // of the problem, may be nil
	check     *elim.State   // replays offered orders, without a ledger
	books     Ledger        // replays offered orders, with one
	best      []int         // nil before the first offer
	cost      int64         // of best
	lower     int64
	cuts      []int64 // [vertices+1]: mincut·mincut of each vertex in the untouched graph, as far as computed
	trace     []TracePoint
	proposals int    // asked for so far
	stop      Status // why no more evaluations are granted, "" while they are
}

func newRun(ctx context.Context, p Problem, o *objective, s Settings) *run {
	limit := s.Evaluations
	if limit == 0 {
		limit = math.MaxInt64
		if s.Budget == 0 {
			limit = DefaultEvaluations
		}
	}
	now := time.Now()
	r := &run{
		graph: p.Graph, objective: o, settings: s, ctx: ctx, start: now, reported: now, limit: limit,
		ledger: p.Ledger, cuts: make([]int64, p.Graph.Vertices()+1),
	}
	if r.ledger == nil {
		r.check = o.state(p.Graph)
	} else {
		r.books = r.ledger()
	}
	return r
}

// newLedger is one of the problem or of the objective.
func (r *run) newLedger() Ledger {
	if r.ledger != nil {
		return r.ledger()
	}
	return counted{r.objective.state(r.graph), r.objective}
}

// counted is the ledger of an objective.
type counted struct {
	state     *elim.State
	objective *objective
}

func (c counted) Eliminate(vertex int) { c.state.Eliminate(vertex) }
func (c counted) Undo()                { c.state.Undo() }
func (c counted) Cost() int64          { return c.objective.spent(c.state) }

// proves says whether counts of edges prove anything.
func (r *run) proves() bool { return r.ledger == nil && !r.graph.IsStructured() }

// steps is how many proposals may pass between two looks at the budget.
func (r *run) steps() int64 {
	if r.ledger != nil {
		return 16
	}
	return batch
}

// grant allows up to the given number of evaluations, at least one of which the method must then make, and
// returns 0 when the search is to end. Between two grants a method must not work for long: this is where
// cancellation and budgets are noticed.
func (r *run) grant(wanted int64) int64 {
	if r.stop != "" {
		return 0
	}
	now := time.Now()
	switch {
	case r.ctx.Err() != nil:
		r.stop = Cancelled
	case r.settings.Budget > 0 && now.Sub(r.start) >= r.settings.Budget, r.used >= r.limit:
		r.stop = BudgetSpent
	default:
		if now.Sub(r.reported) >= 200*time.Millisecond {
			r.report(now)
		}
		wanted = min(wanted, r.limit-r.used)
		r.used += wanted
		return wanted
	}
	return 0
}

// left is the number of evaluations still allowed.
func (r *run) left() int64 { return r.limit - r.used }

// bound computes the minimum-cut bound if it is one for the objective. A budget of time leaves it a quarter of
// that, which is only ever too little for thousands of vertices; the cuts then missing count as zero.
func (r *run) bound() {
	if !r.objective.bounded || !r.proves() {
		return
	}
	cuts, root := elim.NewBounder(r.graph), elim.NewState(r.graph)
	for _, v := range r.graph.Eliminable() {
		if r.settings.Budget > 0 && time.Since(r.start) > r.settings.Budget/4 || r.grant(1) == 0 {
			break
		}
		in, out := cuts.Cuts(root, v)
		r.cuts[v] = int64(in) * int64(out)
		r.lower += r.cuts[v]
	}
	r.certify()
}

// raise records a better lower bound.
func (r *run) raise(bound int64) {
	r.lower = max(r.lower, bound)
	r.certify()
}

func (r *run) certify() {
	if r.best != nil && r.cost <= r.lower {
		r.stop = Certified
	}
}

// offer replays an order and keeps it if it is the best so far.
func (r *run) offer(order []int) {
	var cost int64
	if r.ledger != nil {
		cost = settle(r.books, order)
	} else {
		r.check.Reset()
		for _, v := range order {
			r.check.Apply(v)
		}
		if r.check.Left() > 0 {
			return
		}
		cost = r.objective.spent(r.check)
	}
	if r.best != nil && cost >= r.cost {
		return
	}
	r.best, r.cost = append([]int{}, order...), cost // never nil, not even for nothing to eliminate
	if r.settings.Improved != nil {
		r.settings.Improved(r.best)
	}
	now := time.Now()
	r.trace = append(r.trace, TracePoint{now.Sub(r.start).Seconds(), r.used, cost})
	r.certify()
	r.report(now)
}

// replay is the exact cost of an order, from the untouched graph.
func (r *run) replay(order []int) (int64, error) {
	if r.ledger == nil {
		return r.objective.replay(r.graph, order)
	}
	if err := r.graph.CheckOrder(order); err != nil {
		return 0, err
	}
	return settle(r.ledger(), order), nil
}

// settle prices an order on a fresh ledger and leaves it as it was.
func settle(l Ledger, order []int) int64 {
	for _, v := range order {
		l.Eliminate(v)
	}
	cost := l.Cost()
	for range order {
		l.Undo()
	}
	return cost
}

// propose asks for an order from outside, offers it and returns it; nil if there is nothing to ask or no budget for it, or
// if what came back is no order.
func (r *run) propose() []int {
	n := int64(len(r.graph.Eliminable()))
	if r.settings.Propose == nil || r.left() < n*n || r.grant(n*n) == 0 {
		return nil
	}
	ctx := r.ctx
	if r.settings.Budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, r.start.Add(r.settings.Budget))
		defer cancel()
	}
	order := r.settings.Propose(ctx, r.proposals, r.best)
	r.proposals++
	if order == nil || r.graph.CheckOrder(order) != nil {
		return nil
	}
	r.offer(order)
	return order
}

func (r *run) report(now time.Time) {
	r.reported = now
	if r.settings.Progress != nil && r.best != nil {
		r.settings.Progress(Progress{now.Sub(r.start).Seconds(), r.used, r.cost, r.lower})
	}
}

// result closes the run. The cost is replayed once more, by the graph itself and with the order checked.
func (r *run) result(method string) (Result, error) {
	cost, err := r.replay(r.best)
	if err == nil && cost != r.cost {
		err = fmt.Errorf("its cost is %d, not %d", cost, r.cost)
	}
	if err != nil {
		return Result{}, fmt.Errorf("search method %s returned a wrong order: %w", method, err)
	}
	status := r.stop
	if status == "" {
		status = Finished
	}
	return Result{
		Method: method, Order: r.best, Cost: cost, LowerBound: r.lower, Optimal: cost == r.lower, Status: status,
		Seconds: time.Since(r.start).Seconds(), Evaluations: r.used, Trace: r.trace,
	}, nil
}
