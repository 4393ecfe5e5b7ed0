package experiments

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// TestSelfPlaySmall trains for moments and recounts what is reported.
func TestSelfPlaySmall(t *testing.T) {
	c := DefaultSelfPlay()
	c.Tasks, c.Unseen, c.Seeds = []string{"KerrSenn_metric"}, []string{"Lighthouse", "KerrSenn_metric"}, []uint64{1, 2}
	c.Budget, c.Anneal = 300*time.Millisecond, 50_000
	c.General = "../../experiments/train_general.yaml"
	c.Set = []string{"iterations=1", "games=2", "replay=4", "steps=1", "batch=2", "evaluate=1", "contest=2", "search.simulations=1", "search.considered=1", "generated.high=20", "taught.share=1", "taught.evaluations=1000"}
	c.Search.Simulations, c.Search.Considered = 4, 4
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "trainings.json"))
	if err != nil {
		t.Fatal(err)
	}
	var learned []Learned
	if err := json.Unmarshal(data, &learned); err != nil {
		t.Fatal(err)
	}
	s, err := Prepare("KerrSenn_metric")
	if err != nil {
		t.Fatal(err)
	}
	if len(learned) != 4 {
		t.Errorf("%d trainings, want 2 seeds with and without reductions", len(learned))
	}
	for _, l := range learned {
		muls, err := s.Graph.Muls(l.Best.Order)
		if err != nil || muls != l.Best.Muls || muls < 40 || muls > s.Cost(Markowitz).Muls || len(l.Curve) == 0 {
			t.Errorf("seed %d, reduced %v: order costs %d (%v), reported %d, %d points", l.Seed, l.Reduced, muls, err, l.Best.Muls, len(l.Curve))
		}
	}
	for _, name := range []string{"README.md", "best.model", "trainings.csv", "zero_shot.tex", "curve_KerrSenn_metric.svg"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestSelfPlayConfiguration(t *testing.T) {
	c := &SelfPlay{}
	if err := runs.Load("../../experiments/alphazero.yaml", c); err != nil {
		t.Fatal(err)
	}
	got, err := runs.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	want, err := runs.Encode(DefaultSelfPlay())
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("experiments/alphazero.yaml is\n%s\nthe default is\n%s", got, want)
	}
	for want, change := range map[string]func(c *SelfPlay){
		"unknown task":       func(c *SelfPlay) { c.Unseen = []string{"x"} },
		"a list is empty":    func(c *SelfPlay) { c.Tasks = nil },
		"seeds":              func(c *SelfPlay) { c.Seeds = nil },
		"must be positive":   func(c *SelfPlay) { c.Budget = 0 },
		"search.simulations": func(c *SelfPlay) { c.Search.Simulations = 0 },
	} {
		c := DefaultSelfPlay()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
}
