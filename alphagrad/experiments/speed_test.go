package experiments

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/peers"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// smallSpeed does without the Python peers, whether they are installed or not.
func smallSpeed(t *testing.T) *Speed {
	t.Helper()
	c := DefaultSpeed()
	c.Tasks, c.Search, c.Repetitions, c.Milliseconds, c.Install = []string{"Simple"}, 20*time.Millisecond, 3, 0.05, false
	c.Flags.C = []string{"-O1"}
	c.Series = []SpeedSeries{{Type: peers.Float64, Threads: 1, Batches: []int{8, 1}}}
	c.root = t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		link(t, name, c.root)
	}
	link(t, "experiments", c.root)
	return c
}

func link(t *testing.T, name, dir string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", name))
	if err == nil {
		err = os.Symlink(path, filepath.Join(dir, name))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestSpeedSmall runs what there is without Python, and says what is missing.
func TestSpeedSmall(t *testing.T) {
	c := smallSpeed(t)
	dir := t.TempDir()
	if err := c.Run(context.Background(), Env{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"no Python peers", "ratios_float64_1t.svg", "time_Simple.svg", "gonum fd", "batch 8"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	r, err := c.Measure(context.Background(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		if !(row.Time.Median > 0 && row.Time.Q1 <= row.Time.Median && row.Time.Median <= row.Time.Q3) || row.Turns < 3 {
			t.Errorf("%+v", row)
		}
		if row.Method == oursMethod && row.Ratio.Median != 1 {
			t.Errorf("ours takes %v times as long as ours", row.Ratio.Median)
		}
	}
	if f := r.fastest("Simple", place{peers.Float64, 1, 8}, []string{gomlxMethod}); f == nil {
		t.Errorf("GoMLX is missing: %v", r.Missing)
	}
}

// TestSpeedInterrupted: what was measured before an interruption is reported and said to be partial.
func TestSpeedInterrupted(t *testing.T) {
	c := smallSpeed(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	err := c.Run(ctx, Env{Dir: dir, Progress: func(_ string, done, total int) {
		if total != 2 {
			t.Errorf("%d places, want 2", total)
		}
		if done == 1 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"partial: interrupted after 1 of 2 places", "batch 8"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(string(page), "batch 1\n") {
		t.Error("the page has a table of what was not measured")
	}
}

// crooked is a worker whose results or turns are wrong in the way that a test asks for.
type crooked struct{ fault string }

func (w crooked) Methods(peers.At) ([]string, map[string]string, error) {
	if w.fault == "methods" {
		return nil, nil, peers.ErrEnded
	}
	return []string{"crooked"}, map[string]string{"other": "cannot"}, nil
}

func (w crooked) Results(_ string, at peers.At) ([][]float64, error) {
	rows := make([][]float64, len(peers.Shown(at.Batch)))
	for i := range rows {
		rows[i] = make([]float64, 6) // zeros, which the derivatives are not
	}
	return rows, nil
}

func (w crooked) Time(string, peers.At, int) (time.Duration, error) { return time.Millisecond, nil }

func (w crooked) Close() error { return nil }

// TestSpeedWrongResults: a peer with wrong results is not timed but named; one that is gone is not asked again; ours must
// be right.
func TestSpeedWrongResults(t *testing.T) {
	c := smallSpeed(t)
	r := &SpeedResult{Orders: map[string]OrderCost{}}
	problems, err := c.problems(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	turns := func(m *team) ([]*SpeedRow, error) {
		return c.turns(context.Background(), r, []*team{m}, problems[0], c.Series[0], 8)
	}
	wrong := &team{name: "wrong", worker: crooked{}}
	rows, err := turns(wrong)
	if err != nil || len(rows) != 0 || wrong.gone || !strings.Contains(strings.Join(r.Missing, "\n"), "crooked: the results in float64 differ") || !strings.Contains(strings.Join(r.Missing, "\n"), "other: cannot [Simple]") {
		t.Errorf("%v, %v, missing %q", rows, err, r.Missing)
	}
	gone := &team{name: "gone", worker: crooked{fault: "methods"}}
	if _, err := turns(gone); err != nil || !gone.gone {
		t.Errorf("%v, %+v", err, gone)
	}
	if _, err := turns(&team{name: oursMethod, worker: crooked{}, ours: true}); err == nil || !strings.Contains(err.Error(), "differ") {
		t.Errorf("ours may be wrong: %v", err)
	}
}

// TestSpeedGoals: the table of goals tells reached from missed.
func TestSpeedGoals(t *testing.T) {
	c := DefaultSpeed()
	c.Tasks = []string{"Simple", "RoeFlux_1d"}
	r := &SpeedResult{}
	row := func(task, method string, batch int, ratio float64) {
		n := &SpeedRow{Task: task, Method: method, Type: peers.Float64, Threads: 1, Batch: batch}
		n.Time.Median, n.Ratio.Median = ratio, ratio
		r.Rows = append(r.Rows, n)
	}
	row("Simple", "jax-forward", 1, 60)
	row("Simple", "jax-reverse", 1, 80)
	row("RoeFlux_1d", "jax-forward", 1, 40)
	row("Simple", "jax-forward", 4096, 2)
	row("RoeFlux_1d", "jax-reverse", 4096, 8)
	row("Simple", "c", 1, 0.5)
	row("RoeFlux_1d", "c", 1, 0.9)
	rows := c.goalsTable(r).Rows
	if len(rows) != 3 {
		t.Fatalf("%d goals, want 3: %v", len(rows), rows)
	}
	for i, want := range []struct {
		ratio   float64
		reached bool
	}{{40, false}, {4, true}, {0.9, true}} {
		if math.Abs(rows[i][2].(float64)-want.ratio) > 1e-12 || rows[i][4] != want.reached {
			t.Errorf("goal %d: %v, want %v", i, rows[i], want)
		}
	}
}

func TestSpeedConfiguration(t *testing.T) {
	c := DefaultSpeed()
	if err := runs.Load("../../experiments/speed.yaml", c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Speed){
		"unknown task":           func(c *Speed) { c.Tasks = []string{"Simpel"} },
		"works on arrays":        func(c *Speed) { c.Tasks = []string{"Perceptron"} },
		"list is empty":          func(c *Speed) { c.Series = nil },
		"at least 3":             func(c *Speed) { c.Repetitions = 2 },
		`type "int"`:             func(c *Speed) { c.Series = []SpeedSeries{{Type: "int", Threads: 1, Batches: []int{1}}} },
		"0 threads":              func(c *Speed) { c.Series = []SpeedSeries{{Type: peers.Float64, Batches: []int{1}}} },
		"a batch has from 1":     func(c *Speed) { c.Series = []SpeedSeries{{Type: peers.Float64, Threads: 1, Batches: []int{0}}} },
		"milliseconds: -1":       func(c *Speed) { c.Milliseconds = -1 },
		"must be positive":       func(c *Speed) { c.Limit = 0 },
		"search: 0s must be":     func(c *Speed) { c.Search = 0 },
		`unknown "numpy"; known`: func(c *Speed) { c.Peers = []string{"numpy"} },
		"tasks: the list is ":    func(c *Speed) { c.Tasks = nil },
	} {
		bad := DefaultSpeed()
		change(bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}
