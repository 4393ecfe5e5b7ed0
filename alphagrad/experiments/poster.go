package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// Poster compares elimination orders over the tasks: their counts, and the times of the programs they emit. It is the
// result of the AlphaGrad poster (Lohoff & Neftci, arXiv 2406.05027) redone with classical search.
type Poster struct {
	Kind   string         `yaml:"kind"`
	Tasks  []string       `yaml:"tasks"`
	Search SearchSettings `yaml:"search"`
	Bench  bench.Settings `yaml:"bench"`
	Points int            `yaml:"points"` // sample inputs of the timed programs
	Seed   uint64         `yaml:"seed"`   // of the sample inputs
}

// DefaultPoster covers all tasks.
func DefaultPoster() *Poster {
	return &Poster{
		Kind:   "poster",
		Tasks:  tasks.Names(),
		Search: SearchSettings{Method: "portfolio", Budget: 5 * time.Second, Seeds: []uint64{1, 2, 3, 4, 5}},
		Bench:  bench.Settings{Repetitions: 21, Milliseconds: 4, Batch: 512},
		Points: 64,
		Seed:   1,
	}
}

// RootSeed is the seed of the sample inputs; those of the searches are a list of their own.
func (c *Poster) RootSeed() uint64 { return c.Seed }

// Validate reports settings that cannot be run.
func (c *Poster) Validate() error {
	for _, name := range c.Tasks {
		if _, err := tasks.Lookup(name); err != nil {
			return fmt.Errorf("tasks: %w", err)
		}
	}
	var methods []string
	for _, m := range search.Methods() {
		methods = append(methods, m.Name)
	}
	switch {
	case !slices.Contains(methods, c.Search.Method):
		return fmt.Errorf("search.method: unknown search method %q; known: %s", c.Search.Method, strings.Join(methods, ", "))
	case len(c.Tasks) == 0:
		return errors.New("tasks: the list is empty")
	case len(c.Search.Seeds) == 0:
		return errors.New("search.seeds: the list is empty")
	case c.Search.Budget <= 0:
		return fmt.Errorf("search.budget: %v must be positive", c.Search.Budget)
	case c.Bench.Repetitions < 3:
		return fmt.Errorf("bench.repetitions: %d; a median with quartiles needs at least 3", c.Bench.Repetitions)
	case c.Bench.Batch < 1:
		return fmt.Errorf("bench.batch: %d must be at least 1", c.Bench.Batch)
	case c.Bench.Milliseconds <= 0:
		return fmt.Errorf("bench.milliseconds: %v must be positive", c.Bench.Milliseconds)
	case c.Points < 1:
		return fmt.Errorf("points: %d must be at least 1", c.Points)
	}
	return nil
}

// BestOrder is a result file: the cheapest order found for a task.
type BestOrder struct {
	Task        string           `json:"task"`
	Method      string           `json:"method"`
	Seed        uint64           `json:"seed"`
	Muls        int64            `json:"muls"`
	LowerBound  int64            `json:"lower_bound"`
	Optimal     bool             `json:"optimal"`
	Evaluations int64            `json:"evaluations"`
	Seconds     float64          `json:"seconds"`
	Ops         map[string]int64 `json:"ops"`
	Order       []int            `json:"order"`
}

// TaskResult is everything measured for one task.
type TaskResult struct {
	*Subject
	Searches []search.Result // one for each seed
	Best     int             // the search whose order is the cheapest
	Timings  []bench.Timing  // one for each distinct order, in the order of Orders
}

// Run searches, times and reports.
func (c *Poster) Run(ctx context.Context, env Env) error {
	results, err := c.Measure(ctx, env)
	if err != nil {
		return err
	}
	return c.write(env.Dir, results)
}

// Measure searches for orders with all seeds and times the programs of all orders, task by task.
func (c *Poster) Measure(ctx context.Context, env Env) ([]*TaskResult, error) {
	var list []*tasks.Task
	for _, name := range c.Tasks {
		t, err := tasks.Lookup(name)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return c.MeasureTasks(ctx, env, list)
}

// MeasureTasks is [Poster.Measure] for given tasks.
func (c *Poster) MeasureTasks(ctx context.Context, env Env, list []*tasks.Task) ([]*TaskResult, error) {
	searches := len(list) * len(c.Search.Seeds)
	total := searches + len(list)*timingWeight
	done := 0
	results := make([]*TaskResult, len(list))
	subjects := make([]*Subject, len(list))
	for i, t := range list {
		s, err := prepare(t)
		if err != nil {
			return nil, err
		}
		subjects[i], results[i] = s, &TaskResult{Subject: s}
	}
	found, err := searchAll(ctx, subjects, c.Search, runtime.NumCPU(), func(j searchJob) {
		done++
		env.progress("searching "+subjects[j.subject].Task.Name, done, total)
	})
	if err != nil {
		return nil, err
	}
	for i, r := range results {
		r.Searches = found[i]
		for k, s := range found[i] {
			if s.Cost < found[i][r.Best].Cost {
				r.Best = k
			}
		}
		if err := r.Add(Ours, found[i][r.Best].Order); err != nil {
			return nil, err
		}
	}
	for _, r := range results {
		env.progress("timing "+r.Task.Name, done, total)
		if r.Timings, err = c.time(ctx, r.Subject); err != nil {
			return nil, err
		}
		done += timingWeight
	}
	env.progress("done", total, total)
	return results, nil
}

// timingWeight is how many searches timing one task is worth on the progress bar.
const timingWeight = 2

// time measures the programs of all orders of a task in one process.
func (c *Poster) time(ctx context.Context, s *Subject) ([]bench.Timing, error) {
	cs := bench.Case{Name: s.Task.Name, Values: len(s.Program.Outputs)}
	var err error
	if cs.Points, err = s.Task.Points(rand.New(rand.NewPCG(c.Seed, 0)), c.Points); err != nil {
		return nil, err
	}
	for _, o := range s.Orders {
		d, err := ad.ValueAndJacobian(s.Program, o.Order)
		if err != nil {
			return nil, err
		}
		cs.Candidates = append(cs.Candidates, bench.Candidate{Name: o.Method, Program: d})
	}
	return bench.Run(ctx, cs, c.Bench)
}

// bestOrder is the result file of a task.
func (r *TaskResult) bestOrder() BestOrder {
	s, ours := r.Searches[r.Best], r.Cost(Ours)
	return BestOrder{
		Task: r.Task.Name, Method: s.Method, Muls: ours.Muls, LowerBound: s.LowerBound, Optimal: s.Optimal,
		Evaluations: s.Evaluations, Seconds: s.Seconds, Order: ours.Order,
		Ops: map[string]int64{"mul": ours.Ops.Mul, "add": ours.Ops.Add},
	}
}

// write leaves tables, figures and orders in dir.
func (c *Poster) write(dir string, results []*TaskResult) error {
	orders := filepath.Join(dir, "orders")
	if err := os.MkdirAll(orders, 0o755); err != nil {
		return err
	}
	for _, r := range results {
		b := r.bestOrder()
		b.Seed = c.Search.Seeds[r.Best]
		data, err := json.Marshal(b)
		if err != nil {
			return err
		}
		if err := runs.WriteFile(filepath.Join(orders, r.Task.Name+".json"), append(data, '\n')); err != nil {
			return err
		}
	}
	return c.report(dir, results)
}
