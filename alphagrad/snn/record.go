package snn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
)

// A Recording holds what was recorded of one sequence, by name: element i of step t is [t·n+i] for a value of n elements,
// row-major.
type Recording map[string][]float64

// Recordable lists what [Gradient.Record] can record: states after each step ("rec.v", "rec.z", …), the output, the loss
// and, of forward methods, the influences of parameters on states and the learning signals, by [ad.InfluenceName] and
// [ad.SignalName]. More nodes of the step are to be seen if [ad.Recurrence.Show] names them.
func (g *Gradient) Recordable() []string {
	p := g.primal
	if g.Method.Forward {
		p = g.step
	}
	return slices.DeleteFunc(p.Outputs(), func(name string) bool { return strings.HasPrefix(name, "gradient(") })
}

// Record runs one sequence of a batch and records values of every step.
func (g *Gradient) Record(shared Values, b *Batch, sequence int, names ...string) (Recording, error) {
	if err := g.check(b); err != nil {
		return nil, err
	}
	if sequence < 0 || sequence >= b.Size {
		return nil, fmt.Errorf("sequence %d of a batch of %d", sequence, b.Size)
	}
	w := newWorker(g)
	w.reset(shared)
	w.out = make([]float64, g.primal.Shape(g.output).Size())
	m := w.primal
	if g.Method.Forward {
		m = w.step
	}
	known := g.Recordable()
	slots := make([]int, len(names))
	for k, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no %q to record; there are %s", name, strings.Join(known, ", "))
		}
		slots[k] = m.p.OutputSlot(name)
	}
	recording := Recording{}
	w.seen = func() {
		for k, name := range names {
			recording[name] = append(recording[name], m.At(slots[k])...)
		}
	}
	if g.Method.Forward {
		w.forward(b, sequence)
	} else {
		w.simulate(b, sequence, false)
	}
	return recording, w.err
}

// Simulate runs a network on one sequence, input [steps][Inputs], and records values of every step by their names: states
// ("rec.v", "rec.z", …) and the output.
func (n *Network) Simulate(shared Values, input []float64, names ...string) (Recording, error) {
	if n.Inputs < 1 || len(input)%n.Inputs != 0 {
		return nil, fmt.Errorf("an input of %d numbers for %d inputs; expected as many in every step", len(input), n.Inputs)
	}
	steps := len(input) / n.Inputs
	sized := *n
	if sized.Steps == 0 {
		sized.Steps = steps
	}
	r, err := sized.Recurrence()
	if err != nil {
		return nil, err
	}
	g, err := NewGradient(r, BPTT())
	if err != nil {
		return nil, err
	}
	b := &Batch{Steps: steps, Size: 1, Input: input, Target: make([]float64, steps*n.Readout.Size), Weight: make([]float64, steps)}
	return g.Record(shared, b, 0, names...)
}

// Influence is the name under which the influence of a parameter on a state is recorded, where it is one array.
func Influence(state, param string) string { return ad.InfluenceName(state, param, 0) }
