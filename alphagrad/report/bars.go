package report

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// BarChart compares series over groups: one cluster of bars per group, one bar per series in it, for instance methods
// over tasks.
type BarChart struct {
	Title, Subtitle string
	Y               Axis // of the bars; linear bars start at zero, logarithmic ones at the lower border
	Groups          []string
	Series          []BarSeries
	References      []Line // horizontal lines, such as a ratio of 1
	ValueLabels     bool   // writes the number on every bar
	Format          string // fmt verb of value labels; empty means "%.4g"
}

// BarSeries is one bar per group.
type BarSeries struct {
	Name   string
	Values []float64 // [groups]; NaN leaves a gap
	// Low and High are the ends of an error bar, for instance the quartiles of a measured time. Both empty, or [groups].
	Low, High []float64
}

// Drawing implements [Figure].
func (b BarChart) Drawing() (*Drawing, error) {
	if len(b.Groups) == 0 || len(b.Series) == 0 {
		return nil, fmt.Errorf("report: bar chart %q needs at least one group and one series", b.Title)
	}
	e := emptyExtent()
	for _, s := range b.Series {
		if len(s.Values) != len(b.Groups) {
			return nil, fmt.Errorf("report: bar chart %q: series %q has %d values for %d groups", b.Title, s.Name, len(s.Values), len(b.Groups))
		}
		if n := len(s.Low); n != len(s.High) || n != 0 && n != len(b.Groups) {
			return nil, fmt.Errorf("report: bar chart %q: series %q has %d lower and %d upper ends of error bars for %d groups", b.Title, s.Name, n, len(s.High), len(b.Groups))
		}
		e.include(s.Values...)
		e.include(s.Low...)
		e.include(s.High...)
	}
	for _, r := range b.References {
		e.include(r.Value)
	}
	if !b.Y.Log && !e.empty() {
		e.include(0)
	}

	f := newFrame(b.Title, b.Subtitle, "", "")
	if err := b.Y.apply(&f.plot.Y, e, 0); err != nil {
		return nil, err
	}
	b.makeRoom(&f.plot.Y)
	x := &f.plot.X
	x.Min, x.Max = 0, float64(len(b.Groups))
	x.Tick.Marker = plot.ConstantTicks{}
	x.LineStyle.Width = 0
	f.plot.Y.LineStyle.Width = 0
	for _, r := range b.References {
		f.right = append(f.right, edgeLabel{r.Value, r.Label, ink})
	}
	const valueAxis = 50 // about what the labels of the value axis take
	taken := f.rightMargin() + margin + valueAxis
	f.width = max(plotWidth, vg.Length(len(b.Groups)*(len(b.Series)*13+16))+taken)
	names, lines := b.wrapNames((f.width-taken)/vg.Length(len(b.Groups)) - 6)
	f.bottom = groupGap + groupLine*vg.Length(lines)

	f.plot.Add(gridLines(false, true), painter(b.paint), painter(func(c draw.Canvas, p *plot.Plot) {
		for i, name := range names {
			x := c.X(p.X.Norm(float64(i) + 0.5))
			for k, line := range name {
				groupType.write(c, vg.Point{X: x, Y: c.Min.Y - groupGap - groupLine*vg.Length(k) - groupType.size*capHeight}, 0.5, line)
			}
		}
	}))
	if len(b.Series) > 1 {
		for i, s := range b.Series {
			f.legend = append(f.legend, boxEntry(s.Name, seriesColor(i)))
		}
	}
	return f.drawing(), nil
}

// makeRoom extends a free value axis so that bars and their labels stay inside.
func (b BarChart) makeRoom(y *plot.Axis) {
	if b.Y.Min != b.Y.Max {
		return
	}
	top := 0.04
	if b.ValueLabels {
		top = 0.12
	}
	if b.Y.Log {
		y.Min /= math.Pow(y.Max/y.Min, 0.08)
		y.Max *= math.Pow(y.Max/y.Min, top)
		return
	}
	span := y.Max - y.Min
	if y.Max > 0 {
		y.Max += top * span
	}
	if y.Min < 0 {
		y.Min -= top * span
	}
}

// Names of groups stand below the axis, on several lines where a name is wider than its group.
var groupType = lettering{9.5, false, ink}

const (
	groupGap  vg.Length = 6
	groupLine vg.Length = 11.5
)

