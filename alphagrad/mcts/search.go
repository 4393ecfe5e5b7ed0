package mcts

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Search plans moves, one game at a time. It owns the tree and all memory a search needs. It is not safe for
// concurrent use; give every goroutine its own.
type Search struct {
	opts Options
	eval Evaluator
	pcg  *rand.PCG
	rng  *rand.Rand

	t       tree
	table   table
	root    int32   // none before the first search
	kept    bool    // by Advance, for the next Run
	lo, hi  float64 // range of the returns met, counted from the root
	clock   uint32  // simulations since the tree was empty
	result  *Result // of the search in progress
	places  []int32 // memory of tree.keep
	stack   []int32
	legal   []int32   // of a new node
	logits  []float32 // of a new node
	q       []float64 // of the edges of the node at hand, in the order of its block
	weights []float64 // likewise
	path    []step

	// At the root, parallel to its legal actions.
	noise  []float64 // Gumbel search: Gumbel variables; PUCT: the prior with noise
	visits []int32   // by the current search alone
	order  []int32   // Gumbel search: the actions considered, best first

	stages []Stage
	trace  []int32 // root action by simulation, as index among the legal ones
	halved halving
}

// step is an edge on the path of a simulation.
type step struct {
	node, edge int32
	before     float64 // discounted rewards on the way from the root to node
	weight     float64 // γ to the depth of node
}

