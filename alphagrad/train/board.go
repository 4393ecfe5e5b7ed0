package train

import (
	"context"
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// A board is a graph to play on and what is played for.
type board struct {
	source string // where the graph comes from
	graph  *elim.Graph
	rules  game.Options
}

// A set makes the boards of a training: games with one objective and the same reductions.
type set struct {
	ctx       context.Context // ends measurements
	objective *objective
	reduce    game.Reduction
}

// open makes the board of a source.
func (s *set) open(source string) (*board, error) {
	p, err := loadProgram(source)
	if err != nil {
		return nil, err
	}
	return s.board(source, p)
}

func (s *set) board(source string, p *ir.Program) (*board, error) {
	g, err := ad.Graph(p)
	if err != nil {
		return nil, err
	}
	if n := g.Nodes(); n > net.MaxTrainingNodes {
		return nil, fmt.Errorf("graph %q has %d nodes; agents train on at most %d", source, n, net.MaxTrainingNodes)
	}
	o, err := s.objective.on(s.ctx, source, p)
	if err != nil {
		return nil, fmt.Errorf("graph %q: %w", source, err)
	}
	return &board{source, g, game.Options{Name: source, Objective: o, Reduce: s.reduce}}, nil
}

// game sets up a new game.
func (b *board) game() (*game.Game, error) { return playable(b.graph, b.rules) }

// NewGame sets up the game of a graph, played for multiplications, with the given reductions.
func NewGame(name string, g *elim.Graph, reduce game.Reduction) (*game.Game, error) {
	return playable(g, game.Options{Name: name, Objective: game.Muls, Reduce: reduce})
}

func playable(g *elim.Graph, o game.Options) (*game.Game, error) {
	if err := Playable(o.Name, g); err != nil {
		return nil, err
	}
	return game.New(g, o)
}

// Playable reports a graph that agents do not play on.
func Playable(name string, g *elim.Graph) error {
	if g.IsStructured() {
		return fmt.Errorf("%s works on arrays; the agent plays on graphs of scalars, where a move costs what the network's features say (search has other methods for arrays)", name)
	}
	return nil
}

// yardstick is the number that the value of the current state is relative to: what a cheap completion from here costs. Where
// the cost is known at the end only, it is the cost of the cheap completion of the whole game, the same in every state.
func yardstick(g *game.Game) (int64, error) {
	if !g.Options().Objective.Dense() {
		g = g.Fork()
	}
	return -int64(g.Baseline()), g.Err()
}

// relative is [net.Value] for a cost that is an estimate.
func relative(cheap int64, cost float64) float64 {
	if cheap == 0 {
		return 0
	}
	return (float64(cheap) - cost) / float64(cheap)
}

// price is the cost of a complete order under the objective of a game, by replay from the root.
func price(g *game.Game, order []int) (int64, error) {
	f, err := game.New(g.Graph(), game.Options{Objective: g.Options().Objective})
	if err != nil {
		return 0, err
	}
	for _, v := range order {
		f.Apply(f.Action(v))
	}
	if err := f.Err(); err != nil {
		return 0, err
	}
	if !f.Done() {
		return 0, fmt.Errorf("the order %v is not complete", order)
	}
	return -int64(f.Return()), nil
}
