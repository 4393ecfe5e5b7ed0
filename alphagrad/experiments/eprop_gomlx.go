package experiments

import (
	"context"
	"fmt"
	"math"
	"time"

	mlx "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// A rivalry is one step of e-prop on a batch, ours beside GoMLX.
type rivalry struct {
	Batch          int     `json:"batch"`
	Ours           float64 `json:"ours"`       // seconds a step of the batch, all cores
	OneCore        float64 `json:"one_core"`   // seconds a step of the batch, on one core: sequence by sequence
	GoMLX          float64 `json:"gomlx"`      // seconds a step, float64
	GoMLX32        float64 `json:"gomlx_32"`   // the same in float32
	Ratio          float64 `json:"ratio"`      // GoMLX over ours on one core, median over the turns
	Ratio32        float64 `json:"ratio_32"`   // the same for float32
	GFLOPS         float64 `json:"gflops"`     // ours on one core: multiplications and additions counted in the program
	Difference     float64 `json:"difference"` // largest relative one of the gradients by float64
	Difference32   float64 `json:"difference_32"`
	ratio, ratio32 bench.Quartiles
}

// tensorsStep is a step of e-prop for adaptive neurons with random feedback and cross entropy as one writes it on dense tensors
// (Bellec et al. 2020, equations 6 to 8 and 22 to 28): state and gradients before it to those after it.
//
//	v, a, z [B,N]  barIn [B,I]  barRec [B,N]  eaIn, eIn, fIn [B,N,I]  eaRec, eRec, fRec [B,N,N]  s [B,N]  gIn gRec gOut
func tensorsStep(in []*mlx.Node) []*mlx.Node {
	v, z, a, s := in[0], in[1], in[2], in[3]
	barIn, barRec := in[4], in[5]
	eaIn, eIn, fIn, eaRec, eRec, fRec := in[6], in[7], in[8], in[9], in[10], in[11]
	gIn, gRec, gOut := in[12], in[13], in[14]
	wIn, wRec, wOut, feedback, x, target := in[15], in[16], in[17], in[18], in[19], in[20]
	const threshold, beta, gamma = 0.6, 0.0174, 0.3
	alpha, rho, kappa := math.Exp(-1.0/20), math.Exp(-1.0/2000), math.Exp(-1.0/20)

	barIn = mlx.Add(mlx.MulScalar(barIn, alpha), x)
	barRec = mlx.Add(mlx.MulScalar(barRec, alpha), z)
	v = mlx.Sub(mlx.Add(mlx.MulScalar(v, alpha), mlx.Add(mlx.Einsum("bi,ji->bj", x, wIn), mlx.Einsum("bi,ji->bj", z, wRec))), mlx.MulScalar(z, threshold))
	a = mlx.Add(mlx.MulScalar(a, rho), z)
	distance := mlx.Sub(mlx.AddScalar(v, -threshold), mlx.MulScalar(a, beta))
	z = mlx.ConvertDType(mlx.GreaterOrEqual(distance, mlx.ZerosLike(distance)), v.DType())
	psi := mlx.MulScalar(mlx.MaxScalar(mlx.OneMinus(mlx.Abs(mlx.DivScalar(distance, threshold))), 0), gamma/threshold)
	traces := func(ea, e, f, bar *mlx.Node) (*mlx.Node, *mlx.Node, *mlx.Node) {
		ea = mlx.Add(mlx.MulScalar(ea, rho), e)
		e = mlx.Mul(mlx.InsertAxes(psi, -1), mlx.Sub(mlx.InsertAxes(bar, 1), mlx.MulScalar(ea, beta)))
		f = mlx.Add(mlx.MulScalar(f, kappa), mlx.MulScalar(e, 1-kappa))
		return ea, e, f
	}
	eaIn, eIn, fIn = traces(eaIn, eIn, fIn, barIn)
	eaRec, eRec, fRec = traces(eaRec, eRec, fRec, barRec)
	s = mlx.Add(mlx.MulScalar(s, kappa), mlx.MulScalar(z, 1-kappa))
	err := mlx.Sub(mlx.Softmax(mlx.Einsum("bj,kj->bk", s, wOut)), target)
	signal := mlx.Einsum("bk,kj->bj", err, feedback)
	gIn = mlx.Add(gIn, mlx.ReduceSum(mlx.Mul(mlx.InsertAxes(signal, -1), fIn), 0))
	gRec = mlx.Add(gRec, mlx.ReduceSum(mlx.Mul(mlx.InsertAxes(signal, -1), fRec), 0))
	gOut = mlx.Add(gOut, mlx.Einsum("bk,bj->kj", err, s))
	return []*mlx.Node{v, z, a, s, barIn, barRec, eaIn, eIn, fIn, eaRec, eRec, fRec, gIn, gRec, gOut}
}

// besideGoMLX runs both on the same batch, in turns, and compares the gradients.
func (c *EpropScaling) besideGoMLX(ctx context.Context, inputs, neurons int) (*rivalry, error) {
	r, shared, err := c.adaptive(inputs, neurons)
	if err != nil {
		return nil, err
	}
	steps := max(5, min(50, c.Length))
	b := c.poisson(inputs, steps, c.Batch)
	g, err := snn.NewGradient(r, snn.Eprop(r, snn.Random, true))
	if err != nil {
		return nil, err
	}
	wide, err := newTensorsRun[float64](b, shared, inputs, neurons)
	if err != nil {
		return nil, err
	}
	narrow, err := newTensorsRun[float32](b, shared, inputs, neurons)
	if err != nil {
		return nil, err
	}
	v := &rivalry{Batch: c.Batch}
	var ours *snn.Result
	var one, all, theirs, theirs32 []float64
	single := sequences(b)
	for k := range c.Repeats + 1 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		start := time.Now()
		for _, s := range single { // one sequence at a time keeps to one core
			if _, err := g.Compute(shared, s); err != nil {
				return nil, err
			}
		}
		t1 := time.Since(start).Seconds() / float64(steps)
		start = time.Now()
		if ours, err = g.Compute(shared, b); err != nil {
			return nil, err
		}
		t2 := time.Since(start).Seconds() / float64(steps)
		t3, err := wide.run()
		if err != nil {
			return nil, err
		}
		t4, err := narrow.run()
		if err != nil {
			return nil, err
		}
		if k > 0 {
			one, all, theirs, theirs32 = append(one, t1), append(all, t2), append(theirs, t3), append(theirs32, t4)
		}
	}
	v.OneCore, v.Ours, v.GoMLX, v.GoMLX32 = bench.Summarize(one).Median, bench.Summarize(all).Median, bench.Summarize(theirs).Median, bench.Summarize(theirs32).Median
	v.ratio, v.ratio32 = bench.Ratio(theirs, one), bench.Ratio(theirs32, one)
	v.Ratio, v.Ratio32 = v.ratio.Median, v.ratio32.Median
	n, err := ir.Count(g.Carrier.Step)
	if err != nil {
		return nil, err
	}
	v.GFLOPS = float64(n.Mul+n.Add) * float64(c.Batch) / v.OneCore / 1e9
	if v.Difference, err = wide.difference(ours.Gradient); err != nil {
		return nil, err
	}
	v.Difference32, err = narrow.difference(ours.Gradient)
	return v, err
}

