package report

import (
	"math"
	"sort"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestDodge checks order, gaps and borders, and that no other feasible placement on a fine grid moves labels less.
func TestDodge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		wish, size := make([]float64, n), make([]float64, n)
		total := 0.0
		for i := range n {
			wish[i] = rapid.Float64Range(0, 100).Draw(t, "wish")
			size[i] = rapid.Float64Range(1, 12).Draw(t, "size")
			total += size[i] + 1
		}
		sort.Float64s(wish)
		got := dodge(wish, size, 1, 0, 100)
		cost := 0.0
		for i, at := range got {
			cost += (at - wish[i]) * (at - wish[i])
			if at-size[i]/2 < -1e-9 || at+size[i]/2 > 100+1e-9 {
				t.Fatalf("label %d at %g of size %g leaves the border", i, at, size[i])
			}
			if i > 0 && at-got[i-1] < (size[i]+size[i-1])/2+1-1e-9 {
				t.Fatalf("labels %d and %d overlap: %v", i-1, i, got)
			}
		}
		// The problem is convex, so a placement that no feasible small move improves is the best one.
		for i := range n {
			for j := i; j < n; j++ {
				for _, d := range []float64{-0.01, 0.01} {
					moved := append([]float64(nil), got...)
					for k := i; k <= j; k++ {
						moved[k] += d
					}
					c, feasible := 0.0, true
					for k, at := range moved {
						c += (at - wish[k]) * (at - wish[k])
						feasible = feasible && at-size[k]/2 >= 0 && at+size[k]/2 <= 100
						feasible = feasible && (k == 0 || at-moved[k-1] >= (size[k]+size[k-1])/2+1)
					}
					if feasible && c < cost-1e-9 {
						t.Fatalf("moving labels %d to %d by %g is better than %v", i, j, d, got)
					}
				}
			}
		}
	})
}

func TestLinearTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(-1e6, 1e6).Draw(t, "lo")
		span := math.Pow(10, rapid.Float64Range(-3, 6).Draw(t, "log span"))
		ticks := linearTicks{6}.Ticks(lo, lo+span)
		if len(ticks) < 2 || len(ticks) > 8 {
			t.Fatalf("%d ticks in [%g, %g]", len(ticks), lo, lo+span)
		}
		step := ticks[1].Value - ticks[0].Value
		for i, tick := range ticks {
			if tick.Value < lo-step*1e-6 || tick.Value > lo+span+step*1e-6 {
				t.Fatalf("tick %g is outside [%g, %g]", tick.Value, lo, lo+span)
			}
			shown, err := strconv.ParseFloat(strings.ReplaceAll(tick.Label, "−", "-"), 64)
			if err != nil {
				t.Fatalf("label %q: %v", tick.Label, err)
			}
			if math.Abs(shown-tick.Value) > step*1e-3 {
				t.Fatalf("label %q at %g", tick.Label, tick.Value)
			}
			if i > 0 && tick.Label == ticks[i-1].Label {
				t.Fatalf("two ticks are labelled %q", tick.Label)
			}
		}
	})
}

func TestLinearTicksEnd(t *testing.T) {
	lo := 1e20
	if n := len(linearTicks{6}.Ticks(lo, math.Nextafter(lo, math.Inf(1)))); n > 8 {
		t.Errorf("%d ticks between neighbouring numbers", n)
	}
}

func TestLogTicks(t *testing.T) {
	for _, test := range []struct {
		lo, hi float64
		want   string
	}{
		{0.001, 10, "0.001 0.01 0.1 1 10"},
		{0.9, 110, "1 2 5 10 20 50 100"},
		{0.5, 1.6, "0.6 0.8 1.0 1.2 1.4 1.6"},
		{1e-6, 1e6, "1e−6 1e−4 0.01 1 100 10000 1e6"},
	} {
		var labels []string
		for _, tick := range (logTicks{}).Ticks(test.lo, test.hi) {
			if !tick.IsMinor() {
				labels = append(labels, tick.Label)
			}
		}
		if got := strings.Join(labels, " "); got != test.want {
			t.Errorf("[%g, %g]: %s, want %s", test.lo, test.hi, got, test.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	xs := []float64{1, 2, 4, 8}
	for q, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 3, 0.75: 5, 1: 8} {
		if got := Quantile(xs, q); math.Abs(got-want) > 1e-15 {
			t.Errorf("quantile %g is %g, want %g", q, got, want)
		}
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("no values have a quantile")
	}
}

// TestAnytimeSeries compares the curve with the definition at every moment: the last cost of each run until then.
func TestAnytimeSeries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var runs [][]TracePoint
		start := 0.0
		for range rapid.IntRange(1, 5).Draw(t, "runs") {
			var run []TracePoint
			at := 0.0
			for range rapid.IntRange(1, 6).Draw(t, "points") {
				at += float64(rapid.IntRange(0, 3).Draw(t, "wait"))
				run = append(run, TracePoint{at, float64(rapid.IntRange(0, 50).Draw(t, "cost"))})
			}
			start = math.Max(start, run[0].Seconds)
			runs = append(runs, run)
		}
		s, err := AnytimeSeries("s", runs...)
		if err != nil {
			t.Fatal(err)
		}
		if s.X[0] != start || (len(runs) >= 3) != (len(s.Low) == len(s.X)) {
			t.Fatalf("starts at %g, want %g; %d band values for %d runs", s.X[0], start, len(s.Low), len(runs))
		}
		for i, at := range s.X {
			if i > 0 && at <= s.X[i-1] {
				t.Fatalf("times do not increase: %v", s.X)
			}
			var costs []float64
			for _, run := range runs {
				last := math.NaN()
				for _, p := range run {
					if p.Seconds <= at {
						last = p.Cost
					}
				}
				costs = append(costs, last)
			}
			sort.Float64s(costs)
			want := costs[len(costs)/2]
			if len(costs)%2 == 0 {
				want = (want + costs[len(costs)/2-1]) / 2
			}
			if s.Y[i] != want {
				t.Fatalf("at %g: %g, want the median %g of %v", at, s.Y[i], want, costs)
			}
		}
	})
	for _, runs := range [][][]TracePoint{nil, {{}}, {{{2, 1}, {1, 1}}}} {
		if _, err := AnytimeSeries("s", runs...); err == nil {
			t.Errorf("%v was accepted", runs)
		}
	}
}

func TestHistogramBins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := Histogram{Bins: rapid.IntRange(0, 300).Draw(t, "bins")}
		integral := rapid.Bool().Draw(t, "integral")
		for range rapid.IntRange(1, 50).Draw(t, "n") {
			v := rapid.Float64Range(-1000, 1000).Draw(t, "v")
			if integral {
				v = math.Round(v)
			}
			h.Values = append(h.Values, v)
		}
		start, width, counts := h.bins()
		if len(counts) > maxBins+2 || integral && (width != math.Trunc(width) || start-0.5 != math.Trunc(start-0.5)) {
			t.Fatalf("%d bins of width %g from %g", len(counts), width, start)
		}
		for i, n := range counts {
			want := 0
			for _, v := range h.Values {
				last := i == len(counts)-1
				if k := math.Floor((v - start) / width); k == float64(i) || last && k > float64(i) {
					want++
				}
			}
			if n != want {
				t.Fatalf("bin %d has %d values, want %d", i, n, want)
			}
		}
	})
}
