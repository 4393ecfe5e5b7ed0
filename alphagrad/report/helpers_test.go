package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run go test -update after checking):\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}

var (
	taskNames   = []string{"RoeFlux_1d", "RobotArm_6DOF", "HumanHeartDipole", "PropaneCombustion", "g"}
	methodNames = []string{"forward", "reverse", "Markowitz", "published", "ours"}
	taskMuls    = [][]float64{
		{620, 364, 407, 320, 294}, {397, 301, 288, 231, 221}, {240, 172, 194, 148, 148}, {151, 90, 111, 88, 88}, {632, 566, 451, 417, 408},
	}
)

func mulSeries() []BarSeries {
	var series []BarSeries
	for j, name := range methodNames {
		s := BarSeries{Name: name}
		for i := range taskNames {
			s.Values = append(s.Values, taskMuls[i][j])
		}
		series = append(series, s)
	}
	return series
}

// lighthouse is the lighthouse example of Griewank and Walther.
func lighthouse() Graph {
	return Graph{
		Name: "lighthouse",
		Nodes: []Node{
			{ID: "ν", Kind: InputNode}, {ID: "γ", Kind: InputNode}, {ID: "ω", Kind: InputNode}, {ID: "t", Kind: InputNode},
			{ID: "1", Label: "mul"}, {ID: "2", Label: "tan"}, {ID: "3", Label: "sub"}, {ID: "4", Label: "mul"}, {ID: "5", Label: "div"},
			{ID: "y1", Kind: OutputNode}, {ID: "y2", Kind: OutputNode},
		},
		Edges: []Edge{
			{From: "ω", To: "1"}, {From: "t", To: "1"}, {From: "1", To: "2"}, {From: "γ", To: "3"}, {From: "2", To: "3"}, {From: "ν", To: "4"},
			{From: "2", To: "4"}, {From: "4", To: "5"}, {From: "3", To: "5"}, {From: "5", To: "y1"}, {From: "5", To: "y2"}, {From: "γ", To: "y2"},
		},
	}
}

// randomGraph has 8 inputs, n vertices of which the last 6 are outputs, and at most two predecessors each.
func randomGraph(n int, seed uint64) Graph {
	r := rand.New(rand.NewPCG(seed, 1))
	g := Graph{Name: fmt.Sprintf("random graph with %d vertices", n)}
	for i := range 8 {
		g.Nodes = append(g.Nodes, Node{ID: fmt.Sprintf("x%d", i), Kind: InputNode})
	}
	for i := range n {
		node := Node{ID: fmt.Sprint(i + 1), Group: []string{"mul", "add", "sin"}[r.IntN(3)]}
		if i >= n-6 {
			node.Kind = OutputNode
		}
		limit := min(len(g.Nodes), n+2)
		first := max(0, limit-25)
		a, b := first+r.IntN(limit-first), first+r.IntN(limit-first)
		g.Edges = append(g.Edges, Edge{From: g.Nodes[a].ID, To: node.ID})
		if a != b {
			g.Edges = append(g.Edges, Edge{From: g.Nodes[b].ID, To: node.ID})
		}
		g.Nodes = append(g.Nodes, node)
	}
	return g
}

// poissonGroup fires n neurons with a probability p per unit of time.
func poissonGroup(r *rand.Rand, name string, n int, p float64, steps int) RasterGroup {
	g := RasterGroup{Name: name, Neurons: n}
	for t := range steps {
		for i := range n {
			if r.Float64() < p {
				g.Times, g.Units = append(g.Times, float64(t)), append(g.Units, i)
			}
		}
	}
	return g
}

