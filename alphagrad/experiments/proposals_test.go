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
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// TestProposalsSmall runs every method for moments; the cheapest order known must not be dearer than a plain search's.
func TestProposalsSmall(t *testing.T) {
	c := DefaultProposals()
	c.Model = "../../results/alphazero/best.model"
	c.Tasks, c.Large, c.Seeds, c.Budget = []string{"KerrSenn_metric", "Simple"}, Large{Count: 1, Low: 30, High: 40}, []uint64{1, 2}, 30*time.Millisecond
	c.Smallest = 10
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "searches.json"))
	if err != nil {
		t.Fatal(err)
	}
	var contests []*Contest
	if err := json.Unmarshal(data, &contests); err != nil {
		t.Fatal(err)
	}
	if len(contests) != 2 || contests[0].Graph != "KerrSenn_metric" || !contests[1].Large {
		t.Fatalf("%d contests", len(contests))
	}
	s, err := Prepare("KerrSenn_metric")
	if err != nil {
		t.Fatal(err)
	}
	r, err := search.Run(context.Background(), "exact", search.Problem{Graph: s.Graph}, search.Settings{Evaluations: 1_000_000})
	if err != nil || !r.Optimal || contests[0].Known != r.Cost {
		t.Errorf("known %d, optimum %d (%v)", contests[0].Known, r.Cost, err)
	}
	for _, x := range contests {
		for _, m := range searchers {
			if len(x.Traces[m.name]) != 2 || len(x.Traces[m.name][0]) == 0 {
				t.Errorf("%s, %s: traces %v", x.Graph, m.name, x.Traces[m.name])
			}
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil || !strings.Contains(string(page), "near_tasks.svg") || !strings.Contains(string(page), "near_large.svg") || !strings.Contains(string(page), "In the geometric mean") {
		t.Errorf("%v\n%s", err, page)
	}
}

func TestProposalsConfiguration(t *testing.T) {
	c := DefaultProposals()
	if err := runs.Load("../../experiments/alphazero_portfolio.yaml", c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for _, bad := range []struct {
		change func(c *Proposals)
		says   string
	}{
		{func(c *Proposals) { c.Tasks = []string{"Perceptron"} }, "works on arrays"},
		{func(c *Proposals) { c.Tasks = []string{"SABRr"} }, "did you mean"},
		{func(c *Proposals) { c.Tasks, c.Large.Count = nil, 0 }, "nothing to search"},
		{func(c *Proposals) { c.Large.High = 10 }, "sizes go from"},
		{func(c *Proposals) { c.Seeds = nil }, "seeds"},
		{func(c *Proposals) { c.Budget = 0 }, "positive"},
	} {
		c := DefaultProposals()
		bad.change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%v, want %q", err, bad.says)
		}
	}
}
