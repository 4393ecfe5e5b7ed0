package mcts

// Game is a deterministic game for one player that always ends, with a reward after every move. A search plays
// it forward and back and leaves it in the state it found it in, also when it fails. Package mctstest checks an
// implementation against this contract.
type Game interface {
	// Actions returns the size of the action space; actions are 0 … Actions()−1. It never changes.
	Actions() int

	// Legal returns the actions that are legal now, ascending and without repetition, appended to buf[:0]. There
	// is at least one unless the game is over.
	Legal(buf []int32) []int32

	// Apply plays a legal action and returns its reward, a finite number; higher is better, so costs are
	// negative.
	Apply(action int32) float64

	// Undo takes back the last Apply that was not taken back yet.
	Undo()

	// Done reports whether the game is over: no action is legal and the rewards to come are 0.
	Done() bool

	// Hash identifies the state: where it is equal, so are the legal actions and every reward from there on. It
	// need not tell how the state was reached. States of equal hash may share what is known about them. 0 means
	// that the state has no hash and is never shared.
	Hash() uint64
}

// Evaluator judges states.
type Evaluator interface {
	// Evaluate writes one finite logit per legal action, parallel to legal, and returns the expected sum of
	// rewards from the current state on. It is called only for states with a legal action. It may play g
	// forward if it takes every move back, must not change legal, and must not keep either slice. An error ends
	// the search and is returned by it.
	Evaluate(g Game, legal []int32, logits []float32) (value float64, err error)
}

// EvaluatorFunc is a function as an Evaluator.
type EvaluatorFunc func(g Game, legal []int32, logits []float32) (float64, error)

// Evaluate calls f.
func (f EvaluatorFunc) Evaluate(g Game, legal []int32, logits []float32) (float64, error) {
	return f(g, legal, logits)
}

// Uniform is the evaluator that knows nothing: every legal action is as likely, every state worth 0.
var Uniform Evaluator = EvaluatorFunc(func(_ Game, _ []int32, logits []float32) (float64, error) {
	clear(logits)
	return 0, nil
})
