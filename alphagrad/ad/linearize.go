package ad

import (
	"fmt"
	"maps"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// calculus is arithmetic on edges: on scalars an edge is one expression, on arrays a sum of structured ones.
type calculus[E any] interface {
	// partials are the partial derivatives of a node by each of its arguments; an edge that is empty is zero.
	partials(n *ir.Node, args []*ir.Value, y *ir.Value) ([]E, error)
	one(b *ir.Builder, shape ir.Shape) E // of a copy
	empty(e E) bool
	multiply(left, right E) E
	add(a, b E) E
	// describe says what the elimination graph knows of an edge.
	describe(e E) (unit bool, terms []*structure.Term)
	// dense is the edge as a tensor with the axes of y, then those of x.
	dense(b *ir.Builder, e E, y, x ir.Shape) *ir.Value
}

// linearization is a program under differentiation: the primal recorded in b, a graph node for every input and vertex,
// and the partial derivative on every edge.
type linearization[E any] struct {
	calculus[E]
	p       *ir.Program
	b       *ir.Builder
	primal  []*ir.Value    // handle of every node of the program
	graph   *elim.Graph    // the same graph as bit sets, for checking orders and counting
	in      []map[int]E    // in[w][u] is the partial derivative of graph node w by graph node u
	out     []map[int]bool // out[u] holds the successors of u
	node    []int          // graph node of every node of the program, -1 for a constant
	vertex  []int          // graph node of every vertex number minus one
	inputs  int            // graph nodes that are inputs, the first ones
	results []int          // graph node of every output: its vertex, its copy when it is used again, or -1 for a constant
}

func linearize[E any](p *ir.Program, c calculus[E]) (*linearization[E], error) {
	b := ir.NewBuilder(p.Name)
	l := &linearization[E]{calculus: c, p: p, b: b, primal: b.Splice(p, nil)}
	return l, l.build(p.Inputs, nil, nil, nil)
}

// build sets the graph up. Its inputs are those that derivatives are wanted by; the carried inputs of the program are
// vertices whose in-edges seeds gives; other inputs count as constants. edit, if not nil, may change the edge between two
// nodes of the program.
func (l *linearization[E]) build(inputs, carried []ir.ID, seeds []map[int]E, edit func(from, to ir.ID, e E) (E, error)) error {
	p := l.p
	l.node = make([]int, len(p.Nodes))
	for i := range l.node {
		l.node[i] = -1
	}
	vertices := slices.Concat(carried, varying(p, slices.Concat(inputs, carried)))
	l.inputs = len(inputs)
	spec := elim.Spec{Inputs: len(inputs), Vertices: len(vertices)}
	scalar, _ := p.IsScalar()
	nodes := 0
	for _, id := range slices.Concat(inputs, vertices) {
		l.node[id] = nodes
		nodes++
		if !scalar {
			spec.Shapes = append(spec.Shapes, p.Nodes[id].Shape)
		}
	}
	for _, id := range vertices {
		l.vertex = append(l.vertex, l.node[id])
	}
	l.in = make([]map[int]E, nodes, nodes+len(p.Outputs))
	for k, id := range vertices {
		w := l.node[id]
		if k < len(carried) {
			l.in[w] = seeds[k]
		} else if err := l.edges(id, edit); err != nil {
			return err
		}
		for _, u := range sorted(l.in[w]) {
			unit, terms := l.describe(l.in[w][u])
			spec.Edges = append(spec.Edges, elim.Edge{From: u, To: w, Unit: unit})
			if !scalar {
				spec.Terms = append(spec.Terms, terms)
			}
		}
	}
	l.successors()
	l.copies()
	seen := map[ir.ID]bool{}
	for _, o := range p.Outputs {
		if l.node[o.Node] >= 0 && !seen[o.Node] {
			seen[o.Node] = true
			spec.Outputs = append(spec.Outputs, l.node[o.Node])
		}
	}
	var err error
	if l.graph, err = elim.New(spec); err != nil {
		return fmt.Errorf("program %q: %w", p.Name, err)
	}
	return nil
}

// varying lists the nodes that depend on one of the given inputs and are none of them, in trace order.
func varying(p *ir.Program, inputs []ir.ID) (list []ir.ID) {
	varies := make([]bool, len(p.Nodes))
	for _, id := range inputs {
		varies[id] = true
	}
	for i := range p.Nodes {
		for _, a := range p.Nodes[i].Args {
			varies[i] = varies[i] || varies[a]
		}
		if varies[i] && p.Nodes[i].Op != ir.OpInput {
			list = append(list, ir.ID(i))
		}
	}
	return list
}

// A derivation is a linearization of either kind.
type derivation interface {
	elimination() *elim.Graph
	program(order []int) (*ir.Program, error)
}

// derive linearizes a program in the calculus that it needs.
func derive(p *ir.Program) (derivation, error) {
	if err := ir.Verify(p); err != nil {
		return nil, err
	}
	if ok, _ := p.IsScalar(); ok {
		return linearize(p, scalars{})
	}
	return linearize(p, arrays{})
}

func (l *linearization[E]) elimination() *elim.Graph { return l.graph }

// edges records the partial derivatives of a node by its arguments; an argument given twice gets the sum of both.
func (l *linearization[E]) edges(id ir.ID, edit func(from, to ir.ID, e E) (E, error)) error {
	n := &l.p.Nodes[id]
	args := make([]*ir.Value, len(n.Args))
	for k, a := range n.Args {
		args[k] = l.primal[a]
	}
	partials, err := l.partials(n, args, l.primal[id])
	if err != nil {
		return fmt.Errorf("program %q: node %q: %w", l.p.Name, l.p.DisplayNames()[id], err)
	}
	edges := map[int]E{}
	for k, d := range partials {
		u := l.node[n.Args[k]]
		if l.empty(d) || u < 0 {
			continue
		}
		if old, parallel := edges[u]; parallel {
			d = l.add(old, d)
		}
		edges[u] = d
	}
	for k, a := range n.Args {
		if u := l.node[a]; edit != nil && u >= 0 && !slices.Contains(n.Args[:k], a) {
			e, err := edit(a, id, edges[u])
			if err != nil {
				return err
			}
			if edges[u] = e; l.empty(e) {
				delete(edges, u)
			}
		}
	}
	l.in[l.node[id]] = edges
	return nil
}

func (l *linearization[E]) successors() {
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
func (l *linearization[E]) copies() {
	sink := map[int]int{}
	for _, o := range l.p.Outputs {
		v := l.node[o.Node]
		if v < 0 {
			l.results = append(l.results, -1)
			continue
		}
		s, done := sink[v]
		if !done {
			s = v
			if len(l.out[v]) > 0 || v < l.inputs {
				s = len(l.in)
				l.in = append(l.in, map[int]E{v: l.one(l.b, l.p.Nodes[o.Node].Shape)})
				l.out = append(l.out, map[int]bool{})
				l.out[v][s] = true
			}
			sink[v] = s
		}
		l.results = append(l.results, s)
	}
}

// eliminate removes vertex number k. A product of structures may be zero: then there is no edge.
func (l *linearization[E]) eliminate(k int) {
	v := l.vertex[k-1]
	preds := sorted(l.in[v])
	for _, w := range sorted(l.out[v]) {
		left := l.in[w][v]
		delete(l.in[w], v)
		for _, u := range preds {
			d := l.multiply(left, l.in[v][u])
			if l.empty(d) {
				continue
			}
			if old, parallel := l.in[w][u]; parallel {
				d = l.add(old, d)
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

// accumulate eliminates every vertex in the given order; nil means reverse.
func (l *linearization[E]) accumulate(order []int) error {
	if order == nil {
		order = elim.Reverse(l.graph)
	}
	if err := l.graph.CheckOrder(order); err != nil {
		return fmt.Errorf("program %q: %w", l.p.Name, err)
	}
	for _, k := range order {
		l.eliminate(k)
	}
	return nil
}

// entry is the edge from input j to output i after accumulation.
func (l *linearization[E]) entry(i, j int) (e E) {
	if r := l.results[i]; r >= 0 {
		e = l.in[r][j]
	}
	return e
}

// program is the derivative program, not simplified: the outputs, then the dense Jacobian of each by each input.
func (l *linearization[E]) program(order []int) (*ir.Program, error) {
	if err := l.accumulate(order); err != nil {
		return nil, err
	}
	p := l.p
	return l.outputs(len(p.Outputs)*len(p.Inputs), func(k int) (string, *ir.Value) {
		i, j := k/len(p.Inputs), k%len(p.Inputs)
		y, x := p.Outputs[i], &p.Nodes[p.Inputs[j]]
		return EntryName(y.Name, x.Name), l.dense(l.b, l.entry(i, j), p.Nodes[y.Node].Shape, x.Shape)
	})
}

// outputs is the program with the outputs of the primal, then n more.
func (l *linearization[E]) outputs(n int, more func(k int) (name string, v *ir.Value)) (*ir.Program, error) {
	for _, o := range l.p.Outputs {
		l.b.Output(o.Name, l.primal[o.Node])
	}
	for k := range n {
		l.b.Output(more(k))
	}
	return l.b.Build()
}

// simplified folds, merges and drops what a derivative program repeats.
func simplified(p *ir.Program, err error) (*ir.Program, error) {
	if err != nil {
		return nil, err
	}
	return ir.Simplify(p)
}

func sorted[V any](m map[int]V) []int { return slices.Sorted(maps.Keys(m)) }
