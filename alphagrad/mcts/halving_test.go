package mcts_test

import (
	"math"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"pgregory.net/rapid"
)

// consideredVisits computes, simulation by simulation, how often the action to simulate next has been visited, with a
// counter for each of the m actions: first all of them, then the first half, and so on.
func consideredVisits(m, n int) []int {
	var sequence []int
	if m <= 1 {
		for i := range n {
			sequence = append(sequence, i)
		}
		return sequence
	}
	visits := make([]int, m)
	for k := m; len(sequence) < n; k = int(math.Max(2, math.Floor(float64(k)/2))) {
		budget := math.Floor(float64(n) / (math.Ceil(math.Log2(float64(m))) * float64(k)))
		for range int(math.Max(1, budget)) {
			for i := range k {
				sequence = append(sequence, visits[i])
				visits[i]++
			}
		}
	}
	return sequence[:n]
}

// unroll turns stages into considered visits.
func unroll(stages []mcts.Stage) []int {
	var sequence []int
	level := 0
	for _, s := range stages {
		for j := range s.Simulations {
			sequence = append(sequence, level+j/s.Considered)
		}
		level += s.Rounds
	}
	return sequence
}

func TestScheduleIsThePublishedFormula(t *testing.T) {
	for m := range 70 {
		for n := range 201 {
			if got, want := unroll(mcts.HalvingSchedule(m, n)), consideredVisits(m, n); !slices.Equal(got, want) {
				t.Fatalf("m=%d n=%d: %v, expected %v", m, n, got, want)
			}
		}
	}
}

// TestScheduleOfPaper checks the case that the paper describes (figure 1): 16 actions and 200 simulations, 3 for each
// of 16, 6 for each of 8, 12 for each of 4 and the rest for the last 2; and cases that mctx tests.
func TestScheduleOfPaper(t *testing.T) {
	for _, c := range []struct {
		m, n int
		want []mcts.Stage
	}{
		{16, 200, []mcts.Stage{{16, 3, 48}, {8, 6, 48}, {4, 12, 48}, {2, 25, 50}, {2, 25, 6}}},
		{4, 16, []mcts.Stage{{4, 2, 8}, {2, 4, 8}}},
		{8, 24, []mcts.Stage{{8, 1, 8}, {4, 2, 8}, {2, 4, 8}}},
		{8, 13, []mcts.Stage{{8, 1, 8}, {4, 1, 4}, {2, 2, 1}}},
		{7, 24, []mcts.Stage{{7, 1, 7}, {3, 2, 6}, {2, 4, 8}, {2, 4, 3}}},
		{8, 2, []mcts.Stage{{8, 1, 2}}},
		{1, 16, []mcts.Stage{{1, 16, 16}}},
		{16, 0, nil},
	} {
		if got := mcts.HalvingSchedule(c.m, c.n); !slices.Equal(got, c.want) {
			t.Errorf("m=%d n=%d: %v, expected %v", c.m, c.n, got, c.want)
		}
	}
}

// TestHalvingAsItHappens checks the record of a search against its schedule: survivors come from the stage before,
// led by its best by score, and were all visited as often as planned.
func TestHalvingAsItHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := mcts.DefaultOptions()
		o.Simulations = rapid.IntRange(0, 120).Draw(t, "n")
		o.Considered = rapid.IntRange(1, 20).Draw(t, "m")
		seed := rapid.Uint64().Draw(t, "seed")
		s, r := search(t, noisy(seed, 1), o, seed), mcts.Result{}
		g := newJobs(seed, rapid.IntRange(2, 18).Draw(t, "actions"))
		if err := s.Run(g, &r); err != nil {
			t.Fatal(err)
		}
		phases, stages := s.Phases(), mcts.HalvingSchedule(min(o.Considered, len(r.Legal)), o.Simulations)
		if len(phases) != len(stages) {
			t.Fatalf("%d phases, expected %v", len(phases), stages)
		}
		level := int32(0)
		for i, p := range phases {
			if p.Stage != stages[i] || len(p.Actions) != min(p.Considered, p.Simulations) {
				t.Fatalf("phase %d is %+v, expected %+v", i, p, stages[i])
			}
			if p.Simulations == p.Considered*p.Rounds { // not cut short
				level += int32(p.Rounds)
				for k, v := range p.Visits {
					if v != level {
						t.Fatalf("phase %d: action %d has %d visits, expected %d", i, p.Actions[k], v, level)
					}
				}
			}
			if i == 0 {
				continue
			}
			before := phases[i-1]
			for _, a := range p.Actions {
				if !slices.Contains(before.Actions, a) {
					t.Fatalf("phase %d: action %d was not in the phase before", i, a)
				}
			}
			if first := slices.Index(before.Actions, p.Actions[0]); before.Scores[first] != slices.Max(before.Scores) {
				t.Fatalf("phase %d begins with action %d, which was not the best", i, p.Actions[0])
			}
		}
		if n := len(s.Trace()); n != o.Simulations {
			t.Fatalf("trace of %d simulations, expected %d", n, o.Simulations)
		}
	})
}

func search(t interface{ Fatal(...any) }, e mcts.Evaluator, o mcts.Options, seed uint64) *mcts.Search {
	s, err := mcts.New(e, o, seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
