package mcts_test

import (
	"fmt"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
)

// ladder is a game of nothing but moves, to measure the search alone: depth moves, each one of the actions not played
// before, rewarded by a number mixed from action and time. It allocates nothing.
type ladder struct {
	played []bool
	moves  []int32
	depth  int
	hash   uint64
}

func newLadder(actions, depth int) *ladder {
	return &ladder{played: make([]bool, actions), moves: make([]int32, 0, depth), depth: depth, hash: 1}
}
func mix(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 29
	return x * 0xbf58476d1ce4e5b9
}
func (l *ladder) Actions() int { return len(l.played) }
func (l *ladder) Legal(buf []int32) []int32 {
	buf = buf[:0]
	if l.Done() {
		return buf
	}
	for a, played := range l.played {
		if !played {
			buf = append(buf, int32(a))
		}
	}
	return buf
}
func (l *ladder) Apply(a int32) float64 {
	l.played[a] = true
	l.moves = append(l.moves, a)
	l.hash += mix(uint64(a + 1))
	return -float64(mix(uint64(a)<<8|uint64(len(l.moves)))>>32) / (1 << 32)
}
func (l *ladder) Undo() {
	a := l.moves[len(l.moves)-1]
	l.moves = l.moves[:len(l.moves)-1]
	l.played[a] = false
	l.hash -= mix(uint64(a + 1))
}
func (l *ladder) Done() bool   { return len(l.moves) == l.depth }
func (l *ladder) Hash() uint64 { return l.hash }

// BenchmarkSearch measures searches of a game of 100 actions and 100 moves with an evaluator that costs nothing.
func BenchmarkSearch(b *testing.B) {
	for _, algorithm := range []mcts.Algorithm{mcts.Gumbel, mcts.PUCT} {
		for _, transpositions := range []bool{false, true} {
			for _, n := range []int{64, 1000} {
				name := fmt.Sprintf("%s/transpositions=%v/n=%d", algorithm, transpositions, n)
				b.Run(name, func(b *testing.B) {
					o := mcts.DefaultOptions()
					o.Algorithm, o.Transpositions, o.Simulations = algorithm, transpositions, n
					s, r, g := search(b, mcts.Uniform, o, 1), mcts.Result{}, newLadder(100, 100)
					b.ReportAllocs()
					for range b.N {
						if err := s.Run(g, &r); err != nil {
							b.Fatal(err)
						}
					}
					perSimulation := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(n)
					b.ReportMetric(perSimulation, "ns/simulation")
					b.ReportMetric(1e9/perSimulation, "simulations/s")
				})
			}
		}
	}
}

// BenchmarkGame measures whole games, with and without keeping the tree between moves.
func BenchmarkGame(b *testing.B) {
	for _, reuse := range []bool{false, true} {
		b.Run(fmt.Sprintf("reuse=%v", reuse), func(b *testing.B) {
			s, r, g := search(b, mcts.Uniform, mcts.DefaultOptions(), 1), mcts.Result{}, newLadder(100, 100)
			b.ReportAllocs()
			simulations := 0
			for range b.N {
				for !g.Done() {
					if err := s.Run(g, &r); err != nil {
						b.Fatal(err)
					}
					simulations += r.Simulations
					g.Apply(r.Action)
					if reuse {
						s.Advance(r.Action)
					}
				}
				for range g.depth {
					g.Undo()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(simulations), "ns/simulation")
		})
	}
}
