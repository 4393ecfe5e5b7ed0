package rules

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// A Point is a rule with what is known of it.
type Point struct {
	Rule    *Rule    `json:"rule"`
	Formula string   `json:"formula"`
	Key     string   `json:"key"`
	Meaning *Meaning `json:"meaning"`
	Quality *Quality `json:"quality"`
	Score   float64  `json:"score"`
}

// Objective turns what is known of a rule into one number. Costs are relative to backpropagation through time.
type Objective struct {
	Align  float64 `yaml:"align"`  // weight of alignment; the rest is that of skill
	Cost   float64 `yaml:"cost"`   // lost for each doubling of multiplications
	Memory float64 `yaml:"memory"` // lost for each doubling of memory
	// Synaptic wants causal rules without hops whose memory is that of synapses: all others lose 1.
	Synaptic bool `yaml:"synaptic"`
}

// Score rates a rule; bptt is the meaning of backpropagation through time.
func (o Objective) Score(m, bptt *Meaning, q *Quality) float64 {
	skill := math.Max(0, math.Min(1, q.Skill))
	score := (1-o.Align)*skill + o.Align*q.Align
	score -= o.Cost*math.Log2(float64(m.Cost)/float64(bptt.Cost)) + o.Memory*math.Log2(float64(1+m.Memory)/float64(1+bptt.Memory))
	if o.Synaptic && !m.Synaptic() {
		score--
	}
	return score
}

// ErrBudget ends a search: its evaluations are used up.
var ErrBudget = errors.New("the evaluations are used up")

// A Search looks for the best rule of a space.
type Search struct {
	Space *Space
	// Judge evaluates a rule. Searches count the different canonical rules that they ask for, whether or not the judge knows
	// them already.
	Judge       func(ctx context.Context, r *Rule) (*Point, error)
	Evaluations int // budget
	Seed        runs.Seed
	Simulations int                             // of a move of tree search
	Policy      func(s *Search) (Policy, error) // for alphazero

	rnd      *rand.Rand
	ctx      context.Context
	known    map[string]*Point
	stuck    int // rules in a row that were known
	result   *Result
	judging  time.Duration // of evaluations, whenever they were made
	recalled time.Duration // that the judge took
	network  time.Duration
}

// Result is what a search found.
type Result struct {
	Method  string    `json:"method"`
	Seed    uint64    `json:"seed"`
	Best    *Point    `json:"best"`
	Curve   []float64 `json:"curve"`   // best score after every evaluation
	Points  []*Point  `json:"-"`       // in the order of evaluation
	Seconds float64   `json:"seconds"` // as if nothing had been evaluated before
	Judging float64   `json:"judging"` // seconds of it, evaluations
	Network float64   `json:"network"` // seconds of it, the policy network
}

// methods holds one row a way to search.
var methods = []struct {
	name, doc string
	run       func(s *Search) error
}{
	{"exhaustive", "all rules in the order of their numbers", exhaustive},
	{"random", "rules drawn uniformly", random},
	{"greedy", "the best move from keep-all as long as it improves, then from a random rule", greedy},
	{"anneal", "single changes, accepted by a falling temperature", anneal},
	{"mcts", "Gumbel tree search over moves; a rule is worth what stopping here gives", mctsUniform},
	{"alphazero", "Gumbel tree search over moves, with a policy and value network that learns from its games", alphazero},
}

// Methods lists the ways to search.
func Methods() (names []string) {
	for _, m := range methods {
		names = append(names, m.name)
	}
	return names
}

// Run searches by a method. When the context ends it returns what was found so far with the error.
func (s *Search) Run(ctx context.Context, method string) (*Result, error) {
	for _, m := range methods {
		if m.name != method {
			continue
		}
		start := time.Now()
		s.ctx, s.rnd, s.known = ctx, s.Seed.Sub(method).Rand(), map[string]*Point{}
		s.stuck, s.judging, s.recalled, s.network = 0, 0, 0, 0
		s.result = &Result{Method: method, Seed: uint64(s.Seed)}
		err := m.run(s)
		s.result.Seconds = (time.Since(start) - s.recalled + s.judging).Seconds()
		s.result.Judging, s.result.Network = s.judging.Seconds(), s.network.Seconds()
		if errors.Is(err, ErrBudget) {
			err = nil
		}
		return s.result, err
	}
	return nil, fmt.Errorf("unknown search %q; known: %s", method, strings.Join(Methods(), ", "))
}

// maxStuck is how many known rules in a row end a search: it has seen what it will see.
const maxStuck = 2000

// try evaluates the rule of an assignment.
func (s *Search) try(assignment []int) (*Point, error) {
	rule := s.Space.Rule(assignment)
	key := rule.Key(s.Space.Recurrence)
	if p := s.known[key]; p != nil {
		if s.stuck++; s.stuck > maxStuck {
			return nil, ErrBudget
		}
		return p, nil
	}
	if len(s.result.Points) >= s.Evaluations {
		return nil, ErrBudget
	}
	start := time.Now()
	p, err := s.Judge(s.ctx, rule)
	if err != nil {
		return nil, err
	}
	// What the judge remembers is counted as if it had been measured again, so that shares of time mean something.
	s.recalled += time.Since(start)
	s.judging += time.Duration(p.Quality.Seconds * float64(time.Second))
	s.stuck = 0
	s.known[key] = p
	s.result.Points = append(s.result.Points, p)
	if s.result.Best == nil || p.Score > s.result.Best.Score {
		s.result.Best = p
	}
	s.result.Curve = append(s.result.Curve, s.result.Best.Score)
	return p, nil
}

func exhaustive(s *Search) error {
	for n := range s.Space.Size() {
		if _, err := s.try(s.Space.At(n)); err != nil {
			return err
		}
		s.stuck = 0
	}
	return nil
}

func random(s *Search) error {
	for {
		if _, err := s.try(s.Space.At(s.rnd.IntN(s.Space.Size()))); err != nil {
			return err
		}
	}
}

func greedy(s *Search) error {
	at := s.Space.At(0)
	for {
		here, err := s.try(at)
		if err != nil {
			return err
		}
		var better []int
		for _, k := range s.rnd.Perm(len(s.Space.moves)) {
			m := s.Space.moves[k]
			next := slices.Clone(at)
			for i, c := range m.choice {
				next[c] = m.option[i]
			}
			if len(m.choice) > 1 || slices.Equal(next, at) { // greedy takes single steps
				continue
			}
			p, err := s.try(next)
			if err != nil {
				return err
			}
			if p.Score > here.Score {
				here, better = p, next
			}
		}
		if at = better; at == nil {
			at = s.Space.At(s.rnd.IntN(s.Space.Size()))
		}
	}
}

func anneal(s *Search) error {
	at := s.Space.At(0)
	here, err := s.try(at)
	if err != nil {
		return err
	}
	const hot, cold = 0.3, 0.01
	for {
		done := float64(len(s.result.Points)) / float64(s.Evaluations)
		temperature := hot * math.Pow(cold/hot, done)
		next := slices.Clone(at)
		c := s.rnd.IntN(len(next))
		if n := len(s.Space.options[c]); n > 1 {
			next[c] = (next[c] + 1 + s.rnd.IntN(n-1)) % n
		}
		p, err := s.try(next)
		if err != nil {
			return err
		}
		if p.Score >= here.Score || s.rnd.Float64() < math.Exp((p.Score-here.Score)/temperature) {
			at, here = next, p
		}
	}
}
