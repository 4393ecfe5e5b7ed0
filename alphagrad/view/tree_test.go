package view_test

import (
	"fmt"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

// TestTree draws the tree of a search of the elimination game: every node hangs on the root, none is drawn twice, and the
// limit holds.
func TestTree(t *testing.T) {
	p, err := tasks.ProgramOf("RoeFlux_1d")
	if err != nil {
		t.Fatal(err)
	}
	eg, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	g, err := game.New(eg, game.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := mcts.New(mcts.Uniform, mcts.DefaultOptions(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var r mcts.Result
	if err := s.Run(g, &r); err != nil {
		t.Fatal(err)
	}
	for _, most := range []int{5, 1000} {
		d := view.Tree(s.Tree(), func(a int32) string { return fmt.Sprint(g.Vertex(a)) }, most)
		if len(d.Nodes) > most || len(d.Nodes) < 5 {
			t.Errorf("%d nodes, at most %d", len(d.Nodes), most)
		}
		parents := map[string]int{}
		for _, e := range d.Edges {
			parents[e.To]++
		}
		for i, n := range d.Nodes {
			if (parents[n.ID] == 0) != (i == 0) {
				t.Errorf("node %s has %d parents", n.ID, parents[n.ID])
			}
		}
		if _, err := report.DrawGraph(d, report.GraphOptions{}); err != nil {
			t.Error(err)
		}
	}
}
