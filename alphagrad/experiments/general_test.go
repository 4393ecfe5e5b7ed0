package experiments

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// TestGeneralSmall trains for a moment, checks what is reported by playing again, and takes the model from its file.
func TestGeneralSmall(t *testing.T) {
	c := DefaultGeneral()
	c.Unseen, c.Anneal = []string{"Lighthouse", "KerrSenn_metric"}, 50_000
	c.Training = "../../experiments/train_general.yaml"
	c.Set = []string{"iterations=1", "games=2", "replay=4", "steps=1", "batch=2", "evaluate=1", "contest=2", "search.simulations=1", "search.considered=1", "generated.high=20", "taught.share=1", "taught.evaluations=1000"}
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil || !strings.Contains(string(page), "Trained for 1 iterations of 2 games") {
		t.Errorf("%v\n%s", err, page)
	}
	for _, name := range []string{"best.model", "zero_shot.csv", "zero_shot.tex"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	network, err := net.Load(filepath.Join(dir, "best.model"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Prepare("KerrSenn_metric")
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := playOnce(network, s.Graph, 0, c.Seed)
	if err != nil {
		t.Fatal(err)
	}
	table := func(dir string) string {
		text, err := os.ReadFile(filepath.Join(dir, "zero_shot.csv"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	want := fmt.Sprintf("KerrSenn_metric,%d,%d,%d,", len(s.Graph.Eliminable()), min(s.Cost(Forward).Muls, s.Cost(Reverse).Muls, s.Cost(Markowitz).Muls), p.Played)
	if !strings.Contains(table(dir), want) {
		t.Errorf("zero_shot.csv has no line with %q:\n%s", want, table(dir))
	}
	c.Model = filepath.Join(dir, "best.model")
	again := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: again}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table(again), want) {
		t.Errorf("from the file: no line with %q:\n%s", want, table(again))
	}
}

func TestGeneralConfiguration(t *testing.T) {
	c := &General{}
	if err := runs.Load("../../experiments/alphazero.yaml", c); err != nil {
		t.Fatal(err)
	}
	got, err := runs.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	want, err := runs.Encode(DefaultGeneral())
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("experiments/alphazero.yaml is\n%s\nthe default is\n%s", got, want)
	}
	for want, change := range map[string]func(c *General){
		"unknown task":      func(c *General) { c.Unseen = []string{"x"} },
		"the list is empty": func(c *General) { c.Unseen = nil },
		"must be positive":  func(c *General) { c.Anneal = 0 },
		"one must be given": func(c *General) { c.Training = "" },
	} {
		c := DefaultGeneral()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
}
