package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/optimize"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// Objectives searches every task's order for each objective and compares them by all of them. Times are measured once more
// when all orders are known, so that no order is shown with a time by which it was chosen.
type Objectives struct {
	Kind    string         `yaml:"kind"`
	Seed    uint64         `yaml:"seed"`
	Tasks   []string       `yaml:"tasks"`
	Budget  time.Duration  `yaml:"budget"`  // of a search, measuring aside
	Batches []int          `yaml:"batches"` // samples a call; 1 for the single-sample form
	Clock   ObjectiveClock `yaml:"clock"`
	Note    string         `yaml:"note"` // on the circumstances, for the page; may be empty

	measure func(context.Context, bench.Case, bench.Settings) ([]bench.Timing, error) // tests make times up
}

// ObjectiveClock is [optimize.Clock] as a setting.
type ObjectiveClock struct {
	Candidates   int     `yaml:"candidates"`
	Repetitions  int     `yaml:"repetitions"`
	Milliseconds float64 `yaml:"milliseconds"`
	Copies       int     `yaml:"copies"`
	Confidence   float64 `yaml:"confidence"`
}

// DefaultObjectives takes some ten minutes.
func DefaultObjectives() *Objectives {
	k := optimize.DefaultClock()
	return &Objectives{Kind: "objectives", Seed: 1, Tasks: tasks.Names(), Budget: 2 * time.Second, Batches: []int{1},
		Clock: ObjectiveClock{k.Candidates, k.Repetitions, k.Milliseconds, k.Copies, k.Confidence}}
}

// RootSeed is the seed of the searches.
func (c *Objectives) RootSeed() uint64 { return c.Seed }

func (c *Objectives) clock(batch int) optimize.Clock {
	return optimize.Clock{Candidates: c.Clock.Candidates, Batch: batch, Repetitions: c.Clock.Repetitions, Milliseconds: c.Clock.Milliseconds,
		Copies: c.Clock.Copies, Confidence: c.Clock.Confidence, Measure: c.measure}
}

// Validate reports settings that cannot be run.
func (c *Objectives) Validate() error {
	switch {
	case len(c.Tasks) == 0:
		return errors.New("tasks: the list is empty")
	case c.Budget <= 0:
		return fmt.Errorf("budget: %v must be positive", c.Budget)
	case len(c.Batches) == 0:
		return errors.New("batches: the list is empty")
	}
	for _, name := range c.Tasks {
		t, err := tasks.Lookup(name)
		if err == nil && t.IsArray() {
			err = fmt.Errorf("%s works on arrays; only programs of scalars are compiled", name)
		}
		if err != nil {
			return fmt.Errorf("tasks: %w", err)
		}
	}
	for _, b := range c.Batches {
		if err := c.clock(b).Check(); err != nil {
			return fmt.Errorf("clock: %w", err)
		}
	}
	return nil
}

// ObjectiveRow is what an order costs.
type ObjectiveRow struct {
	Task      string `json:"task"`
	Objective string `json:"objective"` // that it was searched for, or its name
	OrderCost
	Memory int64 `json:"memory"`
	// Times has the measurements by batch, in the order of the settings; those of an order searched for at one batch have
	// only that.
	Times []optimize.Measured `json:"times"`
	Batch int                 `json:"batch"` // for which time was the objective, 0 for other objectives
}

// ObjectiveTask is the comparison on one task.
type ObjectiveTask struct {
	Task    string             `json:"task"`
	Rows    []*ObjectiveRow    `json:"rows"`
	Chosen  []*optimize.Timing `json:"chosen"`  // by batch: what the search for time measured
	Timings []*optimize.Timing `json:"timings"` // by batch: all orders, measured once more
}

// row finds an order by the objective and, for time, the batch.
func (t *ObjectiveTask) row(objective string, batch int) *ObjectiveRow {
	for _, r := range t.Rows {
		if r.Objective == objective && (r.Batch == 0 || r.Batch == batch) {
			return r
		}
	}
	return nil
}

// Run searches, measures and reports.
func (c *Objectives) Run(ctx context.Context, env Env) error {
	all, err := c.Measure(ctx, env)
	if err != nil {
		return err
	}
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := runs.WriteFile(filepath.Join(env.Dir, "objectives.json"), append(data, '\n')); err != nil {
		return err
	}
	return c.report(env.Dir, all)
}

// Measure compares the orders on every task.
func (c *Objectives) Measure(ctx context.Context, env Env) ([]*ObjectiveTask, error) {
	var all []*ObjectiveTask
	for i, name := range c.Tasks {
		t, err := c.compare(ctx, name, func(what string) { env.progress(name+": "+what, i, len(c.Tasks)) })
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, t)
	}
	env.progress("done", len(c.Tasks), len(c.Tasks))
	return all, nil
}

