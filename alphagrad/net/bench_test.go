package net

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// benchState is the start of a game of 64 vertices.
func benchState(tb testing.TB) *elim.State {
	return elim.NewState(randomGraph(tb, rand.New(rand.NewPCG(5, 5)), 10, 64))
}

// BenchmarkEvaluate measures whole evaluations, features and cheap completions included, and how many times faster
// than GoMLX's forward pass alone they are, timed in the same run.
func BenchmarkEvaluate(b *testing.B) {
	for _, model := range Models() {
		n := randomNetwork(b, Spec{model, 32, 3}, 1)
		b.Run(model, func(b *testing.B) {
			s, e := benchState(b), n.NewEvaluator()
			vertices, logits := evaluateOnce(e, s)
			gomlx := timeReference(b, n, &e.position)
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				e.Evaluate(s, vertices, logits)
			}
			each := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(1/each, "evals/s")
			b.ReportMetric(gomlx/each, "×gomlx")
		})
		b.Run(model+"/parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				s, e := benchState(b), n.NewEvaluator()
				vertices, logits := evaluateOnce(e, s)
				for pb.Next() {
					e.Evaluate(s, vertices, logits)
				}
			})
			rate := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "evals/s")
			b.ReportMetric(rate/4000, "×4000/s") // what two cores are meant to reach
		})
	}
}

// evaluateOnce warms up an evaluator and returns arguments for more of the same.
func evaluateOnce(e *Evaluator, s *elim.State) (vertices []int32, logits []float32) {
	for v := range s.Remaining() {
		vertices = append(vertices, int32(v))
	}
	logits = make([]float32, len(vertices))
	e.Evaluate(s, vertices, logits)
	return vertices, logits
}

// timeReference is the seconds GoMLX takes for a position.
func timeReference(b *testing.B, n *Network, p *Position) float64 {
	bucket, err := bucketFor(p.Nodes)
	if err != nil {
		b.Fatal(err)
	}
	bucket.batch = 1
	exec, f := referenceExec(b, n), newFrame(bucket)
	defer exec.Finalize()
	runReference(b, exec, n, f, p)
	const times = 20
	start := time.Now()
	for range times {
		runReference(b, exec, n, f, p)
	}
	return time.Since(start).Seconds() / times
}

func BenchmarkEncode(b *testing.B) {
	s, e := benchState(b), NewEncoder()
	var p Position
	e.Encode(s, &p)
	b.ReportAllocs()
	for b.Loop() {
		e.Encode(s, &p)
	}
}

func BenchmarkCheapCost(b *testing.B) {
	s := benchState(b)
	var c Completion
	c.CheapCost(s)
	b.ReportAllocs()
	for b.Loop() {
		c.CheapCost(s)
	}
}

func BenchmarkForward(b *testing.B) {
	for _, model := range Models() {
		b.Run(model, func(b *testing.B) {
			e := randomNetwork(b, Spec{model, 32, 3}, 1).NewEvaluator()
			_, logits := evaluateOnce(e, benchState(b))
			b.ReportAllocs()
			for b.Loop() {
				e.EvaluatePosition(&e.position, logits)
			}
		})
	}
}

func BenchmarkProduct(b *testing.B) {
	const rows, k, cols = 80, 96, 32
	y, x, w := make([]float32, rows*cols), make([]float32, rows*k), make([]float32, k*cols)
	measure := func(name string, add func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				add()
			}
			b.ReportMetric(2*rows*k*cols*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
	measure("go", func() { addBlocks(y, cols, x, k, w, rows, k, cols) })
	for _, v := range vectorKernels {
		if v.usable {
			measure(v.name, func() { v.add(y, cols, x, k, w, rows, k, cols) })
		}
	}
}

// BenchmarkTrain measures training in samples per second.
func BenchmarkTrain(b *testing.B) {
	for _, model := range Models() {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", model, workers), func(b *testing.B) {
				config := DefaultTrainerConfig()
				config.Workers = workers
				n, err := New(Spec{model, 32, 3}, 1)
				if err != nil {
					b.Fatal(err)
				}
				t, err := NewTrainer(n, config)
				if err != nil {
					b.Fatal(err)
				}
				defer t.Close()
				r := rand.New(rand.NewPCG(9, 9))
				var samples []Sample
				for range 32 {
					s := elim.NewState(randomGraph(b, r, 8, 48))
					samples = append(samples, markowitzSample(s))
				}
				if _, err := t.Train(samples); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := t.Train(samples); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(samples)*b.N)/b.Elapsed().Seconds(), "samples/s")
			})
		}
	}
}
