package optimize

import (
	"context"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// TestFewerOperationsThanTheFewestMultiplications: on every task the order searched for operations emits at most those of the
// order searched for multiplications with the same evaluations, and fewer on at least four; likewise memory, which is never
// above forward, reverse and Markowitz either.
func TestFewerOperationsThanTheFewestMultiplications(t *testing.T) {
	fewer, less := 0, 0
	for _, task := range tasks.All() {
		p, err := task.Program()
		pr := problem(t, p, err)
		orders := map[string]Candidate{}
		for _, pr.Objective = range []string{Muls, Ops, Memory} {
			r, err := Run(context.Background(), pr, limited(150_000, 1))
			if err != nil {
				t.Fatal(err)
			}
			orders[pr.Objective] = r.Best
		}
		cost := func(objective, order string) int64 {
			pr.Objective = objective
			return costOf(t, pr, orders[order].Order)
		}
		switch ops, muls := cost(Ops, Ops), cost(Ops, Muls); {
		case ops > muls:
			t.Errorf("%s: %d operations, %d by the order for multiplications", task.Name, ops, muls)
		case ops < muls:
			fewer++
		}
		memory := cost(Memory, Memory)
		if memory > cost(Memory, Muls) {
			t.Errorf("%s: %d numbers, %d by the order for multiplications", task.Name, memory, cost(Memory, Muls))
		}
		least := int64(1 << 40)
		for _, c := range Named(pr.Graph) {
			least = min(least, costOf(t, pr, c.Order))
		}
		if memory > least {
			t.Errorf("%s: %d numbers, %d by a named order", task.Name, memory, least)
		}
		if memory < least {
			less++
		}
	}
	t.Logf("fewer operations on %d tasks, less memory than the named orders on %d", fewer, less)
	if fewer < 4 || less < 1 {
		t.Errorf("fewer operations on %d tasks, less memory than the named orders on %d", fewer, less)
	}
}
