package report

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// MatrixColors is what the colours of a [Matrix] tell.
type MatrixColors int

// Colourings of a matrix. Zeros and NaN are blank in all of them.
const (
	Pattern    MatrixColors = iota // which entries are nonzero (a spy plot)
	Signs                          // positive or negative
	Magnitudes                     // the value, on a scale symmetric about zero
	Groups                         // the value is the number of a group, from 1
)

// Matrix is a picture of a matrix, such as a Jacobian: one small square per entry.
type Matrix struct {
	Title, Subtitle      string
	Rows, Cols           int
	Data                 []float64 // [Rows*Cols] row-major
	RowLabels, ColLabels []string  // names of rows and columns, or nil for their numbers from 1
	RowTitle, ColTitle   string    // what rows and columns are, such as "outputs" and "inputs"
	Colors               MatrixColors
}

// Drawing implements [Figure].
func (m Matrix) Drawing() (*Drawing, error) {
	if m.Rows < 1 || m.Cols < 1 || m.Rows > math.MaxInt32/m.Cols || len(m.Data) != m.Rows*m.Cols {
		return nil, fmt.Errorf("report: matrix %q: %d × %d entries need as many values, got %d", m.Title, m.Rows, m.Cols, len(m.Data))
	}
	if n := len(m.RowLabels); n != 0 && n != m.Rows {
		return nil, fmt.Errorf("report: matrix %q: %d row labels for %d rows", m.Title, n, m.Rows)
	}
	if n := len(m.ColLabels); n != 0 && n != m.Cols {
		return nil, fmt.Errorf("report: matrix %q: %d column labels for %d columns", m.Title, n, m.Cols)
	}
	nonzero, limit := 0, 0.0
	for i, v := range m.Data {
		if math.IsInf(v, 0) {
			return nil, fmt.Errorf("report: matrix %q: entry (%d, %d) is infinite", m.Title, i/m.Cols+1, i%m.Cols+1)
		}
		if v != 0 && !math.IsNaN(v) {
			nonzero++
			limit = math.Max(limit, math.Abs(v))
		}
	}

	p := &matrixPicture{Matrix: m, limit: limit, every: 1}
	p.cell = vg.Length(math.Min(24, math.Min(480/float64(m.Cols), 400/float64(m.Rows))))
	if p.cell < noteType.size*1.15 {
		p.every = int(niceStep(float64(noteType.size * 1.15 / p.cell)))
	}
	p.left = margin + axisGutter(m.RowTitle)
	p.top = axisGutter(m.ColTitle)
	for i := p.every - 1; i < m.Rows; i += p.every {
		p.left = max(p.left, margin+axisGutter(m.RowTitle)+noteType.width(labelAt(m.RowLabels, i))+6)
	}
	var widest vg.Length
	for j := p.every - 1; j < m.Cols; j += p.every {
		widest = max(widest, noteType.width(labelAt(m.ColLabels, j)))
	}
	p.upright = widest > p.cell*vg.Length(p.every)-3
	if p.upright {
		p.top += widest + 8
	} else {
		p.top += noteType.size + 6
	}
	p.note = fmt.Sprintf("%d × %d, %d nonzero (%.3g %%)", m.Rows, m.Cols, nonzero, 100*float64(nonzero)/float64(len(m.Data)))
	p.legend = p.legendEntries()
	width := max(p.left+p.cell*vg.Length(m.Cols)+margin, 2*margin+noteType.width(p.note), 260)
	height := headHeight(m.Title, m.Subtitle, p.legend, width) + p.top + p.cell*vg.Length(m.Rows) + noteType.size + 8 + 2*margin
	return &Drawing{Width: width, Height: height, Paint: p.paint}, nil
}

// matrixPicture is a matrix with the measures of its drawing.
type matrixPicture struct {
	Matrix
	limit     float64   // largest magnitude
	cell      vg.Length // side of an entry
	every     int       // one label per this many rows or columns
	left, top vg.Length // space for labels
	upright   bool      // column labels run upwards
	note      string
	legend    []legendEntry
}

func axisGutter(title string) vg.Length {
	if title == "" {
		return 0
	}
	return axisType.size + 4
}

func labelAt(labels []string, i int) string {
	if len(labels) == 0 {
		return strconv.Itoa(i + 1)
	}
	return labels[i]
}

func (m *matrixPicture) legendEntries() []legendEntry {
	switch m.Colors {
	case Signs:
		return []legendEntry{boxEntry("positive", positive), boxEntry("negative", negative)}
	case Magnitudes:
		label := "−" + short(m.limit) + " … " + short(m.limit)
		return []legendEntry{{name: label, sample: rampSample(divergingRamp), width: 80}}
	case Groups:
		var entries []legendEntry
		for k := range min(int(m.limit), mostGroups) {
			entries = append(entries, boxEntry(strconv.Itoa(k+1), seriesColor(k)))
		}
		if int(m.limit) > mostGroups {
			entries[mostGroups-1].name = "…"
		}
		return entries
	}
	return nil
}

