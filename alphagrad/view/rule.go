package view

import (
	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
)

// Rule draws the step of a network with its loss and colours what a learning rule edits: red edges have no derivative, blue
// ones another one, with its name beside them. States after the step are joined with what they were before by their names.
func Rule(rec *ad.Recurrence, r *rules.Rule) report.GraphFigure {
	edit := map[[2]string]rules.Edit{}
	for _, e := range r.Canonical(rec).Edits {
		edit[[2]string{e.From, e.To}] = e
	}
	g := report.Graph{Name: r.Name}
	type end struct {
		p  *ir.Program
		id ir.ID
	}
	names := map[end]string{}
	seen := map[[2]string]bool{}
	for _, p := range []*ir.Program{rec.Step, rec.Loss} {
		if p == nil {
			continue
		}
		display := p.DisplayNames()
		for id := range p.Nodes {
			n := &p.Nodes[id]
			if n.Op == ir.OpConst {
				continue
			}
			name := display[id]
			if n.Name == "" {
				name = p.Name + name
			}
			if p == rec.Loss && n.Op == ir.OpInput { // an output of the step
				for _, o := range rec.Step.Outputs {
					if o.Name == n.Name {
						name = names[end{rec.Step, o.Node}]
					}
				}
			}
			names[end{p, ir.ID(id)}] = name
			known := false
			for _, x := range g.Nodes {
				known = known || x.ID == name
			}
			if !known {
				node := report.Node{ID: name, Label: name, Kind: report.VertexNode}
				if n.Name == "" {
					node.Label = n.Op.String()
				}
				if n.Op == ir.OpInput {
					node.Kind = report.InputNode
				}
				for _, o := range p.Outputs {
					if int(o.Node) == id && p == rec.Loss {
						node.Kind = report.OutputNode
					}
				}
				g.Nodes = append(g.Nodes, node)
			}
			for _, a := range n.Args {
				if p.Nodes[a].Op == ir.OpConst {
					continue
				}
				at := [2]string{names[end{p, a}], name}
				if seen[at] || at[0] == at[1] {
					continue
				}
				seen[at] = true
				e := report.Edge{From: at[0], To: at[1]}
				switch x, edited := edit[[2]string{p.Nodes[a].Name, n.Name}]; {
				case !edited || n.Name == "":
				case x.Kind == "drop":
					e.Style = report.RemovedEdge
				default:
					e.Style, e.Label = report.UpdatedEdge, x.Kind
				}
				g.Edges = append(g.Edges, e)
			}
		}
	}
	return report.GraphFigure{Title: r.Name, Subtitle: r.Formula(), Graph: g}
}
