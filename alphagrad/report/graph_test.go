package report

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

// drawRandomGraph draws a random acyclic graph of inputs, vertices and outputs.
func drawRandomGraph(t *rapid.T) Graph {
	g := Graph{Name: "random"}
	n := rapid.IntRange(3, 9).Draw(t, "nodes")
	for i := range n {
		kind := VertexNode
		switch {
		case i < 2:
			kind = InputNode
		case i == n-1:
			kind = OutputNode
		}
		g.Nodes = append(g.Nodes, Node{ID: fmt.Sprint(i), Kind: kind})
		for j := range i {
			if kind != InputNode && rapid.Bool().Draw(t, "edge") {
				g.Edges = append(g.Edges, Edge{From: fmt.Sprint(j), To: fmt.Sprint(i)})
			}
		}
	}
	return g
}

func edgeSet(g Graph) map[[2]string]EdgeStyle {
	set := make(map[[2]string]EdgeStyle)
	for _, e := range g.Edges {
		set[[2]string{e.From, e.To}] = e.Style
	}
	return set
}

// TestEliminate compares one elimination with the definition by paths of length two.
func TestEliminate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawRandomGraph(t)
		for _, n := range g.Nodes {
			if n.Kind != VertexNode {
				continue
			}
			v := n.ID
			after, err := g.Eliminate(v)
			if err != nil {
				t.Fatal(err)
			}
			if err := after.check(); err != nil {
				t.Fatal(err)
			}
			before, want := edgeSet(g), make(map[[2]string]EdgeStyle)
			for _, a := range g.Nodes {
				for _, b := range g.Nodes {
					pair := [2]string{a.ID, b.ID}
					_, direct := before[pair]
					_, into := before[[2]string{a.ID, v}]
					_, outOf := before[[2]string{v, b.ID}]
					switch {
					case a.ID == v || b.ID == v:
					case direct && into && outOf:
						want[pair] = UpdatedEdge
					case direct:
						want[pair] = NormalEdge
					case into && outOf:
						want[pair] = NewEdge
					}
				}
			}
			if got := edgeSet(after); !maps.Equal(got, want) {
				t.Fatalf("eliminating %s from %v gives %v, want %v", v, before, got, want)
			}
			if len(after.Nodes) != len(g.Nodes)-1 {
				t.Fatalf("%d nodes are left of %d", len(after.Nodes), len(g.Nodes))
			}
		}
	})
}

// TestFilm counts the multiplications of the lighthouse example: Σ predecessors × successors in forward order.
func TestFilm(t *testing.T) {
	film, err := Film(lighthouse(), []string{"1", "2", "3", "4", "5"})
	if err != nil {
		t.Fatal(err)
	}
	// 1: {ω,t}×{2}; 2: {ω,t}×{3,4}; 3: {γ,ω,t}×{5}; 4: {ν,ω,t}×{5}; 5: {ν,γ,ω,t}×{y1,y2}.
	if got, want := film.Frames[5].Caption, "result after 20 multiplications"; got != want {
		t.Errorf("caption %q, want %q", got, want)
	}
	if got, want := film.Frames[1].Caption, "2. eliminate tan: 4 mul, total 6"; got != want {
		t.Errorf("caption %q, want %q", got, want)
	}
	for _, e := range film.Frames[5].Graph.Edges {
		if !strings.HasPrefix(e.To, "y") {
			t.Errorf("edge %s → %s is left", e.From, e.To)
		}
	}
	if _, err := Film(lighthouse(), []string{"1", "1"}); err == nil || err.Error() != `report: step 2: report: graph "lighthouse" has no vertex "1" to eliminate` {
		t.Errorf("got error %v", err)
	}
}

// TestLayout checks that nodes neither overlap nor leave the drawing, and that edges run from border to border.
func TestLayout(t *testing.T) {
	var nodes []layoutNode
	var edges []layoutEdge
	g := randomGraph(150, 9)
	index := make(map[string]int)
	for i, n := range g.Nodes {
		index[n.ID] = i
		nodes = append(nodes, layoutNode{24, 24, n.Kind == VertexNode})
	}
	for _, e := range g.Edges {
		edges = append(edges, layoutEdge{from: index[e.From], to: index[e.To]})
	}
	for _, dir := range []Direction{LeftToRight, TopToBottom} {
		l, err := placeGraph(nodes, edges, dir)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range l.nodes {
			if p.X < 12-0.1 || p.Y < 12-0.1 || p.X > l.width-12+0.1 || p.Y > l.height-12+0.1 {
				t.Errorf("node %d at %v leaves the drawing", i, p)
			}
			for j := range i {
				if d := p.Sub(l.nodes[j]); max(d.X, -d.X) < 24 && max(d.Y, -d.Y) < 24 {
					t.Errorf("nodes %d and %d overlap", i, j)
				}
			}
		}
		for i, e := range edges {
			points := l.edges[i]
			for _, end := range []struct{ node, at vg.Point }{{l.nodes[e.from], points[0]}, {l.nodes[e.to], points[len(points)-1]}} {
				if d := end.at.Sub(end.node); d.X*d.X+d.Y*d.Y > 18*18 || d.X*d.X+d.Y*d.Y < 11*11 {
					t.Errorf("edge %d ends %v away from the middle of its node", i, d)
				}
			}
		}
	}
}

func TestLayoutLimits(t *testing.T) {
	if _, err := placeGraph(make([]layoutNode, maxLayoutEdges+1), nil, LeftToRight); err == nil || !strings.Contains(err.Error(), "too large to draw") {
		t.Errorf("got error %v", err)
	}
}

func FuzzParsePlain(f *testing.F) {
	f.Add("graph 1 2 1\nnode n0 0.5 0.5 0.3 0.3\nnode n1 1.5 0.5 0.3 0.3\nedge n0 n1 4 0.6 0.5 0.8 0.5 1 0.5 1.3 0.5 \"x\" 1 0.7 solid black\nstop\n")
	f.Add("edge n0 n1 1000000000000 1 2")
	f.Add("node n7 1 1")
	f.Add("graph 1 a b")
	f.Fuzz(func(t *testing.T, text string) {
		edges := []layoutEdge{{from: 0, to: 1, label: "x"}}
		l, err := parsePlain(text, 2, edges)
		if err == nil && (len(l.edges[0])%3 != 1 && len(l.edges[0]) != 0) {
			t.Fatalf("%d control points accepted", len(l.edges[0]))
		}
	})
}

func TestWrapName(t *testing.T) {
	for _, test := range []struct {
		name  string
		width vg.Length
		want  string
	}{
		{"g", 10, "g"}, {"RoeFlux_1d", 200, "RoeFlux_1d"}, {"HumanHeartDipole", 60, "HumanHeart|Dipole"}, {"HumanHeartDipole", 1, "Human|Heart|Dipole"},
		{"a b", 1, "a |b"}, {"", 10, ""},
	} {
		if got := strings.Join(wrapName(test.name, test.width), "|"); got != test.want {
			t.Errorf("%q in %g points: %q, want %q", test.name, test.width, got, test.want)
		}
	}
}
