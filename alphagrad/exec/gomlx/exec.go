// Package gomlx runs programs on GoMLX: every op of the table has a row, derivative programs are programs like any other,
// and [Build] puts a program into a graph function of the user's own.
package gomlx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Build records a program in the graph of its inputs, one node per input in declaration order, and returns one node per
// output. All inputs have one floating-point type, which the result has too. Like every graph-building function of GoMLX
// it panics on mistakes.
func Build(p *ir.Program, inputs []*graph.Node) []*graph.Node {
	if len(inputs) != len(p.Inputs) {
		panic(fmt.Errorf("program %q has %d inputs, not %d", p.Name, len(p.Inputs), len(inputs)))
	}
	if len(inputs) == 0 {
		panic(fmt.Errorf("program %q has no inputs, so that there is no graph to build it in", p.Name))
	}
	g, dtype := inputs[0].Graph(), inputs[0].DType()
	values := make([]*graph.Node, len(p.Nodes))
	for k, id := range p.Inputs {
		if x := inputs[k]; x.DType() != dtype || !ir.Shape(x.Shape().Dimensions).Equal(p.Nodes[id].Shape) {
			panic(fmt.Errorf("program %q: input %q takes %s%v, has %s", p.Name, p.Nodes[id].Name, dtype, p.Nodes[id].Shape, x.Shape()))
		}
		values[id] = inputs[k]
	}
	constants := map[float64]*graph.Node{} // GoMLX compares every new constant with all others
	for id := range p.Nodes {
		n := &p.Nodes[id]
		switch n.Op {
		case ir.OpInput:
			continue
		case ir.OpConst:
			if len(n.Shape) == 0 {
				if constants[n.Value[0]] == nil {
					constants[n.Value[0]] = graph.Scalar(g, dtype, n.Value[0])
				}
				values[id] = constants[n.Value[0]]
			} else {
				values[id] = constant(g, dtype, n)
			}
			continue
		}
		r, ok := rows[n.Op]
		if !ok {
			panic(fmt.Errorf("program %q: node %q: op %s has no row for GoMLX", p.Name, p.DisplayNames()[id], n.Op))
		}
		args := make([]*graph.Node, len(n.Args))
		for k, a := range n.Args {
			args[k] = values[a]
		}
		values[id] = r(n, args)
	}
	outputs := make([]*graph.Node, len(p.Outputs))
	computes := false
	for k, o := range p.Outputs {
		outputs[k] = values[o.Node]
		op := p.Nodes[o.Node].Op
		computes = computes || op.Class == ir.Elementwise && op != ir.OpStopGradient && op != ir.OpPowi
	}
	if !computes && len(outputs) > 0 { // the Go backend fails where all results are inputs, moved at most
		outputs[0] = graph.Add(outputs[0], graph.ScalarZero(g, dtype))
	}
	return outputs
}

// constant records a constant array: a stretched scalar where all elements are equal, so that none of them is stored.
func constant(g *graph.Graph, dtype dtypes.DType, n *ir.Node) *graph.Node {
	if !slices.ContainsFunc(n.Value, func(x float64) bool { return x != n.Value[0] }) {
		return graph.BroadcastToDims(graph.Scalar(g, dtype, n.Value[0]), n.Shape...)
	}
	if dtype == dtypes.Float64 {
		return graph.ConstTensor(g, tensors.FromFlatDataAndDimensions(n.Value, n.Shape...))
	}
	rounded := make([]float32, len(n.Value))
	for k, x := range n.Value {
		rounded[k] = float32(x)
	}
	return graph.ConvertDType(graph.ConstTensor(g, tensors.FromFlatDataAndDimensions(rounded, n.Shape...)), dtype)
}

// Options say how a program is compiled.
type Options struct {
	Backend compute.Backend // nil: GoMLX's Go backend, see [BackendConfig]; an XLA backend that the user has opened works too
	Batch   int             // samples a call, as a first axis of inputs and outputs ([ir.Batch]); 0: no such axis
	Shared  []string        // inputs that all samples of a batch share
}

// Float is the type of the numbers of an executor.
type Float interface{ float32 | float64 }

// An Executor is a compiled program. It is not safe for concurrent use: make one for each goroutine.
type Executor[T Float] struct {
	program *ir.Program
	exec    *graph.Exec
	inputs  []any // *tensors.Tensor, refilled by every call
}

// Compile prepares a program for GoMLX.
func Compile[T Float](p *ir.Program, o Options) (*Executor[T], error) {
	if o.Batch < 0 {
		return nil, fmt.Errorf("program %q: a batch of %d samples", p.Name, o.Batch)
	}
	if len(o.Shared) > 0 && o.Batch == 0 {
		return nil, fmt.Errorf("program %q: inputs are shared by the samples of a batch, and there is none", p.Name)
	}
	if err := ir.Verify(p); err != nil {
		return nil, err
	}
	if len(p.Inputs) == 0 {
		return nil, fmt.Errorf("program %q has no inputs", p.Name)
	}
	var err error
	if o.Batch > 0 {
		if p, err = ir.Batch(p, o.Batch, o.Shared...); err != nil {
			return nil, err
		}
	}
	if o.Backend == nil {
		if o.Backend, err = Backend(); err != nil {
			return nil, err
		}
	}
	e := &Executor[T]{program: p}
	e.exec, err = graph.NewExec(o.Backend, func(inputs []*graph.Node) []*graph.Node { return Build(p, inputs) })
	if err != nil {
		return nil, fmt.Errorf("program %q: %w", p.Name, err)
	}
	var t T
	dtype := dtypes.FromAny(t)
	for _, id := range p.Inputs {
		e.inputs = append(e.inputs, tensors.FromShape(shapes.Make(dtype, p.Nodes[id].Shape...)))
	}
	return e, nil
}

// Call evaluates the program. inputs[k] holds the elements of input k, row-major; outputs[k] is filled with those of
// output k and grown if it is too short: outputs of an earlier call may be passed again, or nil.
func (e *Executor[T]) Call(inputs, outputs [][]T) ([][]T, error) {
	p := e.program
	if len(inputs) != len(p.Inputs) {
		return nil, fmt.Errorf("program %q has %d inputs, not %d", p.Name, len(p.Inputs), len(inputs))
	}
	for k, id := range p.Inputs {
		if n := p.Nodes[id].Shape.Size(); len(inputs[k]) != n {
			return nil, fmt.Errorf("program %q: input %q has %d elements, given %d", p.Name, p.Nodes[id].Name, n, len(inputs[k]))
		}
		if err := tensors.MutableFlatData(e.inputs[k].(*tensors.Tensor), func(flat []T) { copy(flat, inputs[k]) }); err != nil {
			return nil, fmt.Errorf("program %q: input %q: %w", p.Name, p.Nodes[id].Name, err)
		}
	}
	results, err := Call(e.exec, e.inputs...)
	if err != nil {
		return nil, fmt.Errorf("program %q: %w", p.Name, err)
	}
	if len(outputs) < len(results) {
		outputs = append(outputs, make([][]T, len(results)-len(outputs))...)
	}
	for k, r := range results {
		err = errors.Join(err, tensors.ConstFlatData(r, func(flat []T) { outputs[k] = append(outputs[k][:0], flat...) }))
	}
	return outputs[:len(results)], err
}

// Close frees what GoMLX holds.
func (e *Executor[T]) Close() { e.exec.Finalize() }
