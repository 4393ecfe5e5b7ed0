package train

import (
	"context"
	"fmt"
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// annealedEvaluations is the work of one game by annealing: it comes close to the best orders known without always
// finding them.
const annealedEvaluations = 300_000

// anneal fills the replay memory with games along orders that annealing finds: the policy target is the move played. What
// is learned then is not from scratch.
func (t *Trainer) anneal(ctx context.Context) error {
	var es []*episode
	for _, name := range t.config.Tasks {
		for k := range t.config.Annealed {
			b := t.boards[taskSource(name)]
			p := search.Problem{Graph: b.graph, Objective: search.Objective(t.config.Objective)}
			r, err := search.Run(ctx, "anneal", p, search.Settings{Evaluations: annealedEvaluations, Seed: uint64(t.seed.Sub("annealed").At(k))})
			if err != nil {
				return err
			}
			play, err := along(b, r.Order)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			es = append(es, newEpisode(b, play))
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t.replay.add(es)
	return nil
}

// along plays an order: in every position the legal move that comes first in it.
func along(b *board, order []int) (*Play, error) {
	gm, err := b.game()
	if err != nil {
		return nil, err
	}
	place := make(map[int]int, len(order))
	for k, v := range order {
		place[v] = k
	}
	p := &Play{}
	for !gm.Done() {
		legal := gm.Legal(nil)
		chosen, first := 0, math.MaxInt
		for k, action := range legal {
			if at := place[gm.Vertex(action)]; at < first {
				chosen, first = k, at
			}
		}
		m := move{action: legal[chosen], left: int64(gm.Return())}
		if len(legal) > 1 {
			m.legal, m.policy = legal, make([]float32, len(legal))
			m.policy[chosen] = 1
		}
		p.moves = append(p.moves, m)
		gm.Apply(m.action)
	}
	for k := range p.moves {
		p.moves[k].left -= int64(gm.Return())
	}
	return p, nil
}
