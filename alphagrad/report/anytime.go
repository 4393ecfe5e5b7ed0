package report

import (
	"fmt"
	"math"
	"sort"
)

// TracePoint is one improvement of a search: from Seconds on, the best cost known was Cost.
type TracePoint struct{ Seconds, Cost float64 }

// AnytimeSeries summarises several runs of one search method, one trace per seed, as a step curve: the median best cost
// at every moment, with the quartiles over the runs as a band when there are at least three. A run has no cost before
// its first point; the curve starts when every run has one. Every trace must go forward in time.
func AnytimeSeries(name string, runs ...[]TracePoint) (Series, error) {
	s := Series{Name: name, Style: Steps}
	start := math.Inf(-1)
	var times []float64
	for i, run := range runs {
		if len(run) == 0 {
			return s, fmt.Errorf("report: %s: run %d has no trace points", name, i+1)
		}
		for j, p := range run {
			if j > 0 && p.Seconds < run[j-1].Seconds {
				return s, fmt.Errorf("report: %s: run %d goes back from %g s to %g s", name, i+1, run[j-1].Seconds, p.Seconds)
			}
			times = append(times, p.Seconds)
		}
		start = math.Max(start, run[0].Seconds)
	}
	if len(runs) == 0 {
		return s, fmt.Errorf("report: %s: no runs to summarise", name)
	}
	sort.Float64s(times)
	costs := make([]float64, len(runs))
	for i, t := range times {
		if t < start || i+1 < len(times) && times[i+1] == t {
			continue
		}
		for k, run := range runs {
			next := sort.Search(len(run), func(j int) bool { return run[j].Seconds > t })
			costs[k] = run[next-1].Cost
		}
		sort.Float64s(costs)
		s.X = append(s.X, t)
		s.Y = append(s.Y, Quantile(costs, 0.5))
		if len(runs) >= 3 {
			s.Low = append(s.Low, Quantile(costs, 0.25))
			s.High = append(s.High, Quantile(costs, 0.75))
		}
	}
	return s, nil
}

// Quantile returns the q-quantile, q in [0, 1], of sorted values by linear interpolation between order statistics
// (definition 7 of Hyndman and Fan, The American Statistician 50(4), 1996). It is NaN for no values.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := math.Max(0, math.Min(1, q)) * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	if i == len(sorted)-1 {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
