package rules

import (
	"context"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// tinyProblem trains in a moment.
func tinyProblem(t *testing.T, task string) *Problem {
	t.Helper()
	p, err := NewProblem(task, Size{Model: "lif", Neurons: 4, Iterations: 4})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEvaluator: the references have skill 1 and 0 by definition and the alignment of the exact gradient is 1; everything
// is the same on any number of cores.
func TestEvaluator(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var losses [2][]float64
	for k, cores := range []int{1, 3} {
		runtime.GOMAXPROCS(cores)
		var problems []*Problem
		for _, name := range []string{"pattern_generation", "delayed_match"} {
			problems = append(problems, tinyProblem(t, name))
		}
		e, err := NewEvaluator(context.Background(), problems, []float64{0.01, 0.02}, []runs.Seed{1, 2}, data.Validation)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]float64{"bptt": 1, "readout only": 0} {
			r, err := LadderRule(problems[0].Recurrence, name)
			if err != nil {
				t.Fatal(err)
			}
			q, err := e.Evaluate(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range q.Tasks {
				if math.Abs(x.Skill-want) > 1e-12 || math.Abs(x.Align-want) > 1e-9 {
					t.Errorf("%s on %s: skill %v, align %v, expected %v", name, x.Task, x.Skill, x.Align, want)
				}
			}
		}
		r, err := LadderRule(problems[0].Recurrence, "e-prop random")
		if err != nil {
			t.Fatal(err)
		}
		q, err := e.Evaluate(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range q.Tasks {
			losses[k] = append(losses[k], x.Losses...)
		}
	}
	if !slices.Equal(losses[0], losses[1]) || len(losses[0]) != 4 {
		t.Errorf("losses on one core %v, on three %v", losses[0], losses[1])
	}
}

// TestWiden: rates far too small are widened upward as often as allowed, and the best one is said to be at the edge; between
// too small and too large ones it is not.
func TestWiden(t *testing.T) {
	p := tinyProblem(t, "pattern_generation")
	r, err := LadderRule(p.Recurrence, "bptt")
	if err != nil {
		t.Fatal(err)
	}
	e := &Evaluator{Problems: []*Problem{p}, Rates: []float64{1e-7, 4e-7, 2e-7}, Seeds: []runs.Seed{1}, Split: data.Validation, Widen: 2}
	q, err := e.Tune(context.Background(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	if q.Tried != 5 || !q.Edge || math.Abs(q.Rate-1.6e-6) > 1e-15 {
		t.Errorf("tried %d rates, the best is %g, at the edge: %v; expected 5, 1.6e-6, true", q.Tried, q.Rate, q.Edge)
	}
	e.Rates = []float64{1e-7, 1e-2, 9}
	if q, err = e.Tune(context.Background(), p, r); err != nil {
		t.Fatal(err)
	}
	if q.Tried != 3 || q.Edge || q.Rate != 1e-2 {
		t.Errorf("tried %d rates, the best is %g, at the edge: %v; expected 3, 0.01, false", q.Tried, q.Rate, q.Edge)
	}
}

// TestDiverges: one rate that diverges does not fail a rule that another one trains; fresh seeds that diverge have no loss.
func TestDiverges(t *testing.T) {
	p := tinyProblem(t, "pattern_generation")
	explode := &Rule{Format: Format, Time: Carrier{Mode: Reverse}, Edits: []Edit{{From: "rec.z", To: "rec.recurrent", Kind: "scale", Factor: 1e300}}}
	e := &Evaluator{Problems: []*Problem{p}, Rates: []float64{1e-3, 2e-3}, Seeds: []runs.Seed{1, 2}, Split: data.Validation}
	q, err := e.Tune(context.Background(), p, explode)
	if err != nil {
		t.Fatal(err)
	}
	if len(q.Diverged) != 4 || !strings.HasPrefix(q.Failed, "rate 0.001: iteration 0: the gradient by rec.") || q.Losses != nil || q.Loss != 0 {
		t.Errorf("%+v", q)
	}
	list, err := On(context.Background(), p, explode, 1e-3, e.Seeds, data.Test)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if !math.IsNaN(x.Loss) {
			t.Errorf("a training that diverges has the loss %v", x.Loss)
		}
	}
	bptt, err := LadderRule(p.Recurrence, "bptt")
	if err != nil {
		t.Fatal(err)
	}
	e.Rates = []float64{1e-2, 1e300} // weights leave the numbers
	if q, err = e.Tune(context.Background(), p, bptt); err != nil {
		t.Fatal(err)
	}
	if len(q.Diverged) != 2 || q.Failed != "" || q.Rate != 1e-2 || len(q.Losses) != 2 {
		t.Errorf("%+v", q)
	}
}

// inputsOf prints the inputs of every sequence.
func inputsOf(x *snn.Batch) map[string]bool {
	seen := map[string]bool{}
	n := len(x.Input) / x.Size / x.Steps
	for s := range x.Size {
		var b strings.Builder
		for step := range x.Steps {
			for _, v := range x.Input[(step*x.Size+s)*n:][:n] {
				b.WriteByte('0' + byte(v))
			}
		}
		seen[b.String()] = true
	}
	return seen
}

// TestFreshSequences: what a network is judged on is not what it was trained on.
func TestFreshSequences(t *testing.T) {
	for _, name := range ProblemNames() {
		p := tinyProblem(t, name)
		valid, err := p.sequences(1, data.Validation)
		if err != nil {
			t.Fatal(err)
		}
		test, err := p.sequences(1, data.Test)
		if err != nil {
			t.Fatal(err)
		}
		trained := map[string]bool{}
		for _, b := range valid.training {
			for k := range inputsOf(b) {
				trained[k] = true
			}
		}
		sets := []map[string]bool{trained, inputsOf(valid.held), inputsOf(test.held)}
		for a := range sets {
			for b := range a {
				shared := 0
				for k := range sets[a] {
					if sets[b][k] {
						shared++
					}
				}
				// Spike times in whole steps can coincide, as two points of a curve do that lie close together.
				if shared*10 > len(sets[a]) || shared > 0 && name != "randman" {
					t.Errorf("%s: sets %d and %d of training, validation and test share %d of %d sequences", name, b, a, shared, len(sets[a]))
				}
			}
		}
		if again, err := p.sequences(1, data.Test); err != nil || again != test {
			t.Errorf("%s: sequences are drawn anew: %v", name, err)
		}
	}
}
