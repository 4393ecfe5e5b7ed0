package mcts_test

import (
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts/mctstest"
)

func TestGamesKeepTheContract(t *testing.T) {
	for name, game := range map[string]func() mcts.Game{
		"tree":        func() mcts.Game { return &treeGame{seed: 5, actions: 6, depth: 7} },
		"jobs":        func() mcts.Game { return newJobs(5, 8) },
		"elimination": func() mcts.Game { return newElimination(5, 8) },
	} {
		if err := mctstest.Check(game, 20, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// broken changes one method of a game.
type broken struct {
	mcts.Game
	legal  func(mcts.Game, []int32) []int32
	apply  func(mcts.Game, int32) float64
	undo   func(mcts.Game)
	done   func(mcts.Game) bool
	hash   func(mcts.Game) uint64
	action func() int
}

func (b broken) Actions() int {
	if b.action != nil {
		return b.action()
	}
	return b.Game.Actions()
}
func (b broken) Legal(buf []int32) []int32 {
	if b.legal != nil {
		return b.legal(b.Game, buf)
	}
	return b.Game.Legal(buf)
}
func (b broken) Apply(a int32) float64 {
	if b.apply != nil {
		return b.apply(b.Game, a)
	}
	return b.Game.Apply(a)
}
func (b broken) Undo() {
	b.Game.Undo()
	if b.undo != nil {
		b.undo(b.Game)
	}
}
func (b broken) Done() bool {
	if b.done != nil {
		return b.done(b.Game)
	}
	return b.Game.Done()
}
func (b broken) Hash() uint64 {
	if b.hash != nil {
		return b.hash(b.Game)
	}
	return b.Game.Hash()
}

// reversed is a legal list in the wrong order.
func reversed(g mcts.Game, buf []int32) []int32 {
	buf = g.Legal(buf)
	for i, k := 0, len(buf)-1; i < k; i, k = i+1, k-1 {
		buf[i], buf[k] = buf[k], buf[i]
	}
	return buf
}

func TestConformanceFindsBreaches(t *testing.T) {
	calls := 0
	for want, b := range map[string]broken{
		"do not ascend":        {legal: reversed},
		"is outside":           {legal: func(g mcts.Game, buf []int32) []int32 { return append(g.Legal(buf), 99) }},
		"with a used buffer":   {legal: func(g mcts.Game, buf []int32) []int32 { return append(buf, g.Legal(nil)...) }},
		"Done is":              {done: func(mcts.Game) bool { return false }},
		"came twice":           {hash: func(mcts.Game) uint64 { return 7 }},
		"stands for actions":   {hash: func(g mcts.Game) uint64 { return uint64(len(g.Legal(nil))) + 1 }},
		"when repeated":        {apply: func(g mcts.Game, a int32) float64 { calls++; g.Apply(a); return float64(calls) }},
		"expected a finite":    {apply: func(g mcts.Game, a int32) float64 { g.Apply(a); return 1 / float64(a-a) }},
		"taking back":          {undo: func(g mcts.Game) { j := g.(*jobs); j.done ^= 1 }},
		"action space changed": {action: func() int { calls++; return 10 + calls }},
		"has size":             {action: func() int { return 0 }},
	} {
		game := func() mcts.Game { c := b; c.Game = newJobs(5, 6); return c }
		if err := mctstest.Check(game, 5, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
}
