package report

import (
	"fmt"
	"math"
)

// NodeKind is the role of a node in a computational graph.
type NodeKind int

// Kinds of nodes.
const (
	VertexNode NodeKind = iota // an intermediate value
	InputNode
	OutputNode
	ConstantNode
)

// Node is one value of a computational graph.
type Node struct {
	ID    string // unique in its graph
	Label string // text in the node; empty means the ID
	Kind  NodeKind
	Group string  // class of the operation, shown as colour with [FillByGroup]
	Cost  float64 // at least 0; shown as colour with [FillByCost]

	Highlight bool // drawn with a strong outline, such as the vertex to eliminate next
	Faded     bool // drawn pale, such as an eliminated vertex
}

// EdgeStyle is what happened to an edge.
type EdgeStyle int

// Styles of edges.
const (
	NormalEdge  EdgeStyle = iota
	NewEdge               // fill-in: did not exist before
	RemovedEdge           // ends with the step shown
	UpdatedEdge           // existed and got a contribution added
)

// Edge is a dependence of the value To on the value From, which carries a local derivative.
type Edge struct {
	From, To string
	Label    string
	Style    EdgeStyle
}

// Graph is a computational graph to draw.
type Graph struct {
	Name  string
	Nodes []Node
	Edges []Edge // at most one from one node to another
}

// check reports the first reason why g cannot be drawn.
func (g Graph) check() error {
	if len(g.Nodes) == 0 {
		return fmt.Errorf("report: graph %q has no nodes", g.Name)
	}
	known := make(map[string]bool, len(g.Nodes))
	for i, n := range g.Nodes {
		switch {
		case n.ID == "":
			return fmt.Errorf("report: graph %q: node %d has no ID", g.Name, i+1)
		case known[n.ID]:
			return fmt.Errorf("report: graph %q: two nodes have the ID %q", g.Name, n.ID)
		case !(n.Cost >= 0) || math.IsInf(n.Cost, 1):
			return fmt.Errorf("report: graph %q: node %q has cost %g; want a finite number, at least 0", g.Name, n.ID, n.Cost)
		}
		known[n.ID] = true
	}
	seen := make(map[[2]string]bool, len(g.Edges))
	for _, e := range g.Edges {
		pair := [2]string{e.From, e.To}
		switch {
		case !known[e.From] || !known[e.To]:
			return fmt.Errorf("report: graph %q: edge %q → %q has an end that is no node", g.Name, e.From, e.To)
		case e.From == e.To:
			return fmt.Errorf("report: graph %q: node %q has an edge to itself", g.Name, e.From)
		case seen[pair]:
			return fmt.Errorf("report: graph %q: two edges lead from %q to %q; merge them", g.Name, e.From, e.To)
		}
		seen[pair] = true
	}
	return nil
}

// Eliminate returns the graph after eliminating the vertex id: every predecessor gets an edge to every successor, marked
// new or updated, and the vertex disappears with its edges (Griewank and Walther, Evaluating Derivatives, 2nd ed., SIAM
// 2008, section 9.2). Marks of g itself are cleared. This is the bookkeeping of a picture: labels of edges that change
// are dropped, costs of vertices stay as they were.
func (g Graph) Eliminate(id string) (Graph, error) {
	if err := g.check(); err != nil {
		return Graph{}, err
	}
	out := Graph{Name: g.Name}
	found := false
	for _, n := range g.Nodes {
		if n.ID == id {
			if n.Kind != VertexNode {
				return Graph{}, fmt.Errorf("report: graph %q: %q is not an intermediate vertex and cannot be eliminated", g.Name, id)
			}
			found = true
			continue
		}
		n.Highlight = false
		out.Nodes = append(out.Nodes, n)
	}
	if !found {
		return Graph{}, fmt.Errorf("report: graph %q has no vertex %q to eliminate", g.Name, id)
	}
	var before, after []string
	index := make(map[[2]string]int)
	for _, e := range g.Edges {
		switch id {
		case e.To:
			before = append(before, e.From)
		case e.From:
			after = append(after, e.To)
		default:
			e.Style = NormalEdge
			index[[2]string{e.From, e.To}] = len(out.Edges)
			out.Edges = append(out.Edges, e)
		}
	}
	for _, p := range before {
		for _, s := range after {
			if p == s {
				return Graph{}, fmt.Errorf("report: graph %q: %q and %q form a cycle", g.Name, p, id)
			}
			if i, ok := index[[2]string{p, s}]; ok {
				out.Edges[i].Style, out.Edges[i].Label = UpdatedEdge, ""
				continue
			}
			out.Edges = append(out.Edges, Edge{From: p, To: s, Style: NewEdge})
		}
	}
	return out, nil
}

// WithMarkowitzCosts returns g with the cost of every intermediate vertex set to its Markowitz degree, the number of its
// predecessors times the number of its successors: the multiplications its elimination takes in a scalar graph.
func (g Graph) WithMarkowitzCosts() Graph {
	in, out := make(map[string]int), make(map[string]int)
	for _, e := range g.Edges {
		out[e.From]++
		in[e.To]++
	}
	g.Nodes = append([]Node(nil), g.Nodes...)
	for i, n := range g.Nodes {
		if n.Kind == VertexNode {
			g.Nodes[i].Cost = float64(in[n.ID] * out[n.ID])
		}
	}
	return g
}
