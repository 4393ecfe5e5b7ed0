package experiments

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// TestJacobiansSmall times small cases; the methods must agree.
func TestJacobiansSmall(t *testing.T) {
	c := DefaultJacobians()
	c.Repetitions, c.Search = 1, 20*time.Millisecond
	c.Cases = []Case{{Function: "Helmholtz", Sizes: []int{5}, Batches: []int{1}}, {Function: "Burgers", Sizes: []int{20}, Batches: []int{1, 2}}, {Function: "LIF_network", Batches: []int{3}}}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, k := range c.Cases[:2] {
		r, err := c.time(context.Background(), k, k.Sizes[0], 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range jacobianMethods {
			if r.Seconds[m] <= 0 {
				t.Errorf("%s: %s was not measured", k.Function, m)
			}
		}
		if r.Difference > 1e-12 {
			t.Errorf("%s: elimination and gradients differ by %g", k.Function, r.Difference)
		}
	}
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil || !strings.Contains(string(page), "time_Burgers.svg") {
		t.Errorf("%v\n%s", err, page)
	}
}

func TestJacobiansConfiguration(t *testing.T) {
	c := DefaultJacobians()
	if err := runs.Load("../../experiments/jacobians.yaml", c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Case{{Function: "Helmholz", Batches: []int{1}}, {Function: "g", Batches: []int{1}}, {Function: "Burgers", Sizes: []int{2}, Batches: []int{1}}, {Function: "Encoder"}} {
		c.Cases = []Case{bad}
		if err := c.Validate(); err == nil {
			t.Errorf("%+v is accepted", bad)
		} else {
			t.Log(err)
		}
	}
}
