package rules

import (
	"errors"
	"hash/fnv"
	"math"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
)

// A Policy is a network that plays the game of a space: features of an assignment to a logit for every move and for
// stopping, and the score to expect.
type Policy interface {
	Predict(features []float32) (logits []float32, value float64)
	Learn(samples []Sample) error
}

// A Sample is one decision of a game for a [Policy] to learn from.
type Sample struct {
	Features []float32
	Policy   []float32 // target, by move
	Legal    []bool    // by move
	Value    float64   // score of the game
}

// A board is the game of a space: moves edit the rule, the last one stops and is paid with its score.
type board struct {
	s     *Search
	at    []int
	stack []int32
	done  bool
	err   error // of an evaluation: the game is worth nothing any more
}

func newBoard(s *Search) *board { return &board{s: s, at: make([]int, len(s.Space.options))} }

func (b *board) Actions() int { return b.s.Space.Moves() + 1 }

func (b *board) Legal(buf []int32) []int32 {
	buf = buf[:0]
	if b.done {
		return buf
	}
	for k, m := range b.s.Space.moves {
		if m.open(b.at) {
			buf = append(buf, int32(k))
		}
	}
	return append(buf, int32(len(b.s.Space.moves)))
}

func (b *board) Apply(a int32) float64 {
	b.stack = append(b.stack, a)
	if int(a) == len(b.s.Space.moves) {
		b.done = true
		if b.err != nil {
			return 0
		}
		p, err := b.s.try(b.at)
		if err != nil {
			b.err = err
			return 0
		}
		return p.Score
	}
	m := b.s.Space.moves[a]
	for i, c := range m.choice {
		b.at[c] = m.option[i]
	}
	return 0
}

func (b *board) Undo() {
	a := b.stack[len(b.stack)-1]
	b.stack = b.stack[:len(b.stack)-1]
	if int(a) == len(b.s.Space.moves) {
		b.done = false
		return
	}
	for _, c := range b.s.Space.moves[a].choice {
		b.at[c] = 0
	}
}

func (b *board) Done() bool { return b.done }

func (b *board) Hash() uint64 {
	h := fnv.New64a()
	for _, i := range b.at {
		h.Write([]byte{byte(i), byte(i >> 8)})
	}
	if b.done {
		h.Write([]byte{1})
	}
	return h.Sum64() | 1
}

// stopping is the evaluator that knows no network: a state is worth what stopping gives.
type stopping struct{}

func (stopping) Evaluate(g mcts.Game, _ []int32, logits []float32) (float64, error) {
	clear(logits)
	b := g.(*board)
	p, err := b.s.try(b.at)
	if err != nil {
		return 0, err
	}
	return p.Score, nil
}

// asking asks the network.
type asking struct {
	s      *Search
	policy Policy
}

func (a asking) Evaluate(g mcts.Game, legal []int32, logits []float32) (float64, error) {
	start := time.Now()
	all, value := a.policy.Predict(a.s.Space.Features(g.(*board).at))
	for k, move := range legal {
		logits[k] = all[move]
	}
	a.s.network += time.Since(start)
	return value, nil
}

func mctsUniform(s *Search) error { return s.play(stopping{}, nil) }

func alphazero(s *Search) error {
	if s.Policy == nil {
		return errors.New("alphazero needs a policy network")
	}
	start := time.Now()
	p, err := s.Policy(s)
	if err != nil {
		return err
	}
	s.network += time.Since(start)
	return s.play(asking{s, p}, p)
}

// play plays games until the evaluations are used up; a policy learns after each.
func (s *Search) play(e mcts.Evaluator, policy Policy) error {
	o := mcts.DefaultOptions()
	o.Simulations, o.Considered, o.Transpositions = max(1, s.Simulations), 8, true
	o.Normalisation, o.ValueScale = mcts.Raw, 1
	tree, err := mcts.New(e, o, uint64(s.Seed.Sub("tree")))
	if err != nil {
		return err
	}
	var memory []Sample
	for idle := 0; ; {
		before := len(s.result.Points)
		b := newBoard(s)
		var r mcts.Result
		var game []Sample
		score := 0.0
		tree.Reset()
		for !b.done {
			if err := s.ctx.Err(); err != nil {
				return err
			}
			if err := tree.Run(b, &r); err != nil {
				if b.err != nil {
					return b.err
				}
				return err
			}
			if b.err != nil {
				return b.err
			}
			sample := Sample{Features: s.Space.Features(b.at), Policy: make([]float32, b.Actions()), Legal: make([]bool, b.Actions())}
			for k, a := range r.Legal {
				sample.Policy[a], sample.Legal[a] = float32(r.Policy[k]), true
			}
			game = append(game, sample)
			score = b.Apply(r.Action)
			if b.err != nil {
				return b.err
			}
			if !b.done {
				tree.Advance(r.Action)
			}
		}
		for k := range game {
			game[k].Value = score
		}
		memory = append(memory, game...)
		if policy != nil {
			start := time.Now()
			if err := policy.Learn(memory); err != nil {
				return err
			}
			s.network += time.Since(start)
		}
		// A policy that has settled plays the same game again and again: the search is over.
		if idle++; len(s.result.Points) > before {
			idle = 0
		}
		if idle >= maxIdle {
			return ErrBudget
		}
	}
}

// maxIdle is how many games without a new rule end a search.
const maxIdle = 30

var _ mcts.Game = (*board)(nil)

// dominates reports whether a point is nowhere worse than another one and somewhere better, in skill, multiplications, memory
// and hops.
func dominates(a, b *Point) bool {
	no := a.Quality.Skill < b.Quality.Skill || a.Meaning.Cost > b.Meaning.Cost || a.Meaning.Memory > b.Meaning.Memory || a.Meaning.Hops > b.Meaning.Hops
	more := a.Quality.Skill > b.Quality.Skill || a.Meaning.Cost < b.Meaning.Cost || a.Meaning.Memory < b.Meaning.Memory || a.Meaning.Hops < b.Meaning.Hops
	return !no && more && !math.IsNaN(a.Quality.Skill)
}

// Pareto is the points that no other one dominates.
func Pareto(points []*Point) (front []*Point) {
	for i, p := range points {
		kept := true
		for j, q := range points {
			same := p.Quality.Skill == q.Quality.Skill && p.Meaning.Cost == q.Meaning.Cost && p.Meaning.Memory == q.Meaning.Memory && p.Meaning.Hops == q.Meaning.Hops
			if dominates(q, p) || same && j < i {
				kept = false
				break
			}
		}
		if kept {
			front = append(front, p)
		}
	}
	return front
}

// Dominates reports whether a dominates b or equals it in all that counts.
func Dominates(a, b *Point) bool {
	return a.Quality.Skill >= b.Quality.Skill && a.Meaning.Cost <= b.Meaning.Cost && a.Meaning.Memory <= b.Meaning.Memory && a.Meaning.Hops <= b.Meaning.Hops
}
