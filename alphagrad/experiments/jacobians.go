package experiments

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/sparse"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// Jacobians times whole Jacobians of functions of arrays: by elimination, row by row with GoMLX's gradient, and by finite
// differences, all on GoMLX's Go backend in one run.
type Jacobians struct {
	Kind        string        `yaml:"kind"`
	Seed        uint64        `yaml:"seed"`
	Repetitions int           `yaml:"repetitions"` // of every timing, interleaved
	Limit       time.Duration `yaml:"limit"`       // a method that takes longer is timed on some rows or columns and scaled
	Search      time.Duration `yaml:"search"`      // for an elimination order
	Cases       []Case        `yaml:"cases"`
}

// Case is a function with its sizes.
type Case struct {
	Function string `yaml:"function"` // a task on arrays, or Helmholtz or Burgers with Sizes
	Sizes    []int  `yaml:"sizes"`    // components or points; empty for a task
	Batches  []int  `yaml:"batches"`  // samples at a time
}

// DefaultJacobians is a small comparison.
func DefaultJacobians() *Jacobians {
	return &Jacobians{Kind: "jacobians", Seed: 1, Repetitions: 7, Limit: 2 * time.Second, Search: 2 * time.Second,
		Cases: []Case{{Function: "Helmholtz", Sizes: []int{10}, Batches: []int{1}}}}
}

// RootSeed is the seed of the points and the search.
func (c *Jacobians) RootSeed() uint64 { return c.Seed }

// Validate reports settings that cannot be run.
func (c *Jacobians) Validate() error {
	if c.Repetitions < 1 || c.Limit <= 0 || c.Search <= 0 || len(c.Cases) == 0 {
		return errors.New("repetitions, limit and search must be positive, and there must be cases")
	}
	for _, k := range c.Cases {
		if len(k.Batches) == 0 {
			return fmt.Errorf("cases: %s: batches: the list is empty", k.Function)
		}
		for _, n := range append([]int{0}, k.Sizes...) {
			if _, err := k.program(n); err != nil && (n > 0 || len(k.Sizes) == 0) {
				return fmt.Errorf("cases: %w", err)
			}
		}
	}
	return nil
}

// sized lists the functions that come in any size.
var sized = map[string]func(b *ir.Builder, n int){
	"Helmholtz": func(b *ir.Builder, n int) {
		x := b.Input("x", n)
		b.Output("y", ir.Mul(x, ir.Log(ir.Div(x, ir.OneMinus(ir.ReduceSum(x))))))
	},
	// One explicit step of the one-dimensional Burgers equation, end points fixed.
	"Burgers": func(b *ir.Builder, n int) {
		u := b.Input("u", n)
		left, mid, right := ir.Slice(u, []int{0}, []int{n - 2}), ir.Slice(u, []int{1}, []int{n - 1}), ir.Slice(u, []int{2}, []int{n})
		flow := ir.Mul(mid, ir.MulScalar(ir.Sub(right, left), -0.05))
		spread := ir.MulScalar(ir.Add(ir.Sub(left, ir.MulScalar(mid, 2)), right), 0.1)
		b.Output("v", ir.Pad(ir.Add(mid, ir.Add(flow, spread)), []int{1}, []int{1}))
	},
}

// program builds the function of a case.
func (k Case) program(n int) (*ir.Program, error) {
	build, ok := sized[k.Function]
	if !ok {
		t, err := tasks.Lookup(k.Function)
		if err == nil && !t.IsArray() {
			err = fmt.Errorf("task %s works on scalars; here are functions of arrays", k.Function)
		}
		if err != nil {
			return nil, err
		}
		return t.Program()
	}
	if n < 3 {
		return nil, fmt.Errorf("%s of size %d; at least 3", k.Function, n)
	}
	b := ir.NewBuilder(k.Function)
	build(b, n)
	return b.Build()
}

// A Timing is one row of the table: seconds for the Jacobians of a whole batch.
type Timing struct {
	Function    string `json:"function"`
	Size, Batch int
	Entries     int                `json:"entries"` // that may differ from zero, of one sample
	Dense       int                `json:"dense"`   // elements of one Jacobian
	Muls        int64              `json:"muls"`
	Seconds     map[string]float64 `json:"seconds"`    // median, by method; absent if left out
	Scaled      map[string]bool    `json:"scaled"`     // methods that were timed on some rows or columns only
	Difference  float64            `json:"difference"` // largest between methods, relative
}

// The methods, as columns of the table.
const (
	byStructure = "elimination, structured"
	byDense     = "elimination, dense"
	byColors    = "compressed by columns"
	byGradient  = "GoMLX gradients by row"
	byFD        = "gonum fd.Jacobian"
)

