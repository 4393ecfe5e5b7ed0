package nir

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Edge leads from the output of a node to the input of another.
type Edge struct{ From, To string }

// Graph is a network: nodes by name and the edges between them. What several edges bring to a node adds up. A graph may
// itself be a node of another, with one input and one output.
type Graph struct {
	Nodes map[string]Node
	Edges []Edge
	// Metadata is what files hold about nodes beside their parameters, by node and key; about the graph itself under "".
	// Values are strings or Arrays. Simulators may not rely on it.
	Metadata map[string]map[string]any
	Version  string // of the NIR that wrote the file; empty for a new graph
}

// Type implements [Node].
func (*Graph) Type() string { return "NIRGraph" }

func (*Graph) fields() []field { return nil }

// shapes are those of the only input and output, or nil.
func (g *Graph) shapes() (in, out []int) {
	for _, name := range g.Names() {
		switch n := g.Nodes[name].(type) {
		case *Input:
			in = n.Shape
		case *Output:
			out = n.Shape
		}
	}
	return in, out
}

// Names returns the names of the nodes, sorted.
func (g *Graph) Names() []string { return slices.Sorted(maps.Keys(g.Nodes)) }

// Check reports the first thing that is wrong with a graph: parameters, edges without ends, shapes that do not fit. Optional
// parameters that are missing are filled in.
func (g *Graph) Check() error { return g.check(0) }

// maxNesting bounds graphs in graphs.
const maxNesting = 16

func (g *Graph) check(depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("graphs are nested more than %d deep", maxNesting)
	}
	for _, name := range g.Names() {
		n := g.Nodes[name]
		switch {
		case n == nil:
			return fmt.Errorf("node %q is nil", name)
		case name == "" || strings.ContainsAny(name, "/\x00") || name == "." || name == "..":
			return fmt.Errorf("node %q: a name must be one component of a path", name)
		}
		complete(n)
		err := checkNode(n)
		if sub, ok := n.(*Graph); ok && err == nil {
			if err = sub.check(depth + 1); err == nil {
				err = sub.checkPorts()
			}
		}
		if err != nil {
			return fmt.Errorf("node %q (%s): %w", name, n.Type(), err)
		}
	}
	seen := map[Edge]bool{}
	for _, e := range g.Edges {
		from, to := g.Nodes[e.From], g.Nodes[e.To]
		switch {
		case from == nil || to == nil:
			return fmt.Errorf("edge %q → %q has an end that is no node", e.From, e.To)
		case seen[e]:
			return fmt.Errorf("edge %q → %q is there twice", e.From, e.To)
		case from.Type() == "Output":
			return fmt.Errorf("edge %q → %q leaves an output", e.From, e.To)
		case to.Type() == "Input":
			return fmt.Errorf("edge %q → %q enters an input", e.From, e.To)
		}
		seen[e] = true
		_, out := from.shapes()
		in, _ := to.shapes()
		if !slices.Equal(in, out) {
			return fmt.Errorf("edge %q → %q: %s puts out %v, %s takes %v", e.From, e.To, from.Type(), out, to.Type(), in)
		}
	}
	return nil
}

// checkPorts requires that a nested graph can be connected.
func (g *Graph) checkPorts() error {
	count := map[string]int{}
	for _, n := range g.Nodes {
		count[n.Type()]++
	}
	if count["Input"] != 1 || count["Output"] != 1 {
		return fmt.Errorf("it has %d inputs and %d outputs; want one of each", count["Input"], count["Output"])
	}
	for _, e := range g.Edges {
		if g.Nodes[e.From].Type() == "Input" && g.Nodes[e.To].Type() == "Output" {
			return fmt.Errorf("edge %q → %q: its input is its output", e.From, e.To)
		}
	}
	return nil
}

// Inline returns the graph with the nodes of nested graphs in it, "graph.node", instead of the nested graphs. It checks
// the graph first.
func (g *Graph) Inline() (*Graph, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	return g.inline()
}

func (g *Graph) inline() (*Graph, error) {
	flat := &Graph{Nodes: map[string]Node{}, Metadata: map[string]map[string]any{}, Version: g.Version}
	if m := g.Metadata[""]; m != nil {
		flat.Metadata[""] = m
	}
	var err error
	add := func(name string, n Node, meta map[string]any) {
		if flat.Nodes[name] != nil {
			err = fmt.Errorf("node %q is there and in a nested graph", name)
		}
		flat.Nodes[name] = n
		if meta != nil {
			flat.Metadata[name] = meta
		}
	}
	enter, leave := map[string][]string{}, map[string][]string{} // where edges to and from a node now end and begin
	for _, name := range g.Names() {
		sub, nested := g.Nodes[name].(*Graph)
		if !nested {
			add(name, g.Nodes[name], g.Metadata[name])
			enter[name], leave[name] = []string{name}, []string{name}
			continue
		}
		inner, e := sub.inline()
		if e != nil {
			return nil, fmt.Errorf("node %q (NIRGraph): %w", name, e)
		}
		for _, n := range inner.Names() {
			if t := inner.Nodes[n].Type(); t != "Input" && t != "Output" {
				add(name+"."+n, inner.Nodes[n], inner.Metadata[n])
			}
		}
		for _, e := range inner.Edges {
			switch {
			case inner.Nodes[e.From].Type() == "Input":
				enter[name] = append(enter[name], name+"."+e.To)
			case inner.Nodes[e.To].Type() == "Output":
				leave[name] = append(leave[name], name+"."+e.From)
			default:
				flat.Edges = append(flat.Edges, Edge{name + "." + e.From, name + "." + e.To})
			}
		}
	}
	for _, e := range g.Edges {
		for _, from := range leave[e.From] {
			for _, to := range enter[e.To] {
				flat.Edges = append(flat.Edges, Edge{from, to})
			}
		}
	}
	return flat, err
}
