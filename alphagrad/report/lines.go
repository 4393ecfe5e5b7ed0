package report

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// LinePlot shows y against x: lines, steps (any-time curves) or scattered points, with bands and reference lines.
type LinePlot struct {
	Title, Subtitle string
	X, Y            Axis
	Series          []Series
	References      []Line // horizontal lines, such as a published value or a lower bound
	Marks           []Line // vertical lines
}

// Style is how a [Series] is drawn.
type Style int

// Styles of a series.
const (
	Lines        Style = iota // straight lines between the points
	Steps                     // each y holds until the next x and the last one to the right border
	Points                    // only markers
	LinesMarkers              // lines and markers
)

// Series is one curve.
type Series struct {
	Name  string
	X, Y  []float64 // [points]; a NaN breaks the curve
	Style Style
	// Low and High bound a shaded band around the curve, such as quartiles over seeds. Both empty, or [points].
	Low, High []float64
}

// Drawing implements [Figure].
func (p LinePlot) Drawing() (*Drawing, error) {
	x, y := emptyExtent(), emptyExtent()
	for i, s := range p.Series {
		if n := len(s.X); n == 0 || n != len(s.Y) {
			return nil, fmt.Errorf("report: plot %q: series %q has %d x and %d y values; want equally many, at least one", p.Title, s.Name, n, len(s.Y))
		}
		if n := len(s.Low); n != len(s.High) || n != 0 && n != len(s.X) {
			return nil, fmt.Errorf("report: plot %q: series %q has a band of %d lower and %d upper values for %d points", p.Title, s.Name, n, len(s.High), len(s.X))
		}
		for j, v := range s.X {
			// What is known at time zero has no place on a logarithmic axis: it comes in from the left border.
			if p.X.Log && s.Style == Steps && v <= 0 {
				continue
			}
			if j > 0 && s.Style == Steps && v < s.X[j-1] {
				return nil, fmt.Errorf("report: plot %q: series %q goes back from x = %g to %g; steps must go forward", p.Title, s.Name, s.X[j-1], v)
			}
			x.include(v)
		}
		y.include(p.Series[i].Y...)
		y.include(s.Low...)
		y.include(s.High...)
	}
	for _, r := range p.References {
		y.include(r.Value)
	}
	for _, m := range p.Marks {
		x.include(m.Value)
	}
	f := newFrame(p.Title, p.Subtitle, "", "")
	room := 0.03
	if p.onlySteps() {
		room = 0
	}
	if err := p.X.apply(&f.plot.X, x, room); err != nil {
		return nil, err
	}
	if err := p.Y.apply(&f.plot.Y, y, 0.05); err != nil {
		return nil, err
	}
	f.plot.Add(gridLines(true, true), painter(p.paint))
	if len(p.Series) > 1 {
		for i, s := range p.Series {
			f.legend = append(f.legend, legendEntry{name: s.Name, sample: seriesSample(i, s)})
		}
	}
	for _, r := range p.References {
		f.right = append(f.right, edgeLabel{r.Value, r.Label, ink})
	}
	for _, m := range p.Marks {
		f.top = append(f.top, edgeLabel{m.Value, m.Label, ink})
	}
	return f.drawing(), nil
}

func (p LinePlot) onlySteps() bool {
	for _, s := range p.Series {
		if s.Style != Steps {
			return false
		}
	}
	return true
}

