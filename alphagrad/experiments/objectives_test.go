package experiments

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/optimize"
)

// byOperations makes up times: so many nanoseconds as there are operations, with a little noise.
func byOperations(_ context.Context, c bench.Case, s bench.Settings) ([]bench.Timing, error) {
	timings := make([]bench.Timing, len(c.Candidates))
	for i, k := range c.Candidates {
		ops, err := ir.Count(k.Program)
		if err != nil {
			return nil, err
		}
		for r := range s.Repetitions {
			ns := float64(ops.Total()) * (1 + 0.001*float64((r+3*i)%7))
			timings[i].Single, timings[i].Batch = append(timings[i].Single, ns), append(timings[i].Batch, ns/2)
		}
	}
	return timings, nil
}

func smallObjectives() *Objectives {
	c := DefaultObjectives()
	c.Tasks, c.Budget, c.Batches, c.Clock.Repetitions = []string{"Simple", "BlackScholes"}, 150*time.Millisecond, []int{1, 16}, 21
	c.measure = byOperations
	return c
}

// TestObjectives: on a machine that takes as long for every operation; counts are recomputed from the orders.
func TestObjectives(t *testing.T) {
	c, dir := smallObjectives(), t.TempDir()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "objectives.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []*ObjectiveTask
	if err := json.Unmarshal(data, &all); err != nil || len(all) != 2 {
		t.Fatalf("%d tasks, %v", len(all), err)
	}
	for _, x := range all {
		s, err := Prepare(x.Task)
		if err != nil {
			t.Fatal(err)
		}
		merged, err := optimize.Merge(s.Program)
		if err != nil {
			t.Fatal(err)
		}
		mergedGraph, err := ad.Graph(merged)
		if err != nil {
			t.Fatal(err)
		}
		if len(x.Rows) != 10 || len(x.Timings) != 2 || len(x.Chosen) != 2 {
			t.Fatalf("%s: %d rows, %d timings", x.Task, len(x.Rows), len(x.Timings))
		}
		for _, r := range x.Rows {
			s := &Subject{Program: s.Program, Graph: s.Graph}
			if r.Objective == mergedOps || r.Objective == mergedTime {
				s.Program, s.Graph = merged, mergedGraph
			}
			muls, err := s.Graph.Muls(r.Order)
			if err != nil {
				t.Fatal(err)
			}
			ops, err := ad.CountOps(s.Program, r.Order)
			if err != nil {
				t.Fatal(err)
			}
			memory, err := ad.Memory(s.Program, r.Order)
			if err != nil || muls != r.Muls || ops != r.Ops || memory != r.Memory || len(r.Times) != 2 {
				t.Errorf("%s, %s: %d, %v, %d; recomputed %d, %v, %d, %v", x.Task, r.Method, r.Muls, r.Ops, r.Memory, muls, ops, memory, err)
			}
			if ops.Total() > x.row(optimize.Muls, 0).Ops.Total() && r.Objective == optimize.Ops {
				t.Errorf("%s: the order for ops emits %v, that for muls %v", x.Task, ops, x.row(optimize.Muls, 0).Ops)
			}
		}
	}
	// BlackScholes in forward order emits many more operations than others do, and on Simple nothing is to be won.
	if black := all[1].row("forward", 0).Times[0]; black.Ratio.Low < 1.2 {
		t.Errorf("forward order of BlackScholes at %v", black.Ratio)
	}
	for k := range c.Batches {
		if simple := all[0].chosen(k, c.Batches); simple.Ratio.Excludes(1) {
			t.Errorf("time of Simple at %v", simple.Ratio)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"on 2 of 2 tasks", "time_batch_16.svg", "16 samples a call", "| BlackScholes |"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestObjectivesRefusals(t *testing.T) {
	for want, change := range map[string]func(c *Objectives){
		"tasks: the list is empty":          func(c *Objectives) { c.Tasks = nil },
		"unknown task":                      func(c *Objectives) { c.Tasks = []string{"Simpel"} },
		"works on arrays":                   func(c *Objectives) { c.Tasks = []string{"Perceptron"} },
		"budget: 0s":                        func(c *Objectives) { c.Budget = 0 },
		"batches: the list is empty":        func(c *Objectives) { c.Batches = nil },
		"clock: 8 candidates, batches of 0": func(c *Objectives) { c.Batches = []int{0} },
		"3 repetitions":                     func(c *Objectives) { c.Clock.Repetitions = 3 },
	} {
		c := smallObjectives()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
