package nest

import (
	"math"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// TestGolden computes the 15 losses that NEST keeps.
func TestGolden(t *testing.T) {
	l, err := Compute()
	if err != nil {
		t.Fatal(err)
	}
	if w := l.WorstError(); !(w <= 1e-8) {
		t.Errorf("worst relative error %g: %v", w, l)
	} else {
		t.Logf("worst relative error %g", w)
	}
}

// short runs the first iterations, by adjoints backward in time: the same gradient, faster.
func short(t *testing.T, x *Experiment, iterations int, mutate func(x *Experiment)) []float64 {
	t.Helper()
	x.Batches = x.Batches[:iterations]
	x.Method.Forward = false
	mutate(x)
	losses, err := x.Run()
	if err != nil {
		t.Fatal(err)
	}
	return losses
}

func farthest(losses, golden []float64) (worst float64) {
	for i, l := range losses {
		worst = max(worst, math.Abs(l-golden[i])/golden[i])
	}
	return worst
}

// TestMutations breaks one equation at a time: the losses must move well beyond the tolerance of the golden test.
func TestMutations(t *testing.T) {
	drop := func(from, to string) func(x *Experiment) {
		return func(x *Experiment) {
			x.Method.Edits = append(slices.Clone(x.Method.Edits), ad.Edit{From: from, To: to, Kind: "drop"})
		}
	}
	mutations := []struct {
		name   string
		mutate func(x *Experiment)
		only   string
	}{
		{"no rate regularisation", func(x *Experiment) { x.Network.Rates.Cost = 0 }, ""},
		{"no trace of adaptation", drop("rec.a'", "rec.raised"), "classification"},
		{"no filter of the trace", drop(snn.ReadoutState, "out.leak"), ""},
		{"feedback by the readout weights", func(x *Experiment) {
			x.Method.Edits = slices.DeleteFunc(slices.Clone(x.Method.Edits), func(e ad.Edit) bool { return e.Matrix == snn.FeedbackMatrix })
		}, ""},
		{"no memory of the presynaptic trace", drop("rec.v", "rec.leak"), ""},
	}
	experiments := map[string]func() ([]float64, func(mutate func(x *Experiment)) []float64){
		"regression": func() ([]float64, func(mutate func(x *Experiment)) []float64) {
			return Regression, func(m func(x *Experiment)) []float64 { return short(t, NewRegression(), 3, m) }
		},
		"classification": func() ([]float64, func(mutate func(x *Experiment)) []float64) {
			return Classification1, func(m func(x *Experiment)) []float64 { return short(t, NewClassification(1), 3, m) }
		},
	}
	for name, experiment := range experiments {
		golden, run := experiment()
		if d := farthest(run(func(*Experiment) {}), golden); !(d <= 1e-8) {
			t.Fatalf("%s: losses are off by %g without a mutation", name, d)
		}
		for _, m := range mutations {
			if m.only != "" && m.only != name {
				continue
			}
			if d := farthest(run(m.mutate), golden); !(d > 1e-4) {
				t.Errorf("%s: %s moves the losses by %g only", name, m.name, d)
			} else {
				t.Logf("%s: %s moves the losses by %.2g", name, m.name, d)
			}
		}
	}
}
