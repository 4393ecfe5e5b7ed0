package snn

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/flat"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A Method is a way to compute the gradient of a network through time: which derivative, and how time is carried.
type Method struct {
	Name    string
	Edits   []ad.Edit
	Forward bool // carry influences forward in time instead of adjoints backward
	// Window is the number of steps after which adjoints or influences of states are cut, 0 for never: truncated
	// backpropagation through time.
	Window int
}

// A Batch is sequences of one length. Element n of a step of a sequence is at [(step·Size + sequence)·N + n].
type Batch struct {
	Steps, Size int
	Input       []float64 // [Steps][Size][inputs]
	Target      []float64 // [Steps][Size][outputs]
	Weight      []float64 // [Steps][Size] weight of each step in the loss
}

// Values are parameters, gradients or matrices of edits by name, row-major.
type Values map[string][]float64

// A Result is what a batch gives: sums over its sequences.
type Result struct {
	Loss     float64 // of the steps, weighted
	EndLoss  float64 // of the end of the sequences: firing rates
	Gradient Values
}

// A Gradient computes gradients of a network by a method. It is not safe for concurrent use; it runs the sequences of a
// batch on all cores.
type Gradient struct {
	Recurrence *ad.Recurrence
	Method     Method
	Carrier    *ad.Carrier // forward methods only

	primal, step, end *flat.Program
	workers           []*worker
	params            []string // and matrices of edits: what all sequences share
}

// NewGradient compiles a network for a method.
func NewGradient(r *ad.Recurrence, m Method) (*Gradient, error) {
	g := &Gradient{Recurrence: r, Method: m}
	var step, end *ir.Program
	if m.Forward {
		c, err := r.Forward(nil, m.Edits...)
		if err != nil {
			return nil, err
		}
		g.Carrier, step, end = c, c.Step, c.End
	} else {
		var err error
		if step, err = r.Reverse(m.Edits...); err != nil {
			return nil, err
		}
		if end, err = r.ReverseEnd(m.Edits...); err != nil {
			return nil, err
		}
	}
	primal, err := r.Primal()
	if err != nil {
		return nil, err
	}
	if g.primal, err = flat.Compile(primal); err != nil {
		return nil, err
	}
	if g.step, err = flat.Compile(step); err != nil {
		return nil, err
	}
	if end != nil {
		if g.end, err = flat.Compile(end); err != nil {
			return nil, err
		}
	}
	g.params = slices.Clone(r.Params)
	for _, e := range m.Edits {
		if e.Matrix != "" && !slices.Contains(g.params, e.Matrix) {
			g.params = append(g.params, e.Matrix)
		}
	}
	for range runtime.GOMAXPROCS(0) {
		g.workers = append(g.workers, newWorker(g))
	}
	return g, nil
}

// Compute sums loss and gradient over the sequences of a batch.
func (g *Gradient) Compute(shared Values, b *Batch) (*Result, error) {
	for _, p := range g.params {
		want := 0
		for _, f := range []*flat.Program{g.primal, g.step, g.end} {
			if f != nil && f.Has(p) {
				want = f.Shape(p).Size()
			}
		}
		if len(shared[p]) != want {
			return nil, fmt.Errorf("%q has %d values, expected %d", p, len(shared[p]), want)
		}
	}
	if err := g.check(b); err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	for k, w := range g.workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w.reset(shared)
			// Every worker has the same sequences on every machine with as many cores: sums do not depend on luck.
			for s := k; s < b.Size && w.err == nil; s += len(g.workers) {
				w.sequence(b, s)
			}
		}()
	}
	wg.Wait()
	total := &Result{Gradient: Values{}}
	for _, p := range g.Recurrence.Params {
		total.Gradient[p] = make([]float64, len(shared[p]))
	}
	for _, w := range g.workers {
		if w.err != nil {
			return nil, w.err
		}
		total.Loss += w.loss
		total.EndLoss += w.endLoss
		for p, sum := range total.Gradient {
			for i, v := range w.gradient[p] {
				sum[i] += v
			}
		}
	}
	return total, nil
}

