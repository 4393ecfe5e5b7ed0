package report

import (
	"image/color"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Natural size and spacing of plots, in points.
const (
	plotWidth  vg.Length = 520
	plotHeight vg.Length = 320
	margin     vg.Length = 12
)

// Lettering of plots and drawings.
var (
	titleType    = lettering{13, true, ink}
	subtitleType = lettering{10, false, softInk}
	axisType     = lettering{10, false, ink}
	tickType     = lettering{9, false, ink}
	legendType   = lettering{9.5, false, ink}
	noteType     = lettering{8.5, false, softInk}
)

// swatch paints the sample of a legend entry into a box.
type swatch func(c draw.Canvas, box vg.Rectangle)

// legendEntry is one name in a legend.
type legendEntry struct {
	name   string
	sample swatch
	width  vg.Length // of the sample; zero means sampleWidth
}

func (e legendEntry) sampleWidth() vg.Length {
	if e.width == 0 {
		return sampleWidth
	}
	return e.width
}

// edgeLabel names a value at the border of the plotting area.
type edgeLabel struct {
	value float64 // on the axis along that border
	text  string
	color color.NRGBA
}

// frame surrounds a gonum plot with what the plot's own title and legend do not do well: a title aligned with the
// left margin, a legend between title and plotting area (so that it never covers data), and labels at the right and
// upper border that avoid each other.
type frame struct {
	title, subtitle string
	legend          []legendEntry
	plot            *plot.Plot
	right           []edgeLabel // labels of horizontal lines
	top             []edgeLabel // labels of vertical lines
	bottom          vg.Length   // space below the plot that its painters use themselves
	width, height   vg.Length
}

// newFrame returns a frame around an empty plot in the house style.
func newFrame(title, subtitle, x, y string) *frame {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle = axisType.style()
		a.Label.TextStyle.XAlign = draw.XCenter
		a.Label.Padding = 5
		a.Tick.Label = tickType.style()
		a.Tick.LineStyle = draw.LineStyle{Color: softInk, Width: 0.6}
		a.Tick.Length = 3.5
		a.LineStyle = draw.LineStyle{Color: softInk, Width: 0.8}
		a.Padding = 0
	}
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XCenter, draw.YTop
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = draw.XRight, draw.YCenter
	p.X.Label.TextStyle.YAlign = draw.YBottom
	p.Y.Label.TextStyle.YAlign = draw.YBottom
	p.X.Label.Text, p.Y.Label.Text = x, y
	return &frame{title: title, subtitle: subtitle, plot: p, width: plotWidth, height: plotHeight}
}

// drawing makes the frame a Drawing.
func (f *frame) drawing() *Drawing {
	head := headHeight(f.title, f.subtitle, f.legend, f.width)
	return &Drawing{Width: f.width, Height: f.height + head, Paint: f.paint}
}

func (f *frame) paint(c draw.Canvas) {
	fillBox(c, paper, c.Rectangle)
	top := paintHead(c, f.title, f.subtitle, f.legend)
	inner := c
	inner.Min = inner.Min.Add(vg.Point{X: margin, Y: margin + f.bottom})
	inner.Max = vg.Point{X: inner.Max.X - f.rightMargin(), Y: top - margin/2}
	if len(f.top) > 0 {
		inner.Max.Y -= edgeLeader + noteType.size
	}
	f.plot.Draw(inner)
	f.paintEdgeLabels(c, f.plot.DataCanvas(inner))
}

// rightMargin is the space right of the plotting area.
func (f *frame) rightMargin() vg.Length {
	m := margin
	for _, l := range f.right {
		m = max(m, margin+edgeLeader+noteType.width(l.text))
	}
	return m
}

// edgeLeader is the length of the line that leads from the border of the plotting area to a label.
const edgeLeader vg.Length = 14

