package game_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// taskGraph is the elimination graph of a benchmark task.
func taskGraph(tb testing.TB, name string) *elim.Graph {
	tb.Helper()
	task, err := tasks.Lookup(name)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := task.Program()
	if err != nil {
		tb.Fatal(err)
	}
	g, err := ad.Graph(p)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func mustGame(tb testing.TB, g *elim.Graph, o game.Options) *game.Game {
	tb.Helper()
	e, err := game.New(g, o)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// playUniform plays a game from its start to its end by a uniform policy and returns the moves.
func playUniform(e *game.Game, rng *rand.Rand, legal []int32) (moves int, buf []int32) {
	e.Reset()
	for !e.Done() {
		legal = e.Legal(legal)
		e.Apply(legal[rng.IntN(len(legal))])
		moves++
	}
	return moves, legal
}

// BenchmarkUniformPolicy plays whole games on the Roe flux, on all cores.
func BenchmarkUniformPolicy(b *testing.B) {
	g := taskGraph(b, "RoeFlux_1d")
	for _, o := range []game.Options{
		{Objective: game.Muls},
		{Objective: game.Muls, Reduce: game.Border},
		{Objective: game.Muls, Reduce: game.All},
		{Objective: game.Ops},
		{Objective: game.Ops, Reduce: game.All},
	} {
		b.Run(o.Objective.Name()+"/"+o.Reduce.String(), func(b *testing.B) {
			b.ReportAllocs()
			var seed, moves atomic.Uint64
			start := time.Now()
			b.RunParallel(func(pb *testing.PB) {
				e, rng := mustGame(b, g, o), rand.New(rand.NewPCG(seed.Add(1), 0))
				var legal []int32
				var n int
				for pb.Next() {
					n, legal = playUniform(e, rng, legal)
					moves.Add(uint64(n))
				}
			})
			rate := float64(b.N) / time.Since(start).Minutes()
			b.ReportMetric(rate, "games/min")
			b.ReportMetric(rate/1e5, "×100000/min") // what two cores are meant to reach
			b.ReportMetric(float64(moves.Load())/float64(b.N), "moves/game")
		})
	}
}

// BenchmarkBaseline values the start of the Roe flux.
func BenchmarkBaseline(b *testing.B) {
	g := taskGraph(b, "RoeFlux_1d")
	for _, o := range []game.Objective{game.Muls, game.Ops} {
		b.Run(o.Name(), func(b *testing.B) {
			e := mustGame(b, g, game.Options{Objective: o})
			e.Baseline()
			b.ReportAllocs()
			for b.Loop() {
				e.Baseline()
			}
		})
	}
}

// BenchmarkApplyUndo walks down a game and back up, as a tree search does.
func BenchmarkApplyUndo(b *testing.B) {
	g := taskGraph(b, "RoeFlux_1d")
	for _, reduce := range []game.Reduction{game.None, game.All} {
		b.Run(reduce.String(), func(b *testing.B) {
			e := mustGame(b, g, game.Options{Reduce: reduce})
			rng := rand.New(rand.NewPCG(1, 1))
			var path, legal []int32
			for !e.Done() {
				legal = e.Legal(legal)
				path = append(path, legal[rng.IntN(len(legal))])
				e.Apply(path[len(path)-1])
			}
			e.Reset()
			b.ReportAllocs()
			for b.Loop() {
				for _, a := range path {
					e.Apply(a)
				}
				for range path {
					e.Undo()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(path)), "ns/move")
		})
	}
}
