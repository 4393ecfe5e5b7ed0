package bench_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

var quick = bench.Settings{Repetitions: 3, Milliseconds: 0.2, Batch: 16}

func lighthouse(t *testing.T) (*ir.Program, bench.Case) {
	task, err := tasks.Lookup("Lighthouse")
	if err != nil {
		t.Fatal(err)
	}
	p, err := task.Program()
	if err != nil {
		t.Fatal(err)
	}
	g, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	c := bench.Case{Name: task.Name, Values: len(p.Outputs)}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 4 {
		x, err := task.Point(rng)
		if err != nil {
			t.Fatal(err)
		}
		c.Points = append(c.Points, x)
	}
	for name, order := range map[string][]int{"forward": elim.Forward(g), "reverse": elim.Reverse(g)} {
		d, err := ad.ValueAndJacobian(p, order)
		if err != nil {
			t.Fatal(err)
		}
		c.Candidates = append(c.Candidates, bench.Candidate{Name: name, Program: d})
	}
	return p, c
}

func TestRun(t *testing.T) {
	_, c := lighthouse(t)
	timings, err := bench.Run(context.Background(), c, quick)
	if err != nil {
		t.Fatal(err)
	}
	if len(timings) != 2 {
		t.Fatalf("%d timings, want 2", len(timings))
	}
	for _, tm := range timings {
		for _, v := range append(append([]float64{}, tm.Single...), tm.Batch...) {
			if !(v > 0.1 && v < 1e6) {
				t.Errorf("%s: %v ns", tm.Candidate, v)
			}
		}
	}
}

// TestRunNoticesWrongResults: a candidate that computes something else is not timed.
func TestRunNoticesWrongResults(t *testing.T) {
	_, c := lighthouse(t)
	wrong := c.Candidates[1].Program.Clone()
	wrong.Outputs[3].Node, wrong.Outputs[4].Node = wrong.Outputs[4].Node, wrong.Outputs[3].Node
	c.Candidates[1].Program = wrong
	_, err := bench.Run(context.Background(), c, quick)
	if err == nil || !strings.Contains(err.Error(), "differ at point 0") {
		t.Errorf("error %v", err)
	}
}

func TestRefusals(t *testing.T) {
	_, c := lighthouse(t)
	for want, s := range map[string]bench.Settings{
		"at least 3": {Repetitions: 2, Milliseconds: 1, Batch: 1},
		"batch of 0": {Repetitions: 3, Milliseconds: 1},
		"positive":   {Repetitions: 3, Batch: 1},
	} {
		if _, err := bench.Run(context.Background(), c, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v", s, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := bench.Run(ctx, c, quick); err == nil {
		t.Error("a cancelled measurement has no result")
	}
}

func TestSummarize(t *testing.T) {
	q := bench.Summarize([]float64{5, 1, 4, 2, 3})
	if q != (bench.Quartiles{Q1: 2, Median: 3, Q3: 4}) {
		t.Errorf("quartiles %v", q)
	}
	if q := bench.Ratio([]float64{2, 6, 4}, []float64{1, 2, 4}); q.Median != 2 {
		t.Errorf("ratios %v", q)
	}
	if q := bench.Summarize(nil); !math.IsNaN(q.Median) {
		t.Errorf("no measurements give %v", q)
	}
}
