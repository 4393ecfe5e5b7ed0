package experiments

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/sparse"
)

const (
	mostDense = 1 << 23 // elements of dense Jacobians that are written out
	sample    = 64      // rows or columns that stand for all where all take too long
)

// executor compiles a program for GoMLX.
func executor(p *ir.Program, x [][]float64, batch int) (func() ([][]float64, error), error) {
	e, err := gomlx.Compile[float64](p, gomlx.Options{Batch: batch})
	var out [][]float64
	return func() ([][]float64, error) {
		out, err = e.Call(x, out)
		return out, err
	}, err
}

func ignored(run func() ([][]float64, error)) func() error {
	return func() error { _, err := run(); return err }
}

// part says on how many of n equal steps a method is timed: all, or a sample if one step suggests that all take longer
// than the limit.
func (c *Jacobians) part(n int, step func() error) (int, error) {
	if err := step(); err != nil { // compiles
		return 0, err
	}
	start := time.Now()
	if err := step(); err != nil {
		return 0, err
	}
	if n > sample && time.Since(start)*time.Duration(n) > c.Limit {
		return sample, nil
	}
	return n, nil
}

// compressed is the sparse plan that groups columns.
func compressed(p *ir.Program, x [][]float64) (timed, error) {
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
		return timed{}, err
	}
	at := tensorsOf(p, x)
	var m *sparse.Matrix
	return timed{func() (err error) {
		_, m, err = plan.Jacobian(at, m)
		return err
	}, 1}, nil
}

func tensorsOf(p *ir.Program, x [][]float64) (at []ir.Tensor) {
	for k, id := range p.Inputs {
		at = append(at, ir.Tensor{Shape: p.Nodes[id].Shape, Data: x[k]})
	}
	return at
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

// someRows computes gradients of all rows, or of a sample of them.
func (c *Jacobians) someRows(gradient func(row int) ([]*tensors.Tensor, error), rows int) (timed, error) {
	n, err := c.part(rows, func() error { _, err := gradient(0); return err })
	return timed{func() error {
		for i := range n {
			if _, err := gradient(i * rows / n); err != nil {
				return err
			}
		}
		return nil
	}, float64(rows) / float64(n)}, err
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

// differSparse is differ where the Jacobian is too large to be dense: structured elimination, scattered into rows.
func differSparse(p *ir.Program, order []int, x [][]float64, gradient func(row int) ([]*tensors.Tensor, error)) (float64, error) {
	plan, err := sparse.NewPlan(p, sparse.Options{Strategy: sparse.Eliminate, Order: order})
	if err != nil {
		return 0, err
	}
	_, m, err := plan.Jacobian(tensorsOf(p, x), nil)
	if err != nil {
		return 0, err
	}
	worst := 0.0
	rows, _ := m.Dims()
	for i := 0; i < rows; i += max(1, rows/40) {
		want, err := gradient(i)
		if err != nil {
			return 0, err
		}
		column := 0
		for _, g := range want {
			if err := tensors.ConstFlatData(g, func(w []float64) {
				for _, v := range w {
					worst = math.Max(worst, math.Abs(m.At(i, column)-v)/(1+math.Abs(v)))
					column++
				}
			}); err != nil {
				return 0, err
			}
		}
	}
	return worst, nil
}

// differences is gonum's forward differences over all inputs, or over a sample of them: an input is moved in all samples of
// the batch at once, as no sample depends on another.
func (c *Jacobians) differences(p *ir.Program, x [][]float64, value func() ([][]float64, error), rows, columns, batch int) (timed, error) {
	n, err := c.part(columns, func() error { _, err := value(); return err })
	if err != nil {
		return timed{}, err
	}
	n = min(n, max(1, mostDense/(rows*batch)))
	var places [][]*float64 // of the inputs that are moved, by column and sample
	for k, id := range p.Inputs {
		size := p.Nodes[id].Shape.Size()
		for i := range size {
			var place []*float64
			for s := range batch {
				place = append(place, &x[k][s*size+i])
			}
			places = append(places, place)
		}
	}
	var base [][]float64
	for i := range n {
		places[i] = places[i*columns/n]
		var at []float64
		for _, place := range places[i] {
			at = append(at, *place)
		}
		base = append(base, at)
	}
	move := func(by []float64) {
		for i, d := range by {
			for s, place := range places[i] {
				*place = base[i][s] + d
			}
		}
	}
	dst := mat.NewDense(rows*batch, n, nil)
	still := make([]float64, n)
	return timed{func() error {
		var failed error
		fd.Jacobian(dst, func(y, by []float64) {
			move(by)
			out, err := value()
			failed = errors.Join(failed, err)
			for _, v := range out {
				y = y[copy(y, v):]
			}
		}, still, &fd.JacobianSettings{Formula: fd.Forward})
		move(still)
		return failed
	}, float64(columns) / float64(n)}, nil
}

// measure interleaves the methods.
func (c *Jacobians) measure(r *Timing, methods map[string]timed) error {
	samples := map[string][]float64{}
	calls := map[string]int{}
	run := func(name string, times int) (float64, error) {
		start := time.Now()
		for range times {
			if err := methods[name].run(); err != nil {
				return 0, fmt.Errorf("%s: %w", name, err)
			}
		}
		return time.Since(start).Seconds() / float64(times) * methods[name].scale, nil
	}
	for _, name := range jacobianMethods {
		m, ok := methods[name]
		if !ok {
			continue
		}
		if _, err := run(name, 1); err != nil { // compiles
			return err
		}
		took, err := run(name, 1)
		if err != nil {
			return err
		}
		calls[name] = max(1, int(0.002/max(took/m.scale, 1e-6)))
		r.Scaled[name] = m.scale > 1
	}
	for range c.Repetitions {
		for _, name := range jacobianMethods {
			if calls[name] == 0 {
				continue
			}
			s, err := run(name, calls[name])
			if err != nil {
				return err
			}
			samples[name] = append(samples[name], s)
		}
	}
	for name, s := range samples {
		r.Seconds[name] = bench.Summarize(s).Median
	}
	return nil
}
