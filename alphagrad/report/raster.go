package report

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Raster shows spikes: a row for every neuron, a mark for every spike. Groups of neurons lie below each other in the
// order given, each in a colour of its own; within a group neuron 0 is at the bottom.
type Raster struct {
	Title, Subtitle string
	X               Axis          // time; must be linear
	Groups          []RasterGroup // from top to bottom
	Spans           []Span        // shaded intervals of time, such as a cue or the window in which the output counts
	Marks           []Line        // vertical lines
	// Width is how long a spike is on the time axis, such as the length of a time step. A mark is never drawn narrower
	// than is readable, nor wider than that.
	Width float64
}

// RasterGroup is a population of neurons and its spikes.
type RasterGroup struct {
	Name    string
	Neurons int       // number of rows, with and without spikes
	Times   []float64 // [spikes], finite
	Units   []int     // [spikes], the neuron of each spike, 0 … Neurons−1
}

// Span is an interval of an axis with a label at the border of the plotting area.
type Span struct {
	From, To float64
	Label    string
}

// Marks of a raster, in points: rows are as high as the picture allows between these limits.
const (
	tallestRow    vg.Length = 9
	lowestMark    vg.Length = 1.1
	narrowestMark vg.Length = 1
	rasterHeight  vg.Length = 300 // of the rows of a large network together
)

// spanFill is pale enough to read marks of every colour of the palette on it.
var spanFill = rgb(0xf0efe9)

// Drawing implements [Figure].
func (r Raster) Drawing() (*Drawing, error) {
	if r.X.Log {
		return nil, fmt.Errorf("report: raster %q: spikes need a linear time axis", r.Title)
	}
	if !(r.Width >= 0) || math.IsInf(r.Width, 0) {
		return nil, fmt.Errorf("report: raster %q: a spike cannot be %g wide", r.Title, r.Width)
	}
	time, rows := emptyExtent(), 0
	for _, g := range r.Groups {
		if g.Neurons < 1 || g.Neurons > math.MaxInt32-rows {
			return nil, fmt.Errorf("report: raster %q: group %q has %d neurons; want at least one", r.Title, g.Name, g.Neurons)
		}
		if len(g.Times) != len(g.Units) {
			return nil, fmt.Errorf("report: raster %q: group %q has %d times and %d neurons of spikes; want equally many", r.Title, g.Name, len(g.Times), len(g.Units))
		}
		for i, t := range g.Times {
			if math.IsNaN(t) || math.IsInf(t, 0) {
				return nil, fmt.Errorf("report: raster %q: group %q has a spike at time %g", r.Title, g.Name, t)
			}
			if u := g.Units[i]; u < 0 || u >= g.Neurons {
				return nil, fmt.Errorf("report: raster %q: group %q has a spike of neuron %d, but neurons 0 to %d", r.Title, g.Name, u, g.Neurons-1)
			}
			time.include(t, t+r.Width)
		}
		rows += g.Neurons
	}
	if rows == 0 {
		return nil, fmt.Errorf("report: raster %q has no neurons", r.Title)
	}
	for _, s := range r.Spans {
		if !(s.From <= s.To) {
			return nil, fmt.Errorf("report: raster %q: span %q runs from %g to %g; want the lower end first", r.Title, s.Label, s.From, s.To)
		}
		time.include(s.From, s.To)
	}
	for _, m := range r.Marks {
		time.include(m.Value)
	}

	f := newFrame(r.Title, r.Subtitle, "", "neuron")
	if err := r.X.apply(&f.plot.X, time, 0.01); err != nil {
		return nil, err
	}
	// Row k, counted from the bottom, is centred on k.
	f.plot.Y.Min, f.plot.Y.Max = -0.5, float64(rows)-0.5
	f.plot.Y.Tick.Marker = plot.ConstantTicks(r.rowTicks(rows))
	f.height = min(tallestRow*vg.Length(rows), rasterHeight) + 70
	f.plot.Add(painter(r.paint))
	for _, s := range r.Spans {
		f.top = append(f.top, edgeLabel{(s.From + s.To) / 2, s.Label, softInk})
	}
	for _, m := range r.Marks {
		f.top = append(f.top, edgeLabel{m.Value, m.Label, ink})
	}
	return f.drawing(), nil
}

// rowTicks numbers the neurons, or names the groups where there are several.
func (r Raster) rowTicks(rows int) []plot.Tick {
	if len(r.Groups) == 1 {
		var ticks []plot.Tick
		for _, t := range (linearTicks{6}).Ticks(0, float64(rows-1)) {
			if t.Value == math.Trunc(t.Value) {
				ticks = append(ticks, plot.Tick{Value: t.Value, Label: strconv.Itoa(int(t.Value))})
			}
		}
		if len(ticks) == 0 { // one neuron
			ticks = []plot.Tick{{Value: 0, Label: "0"}}
		}
		return ticks
	}
	var ticks []plot.Tick
	top := float64(rows)
	for _, g := range r.Groups {
		ticks = append(ticks, plot.Tick{Value: top - float64(g.Neurons)/2 - 0.5, Label: oneLine(g.Name)})
		top -= float64(g.Neurons)
	}
	return ticks
}

func (r Raster) paint(c draw.Canvas, p *plot.Plot) {
	toX := func(v float64) vg.Length { return c.X(p.X.Norm(v)) }
	toY := func(v float64) vg.Length { return c.Y(p.Y.Norm(v)) }
	within := func(x vg.Length) vg.Length { return max(c.Min.X, min(c.Max.X, x)) }
	for _, s := range r.Spans {
		fillBox(c, spanFill, vg.Rectangle{Min: vg.Point{X: within(toX(s.From)), Y: c.Min.Y}, Max: vg.Point{X: within(toX(s.To)), Y: c.Max.Y}})
	}
	row := toY(1) - toY(0)
	height := max(row*0.8, lowestMark)
	width := max(narrowestMark, min(toX(p.X.Min+r.Width)-toX(p.X.Min), row))
	base := int(math.Round(p.Y.Max + 0.5))
	for i, g := range r.Groups {
		base -= g.Neurons
		if i > 0 {
			y := toY(float64(base+g.Neurons) - 0.5)
			c.StrokeLine2(draw.LineStyle{Color: gridInk, Width: 0.8}, c.Min.X, y, c.Max.X, y)
		}
		var marks vg.Path // one path a group keeps SVG files of many spikes small
		for k, t := range g.Times {
			if t < p.X.Min || t > p.X.Max {
				continue // outside a fixed axis
			}
			x, y := toX(t), toY(float64(base+g.Units[k]))-height/2
			marks.Move(vg.Point{X: x, Y: y})
			marks.Line(vg.Point{X: min(x+width, c.Max.X+narrowestMark), Y: y})
			marks.Line(vg.Point{X: min(x+width, c.Max.X+narrowestMark), Y: y + height})
			marks.Line(vg.Point{X: x, Y: y + height})
			marks.Close()
		}
		if len(marks) > 0 {
			c.SetColor(lineColor(i))
			c.Fill(marks)
		}
	}
	for _, m := range r.Marks {
		if x := toX(m.Value); x >= c.Min.X && x <= c.Max.X {
			c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.8, Dashes: []vg.Length{5, 3}}, x, c.Min.Y, x, c.Max.Y)
		}
	}
}
