package snn

import (
	"fmt"
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/flat"
)

// A machine is a program at work with the places of what it reads and writes found beforehand; −1 where it has none.
type machine struct {
	*flat.Machine
	p                     *flat.Program
	states                []int // before and after a step
	adjoints              []int
	influences            []int
	carries               []string // the state of each influence
	fresh                 []int
	method                *Method
	input, target, weight int
	loss, output          int
}

func (g *Gradient) machine(p *flat.Program) *machine {
	if p == nil {
		return nil
	}
	m := &machine{Machine: p.New(), p: p, method: &g.Method, input: p.Slot(InputName), target: p.Slot(TargetName), weight: p.Slot(WeightName),
		loss: p.OutputSlot(ad.LossName), output: p.OutputSlot(g.output)}
	for _, s := range g.Recurrence.States {
		m.states, m.adjoints = append(m.states, p.Slot(s)), append(m.adjoints, p.Slot(ad.AdjointName(s)))
	}
	if g.Carrier != nil {
		for _, i := range g.Carrier.Carried {
			for k := range i.Terms {
				m.influences = append(m.influences, p.Slot(ad.InfluenceName(i.State, i.Param, k)))
				m.carries = append(m.carries, i.State)
			}
		}
	}
	for _, name := range g.Method.Fresh {
		m.fresh = append(m.fresh, p.Slot(name))
	}
	return m
}

// bind lets inputs be the given values.
func (m *machine) bind(values Values, name func(string) string) {
	if m == nil {
		return
	}
	for v, data := range values {
		if slot := m.p.Slot(name(v)); slot >= 0 {
			m.BindAt(slot, data)
		}
	}
}

// at points the data inputs at step t of sequence s.
func (m *machine) at(b *Batch, t, s int) {
	row := t*b.Size + s
	point := func(slot int, from []float64) {
		if slot >= 0 {
			n := len(from) / (b.Steps * b.Size)
			m.BindAt(slot, from[row*n:(row+1)*n])
		}
	}
	point(m.input, b.Input)
	point(m.target, b.Target)
	point(m.weight, b.Weight)
	for k, slot := range m.fresh {
		if slot >= 0 {
			signs(m.At(slot), m.method.Seed, uint64(row)<<16+uint64(k))
		}
	}
}

// signs fills v with random signs.
func signs(v []float64, seed, stream uint64) {
	rnd, bits := rand.NewPCG(seed, stream), uint64(0)
	for i := range v {
		if i%64 == 0 {
			bits = rnd.Uint64()
		}
		v[i] = 1 - 2*float64(bits>>(i%64)&1)
	}
}

// zero clears buffers.
func (m *machine) zero(slots []int) {
	for _, slot := range slots {
		if slot >= 0 {
			clear(m.At(slot))
		}
	}
}

// take copies what another machine holds in its slots.
func (m *machine) take(slots []int, from *machine, theirs []int) {
	for k, slot := range slots {
		if slot >= 0 && theirs[k] >= 0 {
			copy(m.At(slot), from.At(theirs[k]))
		}
	}
}

// A worker runs sequences one by one.
type worker struct {
	g                 *Gradient
	primal, step, end *machine
	gradient          Values
	history           [][]float64 // [state]: before every step
	out               []float64   // of the sequence, see [Result.Outputs]
	seen              func()      // called after every step if not nil

	loss, endLoss float64
	steps, right  int
	spikes        []float64
	spikeStates   []int // which states are spikes
	err           error
}

func newWorker(g *Gradient) *worker {
	w := &worker{g: g, primal: g.machine(g.primal), step: g.machine(g.step), end: g.machine(g.end), gradient: Values{},
		history: make([][]float64, len(g.Recurrence.States)), spikes: make([]float64, len(g.spikes))}
	for _, p := range g.Recurrence.Params {
		for _, f := range []*flat.Program{g.step, g.end} {
			if f != nil && f.Has(ad.GradientName(p)) {
				w.gradient[p] = make([]float64, f.Shape(ad.GradientName(p)).Size())
			}
		}
	}
	w.step.bind(w.gradient, ad.GradientName)
	w.end.bind(w.gradient, ad.GradientName)
	for _, z := range g.spikes {
		for k, s := range g.Recurrence.States {
			if s == z {
				w.spikeStates = append(w.spikeStates, k)
			}
		}
	}
	return w
}

func (w *worker) reset(shared Values) {
	for _, m := range []*machine{w.primal, w.step, w.end} {
		m.bind(shared, func(name string) string { return name })
	}
	for _, d := range w.gradient {
		clear(d)
	}
	w.loss, w.endLoss, w.steps, w.right, w.err = 0, 0, 0, 0, nil
	clear(w.spikes)
}