// New returns a Search. Two of them with equal options, evaluators and seeds return equal results for equal
// sequences of calls.
func New(e Evaluator, o Options, seed uint64) (*Search, error) {
	if e == nil {
		return nil, errors.New("mcts: no evaluator")
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &Search{opts: o, eval: e, pcg: rand.NewPCG(0, 0), root: none}
	s.rng = rand.New(s.pcg)
	s.Seed(seed)
	return s, nil
}

// Seed starts the random choices afresh; the tree stays. A caller that seeds before every Run can repeat any
// single search, provided it did not begin with a kept tree.
func (s *Search) Seed(seed uint64) { s.pcg.Seed(seed, 0x6d637473) }

// SetSimulations changes the budget of the searches to come, as needed where only some moves of a game are
// searched thoroughly.
func (s *Search) SetSimulations(n int) error {
	o := s.opts
	o.Simulations = n
	if err := o.Validate(); err != nil {
		return err
	}
	s.opts = o
	return nil
}

// Reset drops the tree and keeps its memory.
func (s *Search) Reset() {
	s.t.reset()
	s.table.reset()
	s.root, s.kept, s.clock = none, false, 0
	s.trace = s.trace[:0]
	s.halved.reset()
}

// Advance tells the search that action was played at the root. What the tree holds below it is kept, and the next
// Run starts from there: it still makes Options.Simulations simulations, on top of what is known. Advance reports
// whether anything was kept. Without it every Run starts with an empty tree.
func (s *Search) Advance(action int32) bool {
	s.kept = false
	if s.root != none {
		for e := s.t.first[s.root]; e < s.t.first[s.root]+s.t.count[s.root]; e++ {
			if c := s.t.child[e]; s.t.action[e] == action && c != none && s.t.count[c] > 0 {
				s.rebase(e)
				return true
			}
		}
	}
	s.Reset()
	return false
}

// rebase makes the child of an edge of the root the root.
func (s *Search) rebase(e int32) {
	s.lo = (s.lo - s.t.reward[e]) / s.opts.Discount
	s.hi = (s.hi - s.t.reward[e]) / s.opts.Discount
	s.root, s.places, s.stack = s.t.keep(s.t.child[e], s.places, s.stack)
	s.table.reset()
	if s.opts.Transpositions {
		for n, h := range s.t.hash {
			if h != 0 {
				s.table.put(h, int32(n))
			}
		}
	}
	s.kept = true
	s.trace = s.trace[:0]
	s.halved.reset()
}

// Run searches from the current state of g and writes what it finds to r, whose memory it reuses. A state with
// one legal action is answered at once, without search or evaluation. It is an error if the game is over, if the
// evaluator fails or returns numbers that are not finite, or if the game breaks its contract in a way that shows;
// the contents of r are then undefined and g is as it was.
func (s *Search) Run(g Game, r *Result) error {
	kept := s.kept
	if !kept {
		s.Reset()
	}
	s.kept = false
	if g.Done() {
		return errors.New("mcts: there is nothing to search, the game is over")
	}
	r.start(g)
	if len(r.Legal) == 0 {
		return errNoAction
	}
	if kept && (!s.t.open(s.root, r.Legal) || s.opts.Transpositions && s.t.hash[s.root] != g.Hash()) {
		return errors.New("mcts: the game is not in the state that the moves given to Advance lead to")
	}
	if len(r.Legal) == 1 {
		r.force()
		return nil
	}
	s.result = r
	defer func() { s.result = nil }()
	if !kept {
		root, err := s.meet(g)
		if err != nil {
			return err
		}
		if !s.t.open(root, r.Legal) {
			return errors.New("mcts: two calls of Legal in one state returned different actions, or not in ascending order")
		}
		s.root, s.lo, s.hi = root, s.t.raw[root], s.t.raw[root]
	}
	s.visits = resize(s.visits, len(r.Legal))
	s.noise = resize(s.noise, len(r.Legal))
	s.trace = s.trace[:0]
	s.halved.reset()
	var action int
	var err error
	if s.opts.Algorithm == PUCT {
		action, err = s.runPUCT(g, r)
	} else {
		action, err = s.runGumbel(g)
	}
	if err != nil {
		return err
	}
	s.report(r, action)
	return nil
}

// resize returns a zeroed slice of length n, in the memory of the given one if that is large enough.
func resize[T any](of []T, n int) []T {
	if cap(of) < n {
		return make([]T, n)
	}
	of = of[:n]
	clear(of)
	return of
}

// simulate plays the root's i-th legal action and then interior ones down to a state that is new or final, and
// updates the values on the way back.
func (s *Search) simulate(g Game, i int32) error {
	s.clock++
	s.path = s.path[:0]
	played := 0
	defer func() {
		for range played {
			g.Undo()
		}
	}()
	at := step{node: s.root, edge: s.t.first[s.root] + i, weight: 1}
	for {
		s.t.stamp[at.node] = s.clock
		s.path = append(s.path, at)
		r := g.Apply(s.t.action[at.edge])
		played++
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return fmt.Errorf("mcts: the game gave reward %v for action %d, expected a finite number", r, s.t.action[at.edge])
		}
		known := int32(len(s.t.first))
		if s.t.child[at.edge] == none {
			c, err := s.meet(g)
			if err != nil {
				return err
			}
			s.t.child[at.edge], s.t.reward[at.edge] = c, r
		}
		c := s.t.child[at.edge]
		after := at.before + at.weight*r
		if s.t.count[c] == 0 {
			s.result.finished(after, s.path, &s.t)
		}
		if c >= known || s.t.count[c] == 0 {
			break
		}
		if s.t.stamp[c] == s.clock {
			return fmt.Errorf("mcts: Hash %#x came twice in one game: states that are not equal share it, or the game can return to a state", s.t.hash[c])
		}
		at = step{node: c, before: after, weight: at.weight * s.opts.Discount}
		at.edge = s.choose(at)
	}
	s.result.Depth = max(s.result.Depth, len(s.path))
	s.backUp()
	s.visits[i]++
	s.trace = append(s.trace, i)
	return nil
}

// choose returns the edge that a simulation takes from an interior node.
func (s *Search) choose(at step) int32 {
	if s.opts.Algorithm == PUCT {
		n := at.node
		return s.selectPUCT(at, s.t.prior[s.t.first[n]:s.t.first[n]+s.t.count[n]])
	}
	return s.selectGumbel(at)
}