func (g *Gradient) check(b *Batch) error {
	n, outs := g.primal.Shape(InputName).Size(), g.primal.Shape(TargetName).Size()
	if b.Steps < 1 || b.Size < 1 || len(b.Input) != b.Steps*b.Size*n || len(b.Target) != b.Steps*b.Size*outs || len(b.Weight) != b.Steps*b.Size {
		return fmt.Errorf("a batch of %d sequences of %d steps for %d inputs and %d outputs has %d inputs, %d targets, %d weights; expected %d, %d, %d",
			b.Size, b.Steps, n, outs, len(b.Input), len(b.Target), len(b.Weight), b.Steps*b.Size*n, b.Steps*b.Size*outs, b.Steps*b.Size)
	}
	return nil
}

// A worker runs sequences one by one.
type worker struct {
	g                 *Gradient
	primal, step, end *flat.Machine
	gradient          Values
	history           [][]float64 // [state]: before every step
	loss, endLoss     float64
	err               error
}

func newWorker(g *Gradient) *worker {
	w := &worker{g: g, primal: g.primal.New(), step: g.step.New(), gradient: Values{}, history: make([][]float64, len(g.Recurrence.States))}
	if g.end != nil {
		w.end = g.end.New()
	}
	for _, p := range g.Recurrence.Params {
		for _, f := range []*flat.Program{g.step, g.end} {
			if f != nil && f.Has(ad.GradientName(p)) {
				w.gradient[p] = make([]float64, f.Shape(ad.GradientName(p)).Size())
			}
		}
	}
	bind(g.step, w.step, w.gradient, ad.GradientName)
	if w.end != nil {
		bind(g.end, w.end, w.gradient, ad.GradientName)
	}
	return w
}

// bind lets inputs of a machine be the given values.
func bind(p *flat.Program, m *flat.Machine, values Values, name func(string) string) {
	for v, data := range values {
		if slot := p.Slot(name(v)); slot >= 0 {
			m.BindAt(slot, data)
		}
	}
}

func (w *worker) reset(shared Values) {
	same := func(name string) string { return name }
	bind(w.g.primal, w.primal, shared, same)
	bind(w.g.step, w.step, shared, same)
	if w.end != nil {
		bind(w.g.end, w.end, shared, same)
	}
	for _, d := range w.gradient {
		clear(d)
	}
	w.loss, w.endLoss, w.err = 0, 0, nil
}

// data points the data inputs of a machine at step t of sequence s.
func (w *worker) data(p *flat.Program, m *flat.Machine, b *Batch, t, s int) {
	row := t*b.Size + s
	for _, d := range []struct {
		name string
		from []float64
	}{{InputName, b.Input}, {TargetName, b.Target}, {WeightName, b.Weight}} {
		if slot := p.Slot(d.name); slot >= 0 {
			n := p.Shape(d.name).Size()
			m.BindAt(slot, d.from[row*n:(row+1)*n])
		}
	}
}

func (w *worker) sequence(b *Batch, s int) {
	if w.g.Method.Forward {
		w.forward(b, s)
	} else {
		w.reverse(b, s)
	}
}

// forward carries influences along with the states.
func (w *worker) forward(b *Batch, s int) {
	g := w.g
	for _, state := range g.Recurrence.States {
		clear(w.step.Input(state))
	}
	clearInfluence := func() {
		for _, i := range g.Carrier.Carried {
			for k := range i.Terms {
				clear(w.step.Input(ad.InfluenceName(i.State, i.Param, k)))
			}
		}
	}
	loss := 0.0
	for t := range b.Steps {
		if t == 0 || g.Method.Window > 0 && t%g.Method.Window == 0 {
			clearInfluence()
		}
		w.data(g.step, w.step, b, t, s)
		w.step.Run()
		loss += w.step.Output(ad.LossName)[0]
	}
	if w.loss += loss; w.diverged(w.step, loss) {
		w.err = w.diagnose(b, s)
		return
	}
	if w.end == nil {
		return
	}
	for _, state := range g.Recurrence.States {
		if g.end.Has(state) {
			copy(w.end.Input(state), w.step.Output(state))
		}
	}
	for _, i := range g.Carrier.Carried {
		for k := range i.Terms {
			if name := ad.InfluenceName(i.State, i.Param, k); g.end.Has(name) {
				copy(w.end.Input(name), w.step.Output(name))
			}
		}
	}
	w.end.Run()
	w.endLoss += w.end.Output(ad.LossName)[0]
}

