package elim

import (
	"fmt"
	"iter"
	"math/bits"

	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// MaxNodes is the largest graph New accepts, counting inputs, vertices and sinks. Every node keeps a row of
// predecessors and a row of successors over all nodes, n²/4 bytes in all: 64 MiB at this limit.
const MaxNodes = 1 << 14

// An Edge leads from an input or a vertex to the vertex that uses it.
type Edge struct {
	From, To int  // node ids, From < To; To is a vertex
	Unit     bool // the local partial is the constant +1 or −1
}

// A Spec describes a program as a graph. Package elim documents the node ids.
type Spec struct {
	Inputs, Vertices int
	Edges            []Edge // at most one per pair of nodes: an operation using a value twice has one partial
	Outputs          []int  // node ids; may name an input, may repeat

	// Only in a graph of arrays:
	Shapes [][]int             // of every input and vertex
	Terms  [][]*structure.Term // of every edge: its structured local Jacobian
}

// A Graph is the elimination graph of a program before any elimination. It is immutable and safe for
// concurrent use.
type Graph struct {
	inputs, vertices, outputs int
	nodes                     int      // inputs + vertices + sinks
	words                     int      // words per bit set
	edges                     int      // including copies to sinks
	rows                      []uint64 // [nodes][2][words]: predecessors, successors
	unit                      []uint64 // [nodes][2][words]: those reached by a unit edge
	eliminable                []int    // vertex numbers, ascending
	live                      []uint64 // [words]: nodes of the eliminable vertices
	ends                      []uint64 // [words]: sinks and outputs that are not eliminated
	sinkOf                    []int    // [sinks]: the output node behind which the sink stands
	cells                     *cells   // structures of the edges; nil for scalars
}

// New checks a specification and builds its graph. It fails on a negative or too large size, a node id out of
// range, an edge that does not lead from a lower to a higher node (every cycle has one), an edge into an input
// and a repeated edge.
func New(spec Spec) (*Graph, error) {
	if spec.Inputs < 0 || spec.Vertices < 0 {
		return nil, fmt.Errorf("graph with %d inputs and %d vertices: sizes cannot be negative", spec.Inputs, spec.Vertices)
	}
	if spec.Inputs > MaxNodes || spec.Vertices > MaxNodes || spec.Inputs+spec.Vertices > MaxNodes {
		return nil, tooLarge(spec.Inputs, spec.Vertices, 0)
	}
	plain := spec.Inputs + spec.Vertices
	used := make([]bool, plain)
	for _, e := range spec.Edges {
		switch {
		case e.From < 0 || e.From >= plain || e.To < 0 || e.To >= plain:
			return nil, fmt.Errorf("edge %d -> %d: nodes are numbered 0 to %d", e.From, e.To, plain-1)
		case e.To < spec.Inputs:
			return nil, fmt.Errorf("edge %d -> %d: node %d is an input and cannot be computed from anything", e.From, e.To, e.To)
		case e.From >= e.To:
			return nil, fmt.Errorf("edge %d -> %d: an edge must lead from a lower to a higher node, so that the graph has no cycle", e.From, e.To)
		}
		used[e.From] = true
	}
	output := make([]bool, plain)
	var sinkOf []int
	for _, o := range spec.Outputs {
		if o < 0 || o >= plain {
			return nil, fmt.Errorf("output %d: nodes are numbered 0 to %d", o, plain-1)
		}
		if output[o] {
			continue
		}
		output[o] = true
		if o >= spec.Inputs && used[o] {
			sinkOf = append(sinkOf, o)
		}
	}
	if plain+len(sinkOf) > MaxNodes {
		return nil, tooLarge(spec.Inputs, spec.Vertices, len(sinkOf))
	}

	g := &Graph{inputs: spec.Inputs, vertices: spec.Vertices, outputs: len(spec.Outputs), sinkOf: sinkOf}
	g.nodes = plain + len(sinkOf)
	g.words = max(2, (g.nodes+63)/64) // two words at least, so that every small graph takes the same fast path
	g.rows = make([]uint64, g.nodes*2*g.words)
	g.unit = make([]uint64, g.nodes*2*g.words)
	g.live = make([]uint64, g.words)
	g.ends = make([]uint64, g.words)
	for _, e := range spec.Edges {
		if has(g.row(e.From, succ), e.To) {
			return nil, fmt.Errorf("edge %d -> %d appears twice: the partials of an operation that uses a value twice are one edge", e.From, e.To)
		}
		g.connect(e)
	}
	for i, o := range sinkOf {
		g.connect(Edge{From: o, To: plain + i, Unit: true})
		set(g.ends, plain+i)
	}
	for v := spec.Inputs; v < plain; v++ {
		if output[v] && !used[v] {
			set(g.ends, v)
			continue
		}
		g.eliminable = append(g.eliminable, g.Vertex(v))
		set(g.live, v)
	}
	return g, g.structured(spec)
}

func tooLarge(inputs, vertices, sinks int) error {
	return fmt.Errorf("graph with %d inputs, %d vertices and %d copied outputs is too large: at most %d nodes, because every node keeps a row of bits over all nodes",
		inputs, vertices, sinks, MaxNodes)
}

func (g *Graph) connect(e Edge) {
	set(g.row(e.From, succ), e.To)
	set(g.row(e.To, pred), e.From)
	if e.Unit {
		set(g.unitRow(e.From, succ), e.To)
		set(g.unitRow(e.To, pred), e.From)
	}
	g.edges++
}

// Inputs is the number of inputs.
func (g *Graph) Inputs() int { return g.inputs }

// Vertices is the number of vertices, eliminable or not.
func (g *Graph) Vertices() int { return g.vertices }

// Outputs is the number of outputs as specified, repetitions included.
func (g *Graph) Outputs() int { return g.outputs }

// Edges is the number of edges, copies of outputs that are used again included.
func (g *Graph) Edges() int { return g.edges }

// Nodes is the number of inputs, vertices and sinks: node ids are below it.
func (g *Graph) Nodes() int { return g.nodes }

// Node is the node id of a vertex number.
func (g *Graph) Node(vertex int) int { return g.inputs + vertex - 1 }

// Vertex is the vertex number of a node id, or 0 for an input, a sink and anything out of range.
func (g *Graph) Vertex(node int) int {
	if node < g.inputs || node >= g.inputs+g.vertices {
		return 0
	}
	return node - g.inputs + 1
}

// SinkOf is the output node behind which a sink stands, or −1 if the node is not a sink.
func (g *Graph) SinkOf(node int) int {
	if i := node - g.inputs - g.vertices; i >= 0 && i < len(g.sinkOf) {
		return g.sinkOf[i]
	}
	return -1
}

// Eliminable returns the vertex numbers an order must contain, ascending.
func (g *Graph) Eliminable() []int { return append([]int(nil), g.eliminable...) }

// IsEliminable reports whether a vertex number belongs in an order.
func (g *Graph) IsEliminable(vertex int) bool {
	return vertex >= 1 && vertex <= g.vertices && has(g.live, g.Node(vertex))
}

// IsEnd reports whether accumulation ends at a node: a sink, or an output without later use.
func (g *Graph) IsEnd(node int) bool { return node >= 0 && node < g.nodes && has(g.ends, node) }

// Pred iterates over the predecessors of a node in ascending order; there are none out of range.
func (g *Graph) Pred(node int) iter.Seq[int] { return g.each(g.rows, node, pred) }

// Succ iterates over the successors of a node in ascending order; there are none out of range.
func (g *Graph) Succ(node int) iter.Seq[int] { return g.each(g.rows, node, succ) }

// IsUnit reports whether the edge from one node to another exists and its partial is +1 or −1.
func (g *Graph) IsUnit(from, to int) bool {
	return from >= 0 && from < g.nodes && to >= 0 && to < g.nodes && has(g.unitRow(from, succ), to)
}

// The two sides of a node, as indices into rows.
const (
	pred = 0
	succ = 1
)

func (g *Graph) row(node, side int) []uint64     { return rowOf(g.rows, g.words, node, side) }
func (g *Graph) unitRow(node, side int) []uint64 { return rowOf(g.unit, g.words, node, side) }

func (g *Graph) each(rows []uint64, node, side int) iter.Seq[int] {
	return func(yield func(int) bool) {
		if node < 0 || node >= g.nodes {
			return
		}
		for i, word := range rowOf(rows, g.words, node, side) {
			for ; word != 0; word &= word - 1 {
				if !yield(64*i + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}

func rowOf(rows []uint64, words, node, side int) []uint64 {
	at := (2*node + side) * words
	return rows[at : at+words : at+words]
}

func set(row []uint64, i int)      { row[i>>6] |= 1 << (i & 63) }
func clear1(row []uint64, i int)   { row[i>>6] &^= 1 << (i & 63) }
func has(row []uint64, i int) bool { return row[i>>6]&(1<<(i&63)) != 0 }

func count(row []uint64) int {
	n := 0
	for _, word := range row {
		n += bits.OnesCount64(word)
	}
	return n
}
