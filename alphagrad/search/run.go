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

	check     *elim.State // replays offered orders
	best      []int       // nil before the first offer
	cost      int64       // of best
	lower     int64
	cuts      []int64 // [vertices+1]: mincut·mincut of each vertex in the untouched graph, as far as computed
	trace     []TracePoint
	proposals int    // asked for so far
	stop      Status // why no more evaluations are granted, "" while they are
}

func newRun(ctx context.Context, g *elim.Graph, o *objective, s Settings) *run {
	limit := s.Evaluations
	if limit == 0 {
		limit = math.MaxInt64
		if s.Budget == 0 {
			limit = DefaultEvaluations
		}
	}
	now := time.Now()
	return &run{
		graph: g, objective: o, settings: s, ctx: ctx, start: now, reported: now, limit: limit,
		check: o.state(g), cuts: make([]int64, g.Vertices()+1),
	}
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
	if !r.objective.bounded || r.graph.IsStructured() {
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
	r.check.Reset()
	for _, v := range order {
		r.check.Apply(v)
	}
	cost := r.objective.spent(r.check)
	if r.check.Left() > 0 || r.best != nil && cost >= r.cost {
		return
	}
	r.best, r.cost = append([]int{}, order...), cost // never nil, not even for nothing to eliminate
	now := time.Now()
	r.trace = append(r.trace, TracePoint{now.Sub(r.start).Seconds(), r.used, cost})
	r.certify()
	r.report(now)
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
	cost, err := r.objective.replay(r.graph, r.best)
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