func (p LinePlot) paint(c draw.Canvas, pl *plot.Plot) {
	toX := func(v float64) vg.Length {
		if p.X.Log && v <= pl.X.Min {
			return c.Min.X
		}
		return c.X(pl.X.Norm(v))
	}
	toY := func(v float64) vg.Length { return c.Y(pl.Y.Norm(v)) }
	for _, r := range p.References {
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.8, Dashes: []vg.Length{5, 3}}, c.Min.X, toY(r.Value), c.Max.X, toY(r.Value))
	}
	for _, m := range p.Marks {
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.8, Dashes: []vg.Length{5, 3}}, toX(m.Value), c.Min.Y, toX(m.Value), c.Max.Y)
	}
	curve := func(s Series, ys []float64) [][]vg.Point {
		runs := [][]vg.Point{nil}
		add := func(pt vg.Point) { runs[len(runs)-1] = append(runs[len(runs)-1], pt) }
		for i, y := range ys {
			if math.IsNaN(y) || math.IsNaN(s.X[i]) {
				runs = append(runs, nil)
				continue
			}
			pt := vg.Point{X: toX(s.X[i]), Y: toY(y)}
			if run := runs[len(runs)-1]; s.Style == Steps && len(run) > 0 {
				add(vg.Point{X: pt.X, Y: run[len(run)-1].Y})
			}
			add(pt)
		}
		if run := runs[len(runs)-1]; s.Style == Steps && len(run) > 0 {
			add(vg.Point{X: c.Max.X, Y: run[len(run)-1].Y})
		}
		return runs
	}
	for i, s := range p.Series {
		if len(s.Low) == 0 {
			continue
		}
		low, high := curve(s, s.Low), curve(s, s.High)
		for k := range min(len(low), len(high)) {
			area := append([]vg.Point(nil), low[k]...)
			for j := len(high[k]) - 1; j >= 0; j-- {
				area = append(area, high[k][j])
			}
			c.FillPolygon(withAlpha(lineColor(i), 0.18), c.ClipPolygonXY(area))
		}
	}
	for i, s := range p.Series {
		if s.Style != Points {
			for _, run := range curve(s, s.Y) {
				if len(run) > 1 {
					c.StrokeLines(seriesLine(i), c.ClipLinesXY(run)...)
				}
			}
		}
		if s.Style != Points && s.Style != LinesMarkers {
			continue
		}
		for j := range s.X {
			if pt := (vg.Point{X: toX(s.X[j]), Y: toY(s.Y[j])}); !math.IsNaN(s.X[j]) && !math.IsNaN(s.Y[j]) && c.Contains(pt) {
				c.DrawGlyph(markerStyle(i), pt)
			}
		}
	}
}

// lineColor takes the strong colours first: thin lines need more contrast than bars.
func lineColor(i int) color.NRGBA {
	order := [...]int{1, 4, 3, 2, 0, 5, 6}
	return palette[order[i%len(order)]]
}

// seriesLine is the line of series i; from the second round through the palette on, lines are dashed.
func seriesLine(i int) draw.LineStyle {
	line := draw.LineStyle{Color: lineColor(i), Width: 1.8}
	if round := i / len(palette); round > 0 {
		line.Dashes = []vg.Length{vg.Length(1 + 3*round), 3}
	}
	return line
}

// marker gives neighbouring series different shapes, so that they differ without colour.
func marker(i int) draw.GlyphDrawer {
	shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{}, draw.RingGlyph{}, draw.PlusGlyph{}}
	return shapes[i%len(shapes)]
}

func markerStyle(i int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: lineColor(i), Radius: 2.8, Shape: marker(i)}
}

func seriesSample(i int, s Series) swatch {
	return func(c draw.Canvas, box vg.Rectangle) {
		mid := vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}
		if len(s.Low) > 0 {
			fillBox(c, withAlpha(lineColor(i), 0.18), box)
		}
		if s.Style != Points {
			c.StrokeLine2(seriesLine(i), box.Min.X, mid.Y, box.Max.X, mid.Y)
		}
		if s.Style == Points || s.Style == LinesMarkers {
			c.DrawGlyphNoClip(markerStyle(i), mid)
		}
	}
}

// boxEntry is a legend entry with a filled square.
func boxEntry(name string, col color.Color) legendEntry {
	return legendEntry{name: name, width: sampleHeight, sample: func(c draw.Canvas, box vg.Rectangle) { fillBox(c, col, box) }}
}
