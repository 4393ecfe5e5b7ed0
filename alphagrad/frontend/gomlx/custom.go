package gomlx

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// A custom gradient is the function that takes an adjoint to the one of the argument, recorded in the graph.
type custom struct{ adjoint, result *graph.Node }

var errCustom = errors.New("its custom gradient is not understood; expected the adjoint, element by element times a factor that does not depend on it")

func (t *tracer) customGradient(n *graph.Node) (custom, error) {
	if n.Type() != graph.NodeTypeIdentity {
		return custom{}, errCustom
	}
	adjoint := graph.Parameter(t.g, fmt.Sprintf("adjoint#%d", n.Id()), n.Shape())
	out := n.CustomGradient()(n, []*graph.Node{adjoint}, shapes.Make(n.DType()))
	if len(out) != 1 || !sameDims(out[0], n) {
		return custom{}, errCustom
	}
	return custom{adjoint, out[0]}, nil
}

// withGradient gives v, the value of n, the derivative that its custom gradient multiplies adjoints by.
func (t *tracer) withGradient(n *graph.Node, v *ir.Value, c custom) (*ir.Value, error) {
	d, err := t.dependence(c.result, c.adjoint)
	if err != nil {
		return nil, err
	}
	if d == none && !t.isZero(c.result) {
		return nil, errCustom
	}
	fixed := ir.StopGradient(v)
	values := t.values // nodes of the factor that the function itself uses too have other derivatives there
	defer func() { t.values = values }()
	t.values = maps.Clone(values)
	t.values[n] = fixed
	factor, err := t.value(c.result)
	if err != nil {
		return nil, err
	}
	return ir.Add(fixed, ir.Mul(ir.Sub(v, fixed), ir.StopGradient(factor))), nil
}

// dependence says how a node depends on an adjoint.
type dependence int

const (
	none     dependence = iota + 1 // not at all
	multiple                       // as a multiple, element by element
)

// dependence fails where a node is no multiple of the adjoint.
func (t *tracer) dependence(n, adjoint *graph.Node) (d dependence, err error) {
	if n == adjoint {
		return multiple, nil
	}
	if d, ok := t.depends[[2]*graph.Node{n, adjoint}]; ok {
		return d, nil
	}
	var of []dependence
	for _, x := range n.Inputs() {
		d, err := t.dependence(x, adjoint)
		if err != nil {
			return 0, err
		}
		of = append(of, d)
	}
	d = none
	if slices.Contains(of, multiple) {
		d = multiple
		ok := decomposed(n) == nil && t.custom[n].result == nil && !n.StopGradient()
		for k, x := range n.Inputs() { // a multiple, or zero, where a sum or a choice needs one
			ok = ok && (of[k] == none || sameDims(x, n))
			switch n.Type() {
			case graph.NodeTypeAdd, graph.NodeTypeSub:
				ok = ok && (of[k] == multiple || t.isZero(x))
			case graph.NodeTypeWhere:
				ok = ok && (k == 0 && of[k] == none || k > 0 && (of[k] == multiple || t.isZero(x)))
			}
		}
		switch n.Type() {
		case graph.NodeTypeAdd, graph.NodeTypeSub, graph.NodeTypeWhere, graph.NodeTypeNeg, graph.NodeTypeIdentity, graph.NodeTypeConvertDType:
		case graph.NodeTypeMul:
			ok = ok && slices.Contains(of, none)
		case graph.NodeTypeDiv:
			ok = ok && of[1] == none
		default:
			ok = false
		}
		if !ok {
			return 0, errCustom
		}
	}
	t.depends[[2]*graph.Node{n, adjoint}] = d
	return d, nil
}

func (t *tracer) isZero(n *graph.Node) bool { return t.values[n] != nil && t.values[n].IsConst(0) }

func sameDims(a, b *graph.Node) bool { return slices.Equal(a.Shape().Dimensions, b.Shape().Dimensions) }
