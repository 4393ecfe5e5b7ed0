package elim

import (
	"context"
	"math/rand/v2"
	"testing"
)

// benchGraph is about the size of the Roe flux: 6 inputs and 101 operations, in two words.
func benchGraph(b *testing.B) *Graph {
	g := mustNew(b, randomSpec(rand.New(rand.NewPCG(3, 14)), 6, 101))
	if g.words != 2 {
		b.Fatal("the graph does not fit two words")
	}
	return g
}

func perElimination(b *testing.B, eliminations int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(eliminations), "ns/elimination")
}

// BenchmarkReplay replays full orders, the reset to the root included.
func BenchmarkReplay(b *testing.B) {
	g := benchGraph(b)
	for _, c := range []struct {
		name  string
		order []int
	}{{"forward", Forward(g)}, {"reverse", Reverse(g)}, {"markowitz", Markowitz(g)}} {
		for _, s := range []struct {
			name  string
			state *State
			run   func(*State, int) int
		}{
			{"apply", NewState(g), (*State).Apply},
			{"eliminate", NewState(g), (*State).Eliminate},
			{"ops", NewOpsState(g), (*State).Apply},
		} {
			b.Run(c.name+"/"+s.name, func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					s.state.Reset()
					for _, v := range c.order {
						s.run(s.state, v)
					}
				}
				perElimination(b, len(c.order))
			})
		}
	}
}

func BenchmarkEliminateUndo(b *testing.B) {
	g := benchGraph(b)
	s := NewState(g)
	order := Markowitz(g)
	b.ReportAllocs()
	for range b.N {
		for _, v := range order {
			s.Eliminate(v)
		}
		for range order {
			s.Undo()
		}
	}
	perElimination(b, len(order))
}

func BenchmarkLowerBound(b *testing.B) {
	s := NewState(benchGraph(b))
	for range b.N {
		LowerBound(context.Background(), s)
	}
}