// mostGroups bounds the groups that a legend lists.
const mostGroups = 12

// colorOf returns the colour of an entry and whether it is painted at all.
func (m *matrixPicture) colorOf(v float64) (color.NRGBA, bool) {
	switch {
	case v == 0 || math.IsNaN(v):
		return paper, false
	case m.Colors == Magnitudes:
		return rampAt(divergingRamp, 0.5+v/(2*m.limit)), true
	case m.Colors == Signs && v < 0:
		return negative, true
	case m.Colors == Groups && v >= 1:
		return seriesColor(int(v) - 1), true
	}
	return positive, true
}

func (m *matrixPicture) paint(c draw.Canvas) {
	fillBox(c, paper, c.Rectangle)
	y := paintHead(c, m.Title, m.Subtitle, m.legend) - m.top
	x := c.Min.X + m.left
	right, bottom := x+m.cell*vg.Length(m.Cols), y-m.cell*vg.Length(m.Rows)
	at := func(i, j int) vg.Point { return vg.Point{X: x + m.cell*vg.Length(j), Y: y - m.cell*vg.Length(i)} }
	if m.cell >= 5 {
		line := draw.LineStyle{Color: gridInk, Width: 0.5}
		for i := 1; i < m.Rows; i++ {
			c.StrokeLine2(line, x, at(i, 0).Y, right, at(i, 0).Y)
		}
		for j := 1; j < m.Cols; j++ {
			c.StrokeLine2(line, at(0, j).X, y, at(0, j).X, bottom)
		}
	}
	inset := min(0.7, m.cell*0.06)
	if m.cell < 5 {
		inset = 0
	}
	for i := range m.Rows {
		for j := 0; j < m.Cols; j++ {
			col, painted := m.colorOf(m.Data[i*m.Cols+j])
			if !painted {
				continue
			}
			first := j
			// Neighbours of one colour become one rectangle where no gap shows between them, which keeps files small.
			for inset == 0 && j+1 < m.Cols {
				next, ok := m.colorOf(m.Data[i*m.Cols+j+1])
				if !ok || next != col {
					break
				}
				j++
			}
			fillBox(c, col, vg.Rectangle{
				Min: at(i+1, first).Add(vg.Point{X: inset, Y: inset}),
				Max: at(i, j+1).Sub(vg.Point{X: inset, Y: inset}),
			})
		}
	}
	c.StrokeLines(draw.LineStyle{Color: softInk, Width: 0.8}, []vg.Point{{X: x, Y: y}, {X: right, Y: y}, {X: right, Y: bottom}, {X: x, Y: bottom}, {X: x, Y: y}})
	m.paintLabels(c, x, y)
	noteType.write(c, vg.Point{X: c.Min.X + margin, Y: c.Min.Y + margin}, 0, m.note)
}

func (m *matrixPicture) paintLabels(c draw.Canvas, x, y vg.Length) {
	label := noteType
	label.color = ink
	half := m.cell / 2
	for i := m.every - 1; i < m.Rows; i += m.every {
		label.write(c, vg.Point{X: x - 4, Y: y - m.cell*vg.Length(i) - half - label.size*capHeight/2}, 1, labelAt(m.RowLabels, i))
	}
	for j := m.every - 1; j < m.Cols; j += m.every {
		at := vg.Point{X: x + m.cell*vg.Length(j) + half, Y: y + 4}
		if m.upright {
			label.rotated(c, at, math.Pi/2, 0, labelAt(m.ColLabels, j))
		} else {
			label.write(c, at, 0.5, labelAt(m.ColLabels, j))
		}
	}
	axisType.write(c, vg.Point{X: x + m.cell*vg.Length(m.Cols)/2, Y: y + m.top - axisType.size}, 0.5, m.ColTitle)
	axisType.rotated(c, vg.Point{X: c.Min.X + margin + axisType.size/2, Y: y - m.cell*vg.Length(m.Rows)/2}, math.Pi/2, 0.5, m.RowTitle)
}

// rampSample paints a colour ramp from left to right.
func rampSample(ramp []color.NRGBA) swatch {
	return func(c draw.Canvas, box vg.Rectangle) {
		const steps = 32
		w := (box.Max.X - box.Min.X) / steps
		for i := range steps {
			left := box.Min.X + w*vg.Length(i)
			// Each slice reaches to the end, so that no seam shows between slices.
			fillBox(c, rampAt(ramp, (float64(i)+0.5)/steps), vg.Rectangle{Min: vg.Point{X: left, Y: box.Min.Y}, Max: box.Max})
		}
		c.StrokeLines(draw.LineStyle{Color: softInk, Width: 0.4}, []vg.Point{box.Min, {X: box.Max.X, Y: box.Min.Y}, box.Max, {X: box.Min.X, Y: box.Max.Y}, box.Min})
	}
}
