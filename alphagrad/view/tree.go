package view

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
)

// Tree draws the visited part of a search tree, at most a number of nodes, breadth first. Nodes are named by the move that
// leads to them, coloured by visits; the most visited line is outlined. Actions are named by the caller.
func Tree(t mcts.Tree, name func(action int32) string, most int) report.Graph {
	g := report.Graph{Name: "search tree"}
	if len(t.Nodes) == 0 {
		return g
	}
	id := func(n int) string { return fmt.Sprint("s", n) }
	shown := map[int]bool{0: true}
	g.Nodes = append(g.Nodes, report.Node{ID: id(0), Label: fmt.Sprintf("now: %.0f", -t.Nodes[0].Value), Kind: report.InputNode})
	best := map[int]bool{}
	at := 0
	for _, action := range t.Line() {
		for _, e := range t.Nodes[at].Edges {
			if e.Action == action && e.Child >= 0 {
				best[e.Child], at = true, e.Child
				break
			}
		}
	}
	for n := range t.Nodes {
		if !shown[n] {
			continue
		}
		for _, e := range t.Nodes[n].Edges {
			if e.Child < 0 || e.Visits == 0 || (!shown[e.Child] && len(g.Nodes) >= most) {
				continue
			}
			if !shown[e.Child] {
				shown[e.Child] = true
				g.Nodes = append(g.Nodes, report.Node{ID: id(e.Child), Label: fmt.Sprintf("%s: %.0f", name(e.Action), -e.Q), Cost: float64(e.Visits), Highlight: best[e.Child]})
			}
			g.Edges = append(g.Edges, report.Edge{From: id(n), To: id(e.Child)})
		}
	}
	return g
}
