package rules

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// silent is a task that never says what is right.
type silent struct{ data.DelayedMatch }

func (s *silent) Open(seed runs.Seed) (data.Task, error) {
	t, err := s.DelayedMatch.Open(seed)
	return unmasked{t}, err
}

type unmasked struct{ data.Task }

func (u unmasked) Batch(split data.Split, index, size int) (*data.Batch, error) {
	b, err := u.Task.Batch(split, index, size)
	if err == nil {
		clear(b.Mask)
	}
	return b, err
}

// TestNoTargets: a task without targets is none to learn from.
func TestNoTargets(t *testing.T) {
	for _, row := range problems {
		if row.name == "delayed_match" {
			config := &silent{*row.config().(*data.DelayedMatch)}
			if _, err := newProblem("silent", config, 1, 1, DefaultSize()); !errors.Is(err, errTargets) || !strings.Contains(err.Error(), "task silent") {
				t.Errorf("a task without targets: %v", err)
			}
		}
	}
}

// TestDivergence: a rule by which training diverges is scored as failed and logged, and the search goes on.
func TestDivergence(t *testing.T) {
	p, err := NewProblem("pattern_generation", Size{Model: "lif", Neurons: 4, Iterations: 3})
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEvaluator(context.Background(), []*Problem{p}, []float64{0.01}, []runs.Seed{1}, data.Validation)
	if err != nil {
		t.Fatal(err)
	}
	j, err := NewJudge(e, Objective{Align: 0.5}, filepath.Join(t.TempDir(), "evaluations.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var log []string
	j.Log = func(text string) { log = append(log, text) }
	space, err := NewSpace(p.Recurrence, []Choice{{Edge: "recurrent", Options: []string{"scale(1e300)", "keep", "drop"}}, {Edge: "time", Options: []string{"reverse"}}})
	if err != nil {
		t.Fatal(err)
	}
	s := &Search{Space: space, Judge: j.Judge, Evaluations: 3, Seed: 1}
	r, err := s.Run(context.Background(), "exhaustive")
	if err != nil || len(r.Points) != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	q := r.Points[0].Quality
	if q.Tasks[0].Failed == "" || q.Skill != 0 || q.Align != 0 || len(log) != 1 || !strings.Contains(log[0], "1e+300") || !strings.Contains(log[0], "pattern_generation") {
		t.Errorf("a rule that diverges has quality %+v; log %q", q, log)
	}
	if r.Best == r.Points[0] || r.Points[1].Quality.Skill != 1 {
		t.Errorf("the best is %s, backpropagation has skill %v", r.Best.Formula, r.Points[1].Quality.Skill)
	}
}
