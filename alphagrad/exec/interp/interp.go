// Package interp evaluates programs node by node in float64: slow, plain, and the reference every other back end is
// tested against.
package interp

import (
	"fmt"
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Eval runs a program on its inputs, in declaration order, and returns its outputs.
func Eval(p *ir.Program, inputs []ir.Tensor) ([]ir.Tensor, error) {
	if len(inputs) != len(p.Inputs) {
		return nil, fmt.Errorf("program %q takes %d inputs %v, has %d", p.Name, len(p.Inputs), p.InputNames(), len(inputs))
	}
	vals := make([]ir.Tensor, len(p.Nodes))
	for i, id := range p.Inputs {
		n := &p.Nodes[id]
		if !inputs[i].Shape.Equal(n.Shape) || len(inputs[i].Data) != n.Shape.Size() {
			return nil, fmt.Errorf("program %q: input %q has shape %v, is given shape %v with %d numbers", p.Name, n.Name, n.Shape, inputs[i].Shape, len(inputs[i].Data))
		}
		vals[id] = inputs[i]
	}
	var args []ir.Tensor
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Op == ir.OpInput {
			continue
		}
		args = args[:0]
		for _, a := range n.Args {
			args = append(args, vals[a])
		}
		vals[i] = ir.EvalNode(n, args)
	}
	out := make([]ir.Tensor, len(p.Outputs))
	for i, o := range p.Outputs {
		out[i] = vals[o.Node]
	}
	return out, nil
}

// EvalScalar runs a program of scalar inputs and outputs.
func EvalScalar(p *ir.Program, x []float64) ([]float64, error) {
	in := make([]ir.Tensor, len(x))
	for i, v := range x {
		in[i] = ir.Scalar(v)
	}
	out, err := Eval(p, in)
	if err != nil {
		return nil, err
	}
	y := make([]float64, len(out))
	for i, t := range out {
		if len(t.Shape) > 0 {
			return nil, fmt.Errorf("program %q: output %q has shape %v, expected a scalar", p.Name, p.Outputs[i].Name, t.Shape)
		}
		y[i] = t.Data[0]
	}
	return y, nil
}

// NonFinite lists the outputs that hold an infinity or not a number: where a function is evaluated outside its domain.
func NonFinite(p *ir.Program, out []ir.Tensor) []string {
	var names []string
	for i, t := range out {
		for _, v := range t.Data {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				names = append(names, p.Outputs[i].Name)
				break
			}
		}
	}
	return names
}
