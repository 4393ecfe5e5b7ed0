package experiments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
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
	Limit       time.Duration `yaml:"limit"`       // a method that would take longer for one Jacobian is left out
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
	return &Jacobians{Kind: "jacobians", Seed: 1, Repetitions: 7, Limit: 20 * time.Second, Search: 2 * time.Second,
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
	r := &Timing{Function: k.Function, Size: n, Batch: batch, Muls: found.Cost, Seconds: map[string]float64{}}
	x, err := c.inputs(k, p, batch)
	if err != nil {
		return nil, err
	}
	rows, columns := 0, 0
	for _, o := range p.Outputs {
		rows += p.Nodes[o.Node].Shape.Size()
	}
	for _, id := range p.Inputs {
		columns += p.Nodes[id].Shape.Size()
	}
	r.Dense = rows * columns

	structured, err := ad.StructuredJacobian(p, found.Order)
	if err != nil {
		return nil, err
	}
	for i := range p.Outputs {
		for j := range p.Inputs {
			for _, part := range structured.Parts[i][j] {
				part.Term.Each(func(_, _, _ int) { r.Entries++ })
			}
		}
	}
	methods := map[string]func() error{}
	executor := func(d *ir.Program) (func() ([][]float64, error), error) {
		e, err := gomlx.Compile[float64](d, gomlx.Options{Batch: batch})
		var out [][]float64
		return func() ([][]float64, error) {
			out, err = e.Call(x, out)
			return out, err
		}, err
	}
	run, err := executor(structured.Program)
	if err != nil {
		return nil, err
	}
	methods[byStructure] = func() error { _, err := run(); return err }

	var dense func() ([][]float64, error)
	if r.Dense*batch <= 1<<23 {
		d, err := ad.ValueAndJacobian(p, found.Order)
		if err != nil {
			return nil, err
		}
		if dense, err = executor(d); err != nil {
			return nil, err
		}
		methods[byDense] = func() error { _, err := dense(); return err }
	}
	if batch == 1 {
		if err := c.compressed(p, x, methods); err != nil {
			return nil, err
		}
	}
	gradient, err := gradients(p, x, batch)
	if err != nil {
		return nil, err
	}
	one := time.Now()
	first, err := gradient(0)
	if err != nil {
		return nil, err
	}
	if first, err = gradient(0); err != nil { // compiled by now
		return nil, err
	}
	if time.Since(one) < time.Duration(float64(c.Limit)/float64(rows)*4) {
		methods[byGradient] = func() error {
			for i := range rows {
				if _, err := gradient(i); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if dense != nil {
		if r.Difference, err = differ(p, dense, gradient, rows, batch); err != nil {
			return nil, err
		}
		_ = first
	}
	if batch == 1 && r.Dense <= 1<<22 {
		value, err := executor(p)
		if err != nil {
			return nil, err
		}
		methods[byFD] = differences(p, x, value, rows, columns)
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

// compressed adds the sparse plan that groups columns.
func (c *Jacobians) compressed(p *ir.Program, x [][]float64, methods map[string]func() error) error {
	plan, err := sparse.NewPlan(p, sparse.Options{Strategy: sparse.Columns, Compile: func(d *ir.Program) (sparse.Run, error) {
		e, err := gomlx.Compile[float64](d, gomlx.Options{})
		var out [][]float64
		tensors := make([]ir.Tensor, len(d.Outputs))
		return func(in []ir.Tensor) ([]ir.Tensor, error) {
			flat := make([][]float64, len(in))
			for k := range in {
				flat[k] = in[k].Data
			}
			if out, err = e.Call(flat, out); err != nil {
				return nil, err
			}
			for k, o := range d.Outputs {
				tensors[k] = ir.Tensor{Shape: d.Nodes[o.Node].Shape, Data: out[k]}
			}
			return tensors, nil
		}, err
	}})
	if err != nil {
		return err
	}
	at := make([]ir.Tensor, len(x))
	for k, id := range p.Inputs {
		at[k] = ir.Tensor{Shape: p.Nodes[id].Shape, Data: x[k]}
	}
	var m *sparse.Matrix
	methods[byColors] = func() error {
		var err error
		_, m, err = plan.Jacobian(at, m)
		return err
	}
	return nil
}

// gradients computes one row of the Jacobians of all samples at a call: GoMLX's gradient of one output element, chosen by
// a weight, summed over the batch.
func gradients(p *ir.Program, x [][]float64, batch int) (func(row int) ([]*tensors.Tensor, error), error) {
	backend, err := gomlx.Backend()
	if err != nil {
		return nil, err
	}
	q, err := ir.Batch(p, batch)
	if err != nil {
		return nil, err
	}
	rows := 0
	for _, o := range p.Outputs {
		rows += p.Nodes[o.Node].Shape.Size()
	}
	exec, err := graph.NewExec(backend, func(in []*graph.Node) []*graph.Node {
		inputs, weight := in[:len(in)-1], in[len(in)-1]
		var flat []*graph.Node
		for _, y := range gomlx.Build(q, inputs) {
			flat = append(flat, graph.Reshape(y, batch, -1))
		}
		all := flat[0]
		if len(flat) > 1 {
			all = graph.Concatenate(flat, 1)
		}
		return graph.Gradient(graph.ReduceAllSum(graph.Mul(all, graph.BroadcastToDims(graph.Reshape(weight, 1, rows), batch, rows))), inputs...)
	})
	if err != nil {
		return nil, err
	}
	var args []any
	for k, id := range q.Inputs {
		args = append(args, tensors.FromFlatDataAndDimensions(x[k], q.Nodes[id].Shape...))
	}
	weight := tensors.FromShape(shapes.Make(dtypes.Float64, rows))
	args = append(args, weight)
	return func(row int) ([]*tensors.Tensor, error) {
		if err := tensors.MutableFlatData(weight, func(w []float64) { clear(w); w[row] = 1 }); err != nil {
			return nil, err
		}
		return gomlx.Call(exec, args...)
	}, nil
}

// differ is the largest difference between some rows of the dense Jacobian and GoMLX's gradients, relative to 1 + |entry|.
func differ(p *ir.Program, dense func() ([][]float64, error), gradient func(row int) ([]*tensors.Tensor, error), rows, batch int) (float64, error) {
	out, err := dense()
	if err != nil {
		return 0, err
	}
	worst := 0.0
	row := 0
	for i, o := range p.Outputs {
		size := p.Nodes[o.Node].Shape.Size()
		for r := range size {
			if rows > 40 && (row+r)%(rows/40) != 0 {
				continue
			}
			want, err := gradient(row + r)
			if err != nil {
				return 0, err
			}
			for j, id := range p.Inputs {
				columns := p.Nodes[id].Shape.Size()
				block := out[len(p.Outputs)+i*len(p.Inputs)+j]
				if err := tensors.ConstFlatData(want[j], func(w []float64) {
					for s := range batch {
						for c := range columns {
							v := w[s*columns+c]
							worst = math.Max(worst, math.Abs(block[(s*size+r)*columns+c]-v)/(1+math.Abs(v)))
						}
					}
				}); err != nil {
					return 0, err
				}
			}
		}
		row += size
	}
	return worst, nil
}

// differences is gonum's forward differences over all inputs of one sample.
func differences(p *ir.Program, x [][]float64, value func() ([][]float64, error), rows, columns int) func() error {
	var at []float64
	for _, v := range x {
		at = append(at, v...)
	}
	dst := mat.NewDense(rows, columns, nil)
	return func() error {
		var failed error
		fd.Jacobian(dst, func(y, z []float64) {
			for k := range x {
				n := copy(x[k], z)
				z = z[n:]
			}
			out, err := value()
			failed = errors.Join(failed, err)
			for _, v := range out {
				y = y[copy(y, v):]
			}
		}, at, &fd.JacobianSettings{Formula: fd.Forward})
		rest := at
		for k := range x {
			rest = rest[copy(x[k], rest):]
		}
		return failed
	}
}

// measure interleaves the methods; methods that take too long are measured once.
func (c *Jacobians) measure(r *Timing, methods map[string]func() error) error {
	samples := map[string][]float64{}
	calls := map[string]int{}
	for _, name := range jacobianMethods {
		if methods[name] == nil {
			continue
		}
		start := time.Now()
		if err := methods[name](); err != nil { // compiles, and tells how long it takes
			return fmt.Errorf("%s: %w", name, err)
		}
		start2 := time.Now()
		if err := methods[name](); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		took := time.Since(start2)
		if start2.Sub(start) > c.Limit {
			delete(methods, name)
			continue
		}
		calls[name] = max(1, int(2*time.Millisecond/max(took, time.Microsecond)))
	}
	for range c.Repetitions {
		for _, name := range jacobianMethods {
			if methods[name] == nil {
				continue
			}
			start := time.Now()
			for range calls[name] {
				if err := methods[name](); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			samples[name] = append(samples[name], time.Since(start).Seconds()/float64(calls[name]))
		}
	}
	for name, s := range samples {
		r.Seconds[name] = bench.Summarize(s).Median
	}
	return nil
}

// report writes the table, a plot for each function and a page.
func (c *Jacobians) report(dir string, rows []*Timing) error {
	t := report.Table{
		Title: "Time of one Jacobian",
		Caption: fmt.Sprintf("Microseconds for value and Jacobian of a whole batch, float64, GoMLX's Go backend on one core; medians of %d interleaved repetitions. "+
			"Elimination follows the cheapest order of a %v search; structured leaves the values of the structures, dense writes every entry. Gradients by row: one compiled GoMLX gradient, called for every output element. "+
			"gonum: forward differences on the compiled function. Empty: not possible in the memory, above %v, or without a batch. Difference: the largest between elimination and GoMLX's gradients, relative to 1 + |entry|.", c.Repetitions, c.Search, c.Limit),
		Columns: []report.Column{{Name: "function"}, {Name: "size"}, {Name: "batch"}, {Name: "entries"}, {Name: "elements"}, {Name: "muls"}},
	}
	for _, m := range jacobianMethods {
		t.Columns = append(t.Columns, report.Column{Name: m, Unit: "µs", Format: "%.4g"})
	}
	t.Columns = append(t.Columns, report.Column{Name: "gradients / best of ours", Format: "%.1f"}, report.Column{Name: "difference", Format: "%.1g"})
	t.Best = []report.Best{{Columns: jacobianMethods}}
	var figures strings.Builder
	byFunction := map[string]*report.LinePlot{}
	var functions []string
	for _, r := range rows {
		row := []any{r.Function, nil, r.Batch, r.Entries, r.Dense, r.Muls}
		if r.Size > 0 {
			row[1] = r.Size
		}
		best := math.Inf(1)
		for _, m := range jacobianMethods {
			s, measured := r.Seconds[m]
			if !measured {
				row = append(row, nil)
				continue
			}
			row = append(row, s*1e6)
			if m != byGradient && m != byFD {
				best = min(best, s)
			}
		}
		var ratio any
		if s, measured := r.Seconds[byGradient]; measured {
			ratio = s / best
		}
		t.Rows = append(t.Rows, append(row, ratio, r.Difference))
		f := byFunction[r.Function]
		if f == nil {
			functions = append(functions, r.Function)
			label := "batch"
			if r.Size > 0 {
				label = "size"
			}
			f = &report.LinePlot{Title: r.Function + ": time of the Jacobian", X: report.Axis{Label: label, Log: true}, Y: report.Axis{Label: "time", Unit: "µs", Log: true}}
			for _, m := range jacobianMethods {
				f.Series = append(f.Series, report.Series{Name: m})
			}
			byFunction[r.Function] = f
		}
		for k, m := range jacobianMethods {
			if s, measured := r.Seconds[m]; measured {
				x := float64(r.Batch)
				if r.Size > 0 {
					x = float64(r.Size)
				}
				f.Series[k].X, f.Series[k].Y = append(f.Series[k].X, x), append(f.Series[k].Y, s*1e6)
			}
		}
	}
	for _, name := range functions {
		f := byFunction[name]
		var drawn []report.Series
		for _, s := range f.Series {
			if len(s.X) > 0 {
				drawn = append(drawn, s)
			}
		}
		f.Series = drawn
		if err := report.SaveFigure(dir, "time_"+name, *f); err != nil {
			return err
		}
		fmt.Fprintf(&figures, "\n![%s](time_%s.svg)\n", name, name)
	}
	if err := report.SaveTable(dir, "jacobians", t); err != nil {
		return err
	}
	text, err := t.Markdown()
	if err != nil {
		return err
	}
	return runs.WriteFile(filepath.Join(dir, "README.md"), []byte("# Jacobians of functions of arrays\n\nWritten by `alphagrad run experiments/jacobians.yaml`; [manifest.json](manifest.json) names the program, the machine and the settings.\n\n"+
		strings.TrimPrefix(text, "**"+t.Title+"**\n\n")+figures.String()))
}