// sampleFigures has one figure of every kind, with the options that change most of the picture.
func sampleFigures(t testing.TB) map[string]Figure {
	r := rand.New(rand.NewPCG(7, 7))
	figures := map[string]Figure{
		"bars": BarChart{Title: "Multiplications per Jacobian", Subtitle: "five elimination orders, every scalar edge counted",
			Y: Axis{Label: "multiplications"}, Groups: taskNames, Series: mulSeries(), ValueLabels: true},
	}

	ratios := mulSeries()
	for j := range ratios {
		for i, m := range taskMuls {
			v := min(m[0], m[1]) / m[j]
			ratios[j].Values[i] = v
			ratios[j].Low = append(ratios[j].Low, 0.9*v)
			ratios[j].High = append(ratios[j].High, 1.15*v)
		}
	}
	ratios[3].Values[4] = math.NaN()
	figures["ratios"] = BarChart{Title: "Speed-up over the better of forward and reverse", Y: Axis{Label: "speed-up", Unit: "×", Log: true},
		Groups: taskNames, Series: ratios, References: []Line{{1, "no gain"}}}

	var series []Series
	for k, name := range []string{"annealing", "beam search", "AlphaZero"} {
		var runs [][]TracePoint
		for range 5 {
			run := []TracePoint{{0, 407}}
			for s, cost := 0.001, 407.0; s < 10; {
				s *= 1 + r.Float64()
				cost = math.Round(294 + 6*float64(k) + (cost-294-6*float64(k))*(1-r.Float64()/float64(k+2)))
				run = append(run, TracePoint{s, cost})
			}
			runs = append(runs, run)
		}
		s, err := AnytimeSeries(name, runs...)
		if err != nil {
			t.Fatal(err)
		}
		series = append(series, s)
	}
	figures["trace"] = LinePlot{Title: "Best order found against time, RoeFlux_1d", Subtitle: "median of 5 seeds, band: quartiles",
		X: Axis{Label: "time", Unit: "s", Log: true}, Y: Axis{Label: "multiplications"}, Series: series,
		References: []Line{{320, "published 320"}, {364, "reverse 364"}, {294, "best 294"}, {291, "lower bound 291"}}}

	scatter := Series{Name: "measured", Style: Points}
	for range 60 {
		x := 100 * r.Float64()
		scatter.X = append(scatter.X, x)
		scatter.Y = append(scatter.Y, 2*x+10*r.NormFloat64())
	}
	figures["scatter"] = LinePlot{Title: "Predicted and measured time", X: Axis{Label: "operations"}, Y: Axis{Label: "time", Unit: "ns"},
		Series: []Series{scatter, {Name: "model", X: []float64{0, 50, 100}, Y: []float64{0, 100, 200}, Style: LinesMarkers}},
		Marks:  []Line{{50, "half"}}}

	histogram := Histogram{Title: "Cost of 2000 random orders, RoeFlux_1d", X: Axis{Label: "multiplications"}, Y: Axis{Label: "orders"},
		Marks: []Line{{620, "forward 620"}, {364, "reverse 364"}, {407, "Markowitz 407"}, {320, "published 320"}, {294, "ours 294"}}}
	for range 2000 {
		histogram.Values = append(histogram.Values, math.Round(900+120*r.NormFloat64()))
	}
	figures["histogram"] = histogram

	jacobian := Matrix{Title: "Jacobian of RobotArm_6DOF", Rows: 6, Cols: 18, RowTitle: "outputs", ColTitle: "inputs"}
	for range 6 * 18 {
		v := r.NormFloat64()
		if r.IntN(2) == 0 {
			v = 0
		}
		jacobian.Data = append(jacobian.Data, v)
	}
	for name, colors := range map[string]MatrixColors{"spy": Pattern, "signs": Signs, "magnitudes": Magnitudes} {
		jacobian.Colors = colors
		figures["matrix_"+name] = jacobian
	}
	dense := Matrix{Title: "Band", Rows: 120, Cols: 150, Data: make([]float64, 120*150)}
	for i := range 120 {
		for j := i; j < i+6; j++ {
			dense.Data[i*150+j] = 1
		}
	}
	figures["matrix_large"] = dense
	groups := Matrix{Title: "A band in groups of columns", Rows: 30, Cols: 30, Colors: Groups, Data: make([]float64, 30*30)}
	for i := range 30 {
		for j := max(0, i-2); j <= min(29, i+2); j++ {
			groups.Data[i*30+j] = float64(j%5 + 1)
		}
	}
	figures["matrix_groups"] = groups

	figures["raster"] = Raster{Title: "Spikes of a trial", Subtitle: "two populations and their input", X: Axis{Label: "time", Unit: "ms"}, Width: 1,
		Groups: []RasterGroup{poissonGroup(r, "input", 40, 0.02, 600), poissonGroup(r, "LIF", 25, 0.01, 600), poissonGroup(r, "ALIF", 25, 0.03, 600)},
		Spans:  []Span{{50, 150, "cue"}, {200, 300, "cue"}, {500, 600, "recall"}}, Marks: []Line{{400, "go"}}}
	figures["raster_single"] = Raster{Title: "Four neurons", X: Axis{Label: "time", Unit: "ms"}, Groups: []RasterGroup{poissonGroup(r, "", 4, 0.1, 100)}, Width: 1}
	figures["raster_large"] = Raster{Title: "A spoken digit", X: Axis{Label: "time", Unit: "ms"}, Groups: []RasterGroup{poissonGroup(r, "", 700, 0.01, 1000)}, Width: 10}

	g := lighthouse()
	figures["graph"] = GraphFigure{Graph: g.WithMarkowitzCosts(), Options: GraphOptions{CostLabel: "Markowitz degree", SizeByCost: true}}
	labelled := lighthouse()
	labelled.Edges[2].Label, labelled.Edges[4].Label = "1+b²", "−1"
	for i, n := range labelled.Nodes {
		if n.Kind == VertexNode {
			labelled.Nodes[i].Group = n.Label
		}
	}
	labelled.Nodes[5].Faded = true
	labelled.Nodes = append(labelled.Nodes, Node{ID: "2.5", Kind: ConstantNode})
	labelled.Edges = append(labelled.Edges, Edge{From: "2.5", To: "4"})
	figures["graph_labels"] = GraphFigure{Title: "Local derivatives", Graph: labelled, Options: GraphOptions{Direction: TopToBottom}}
	figures["graph_large"] = GraphFigure{Graph: randomGraph(150, 3).WithMarkowitzCosts()}
	figures["step"] = Step{Title: "Eliminating one vertex", Subtitle: "every path through it becomes an edge", Before: g, Vertex: "2"}
	figures["step_large"] = Step{Before: randomGraph(100, 4), Vertex: "40"}
	film, err := Film(g, []string{"2", "5", "1", "3", "4"})
	if err != nil {
		t.Fatal(err)
	}
	figures["film"] = film
	return figures
}