// backUp counts the visits of a simulation and updates the values along its path, the deepest first.
func (s *Search) backUp() {
	for i := len(s.path) - 1; i >= 0; i-- {
		at := s.path[i]
		s.t.visit(at.node, at.edge)
		s.t.refresh(at.node, s.opts.Discount)
		total := at.before + at.weight*s.t.q(at.edge, s.opts.Discount)
		s.lo, s.hi = min(s.lo, total), max(s.hi, total)
	}
}

var errNoAction = errors.New("mcts: the game has no legal action but is not done")

// meet returns the node of the current state, new and evaluated unless the state is known.
func (s *Search) meet(g Game) (int32, error) {
	done := g.Done()
	if !done {
		if s.legal = g.Legal(s.legal); len(s.legal) == 0 {
			return none, errNoAction
		}
	} else {
		s.legal = s.legal[:0]
	}
	hash := uint64(0)
	if s.opts.Transpositions {
		hash = g.Hash()
		if n := s.table.get(hash); n != none {
			if int(s.t.count[n]) != len(s.legal) {
				return none, fmt.Errorf("mcts: states with %d and with %d legal actions have the same Hash %#x", s.t.count[n], len(s.legal), hash)
			}
			s.result.Transpositions++
			return n, nil
		}
	}
	value := 0.0
	s.logits = resize(s.logits, len(s.legal))
	if !done {
		s.result.Evaluations++
		var err error
		if value, err = s.eval.Evaluate(g, s.legal, s.logits); err != nil {
			return none, err
		}
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return none, fmt.Errorf("mcts: the evaluator returned the value %v, expected a finite number", value)
		}
		for i, l := range s.logits {
			if math.IsNaN(float64(l)) || math.IsInf(float64(l), 0) {
				return none, fmt.Errorf("mcts: the evaluator returned the logit %v for action %d, expected a finite number", l, s.legal[i])
			}
		}
		if len(s.q) < len(s.legal) {
			s.q, s.weights = make([]float64, len(s.legal)), make([]float64, len(s.legal))
		}
	}
	n, err := s.t.add(hash, s.legal, s.logits, value)
	if err == nil && hash != 0 {
		s.table.put(hash, n)
	}
	return n, err
}

// knowledge is what a node's visits say about its Q-values.
type knowledge struct {
	most      int32   // max N(s,·)
	unvisited bool    // whether some action was never taken
	mass      float64 // prior probability of the actions that were
	lo, hi    float64 // range of their Q; +Inf and −Inf if there are none
	mixed     float64 // v_mix: Q of the others
}

// know writes Q of the visited edges of n to s.q and the completed value of the others, by appendix D:
//
//	v_mix = (v̂ + ΣN · Σ π q / Σ π) / (1 + ΣN)
//
// with the last two sums over the visited actions only.
func (s *Search) know(n int32) knowledge {
	t := &s.t
	from, seen := t.first[n], t.seen[n]
	k := knowledge{lo: math.Inf(1), hi: math.Inf(-1), unvisited: seen < t.count[n]}
	total := 0.0
	for i := range seen {
		e := from + i
		v := t.visits[e]
		if v == 0 {
			k.unvisited = true
			continue
		}
		q := t.q(e, s.opts.Discount)
		s.q[i] = q
		k.most = max(k.most, v)
		k.lo, k.hi = min(k.lo, q), max(k.hi, q)
		k.mass += t.prior[e]
		total += t.prior[e] * q
	}
	k.mixed = t.raw[n]
	if k.most > 0 {
		sum := float64(t.sum[n])
		k.mixed = (t.raw[n] + sum*total/k.mass) / (1 + sum)
	}
	return k
}

// unit returns the factor that normalises values which range from lo to hi at a node of the given weight.
func (s *Search) unit(lo, hi, weight float64) float64 {
	switch s.opts.Normalisation {
	case ByNode:
		return 1 / max(hi-lo, s.opts.MinRange)
	case ByTree:
		return weight / max(s.hi-s.lo, s.opts.MinRange)
	}
	return 1
}
