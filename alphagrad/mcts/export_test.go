package mcts

// What tests outside the package see of its inside.

var (
	ImprovedPolicy = improvedPolicy
	Dirichlet      = dirichlet
)

// Noise returns the Gumbel variables, or the noisy prior, of the last search.
func (s *Search) Noise() []float64 { return s.noise }
