// Package ad turns a program into its derivative program by vertex elimination.
//
// The elimination graph has the program's inputs and vertices as nodes and a local partial derivative on every edge.
// Eliminating a vertex multiplies each of its in-edges with each of its out-edges and adds the products to the edges
// between its neighbours; when only inputs and outputs remain, the edges are the Jacobian (Griewank & Walther,
// Evaluating Derivatives, ch. 9; Griewank & Reese 1991). The order of elimination decides the cost, not the result.
package ad

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Graph builds the elimination graph of a program. Vertex k is the k-th node in trace order that depends on an
// input ([ir.Program.Vertices]); an edge stands for every argument whose partial derivative is not zero everywhere. On
// scalars an edge is marked a unit where that is the constant ±1; on arrays it carries the structure of the local Jacobian.
func Graph(p *ir.Program) (*elim.Graph, error) {
	d, err := derive(p)
	if err != nil {
		return nil, err
	}
	return d.elimination(), nil
}

// Raw returns the derivative program as elimination writes it, before any simplification: its outputs are those of p,
// then the Jacobian, row-major, entry ∂y/∂x named d(y)/d(x), a dense tensor with the axes of y, then those of x. On a
// program of scalars the multiplications that elimination appends number exactly the published metric, factors ±1
// included ([elim.Graph.Muls]). A nil order means reverse.
func Raw(p *ir.Program, order []int) (*ir.Program, error) {
	d, err := derive(p)
	if err != nil {
		return nil, err
	}
	return d.program(order)
}

// EntryName is the name of the output that holds ∂y/∂x.
func EntryName(y, x string) string { return "d(" + y + ")/d(" + x + ")" }

// ValueAndJacobian returns a program that computes the outputs of p and its Jacobian together: the simplified form of
// [Raw], sharing subexpressions between both.
func ValueAndJacobian(p *ir.Program, order []int) (*ir.Program, error) {
	d, err := Raw(p, order)
	if err != nil {
		return nil, err
	}
	return ir.Simplify(d)
}

// Jacobian returns the program of the Jacobian alone, its entries row-major. Being an ordinary program it can be
// differentiated again: applied twice to a scalar function it gives the Hessian.
func Jacobian(p *ir.Program, order []int) (*ir.Program, error) {
	d, err := Raw(p, order)
	if err != nil {
		return nil, err
	}
	d.Outputs = d.Outputs[len(p.Outputs):]
	return ir.Simplify(d)
}

// CountOps counts the operations of the whole derivative program, value and Jacobian, as a compiler gets it: after folding
// factors ±1, sharing common subexpressions and reciprocals, and dropping dead code ([ir.Finish]).
func CountOps(p *ir.Program, order []int) (ir.OpCount, error) {
	d, err := Emitted(p, order)
	if err != nil {
		return ir.OpCount{}, err
	}
	return ir.Count(d)
}

// Memory is that of the whole derivative program, value and Jacobian, as it executes: the largest number of elements
// held at once ([ir.PeakLive]) in its schedule ([ir.Schedule]).
func Memory(p *ir.Program, order []int) (int64, error) {
	d, err := Emitted(p, order)
	if err != nil {
		return 0, err
	}
	return ir.PeakLive(d), nil
}

// Emitted is the derivative program that back ends run, value and Jacobian.
func Emitted(p *ir.Program, order []int) (*ir.Program, error) {
	d, err := ValueAndJacobian(p, order)
	if err != nil {
		return nil, err
	}
	return ir.Finish(d, len(d.Outputs)-len(p.Outputs))
}

// Edges returns what elimination starts from, for a program of scalars: a program whose outputs are those of p, then the
// local partial derivative on every edge of [Graph]; and those edges, between the nodes of the graph.
func Edges(p *ir.Program) (*ir.Program, []elim.Edge, error) {
	if err := ir.Verify(p); err != nil {
		return nil, nil, err
	}
	if ok, first := p.IsScalar(); !ok {
		return nil, nil, fmt.Errorf("program %q: node %q is an array; its edges are no single expressions", p.Name, p.DisplayNames()[first])
	}
	l, err := linearize(p, scalars{})
	if err != nil {
		return nil, nil, err
	}
	var edges []elim.Edge
	for w := range len(l.p.Inputs) + len(l.vertex) {
		for _, u := range sorted(l.in[w]) {
			edges = append(edges, elim.Edge{From: u, To: w, Unit: isUnit(l.in[w][u])})
		}
	}
	q, err := l.outputs(len(edges), func(k int) (string, *ir.Value) {
		e := edges[k]
		return fmt.Sprintf("edge %d to %d", e.From, e.To), l.in[e.To][e.From]
	})
	return q, edges, err
}