var jacobianMethods = []string{byStructure, byDense, byColors, byGradient, byFD}

// Run times every case and reports.
func (c *Jacobians) Run(ctx context.Context, env Env) error {
	var rows []*Timing
	total := 0
	for _, k := range c.Cases {
		total += max(1, len(k.Sizes)) * len(k.Batches)
	}
	for _, k := range c.Cases {
		sizes := k.Sizes
		if len(sizes) == 0 {
			sizes = []int{0}
		}
		for _, n := range sizes {
			for _, batch := range k.Batches {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				env.progress(fmt.Sprintf("%s %d, batch %d", k.Function, n, batch), len(rows), total)
				r, err := c.time(ctx, k, n, batch)
				if err != nil {
					return fmt.Errorf("%s %d, batch %d: %w", k.Function, n, batch, err)
				}
				rows = append(rows, r)
			}
		}
	}
	env.progress("done", total, total)
	return c.report(env.Dir, rows)
}

// A timed method computes the Jacobians of a batch, or a part of them; scale is how much the whole takes more.
type timed struct {
	run   func() error
	scale float64
}

// time measures one case. Every method gets the same inputs, of which each sample has its own.
func (c *Jacobians) time(ctx context.Context, k Case, n, batch int) (*Timing, error) {
	p, err := k.program(n)
	if err != nil {
		return nil, err
	}
	g, err := ad.Graph(p)
	if err != nil {
		return nil, err
	}
	found, err := search.Run(ctx, "portfolio", search.Problem{Graph: g}, search.Settings{Budget: c.Search, Seed: c.Seed})
	if err != nil {
		return nil, err
	}
	pattern, err := sparse.Detect(p)
	if err != nil {
		return nil, err
	}
	r := &Timing{Function: k.Function, Size: n, Batch: batch, Entries: pattern.Entries(), Dense: pattern.Rows * pattern.Columns, Muls: found.Cost, Seconds: map[string]float64{}, Scaled: map[string]bool{}}
	x, err := c.inputs(k, p, batch)
	if err != nil {
		return nil, err
	}
	methods := map[string]timed{}
	structured, err := ad.StructuredJacobian(p, found.Order)
	if err != nil {
		return nil, err
	}
	run, err := executor(structured.Program, x, batch)
	if err != nil {
		return nil, err
	}
	methods[byStructure] = timed{ignored(run), 1}

	var dense func() ([][]float64, error)
	if r.Dense*batch <= mostDense {
		d, err := ad.ValueAndJacobian(p, found.Order)
		if err != nil {
			return nil, err
		}
		if dense, err = executor(d, x, batch); err != nil {
			return nil, err
		}
		methods[byDense] = timed{ignored(dense), 1}
	}
	if batch == 1 {
		if methods[byColors], err = compressed(p, x); err != nil {
			return nil, err
		}
	}
	gradient, err := gradients(p, x, batch)
	if err != nil {
		return nil, err
	}
	if methods[byGradient], err = c.someRows(gradient, pattern.Rows); err != nil {
		return nil, err
	}
	switch {
	case dense != nil:
		r.Difference, err = differ(p, dense, gradient, pattern.Rows, batch)
	case batch == 1:
		r.Difference, err = differSparse(p, found.Order, x, gradient)
	}
	if err != nil {
		return nil, err
	}
	value, err := executor(p, x, batch)
	if err != nil {
		return nil, err
	}
	if methods[byFD], err = c.differences(p, x, value, pattern.Rows, pattern.Columns, batch); err != nil {
		return nil, err
	}
	return r, c.measure(r, methods)
}

// inputs draws the inputs of a batch: all samples of input 1, then of input 2, ….
func (c *Jacobians) inputs(k Case, p *ir.Program, batch int) ([][]float64, error) {
	rng := runs.Seed(c.Seed).Sub(k.Function).Rand()
	x := make([][]float64, len(p.Inputs))
	for range batch {
		at, err := c.point(k, p, rng)
		if err != nil {
			return nil, err
		}
		for j := range x {
			x[j] = append(x[j], at[j].Data...)
		}
	}
	return x, nil
}

func (c *Jacobians) point(k Case, p *ir.Program, rng *rand.Rand) ([]ir.Tensor, error) {
	if _, ok := sized[k.Function]; !ok {
		t, err := tasks.Lookup(k.Function)
		if err != nil {
			return nil, err
		}
		return t.Sample(rng)
	}
	shape := p.Nodes[p.Inputs[0]].Shape
	x := ir.Tensor{Shape: shape, Data: make([]float64, shape.Size())}
	for i := range x.Data {
		x.Data[i] = (0.1 + 0.8*rng.Float64()) / float64(len(x.Data))
	}
	return []ir.Tensor{x}, nil
}
