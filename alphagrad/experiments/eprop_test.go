package experiments

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/learn"
)

// TestEpropScalingSmall measures small networks: what is counted is what the equations say, e-prop's memory does not depend
// on the length, that of backpropagation does, and GoMLX computes the same gradients.
func TestEpropScalingSmall(t *testing.T) {
	c := DefaultEpropScaling()
	c.Neurons, c.Steps, c.Sizes, c.Exact, c.Length, c.Repeats, c.Batch = 6, []int{20, 200}, []int{4, 8}, 4, 30, 1, 2
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	for _, steps := range c.Steps {
		list, err := c.measure(context.Background(), c.Neurons, steps)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			p, thin := int64(c.Neurons*2*c.Neurons), int64(2*c.Neurons)
			switch {
			case s.Method == "e-prop, forward" && s.Carried != 3*p+thin:
				t.Errorf("e-prop carries %d numbers, expected %d", s.Carried, 3*p+thin)
			case s.Method == "BPTT" && s.Carried != int64(4*c.Neurons*steps):
				t.Errorf("BPTT stores %d numbers, expected %d", s.Carried, 4*c.Neurons*steps)
			}
		}
		if long, err := c.measure(context.Background(), c.Neurons, 10*steps); err != nil || long[1].Bytes != list[1].Bytes || !(long[0].Bytes > list[0].Bytes) {
			t.Errorf("%v: bytes %d and %d of e-prop, %d and %d of BPTT", err, list[1].Bytes, long[1].Bytes, list[0].Bytes, long[0].Bytes)
		}
	}
	r, err := c.besideGoMLX(context.Background(), 7, 9)
	if err != nil {
		t.Fatal(err)
	}
	if !(r.Difference <= 1e-10) {
		t.Errorf("gradients of GoMLX differ by %g", r.Difference)
	}
	for _, name := range []string{"README.md", "scaling.json", "length.csv", "size.csv", "gomlx.csv", "time_by_size.svg"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// TestGrowth: time that grows as the count does, and three times as fast.
func TestGrowth(t *testing.T) {
	list := []*scaled{{Method: "m", Muls: 10, Seconds: 1}, {Method: "other"}, {Method: "m", Muls: 40, Seconds: 4}, {Method: "m", Muls: 80, Seconds: 24}}
	if got := growth(list, "m"); !strings.Contains(got, "1.00 to 3.00 times") || !strings.Contains(got, "1 of 2") {
		t.Error(got)
	}
	if got := growth(list, "none"); got != "" {
		t.Error(got)
	}
}

// TestEpropCurvesSmall compares rules on a task that takes a moment.
func TestEpropCurvesSmall(t *testing.T) {
	c := DefaultEpropCurves()
	c.Base.Parameters = learn.Parameters{EvidenceAccumulation: data.DefaultEvidenceAccumulation()}
	e := c.Base.Parameters.EvidenceAccumulation
	e.GroupSize, e.Cues, e.Cue, e.Interval, e.Delay, e.Recall, e.CueRate, e.RecallRate = 3, 3, 6, 8, 5, 8, 300, 300
	c.Base.Layers[0].Size, c.Base.Layers[0].Adaptive = 8, 4
	c.Base.Batch, c.Base.Iterations, c.Base.Evaluate, c.Base.Validation = 4, 4, 2, 8
	c.Tune.Iterations, c.Seeds, c.Goal = 2, []uint64{1, 2}, 0.9
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"e-prop, adaptive", "readout only", "iterations to below 90 %", "error.svg", "Rates were chosen"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	c.Budget = 1 // over at once: one seed remains
	dir = t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if page, err = os.ReadFile(filepath.Join(dir, "README.md")); err != nil || !strings.Contains(string(page), "Partial: with seeds [2] not every rule") {
		t.Errorf("%v: the page does not name the seeds that are missing:\n%s", err, page)
	}
	// What an earlier result holds is not trained again, and is enough when the time is over.
	text, err := runs.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	c.Budget = 0
	c.From = []string{dir}
	second := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: second}); err != nil {
		t.Fatal(err)
	}
	read := func(dir string) (curves []Curve) {
		data, err := os.ReadFile(filepath.Join(dir, "curves.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &curves); err != nil {
			t.Fatal(err)
		}
		return curves
	}
	one, both := read(dir), read(second)
	if len(one) != len(c.Rules) || len(both) != 2*len(c.Rules) || !reflect.DeepEqual(one, both[:len(one)]) || both[len(one)].Seed != 2 {
		t.Errorf("%d and %d trainings; want those of seed 1 as they were, then seed 2", len(one), len(both))
	}
	c.Base.Batch++
	if err := c.Run(context.Background(), Env{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "its base differs") {
		t.Errorf("trainings of another batch taken: %v", err)
	}
	c.Base.Batch, c.From = c.Base.Batch-1, nil
	c.Tune.Seeds = []uint64{2}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "seed 2 is one of the seeds that are reported") {
		t.Error(err)
	}
}
