package rules

import (
	"context"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// BenchmarkEvaluate times what a search waits for: trainings by one rule, over two rates and two seeds.
func BenchmarkEvaluate(b *testing.B) {
	for _, task := range []string{"pattern_generation", "evidence_accumulation", "delayed_match"} {
		b.Run(task, func(b *testing.B) {
			p, err := NewProblem(task, DefaultSize())
			if err != nil {
				b.Fatal(err)
			}
			r, err := LadderRule(p.Recurrence, "e-prop symmetric")
			if err != nil {
				b.Fatal(err)
			}
			e := &Evaluator{Problems: []*Problem{p}, Rates: []float64{0.02, 0.05}, Seeds: []runs.Seed{1, 2}, Split: data.Validation}
			b.ResetTimer()
			for range b.N {
				if _, err := e.Tune(context.Background(), p, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
