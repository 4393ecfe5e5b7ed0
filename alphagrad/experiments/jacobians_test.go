package experiments

import (
	"context"
	"os"
	"path/filepath"
	"slices"
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
	if r, err := c.time(context.Background(), c.Cases[2], 0, 3); err != nil || r.Seconds[byFD] <= 0 || r.Seconds[byGradient] <= 0 {
		t.Errorf("a batch is not compared with all: %+v, %v", r, err)
	}
	c.Limit = time.Nanosecond // everything with more rows or columns than the sample is scaled
	r, err := c.time(context.Background(), Case{Function: "Burgers"}, sample+1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Scaled[byGradient] || !r.Scaled[byFD] || r.Scaled[byStructure] || r.Entries != 3*(sample-1) {
		t.Errorf("scaled: %v, %d entries", r.Scaled, r.Entries)
	}
	if text := verdictOf([]*Timing{r}); !strings.Contains(text, "in 1 of 1 cases") {
		t.Error(text)
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

// TestLargeJacobiansAgree: where the dense form is left out, rows of the sparse matrix equal GoMLX's gradients.
func TestLargeJacobiansAgree(t *testing.T) {
	c := DefaultJacobians()
	k := Case{Function: "Burgers"}
	p, err := k.program(500)
	if err != nil {
		t.Fatal(err)
	}
	x, err := c.inputs(k, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	gradient, err := gradients(p, x, 1)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := differSparse(p, nil, x, gradient); err != nil || d > 1e-14 {
		t.Errorf("difference %v, %v", d, err)
	}
	x = [][]float64{slices.Clone(x[0])}
	x[0][252] += 1 // the gradients still see the old point
	if d, err := differSparse(p, nil, x, gradient); err != nil || d < 1e-3 {
		t.Errorf("a moved point makes a difference of %v, %v", d, err)
	}
}

// TestDifferencesOfBatches: gonum moves every number of every sample, and the point is what it was afterwards.
func TestDifferencesOfBatches(t *testing.T) {
	c, k := DefaultJacobians(), Case{Function: "Helmholtz"}
	p, err := k.program(4)
	if err != nil {
		t.Fatal(err)
	}
	const batch = 3
	x, err := c.inputs(k, p, batch)
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(x[0])
	moved := map[float64]bool{}
	value := func() ([][]float64, error) {
		for i, v := range x[0] {
			if v != before[i] {
				moved[before[i]] = true
			}
		}
		return [][]float64{slices.Clone(x[0])}, nil
	}
	d, err := c.differences(p, x, value, 4, 4, batch)
	if err == nil {
		err = d.run()
	}
	if err != nil || d.scale != 1 || len(moved) != 4*batch || !slices.Equal(x[0], before) {
		t.Errorf("%v, scale %v, %d numbers were moved, the point is %v, was %v", err, d.scale, len(moved), x[0], before)
	}
}

func TestJacobiansVerdict(t *testing.T) {
	row := func(name string, ours, gradients float64) *Timing {
		return &Timing{Function: name, Batch: 1, Seconds: map[string]float64{byStructure: ours, byDense: 2 * ours, byGradient: gradients}}
	}
	text := verdictOf([]*Timing{row("fast", 1, 2), row("even", 1, 1.05), row("slow", 1, 0.5)})
	for _, want := range []string{"in 1 of 3", "level (within a tenth): even, batch 1", "behind: slow, batch 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
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
