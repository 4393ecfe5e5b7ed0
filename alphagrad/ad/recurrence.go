package ad

import (
	"fmt"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
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

// Reverse is one step of reverse accumulation through time, backpropagation when nothing is edited: from the states before
// the step, its data and the adjoints of the states after it to the adjoints of the states before it, with the gradients
// brought forward. The step itself is computed again from the states, which is all that has to be stored of a sequence.
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
	adjoint := make([]edge, len(l.in))
	for i, o := range p.Outputs {
		e := slopes[o.Name]
		if slices.Contains(r.States, o.Name) {
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
		if slices.Contains(r.States, name) {
			d.b.Output(AdjointName(name), l.dense(d.b, adjoint[j], nil, p.Nodes[id].Shape))
		} else {
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

// Influence is the structure of what forward accumulation carries of one parameter's influence on one state.
type Influence struct {
	State, Param string
	Terms        []*structure.Term
}

// Elements is the number of values carried.
func (i Influence) Elements() (n int64) {
	for _, t := range i.Terms {
		n += t.Elements()
	}
	return n
}

// A Carrier accumulates forward in time.
type Carrier struct {
	Step    *ir.Program // states, influences and gradients before a step to those after it
	End     *ir.Program // from the last states, influences and gradients to gradients and [LossName]; nil without an end loss
	Carried []Influence
	Order   []int // of elimination in the step
	Muls    int64 // multiplications of that elimination, without those of the step itself and of the gradients
}

// Elements is the number of values carried from step to step besides the states.
func (c *Carrier) Elements() (n int64) {
	for _, i := range c.Carried {
		n += i.Elements()
	}
	return n
}

// maxIterations bounds the search for the structure of influences: each iteration carries them one edge further.
const maxIterations = 64

// Forward is one step of forward accumulation through time: real-time recurrent learning when nothing is edited (Williams &
// Zipser 1989), eligibility traces when the edges through which neurons reach each other are dropped (Bellec et al. 2020).
// The structure of the influences is the fixed point of carrying them through the step, starting from none; their
// values are eliminated in the given order of the vertices, states first, or, where that is nil, in the cheapest order
// that a short search finds.
func (r *Recurrence) Forward(order []int, edits ...Edit) (*Carrier, error) {
	return r.ForwardMasked(order, nil, edits...)
}

// An InfluenceMask multiplies, after every step, the influence of a parameter on a state of one axis, entry by entry: SnAp-n
// of Menick et al. 2021, where the mask has a 1 for every unit that a parameter reaches within n steps.
type InfluenceMask struct {
	State, Param string
	Matrix       string // name of the input with the mask, [units of State][first axis of Param]
}

// ForwardMasked is [Recurrence.Forward] with masks on the influences. An influence that stays within a unit anyway is left as
// it is.
func (r *Recurrence) ForwardMasked(order []int, masks []InfluenceMask, edits ...Edit) (*Carrier, error) {
	algebra := structure.NewAlgebra()
	known := make([][]int32, len(r.States)) // edges by state and parameter
	for s := range known {
		known[s] = make([]int32, len(r.Params))
	}
	search := order == nil // once the structure is known in the forward order
	pick := elim.Forward
	for range maxIterations {
		f, err := r.forward(order, pick, masks, edits, algebra, known)
		if err != nil {
			return nil, err
		}
		changed := false
		for s := range known {
			if !f.live[r.States[s]] {
				continue
			}
			for p := range known[s] {
				var terms []*structure.Term
				for _, i := range f.influence[r.States[s]][p] {
					terms = append(terms, nonUnit(i.Term))
				}
				grown := algebra.Sum(known[s][p], algebra.Edge(terms))
				changed = changed || grown != known[s][p]
				known[s][p] = grown
			}
		}
		switch {
		case changed:
		case search:
			search, pick = false, cheapest
		default:
			return f.carrier(algebra, known)
		}
	}
	return nil, fmt.Errorf("program %q: the structure of the influences still grows after %d steps", r.Step.Name, maxIterations)
}

// forwarding is a step of forward accumulation under construction.
type forwarding struct {
	*deriving
	primal    []*ir.Value // of the step
	outputs   map[string]*ir.Value
	influence map[string][]edge // [output of the step][parameter] after the step
	live      map[string]bool   // states whose influence matters later
	order     []int
	muls      int64
}

func (r *Recurrence) forward(order []int, pick func(*elim.Graph) []int, masks []InfluenceMask, edits []Edit, algebra *structure.Algebra, known [][]int32) (*forwarding, error) {
	d, err := r.derive(r.Step.Name+"_forward", edits)
	if err != nil {
		return nil, err
	}
	f := &forwarding{deriving: d, influence: map[string][]edge{}, order: order}
	f.primal, f.outputs = d.step()
	params, states := named(r.Step, r.Params), named(r.Step, r.States)
	seeds := make([]map[int]edge, len(states))
	for k, id := range states {
		seeds[k] = map[int]edge{}
		s := slices.Index(r.States, r.Step.Nodes[id].Name)
		for j, pid := range params {
			q := slices.Index(r.Params, r.Step.Nodes[pid].Name)
			if e := d.carried(s, q, algebra.Terms(known[s][q])); len(e) > 0 {
				seeds[k][j] = e
			}
		}
	}
	linear := func(p *ir.Program) (*linearization[edge], error) {
		l := &linearization[edge]{calculus: arrays{}, p: p, b: d.b, primal: f.primal}
		return l, l.build(params, states, slices.Clone(seeds), d.edit.of(p))
	}
	l, err := linear(r.Step)
	if err != nil {
		return nil, err
	}
	wanted := f.findLive(l)
	p := r.Step.Clone() // outputs that nothing will ask for would only cost
	p.Outputs = slices.DeleteFunc(p.Outputs, func(o ir.Output) bool { return !wanted[o.Name] })
	if l, err = linear(p); err != nil {
		return nil, err
	}
	if f.order == nil {
		f.order = pick(l.graph)
	}
	if err := l.accumulate(f.order); err != nil {
		return nil, err
	}
	if f.muls, err = l.graph.Muls(f.order); err != nil {
		return nil, err
	}
	for i, o := range p.Outputs {
		row := make([]edge, len(r.Params))
		for j, id := range params {
			row[slices.Index(r.Params, p.Nodes[id].Name)] = l.entry(i, j)
		}
		f.influence[o.Name] = row
	}
	for _, m := range masks {
		if err := f.mask(m); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// mask applies a mask to the influence after the step.
func (f *forwarding) mask(m InfluenceMask) error {
	p := slices.Index(f.Params, m.Param)
	state, param := f.Shape(m.State), f.Shape(m.Param)
	if p < 0 || !slices.Contains(f.States, m.State) || len(state) != 1 || len(param) == 0 {
		return fmt.Errorf("mask %q of the influence of %q on %q: expected a parameter with axes and a state of one axis", m.Matrix, m.Param, m.State)
	}
	row := f.influence[m.State]
	if row == nil || len(row[p]) == 0 {
		return nil
	}
	local := true
	for _, i := range row[p] {
		local = local && slices.Equal(i.Term.Out[0].Labels, i.Term.In[0].Labels)
	}
	if local {
		return nil
	}
	x := &editing{b: f.b, y: state, x: param}
	mask := f.input(m.Matrix, ir.Shape{state[0], param[0]})
	labels := make([]int, 1+len(param))
	for k := range labels {
		labels[k] = k
	}
	all := letter(labels)
	row[p] = x.full(ir.Einsum(letter(labels[:2])+","+all+"->"+all, mask, x.dense(row[p])))
	f.muls += int64(state.Size()) * int64(param.Size())
	return nil
}

// findLive finds the states from which an edge leads on, in however many steps, to something that a loss reads, and the
// outputs of the step that matter for that.
func (f *forwarding) findLive(l *linearization[edge]) (wanted map[string]bool) {
	wanted = map[string]bool{}
	f.live = map[string]bool{}
	for _, p := range []*ir.Program{f.Loss, f.End} {
		if p == nil {
			continue
		}
		for _, id := range p.Inputs {
			wanted[p.Nodes[id].Name] = true
			f.live[p.Nodes[id].Name] = p == f.End // the end reads influences of the last step
		}
	}
	for changed := true; changed; {
		changed = false
		reaches := make([]bool, len(l.in))
		for i, o := range f.Step.Outputs {
			if n := l.results[i]; n >= 0 && wanted[o.Name] {
				reaches[n] = true
			}
		}
		for w := len(l.in) - 1; w >= 0; w-- {
			for u := range l.in[w] {
				reaches[u] = reaches[u] || reaches[w]
			}
		}
		for _, id := range named(f.Step, f.States) {
			name := f.Step.Nodes[id].Name
			if reaches[l.node[id]] && !f.live[name] || f.live[name] && !wanted[name] {
				f.live[name], wanted[name], changed = true, true, true
			}
		}
	}
	return wanted
}

// maxOrders bounds the orders that cheapest tries.
const maxOrders = 3000

// cheapest is the order of fewest multiplications among three, improved by moving single vertices as long as that helps.
func cheapest(g *elim.Graph) []int {
	var best []int
	least := int64(-1)
	try := func(order []int) bool {
		muls, err := g.Muls(order)
		if err != nil || least >= 0 && muls >= least { // no error: these are permutations of the vertices
			return false
		}
		best, least = order, muls
		return true
	}
	try(elim.Forward(g))
	try(elim.Reverse(g))
	try(elim.Markowitz(g))
	tried := 0
	for improved := true; improved; {
		improved = false
		for from := range best {
			for to := range best {
				if tried++; tried > maxOrders {
					return best
				}
				order := slices.Delete(slices.Clone(best), from, from+1)
				improved = try(slices.Insert(order, to, best[from])) || improved
			}
		}
	}
	return best
}

// carried declares the inputs that hold the influence of a parameter on a state.
func (d *deriving) carried(s, p int, terms []*structure.Term) (e edge) {
	for k, t := range terms {
		e = append(e, item{Term: t, Value: d.input(InfluenceName(d.States[s], d.Params[p], k), t.ValueShape())})
	}
	return e
}

// carrier writes the programs once the structures are known.
func (f *forwarding) carrier(algebra *structure.Algebra, known [][]int32) (*Carrier, error) {
	c := &Carrier{Order: f.order, Muls: f.muls}
	conform := func(e edge, terms []*structure.Term) edge {
		var zero edge
		for _, t := range terms {
			zero = append(zero, item{Term: t, Value: ir.Const(f.b, 0)})
		}
		return expressions.AddEdges(zero, e)
	}
	for _, s := range f.States {
		f.b.Output(s, f.outputs[s])
	}
	for s, state := range f.States {
		for p, param := range f.Params {
			terms := algebra.Terms(known[s][p])
			if len(terms) == 0 {
				continue
			}
			e := conform(f.influence[state][p], terms)
			c.Carried = append(c.Carried, Influence{state, param, terms})
			for k, i := range e {
				f.b.Output(InfluenceName(state, param, k), broadcast(i.Value, terms[k].ValueShape(), nil))
			}
		}
	}
	slopes, loss, values, err := f.slope(f.Loss, f.outputs)
	if err != nil {
		return nil, err
	}
	if err := f.show(f.Show, f.primal, values); err != nil {
		return nil, err
	}
	f.gradients(f.chain(slopes, f.influence))
	for _, o := range f.Step.Outputs {
		if e := slopes[o.Name]; len(e) > 0 {
			f.b.Output(SignalName(o.Name), arrays{}.dense(f.b, e, nil, f.Step.Nodes[o.Node].Shape))
		}
	}
	f.b.Output(LossName, loss)
	f.elsewhere(f.End)
	if c.Step, err = f.finish(); err != nil || f.End == nil {
		return c, err
	}
	d, err := f.derive(f.End.Name+"_forward", f.edit.edits)
	if err != nil {
		return nil, err
	}
	if slopes, loss, _, err = d.slope(f.End, nil); err != nil {
		return nil, err
	}
	influence := map[string][]edge{}
	for s, state := range f.States {
		row := make([]edge, len(f.Params))
		if len(slopes[state]) > 0 {
			for p := range row {
				row[p] = d.carried(s, p, algebra.Terms(known[s][p]))
			}
		}
		influence[state] = row
	}
	d.gradients(d.chain(slopes, influence))
	d.b.Output(LossName, loss)
	d.elsewhere(f.Step, f.Loss)
	c.End, err = d.finish()
	return c, err
}

// chain multiplies the slopes of a loss with the influences.
func (d *deriving) chain(slopes map[string]edge, influence map[string][]edge) map[string]edge {
	by := map[string]edge{}
	for p, param := range d.Params {
		e := slopes[param]
		for _, o := range d.Step.Outputs {
			if row := influence[o.Name]; len(row) > 0 && len(slopes[o.Name]) > 0 {
				e = expressions.AddEdges(e, arrays{}.multiply(slopes[o.Name], row[p]))
			}
		}
		by[param] = e
	}
	return by
}
