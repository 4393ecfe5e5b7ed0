package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// work does n jobs, as many at a time as there are workers, each of which has an agent of its own with the network.
func (t *Trainer) work(ctx context.Context, network *net.Network, options mcts.Options, n int, job func(a *Agent, k int) error) error {
	workers := t.config.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(workers, n) {
		wg.Go(func() {
			agent, err := NewAgent(network, options)
			for k := range next {
				if err != nil {
					errs[k] = err
					continue
				}
				errs[k] = job(agent, k)
			}
		})
	}
	for k := range n {
		if ctx.Err() != nil {
			break
		}
		next <- k
	}
	close(next)
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// play plays a game on each of the sources.
func (t *Trainer) play(ctx context.Context, network *net.Network, sources []string, seed runs.Seed, explore bool) ([]*episode, []*Play, error) {
	options := t.config.options()
	if !explore {
		options = t.config.PlayOptions(t.config.Search.Simulations)
	}
	episodes, plays := make([]*episode, len(sources)), make([]*Play, len(sources))
	err := t.work(ctx, network, options, len(sources), func(a *Agent, k int) error {
		b, err := t.board(sources[k])
		if err != nil {
			return err
		}
		if explore && t.teaches(uint64(seed.At(k))) {
			episodes[k], plays[k], err = t.teach(ctx, a, b, uint64(seed.At(k)))
			return err
		}
		g, err := b.game()
		if err != nil {
			return err
		}
		p, err := a.Play(g, uint64(seed.At(k)))
		if err != nil {
			return fmt.Errorf("%s: %w", b.source, err)
		}
		episodes[k], plays[k] = newEpisode(b, p), p
		return nil
	})
	return episodes, plays, err
}

// A reanalysis is what a search of an earlier position has found.
type reanalysis struct {
	ticket
	policy []float32
	left   float64 // cost expected from the position on
	play   *Play   // the cheapest order met; what else it has is of the position
}

// reanalyse searches positions of the replay memory once more, with the network as it is now: its policy and its expected
// cost are better targets than what an earlier network left there (Schrittwieser et al. 2021, "Online and offline
// reinforcement learning by planning with a learned model", section 3; here the value target is the root's value). It
// changes nothing.
func (t *Trainer) reanalyse(ctx context.Context, seed runs.Seed) ([]reanalysis, error) {
	tickets := t.replay.choose(t.config.Reanalyse, seed.Sub("positions").Rand())
	found := make([]reanalysis, len(tickets))
	err := t.work(ctx, t.learner.Network(), t.config.options(), len(tickets), func(a *Agent, k int) error {
		e := tickets[k].episode
		g, err := e.at(tickets[k].position)
		if err != nil {
			return err
		}
		r, err := a.Look(g, uint64(seed.At(k)))
		if err != nil {
			return fmt.Errorf("%s: %w", e.Source, err)
		}
		found[k] = reanalysis{tickets[k], policy(r), math.Max(0, -r.Value), &Play{Evaluations: a.evaluations}}
		if a.best == nil {
			return nil
		}
		return a.report(g, found[k].play)
	})
	return found, err
}

// renew gives the reanalysed positions their new targets and returns by how much the policies have moved in the mean, as
// total variation: 0 for not at all, 1 for entirely.
func (t *Trainer) renew(found []reanalysis) (shift float64) {
	for _, f := range found {
		for i, q := range f.episode.Policy[f.position] {
			shift += math.Abs(float64(q-f.policy[i])) / 2 / float64(len(found))
		}
		f.episode.renew(f.position, f.policy, f.left)
		if f.play.Order != nil {
			t.record(f.episode.Source, f.play)
		}
	}
	return shift
}
