package experiments

import (
	"context"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// TestSearchReachesTheBestKnown: a million evaluations, well below a second, reach the best known costs from every seed,
// and prove three of them optimal. Published bests are 320, 231, 148, 88 and 416.
func TestSearchReachesTheBestKnown(t *testing.T) {
	for _, goal := range []struct {
		task    string
		cost    int64
		optimal bool
	}{{"RoeFlux_1d", 295, false}, {"RobotArm_6DOF", 221, true}, {"HumanHeartDipole", 148, true}, {"PropaneCombustion", 88, true}, {"g", 409, false}} {
		s, err := Prepare(goal.task)
		if err != nil {
			t.Fatal(err)
		}
		for seed := uint64(1); seed <= 5; seed++ {
			r, err := search.Run(context.Background(), "anneal", search.Problem{Graph: s.Graph}, search.Settings{Evaluations: 1_000_000, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			if muls, err := s.Graph.Muls(r.Order); err != nil || muls > goal.cost || r.Optimal != goal.optimal {
				t.Errorf("%s, seed %d: %d multiplications (%v), optimal %v; want at most %d, %v", goal.task, seed, muls, err, r.Optimal, goal.cost, goal.optimal)
			}
		}
	}
}
