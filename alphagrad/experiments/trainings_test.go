package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// TestTrainingsSmall trains every kind of variant for moments, recounts what is reported, and takes a finished run in.
func TestTrainingsSmall(t *testing.T) {
	c := DefaultTrainings()
	c.Tasks, c.Seeds, c.Parallel = []string{"KerrSenn_metric"}, []uint64{1, 2}, 2
	c.Set = []string{"budget=300ms", "workers=1", "search.simulations=4", "search.considered=4", "games=4"}
	c.Variants = []Variant{{Name: "self-play", Policy: "learned"}, {Name: "no network", Policy: "uniform"}, {Name: "annealed", Policy: "learned", Set: []string{"annealed=2"}}}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "trainings", "*.json"))
	if err != nil || len(files) != 6 {
		t.Fatalf("%d trainings, %v; want 6", len(files), err)
	}
	s, err := Prepare("KerrSenn_metric")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var l Trained
		if err := json.Unmarshal(data, &l); err != nil {
			t.Fatal(err)
		}
		muls, err := s.Graph.Muls(l.Best.Order)
		if err != nil || muls != l.Best.Muls || muls < 40 || muls > s.Cost(Markowitz).Muls || len(l.Curve) == 0 || (l.Policy > 0) != (l.Variant != "no network") {
			t.Errorf("%s: order costs %d (%v), reported %d; %d points, policy %d", f, muls, err, l.Best.Muls, len(l.Curve), l.Policy)
		}
	}
	a, err := readAnnealed(filepath.Join(dir, "annealed", "KerrSenn_metric.json"))
	if err != nil || a == nil || a.Seconds < 0.1 || a.Evaluations == 0 {
		t.Fatalf("annealed: %+v, %v", a, err)
	}
	if muls, err := s.Graph.Muls(a.Order); err != nil || muls != a.Muls {
		t.Errorf("annealing's order costs %d (%v), reported %d", muls, err, a.Muls)
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil || !strings.Contains(string(page), "no network") || !strings.Contains(string(page), "variants.svg") {
		t.Errorf("%v\n%s", err, page)
	}
}

// TestTrainingsJoint trains one agent on two tasks, and reports its trainings once more without training.
func TestTrainingsJoint(t *testing.T) {
	c := DefaultTrainings()
	c.Tasks, c.Joint = []string{"KerrSenn_metric", "Helmholtz"}, true
	c.Set = []string{"iterations=2", "budget=0", "workers=1", "search.simulations=4", "search.considered=4", "games=6", "steps=2", "batch=8"}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	first, second := t.TempDir(), t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: first}); err != nil {
		t.Fatal(err)
	}
	c.From = first
	if err := c.Run(context.Background(), Env{Dir: second}); err != nil {
		t.Fatal(err)
	}
	for _, task := range c.Tasks {
		name := (&Trained{Variant: "self-play", Task: task, Seed: 1}).file()
		var a, b Trained
		if err := errors.Join(a.load(filepath.Join(first, "trainings", name)), b.load(filepath.Join(second, "trainings", name))); err != nil {
			t.Fatal(err)
		}
		s, err := Prepare(task)
		if err != nil {
			t.Fatal(err)
		}
		if muls, err := s.Graph.Muls(a.Best.Order); err != nil || muls != a.Best.Muls || muls > s.Cost(Markowitz).Muls || a.Policy == 0 || !reflect.DeepEqual(a, b) {
			t.Errorf("%s: order costs %d (%v): %+v, later %+v", task, muls, err, a, b)
		}
	}
}

// TestAnnealingKept: annealing gets the trainings' median time, a joint agent's divided by its tasks; what was kept for
// the same time is taken and recounted, what was kept for another is not.
func TestAnnealingKept(t *testing.T) {
	c := DefaultTrainings()
	c.Tasks = []string{"Lighthouse", "Helmholtz"}
	var done []*Trained
	for _, seconds := range []float64{3, 700.4, 900} {
		done = append(done, &Trained{Task: "Lighthouse", Spent: seconds})
	}
	if got := c.equalTime("Lighthouse", done); got != 700*time.Second {
		t.Errorf("beside trainings of 3, 700.4 and 900 s: %v", got)
	}
	c.Joint = true
	if got := c.equalTime("Lighthouse", done); got != 350*time.Second {
		t.Errorf("beside a joint training on two tasks: %v", got)
	}
	dir := t.TempDir()
	first := &Annealed{Task: "Lighthouse", Seed: 1, Seconds: 0.1}
	if err := first.run(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	wrong := *first
	wrong.Muls, wrong.Evaluations = 1, 12345
	data, err := json.Marshal(wrong)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "annealed", "Lighthouse.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	again := &Annealed{Task: "Lighthouse", Seed: 1, Seconds: 0.1}
	if err := again.run(context.Background(), dir); err != nil || again.Evaluations != 12345 || again.Muls != first.Muls {
		t.Errorf("taken: %+v, %v; want the kept evaluations and the recounted %d", again, err, first.Muls)
	}
	other := &Annealed{Task: "Lighthouse", Seed: 1, Seconds: 0.2}
	if err := other.run(context.Background(), dir); err != nil || other.Evaluations == 12345 {
		t.Errorf("for another time: %+v, %v", other, err)
	}
}

func TestTrainingsConfigurations(t *testing.T) {
	for _, name := range []string{"alphazero_15min", "alphazero_ablations", "alphazero_joint", "alphazero_reductions"} {
		c := DefaultTrainings()
		if err := runs.Load("../../experiments/"+name+".yaml", c); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []struct {
		change func(c *Trainings)
		says   string
	}{
		{func(c *Trainings) { c.Tasks = nil }, "empty"},
		{func(c *Trainings) { c.Variants[0].Policy = "learnt" }, "expected learned"},
		{func(c *Trainings) { c.Variants[0].Set = []string{"search.simulation=3"} }, "did you mean"},
		{func(c *Trainings) { c.Variants = append(c.Variants, c.Variants[0]) }, "two named"},
		{func(c *Trainings) { c.Tasks = []string{"Perceptron"} }, "works on arrays"},
		{func(c *Trainings) { c.Joint, c.Variants[0].Policy = true, "uniform" }, "nothing to train jointly"},
	} {
		c := DefaultTrainings()
		bad.change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%v, want %q", err, bad.says)
		}
	}
}