// sequences takes a batch apart.
func sequences(b *snn.Batch) (list []*snn.Batch) {
	part := func(x []float64, s int) (y []float64) {
		n := len(x) / (b.Steps * b.Size)
		for t := range b.Steps {
			y = append(y, x[(t*b.Size+s)*n:][:n]...)
		}
		return y
	}
	for s := range b.Size {
		list = append(list, &snn.Batch{Steps: b.Steps, Size: 1, Input: part(b.Input, s), Target: part(b.Target, s), Weight: part(b.Weight, s)})
	}
	return list
}

// A tensorsRun executes tensorsStep over a batch.
type tensorsRun[T float32 | float64] struct {
	exec    *mlx.Exec
	steps   int
	initial []any
	fixed   []any
	x, y    []any
	last    []*tensors.Tensor
}

func newTensorsRun[T float32 | float64](b *snn.Batch, shared snn.Values, inputs, neurons int) (*tensorsRun[T], error) {
	backend, err := gomlx.Backend()
	if err != nil {
		return nil, err
	}
	r := &tensorsRun[T]{steps: b.Steps}
	if r.exec, err = mlx.NewExec(backend, tensorsStep); err != nil {
		return nil, err
	}
	as := func(x []float64, dims ...int) any {
		y := make([]T, len(x))
		for i, v := range x {
			y[i] = T(v)
		}
		return tensors.FromFlatDataAndDimensions(y, dims...)
	}
	zeros := func(dims ...int) {
		n := 1
		for _, d := range dims {
			n *= d
		}
		r.initial = append(r.initial, as(make([]float64, n), dims...))
	}
	for range 4 {
		zeros(b.Size, neurons)
	}
	zeros(b.Size, inputs)
	zeros(b.Size, neurons)
	for _, from := range []int{inputs, neurons} {
		for range 3 {
			zeros(b.Size, neurons, from)
		}
	}
	zeros(neurons, inputs)
	zeros(neurons, neurons)
	zeros(2, neurons)
	r.fixed = []any{as(shared["rec.W_in"], neurons, inputs), as(shared["rec.W_rec"], neurons, neurons), as(shared[snn.ReadoutWeight], 2, neurons), as(shared[snn.FeedbackMatrix], 2, neurons)}
	for t := range b.Steps {
		r.x = append(r.x, as(b.Input[t*b.Size*inputs:(t+1)*b.Size*inputs], b.Size, inputs))
		r.y = append(r.y, as(b.Target[t*b.Size*2:(t+1)*b.Size*2], b.Size, 2))
	}
	return r, nil
}

