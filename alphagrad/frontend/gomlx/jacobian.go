package gomlx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	exec "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Options say how a Jacobian is found.
type Options struct {
	Name  string                                       // of the function, in errors; "f" if empty
	Order []int                                        // vertices in the order of elimination; nil: Find
	Find  func(g *elim.Graph) (order []int, err error) // nil: the cheapest of forward, reverse and Markowitz

	Inputs []int // positions, from 0, of the inputs to differentiate by; nil: all
}

// derivative is the program of the Jacobian, with the outputs of p in front where values are wanted. What only other
// inputs need is dead code.
func (o Options) derivative(p *ir.Program, order []int, values bool) (*ir.Program, error) {
	d, err := ad.Raw(p, order)
	if err != nil {
		return nil, fmt.Errorf("graph function %w", err) // names the program, which has the function's name
	}
	outputs, entries := d.Outputs[:len(p.Outputs)], d.Outputs[len(p.Outputs):]
	if !values {
		outputs = nil
	}
	wanted := slices.Clone(outputs)
	for row := range slices.Chunk(entries, len(p.Inputs)) {
		for _, k := range o.inputs(p) {
			wanted = append(wanted, row[k])
		}
	}
	d.Outputs = wanted
	return ir.Simplify(d)
}

// inputs lists the positions of the inputs to differentiate by.
func (o Options) inputs(p *ir.Program) []int {
	if o.Inputs == nil {
		return upTo(len(p.Inputs))
	}
	return o.Inputs
}

// check refuses a function that uses variables of a model beside its n inputs, and wrong positions.
func (o Options) check(p *ir.Program, n int) error {
	if len(p.Inputs) > n {
		return fmt.Errorf("graph function %s uses the variable %q; pass it as an input, or as a constant by Store.WithVariableAsConst(true)", p.Name, p.InputNames()[n])
	}
	for i, k := range o.Inputs {
		if k < 0 || k >= n || slices.Contains(o.Inputs[:i], k) {
			return fmt.Errorf("graph function %s: the positions of inputs %v; expected different ones from 0 to %d", p.Name, o.Inputs, n-1)
		}
	}
	if o.Inputs != nil && len(o.Inputs) == 0 {
		return fmt.Errorf("graph function %s: an empty list of inputs to differentiate by", p.Name)
	}
	return nil
}

func (o Options) order(p *ir.Program) ([]int, error) {
	if o.Order != nil {
		return o.Order, nil
	}
	g, err := ad.Graph(p)
	if err != nil {
		return nil, err
	}
	if o.Find != nil {
		return o.Find(g)
	}
	return elim.Cheapest(g), nil
}

// A Derivative computes a graph function and its Jacobian. It compiles once for every combination of input shapes, and is
// not safe for concurrent use.
type Derivative struct {
	backend compute.Backend
	fn      any
	options Options
	known   map[string]*compiled
}

type compiled struct {
	exec    *graph.Exec
	outputs int
	program *ir.Program
	order   []int
}

// Jacobian prepares the Jacobian of a GoMLX graph function on a backend; nil is GoMLX's Go backend. fn is what
// [Program] takes.
func Jacobian(backend compute.Backend, fn any, o Options) (*Derivative, error) {
	if _, _, err := asGraphFn(fn); err != nil {
		return nil, err
	}
	if backend == nil {
		var err error
		if backend, err = exec.Backend(); err != nil {
			return nil, err
		}
	}
	if o.Name == "" {
		o.Name = "f"
	}
	return &Derivative{backend: backend, fn: fn, options: o, known: map[string]*compiled{}}, nil
}

// Call evaluates the function and its Jacobian: jacobian[i][j] is ∂y_i/∂x_j with the axes of output i, then those of
// input j, of the inputs chosen.
func (d *Derivative) Call(inputs ...*tensors.Tensor) (values []*tensors.Tensor, jacobian [][]*tensors.Tensor, err error) {
	var key strings.Builder
	list := make([]shapes.Shape, len(inputs))
	args := make([]any, len(inputs))
	for k, x := range inputs {
		if x == nil {
			return nil, nil, fmt.Errorf("graph function %s: input %d is nil", d.options.Name, k+1)
		}
		list[k], args[k] = x.Shape(), x
		key.WriteString(x.Shape().String())
	}
	c := d.known[key.String()]
	if c == nil {
		if c, err = d.compile(list); err != nil {
			return nil, nil, err
		}
		d.known[key.String()] = c
	}
	out, err := exec.Call(c.exec, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("graph function %s: %w", d.options.Name, err)
	}
	for row := range slices.Chunk(out[c.outputs:], len(d.options.inputs(c.program))) {
		jacobian = append(jacobian, row)
	}
	return out[:c.outputs], jacobian, nil
}

func (d *Derivative) compile(inputs []shapes.Shape) (*compiled, error) {
	p, err := program(d.backend, d.options.Name, d.fn, inputs)
	if err != nil {
		return nil, err
	}
	if err := d.options.check(p, len(inputs)); err != nil {
		return nil, err
	}
	c := &compiled{outputs: len(p.Outputs)}
	if c.order, err = d.options.order(p); err != nil {
		return nil, fmt.Errorf("graph function %s: %w", d.options.Name, err)
	}
	if c.program, err = d.options.derivative(p, c.order, true); err != nil {
		return nil, err
	}
	c.exec, err = graph.NewExec(d.backend, func(x []*graph.Node) []*graph.Node { return exec.Build(c.program, x) })
	return c, err
}

// JacobianNodes records the Jacobian of fn at the given nodes in their graph: result [i][j] is ∂y_i/∂x_j with the axes of
// output i, then those of input j. It serves inside graph functions and panics on mistakes as they do.
func JacobianNodes(fn any, o Options, inputs ...*graph.Node) [][]*graph.Node {
	if len(inputs) == 0 {
		panic(fmt.Errorf("JacobianNodes without inputs"))
	}
	if o.Name == "" {
		o.Name = "f"
	}
	list := make([]shapes.Shape, len(inputs))
	for k, x := range inputs {
		list[k] = x.Shape()
	}
	p, err := program(inputs[0].Graph().Backend(), o.Name, fn, list)
	if err != nil {
		panic(err)
	}
	if err := o.check(p, len(inputs)); err != nil {
		panic(err)
	}
	order, err := o.order(p)
	if err != nil {
		panic(err)
	}
	jac, err := o.derivative(p, order, false)
	if err != nil {
		panic(err)
	}
	var jacobian [][]*graph.Node
	for row := range slices.Chunk(exec.Build(jac, inputs), len(o.inputs(p))) {
		jacobian = append(jacobian, row)
	}
	return jacobian
}