// compare searches one task's orders and measures them.
func (c *Objectives) compare(ctx context.Context, name string, progress func(what string)) (*ObjectiveTask, error) {
	s, err := Prepare(name)
	if err != nil {
		return nil, err
	}
	p := optimize.Problem{Program: s.Program, Graph: s.Graph}
	if p.Points, err = s.Task.Points(rand.New(rand.NewPCG(c.Seed, 0)), 16); err != nil {
		return nil, err
	}
	t := &ObjectiveTask{Task: name}
	var candidates []optimize.Candidate
	add := func(objective string, k optimize.Candidate, batch int) error {
		k.Name = objective
		if batch > 1 {
			k.Name = fmt.Sprintf("%s, batches of %d", objective, batch)
		}
		if err := k.Price(p); err != nil { // whatever the search says
			return err
		}
		candidates = append(candidates, k)
		t.Rows = append(t.Rows, &ObjectiveRow{Task: name, Objective: objective, OrderCost: OrderCost{k.Name, k.Order, k.Muls, k.Ops}, Memory: k.Memory, Batch: batch})
		return nil
	}
	for _, k := range optimize.Named(s.Graph) {
		if err := add(k.Name, k, 0); err != nil {
			return nil, err
		}
	}
	var known [][]int // which no later search may fall behind
	find := func(objective string, batch int) (*optimize.Result, error) {
		p.Objective = objective
		progress("searching for " + objective)
		r, err := optimize.Run(ctx, p, optimize.Settings{Settings: search.Settings{Budget: c.Budget, Seed: c.Seed, Start: known}, Method: "portfolio", Clock: c.clock(batch)})
		if err != nil {
			return nil, err
		}
		known = append(known, r.Best.Order)
		if objective != optimize.Time {
			batch = 0
		}
		return r, add(objective, r.Best, batch)
	}
	for _, objective := range []string{optimize.Muls, optimize.Ops, optimize.Memory} {
		if _, err := find(objective, 1); err != nil {
			return nil, err
		}
	}
	for _, batch := range c.Batches {
		r, err := find(optimize.Time, batch)
		if err != nil {
			return nil, err
		}
		t.Chosen = append(t.Chosen, r.Timing)
	}
	merged, err := c.merged(ctx, t, s, p.Points, progress)
	if err != nil {
		return nil, err
	}
	candidates = append(candidates, merged...)
	for _, batch := range c.Batches {
		progress(fmt.Sprintf("measuring all orders, %d sample(s) a call", batch))
		timing, err := c.clock(batch).Compare(ctx, p, candidates)
		if err != nil {
			return nil, err
		}
		t.Timings = append(t.Timings, timing)
		for i, m := range timing.Round2 {
			t.Rows[i].Times = append(t.Rows[i].Times, m)
		}
	}
	return t, nil
}

// The orders of the program with equal subexpressions merged, for ops, and for time at the first batch.
const (
	mergedOps  = "ops, merged"
	mergedTime = "time, merged"
)

// merged adds them.
func (c *Objectives) merged(ctx context.Context, t *ObjectiveTask, s *Subject, points [][]float64, progress func(what string)) (candidates []optimize.Candidate, err error) {
	p := optimize.Problem{Points: points}
	if p.Program, err = optimize.Merge(s.Program); err != nil {
		return nil, err
	}
	if p.Graph, err = ad.Graph(p.Program); err != nil {
		return nil, err
	}
	known := [][]int{}
	for _, m := range []struct{ objective, name string }{{optimize.Ops, mergedOps}, {optimize.Time, mergedTime}} {
		progress("searching for " + m.name)
		p.Objective = m.objective
		r, err := optimize.Run(ctx, p, optimize.Settings{Settings: search.Settings{Budget: c.Budget, Seed: c.Seed, Start: known}, Method: "portfolio", Clock: c.clock(c.Batches[0])})
		if err != nil {
			return nil, err
		}
		known = append(known, r.Order)
		k := optimize.Candidate{Name: m.name, Order: r.Order}
		if err := k.Price(p); err != nil {
			return nil, err
		}
		candidates = append(candidates, k)
		t.Rows = append(t.Rows, &ObjectiveRow{Task: t.Task, Objective: m.name, OrderCost: OrderCost{k.Name, k.Order, k.Muls, k.Ops}, Memory: k.Memory})
	}
	return candidates, nil
}
