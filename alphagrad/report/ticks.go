package report

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// linearTicks places round numbers (1, 2 or 5 times a power of ten), about count of them.
type linearTicks struct{ count int }

// Ticks implements plot.Ticker.
func (t linearTicks) Ticks(lo, hi float64) []plot.Tick {
	step := niceStep((hi - lo) / float64(t.count))
	if !(step > 0) || math.IsInf(step, 0) {
		return nil
	}
	// All labels of an axis are written the same way.
	magnitude := int(math.Floor(math.Log10(step) + 1e-9))
	largest := math.Max(math.Abs(lo), math.Abs(hi))
	scientific := largest >= 1e6 || largest < 1e-3
	var ticks []plot.Tick
	first := math.Ceil(lo/step - 1e-9)
	// Counting with an integer ends even where first is so large that adding one does not change it.
	for i := range t.count + 2 {
		if x := (first + float64(i)) * step; x <= hi+step*1e-9 {
			ticks = append(ticks, plot.Tick{Value: x, Label: tickLabel(x, magnitude, scientific)})
		}
	}
	return ticks
}

// niceStep rounds x up to 1, 2 or 5 times a power of ten.
func niceStep(x float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*base >= x*(1-1e-9) {
			return m * base
		}
	}
	return 10 * base
}

// tickLabel writes x with the decimals that a step of the given power of ten needs.
func tickLabel(x float64, magnitude int, scientific bool) string {
	s := strconv.FormatFloat(x, 'f', max(0, -magnitude), 64)
	if scientific && x != 0 {
		decimals := int(math.Floor(math.Log10(math.Abs(x))+1e-9)) - magnitude
		s = exponent(strconv.FormatFloat(x, 'e', max(0, decimals), 64))
	}
	if strings.Trim(s, "-0.") == "" {
		return "0"
	}
	return strings.ReplaceAll(s, "-", "−")
}

// exponent shortens 1.50e+06 to 1.5e6.
func exponent(s string) string {
	mantissa, exp, found := strings.Cut(s, "e")
	if !found {
		return s
	}
	n, _ := strconv.Atoi(exp)
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	return mantissa + "e" + strconv.Itoa(n)
}

// logTicks labels powers of ten and, where fewer than three of them are in sight, 2 and 5 times those as well;
// less than one decade gets evenly spaced round numbers.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(lo, hi float64) []plot.Tick {
	if !(lo > 0) || math.IsInf(hi, 0) {
		return nil
	}
	decades := math.Log10(hi / lo)
	if decades < 1 {
		return linearTicks{6}.Ticks(lo, hi)
	}
	every := max(1, int(math.Ceil(decades/8))) // label every this many decades
	var ticks []plot.Tick
	for e := int(math.Floor(math.Log10(lo))); e <= int(math.Ceil(math.Log10(hi))); e++ {
		for m := 1; m < 10; m++ {
			v := float64(m) * math.Pow10(e)
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) {
				continue
			}
			labelled := m == 1 && e%every == 0 ||
				decades < 3 && every == 1 && (m == 2 || m == 5)
			tick := plot.Tick{Value: v}
			if labelled {
				tick.Label = logLabel(v)
			}
			if labelled || every == 1 {
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}

func logLabel(v float64) string {
	if v >= 1e5 || v < 1e-3 {
		return strings.ReplaceAll(exponent(strconv.FormatFloat(v, 'e', -1, 64)), "-", "−")
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// dodge moves labels along a line so that none overlap: given their wished centres and sizes it returns centres with
// gaps of at least gap, in the order of the wishes, inside [lo, hi] where they fit. The sum of squared
// displacements is least (pool-adjacent-violators, isotonic regression). The wishes must be sorted.
func dodge(wish, size []float64, gap, lo, hi float64) []float64 {
	n := len(wish)
	if n == 0 {
		return nil
	}
	// offset[i] is the distance of centre i from centre 0 when all labels touch; subtracting it turns the constraint
	// "no overlap" into "not decreasing".
	offset := make([]float64, n)
	for i := 1; i < n; i++ {
		offset[i] = offset[i-1] + (size[i-1]+size[i])/2 + gap
	}
	type block struct {
		sum   float64
		count int
	}
	var blocks []block
	for i := range n {
		blocks = append(blocks, block{wish[i] - offset[i], 1})
		for k := len(blocks) - 1; k > 0; k-- {
			a, b := blocks[k-1], blocks[k]
			if a.sum/float64(a.count) <= b.sum/float64(b.count) {
				break
			}
			blocks[k-1] = block{a.sum + b.sum, a.count + b.count}
			blocks = blocks[:k]
		}
	}
	// Clamping keeps the order, and the bound for every label is the same once offsets are taken off.
	floor := lo + size[0]/2
	ceil := math.Max(floor, hi-size[n-1]/2-offset[n-1])
	out := make([]float64, 0, n)
	for _, b := range blocks {
		at := math.Max(floor, math.Min(ceil, b.sum/float64(b.count)))
		for range b.count {
			out = append(out, at+offset[len(out)])
		}
	}
	return out
}
