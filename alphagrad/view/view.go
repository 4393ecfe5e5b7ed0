// Package view turns programs, orders and searches into the tables and figures of package report.
package view

import (
	"fmt"
	"math"
	"strconv"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// symbols are the signs that name an operation more briefly than its name does.
var symbols = map[*ir.OpInfo]string{
	ir.OpAdd: "+", ir.OpSub: "−", ir.OpMul: "×", ir.OpDiv: "÷", ir.OpNeg: "±", ir.OpSquare: "x²", ir.OpSqrt: "√",
}

// groups class operations by what a reader looks for in a drawing.
func group(op *ir.OpInfo) string {
	switch op {
	case ir.OpAdd, ir.OpSub, ir.OpNeg:
		return "linear"
	case ir.OpMul, ir.OpDiv, ir.OpSquare, ir.OpPowi:
		return "product"
	}
	return "function"
}

// VertexID is the ID of a vertex in drawings: its number.
func VertexID(vertex int) string { return strconv.Itoa(vertex) }

// VertexIDs are the IDs of the vertices of an order.
func VertexIDs(order []int) []string {
	ids := make([]string, len(order))
	for i, v := range order {
		ids[i] = VertexID(v)
	}
	return ids
}

// Graph draws the elimination graph of a program of scalars: inputs by name, vertices by number and operation. An output
// that is used again gets a node of its own for its copy. Costs are Markowitz degrees.
func Graph(p *ir.Program) (report.Graph, error) {
	eg, err := ad.Graph(p)
	if err != nil {
		return report.Graph{}, err
	}
	g := report.Graph{Name: p.Name}
	ids := make([]string, eg.Nodes())
	for i, name := range p.InputNames() {
		ids[i] = "in:" + name
		g.Nodes = append(g.Nodes, report.Node{ID: ids[i], Label: name, Kind: report.InputNode})
	}
	for k, id := range p.Vertices() {
		node := eg.Node(k + 1)
		op := p.Nodes[id].Op
		label := symbols[op]
		if label == "" {
			label = op.Name
		}
		n := report.Node{ID: VertexID(k + 1), Label: fmt.Sprintf("%d %s", k+1, label), Group: group(op)}
		if !eg.IsEliminable(k + 1) {
			n.Kind = report.OutputNode
			for _, o := range p.Outputs {
				if o.Node == id {
					n.Label = o.Name + ": " + n.Label
					break
				}
			}
		}
		ids[node] = n.ID
		g.Nodes = append(g.Nodes, n)
	}
	// The copies of outputs come last among the nodes; each is named after the first output it stands for.
	for sink := eg.Inputs() + eg.Vertices(); sink < eg.Nodes(); sink++ {
		for _, o := range p.Outputs {
			if ids[sink] == "" && nodeOf(p, eg, o.Node) == eg.SinkOf(sink) {
				ids[sink] = "out:" + o.Name
				g.Nodes = append(g.Nodes, report.Node{ID: ids[sink], Label: o.Name, Kind: report.OutputNode})
			}
		}
	}
	for from := range ids {
		for to := range eg.Succ(from) {
			g.Edges = append(g.Edges, report.Edge{From: ids[from], To: ids[to]})
		}
	}
	return g.WithMarkowitzCosts(), nil
}

// nodeOf is the graph node of a program node, -1 for a constant.
func nodeOf(p *ir.Program, g *elim.Graph, id ir.ID) int {
	for i, in := range p.Inputs {
		if in == id {
			return i
		}
	}
	for k, v := range p.Vertices() {
		if v == id {
			return g.Node(k + 1)
		}
	}
	return -1
}

// Jacobian pictures a Jacobian, row-major, with the program's names.
func Jacobian(p *ir.Program, values []float64, colors report.MatrixColors) report.Matrix {
	return report.Matrix{
		Title: "Jacobian of " + p.Name, Rows: len(p.Outputs), Cols: len(p.Inputs), Data: values,
		RowLabels: p.OutputNames(), ColLabels: p.InputNames(), RowTitle: "outputs", ColTitle: "inputs", Colors: colors,
	}
}

// Trace is the any-time curve of a search over several seeds.
func Trace(name string, results []search.Result) (report.Series, error) {
	traces := make([][]report.TracePoint, len(results))
	for i, r := range results {
		for _, p := range r.Trace {
			// A logarithmic axis has no zero; nothing is found faster than this.
			traces[i] = append(traces[i], report.TracePoint{Seconds: math.Max(p.Seconds, 1e-5), Cost: float64(p.Cost)})
		}
	}
	return report.AnytimeSeries(name, traces...)
}
