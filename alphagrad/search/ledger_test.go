package search

import (
	"context"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"pgregory.net/rapid"
)

// TestLedgers: a ledger that counts what an objective counts leads to costs that the objective confirms, never above the
// starts, with every method that takes one.
func TestLedgers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t, 25)
		o := &objectives[rapid.IntRange(0, len(objectives)-1).Draw(t, "objective")]
		improved := 0
		p := Problem{Graph: g, Objective: Muls, Ledger: func() Ledger { return counted{o.state(g), o} }}
		s := Settings{Evaluations: rapid.Int64Range(1, 2000).Draw(t, "evaluations"), Seed: 1, Start: [][]int{elim.Forward(g), elim.Reverse(g)}}
		s.Improved = func(order []int) {
			improved++
			if err := g.CheckOrder(order); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range Methods() {
			improved = 0
			r, err := Run(context.Background(), m.Name, p, s)
			if m.Name == "exact" {
				if err == nil || !strings.Contains(err.Error(), "not by a ledger") {
					t.Fatalf("exact: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", m.Name, err)
			}
			cost, err := o.replay(g, r.Order)
			if err != nil || cost != r.Cost || r.Optimal && r.Cost > 0 || r.LowerBound != 0 || improved != len(r.Trace) {
				t.Fatalf("%s: cost %d, replay says %d, %+v, %d improvements, %v", m.Name, r.Cost, cost, r, improved, err)
			}
			for _, start := range s.Start {
				if c, err := o.replay(g, start); err != nil || r.Cost > c {
					t.Fatalf("%s: cost %d is worse than a start of %d (%v)", m.Name, r.Cost, c, err)
				}
			}
		}
	})
}
