package bench

import (
	"math"
	"slices"
)

// Interval is a confidence interval of a median.
type Interval struct {
	Low    float64 `json:"low"`
	Median float64 `json:"median"`
	High   float64 `json:"high"`
}

// Excludes reports whether a value lies outside.
func (i Interval) Excludes(v float64) bool { return v < i.Low || v > i.High }

// Widen divides the lower end and multiplies the upper one by a factor of at least 1.
func (i Interval) Widen(factor float64) Interval {
	return Interval{i.Low / factor, i.Median, i.High * factor}
}

// RatioInterval is the median of a/b, repetition by repetition, with a confidence interval that assumes nothing about the
// distribution of the ratios (order statistics: the number of ratios below their median is binomial). Of too few repetitions
// for the level, it goes from 0 to +Inf.
func RatioInterval(a, b []float64, level float64) Interval {
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = a[i] / b[i]
	}
	slices.Sort(r)
	n := len(r)
	v := Interval{0, Summarize(r).Median, math.Inf(1)}
	term := math.Pow(0.5, float64(n)) // probability that k ratios are below the median
	for k, tail := 0, 0.0; k < n/2; k++ {
		if tail += term; tail > (1-level)/2 {
			break
		}
		v.Low, v.High = r[k], r[n-1-k]
		term *= float64(n-k) / float64(k+1)
	}
	return v
}
