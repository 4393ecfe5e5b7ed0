package experiments

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

func TestValidate(t *testing.T) {
	if err := DefaultPoster().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(c *Poster){
		"tasks: the list is empty": func(c *Poster) { c.Tasks = nil },
		`unknown task "Roe"`:       func(c *Poster) { c.Tasks = []string{"Roe"} },
		"search.seeds":             func(c *Poster) { c.Search.Seeds = nil },
		"search.budget":            func(c *Poster) { c.Search.Budget = 0 },
		"at least 3":               func(c *Poster) { c.Bench.Repetitions = 2 },
		"bench.batch":              func(c *Poster) { c.Bench.Batch = 0 },
		"bench.milliseconds":       func(c *Poster) { c.Bench.Milliseconds = 0 },
		"points":                   func(c *Poster) { c.Points = 0 },
		`unknown search method`:    func(c *Poster) { c.Search.Method = "luck" },
	} {
		c := DefaultPoster()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
}

// TestCommittedConfiguration: the experiment's file is legal and is the default, so that both say the same.
func TestCommittedConfiguration(t *testing.T) {
	c := DefaultPoster()
	c.Tasks, c.Bench, c.Search = nil, bench.Settings{}, SearchSettings{}
	if err := runs.Load("../../experiments/poster.yaml", c); err != nil {
		t.Fatal(err)
	}
	got, err := runs.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	want, err := runs.Encode(DefaultPoster())
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("experiments/poster.yaml is\n%s\nthe default is\n%s", got, want)
	}
}

// TestPosterSmall runs everything on one task and recounts what it reports.
func TestPosterSmall(t *testing.T) {
	c := DefaultPoster()
	c.Tasks = []string{"Lighthouse"}
	c.Search.Seeds, c.Search.Budget = []uint64{1, 2}, 100*time.Millisecond
	c.Bench, c.Points = bench.Settings{Repetitions: 3, Milliseconds: 0.1, Batch: 8}, 4
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "orders", "Lighthouse.json"))
	if err != nil {
		t.Fatal(err)
	}
	order, err := elim.ParseOrder(string(data))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Prepare("Lighthouse")
	if err != nil {
		t.Fatal(err)
	}
	if muls, err := s.Graph.Muls(order); err != nil || muls != 18 {
		t.Errorf("the stored order costs %d (%v), want the optimum 18", muls, err)
	}
	for _, name := range []string{"counts", "ops", "speedup"} {
		text, err := os.ReadFile(filepath.Join(dir, name+".md"))
		if err != nil || !strings.Contains(string(text), "Lighthouse") {
			t.Errorf("%s.md: %v", name, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := DefaultPoster()
	c.Tasks = []string{"g"}
	if _, err := c.Measure(ctx, Env{}); err == nil {
		t.Error("a cancelled experiment has no results")
	}
}

func TestVerdict(t *testing.T) {
	for want, q := range map[string]bench.Quartiles{
		"25 % faster":   {Q1: 1.2, Median: 1.25, Q3: 1.3},
		"100 % slower":  {Q1: 0.4, Median: 0.5, Q3: 0.6},
		"no difference": {Q1: 0.9, Median: 1.1, Q3: 1.3},
	} {
		if got := verdict(q); got != want {
			t.Errorf("verdict(%v) = %q, want %q", q, got, want)
		}
	}
	if got := verdict(bench.Quartiles{Q1: 1.01, Median: 1.02, Q3: 1.03}); got != "no difference" {
		t.Errorf("2 %% is called %q", got)
	}
}

// TestSpeedups uses times made up so that the ratios are known.
func TestSpeedups(t *testing.T) {
	s, err := Prepare("Lighthouse")
	if err != nil {
		t.Fatal(err)
	}
	r := &TaskResult{Subject: s, Timings: []bench.Timing{
		{Candidate: Forward, Single: []float64{10, 20, 30}, Batch: []float64{9, 9, 9}},
		{Candidate: Reverse, Single: []float64{8, 16, 24}, Batch: []float64{10, 10, 10}},
		{Candidate: Markowitz, Single: []float64{4, 8, 12}, Batch: []float64{18, 18, 18}},
	}}
	rows := r.Speedups()
	if got := rows[2].FasterSingle.Median; got != 2 {
		t.Errorf("against reverse, the better in single calls: %v, want 2", got)
	}
	if got := rows[2].FasterBatch.Median; got != 0.5 {
		t.Errorf("against forward, the better in batches: %v, want 0.5", got)
	}
}
