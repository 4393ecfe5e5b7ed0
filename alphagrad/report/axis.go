package report

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
)

// Axis describes one axis of a plot.
type Axis struct {
	Label string
	Unit  string // shown in parentheses after the label
	Log   bool   // logarithmic; every value must then be positive

	// Min and Max fix the range; both zero means: as the data needs.
	Min, Max float64
}

// Line is a straight reference line with a label at the border of the plotting area.
type Line struct {
	Value float64
	Label string
}

// extent is the range of a set of numbers.
type extent struct{ lo, hi float64 }

func emptyExtent() extent { return extent{math.Inf(1), math.Inf(-1)} }

func (e *extent) include(xs ...float64) {
	for _, x := range xs {
		if !math.IsNaN(x) {
			e.lo, e.hi = math.Min(e.lo, x), math.Max(e.hi, x)
		}
	}
}

func (e extent) empty() bool { return e.lo > e.hi }

// apply sets scale, ticks and range of a gonum axis for data of the given extent. With room, the range is extended by
// that fraction at both ends. The returned error names the axis.
func (a Axis) apply(to *plot.Axis, e extent, room float64) error {
	if a.Min != a.Max {
		if !(a.Min < a.Max) {
			return fmt.Errorf("report: axis %q runs from %g to %g; want the lower end first", a.Label, a.Min, a.Max)
		}
		e = extent{a.Min, a.Max}
		room = 0
	}
	switch {
	case e.empty():
		return fmt.Errorf("report: axis %q has no values to show", a.Label)
	case math.IsInf(e.hi-e.lo, 0):
		return fmt.Errorf("report: axis %q: the range of values is not finite", a.Label)
	case a.Log && e.lo <= 0:
		return fmt.Errorf("report: axis %q is logarithmic but has the value %g; every value must be positive", a.Label, e.lo)
	}
	to.Label.Text = oneLine(withUnit(a.Label, a.Unit))
	if a.Log {
		to.Scale, to.Tick.Marker = plot.LogScale{}, logTicks{}
		if e.lo == e.hi {
			e = extent{e.lo / 2, e.hi * 2}
		}
		grow := math.Pow(e.hi/e.lo, room)
		to.Min, to.Max = e.lo/grow, e.hi*grow
		return nil
	}
	to.Scale, to.Tick.Marker = plot.LinearScale{}, linearTicks{6}
	if e.lo == e.hi {
		pad := math.Max(math.Abs(e.lo)*0.1, 0.5)
		e = extent{e.lo - pad, e.hi + pad}
	}
	span := e.hi - e.lo
	to.Min, to.Max = e.lo-room*span, e.hi+room*span
	return nil
}
