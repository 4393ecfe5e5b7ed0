package mcts

// Result is what a search found. Slices are parallel to Legal and belong to the caller, whose next use of the
// Result for a search overwrites them.
type Result struct {
	Action int32 // to play
	Forced bool  // the only legal action: nothing was searched; values and counts are 0 and the policy is certain

	Legal []int32 // legal actions, ascending
	Prior []float64
	// Policy is the target to train on. Gumbel: the improved policy from completed Q-values. PUCT: visits^(1/T).
	Policy []float64
	Visits []int32   // by this search; they sum to Simulations
	Q      []float64 // reward and discounted value behind it; v_mix for actions never taken

	Value float64 // V of the root: mean of what all simulations returned
	Mixed float64 // v_mix of the root: an estimate of the value of the prior policy
	Raw   float64 // the evaluator's value of the root

	// Best is the highest discounted sum of rewards of all games the search played to their end, and Line its moves
	// from the root; no line if there was no such game.
	Best float64
	Line []int32

	Simulations    int
	Evaluations    int // calls of the evaluator
	Transpositions int // first visits of edges that led to a state already known
	Nodes          int // in the tree, kept ones included
	Depth          int // moves of the longest simulation
}

// start clears r and asks the game for its legal actions.
func (r *Result) start(g Game) {
	legal := g.Legal(r.Legal)
	n := len(legal)
	*r = Result{
		Legal: legal, Prior: resize(r.Prior, n), Policy: resize(r.Policy, n),
		Visits: resize(r.Visits, n), Q: resize(r.Q, n), Line: r.Line[:0],
	}
}

// force answers a state with one legal action.
func (r *Result) force() {
	r.Action, r.Forced = r.Legal[0], true
	r.Prior[0], r.Policy[0] = 1, 1
}

// finished notes a game that a simulation played to its end.
func (r *Result) finished(total float64, path []step, t *tree) {
	if len(r.Line) > 0 && total <= r.Best {
		return
	}
	r.Best, r.Line = total, r.Line[:0]
	for _, at := range path {
		r.Line = append(r.Line, t.action[at.edge])
	}
}

// report completes r once all simulations are made; action is an index among the legal ones.
func (s *Search) report(r *Result, action int) {
	root, from := s.root, s.t.first[s.root]
	r.Action = r.Legal[action]
	copy(r.Prior, s.t.prior[from:])
	copy(r.Visits, s.visits)
	policy := r.Policy
	if s.opts.Algorithm == PUCT { // whose policy is there already
		policy = s.weights[:len(r.Policy)]
	}
	s.improve(root, 1, policy, r.Q)
	r.Value, r.Raw, r.Mixed = s.t.value[root], s.t.raw[root], s.know(root).mixed
	r.Simulations = len(s.trace)
	r.Nodes = len(s.t.first)
}
