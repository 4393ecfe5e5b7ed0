package mcts

import (
	"fmt"
	"math"
)

// Algorithm names a way to search.
type Algorithm string

const (
	Gumbel Algorithm = "gumbel" // Gumbel AlphaZero
	PUCT   Algorithm = "puct"   // AlphaZero with MuZero's constants
)

// Normalisation names how Q-values of any scale are made comparable with log-probabilities and visit counts. All
// of them only shift and scale, so they never change which of two actions of a node is better.
type Normalisation string

const (
	// ByNode maps the completed Q-values of the node at hand to [0,1]: the smallest to 0, the largest to 1. It
	// is the rule of the mctx library for both algorithms (for PUCT with the node's own value among them). It
	// adapts to any scale but magnifies differences that mean nothing; MinRange limits that.
	ByNode Normalisation = "node"

	// ByTree divides by the range of all returns met in the tree so far, as MuZero (appendix B) does with its
	// Q-values. A return here counts from the root, rewards on the way included: with a reward after every move,
	// values shrink towards the end of a game, and a range over bare Q-values would mostly measure depth.
	ByTree Normalisation = "tree"

	// Raw leaves values as they are; for games whose returns lie in [0,1] or [−1,1].
	Raw Normalisation = "raw"
)

// Options configure a Search. DefaultOptions has sensible values; zero is meaningful in most fields.
type Options struct {
	Algorithm   Algorithm
	Simulations int // per search; 0 plays the evaluator's policy after a single evaluation

	// Discount γ ∈ (0,1] is the worth of a reward one move later.
	Discount float64

	Normalisation Normalisation
	// MinRange > 0 is the smallest range of values that is stretched to [0,1], in units of the reward. Where
	// rewards are integers, 1 keeps differences that can only be noise from looking decisive.
	MinRange float64

	// Transpositions lets states of equal Hash share one node.
	Transpositions bool

	// Considered ≥ 1 is how many actions the root of a Gumbel search considers: m in Algorithm 2.
	Considered int
	// GumbelScale ≥ 0 scales the Gumbel noise. 1 samples from the policy, as training needs; 0 takes the likeliest
	// actions, for play.
	GumbelScale float64
	// VisitOffset ≥ 0 and ValueScale ≥ 0 are c_visit and c_scale in
	//	σ(q) = (c_visit + max N(s,·)) c_scale q
	// and with ByNode, ValueScale 0.1 means that a search of few visits can change a logit by about 5.
	VisitOffset float64
	ValueScale  float64

	// PUCTInit and PUCTBase > 0 are c₁ and c₂ of MuZero's PUCT (appendix B).
	PUCTInit float64
	PUCTBase float64
	// DirichletFraction ∈ [0,1] is the share of Dirichlet noise in the prior at the root of a PUCT search, and
	// DirichletAlpha > 0 its concentration; AlphaZero takes about 10 divided by the usual number of legal moves.
	DirichletFraction float64
	DirichletAlpha    float64
	// Temperature T ≥ 0 makes the policy of a PUCT search proportional to N^(1/T); 0 puts it on the action
	// visited most.
	Temperature float64
}

// DefaultOptions returns the settings of Gumbel AlphaZero, and of PUCT for who changes the algorithm, as
// published in mctx; 64 simulations per search.
func DefaultOptions() Options {
	return Options{
		Algorithm: Gumbel, Simulations: 64, Discount: 1,
		Normalisation: ByNode, MinRange: 1e-8,
		Considered: 16, GumbelScale: 1, VisitOffset: 50, ValueScale: 0.1,
		PUCTInit: 1.25, PUCTBase: 19652, DirichletFraction: 0.25, DirichletAlpha: 0.3, Temperature: 1,
	}
}

// Validate reports the first field that is out of its range.
func (o Options) Validate() error {
	if o.Algorithm != Gumbel && o.Algorithm != PUCT {
		return fmt.Errorf("mcts: unknown algorithm %q, expected %q or %q", o.Algorithm, Gumbel, PUCT)
	}
	switch o.Normalisation {
	case ByNode, ByTree, Raw:
	default:
		return fmt.Errorf("mcts: unknown normalisation %q, expected %q, %q or %q", o.Normalisation, ByNode, ByTree, Raw)
	}
	for _, f := range []struct {
		name      string
		value     float64
		low, high float64
		open      bool // low itself is excluded
	}{
		{"simulations", float64(o.Simulations), 0, math.MaxInt32, false},
		{"discount", o.Discount, 0, 1, true},
		{"minimum range", o.MinRange, 0, math.MaxFloat64, true},
		{"number of considered actions", float64(o.Considered), 1, math.MaxInt32, false},
		{"Gumbel scale", o.GumbelScale, 0, math.MaxFloat64, false},
		{"visit offset", o.VisitOffset, 0, math.MaxFloat64, false},
		{"value scale", o.ValueScale, 0, math.MaxFloat64, false},
		{"PUCT init", o.PUCTInit, 0, math.MaxFloat64, false},
		{"PUCT base", o.PUCTBase, 0, math.MaxFloat64, true},
		{"Dirichlet fraction", o.DirichletFraction, 0, 1, false},
		{"Dirichlet alpha", o.DirichletAlpha, 0, math.MaxFloat64, true},
		{"temperature", o.Temperature, 0, math.MaxFloat64, false},
	} {
		below := f.value < f.low || f.open && f.value == f.low
		if below || f.value > f.high || math.IsNaN(f.value) {
			return fmt.Errorf("mcts: the %s is %v, expected %s", f.name, f.value, interval(f.low, f.high, f.open))
		}
	}
	return nil
}

func interval(low, high float64, open bool) string {
	switch {
	case high < math.MaxInt32:
		bracket := "["
		if open {
			bracket = "("
		}
		return fmt.Sprintf("a number in %s%v, %v]", bracket, low, high)
	case open:
		return fmt.Sprintf("a finite number above %v", low)
	}
	return fmt.Sprintf("a finite number, at least %v", low)
}