// reverse runs the sequence, then carries adjoints backward through it.
func (w *worker) reverse(b *Batch, s int) {
	g := w.g
	states := g.Recurrence.States
	for k, state := range states {
		x := w.primal.Input(state)
		clear(x)
		if need := b.Steps * len(x); len(w.history[k]) < need {
			w.history[k] = make([]float64, need)
		}
	}
	loss := 0.0
	for t := range b.Steps {
		for k, state := range states {
			x := w.primal.Input(state)
			copy(w.history[k][t*len(x):], x)
		}
		w.data(g.primal, w.primal, b, t, s)
		w.primal.Run()
		loss += w.primal.Output(ad.LossName)[0]
	}
	if w.loss += loss; w.diverged(w.primal, loss) {
		w.err = w.diagnose(b, s)
		return
	}
	for _, state := range states {
		clear(w.step.Input(ad.AdjointName(state)))
	}
	if w.end != nil {
		for _, state := range states {
			if g.end.Has(state) {
				copy(w.end.Input(state), w.primal.Input(state))
			}
		}
		w.end.Run()
		w.endLoss += w.end.Output(ad.LossName)[0]
		for _, state := range states {
			copy(w.step.Input(ad.AdjointName(state)), w.end.Output(ad.AdjointName(state)))
		}
	}
	for t := b.Steps - 1; t >= 0; t-- {
		if g.Method.Window > 0 && (t+1)%g.Method.Window == 0 && t+1 < b.Steps {
			for _, state := range states {
				clear(w.step.Input(ad.AdjointName(state)))
			}
		}
		for k, state := range states {
			n := len(w.step.Input(state))
			w.step.Bind(state, w.history[k][t*n:(t+1)*n])
		}
		w.data(g.step, w.step, b, t, s)
		w.step.Run()
	}
}

// A NonFiniteError says where a network left the numbers.
type NonFiniteError struct {
	Sequence, Step int    // of the batch, from 0
	Variable       string // a state or the loss
	Neuron         int    // from 0
	Value          float64
}

func (e *NonFiniteError) Error() string {
	if e.Variable == ad.LossName {
		return fmt.Sprintf("the loss is %v in step %d of sequence %d", e.Value, e.Step, e.Sequence)
	}
	return fmt.Sprintf("%s of neuron %d is %v in step %d of sequence %d", e.Variable, e.Neuron, e.Value, e.Step, e.Sequence)
}

func finite(x float64) bool { return x-x == 0 }

// diverged looks at the end of a sequence for what is no number any more: no state ever recovers from that.
func (w *worker) diverged(m *flat.Machine, loss float64) bool {
	for _, state := range w.g.Recurrence.States {
		for _, x := range m.Input(state) {
			if !finite(x) {
				return true
			}
		}
	}
	return !finite(loss)
}

// diagnose runs a sequence again to find the first value that is no number.
func (w *worker) diagnose(b *Batch, s int) error {
	states := w.g.Recurrence.States
	for _, state := range states {
		clear(w.primal.Input(state))
	}
	for t := range b.Steps {
		w.data(w.g.primal, w.primal, b, t, s)
		w.primal.Run()
		for _, state := range states {
			for j, x := range w.primal.Input(state) {
				if !finite(x) {
					return &NonFiniteError{Sequence: s, Step: t, Variable: state, Neuron: j, Value: x}
				}
			}
		}
		if x := w.primal.Output(ad.LossName)[0]; !finite(x) {
			return &NonFiniteError{Sequence: s, Step: t, Variable: ad.LossName, Value: x}
		}
	}
	return fmt.Errorf("sequence %d: the gradient is no number", s)
}