// run goes through the batch and returns seconds a step.
func (r *tensorsRun[T]) run() (float64, error) {
	state := r.initial
	start := time.Now()
	for t := range r.steps {
		args := append(append(append([]any(nil), state...), r.fixed...), r.x[t], r.y[t])
		out, err := gomlx.Call(r.exec, args...)
		if err != nil {
			return 0, fmt.Errorf("e-prop in GoMLX: %w", err)
		}
		state = state[:0:0]
		for _, o := range out {
			state = append(state, o)
		}
		r.last = out
	}
	return time.Since(start).Seconds() / float64(r.steps), nil
}

// difference is the largest one between the gradients of GoMLX and others, relative to the largest element.
func (r *tensorsRun[T]) difference(g snn.Values) (worst float64, err error) {
	for k, name := range []string{"rec.W_in", "rec.W_rec", snn.ReadoutWeight} {
		theirs, err := tensors.CopyFlatData[T](r.last[12+k])
		if err != nil {
			return 0, err
		}
		diff, size := 0.0, 0.0
		for i, x := range g[name] {
			diff, size = max(diff, math.Abs(x-float64(theirs[i]))), max(size, math.Abs(x))
		}
		worst = max(worst, diff/size)
	}
	return worst, nil
}

func (v *rivalry) table(c *EpropScaling) report.Table {
	return report.Table{
		Title: "Beside the same algorithm in GoMLX",
		Caption: fmt.Sprintf("A step of e-prop (random feedback, gradients of all weights) of 100 inputs and 100 adaptive neurons, %d sequences. GoMLX: the equations on dense tensors, batched, traces kept as [batch, neurons, synapses], presynaptic ones as [batch, neurons], "+
			"one compiled graph a step on its Go backend. Ours: the program found by the algebra, sequence by sequence. Ratio: GoMLX over ours, median and quartiles of %d turns; above 1 means ours is faster. %.2f GFLOP/s (multiplications and additions counted in the program) on one core. "+
			"Largest relative difference of the gradients: %.1g in float64, %.1g in float32 (spikes at the threshold may differ).", v.Batch, c.Repeats, v.GFLOPS, v.Difference, v.Difference32),
		Columns: []report.Column{{Name: "implementation"}, {Name: "time a step of the batch", Unit: "ms", Format: "%.3f"}, {Name: "ratio", Format: "%.1f"}},
		Rows: [][]any{
			{"ours, one core, float64", 1e3 * v.OneCore, 1.0},
			{"ours, all cores, float64", 1e3 * v.Ours, nil},
			{"GoMLX, float64", 1e3 * v.GoMLX, interval(v.ratio)},
			{"GoMLX, float32", 1e3 * v.GoMLX32, interval(v.ratio32)},
		},
	}
}
