// Package ad turns a program into its derivative program by vertex elimination.
//
// The elimination graph has the program's inputs and vertices as nodes and a local partial derivative on every edge.
// Eliminating a vertex multiplies each of its in-edges with each of its out-edges and adds the products to the edges
// between its neighbours; when only inputs and outputs remain, the edges are the Jacobian (Griewank & Walther,
// Evaluating Derivatives, ch. 9; Griewank & Reese 1991). The order of elimination decides the cost, not the result.
package ad

import (
	"fmt"
	"maps"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// linearization is a program under differentiation: the primal recorded in b, a graph node for every input and vertex,
// and the partial derivative on every edge.
type linearization struct {
	b       *ir.Builder
	primal  []*ir.Value         // handle of every node of the program
	graph   *elim.Graph         // the same graph as bit sets, for checking orders and counting
	in      []map[int]*ir.Value // in[w][u] is the partial derivative of graph node w by graph node u
	out     []map[int]bool      // out[u] holds the successors of u
	vertex  []int               // graph node of every vertex number minus one
	results []int               // graph node of every output: its vertex, its copy when it is used again, or -1 for a constant
}

// Graph builds the elimination graph of a program of scalars. Vertex k is the k-th node in trace order that depends on an
// input ([ir.Program.Vertices]); an edge stands for every argument whose partial derivative is not zero everywhere, and
// is marked a unit where that is the constant ±1.
func Graph(p *ir.Program) (*elim.Graph, error) {
	l, err := linearize(p)
	if err != nil {
		return nil, err
	}
	return l.graph, nil
}

func linearize(p *ir.Program) (*linearization, error) {
	if err := ir.Verify(p); err != nil {
		return nil, err
	}
	if ok, first := p.IsScalar(); !ok {
		n := &p.Nodes[first]
		return nil, fmt.Errorf("program %q: node %q (%s) has shape %v; elimination works on scalars, use ir.Scalarize first", p.Name, p.DisplayNames()[first], n.Op, n.Shape)
	}
	l := &linearization{b: ir.NewBuilder(p.Name)}
	l.primal = l.b.Splice(p, nil)
	graphNode := make([]int, len(p.Nodes)) // -1: a constant
	for i := range graphNode {
		graphNode[i] = -1
	}
	nodes := 0
	for _, id := range p.Inputs {
		graphNode[id] = nodes
		nodes++
	}
	vertices := p.Vertices()
	for _, id := range vertices {
		graphNode[id] = nodes
		l.vertex = append(l.vertex, nodes)
		nodes++
	}
	l.in = make([]map[int]*ir.Value, nodes, nodes+len(p.Outputs))
	spec := elim.Spec{Inputs: len(p.Inputs), Vertices: len(vertices)}
	for _, id := range vertices {
		w := graphNode[id]
		var err error
		if l.in[w], err = l.partials(p, id, graphNode); err != nil {
			return nil, err
		}
		for _, u := range sorted(l.in[w]) {
			spec.Edges = append(spec.Edges, elim.Edge{From: u, To: w, Unit: isUnit(l.in[w][u])})
		}
	}
	seen := map[ir.ID]bool{}
	for _, o := range p.Outputs {
		if graphNode[o.Node] >= 0 && !seen[o.Node] {
			seen[o.Node] = true
			spec.Outputs = append(spec.Outputs, graphNode[o.Node])
		}
	}
	var err error
	if l.graph, err = elim.New(spec); err != nil {
		return nil, fmt.Errorf("program %q: %w", p.Name, err)
	}
	l.successors()
	l.copies(p, graphNode)
	return l, nil
}

// partials records the partial derivatives of a node by its arguments; an argument given twice gets the sum of both.
func (l *linearization) partials(p *ir.Program, id ir.ID, graphNode []int) (map[int]*ir.Value, error) {
	n := &p.Nodes[id]
	r, ok := rules[n.Op]
	if !ok {
		return nil, fmt.Errorf("program %q: node %q: op %s has no derivative rule", p.Name, p.DisplayNames()[id], n.Op)
	}
	args := make([]*ir.Value, len(n.Args))
	for k, a := range n.Args {
		args[k] = l.primal[a]
	}
	edges := map[int]*ir.Value{}
	for k, d := range r(args, l.primal[id], n.Attrs) {
		u := graphNode[n.Args[k]]
		if d == nil || u < 0 {
			continue
		}
		if edges[u] != nil {
			d = ir.Add(edges[u], d)
		}
		edges[u] = d
	}
	return edges, nil
}

func (l *linearization) successors() {
	l.out = make([]map[int]bool, len(l.in), cap(l.in))
	for i := range l.out {
		l.out[i] = map[int]bool{}
	}
	for w, preds := range l.in {
		for u := range preds {
			l.out[u][w] = true
		}
	}
}

// copies gives every output that is used again, or is an input, a node of its own with a unit edge.
func (l *linearization) copies(p *ir.Program, graphNode []int) {
	one := ir.Const(l.b, 1)
	sink := map[int]int{}
	for _, o := range p.Outputs {
		v := graphNode[o.Node]
		if v < 0 {
			l.results = append(l.results, -1)
			continue
		}
		s, done := sink[v]
		if !done {
			s = v
			if len(l.out[v]) > 0 || v < len(p.Inputs) {
				s = len(l.in)
				l.in = append(l.in, map[int]*ir.Value{v: one})
				l.out = append(l.out, map[int]bool{})
				l.out[v][s] = true
			}
			sink[v] = s
		}
		l.results = append(l.results, s)
	}
}

// eliminate removes vertex number k.
func (l *linearization) eliminate(k int) {
	v := l.vertex[k-1]
	preds := sorted(l.in[v])
	for _, w := range sorted(l.out[v]) {
		left := l.in[w][v]
		delete(l.in[w], v)
		for _, u := range preds {
			d := ir.Mul(left, l.in[v][u])
			if old := l.in[w][u]; old != nil {
				d = ir.Add(old, d)
			}
			l.in[w][u] = d
			l.out[u][w] = true
		}
	}
	for _, u := range preds {
		delete(l.out[u], v)
	}
	l.in[v], l.out[v] = nil, nil
}

func sorted[V any](m map[int]V) []int { return slices.Sorted(maps.Keys(m)) }

func isUnit(v *ir.Value) bool { return v.IsConst(1) || v.IsConst(-1) }

// Raw returns the derivative program as elimination writes it, before any simplification: its outputs are those of p,
// then the Jacobian, row-major, entry ∂y/∂x named d(y)/d(x). The multiplications that elimination appends number exactly
// the published metric, factors ±1 included ([elim.Graph.Muls]). A nil order means reverse.
func Raw(p *ir.Program, order []int) (*ir.Program, error) {
	l, err := linearize(p)
	if err != nil {
		return nil, err
	}
	if order == nil {
		order = elim.Reverse(l.graph)
	}
	if err := l.graph.CheckOrder(order); err != nil {
		return nil, fmt.Errorf("program %q: %w", p.Name, err)
	}
	for _, k := range order {
		l.eliminate(k)
	}
	for _, o := range p.Outputs {
		l.b.Output(o.Name, l.primal[o.Node])
	}
	for i, o := range p.Outputs {
		for j, id := range p.Inputs {
			var d *ir.Value
			if r := l.results[i]; r >= 0 {
				d = l.in[r][j]
			}
			if d == nil {
				d = ir.Const(l.b, 0)
			}
			l.b.Output(EntryName(o.Name, p.Nodes[id].Name), d)
		}
	}
	return l.b.Build()
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
// factors ±1, sharing common subexpressions and dropping dead code.
func CountOps(p *ir.Program, order []int) (ir.OpCount, error) {
	d, err := ValueAndJacobian(p, order)
	if err != nil {
		return ir.OpCount{}, err
	}
	if d, err = ir.Optimize(d); err != nil {
		return ir.OpCount{}, err
	}
	return ir.Count(d)
}
