package train

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// BenchmarkSelfPlay plays whole games on all cores, a game a goroutine, as training does. Beside evaluations per second it
// reports which share of the time is spent outside the network and the features it reads: on the tree, the rules of the game
// and the bookkeeping of moves.
func BenchmarkSelfPlay(b *testing.B) {
	network, err := net.New(net.DefaultSpec, 1)
	if err != nil {
		b.Fatal(err)
	}
	for _, source := range []string{randomSource(64, 64, 1), taskSource("RoeFlux_1d")} {
		for _, simulations := range []int{16, 64} {
			for _, reduce := range []game.Reduction{game.None, game.All} {
				b.Run(fmt.Sprintf("%s/%d simulations/%v", source, simulations, reduce), func(b *testing.B) {
					board := openBoard(b, "muls", reduce, source)
					c := Default()
					c.Search.Simulations = simulations
					var evaluations, inside, total atomic.Int64
					b.ResetTimer()
					var wg sync.WaitGroup
					next := make(chan int)
					for range runtime.GOMAXPROCS(0) {
						wg.Go(func() {
							a, err := NewAgent(network, c.options())
							if err != nil {
								b.Error(err)
							}
							timed := mcts.EvaluatorFunc(func(g mcts.Game, legal []int32, logits []float32) (float64, error) {
								start := time.Now()
								defer func() { inside.Add(int64(time.Since(start))) }()
								return a.evaluate(g, legal, logits)
							})
							if a.search, err = mcts.New(timed, c.options(), 0); err != nil {
								b.Error(err)
							}
							g, err := board.game()
							if err != nil {
								b.Error(err)
							}
							for k := range next {
								start := time.Now()
								p, err := a.Play(g, uint64(k))
								if err != nil {
									b.Error(err)
									continue
								}
								total.Add(int64(time.Since(start)))
								evaluations.Add(p.Evaluations)
							}
						})
					}
					for k := range b.N {
						next <- k
					}
					close(next)
					wg.Wait()
					rate := float64(evaluations.Load()) / b.Elapsed().Seconds()
					b.ReportMetric(rate, "evals/s")
					b.ReportMetric(rate/4000, "×4000/s")
					b.ReportMetric(100*(1-float64(inside.Load())/float64(total.Load())), "%search")
				})
			}
		}
	}
}