func (f *frame) paintEdgeLabels(c, data draw.Canvas) {
	leader := func(col color.NRGBA, pts ...vg.Point) {
		c.StrokeLines(draw.LineStyle{Color: col, Width: 0.7}, pts)
	}
	place := func(labels []edgeLabel, at func(edgeLabel) vg.Length, size func(edgeLabel) vg.Length, lo, hi vg.Length) ([]edgeLabel, []float64) {
		labels = append([]edgeLabel(nil), labels...)
		sort.SliceStable(labels, func(i, j int) bool { return labels[i].value < labels[j].value })
		wish, sizes := make([]float64, len(labels)), make([]float64, len(labels))
		for i, l := range labels {
			wish[i], sizes[i] = float64(at(l)), float64(size(l))
		}
		return labels, dodge(wish, sizes, 2, float64(lo), float64(hi))
	}

	yOf := func(l edgeLabel) vg.Length { return data.Y(f.plot.Y.Norm(l.value)) }
	labels, ys := place(f.right, yOf, func(edgeLabel) vg.Length { return noteType.size }, data.Min.Y-4, data.Max.Y+4)
	for i, l := range labels {
		y0, y := yOf(l), vg.Length(ys[i])
		leader(l.color, vg.Point{X: data.Max.X, Y: y0}, vg.Point{X: data.Max.X + edgeLeader - 4, Y: y})
		text := noteType
		text.color = mix(l.color, ink, 0.3)
		text.write(c, vg.Point{X: data.Max.X + edgeLeader - 2, Y: y - text.size*capHeight/2}, 0, l.text)
	}

	xOf := func(l edgeLabel) vg.Length { return data.X(f.plot.X.Norm(l.value)) }
	labels, xs := place(f.top, xOf, func(l edgeLabel) vg.Length { return noteType.width(l.text) + 4 }, c.Min.X+margin, c.Max.X-margin)
	for i, l := range labels {
		x0, x := xOf(l), vg.Length(xs[i])
		leader(l.color, vg.Point{X: x0, Y: data.Max.Y}, vg.Point{X: x, Y: data.Max.Y + edgeLeader - 4})
		text := noteType
		text.color = mix(l.color, ink, 0.3)
		text.write(c, vg.Point{X: x, Y: data.Max.Y + edgeLeader - 2}, 0.5, l.text)
	}
}

// Sizes of the legend.
const (
	sampleWidth  vg.Length = 18
	sampleHeight vg.Length = 8
	entryGap     vg.Length = 16
	legendRow    vg.Length = 15
)

// legendRows breaks a legend into rows of at most width.
func legendRows(entries []legendEntry, width vg.Length) [][]legendEntry {
	var rows [][]legendEntry
	var used vg.Length
	for _, e := range entries {
		w := e.sampleWidth() + 5 + legendType.width(e.name) + entryGap
		if len(rows) == 0 || used+w-entryGap > width {
			rows, used = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], e)
		used += w
	}
	return rows
}

// headLine is a line of the title or subtitle.
type headLine struct {
	lettering
	text    string
	advance vg.Length
}

func headLines(title, subtitle string, width vg.Length) []headLine {
	var lines []headLine
	for _, s := range titleType.wrap(title, width) {
		lines = append(lines, headLine{titleType, s, titleType.size * 1.35})
	}
	for _, s := range subtitleType.wrap(subtitle, width) {
		lines = append(lines, headLine{subtitleType, s, subtitleType.size * 1.4})
	}
	return lines
}

// headHeight is the height of title, subtitle and legend.
func headHeight(title, subtitle string, legend []legendEntry, width vg.Length) vg.Length {
	var h vg.Length
	for _, l := range headLines(title, subtitle, width-2*margin) {
		h += l.advance
	}
	if n := len(legendRows(legend, width-2*margin)); n > 0 {
		h += legendRow*vg.Length(n) + 4
	}
	return h
}

// paintHead paints title, subtitle and legend at the top of c and returns the y below them.
func paintHead(c draw.Canvas, title, subtitle string, legend []legendEntry) vg.Length {
	x, y := c.Min.X+margin, c.Max.Y-margin
	for _, l := range headLines(title, subtitle, c.Max.X-c.Min.X-2*margin) {
		l.write(c, vg.Point{X: x, Y: y - l.size*0.85}, 0, l.text)
		y -= l.advance
	}
	rows := legendRows(legend, c.Max.X-c.Min.X-2*margin)
	if len(rows) > 0 {
		y -= 4
	}
	for _, row := range rows {
		at, mid := x, y-legendRow/2
		for _, e := range row {
			e.sample(c, vg.Rectangle{
				Min: vg.Point{X: at, Y: mid - sampleHeight/2},
				Max: vg.Point{X: at + e.sampleWidth(), Y: mid + sampleHeight/2},
			})
			at += e.sampleWidth() + 5
			legendType.write(c, vg.Point{X: at, Y: mid - legendType.size*capHeight/2}, 0, e.name)
			at += legendType.width(e.name) + entryGap
		}
		y -= legendRow
	}
	return y
}

// painter is a plot.Plotter made of a function.
type painter func(c draw.Canvas, p *plot.Plot)

// Plot implements plot.Plotter.
func (f painter) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

// gridLines draws lines at the labelled ticks of the axes, behind whatever is added later.
func gridLines(x, y bool) painter {
	return func(c draw.Canvas, p *plot.Plot) {
		line := draw.LineStyle{Color: gridInk, Width: 0.6}
		if x {
			for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
				if at := c.X(p.X.Norm(t.Value)); !t.IsMinor() {
					c.StrokeLine2(line, at, c.Min.Y, at, c.Max.Y)
				}
			}
		}
		if y {
			for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
				if at := c.Y(p.Y.Norm(t.Value)); !t.IsMinor() {
					c.StrokeLine2(line, c.Min.X, at, c.Max.X, at)
				}
			}
		}
	}
}
