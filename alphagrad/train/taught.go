package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// Taught games are begun by the network's own policy and finished by annealing, so that the network learns good moves in the
// states it gets itself into (DAgger, Ross et al. 2011, with the moves weighed as in Expert Iteration, Anthony et al. 2017).
// What is learned then is not self-play from scratch.
type Taught struct {
	Share       float64 `yaml:"share"`       // of the games, 0…1
	Evaluations int64   `yaml:"evaluations"` // of the annealing
	Positions   int     `yaml:"positions"`   // learned from in a game, drawn at random
}

// tolerance τ weighs the moves of a position by exp(−excess/τ), where the excess is by how many multiplications the rest of
// the annealed order gets dearer if the move comes first: moves that do no harm are equally good, one lost multiplication
// makes a move an eighth as likely.
const tolerance = 0.5

// teaches decides from a game's seed whether it is taught.
func (t *Trainer) teaches(seed uint64) bool {
	return rand.New(rand.NewPCG(seed, 0x746561636865)).Float64() < t.config.Taught.Share
}

// teach plays one game with the policy up to a random move and along an annealed order from there.
func (t *Trainer) teach(ctx context.Context, a *Agent, b *board, seed uint64) (*episode, *Play, error) {
	rng := rand.New(rand.NewPCG(seed, 0x7461756768742e))
	gm, err := b.game()
	if err != nil {
		return nil, nil, err
	}
	_, cheap := gm.Completion(nil)
	p := &Play{Cheap: int64(cheap) - int64(gm.Return()), taught: true}
	if err := a.begin(gm, seed); err != nil {
		return nil, nil, err
	}
	if err := a.wander(ctx, gm, p, b.rules.Reduce, rng); err != nil {
		return nil, nil, err
	}
	rest, vertices, err := remainder(gm.State())
	if err != nil {
		return nil, nil, err
	}
	r, err := search.Run(ctx, "anneal", search.Problem{Graph: rest}, search.Settings{Evaluations: t.config.Taught.Evaluations, Seed: seed, Start: [][]int{elim.Reverse(rest), elim.Markowitz(rest)}})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", b.source, err)
	}
	order := make([]int, len(r.Order))
	for k, v := range r.Order {
		order[k] = vertices[v]
	}
	places := rng.Perm(len(order))
	learn := make([]bool, len(order))
	for _, k := range places[:min(len(places), t.config.Taught.Positions)] {
		learn[k] = true
	}
	w := weigher{state: elim.NewState(b.graph)}
	for k := 0; !gm.Done(); {
		if gm.State().Eliminated(order[k]) { // by a reduction
			k++
			continue
		}
		legal := gm.Legal(nil)
		m := move{action: gm.Action(order[k]), left: int64(gm.Return())}
		if learn[k] && len(legal) > 1 {
			m.legal = legal
			m.policy, m.ahead = w.weigh(gm, legal, order[k:])
		}
		p.moves = append(p.moves, m)
		gm.Apply(m.action)
		k++
	}
	p.Played = -int64(gm.Return())
	for k := range p.moves {
		m := &p.moves[k]
		m.left -= int64(gm.Return()) + m.ahead
	}
	p.Order = gm.Order()
	p.Muls, err = b.graph.Muls(p.Order)
	p.Cost = p.Muls
	return newEpisode(b, p), p, err
}

// wander plays a random part of a game with the bare policy, now the likeliest move and now one drawn. Half of the games
// it plays under all reductions, as play does by default: states without vertices to eliminate at once.
func (a *Agent) wander(ctx context.Context, gm *game.Game, p *Play, reduce game.Reduction, rng *rand.Rand) error {
	if rng.IntN(2) == 0 {
		reduce = game.All
	}
	own, err := NewGame("", gm.Graph(), reduce)
	if err != nil {
		return err
	}
	moves := rng.IntN(own.State().Left() + 1)
	draws := 0.0
	if rng.IntN(2) == 0 {
		draws = 0.5 * rng.Float64()
	}
	if rng.IntN(4) == 0 {
		moves = 0
	}
	if err := a.bare(ctx, own, draws, moves, rng); err != nil {
		return err
	}
	for _, v := range own.Order() {
		if !gm.State().Eliminated(v) {
			p.moves = append(p.moves, move{action: gm.Action(v), left: int64(gm.Return())})
			gm.Apply(gm.Action(v))
		}
	}
	return nil
}

// remainder is what is left of a graph as a graph of its own, with the vertex number in the given graph of each of its
// vertices.
func remainder(s *elim.State) (*elim.Graph, []int, error) {
	g := s.Graph()
	spec := elim.Spec{Inputs: g.Inputs()}
	name := make([]int, g.Nodes()) // of each node, in the remainder
	vertices := []int{0}
	for u := range g.Nodes() {
		v := g.Vertex(u)
		if v > 0 && s.Eliminated(v) {
			name[u] = -1
			continue
		}
		name[u] = len(vertices) - 1 + spec.Inputs
		if u < spec.Inputs {
			name[u] = u
			continue
		}
		vertices = append(vertices, v)
		spec.Vertices++
		if g.IsEnd(u) {
			spec.Outputs = append(spec.Outputs, name[u])
		}
		for w := range s.Pred(u) {
			spec.Edges = append(spec.Edges, elim.Edge{From: name[w], To: name[u]})
		}
	}
	rest, err := elim.New(spec)
	return rest, vertices, err
}

// A weigher says how good moves are in the light of an order.
type weigher struct{ state *elim.State }

// weigh returns the weight of every legal move in a state from which an order goes on, adding up to 1, and by how much the
// cheapest of them beats the order.
func (w *weigher) weigh(gm *game.Game, legal []int32, order []int) (weights []float32, gain int64) {
	cost := func(first int) int64 {
		w.state.CopyFrom(gm.State())
		if first > 0 {
			w.state.Apply(first)
		}
		for _, v := range order {
			if v != first && !w.state.Eliminated(v) {
				w.state.Apply(v)
			}
		}
		return w.state.Muls()
	}
	planned := cost(0)
	least := planned
	costs := make([]int64, len(legal))
	for k, action := range legal {
		costs[k] = cost(gm.Vertex(action))
		least = min(least, costs[k])
	}
	sum := 0.0
	weights = make([]float32, len(legal))
	for _, c := range costs {
		sum += math.Exp(float64(least-c) / tolerance)
	}
	for k, c := range costs {
		weights[k] = float32(math.Exp(float64(least-c)/tolerance) / sum)
	}
	return weights, planned - least
}

// check reports settings that cannot be taught with.
func (c *Taught) check() error {
	switch {
	case c.Share < 0 || c.Share > 1:
		return fmt.Errorf("taught.share: %v lies outside 0…1", c.Share)
	case c.Share > 0 && (c.Evaluations < 1 || c.Positions < 1):
		return fmt.Errorf("taught: evaluations and positions: at least 1")
	}
	return nil
}

// meanImprovement is that of the games the network played alone; 0 if there are none.
func meanImprovement(plays []*Play) float64 {
	sum, n := 0.0, 0
	for _, p := range plays {
		if !p.taught {
			sum += net.Value(p.Cheap, p.Played)
			n++
		}
	}
	return sum / float64(max(1, n))
}
