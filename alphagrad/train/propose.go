package train

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// NewProposer lets a network propose orders to the portfolio: first the one its bare policy plays, then orders that keep a
// random beginning of the best so far and are finished by moves drawn from the policy.
func NewProposer(n *net.Network, name string, g *elim.Graph, seed uint64) (search.Proposer, error) {
	gm, err := NewGame(name, g, game.All)
	if err != nil {
		return nil, err
	}
	a, err := NewAgent(n, mcts.DefaultOptions())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, k int, best []int) []int {
		gm.Reset()
		if err := a.begin(gm, seed); err != nil {
			return nil
		}
		rng := runs.Seed(seed).Sub("propose").At(k).Rand()
		noise := 0.0
		if k > 0 {
			noise = 0.5 * rng.Float64()
			for _, v := range best[:rng.IntN(len(best)+1)] {
				if !gm.State().Eliminated(v) {
					gm.Apply(gm.Action(v))
				}
			}
		}
		if err := a.hasty(ctx, gm, noise, rng); err != nil {
			return nil
		}
		if a.best != nil && a.bestCost < -int64(gm.Return()) { // a cheap completion of a state on the way
			return slices.Clone(a.best)
		}
		return gm.Order()
	}, nil
}

// bare plays up to a number of moves with the policy alone: the likeliest move or, with noise, one drawn from the policy at
// that temperature.
func (a *Agent) bare(ctx context.Context, g *game.Game, noise float64, moves int, rng *rand.Rand) error {
	for ; moves > 0 && !g.Done(); moves-- {
		ranked, err := a.ranked(ctx, g, noise, rng)
		if err != nil {
			return err
		}
		g.Apply(ranked[0].action)
	}
	return nil
}

// breath is how many evaluations hasty play takes from one halving of the game to the next, roughly.
const breath = 24

// hasty plays the rest of a game with the policy alone and, where many vertices are left, several moves from one
// evaluation: the likeliest of those that are not next to one another, so that none of them changes what another costs.
func (a *Agent) hasty(ctx context.Context, g *game.Game, noise float64, rng *rand.Rand) error {
	s := g.State()
	touched := make([]bool, g.Graph().Nodes())
	for !g.Done() {
		ranked, err := a.ranked(ctx, g, noise, rng)
		if err != nil {
			return err
		}
		clear(touched)
		left := 1 + s.Left()/breath
		for _, m := range ranked {
			v := g.Vertex(m.action)
			node := g.Graph().Node(v)
			if s.Eliminated(v) || touched[node] {
				continue
			}
			for u := range s.Pred(node) {
				touched[u] = true
			}
			for u := range s.Succ(node) {
				touched[u] = true
			}
			g.Apply(m.action)
			if left--; left == 0 {
				break
			}
		}
	}
	return nil
}

// rank is how much the policy likes a move, in logits.
type rank struct {
	action int32
	logit  float32
}

// ranked are the legal moves in the order in which the policy likes them; with noise, in an order drawn from it.
func (a *Agent) ranked(ctx context.Context, g *game.Game, noise float64, rng *rand.Rand) ([]rank, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	legal := g.Legal(nil)
	ranks, logits := make([]rank, len(legal)), make([]float32, len(legal))
	if len(legal) > 1 {
		if _, err := a.evaluate(g, legal, logits); err != nil {
			return nil, err
		}
	}
	for k, action := range legal {
		if noise > 0 { // sorting logits with Gumbel noise draws without replacement
			logits[k] -= float32(noise * math.Log(-math.Log(rng.Float64())))
		}
		ranks[k] = rank{action, logits[k]}
	}
	slices.SortStableFunc(ranks, func(a, b rank) int { return cmp.Compare(b.logit, a.logit) })
	return ranks, nil
}
