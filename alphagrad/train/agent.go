package train

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// Agent plays the elimination game with a network and tree search. It is not safe for concurrent use.
type Agent struct {
	eval     *net.Evaluator
	search   *mcts.Search
	result   mcts.Result
	vertices []int32

	evaluations int64
	best        []int // cheapest complete order met in the current game, with its cost
	bestCost    int64
	buf         []int
}

// NewAgent makes a player of a network. Without one all moves are equally likely and a position is worth its cheap
// completion: what the search does by itself.
func NewAgent(n *net.Network, o mcts.Options) (*Agent, error) {
	a := &Agent{}
	if n != nil {
		a.eval = n.NewEvaluator()
	}
	var err error
	a.search, err = mcts.New(mcts.EvaluatorFunc(a.evaluate), o, 0)
	return a, err
}

// Use makes the agent play with another network.
func (a *Agent) Use(n *net.Network) { a.eval.Use(n) }

// evaluate asks the network about a state; its value, an improvement relative to the cheap completion, becomes the return
// expected from here: minus a cost.
func (a *Agent) evaluate(g mcts.Game, legal []int32, logits []float32) (float64, error) {
	eg, ok := g.(*game.Game)
	if !ok {
		return 0, fmt.Errorf("the agent plays vertex elimination, not %T", g)
	}
	if a.eval == nil {
		clear(logits)
		a.evaluations++
		a.offer(eg)
		_, rest := eg.Completion(a.buf)
		return -rest, nil
	}
	a.vertices = a.vertices[:0]
	for _, action := range legal {
		a.vertices = append(a.vertices, int32(eg.Vertex(action)))
	}
	value := a.eval.Evaluate(eg.State(), a.vertices, logits)
	a.evaluations++
	cheap := a.eval.Cheap()
	if cost := cheap - int64(eg.Return()); a.best == nil || cost < a.bestCost {
		a.offer(eg)
	}
	return -net.Cost(cheap, value), nil
}

// offer keeps the order that completes the game cheaply from its current state, if it is the best so far.
func (a *Agent) offer(g *game.Game) {
	rest, cost := g.Completion(a.buf)
	a.buf = rest
	if total := int64(cost) - int64(g.Return()); a.best == nil || total < a.bestCost {
		a.bestCost = total
		a.best = append(append(a.best[:0], g.Order()...), rest...)
	}
}

// Play is a finished game.
type Play struct {
	Order       []int // the cheapest complete order met: played, simulated to the end, or completed cheaply
	Muls        int64 // its cost by replay from the root
	Played      int64 // cost of the order that was played
	Cheap       int64 // cost of the cheap completion of the whole game
	Evaluations int64 // network evaluations
	moves       []move
}

// move is what the search found in one position.
type move struct {
	action int32
	legal  []int32
	policy []float32
	left   int64 // cost of the played order from here on
}

// Play plays one game from its start with the given seed. With greedy set there is no exploration noise.
func (a *Agent) Play(g *game.Game, seed uint64) (*Play, error) {
	g.Reset()
	a.search.Reset()
	a.search.Seed(seed)
	a.best, a.evaluations = nil, 0
	p := &Play{}
	a.offer(g)
	p.Cheap = a.bestCost
	for !g.Done() {
		if err := a.search.Run(g, &a.result); err != nil {
			return nil, err
		}
		r := &a.result
		if len(r.Line) > 0 && -int64(r.Best)-int64(g.Return()) < a.bestCost {
			a.follow(g, r.Line)
		}
		m := move{action: r.Action, left: int64(g.Return())}
		if !r.Forced {
			m.legal = append(m.legal, r.Legal...)
			for _, q := range r.Policy {
				m.policy = append(m.policy, float32(q))
			}
		}
		p.moves = append(p.moves, m)
		g.Apply(r.Action)
		a.search.Advance(r.Action)
	}
	a.offer(g)
	for i := range p.moves {
		p.moves[i].left -= int64(g.Return())
	}
	p.Played, p.Evaluations = -int64(g.Return()), a.evaluations
	p.Order = append([]int(nil), a.best...)
	var err error
	p.Muls, err = g.Graph().Muls(p.Order)
	return p, err
}

// follow plays a line that the search simulated to the end, keeps its order and takes it back.
func (a *Agent) follow(g *game.Game, line []int32) {
	for _, action := range line {
		g.Apply(action)
	}
	a.offer(g)
	for range line {
		g.Undo()
	}
}

// PlayUniform plays one game as in self-play, with search alone and no network.
func (c *Config) PlayUniform(g *elim.Graph, seed uint64) (*Play, error) {
	reduce, err := game.ParseReduction(c.Reduce...)
	if err != nil {
		return nil, err
	}
	gm, err := NewGame("", g, reduce)
	if err != nil {
		return nil, err
	}
	a, err := NewAgent(nil, c.options())
	if err != nil {
		return nil, err
	}
	return a.Play(gm, seed)
}

// NewGame sets up the game of a graph with the given reductions.
func NewGame(name string, g *elim.Graph, reduce game.Reduction) (*game.Game, error) {
	if g.IsStructured() {
		return nil, fmt.Errorf("%s works on arrays; the agent plays on graphs of scalars, where a move costs what the network's features say", name)
	}
	return game.New(g, game.Options{Name: name, Objective: game.Muls, Reduce: reduce})
}

// Look searches from the current state of a game and leaves the game as it is. [Agent.Tree] and [Agent.Phases] show what
// the search did.
func (a *Agent) Look(g *game.Game, seed uint64) (*mcts.Result, error) {
	a.search.Reset()
	a.search.Seed(seed)
	a.best = nil
	if err := a.search.Run(g, &a.result); err != nil {
		return nil, err
	}
	return &a.result, nil
}

// Tree is a copy of the last search's tree.
func (a *Agent) Tree() mcts.Tree { return a.search.Tree() }

// Phases are the stages of sequential halving at the root of the last search.
func (a *Agent) Phases() []mcts.Phase { return a.search.Phases() }
