package view_test

import (
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

// TestDrawingsEliminateLikeTheGraph replays orders on the drawn graphs: the costs they show add up to the counts.
func TestDrawingsEliminateLikeTheGraph(t *testing.T) {
	for _, name := range []string{"Simple", "Lighthouse", "Hole", "RoeFlux_1d"} {
		p, err := tasks.ProgramOf(name)
		if err != nil {
			t.Fatal(err)
		}
		eg, err := ad.Graph(p)
		if err != nil {
			t.Fatal(err)
		}
		g, err := view.Graph(p)
		if err != nil {
			t.Fatal(err)
		}
		order := elim.Markowitz(eg)
		want, err := eg.Muls(order)
		if err != nil {
			t.Fatal(err)
		}
		total := int64(0)
		for _, id := range view.VertexIDs(order) {
			i := slices.IndexFunc(g.Nodes, func(n report.Node) bool { return n.ID == id })
			if i < 0 {
				t.Fatalf("%s: no node %s", name, id)
			}
			total += int64(g.Nodes[i].Cost)
			next, err := g.Eliminate(id)
			if err != nil {
				t.Fatal(err)
			}
			g = next.WithMarkowitzCosts()
		}
		if total != want {
			t.Errorf("%s: drawn costs add up to %d, replay costs %d", name, total, want)
		}
	}
}

func TestCopiesOfOutputs(t *testing.T) {
	p, err := ir.Parse("program p\ninput x []\na = sin(x)\nb = cos(a)\noutput a\noutput b\noutput x\n")
	if err != nil {
		t.Fatal(err)
	}
	g, err := view.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	var outs []string
	for _, n := range g.Nodes {
		if n.Kind == report.OutputNode {
			outs = append(outs, n.ID)
		}
	}
	if want := []string{"2", "out:a"}; !slices.Equal(outs, want) {
		t.Errorf("outputs %v, want %v", outs, want)
	}
	if _, err := report.DrawGraph(g, report.GraphOptions{}); err != nil {
		t.Error(err)
	}
}