// count adds up what a step of a machine shows.
func (w *worker) count(m *machine, b *Batch, t, s int) {
	if w.seen != nil {
		w.seen()
	}
	for k, state := range w.spikeStates {
		for _, z := range m.At(m.states[state]) {
			if z != 0 {
				w.spikes[k]++
			}
		}
	}
	weight := b.Weight[t*b.Size+s]
	if weight == 0 {
		return
	}
	y, n := m.At(m.output), len(w.out)
	target := b.Target[(t*b.Size+s)*n:][:n]
	best, want := 0, 0
	for k, v := range y {
		w.out[k] += weight * v
		if v > y[best] {
			best = k
		}
		if target[k] > target[want] {
			want = k
		}
	}
	w.steps++
	if best == want {
		w.right++
	}
}

// forward carries influences along with the states.
func (w *worker) forward(b *Batch, s int) {
	m := w.step
	m.zero(m.states)
	loss := 0.0
	for t := range b.Steps {
		for k, slot := range m.influences {
			if slot >= 0 && (t == 0 || w.g.Method.cut(m.carries[k], t)) {
				clear(m.At(slot))
			}
		}
		m.at(b, t, s)
		m.Run()
		loss += m.At(m.loss)[0]
		w.count(m, b, t, s)
	}
	if w.loss += loss; w.diverged(m, loss) {
		w.err = w.diagnose(b, s)
		return
	}
	if w.end != nil {
		w.end.take(w.end.states, m, m.states)
		w.end.take(w.end.influences, m, m.influences)
		w.end.Run()
		w.endLoss += w.end.At(w.end.loss)[0]
	}
}

// simulate runs a sequence; it reports whether all went well.
func (w *worker) simulate(b *Batch, s int, remember bool) bool {
	m := w.primal
	m.zero(m.states)
	for k, slot := range m.states {
		if need := b.Steps * len(m.At(slot)); remember && len(w.history[k]) < need {
			w.history[k] = make([]float64, need)
		}
	}
	loss := 0.0
	for t := range b.Steps {
		for k, slot := range m.states {
			if x := m.At(slot); remember {
				copy(w.history[k][t*len(x):], x)
			}
		}
		m.at(b, t, s)
		m.Run()
		loss += m.At(m.loss)[0]
		w.count(m, b, t, s)
	}
	if w.loss += loss; w.diverged(m, loss) {
		w.err = w.diagnose(b, s)
	}
	return w.err == nil
}

// reverse runs the sequence, then carries adjoints backward through it.
func (w *worker) reverse(b *Batch, s int) {
	if !w.simulate(b, s, true) {
		return
	}
	m := w.step
	m.zero(m.adjoints)
	if w.end != nil {
		w.end.take(w.end.states, w.primal, w.primal.states)
		w.end.Run()
		w.endLoss += w.end.At(w.end.loss)[0]
		for k, slot := range m.adjoints {
			if slot >= 0 {
				copy(m.At(slot), w.end.Output(ad.AdjointName(w.g.Recurrence.States[k])))
			}
		}
	}
	for t := b.Steps - 1; t >= 0; t-- {
		for k, slot := range m.adjoints {
			if slot >= 0 && t+1 < b.Steps && w.g.Method.cut(w.g.Recurrence.States[k], t+1) {
				clear(m.At(slot))
			}
		}
		for k, slot := range m.states {
			n := len(w.primal.At(w.primal.states[k]))
			m.BindAt(slot, w.history[k][t*n:(t+1)*n])
		}
		m.at(b, t, s)
		m.Run()
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
func (w *worker) diverged(m *machine, loss float64) bool {
	for _, slot := range m.states {
		for _, x := range m.At(slot) {
			if !finite(x) {
				return true
			}
		}
	}
	return !finite(loss)
}

// diagnose runs a sequence again to find the first value that is no number.
func (w *worker) diagnose(b *Batch, s int) error {
	m := w.primal
	m.zero(m.states)
	for t := range b.Steps {
		m.at(b, t, s)
		m.Run()
		for k, slot := range m.states {
			for j, x := range m.At(slot) {
				if !finite(x) {
					return &NonFiniteError{Sequence: s, Step: t, Variable: w.g.Recurrence.States[k], Neuron: j, Value: x}
				}
			}
		}
		if x := m.At(m.loss)[0]; !finite(x) {
			return &NonFiniteError{Sequence: s, Step: t, Variable: ad.LossName, Value: x}
		}
	}
	return fmt.Errorf("sequence %d: the loss is no number", s)
}
