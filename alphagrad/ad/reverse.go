package ad

import (
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Reverse is one step of reverse accumulation through time, backpropagation when nothing is edited: from the states before
// the step, its data and the adjoints of the states after it to the adjoints of the states before it, with the gradients
// brought forward. States that no loss depends on have none; without any loss all states have adjoints. The step itself is
// computed again from the states, which is all that has to be stored of a sequence.
func (r *Recurrence) Reverse(edits ...Edit) (*ir.Program, error) {
	d, err := r.derive(r.Step.Name+"_reverse", edits)
	if err != nil {
		return nil, err
	}
	primal, outputs := d.step()
	slopes, _, _, err := d.slope(r.Loss, outputs)
	if err != nil {
		return nil, err
	}
	p := r.Step
	l := &linearization[edge]{calculus: arrays{}, p: p, b: d.b, primal: primal}
	inputs := slices.Concat(named(p, r.Params), named(p, r.States))
	if err := l.build(inputs, nil, nil, d.edit.of(p)); err != nil {
		return nil, err
	}
	live, _ := r.live(l)
	adjoint := make([]edge, len(l.in))
	for i, o := range p.Outputs {
		e := slopes[o.Name]
		if live[o.Name] {
			e = l.add(e, seed(d.input(AdjointName(o.Name), p.Nodes[o.Node].Shape)))
		}
		if n := l.results[i]; n >= 0 && len(e) > 0 {
			adjoint[n] = l.add(adjoint[n], e)
		}
	}
	for w := len(l.in) - 1; w >= l.inputs; w-- {
		for _, u := range sorted(l.in[w]) {
			adjoint[u] = l.add(adjoint[u], l.multiply(adjoint[w], l.in[w][u]))
		}
	}
	by := map[string]edge{}
	for j, id := range inputs {
		name := p.Nodes[id].Name
		switch {
		case live[name]:
			d.b.Output(AdjointName(name), l.dense(d.b, adjoint[j], nil, p.Nodes[id].Shape))
		case !slices.Contains(r.States, name):
			by[name] = adjoint[j]
		}
	}
	for _, name := range r.Params {
		by[name] = l.add(by[name], slopes[name])
	}
	d.gradients(by)
	d.elsewhere(r.End)
	return d.finish()
}

// seed is the derivative of a scalar by a value, given as a value of the same shape.
func seed(v *ir.Value) edge {
	l := &local{}
	labels, axes := l.labels(v.Shape())
	l.in = axes
	return l.valued(v, labels)
}

// elsewhere counts edits as met that belong to programs which are differentiated elsewhere.
func (d *deriving) elsewhere(others ...*ir.Program) {
	for _, p := range others {
		if p == nil {
			continue
		}
		names := p.DisplayNames()
		for id := range p.Nodes {
			for _, a := range p.Nodes[id].Args {
				for k, e := range d.edit.edits {
					if e.From == names[a] && (e.To == names[id] || e.To == AllEdges) {
						d.edit.met[k] = true
					}
				}
			}
		}
	}
}

// ReverseEnd starts reverse accumulation after the last step: from the last states to their adjoints, gradients and the
// loss at the end. It is nil when there is no such loss: the adjoints are then zero.
func (r *Recurrence) ReverseEnd(edits ...Edit) (*ir.Program, error) {
	if r.End == nil {
		return nil, nil
	}
	d, err := r.derive(r.End.Name+"_reverse", edits)
	if err != nil {
		return nil, err
	}
	slopes, loss, _, err := d.slope(r.End, nil)
	if err != nil {
		return nil, err
	}
	for _, s := range r.States {
		shape := r.Step.Nodes[r.Step.Outputs[outputNamed(r.Step, s)].Node].Shape
		d.b.Output(AdjointName(s), arrays{}.dense(d.b, slopes[s], nil, shape))
	}
	d.gradients(slopes)
	d.b.Output(LossName, loss)
	d.elsewhere(r.Step, r.Loss)
	return d.finish()
}
