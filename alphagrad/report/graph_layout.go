package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/goccy/go-graphviz"
	"gonum.org/v1/plot/vg"
)

// Graphviz only places nodes and routes edges here; this package paints. So both file formats show the same picture,
// text is measured with the fonts it is painted with, and the states of an elimination can share one layout.

// Direction is the way edges point in a drawing.
type Direction int

// Directions. AutoDirection takes whichever of the two makes the nodes larger.
const (
	AutoDirection Direction = iota
	LeftToRight
	TopToBottom
)

// layoutNode is a node to place; its name is its index.
type layoutNode struct {
	width, height vg.Length
	round         bool
}

// layoutEdge is an edge to route between nodes given by index.
type layoutEdge struct {
	from, to int
	label    string
	light    bool // may bend: does not pull its ends together
}

// layout is where nodes and edges go, in points from the lower left corner.
type layout struct {
	width, height vg.Length
	nodes         []vg.Point   // [nodes] centres
	edges         [][]vg.Point // [edges] control points of a chain of cubic Bézier curves: 1 + 3k points
	labels        []vg.Point   // [edges] centres of edge labels, where there is a label
}

// graphviz runs in one WebAssembly instance per process, which serves one caller at a time.
var (
	graphvizMutex sync.Mutex
	graphvizOnce  = sync.OnceValues(func() (*graphviz.Graphviz, error) { return graphviz.New(context.Background()) })
)

// maxLayoutEdges bounds the work of a drawing: far larger graphs take graphviz minutes and cannot be read anyway.
const maxLayoutEdges = 5000

// placeGraph lays a graph out in layers with graphviz's dot.
func placeGraph(nodes []layoutNode, edges []layoutEdge, dir Direction) (*layout, error) {
	if len(edges) > maxLayoutEdges || len(nodes) > maxLayoutEdges {
		return nil, fmt.Errorf("report: a graph of %d nodes and %d edges is too large to draw; the limit is %d of each", len(nodes), len(edges), maxLayoutEdges)
	}
	plain, err := runDot(dotSource(nodes, edges, dir))
	if err != nil {
		return nil, fmt.Errorf("report: laying out the graph: %w", err)
	}
	l, err := parsePlain(plain, len(nodes), edges)
	if err != nil {
		return nil, fmt.Errorf("report: reading the layout of graphviz: %w", err)
	}
	return l, nil
}

func dotSource(nodes []layoutNode, edges []layoutEdge, dir Direction) []byte {
	var b bytes.Buffer
	rankdir := "LR"
	if dir == TopToBottom {
		rankdir = "TB"
	}
	fmt.Fprintf(&b, "digraph G {\n  graph [rankdir=%s, nodesep=0.12, ranksep=0.32, outputorder=nodesfirst];\n", rankdir)
	b.WriteString("  node [label=\"\", fixedsize=true];\n  edge [dir=none, fontname=Arial, fontsize=8];\n")
	for i, n := range nodes {
		shape := "box"
		if n.round {
			shape = "ellipse"
		}
		fmt.Fprintf(&b, "  n%d [shape=%s, width=%.4f, height=%.4f];\n", i, shape, n.width/vg.Inch, n.height/vg.Inch)
	}
	for _, e := range edges {
		fmt.Fprintf(&b, "  n%d -> n%d [weight=%d", e.from, e.to, map[bool]int{false: 2, true: 0}[e.light])
		if e.label != "" {
			// Only the space matters, so the text is replaced by one that needs no quoting, a little longer to keep clear of the line.
			fmt.Fprintf(&b, ", label=%s", strings.Repeat("x", utf8.RuneCountInString(e.label)+2))
		}
		b.WriteString("];\n")
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// runDot returns graphviz's "plain" description of the laid-out graph.
func runDot(source []byte) (plain string, err error) {
	graphvizMutex.Lock()
	defer graphvizMutex.Unlock()
	defer recoverAs(&err)
	engine, err := graphvizOnce()
	if err != nil {
		return "", err
	}
	g, err := graphviz.ParseBytes(source)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	var out bytes.Buffer
	err = engine.Render(context.Background(), g, graphviz.Format("plain"), &out)
	return out.String(), err
}

// parsePlain reads the lines "graph scale width height", "node name x y …" and
// "edge tail head n x1 y1 … xn yn [label x y] …" (https://graphviz.org/docs/outputs/plain/), all lengths in inches.
func parsePlain(text string, nodes int, edges []layoutEdge) (*layout, error) {
	l := &layout{nodes: make([]vg.Point, nodes), edges: make([][]vg.Point, len(edges)), labels: make([]vg.Point, len(edges))}
	index := make(map[[2]int]int, len(edges))
	for i, e := range edges {
		index[[2]int{e.from, e.to}] = i
	}
	placed := 0
	for _, line := range strings.Split(strings.ReplaceAll(text, "\\\n", ""), "\n") {
		f := plainFields{fields: strings.Fields(line)}
		switch f.word() {
		case "graph":
			f.word() // scale, always 1
			size := f.point()
			l.width, l.height = size.X, size.Y
		case "node":
			if i := f.node(nodes); f.err == nil {
				l.nodes[i] = f.point()
				placed++
			}
		case "edge":
			i, known := index[[2]int{f.node(nodes), f.node(nodes)}]
			if !known && f.err == nil {
				f.err = fmt.Errorf("unknown edge")
			}
			n := f.count()
			if f.err != nil {
				break
			}
			for range n {
				l.edges[i] = append(l.edges[i], f.point())
			}
			if edges[i].label != "" {
				f.word()
				l.labels[i] = f.point()
			}
			placed++
		}
		if f.err != nil {
			return nil, fmt.Errorf("line %q: %w", line, f.err)
		}
	}
	if placed != nodes+len(edges) {
		return nil, fmt.Errorf("%d of %d nodes and edges are missing", nodes+len(edges)-placed, nodes+len(edges))
	}
	return l, nil
}

// plainFields takes a line apart from left to right and remembers the first error.
type plainFields struct {
	fields []string
	err    error
}

func (f *plainFields) word() string {
	if len(f.fields) == 0 {
		return ""
	}
	w := f.fields[0]
	f.fields = f.fields[1:]
	return w
}

func (f *plainFields) count() int {
	n, err := strconv.Atoi(f.word())
	if f.err == nil && (err != nil || n < 4 || n%3 != 1 || n > len(f.fields)/2) {
		f.err = fmt.Errorf("bad number of control points")
	}
	return n
}

func (f *plainFields) node(limit int) int {
	i, err := strconv.Atoi(strings.TrimPrefix(f.word(), "n"))
	if f.err == nil && (err != nil || i < 0 || i >= limit) {
		f.err = fmt.Errorf("unknown node")
	}
	return i
}

func (f *plainFields) point() vg.Point {
	x, errX := strconv.ParseFloat(f.word(), 64)
	y, errY := strconv.ParseFloat(f.word(), 64)
	if f.err == nil {
		f.err = errors.Join(errX, errY)
	}
	return vg.Point{X: vg.Length(x) * vg.Inch, Y: vg.Length(y) * vg.Inch}
}

// scale multiplies all lengths by s.
func (l *layout) scale(s vg.Length) {
	l.width *= s
	l.height *= s
	for _, points := range append([][]vg.Point{l.nodes, l.labels}, l.edges...) {
		for i, p := range points {
			points[i] = p.Scale(s)
		}
	}
}
