package sparse

import (
	"fmt"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A Strategy is a way to compute a Jacobian.
type Strategy string

// The strategies.
const (
	Eliminate Strategy = "elimination"      // structured vertex elimination
	Columns   Strategy = "columns"          // tangents along groups of columns
	Rows      Strategy = "rows"             // adjoints along groups of rows
	Both      Strategy = "columns and rows" // both
)

// Run evaluates a program; package exec/interp and others provide it.
type Run func(inputs []ir.Tensor) ([]ir.Tensor, error)

// Options choose how a plan is made.
type Options struct {
	Strategy Strategy                             // empty: the cheapest by cost
	Order    []int                                // of elimination; nil: the cheapest of forward, reverse and Markowitz
	Coloring *Coloring                            // of Columns, Rows or Both; nil: colour afresh
	Cost     func(p *ir.Program) (float64, error) // of a program; nil: its multiplications. May measure.
	Compile  func(p *ir.Program) (Run, error)     // nil: the interpreter
}

// A Plan computes the Jacobian of one program at many points. It is not safe for concurrent use.
type Plan struct {
	Strategy Strategy
	Pattern  *Pattern
	Coloring *Coloring            // nil for elimination
	Costs    map[Strategy]float64 // of the strategies that were considered
	program  *ir.Program
	passes   []pass
	sources  []source
}

// A pass evaluates one derivative program and stores what it finds.
type pass struct {
	run   Run
	seeds []ir.Tensor
	store func(out []ir.Tensor, value []float64)
}

// NewPlan detects the pattern of p's Jacobian, colours it and chooses a strategy.
func NewPlan(p *ir.Program, o Options) (*Plan, error) {
	pattern, err := Detect(p)
	if err != nil {
		return nil, err
	}
	if o.Cost == nil {
		o.Cost = func(p *ir.Program) (float64, error) {
			c, err := ir.Count(p)
			return float64(c.Mul + c.Div), err
		}
	}
	if o.Compile == nil {
		o.Compile = func(p *ir.Program) (Run, error) {
			return func(x []ir.Tensor) ([]ir.Tensor, error) { return interp.Eval(p, x) }, nil
		}
	}
	var best *Plan
	costs := map[Strategy]float64{}
	var known []string
	for _, s := range strategies {
		known = append(known, string(s.name))
		if (o.Strategy != "" && o.Strategy != s.name) || (o.Coloring != nil && o.Strategy == "" && s.name == Eliminate) {
			continue
		}
		plan := &Plan{Strategy: s.name, Pattern: pattern, Costs: costs, program: p}
		programs, err := s.prepare(plan, o)
		if err != nil {
			return nil, err
		}
		for _, d := range programs {
			c, err := o.Cost(d)
			if err != nil {
				return nil, err
			}
			costs[s.name] += c
		}
		if best == nil || costs[s.name] < costs[best.Strategy] {
			best = plan
			for k, d := range programs {
				if plan.passes[k].run, err = o.Compile(d); err != nil {
					return nil, err
				}
			}
		}
	}
	if best == nil {
		return nil, fmt.Errorf("unknown strategy %q%s; known are %s", o.Strategy, ir.Suggest(string(o.Strategy), known), strings.Join(known, ", "))
	}
	return best, nil
}

// strategies holds one row for each; prepare fills in the plan and returns the derivative program of every pass.
var strategies = []struct {
	name    Strategy
	prepare func(plan *Plan, o Options) ([]*ir.Program, error)
}{
	{Eliminate, (*Plan).eliminate},
	{Columns, func(plan *Plan, o Options) ([]*ir.Program, error) { return plan.compress(o, ColorColumns) }},
	{Rows, func(plan *Plan, o Options) ([]*ir.Program, error) { return plan.compress(o, ColorRows) }},
	{Both, func(plan *Plan, o Options) ([]*ir.Program, error) { return plan.compress(o, ColorBoth) }},
}

// eliminate keeps the structures that elimination leaves and scatters their values.
func (plan *Plan) eliminate(o Options) ([]*ir.Program, error) {
	p := plan.program
	order := o.Order
	if order == nil {
		g, err := ad.Graph(p)
		if err != nil {
			return nil, err
		}
		least := int64(-1)
		for _, named := range [][]int{elim.Reverse(g), elim.Forward(g), elim.Markowitz(g)} {
			muls, err := g.Muls(named)
			if err != nil {
				return nil, err
			}
			if least < 0 || muls < least {
				order, least = named, muls
			}
		}
	}
	s, err := ad.StructuredJacobian(p, order)
	if err != nil {
		return nil, err
	}
	type place struct{ entry, value, element int32 }
	var places []place
	row := 0
	for i, y := range p.Outputs {
		column := 0
		for j, id := range p.Inputs {
			for _, part := range s.Parts[i][j] {
				part.Term.Each(func(out, in, value int) {
					places = append(places, place{int32(plan.Pattern.find(row+out, column+in)), int32(part.Value), int32(value)})
				})
			}
			column += p.Nodes[id].Shape.Size()
		}
		row += p.Nodes[y.Node].Shape.Size()
	}
	plan.passes = []pass{{store: func(out []ir.Tensor, value []float64) {
		clear(value)
		for _, at := range places {
			value[at.entry] += out[at.value].Data[at.element]
		}
	}}}
	return []*ir.Program{s.Program}, nil
}

// compress evaluates one product for every colour.
func (plan *Plan) compress(o Options, color func(*Pattern) *Coloring) (programs []*ir.Program, err error) {
	p := plan.program
	if plan.Coloring = o.Coloring; plan.Coloring == nil {
		plan.Coloring = color(plan.Pattern)
	}
	c := plan.Coloring
	if plan.sources, err = c.sources(plan.Pattern); err != nil {
		return nil, err
	}
	n := len(p.Outputs)
	if c.Columns > 0 {
		d, err := ad.PushForward(p, c.Columns)
		if err != nil {
			return nil, err
		}
		var seeds []ir.Tensor
		column := 0
		for _, id := range p.Inputs {
			size := p.Nodes[id].Shape.Size()
			s := ir.Tensor{Shape: append(append(ir.Shape{}, p.Nodes[id].Shape...), c.Columns), Data: make([]float64, size*c.Columns)}
			for k := range size {
				if color := c.Column[column+k]; color >= 0 {
					s.Data[k*c.Columns+int(color)] = 1
				}
			}
			seeds = append(seeds, s)
			column += size
		}
		programs = append(programs, d)
		plan.passes = append(plan.passes, pass{seeds: seeds, store: plan.store(n, false, c.Columns)})
	}
	if c.Rows > 0 {
		d, err := ad.PullBack(p, c.Rows)
		if err != nil {
			return nil, err
		}
		var seeds []ir.Tensor
		row := 0
		for _, y := range p.Outputs {
			shape := p.Nodes[y.Node].Shape
			size := shape.Size()
			s := ir.Tensor{Shape: append(ir.Shape{c.Rows}, shape...), Data: make([]float64, size*c.Rows)}
			for k := range size {
				if color := c.Row[row+k]; color >= 0 {
					s.Data[int(color)*size+k] = 1
				}
			}
			seeds = append(seeds, s)
			row += size
		}
		programs = append(programs, d)
		plan.passes = append(plan.passes, pass{seeds: seeds, store: plan.store(n, true, c.Rows)})
	}
	return programs, nil
}

// store reads the entries off the results, which follow the n outputs. Tangents are [rows][colours] for every output,
// adjoints [colours][columns] for every input.
func (plan *Plan) store(n int, rows bool, colors int) func(out []ir.Tensor, value []float64) {
	var all []float64
	return func(out []ir.Tensor, value []float64) {
		all = all[:0]
		if rows {
			for k := range colors {
				for _, t := range out[n:] {
					size := len(t.Data) / colors
					all = append(all, t.Data[k*size:(k+1)*size]...)
				}
			}
		} else {
			for _, t := range out[n:] {
				all = append(all, t.Data...)
			}
		}
		for k, s := range plan.sources {
			if s.row == rows {
				value[k] = all[s.at]
			}
		}
	}
}

// Jacobian evaluates the program and its Jacobian at a point. into is filled if it belongs to this plan; nil makes a new
// matrix.
func (plan *Plan) Jacobian(x []ir.Tensor, into *Matrix) (values []ir.Tensor, m *Matrix, err error) {
	if m = into; m == nil || m.Pattern != plan.Pattern || len(m.Value) != plan.Pattern.Entries() {
		m = &Matrix{plan.Pattern, make([]float64, plan.Pattern.Entries())}
	}
	if len(x) != len(plan.program.Inputs) {
		return nil, nil, fmt.Errorf("program %q has %d inputs, not %d", plan.program.Name, len(plan.program.Inputs), len(x))
	}
	for _, pass := range plan.passes {
		out, err := pass.run(append(append([]ir.Tensor{}, x...), pass.seeds...))
		if err != nil {
			return nil, nil, err
		}
		pass.store(out, m.Value)
		values = out[:len(plan.program.Outputs)]
	}
	if values == nil { // no entry differs from zero
		if values, err = interp.Eval(plan.program, x); err != nil {
			return nil, nil, err
		}
	}
	return values, m, nil
}
