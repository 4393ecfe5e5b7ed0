package snn

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/flat"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A Method is a way to compute the gradient of a network through time: which derivative, and how time is carried.
type Method struct {
	Name    string
	Edits   []ad.Edit
	Forward bool // carry influences forward in time instead of adjoints backward
	// Order picks the order of elimination in a step carried forward; nil: the cheapest that a short search finds.
	Order func(*elim.Graph) []int
	// Window is the number of steps after which adjoints or influences of states are cut, 0 for never: truncated
	// backpropagation through time.
	Window int
	// Windows are those of single states, where they differ from Window.
	Windows map[string]int
	// Masks are on influences; forward methods only.
	Masks []ad.InfluenceMask
	// Fresh names matrices of edits that are random signs, drawn anew from Seed for every step of every sequence.
	Fresh []string
	Seed  uint64
}

// cut reports whether time is cut between step t−1 and step t of a sequence for a state.
func (m *Method) cut(state string, t int) bool {
	w, own := m.Windows[state]
	if !own {
		w = m.Window
	}
	return w > 0 && t%w == 0
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
	Gradient Values  // nil from [Gradient.Evaluate]

	Outputs []float64 // [Size][outputs] of each sequence the sum over its steps of weight times output
	// Of the steps with a weight, how many there are, and in how many the largest output is that of the largest target.
	Steps, Right int
	Spikes       map[string]float64 // number of spikes of each layer of spiking neurons
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
	output            string   // what the network puts out
	spikes            []string // states that are spikes
}

// NewGradient compiles a network for a method.
func NewGradient(r *ad.Recurrence, m Method) (*Gradient, error) {
	g := &Gradient{Recurrence: r, Method: m}
	var step, end *ir.Program
	if m.Forward {
		c, err := r.ForwardOrdered(m.Order, m.Masks, m.Edits...)
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
		if e.Matrix != "" && !slices.Contains(g.params, e.Matrix) && !slices.Contains(m.Fresh, e.Matrix) {
			g.params = append(g.params, e.Matrix)
		}
	}
	for _, k := range m.Masks {
		if g.step.Has(k.Matrix) && !slices.Contains(g.params, k.Matrix) {
			g.params = append(g.params, k.Matrix)
		}
	}
	g.output = r.Show[0]
	for _, state := range r.States {
		if strings.HasSuffix(state, ".z") {
			g.spikes = append(g.spikes, state)
		}
	}
	for range runtime.GOMAXPROCS(0) {
		g.workers = append(g.workers, newWorker(g))
	}
	return g, nil
}

// Serial is the same gradient for one more goroutine: compiled programs are shared, and sequences run one after the other,
// so that sums are the same on any number of cores.
func (g *Gradient) Serial() *Gradient {
	c := *g
	c.workers = []*worker{newWorker(&c)}
	return &c
}

// Compute sums loss and gradient over the sequences of a batch.
func (g *Gradient) Compute(shared Values, b *Batch) (*Result, error) { return g.run(shared, b, true) }

// Evaluate sums the loss alone.
func (g *Gradient) Evaluate(shared Values, b *Batch) (*Result, error) { return g.run(shared, b, false) }

func (g *Gradient) run(shared Values, b *Batch, gradient bool) (*Result, error) {
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
	total := &Result{Outputs: make([]float64, b.Size*g.primal.Shape(g.output).Size()), Spikes: map[string]float64{}}
	var wg sync.WaitGroup
	for k, w := range g.workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			w.reset(shared)
			// Every worker has the same sequences on every machine with as many cores: sums do not depend on luck.
			for s := k; s < b.Size && w.err == nil; s += len(g.workers) {
				w.out = total.Outputs[s*len(total.Outputs)/b.Size : (s+1)*len(total.Outputs)/b.Size]
				switch {
				case !gradient:
					w.simulate(b, s, false)
				case g.Method.Forward:
					w.forward(b, s)
				default:
					w.reverse(b, s)
				}
			}
		}()
	}
	wg.Wait()
	if gradient {
		total.Gradient = Values{}
		for _, p := range g.Recurrence.Params {
			total.Gradient[p] = make([]float64, len(shared[p]))
		}
	}
	for _, w := range g.workers {
		if w.err != nil {
			return nil, w.err
		}
		total.Loss += w.loss
		total.EndLoss += w.endLoss
		total.Steps += w.steps
		total.Right += w.right
		for k, state := range g.spikes {
			total.Spikes[strings.TrimSuffix(state, ".z")] += w.spikes[k]
		}
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

// Bytes is the memory that one sequence takes at the moment: buffers of the programs and, of methods that go backward,
// what is stored of the longest sequence so far. Parameters and data are not counted.
func (g *Gradient) Bytes() int64 {
	var most int64
	for _, w := range g.workers {
		n := int64(0)
		for _, m := range []*machine{w.primal, w.step, w.end} {
			if m != nil {
				n += m.p.Bytes()
			}
		}
		for _, h := range w.history {
			n += 8 * int64(len(h))
		}
		most = max(most, n)
	}
	return most
}
