package report

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
)

// TestFigures draws every kind of figure twice in both formats: the bytes must agree, the SVG must be well-formed and
// self-contained, and the picture must neither be empty nor run over its border. With ALPHAGRAD_FIGURES set to a
// directory, the pictures stay there to be looked at.
func TestFigures(t *testing.T) {
	for name, f := range sampleFigures(t) {
		t.Run(name, func(t *testing.T) {
			svg, err := SVG(f)
			if err != nil {
				t.Fatal(err)
			}
			again, err := SVG(f)
			if err != nil || !bytes.Equal(svg, again) {
				t.Fatalf("two drawings of one description differ (%v)", err)
			}
			checkSVG(t, svg)
			data, err := PNG(f)
			if err != nil {
				t.Fatal(err)
			}
			share, whiteBorder := inkShare(t, data)
			if share < 0.01 || share > 0.6 {
				t.Errorf("%.3f of the picture is inked", share)
			}
			if !whiteBorder {
				t.Error("the drawing touches its border")
			}
			if dir := os.Getenv("ALPHAGRAD_FIGURES"); dir != "" {
				if err := SaveFigure(dir, name, f); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestPNGIsDeterministic(t *testing.T) {
	f := BarChart{Groups: taskNames, Series: mulSeries(), Y: Axis{Label: "multiplications"}}
	first, err := PNG(f)
	if err != nil {
		t.Fatal(err)
	}
	second, err := PNG(f)
	if err != nil || !bytes.Equal(first, second) {
		t.Fatalf("two drawings of one description differ (%v)", err)
	}
}

// TestGoldenSVG keeps two small documents, so that an unintended change of the drawing shows up in review.
func TestGoldenSVG(t *testing.T) {
	for name, f := range map[string]Figure{
		"bars.svg": BarChart{Title: "Cost", Y: Axis{Label: "multiplications"}, Groups: []string{"g", "RoeFlux_1d"},
			Series: []BarSeries{{Name: "reverse", Values: []float64{566, 364}}, {Name: "ours", Values: []float64{408, 294}}}},
		"step.svg": Step{Title: "Step", Before: lighthouse(), Vertex: "2"},
	} {
		svg, err := SVG(f)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, string(svg))
	}
}

func TestConcurrentDrawings(t *testing.T) {
	want, err := DrawGraph(lighthouse(), GraphOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			got, err := DrawGraph(lighthouse(), GraphOptions{})
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("a concurrent drawing differs (%v)", err)
			}
		})
	}
	wait.Wait()
}

func TestBadFigures(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	two := []float64{1, 2}
	cycle := Graph{Name: "c", Nodes: []Node{{ID: "a"}, {ID: "b"}}, Edges: []Edge{{From: "a", To: "b"}, {From: "b", To: "a"}}}
	node := []Node{{ID: "a"}}
	for want, f := range map[string]Figure{
		`report: no figure to draw`:                                                               nil,
		`report: bar chart "b" needs at least one group and one series`:                           BarChart{Title: "b"},
		`report: bar chart "b": series "s" has 2 values for 1 groups`:                             BarChart{Title: "b", Groups: []string{"g"}, Series: []BarSeries{{Name: "s", Values: two}}},
		`report: axis "y" is logarithmic but has the value -1; every value must be positive`:      BarChart{Y: Axis{Label: "y", Log: true}, Groups: []string{"g"}, Series: []BarSeries{{Values: []float64{-1}}}},
		`report: axis "all" has no values to show`:                                                BarChart{Y: Axis{Label: "all"}, Groups: []string{"g"}, Series: []BarSeries{{Values: []float64{nan}}}},
		`report: axis "r" runs from 2 to 1; want the lower end first`:                             BarChart{Y: Axis{Label: "r", Min: 2, Max: 1}, Groups: []string{"g"}, Series: []BarSeries{{Values: []float64{1}}}},
		`report: axis "y": the range of values is not finite`:                                     BarChart{Y: Axis{Label: "y"}, Groups: []string{"g"}, Series: []BarSeries{{Values: []float64{inf}}}},
		`report: plot "p": series "s" has 2 x and 0 y values; want equally many, at least one`:    LinePlot{Title: "p", Series: []Series{{Name: "s", X: two}}},
		`report: plot "p": series "s" goes back from x = 2 to 1; steps must go forward`:           LinePlot{Title: "p", Series: []Series{{Name: "s", X: []float64{2, 1}, Y: two, Style: Steps}}},
		`report: axis "x" is logarithmic but has the value 0; every value must be positive`:       LinePlot{X: Axis{Label: "x", Log: true}, Series: []Series{{X: []float64{0, 1}, Y: two}}},
		`report: axis "empty" has no values to show`:                                              LinePlot{X: Axis{Label: "empty"}},
		`report: histogram "h" has no values`:                                                     Histogram{Title: "h"},
		`report: histogram "h": value +Inf is not finite`:                                         Histogram{Title: "h", Values: []float64{inf}},
		`report: matrix "m": 2 × 2 entries need as many values, got 2`:                            Matrix{Title: "m", Rows: 2, Cols: 2, Data: two},
		`report: matrix "m": entry (1, 2) is infinite`:                                            Matrix{Title: "m", Rows: 1, Cols: 2, Data: []float64{1, inf}},
		`report: raster "r" has no neurons`:                                                       Raster{Title: "r"},
		`report: raster "r": group "g" has 0 neurons; want at least one`:                          Raster{Title: "r", Groups: []RasterGroup{{Name: "g"}}},
		`report: raster "r": group "g" has 2 times and 0 neurons of spikes; want equally many`:    Raster{Title: "r", Groups: []RasterGroup{{Name: "g", Neurons: 1, Times: two}}},
		`report: raster "r": group "g" has a spike of neuron 1, but neurons 0 to 0`:               Raster{Title: "r", Groups: []RasterGroup{{Name: "g", Neurons: 1, Times: two[:1], Units: []int{1}}}},
		`report: raster "r": group "g" has a spike at time NaN`:                                   Raster{Title: "r", Groups: []RasterGroup{{Name: "g", Neurons: 1, Times: []float64{nan}, Units: []int{0}}}},
		`report: raster "r": span "s" runs from 2 to 1; want the lower end first`:                 Raster{Title: "r", Groups: []RasterGroup{{Neurons: 1}}, Spans: []Span{{2, 1, "s"}}},
		`report: axis "time" has no values to show`:                                               Raster{Title: "r", X: Axis{Label: "time"}, Groups: []RasterGroup{{Neurons: 1}}},
		`report: raster "r": spikes need a linear time axis`:                                      Raster{Title: "r", X: Axis{Log: true}, Groups: []RasterGroup{{Neurons: 1}}},
		`report: raster "r": a spike cannot be -1 wide`:                                           Raster{Title: "r", Width: -1, Groups: []RasterGroup{{Neurons: 1}}},
		`report: graph "e" has no nodes`:                                                          GraphFigure{Graph: Graph{Name: "e"}},
		`report: graph "d": two nodes have the ID "a"`:                                            GraphFigure{Graph: Graph{Name: "d", Nodes: []Node{{ID: "a"}, {ID: "a"}}}},
		`report: graph "u": edge "a" → "z" has an end that is no node`:                            GraphFigure{Graph: Graph{Name: "u", Nodes: node, Edges: []Edge{{From: "a", To: "z"}}}},
		`report: graph "l": node "a" has an edge to itself`:                                       GraphFigure{Graph: Graph{Name: "l", Nodes: node, Edges: []Edge{{From: "a", To: "a"}}}},
		`report: graph "n": node "a" has cost NaN; want a finite number, at least 0`:              GraphFigure{Graph: Graph{Name: "n", Nodes: []Node{{ID: "a", Cost: nan}}}},
		`report: graph "lighthouse" has no vertex "9" to eliminate`:                               Step{Before: lighthouse(), Vertex: "9"},
		`report: graph "lighthouse": "y1" is not an intermediate vertex and cannot be eliminated`: Step{Before: lighthouse(), Vertex: "y1"},
		`report: graph "c": "b" and "a" form a cycle`:                                             Step{Before: cycle, Vertex: "a"},
		`report: "f" has no graph to draw`:                                                        FilmStrip{Title: "f"},
	} {
		if _, err := SVG(f); err == nil || err.Error() != want {
			t.Errorf("SVG: got error %v, want %s", err, want)
		}
		if _, err := PNG(f); err == nil || err.Error() != want {
			t.Errorf("PNG: got error %v, want %s", err, want)
		}
	}
}

// TestHostileText puts text that means something in XML, in dot or to a terminal into every place of a drawing.
func TestHostileText(t *testing.T) {
	for _, s := range []string{`</text><script>alert("x")</script>`, "a\x00b\x1b[31m\n]]>", "\xff\xfe", `n0 -> n1"; }`, "\uFFFE", "日本語", ""} {
		g := Graph{Name: s, Nodes: []Node{{ID: "in" + s, Kind: InputNode, Label: s}, {ID: "out" + s, Label: s, Group: s}}, Edges: []Edge{{From: "in" + s, To: "out" + s, Label: s}}}
		for _, f := range []Figure{
			GraphFigure{Graph: g, Subtitle: s},
			BarChart{Title: s, Y: Axis{Label: s, Unit: s}, Groups: []string{s}, Series: []BarSeries{{Name: s, Values: []float64{1}}, {Name: s, Values: []float64{2}}}, References: []Line{{1, s}}},
			Raster{Title: s, Groups: []RasterGroup{{Name: s, Neurons: 1}, {Name: s, Neurons: 1}}, Spans: []Span{{0, 1, s}}},
			Matrix{Title: s, Rows: 1, Cols: 1, Data: []float64{1}, RowLabels: []string{s}, ColLabels: []string{s}, RowTitle: s},
		} {
			svg, err := SVG(f)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if checkSVG(t, svg); bytes.Contains(svg, []byte("<script")) {
				t.Fatalf("%q: text became an element", s)
			}
			if _, err := PNG(f); err != nil {
				t.Fatalf("%q: %v", s, err)
			}
		}
	}
}

func TestSaveFigure(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "figures")
	if err := SaveFigure(dir, "graph", GraphFigure{Graph: lighthouse()}); err != nil {
		t.Fatal(err)
	}
	checkFiles(t, dir, "graph.png", "graph.svg")
	if err := SaveFigure(dir, "broken", GraphFigure{}); err == nil {
		t.Error("a figure that cannot be drawn was saved")
	}
	checkFiles(t, dir, "graph.png", "graph.svg")
	for _, name := range []string{"", "..", "a/b", `a\b`} {
		if err := SaveFigure(dir, name, GraphFigure{Graph: lighthouse()}); err == nil {
			t.Errorf("a figure was saved under the name %q", name)
		}
	}
}

