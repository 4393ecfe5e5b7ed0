package ad

import (
	"fmt"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A Recurrence is a program that is applied once every time step, h' = Step(h, x; θ), with what is to be minimised: the
// sum of Loss over all steps, plus End after the last one.
//
// Inputs of Step are the states h, the parameters θ and, all others, data x. Its outputs are the new states, under the
// names of the states, and whatever else there is to see. Inputs of Loss and End are outputs of Step, parameters and data,
// found by their names; each has one scalar output.
type Recurrence struct {
	Step           *ir.Program
	Loss, End      *ir.Program // may be nil
	States, Params []string
	Show           []string // further nodes of Step or Loss that programs which run forward put out
}

// Names of inputs and outputs of derived programs. What an output of the same name as an input holds is that input of the
// next step.
const LossName = "loss"

// AdjointName is the adjoint of a state, the derivative of the loss still to come by it.
func AdjointName(state string) string { return "adjoint(" + state + ")" }

// GradientName is the gradient by a parameter, accumulated over the steps so far.
func GradientName(param string) string { return "gradient(" + param + ")" }

// InfluenceName is one term of the influence of a parameter on a state, ∂state/∂param through all steps so far.
func InfluenceName(state, param string, term int) string {
	return fmt.Sprintf("influence(%s,%s)[%d]", state, param, term)
}

// SignalName is the derivative of the loss of this step by an output of the step, as edited: the learning signal.
func SignalName(output string) string { return "signal(" + output + ")" }

// deriving is a derived program under construction.
type deriving struct {
	*Recurrence
	b      *ir.Builder
	values map[string]*ir.Value // inputs of the program by name
	edit   *editor
}

// Check reports the first inconsistency of the recurrence.
func (r *Recurrence) Check() error {
	if r.Step == nil {
		return fmt.Errorf("a recurrence has no step program")
	}
	shape := map[string]ir.Shape{}
	for _, id := range r.Step.Inputs {
		shape[r.Step.Nodes[id].Name] = r.Step.Nodes[id].Shape
	}
	for _, s := range r.States {
		in, ok := shape[s]
		o := outputNamed(r.Step, s)
		switch {
		case !ok:
			return fmt.Errorf("program %q: state %q is no input", r.Step.Name, s)
		case o < 0:
			return fmt.Errorf("program %q: state %q is no output: the step does not say what becomes of it", r.Step.Name, s)
		case !r.Step.Nodes[r.Step.Outputs[o].Node].Shape.Equal(in):
			return fmt.Errorf("program %q: state %q has shape %v before and %v after the step", r.Step.Name, s, in, r.Step.Nodes[r.Step.Outputs[o].Node].Shape)
		}
	}
	for _, p := range []*ir.Program{r.Loss, r.End} {
		if p == nil {
			continue
		}
		if len(p.Outputs) != 1 || len(p.Nodes[p.Outputs[0].Node].Shape) > 0 {
			return fmt.Errorf("program %q: a loss has one output, a scalar", p.Name)
		}
		for _, id := range p.Inputs {
			name, have := p.Nodes[id].Name, p.Nodes[id].Shape
			want := shape[name]
			if o := outputNamed(r.Step, name); o >= 0 {
				want = r.Step.Nodes[r.Step.Outputs[o].Node].Shape
			}
			if want != nil && !have.Equal(want) {
				return fmt.Errorf("program %q: input %q has shape %v, in the step it has %v", p.Name, name, have, want)
			}
			shape[name] = have
		}
	}
	for _, p := range r.Params {
		if shape[p] == nil {
			return fmt.Errorf("program %q: parameter %q is an input of nothing", r.Step.Name, p)
		}
		if slices.Contains(r.States, p) {
			return fmt.Errorf("program %q: %q is a state and a parameter", r.Step.Name, p)
		}
	}
	return nil
}

func outputNamed(p *ir.Program, name string) int {
	return slices.IndexFunc(p.Outputs, func(o ir.Output) bool { return o.Name == name })
}

func (r *Recurrence) derive(name string, list []Edit) (*deriving, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	d := &deriving{Recurrence: r, b: ir.NewBuilder(name), values: map[string]*ir.Value{}}
	var err error
	d.edit, err = newEditor(d.b, list, func(name string, shape ir.Shape) (*ir.Value, error) {
		v := d.input(name, shape)
		if !v.Shape().Equal(shape) {
			return nil, fmt.Errorf("matrix %q has shape %v, expected %v", name, v.Shape(), shape)
		}
		return v, nil
	})
	return d, err
}

// input is the input of a name, declared when first asked for.
func (d *deriving) input(name string, shape ir.Shape) *ir.Value {
	v := d.values[name]
	if v == nil {
		v = d.b.Input(name, shape...)
		d.values[name] = v
	}
	return v
}

// splice records a program; the values of inputs are the given ones, else inputs of the same name.
func (d *deriving) splice(p *ir.Program, given map[string]*ir.Value) []*ir.Value {
	inputs := make([]*ir.Value, len(p.Inputs))
	for k, id := range p.Inputs {
		n := &p.Nodes[id]
		if inputs[k] = given[n.Name]; inputs[k] == nil {
			inputs[k] = d.input(n.Name, n.Shape)
		}
	}
	return d.b.Splice(p, inputs)
}

// step records the step and returns its outputs by name.
func (d *deriving) step() (primal []*ir.Value, outputs map[string]*ir.Value) {
	primal = d.splice(d.Step, nil)
	outputs = map[string]*ir.Value{}
	for _, o := range d.Step.Outputs {
		outputs[o.Name] = primal[o.Node]
	}
	return primal, outputs
}

// Shape is the shape of an input of any of the programs, nil if there is none of that name.
func (r *Recurrence) Shape(name string) ir.Shape {
	for _, p := range []*ir.Program{r.Step, r.Loss, r.End} {
		if p == nil {
			continue
		}
		for _, id := range p.Inputs {
			if p.Nodes[id].Name == name {
				return p.Nodes[id].Shape
			}
		}
	}
	return nil
}

func named(p *ir.Program, names []string) (ids []ir.ID) {
	for _, id := range p.Inputs {
		if slices.Contains(names, p.Nodes[id].Name) {
			ids = append(ids, id)
		}
	}
	return ids
}

// slope is the derivative of a loss program by its inputs that are outputs of the step or parameters, by name, and its
// value.
func (d *deriving) slope(p *ir.Program, given map[string]*ir.Value) (slopes map[string]edge, loss *ir.Value, values []*ir.Value, err error) {
	if p == nil {
		return nil, ir.Const(d.b, 0), nil, nil
	}
	l := &linearization[edge]{calculus: arrays{}, p: p, b: d.b, primal: d.splice(p, given)}
	names := slices.Clone(d.Params)
	for _, o := range d.Step.Outputs {
		names = append(names, o.Name)
	}
	inputs := named(p, names)
	if err := l.build(inputs, nil, nil, d.edit.of(p)); err != nil {
		return nil, nil, nil, err
	}
	if err := l.accumulate(nil); err != nil {
		return nil, nil, nil, err
	}
	slopes = map[string]edge{}
	for j, id := range inputs {
		if e := l.entry(0, j); len(e) > 0 {
			slopes[p.Nodes[id].Name] = e
		}
	}
	return slopes, l.primal[p.Outputs[0].Node], l.primal, nil
}

// gradients declares what becomes of the accumulated gradients: the sum with the given edges.
func (d *deriving) gradients(by map[string]edge) {
	for _, p := range d.Params {
		shape := d.Shape(p)
		g := d.input(GradientName(p), shape)
		if e := by[p]; len(e) > 0 {
			g = ir.Add(g, arrays{}.dense(d.b, e, nil, shape))
		}
		d.b.Output(GradientName(p), g)
	}
}

// finish builds and simplifies.
func (d *deriving) finish() (*ir.Program, error) {
	if err := d.edit.unmet(d.Step, d.Loss, d.End); err != nil {
		return nil, fmt.Errorf("program %q: %w", d.Step.Name, err)
	}
	return simplified(d.b.Build())
}

// An Edge leads from one named node to another that has it as an argument.
type Edge struct {
	From, To string
	Program  string // name of the program it is in
}

// Edges lists the edges between named nodes of the recurrence, inputs that are data apart: those that an edit may name
// with profit.
func (r *Recurrence) Edges() (list []Edge) {
	for _, p := range []*ir.Program{r.Step, r.Loss, r.End} {
		if p == nil {
			continue
		}
		for id := range p.Nodes {
			n := &p.Nodes[id]
			for k, a := range n.Args {
				from := &p.Nodes[a]
				data := from.Op == ir.OpInput && !slices.Contains(r.States, from.Name) && !slices.Contains(r.Params, from.Name) && outputNamed(r.Step, from.Name) < 0
				if n.Name != "" && from.Name != "" && !data && !slices.Contains(n.Args[:k], a) {
					list = append(list, Edge{from.Name, n.Name, p.Name})
				}
			}
		}
	}
	return list
}

// show puts out nodes by their names, of the values of the step and of the loss.
func (d *deriving) show(names []string, step, loss []*ir.Value) error {
	var all []string
	for _, name := range names {
		found := outputNamed(d.Step, name) >= 0 // it is put out anyway
		for k, p := range []*ir.Program{d.Step, d.Loss} {
			if p == nil || found {
				continue
			}
			nodes := p.DisplayNames()
			all = append(all, nodes...)
			if id := slices.Index(nodes, name); id >= 0 {
				d.b.Output(name, [][]*ir.Value{step, loss}[k][id])
				found = true
			}
		}
		if !found {
			return fmt.Errorf("program %q has no node %q to show%s", d.Step.Name, name, ir.Suggest(name, all))
		}
	}
	return nil
}

// Primal is one step with its loss: outputs of Step, those of Show and further ones, then [LossName].
func (r *Recurrence) Primal(observe ...string) (*ir.Program, error) {
	d, err := r.derive(r.Step.Name, nil)
	if err != nil {
		return nil, err
	}
	primal, outputs := d.step()
	for _, o := range r.Step.Outputs {
		d.b.Output(o.Name, outputs[o.Name])
	}
	var loss []*ir.Value
	if r.Loss != nil {
		loss = d.splice(r.Loss, outputs)
	}
	if err := d.show(slices.Concat(r.Show, observe), primal, loss); err != nil {
		return nil, err
	}
	if r.Loss != nil {
		d.b.Output(LossName, loss[r.Loss.Outputs[0].Node])
	}
	return d.finish()
}
