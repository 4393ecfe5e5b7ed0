package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// Annealed is annealing of a task on one core, for as long as the trainings beside it took: the bar that learning must pass.
type Annealed struct {
	Task        string  `json:"task"`
	Seed        uint64  `json:"seed"`
	Seconds     float64 `json:"seconds"` // wall time given
	Muls        int64   `json:"muls"`
	Reached     float64 `json:"reached"` // seconds until the order was met
	Evaluations int64   `json:"evaluations"`
	LowerBound  int64   `json:"lower_bound"`
	Order       []int   `json:"order"`
}

// equalTime is the wall time that annealing gets beside the trainings on a task: their median, rounded to seconds, and a
// task's share of it where one agent learned them all. Trainings that end at once by a proof leave it a moment.
func (c *Trainings) equalTime(task string, done []*Trained) time.Duration {
	var spent []float64
	for _, t := range done {
		if t.Task == task {
			spent = append(spent, t.Spent)
		}
	}
	wall := time.Duration(bench.Summarize(spent).Median * float64(time.Second))
	if c.Joint {
		wall /= time.Duration(len(c.Tasks))
	}
	return max(wall.Round(time.Second), 100*time.Millisecond)
}

// anneal fills in what annealing finds on every task of the trainings, as many tasks at a time as there were trainings.
// What the directory, or the earlier result, holds for the same time is taken from there.
func (c *Trainings) anneal(ctx context.Context, env Env, done []*Trained) (map[string]*Annealed, error) {
	all := map[string]*Annealed{}
	var failed error
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, c.Parallel)
	for _, task := range c.Tasks {
		if !slices.ContainsFunc(done, func(t *Trained) bool { return t.Task == task }) {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			a := &Annealed{Task: task, Seed: c.Seeds[0], Seconds: c.equalTime(task, done).Seconds()}
			err := a.run(ctx, env.Dir, c.From)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("annealing %s: %w", task, err))
				return
			}
			all[task] = a
			env.progress(fmt.Sprintf("%s annealed for %g s: %d", task, a.Seconds, a.Muls), len(all), len(c.Tasks))
		})
	}
	wg.Wait()
	return all, failed
}

// run takes the annealing of the same time from one of the directories, or anneals and keeps it in the first. The order
// is recounted either way.
func (a *Annealed) run(ctx context.Context, dirs ...string) error {
	s, err := Prepare(a.Task)
	if err != nil {
		return err
	}
	name := filepath.Join("annealed", a.Task+".json")
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		kept, err := readAnnealed(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		if kept != nil && kept.Seconds == a.Seconds && kept.Seed == a.Seed {
			*a = *kept
			return a.keep(filepath.Join(dirs[0], name), s.Graph)
		}
	}
	r, err := search.Run(ctx, "anneal", search.Problem{Graph: s.Graph}, search.Settings{Budget: time.Duration(a.Seconds * float64(time.Second)), Seed: a.Seed})
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // not the whole time: nothing to keep
		return err
	}
	a.Evaluations, a.LowerBound, a.Order = r.Evaluations, r.LowerBound, r.Order
	if n := len(r.Trace); n > 0 {
		a.Reached = r.Trace[n-1].Seconds
	}
	return a.keep(filepath.Join(dirs[0], name), s.Graph)
}

// readAnnealed reads a kept annealing, nil where there is none.
func readAnnealed(path string) (*Annealed, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a := new(Annealed)
	if err := json.Unmarshal(data, a); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// keep recounts the order from the root and writes the annealing.
func (a *Annealed) keep(path string, g *elim.Graph) (err error) {
	if a.Muls, err = g.Muls(a.Order); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return runs.WriteFile(path, append(data, '\n'))
}
