// Package mctstest checks implementations of mcts.Game.
package mctstest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
)

// longest is how many moves a game may take before it is called endless.
const longest = 1 << 20

// Check plays a game at random, the given number of times, and returns an error that names the first breach of the
// contract of mcts.Game, with the moves that lead to it. newGame returns the game in its first state, every time an
// independent one. In every state on the way each legal action is tried and taken back:
//
//   - the size of the action space never changes, and legal actions are inside it, ascending, the same whatever buffer
//     is given and however often they are asked for
//   - no action is legal if and only if the game is done
//   - Undo restores legal actions, hash and Done
//   - rewards are finite, and the same when the action is repeated, also in another copy of the game
//   - states of equal hash have equal legal actions and rewards, and no state of a game has the hash of an earlier one
func Check(newGame func() mcts.Game, games int, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 0))
	c := checker{known: map[uint64]state{}, actions: newGame().Actions()}
	if c.actions <= 0 {
		return fmt.Errorf("mctstest: the action space has size %d, expected at least 1", c.actions)
	}
	for range games {
		if err := c.play(newGame(), newGame(), rng); err != nil {
			return fmt.Errorf("mctstest: after the moves %v: %w", c.moves, err)
		}
	}
	return nil
}

type checker struct {
	actions int
	moves   []int32
	known   map[uint64]state
}

// state is all that shows of a state without leaving it for good.
type state struct {
	hash    uint64
	legal   []int32
	rewards []float64
}

// play plays g once to the end and back to the beginning, and the same moves in twin.
func (c *checker) play(g, twin mcts.Game, rng *rand.Rand) error {
	c.moves = c.moves[:0]
	passed := map[uint64]bool{}
	var states []state
	for {
		now, err := c.look(g)
		if err != nil {
			return err
		}
		if err := c.same(twin, now, "a second copy of the game"); err != nil {
			return err
		}
		if h := now.hash; h != 0 {
			if passed[h] {
				return fmt.Errorf("the hash %#x came twice in one game", h)
			}
			passed[h] = true
			if before, ok := c.known[h]; ok && !(slices.Equal(before.legal, now.legal) && slices.Equal(before.rewards, now.rewards)) {
				return fmt.Errorf("hash %#x stands for actions %v with rewards %v and for actions %v with rewards %v",
					h, before.legal, before.rewards, now.legal, now.rewards)
			}
			c.known[h] = now
		}
		states = append(states, now)
		if len(now.legal) == 0 {
			break
		}
		if len(c.moves) == longest {
			c.moves = c.moves[:8]
			return fmt.Errorf("and %d more the game has not ended", longest-8)
		}
		i := rng.IntN(len(now.legal))
		a := now.legal[i]
		for _, game := range []mcts.Game{g, twin} {
			if r := game.Apply(a); r != now.rewards[i] {
				return fmt.Errorf("action %d is rewarded by %v, and by %v when repeated", a, now.rewards[i], r)
			}
		}
		c.moves = append(c.moves, a)
	}
	for len(c.moves) > 0 {
		c.moves = c.moves[:len(c.moves)-1]
		g.Undo()
		if err := c.same(g, states[len(c.moves)], "the game after Undo"); err != nil {
			return err
		}
	}
	return nil
}

// look checks the current state of a game and tries every legal action.
func (c *checker) look(g mcts.Game) (state, error) {
	if n := g.Actions(); n != c.actions {
		return state{}, fmt.Errorf("the size of the action space changed from %d to %d", c.actions, n)
	}
	now := state{hash: g.Hash(), legal: g.Legal(nil)}
	for i, a := range now.legal {
		if a < 0 || int(a) >= c.actions {
			return now, fmt.Errorf("legal action %d is outside 0 … %d", a, c.actions-1)
		}
		if i > 0 && a <= now.legal[i-1] {
			return now, fmt.Errorf("legal actions %v do not ascend", now.legal)
		}
	}
	if g.Done() != (len(now.legal) == 0) {
		return now, fmt.Errorf("Done is %v with the legal actions %v", g.Done(), now.legal)
	}
	dirty := []int32{-7, -7, -7}
	if again := g.Legal(dirty); !slices.Equal(again, now.legal) {
		return now, fmt.Errorf("legal actions are %v, and %v with a used buffer", now.legal, again)
	}
	for _, a := range now.legal {
		r := g.Apply(a)
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return now, fmt.Errorf("action %d is rewarded by %v, expected a finite number", a, r)
		}
		g.Undo()
		now.rewards = append(now.rewards, r)
		if err := c.same(g, now, fmt.Sprintf("the game after playing and taking back %d", a)); err != nil {
			return now, err
		}
	}
	return now, nil
}

// same checks that a game shows the given state.
func (c *checker) same(g mcts.Game, want state, who string) error {
	if legal := g.Legal(nil); !slices.Equal(legal, want.legal) {
		return fmt.Errorf("%s has the legal actions %v, expected %v", who, legal, want.legal)
	}
	if h := g.Hash(); h != want.hash {
		return fmt.Errorf("%s has the hash %#x, expected %#x", who, h, want.hash)
	}
	if g.Done() != (len(want.legal) == 0) {
		return fmt.Errorf("%s says Done %v with the legal actions %v", who, g.Done(), want.legal)
	}
	return nil
}
