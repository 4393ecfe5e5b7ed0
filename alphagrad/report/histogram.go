package report

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Histogram shows how values are distributed, with vertical marks for single values to compare with, such as the cost
// of named orders against the costs of random ones.
type Histogram struct {
	Title, Subtitle string
	X               Axis      // of the values; must be linear
	Y               Axis      // of the counts; empty label means "count"
	Values          []float64 // finite
	Bins            int       // 0 chooses the bin width by the rule of Freedman and Diaconis (1981)
	Marks           []Line
}

// maxBins keeps bars at least about two points wide.
const maxBins = 200

// Drawing implements [Figure].
func (h Histogram) Drawing() (*Drawing, error) {
	if len(h.Values) == 0 {
		return nil, fmt.Errorf("report: histogram %q has no values", h.Title)
	}
	if h.X.Log {
		return nil, fmt.Errorf("report: histogram %q: bins of equal width need a linear x axis", h.Title)
	}
	e := emptyExtent()
	for _, v := range h.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("report: histogram %q: value %g is not finite", h.Title, v)
		}
		e.include(v)
	}
	start, width, counts := h.bins()
	e.include(start, start+width*float64(len(counts)))
	for _, m := range h.Marks {
		e.include(m.Value)
	}
	if h.Y.Label == "" {
		h.Y.Label = "count"
	}
	highest := 0
	for _, n := range counts {
		highest = max(highest, n)
	}
	f := newFrame(h.Title, h.Subtitle, "", "")
	if err := h.X.apply(&f.plot.X, e, 0.03); err != nil {
		return nil, err
	}
	low := 0.0
	if h.Y.Log {
		low = 0.5
	}
	if err := h.Y.apply(&f.plot.Y, extent{low, float64(highest) * 1.04}, 0); err != nil {
		return nil, err
	}
	f.plot.Add(gridLines(false, true), painter(func(c draw.Canvas, p *plot.Plot) {
		for i, n := range counts {
			if n == 0 {
				continue
			}
			x0, x1 := c.X(p.X.Norm(start+width*float64(i))), c.X(p.X.Norm(start+width*float64(i+1)))
			gap := min(0.4, (x1-x0)/10)
			fillBox(c, histogramBar, vg.Rectangle{Min: vg.Point{X: x0 + gap, Y: c.Min.Y}, Max: vg.Point{X: x1 - gap, Y: c.Y(p.Y.Norm(float64(n)))}})
		}
		for i, m := range h.Marks {
			x := c.X(p.X.Norm(m.Value))
			c.StrokeLine2(draw.LineStyle{Color: seriesColor(i), Width: 1.6}, x, c.Min.Y, x, c.Max.Y)
		}
	}))
	for i, m := range h.Marks {
		f.top = append(f.top, edgeLabel{m.Value, m.Label, seriesColor(i)})
	}
	return f.drawing(), nil
}

// histogramBar is quiet, so that the marks keep the colours their methods have in bar charts.
var histogramBar = rgb(0xc0c9d4)

// bins counts the values in bins of equal width. Integers get bins of integer width centred on integers, so that no
// bin covers one integer more than its neighbour.
func (h Histogram) bins() (start, width float64, counts []int) {
	sorted := append([]float64(nil), h.Values...)
	sort.Float64s(sorted)
	lo, hi := sorted[0], sorted[len(sorted)-1]
	integral := true
	for _, v := range sorted {
		integral = integral && v == math.Trunc(v)
	}
	width = 2 * (Quantile(sorted, 0.75) - Quantile(sorted, 0.25)) / math.Cbrt(float64(len(sorted)))
	if h.Bins > 0 {
		width = (hi - lo) / float64(min(h.Bins, maxBins))
	}
	width = math.Max(width, (hi-lo)/maxBins)
	if width == 0 {
		width = 1
	}
	start = lo
	if integral {
		width = math.Ceil(width)
		start = lo - 0.5
	}
	n := max(1, int(math.Ceil((hi-start)/width-1e-9)))
	counts = make([]int, n)
	for _, v := range sorted {
		counts[min(n-1, int((v-start)/width))]++
	}
	return start, width, counts
}
