package sparse

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

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
	Cost     func(p *ir.Program) (float64, error) // of a program; nil: its multiplications. [Measured] measures.
	Compile  func(p *ir.Program) (Run, error)     // nil: the interpreter
}

// Measured is a cost for [Options]: the seconds of one run of a program as compile prepares it, nil for the interpreter; the
// least of a few runs, all inputs 0.5.
func Measured(compile func(p *ir.Program) (Run, error)) func(p *ir.Program) (float64, error) {
	if compile == nil {
		compile = interpreted
	}
	return func(p *ir.Program) (float64, error) {
		run, err := compile(p)
		if err != nil {
			return 0, err
		}
		var at []ir.Tensor
		for _, id := range p.Inputs {
			shape := p.Nodes[id].Shape
			at = append(at, ir.Tensor{Shape: shape, Data: slices.Repeat([]float64{0.5}, shape.Size())})
		}
		least := math.Inf(1)
		for range 5 {
			start := time.Now()
			if _, err := run(at); err != nil {
				return 0, err
			}
			least = min(least, time.Since(start).Seconds())
		}
		return least, nil
	}
}

// interpreted runs a program in the interpreter.
func interpreted(p *ir.Program) (Run, error) {
	return func(x []ir.Tensor) ([]ir.Tensor, error) { return interp.Eval(p, x) }, nil
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
	sow   func() []ir.Tensor // makes the seeds; called for the strategy chosen only, as those of others may be too large
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
		o.Compile = interpreted
	}
	var best *Plan
	var chosen []*ir.Program
	costs := map[Strategy]float64{}
	var known []string
	var passed error
	for _, s := range strategies {
		known = append(known, string(s.name))
		if (o.Strategy != "" && o.Strategy != s.name) || (o.Coloring != nil && o.Strategy == "" && s.name == Eliminate) {
			continue
		}
		plan := &Plan{Strategy: s.name, Pattern: pattern, Costs: costs, program: p}
		programs, err := s.prepare(plan, o)
		if errors.Is(err, errTooLarge) && o.Strategy == "" {
			passed = err
			continue
		}
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
			best, chosen = plan, programs
		}
	}
	switch {
	case best == nil && passed != nil: // a colouring was given
		return nil, passed
	case best == nil:
		return nil, fmt.Errorf("unknown strategy %q%s; known are %s", o.Strategy, ir.Suggest(string(o.Strategy), known), strings.Join(known, ", "))
	}
	for k, d := range chosen {
		pass := &best.passes[k]
		if pass.run, err = o.Compile(d); err != nil {
			return nil, err
		}
		if pass.sow != nil {
			pass.seeds = pass.sow()
		}
	}
	return best, nil
}

// strategies holds one row for each; prepare fills in the plan and returns the derivative program of every pass.
var strategies = []struct {
	name    Strategy
	prepare func(plan *Plan, o Options) ([]*ir.Program, error)
}{
	{Eliminate, (*Plan).eliminate},
	{Columns, func(plan *Plan, o Options) ([]*ir.Program, error) {
		return plan.compress(o, ColorColumns, most(plan.Pattern))
	}},
	{Rows, func(plan *Plan, o Options) ([]*ir.Program, error) {
		return plan.compress(o, ColorRows, most(plan.Pattern.Transpose()))
	}},
	{Both, func(plan *Plan, o Options) ([]*ir.Program, error) { return plan.compress(o, ColorBoth, 1) }},
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
		order = elim.Cheapest(g)
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

// errTooLarge is that of a strategy with so many colours that its arrays would be as large as dense matrices. The planner
// passes over it.
var errTooLarge = errors.New("too many colours")

func (plan *Plan) affords(colors int) error {
	if n := max(plan.Pattern.Rows, plan.Pattern.Columns, 1); colors > MaxDense/n {
		return fmt.Errorf("program %q: %w: %d for a Jacobian of %d × %d make arrays of more than %d elements; eliminate, or compress the other side or both",
			plan.program.Name, errTooLarge, colors, plan.Pattern.Rows, plan.Pattern.Columns, MaxDense)
	}
	return nil
}

// compress evaluates one product for every colour; the colouring has at least so many.
func (plan *Plan) compress(o Options, color func(*Pattern) *Coloring, least int) (programs []*ir.Program, err error) {
	p := plan.program
	if plan.Coloring = o.Coloring; plan.Coloring == nil {
		if err := plan.affords(least); err != nil {
			return nil, err
		}
		plan.Coloring = color(plan.Pattern)
	}
	c := plan.Coloring
	if err := plan.affords(max(c.Columns, c.Rows)); err != nil {
		return nil, err
	}
	if plan.sources, err = c.sources(plan.Pattern); err != nil {
		return nil, err
	}
	n := len(p.Outputs)
	if c.Columns > 0 {
		d, err := ad.PushForward(p, c.Columns)
		if err != nil {
			return nil, err
		}
		programs = append(programs, d)
		plan.passes = append(plan.passes, pass{store: plan.store(n, false, c.Columns), sow: func() (seeds []ir.Tensor) {
			column := 0
			for _, id := range p.Inputs {
				shape := p.Nodes[id].Shape
				size := shape.Size()
				s := ir.Tensor{Shape: append(append(ir.Shape{}, shape...), c.Columns), Data: make([]float64, size*c.Columns)}
				for k := range size {
					if color := c.Column[column+k]; color >= 0 {
						s.Data[k*c.Columns+int(color)] = 1
					}
				}
				seeds = append(seeds, s)
				column += size
			}
			return seeds
		}})
	}
	if c.Rows > 0 {
		d, err := ad.PullBack(p, c.Rows)
		if err != nil {
			return nil, err
		}
		programs = append(programs, d)
		plan.passes = append(plan.passes, pass{store: plan.store(n, true, c.Rows), sow: func() (seeds []ir.Tensor) {
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
			return seeds
		}})
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
