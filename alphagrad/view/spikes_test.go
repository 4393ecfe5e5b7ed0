package view_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

// TestSpikes: a recording and a task's input become rows of a raster.
func TestSpikes(t *testing.T) {
	g := view.Spikes("rec", []float64{0, 1, 0, 0, 1, 1}, 2, 0.5)
	if g.Neurons != 2 || !slices.Equal(g.Times, []float64{0, 1, 1}) || !slices.Equal(g.Units, []int{1, 0, 1}) {
		t.Errorf("%+v", g)
	}
	s := view.Course("v", []float64{1, 2, 3, 4, 5, 6}, 3, 1, 2)
	if !slices.Equal(s.X, []float64{0, 2}) || !slices.Equal(s.Y, []float64{2, 5}) {
		t.Errorf("%+v", s)
	}
	task, err := data.DefaultEvidenceAccumulation().Open(runs.Seed(1))
	if err != nil {
		t.Fatal(err)
	}
	b, err := task.Batch(data.Training, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	groups, spikes, want := view.InputSpikes(b, 1), 0, 0.0
	for _, g := range groups {
		spikes += len(g.Times)
		if g.Neurons != 10 || len(g.Times) > 0 && slices.Max(g.Units) > 9 {
			t.Errorf("group %s of %d neurons has a spike of neuron %d", g.Name, g.Neurons, slices.Max(g.Units))
		}
	}
	for i, x := range b.Input {
		if i/b.Inputs%b.Size == 1 {
			want += x
		}
	}
	if len(groups) != 4 || float64(spikes) != want {
		t.Errorf("%d groups with %d spikes; the batch has %v", len(groups), spikes, want)
	}
	if _, err := report.SVG(report.Raster{X: report.Axis{Label: "time"}, Groups: groups}); err != nil {
		t.Error(err)
	}
}

// TestInfluence compares the pictured influence of weights on the states of a smooth network with finite differences, and
// shows that without the recurrent edge every weight reaches one neuron.
func TestInfluence(t *testing.T) {
	const neurons, inputs, steps = 3, 2, 6
	n := snn.Network{Inputs: inputs, Layers: []snn.Layer{{Name: "rec", Model: "rate", Size: neurons, Recurrent: true}}, Readout: snn.Readout{Size: 1, Tau: 5}, Loss: snn.SquaredError}
	r, err := n.Recurrence()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	shared := n.Draw(r, rnd, snn.Spread{})
	b := &snn.Batch{Steps: steps, Size: 1, Input: make([]float64, steps*inputs), Target: make([]float64, steps), Weight: make([]float64, steps)}
	for i := range b.Input {
		b.Input[i] = rnd.NormFloat64()
	}
	state := r.States[0]
	record := func(m snn.Method, with snn.Values, names ...string) (*snn.Gradient, snn.Recording) {
		g, err := snn.NewGradient(r, m)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := g.Record(with, b, 0, names...)
		if err != nil {
			t.Fatal(err)
		}
		return g, rec
	}
	g, rec := record(snn.RTRL(), shared, snn.Influence(state, "rec.W_rec"))
	m, err := view.Influence(r, g.Carrier, rec, state, "rec.W_rec", steps-1)
	if err != nil {
		t.Fatal(err)
	}
	for k := range neurons * neurons {
		var ends [2][]float64
		for side, h := range []float64{-1e-6, 1e-6} {
			moved := maps.Clone(shared)
			moved["rec.W_rec"] = slices.Clone(shared["rec.W_rec"])
			moved["rec.W_rec"][k] += h
			_, rec := record(snn.BPTT(), moved, state)
			ends[side] = rec[state][(steps-1)*neurons:]
		}
		for j := range neurons {
			if k/neurons == k%neurons {
				continue // no autapses
			}
			want := (ends[1][j] - ends[0][j]) / 2e-6
			if got := m.Data[j*m.Cols+k]; math.Abs(got-want) > 1e-7 {
				t.Errorf("∂%s[%d]/∂W_rec[%d] is %v, by differences %v", state, j, k, got, want)
			}
		}
	}
	if _, err := view.Influence(r, g.Carrier, rec, state, "rec.W_rec", steps); err == nil || !strings.Contains(err.Error(), "not in the recording") {
		t.Error(err)
	}
	full := view.Carried(r, g.Carrier)
	g, rec = record(snn.Eprop(r, snn.Symmetric, true), shared, snn.Influence(state, "rec.W_rec"))
	if m, err = view.Influence(r, g.Carrier, rec, state, "rec.W_rec", steps-1); err != nil {
		t.Fatal(err)
	}
	left := 0
	for i, x := range m.Data {
		if j, k := i/m.Cols, i%m.Cols; x != 0 && k/neurons != j {
			t.Errorf("without recurrence weight %d reaches neuron %d", k, j)
		} else if x != 0 {
			left++
		}
	}
	if left < neurons*(neurons-1) {
		t.Errorf("without recurrence %d influences are left, expected one a weight", left)
	}
	if thin := view.Carried(r, g.Carrier); len(full.Rows) == 0 || len(thin.Rows) == 0 || thin.Rows[0][3].(int64) >= full.Rows[0][3].(int64) {
		t.Errorf("numbers carried: %v in full, %v without recurrence", full.Rows, thin.Rows)
	}
}
