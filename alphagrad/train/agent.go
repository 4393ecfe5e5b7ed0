package train

import (
	"errors"
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// Agent plays the elimination game with a network and tree search, under any objective: the network's value is relative,
// and says the same about all of them. It is not safe for concurrent use.
type Agent struct {
	eval     *net.Evaluator
	search   *mcts.Search
	result   mcts.Result
	vertices []int32
	halt     func() bool // asked before every evaluation: whether to end the game with errHalted; nil: never

	// Of the current game.
	evaluations int64
	multiplied  bool  // played for multiplications, whose yardstick the network's evaluator knows
	whole       int64 // yardstick of a game whose cost is known at the end only
	best        []int // cheapest complete order met, with its cost
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

// begin prepares for a game, from its current state on.
func (a *Agent) begin(g *game.Game, seed uint64) error {
	a.search.Reset()
	a.search.Seed(seed)
	a.best, a.evaluations = nil, 0
	o := g.Options().Objective
	a.multiplied = o.Name() == game.Muls.Name()
	var err error
	if !o.Dense() {
		a.whole, err = yardstick(g)
	}
	return err
}

var errHalted = errors.New("halted")

// evaluate asks the network about a state; its value, an improvement relative to the cheap completion, becomes the return
// expected from here: minus a cost.
func (a *Agent) evaluate(g mcts.Game, legal []int32, logits []float32) (float64, error) {
	eg, ok := g.(*game.Game)
	if !ok {
		return 0, fmt.Errorf("the agent plays vertex elimination, not %T", g)
	}
	if a.halt != nil && a.halt() {
		return 0, errHalted
	}
	a.evaluations++
	value := 0.0
	if a.eval == nil {
		clear(logits)
	} else {
		a.vertices = a.vertices[:0]
		for _, action := range legal {
			a.vertices = append(a.vertices, int32(eg.Vertex(action)))
		}
		value = a.eval.Evaluate(eg.State(), a.vertices, logits)
	}
	cheap := a.whole
	if eg.Options().Objective.Dense() {
		if a.multiplied && a.eval != nil {
			cheap = a.eval.Cheap()
		} else {
			cheap = -int64(eg.Baseline())
		}
		if cost := cheap - int64(eg.Return()); a.best == nil || cost < a.bestCost {
			a.offer(eg)
		}
	}
	return -net.Cost(cheap, value), nil
}

// offer keeps the order that completes the game cheaply from its current state, if it is the best so far.
func (a *Agent) offer(g *game.Game) {
	rest, cost := g.Completion(a.buf)
	a.buf = rest
	total := int64(cost)
	if g.Options().Objective.Dense() {
		total -= int64(g.Return())
	}
	if a.best == nil || total < a.bestCost {
		a.bestCost = total
		a.best = append(append(a.best[:0], g.Order()...), rest...)
	}
}

// Play is a finished game. Costs are in the unit of its objective.
type Play struct {
	Order       []int // the cheapest complete order met: played, simulated to the end, or completed cheaply
	Cost        int64 // its cost by replay from the root
	Muls        int64 // its multiplications, likewise
	Line        []int // the order that was played, forced moves included
	Played      int64 // its cost
	Cheap       int64 // cost of the cheap completion of the whole game
	Evaluations int64 // network evaluations
	taught      bool  // finished by a teacher
	moves       []move
}

// move is what the search found in one position.
type move struct {
	action int32
	legal  []int32
	policy []float32
	left   int64 // cost of the played order from here on
	ahead  int64 // by how much a taught game's best move beats that
}

// Play plays one game from its start with the given seed. Whether it explores is for the options of the agent to say.
func (a *Agent) Play(g *game.Game, seed uint64) (*Play, error) {
	g.Reset()
	if err := a.begin(g, seed); err != nil {
		return nil, err
	}
	p := &Play{}
	a.offer(g)
	p.Cheap = a.bestCost
	for !g.Done() {
		if err := a.search.Run(g, &a.result); err != nil {
			return nil, cause(g, err)
		}
		a.follow(g)
		r := &a.result
		m := move{action: r.Action, left: int64(g.Return())}
		if !r.Forced {
			m.legal = append(m.legal, r.Legal...)
			m.policy = policy(r)
		}
		p.moves = append(p.moves, m)
		g.Apply(r.Action)
		a.search.Advance(r.Action)
	}
	if err := g.Err(); err != nil {
		return nil, err
	}
	a.offer(g)
	for i := range p.moves {
		p.moves[i].left -= int64(g.Return())
	}
	p.Line, p.Played, p.Evaluations = g.Order(), -int64(g.Return()), a.evaluations
	return p, a.report(g, p)
}

// report writes the best order of the current game to p, its costs by replay.
func (a *Agent) report(g *game.Game, p *Play) (err error) {
	p.Order = append([]int(nil), a.best...)
	if p.Cost, err = price(g, p.Order); err != nil {
		return err
	}
	p.Muls, err = g.Graph().Muls(p.Order)
	return err
}

// cause is why a search failed: the objective, if it has.
func cause(g *game.Game, err error) error {
	if g.Err() != nil {
		return g.Err()
	}
	return err
}

func policy(r *mcts.Result) []float32 {
	p := make([]float32, len(r.Policy))
	for i, q := range r.Policy {
		p[i] = float32(q)
	}
	return p
}

// follow plays the best line that the last search simulated to the end, keeps its order if that is cheaper than the best so
// far, and takes it back.
func (a *Agent) follow(g *game.Game) {
	r := &a.result
	if len(r.Line) == 0 || (a.best != nil && -int64(r.Best)-int64(g.Return()) >= a.bestCost) {
		return
	}
	for _, action := range r.Line {
		g.Apply(action)
	}
	a.offer(g)
	for range r.Line {
		g.Undo()
	}
}

// PlayUniform plays one game as in self-play, with search alone and no network.
func (c *Config) PlayUniform(g *elim.Graph, seed uint64) (*Play, error) {
	reduce, err := game.ParseReduction(c.Reduce...)
	if err != nil {
		return nil, err
	}
	o, err := game.LookupObjective(c.Objective)
	if err != nil {
		return nil, err
	}
	gm, err := playable(g, game.Options{Objective: o, Reduce: reduce})
	if err != nil {
		return nil, err
	}
	a, err := NewAgent(nil, c.options())
	if err != nil {
		return nil, err
	}
	return a.Play(gm, seed)
}

// Look searches from the current state of a game and leaves the game as it is. [Agent.Tree] and [Agent.Phases] show what
// the search did.
func (a *Agent) Look(g *game.Game, seed uint64) (*mcts.Result, error) {
	if err := a.begin(g, seed); err != nil {
		return nil, err
	}
	if err := a.search.Run(g, &a.result); err != nil {
		return nil, cause(g, err)
	}
	a.follow(g)
	return &a.result, nil
}

// Tree is a copy of the last search's tree.
func (a *Agent) Tree() mcts.Tree { return a.search.Tree() }

// Phases are the stages of sequential halving at the root of the last search.
func (a *Agent) Phases() []mcts.Phase { return a.search.Phases() }