// wrapNames breaks the names of all groups into lines and returns the largest number of lines.
func (b BarChart) wrapNames(width vg.Length) (names [][]string, lines int) {
	for _, name := range b.Groups {
		wrapped := wrapName(name, width)
		names = append(names, wrapped)
		lines = max(lines, len(wrapped))
	}
	return names, lines
}

// wrapName breaks a name at spaces, after underscores and before capitals, so that its lines fit into width.
func wrapName(name string, width vg.Length) []string {
	var parts []string
	start, runes := 0, []rune(name)
	for i := 1; i < len(runes); i++ {
		boundary := runes[i-1] == '_' || runes[i-1] == ' ' || runes[i-1] == '-' ||
			unicode.IsUpper(runes[i]) && unicode.IsLower(runes[i-1])
		if boundary {
			parts = append(parts, string(runes[start:i]))
			start = i
		}
	}
	parts = append(parts, string(runes[start:]))
	var lines []string
	for _, p := range parts {
		if n := len(lines); n > 0 && groupType.width(lines[n-1]+p) <= width {
			lines[n-1] += p
			continue
		}
		lines = append(lines, p)
	}
	return lines
}

// clusterWidth is the part of a group that its bars fill.
const clusterWidth = 0.8

func (b BarChart) paint(c draw.Canvas, p *plot.Plot) {
	toY := func(v float64) vg.Length { return c.Y(p.Y.Norm(v)) }
	base := p.Y.Min
	if !b.Y.Log {
		base = math.Max(p.Y.Min, math.Min(p.Y.Max, 0))
	}
	slot := clusterWidth / float64(len(b.Series))
	for i, s := range b.Series {
		for g, v := range s.Values {
			left := float64(g) + (1-clusterWidth)/2 + float64(i)*slot
			x0, x1 := c.X(p.X.Norm(left+slot*0.06)), c.X(p.X.Norm(left+slot*0.94))
			mid := (x0 + x1) / 2
			if math.IsNaN(v) {
				noteType.centre(c, vg.Point{X: mid, Y: toY(base) + noteType.size/2}, missing)
				continue
			}
			fillBox(c, seriesColor(i), vg.Rectangle{Min: vg.Point{X: x0, Y: min(toY(base), toY(v))}, Max: vg.Point{X: x1, Y: max(toY(base), toY(v))}})
			top := v
			if len(s.Low) > 0 && !math.IsNaN(s.Low[g]) && !math.IsNaN(s.High[g]) {
				paintErrorBar(c, mid, toY(s.Low[g]), toY(s.High[g]), min(3, (x1-x0)/4))
				top = s.High[g]
				if v < 0 {
					top = s.Low[g]
				}
			}
			if b.ValueLabels {
				b.paintValue(c, mid, toY(top), x1-x0, v)
			}
		}
	}
	c.StrokeLine2(draw.LineStyle{Color: softInk, Width: 0.8}, c.Min.X, toY(base), c.Max.X, toY(base))
	for _, r := range b.References {
		c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.9, Dashes: []vg.Length{4, 3}}, c.Min.X, toY(r.Value), c.Max.X, toY(r.Value))
	}
}

func paintErrorBar(c draw.Canvas, x, low, high, cap vg.Length) {
	line := draw.LineStyle{Color: ink, Width: 0.8}
	c.StrokeLine2(line, x, low, x, high)
	c.StrokeLine2(line, x-cap, low, x+cap, low)
	c.StrokeLine2(line, x-cap, high, x+cap, high)
}

// paintValue writes the number beyond the end of a bar, upright where the bar is wide enough and turned otherwise.
func (b BarChart) paintValue(c draw.Canvas, x, y, width vg.Length, v float64) {
	s := short(v)
	if b.Format != "" {
		s = strings.Replace(fmt.Sprintf(b.Format, v), "-", "−", 1)
	}
	l := lettering{7.5, false, ink}
	dir := vg.Length(1)
	if v < 0 && !b.Y.Log {
		dir = -1
	}
	if l.width(s) <= width+2 {
		l.centre(c, vg.Point{X: x, Y: y + dir*(l.size*capHeight/2+2.5)}, s)
		return
	}
	align := 0.0
	if dir < 0 {
		align = 1
	}
	l.rotated(c, vg.Point{X: x, Y: y + dir*3}, math.Pi/2, align, s)
}
