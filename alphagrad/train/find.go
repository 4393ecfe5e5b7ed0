package train

import (
	"context"
	"errors"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// Method is the name of [FindOrder] among the methods of package search.
const Method = "alphazero"

// FindOrder looks for a cheap order by letting an agent play: once as well as it can, then with exploration, game after game,
// until the budget is spent or an order meets the lower bound. Evaluations are those of the network; the same seed and
// number of evaluations give the same answer. A budget of evaluations may be overrun by one game; time ends a game under way,
// with the cheapest order met in it. Warm starts are not used.
func FindOrder(ctx context.Context, n *net.Network, g *elim.Graph, simulations int, s search.Settings) (search.Result, error) {
	begin := time.Now()
	r := search.Result{Method: Method, Status: search.BudgetSpent}
	bounding := ctx
	if s.Budget > 0 { // as in package search: cuts that are missing count as zero
		var cancel context.CancelFunc
		bounding, cancel = context.WithTimeout(ctx, s.Budget/4)
		defer cancel()
	}
	r.LowerBound, _ = elim.LowerBound(bounding, elim.NewState(g))
	gm, err := NewGame("", g, game.All)
	if err != nil {
		return r, err
	}
	config := Default()
	explore := config.options()
	explore.Simulations = max(simulations, 1)
	player, err := NewAgent(n, config.PlayOptions(simulations))
	if err != nil {
		return r, err
	}
	over := func() bool { return ctx.Err() != nil || s.Budget > 0 && time.Since(begin) >= s.Budget }
	for k := 0; ; k++ {
		player.halt = over
		p, err := player.Play(gm, uint64(runs.Seed(s.Seed).At(k)))
		if errors.Is(err, errHalted) {
			p = &Play{Evaluations: player.evaluations}
			err = player.report(gm, p)
		}
		if err != nil {
			return r, err
		}
		r.Evaluations, r.Seconds = r.Evaluations+p.Evaluations, time.Since(begin).Seconds()
		if r.Order == nil || p.Muls < r.Cost {
			r.Order, r.Cost = p.Order, p.Muls
			r.Trace = append(r.Trace, search.TracePoint{Seconds: r.Seconds, Evaluations: r.Evaluations, Cost: r.Cost})
		}
		if s.Progress != nil {
			s.Progress(search.Progress{Seconds: r.Seconds, Evaluations: r.Evaluations, Cost: r.Cost, LowerBound: r.LowerBound})
		}
		switch {
		case r.Cost == r.LowerBound:
			r.Optimal, r.Status = true, search.Certified
			return r, nil
		case len(p.moves) == 0 && p.Line != nil:
			r.Status = search.Finished // no choice, so every game is this one
			return r, nil
		case ctx.Err() != nil:
			r.Status = search.Cancelled
			return r, nil
		case over(), s.Evaluations > 0 && r.Evaluations >= s.Evaluations, s.Budget == 0 && s.Evaluations == 0:
			return r, nil
		}
		if k == 0 {
			if player, err = NewAgent(n, explore); err != nil {
				return r, err
			}
		}
	}
}
