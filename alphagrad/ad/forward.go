package ad

import (
	"fmt"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

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
	if order == nil {
		return r.ForwardOrdered(nil, nil, edits...)
	}
	return r.ForwardOrdered(func(*elim.Graph) []int { return order }, nil, edits...)
}

// An InfluenceMask multiplies, after every step, the influence of a parameter on a state of one axis, entry by entry: SnAp-n
// of Menick et al. 2021, where the mask has a 1 for every unit that a parameter reaches within n steps.
type InfluenceMask struct {
	State, Param string
	Matrix       string // name of the input with the mask, [units of State][first axis of Param]
}

// ForwardOrdered is [Recurrence.Forward] with masks on the influences, in the order that a function picks for the graph of the
// step, such as [elim.Markowitz], once the structure of the influences is known; nil picks the cheapest that a short search
// finds. An influence that stays within a unit anyway is left as it is.
func (r *Recurrence) ForwardOrdered(pick func(*elim.Graph) []int, masks []InfluenceMask, edits ...Edit) (*Carrier, error) {
	if pick == nil {
		pick = cheapest
	}
	algebra := structure.NewAlgebra()
	known := make([][]int32, len(r.States)) // edges by state and parameter
	for s := range known {
		known[s] = make([]int32, len(r.Params))
	}
	search, now := true, elim.Forward // until the structure is known
	for range maxIterations {
		f, err := r.forward(now, masks, edits, algebra, known)
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
			search, now = false, pick
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

func (r *Recurrence) forward(pick func(*elim.Graph) []int, masks []InfluenceMask, edits []Edit, algebra *structure.Algebra, known [][]int32) (*forwarding, error) {
	d, err := r.derive(r.Step.Name+"_forward", edits)
	if err != nil {
		return nil, err
	}
	f := &forwarding{deriving: d, influence: map[string][]edge{}}
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
	var wanted map[string]bool
	f.live, wanted = r.live(l)
	p := r.Step.Clone() // outputs that nothing will ask for would only cost
	p.Outputs = slices.DeleteFunc(p.Outputs, func(o ir.Output) bool { return !wanted[o.Name] })
	if l, err = linear(p); err != nil {
		return nil, err
	}
	f.order = pick(l.graph)
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

// live finds the states from which an edge leads on, in however many steps, to something that a loss reads, and the outputs
// of the step that matter for that. Without any loss all states do: a caller wants the Jacobians of the step.
func (r *Recurrence) live(l *linearization[edge]) (live, wanted map[string]bool) {
	live, wanted = map[string]bool{}, map[string]bool{}
	if r.Loss == nil && r.End == nil {
		for _, s := range r.States {
			live[s], wanted[s] = true, true
		}
	}
	for _, p := range []*ir.Program{r.Loss, r.End} {
		if p == nil {
			continue
		}
		for _, id := range p.Inputs {
			name := p.Nodes[id].Name
			wanted[name] = true
			live[name] = live[name] || p == r.End // the end reads states of the last step
		}
	}
	for changed := true; changed; {
		changed = false
		reaches := make([]bool, len(l.in))
		for i, o := range r.Step.Outputs {
			if n := l.results[i]; n >= 0 && wanted[o.Name] {
				reaches[n] = true
			}
		}
		for w := len(l.in) - 1; w >= 0; w-- {
			for u := range l.in[w] {
				reaches[u] = reaches[u] || reaches[w]
			}
		}
		for _, id := range named(r.Step, r.States) {
			name := r.Step.Nodes[id].Name
			if reaches[l.node[id]] && !live[name] || live[name] && !wanted[name] {
				live[name], wanted[name], changed = true, true, true
			}
		}
	}
	return live, wanted
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
