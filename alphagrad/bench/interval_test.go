package bench_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
)

// TestRatioInterval: ends at the ranks of tables of the sign test, and covers the median as often as it says.
func TestRatioInterval(t *testing.T) {
	ones := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = 1
		}
		return v
	}
	for _, c := range []struct{ n, low, high int }{{6, 1, 6}, {9, 2, 8}, {20, 6, 15}, {50, 18, 33}} { // Conover, Practical Nonparametric Statistics
		a := make([]float64, c.n)
		for i := range a {
			a[(7*i)%c.n] = float64(i + 1)
		}
		if c.n%7 == 0 {
			t.Fatal("7 must not divide the number")
		}
		if v := bench.RatioInterval(a, ones(c.n), 0.95); v.Low != float64(c.low) || v.High != float64(c.high) {
			t.Errorf("%d ratios: ranks %v to %v, want %d to %d", c.n, v.Low, v.High, c.low, c.high)
		}
	}
	if v := bench.RatioInterval(ones(5), ones(5), 0.95); v.Low != 0 || !math.IsInf(v.High, 1) || v.Median != 1 || v.Excludes(1e9) {
		t.Errorf("five ratios say nothing at this level, not %v", v)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	const trials = 2000
	outside := 0
	for range trials {
		a, b := make([]float64, 31), make([]float64, 31)
		for i := range a {
			drift := math.Exp(rng.NormFloat64())
			a[i], b[i] = 0.9*drift*math.Exp(0.1*rng.NormFloat64()), drift*math.Exp(0.1*rng.NormFloat64())
		}
		if bench.RatioInterval(a, b, 0.95).Excludes(0.9) {
			outside++
		}
	}
	if share := float64(outside) / trials; share > 0.065 || share < 0.015 {
		t.Errorf("%v of the intervals miss the median", share)
	}
	if w := (bench.Interval{Low: 0.9, Median: 0.95, High: 0.99}).Widen(1.02); w.High < 1 || w.Low > 0.89 || w.Median != 0.95 {
		t.Errorf("%v", w)
	}
}