// checkFiles checks that dir has exactly the given files, none of them empty or private.
func checkFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
		info, err := e.Info()
		if err != nil || info.Size() == 0 || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v, %v", e.Name(), info, err)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s has %q, want %q", dir, got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s has %q, want %q", dir, got, want)
		}
	}
}

func BenchmarkDrawGraph150(b *testing.B) {
	g := randomGraph(150, 3).WithMarkowitzCosts()
	for b.Loop() {
		if _, err := DrawGraph(g, GraphOptions{Direction: LeftToRight}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBarChartSVG(b *testing.B) {
	f := BarChart{Groups: taskNames, Series: mulSeries(), Y: Axis{Label: "multiplications"}}
	for b.Loop() {
		if _, err := SVG(f); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRasterMarks: every spike of the description is one closed shape of the drawing, in the row of its neuron.
func TestRasterMarks(t *testing.T) {
	f := Raster{X: Axis{Label: "time"}, Groups: []RasterGroup{
		{Name: "a", Neurons: 3, Times: []float64{0, 5, 5}, Units: []int{0, 1, 2}},
		{Name: "b", Neurons: 2, Times: []float64{10}, Units: []int{1}}}}
	svg, err := SVG(f)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	spikes := 0
	for _, path := range regexp.MustCompile(`<path d="([^"]*)"`).FindAllStringSubmatch(string(svg), -1) {
		marks := regexp.MustCompile(`M[0-9.]+,([0-9.]+)L[0-9.]+,[0-9.]+L[0-9.]+,[0-9.]+L[0-9.]+,[0-9.]+Z`).FindAllStringSubmatch(path[1], -1)
		for _, m := range marks {
			rows[m[1]] = true
		}
		spikes += len(marks)
	}
	// The background is a shape of the same kind.
	if spikes != 4+1 || len(rows) != 4+1 {
		t.Errorf("%d shapes in %d rows, want 5 in 5", spikes, len(rows))
	}
}