// checkSVG parses an SVG document as XML and returns its text.
func checkSVG(t testing.TB, doc []byte) string {
	t.Helper()
	if !bytes.HasPrefix(doc, []byte("<svg width=")) || !bytes.Contains(doc, []byte("viewBox=")) || !bytes.Contains(doc, []byte("max-width:100%")) {
		t.Fatalf("not a scalable SVG document: %.200s", doc)
	}
	for _, outside := range []string{"href=", "url(", "@import"} {
		if bytes.Contains(doc, []byte(outside)) {
			t.Fatalf("SVG refers to something outside: %s", outside)
		}
	}
	var text strings.Builder
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("SVG is not well-formed: %v", err)
		}
		if s, ok := token.(xml.CharData); ok && strings.TrimSpace(string(s)) != "" {
			text.WriteString(string(s) + "\n")
		}
	}
}

// inkShare decodes a PNG and returns the share of its pixels that are not white, and whether the outermost pixels are.
func inkShare(t testing.TB, data []byte) (share float64, whiteBorder bool) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	inked := 0
	whiteBorder = true
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, a := img.At(x, y).RGBA()
			if r == 0xffff && g == 0xffff && bl == 0xffff && a == 0xffff {
				continue
			}
			inked++
			if a == 0xffff && (x < b.Min.X+2 || y < b.Min.Y+2 || x >= b.Max.X-3 || y >= b.Max.Y-3) {
				whiteBorder = false
			}
		}
	}
	return float64(inked) / float64(b.Dx()*b.Dy()), whiteBorder
}
