package train

import (
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
		if err := a.bare(ctx, gm, noise, math.MaxInt, rng); err != nil {
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
	var legal []int32
	var logits []float32
	for ; moves > 0 && !g.Done(); moves-- {
		if err := ctx.Err(); err != nil {
			return err
		}
		legal = g.Legal(legal)
		chosen := 0
		if len(legal) > 1 {
			if cap(logits) < len(legal) {
				logits = make([]float32, len(legal))
			}
			logits = logits[:len(legal)]
			if _, err := a.evaluate(g, legal, logits); err != nil {
				return err
			}
			for k := range logits {
				if noise > 0 { // the largest of logits with Gumbel noise is a draw from the policy
					logits[k] -= float32(noise * math.Log(-math.Log(rng.Float64())))
				}
				if logits[k] > logits[chosen] {
					chosen = k
				}
			}
		}
		g.Apply(legal[chosen])
	}
	return nil
}
