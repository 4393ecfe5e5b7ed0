package mcts

import "math/bits"

// Stage is one stage of sequential halving: every surviving action is simulated Rounds times, in rounds.
type Stage struct {
	Considered  int // actions that survive
	Rounds      int // simulations per action
	Simulations int // Considered · Rounds, less what the budget cuts off the last stage
}

// HalvingSchedule returns how sequential halving (Karnin, Koren, Somekh, "Almost optimal exploration in
// multi-armed bandits", ICML 2013) spends n simulations on m actions in Gumbel AlphaZero (Algorithm 2): each
// stage gives every one of its k actions
//
//	max(1, ⌊n / (⌈log₂ m⌉ k)⌋)
//
// simulations and keeps half of them, but never fewer than two; what rounding leaves over goes into further
// stages of two, and the last is cut where the budget ends. With m ≤ 1 one action takes all.
func HalvingSchedule(m, n int) []Stage {
	return appendSchedule(nil, m, n)
}

func appendSchedule(to []Stage, m, n int) []Stage {
	if n <= 0 {
		return to
	}
	if m <= 1 {
		return append(to, Stage{1, n, n})
	}
	log2 := bits.Len(uint(m - 1)) // ⌈log₂ m⌉
	for k, left := m, n; left > 0; k = max(2, k/2) {
		rounds := max(1, n/(log2*k))
		used := min(k*rounds, left)
		to = append(to, Stage{k, rounds, used})
		left -= used
	}
	return to
}
