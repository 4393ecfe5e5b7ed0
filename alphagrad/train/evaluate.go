package train

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// contest lists the graphs on which networks are compared.
func (t *Trainer) contest() []string {
	var sources []string
	for _, name := range t.config.Tasks {
		sources = append(sources, taskSource(name))
	}
	if g := t.config.Generated; g.Share > 0 {
		for k := range t.config.Contest {
			sources = append(sources, randomSource(g.Low, g.High, uint64(t.seed.Sub("evaluation").At(k))>>1))
		}
	}
	return sources
}

// score plays the contest with a network, without noise: the mean improvement over the cheap completion.
func (t *Trainer) score(ctx context.Context, n *net.Network, sources []string) (float64, error) {
	_, plays, err := t.play(ctx, n, sources, t.seed.Sub("evaluate"), false)
	if err != nil {
		return 0, fmt.Errorf("evaluation after iteration %d: %w", t.state.Iteration, err)
	}
	score := 0.0
	for k, p := range plays {
		score += net.Value(p.Cheap, p.Played) / float64(len(plays))
		t.record(sources[k], p)
	}
	return score, nil
}

// evaluate compares the network with the incumbent, which it replaces as the one that ships if it plays better. Play being
// the same every time, the incumbent plays again only if the contest is another one than before.
func (t *Trainer) evaluate(ctx context.Context) error {
	sources, path := t.contest(), filepath.Join(t.env.Dir, ModelName)
	on := fmt.Sprintf("%s with %d simulations by %s, reductions %v", strings.Join(sources, " "), t.config.Search.Simulations, t.config.Search.Algorithm, t.set.reduce)
	incumbent := t.state.Score
	if t.state.Scored && t.state.On != on {
		n, err := net.Load(path)
		if err != nil {
			return err
		}
		if incumbent, err = t.score(ctx, n, sources); err != nil {
			return err
		}
	}
	network := t.learner.Network()
	score, err := t.score(ctx, network, sources)
	if err != nil {
		return err
	}
	better := !t.state.Scored || score > incumbent
	record := map[string]any{"iteration": t.state.Iteration, "evaluation": score, "incumbent": better, "seconds": t.seconds()}
	if t.state.Scored {
		record["incumbent_score"] = incumbent
	}
	if better {
		if err := network.Save(path); err != nil {
			return err
		}
		incumbent = score
	}
	t.state.Score, t.state.Scored, t.state.On, t.state.Evaluated = incumbent, true, on, t.state.Iteration
	if t.state.Idle++; better || t.state.Cheaper {
		t.state.Idle, t.state.Cheaper = 0, false
	}
	return t.metric(record)
}
