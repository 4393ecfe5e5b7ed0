package experiments

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// Method names of the orders that are compared.
const (
	Forward   = "forward"
	Reverse   = "reverse"
	Markowitz = "Markowitz"
	Published = "published"
	Ours      = "ours"
)

// OrderCost is an elimination order of a task with what it costs. All counts are recomputed: Muls by replaying the order
// from the root, Ops on the emitted value-and-Jacobian program.
type OrderCost struct {
	Method string
	Order  []int
	Muls   int64
	Ops    ir.OpCount
}

// Subject is a task prepared for comparison.
type Subject struct {
	Task      *tasks.Task
	Program   *ir.Program
	Graph     *elim.Graph
	Published *tasks.Published // nil where the published counts are of another graph
	Orders    []OrderCost
}

// Prepare traces a task and costs its fixed orders: forward, reverse, Markowitz and, where there is one, the published.
// Published results are attached only if the published forward and reverse counts are reproduced, that is if they are of
// the same graph.
func Prepare(name string) (*Subject, error) {
	task, err := tasks.Lookup(name)
	if err != nil {
		return nil, err
	}
	return prepare(task)
}

func prepare(task *tasks.Task) (*Subject, error) {
	var err error
	s := &Subject{Task: task}
	if s.Program, err = task.Program(); err != nil {
		return nil, err
	}
	if s.Graph, err = ad.Graph(s.Program); err != nil {
		return nil, err
	}
	for _, o := range []struct {
		method string
		order  []int
	}{{Forward, elim.Forward(s.Graph)}, {Reverse, elim.Reverse(s.Graph)}, {Markowitz, elim.Markowitz(s.Graph)}} {
		if err := s.Add(o.method, o.order); err != nil {
			return nil, err
		}
	}
	ref := tasks.Reference(task.Name)
	if ref != nil && ref.Forward == s.Cost(Forward).Muls && ref.Reverse == s.Cost(Reverse).Muls {
		s.Published = ref
		if err := s.Add(Published, ref.Order); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Add costs one more order.
func (s *Subject) Add(method string, order []int) error {
	muls, err := s.Graph.Muls(order)
	if err != nil {
		return fmt.Errorf("%s, %s order: %w", s.Task.Name, method, err)
	}
	ops, err := ad.CountOps(s.Program, order)
	if err != nil {
		return err
	}
	s.Orders = append(s.Orders, OrderCost{method, order, muls, ops})
	return nil
}

// Cost returns the named order, nil when the task has none.
func (s *Subject) Cost(method string) *OrderCost {
	for i := range s.Orders {
		if s.Orders[i].Method == method {
			return &s.Orders[i]
		}
	}
	return nil
}

// SearchSettings say how orders are searched for.
type SearchSettings struct {
	Method string        `yaml:"method"`
	Budget time.Duration `yaml:"budget"` // wall time for each task and seed
	Seeds  []uint64      `yaml:"seeds"`
}

// searchJob is one search of one task.
type searchJob struct{ subject, seed int }

// searchAll searches every subject with every seed, workers at a time, and returns results[subject][seed].
func searchAll(ctx context.Context, subjects []*Subject, s SearchSettings, workers int, done func(job searchJob)) ([][]search.Result, error) {
	results := make([][]search.Result, len(subjects))
	jobs := make(chan searchJob)
	errs := make(chan error, len(subjects)*len(s.Seeds))
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range workers {
		wg.Go(func() {
			for j := range jobs {
				r, err := search.Run(ctx, s.Method, search.Problem{Graph: subjects[j.subject].Graph, Objective: search.Muls}, search.Settings{Budget: s.Budget, Seed: s.Seeds[j.seed]})
				if err != nil {
					errs <- fmt.Errorf("%s, seed %d: %w", subjects[j.subject].Task.Name, s.Seeds[j.seed], err)
					continue
				}
				mu.Lock()
				results[j.subject][j.seed] = r
				done(j)
				mu.Unlock()
			}
		})
	}
	for i := range subjects {
		results[i] = make([]search.Result, len(s.Seeds))
		for k := range s.Seeds {
			jobs <- searchJob{i, k}
		}
	}
	close(jobs)
	wg.Wait()
	close(errs)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return results, <-errs
}
