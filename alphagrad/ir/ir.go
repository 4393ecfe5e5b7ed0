// Package ir is the program representation everything else stands on: straight-line, typed SSA of tensor operations.
//
// A [Program] is a list of nodes in evaluation order. Each node applies one row of the op table ([OpInfo]) to earlier
// nodes, carries static attributes and has a static [Shape]; values are float64. Programs come from the tracer
// ([Builder] and the free functions [Add], [Mul], [Sin], …), from graph files ([ReadGraph]) or from the textual form
// ([Parse]); a derivative is again a Program, so the same passes, printers and back ends serve both.
package ir

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Shape is the list of axis sizes of a value; a scalar has the empty shape.
type Shape []int

// Size is the number of elements, 1 for a scalar.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Equal reports whether both shapes have the same axes.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// String prints the shape as [2 3]; a scalar prints as [].
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// ID names a node of one program: its index in [Program.Nodes].
type ID int32

// Node is one operation of a program.
type Node struct {
	Op    *OpInfo
	Args  []ID      // earlier nodes of the same program
	Attrs *Attrs    // static attributes; nil when the op has none
	Shape Shape     // shape of the result
	Name  string    // unique within the program; constants and intermediate nodes may have none
	Value []float64 // row-major data of a constant; nil for every other op
}

// Attrs holds the static attributes of a node. Which fields an op takes is part of its table row; the others stay zero.
type Attrs struct {
	N         int      // powi: the exponent
	Axis      int      // concat, gather: the axis
	Axes      []int    // reduce_*: axes to reduce; transpose: permutation; broadcast: result axis of each operand axis
	Shape     Shape    // reshape, broadcast: the result shape
	Start     []int    // slice: first index per axis
	Limit     []int    // slice: end index (exclusive) per axis
	Stride    []int    // slice: step per axis
	Low       []int    // pad: zeros before each axis
	High      []int    // pad: zeros after each axis
	Indices   []int    // gather: positions along Axis
	Spec      string   // einsum: "ij,jk->ik"
	Surrogate string   // heaviside: name of the derivative used in place of zero
	Width     *float64 // heaviside: slope parameter of the surrogate, 1 when nil
	Height    *float64 // heaviside: factor on the surrogate, 1 when nil
	AtZero    *float64 // heaviside: value at zero, 0.5 when nil
}

// Output is one declared result of a program.
type Output struct {
	Name string // unique among the outputs
	Node ID
}

// Program is a straight-line program: Nodes in evaluation order, of which Inputs are given and Outputs are wanted.
// A legal program satisfies [Verify].
type Program struct {
	Name    string
	Nodes   []Node
	Inputs  []ID // the OpInput nodes in declaration order
	Outputs []Output
}

// Clone returns a program whose node and output lists can be changed without touching p.
func (p *Program) Clone() *Program {
	q := *p
	q.Nodes, q.Inputs, q.Outputs = slices.Clone(p.Nodes), slices.Clone(p.Inputs), slices.Clone(p.Outputs)
	return &q
}

// InputNames lists the inputs' names in declaration order.
func (p *Program) InputNames() []string {
	names := make([]string, len(p.Inputs))
	for i, id := range p.Inputs {
		names[i] = p.Nodes[id].Name
	}
	return names
}

// OutputNames lists the outputs' names in declaration order.
func (p *Program) OutputNames() []string {
	names := make([]string, len(p.Outputs))
	for i, o := range p.Outputs {
		names[i] = o.Name
	}
	return names
}

// IsScalar reports whether every node is a scalar; if not, it returns the first node that is none.
func (p *Program) IsScalar() (ok bool, first ID) {
	for i := range p.Nodes {
		if len(p.Nodes[i].Shape) > 0 {
			return false, ID(i)
		}
	}
	return true, 0
}

// Varies reports for each node whether its value depends on an input.
func (p *Program) Varies() []bool {
	varies := make([]bool, len(p.Nodes))
	for i := range p.Nodes {
		n := &p.Nodes[i]
		varies[i] = n.Op == OpInput
		for _, a := range n.Args {
			varies[i] = varies[i] || varies[a]
		}
	}
	return varies
}

// Vertices lists the nodes that are vertices of the elimination graph: every node that depends on an input and is no
// input itself, in trace order. Vertex number k (1, 2, 3, …) is element k-1, the numbering of the published AlphaGrad
// orders (Lohoff & Neftci, arXiv 2406.05027).
func (p *Program) Vertices() []ID {
	var vs []ID
	for i, v := range p.Varies() {
		if v && p.Nodes[i].Op != OpInput {
			vs = append(vs, ID(i))
		}
	}
	return vs
}

// DisplayNames gives every node a unique printable name: its own where it has one, otherwise _<id>.
func (p *Program) DisplayNames() []string {
	used := make(map[string]bool, len(p.Nodes))
	for i := range p.Nodes {
		used[p.Nodes[i].Name] = true
	}
	names := make([]string, len(p.Nodes))
	for i := range p.Nodes {
		name := p.Nodes[i].Name
		for k := 0; name == ""; k++ {
			c := "_" + strconv.Itoa(i) + strings.Repeat("_", k)
			if !used[c] {
				used[c], name = true, c
			}
		}
		names[i] = name
	}
	return names
}

// ConstScalar returns the value of a scalar constant node.
func (p *Program) ConstScalar(id ID) (value float64, ok bool) {
	n := &p.Nodes[id]
	if n.Op != OpConst || len(n.Shape) > 0 {
		return 0, false
	}
	return n.Value[0], true
}

// Tensor is a value: a shape with its elements in row-major order.
type Tensor struct {
	Shape Shape
	Data  []float64
}

// Scalar wraps one number as a tensor of shape [].
func Scalar(v float64) Tensor { return Tensor{Shape: Shape{}, Data: []float64{v}} }

// NodeError is a complaint about one node of a program.
type NodeError struct {
	Node string // display name
	Op   string
	Err  error
}

func (e *NodeError) Error() string {
	if e.Op == "" {
		return fmt.Sprintf("node %q: %v", e.Node, e.Err)
	}
	return fmt.Sprintf("node %q (%s): %v", e.Node, e.Op, e.Err)
}

func (e *NodeError) Unwrap() error { return e.Err }
