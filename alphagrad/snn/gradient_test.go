package snn_test

import (
	"math"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// TestExact: real-time recurrent learning and backpropagation through time are the same derivative, of every model.
func TestExact(t *testing.T) {
	for _, v := range variants() {
		s := v.build(t, 50, 2, 1)
		back := s.gradient(t, snn.BPTT())
		if names := vanishes(back.Gradient); names != nil {
			t.Errorf("%s: no gradient by %v", v.name, names)
		}
		forward := s.gradient(t, snn.RTRL())
		if d := distance(forward.Gradient, back.Gradient); !(d <= 1e-10) {
			t.Errorf("%s: RTRL and BPTT differ by %.2g", v.name, d)
		}
		if math.Abs(forward.Loss-back.Loss) > 1e-9*math.Abs(back.Loss) || math.Abs(forward.EndLoss-back.EndLoss) > 1e-9*math.Abs(back.EndLoss) {
			t.Errorf("%s: losses %v, %v forward and %v, %v backward", v.name, forward.Loss, forward.EndLoss, back.Loss, back.EndLoss)
		}
	}
}

// TestExactSizes: the same for single neurons to eight of every model, over one step to fifty.
func TestExactSizes(t *testing.T) {
	for _, m := range snn.Models() {
		for _, c := range []struct{ neurons, steps int }{{1, 1}, {1, 50}, {2, 7}, {3, 30}, {8, 1}, {8, 50}} {
			s := variant{m.Name, []snn.Layer{layer("rec", m.Name, c.neurons)}, snn.CrossEntropy, true}.build(t, c.steps, 2, uint64(100+c.neurons+c.steps))
			back, forward := s.gradient(t, snn.BPTT()).Gradient, s.gradient(t, snn.RTRL()).Gradient
			if names := vanishes(back); names != nil && c.neurons == 8 && c.steps == 50 {
				t.Errorf("%s, %d neurons, %d steps: no gradient by %v", m.Name, c.neurons, c.steps, names)
			}
			if d := distance(forward, back); !(d <= 1e-10) {
				t.Errorf("%s, %d neurons, %d steps: RTRL and BPTT differ by %.2g", m.Name, c.neurons, c.steps, d)
			}
		}
	}
}

// TestEprop: traces carried forward give the gradient of the masked reverse pass; it is not that of backpropagation.
func TestEprop(t *testing.T) {
	for _, v := range variants() {
		s := v.build(t, 50, 2, 2)
		exact := s.gradient(t, snn.BPTT())
		for _, f := range []snn.Feedback{snn.Symmetric, snn.Random} {
			reverse := s.gradient(t, snn.Eprop(s.r, f, false))
			if names := vanishes(reverse.Gradient); names != nil {
				t.Errorf("%s, %s feedback: no gradient by %v", v.name, f, names)
			}
			forward := s.gradient(t, snn.Eprop(s.r, f, true))
			if d := distance(forward.Gradient, reverse.Gradient); !(d <= 1e-10) {
				t.Errorf("%s, %s feedback: forward and reverse differ by %.2g", v.name, f, d)
			}
			if d := distance(reverse.Gradient, exact.Gradient); !(d > 1e-3) {
				t.Errorf("%s, %s feedback: differs from BPTT by %.2g only", v.name, f, d)
			}
			if d := distance(snn.Values{"W": reverse.Gradient[snn.ReadoutWeight]}, snn.Values{"W": exact.Gradient[snn.ReadoutWeight]}); !(d <= 1e-10) {
				t.Errorf("%s, %s feedback: readout gradient differs by %.2g", v.name, f, d)
			}
		}
	}
}

// TestEpropWithoutRecurrence: where nothing recurs, e-prop is exact.
func TestEpropWithoutRecurrence(t *testing.T) {
	for _, v := range variants() {
		v.layers = slices.Clone(v.layers)
		for i := range v.layers {
			v.layers[i].Recurrent, v.layers[i].Reset = false, snn.ResetNone
		}
		s := v.build(t, 50, 2, 3)
		exact := s.gradient(t, snn.BPTT())
		if names := vanishes(exact.Gradient); names != nil {
			t.Errorf("%s: no gradient by %v", v.name, names)
		}
		if d := distance(s.gradient(t, snn.Eprop(s.r, snn.Symmetric, true)).Gradient, exact.Gradient); !(d <= 1e-10) {
			t.Errorf("%s: e-prop differs from BPTT by %.2g", v.name, d)
		}
	}
}

// TestTruncated: windows longer than the sequence change nothing, shorter ones do; one step is the derivative within a
// step, forward as well as backward.
func TestTruncated(t *testing.T) {
	s := variants()[2].build(t, 40, 1, 4)
	exact := s.gradient(t, snn.BPTT())
	if d := distance(s.gradient(t, snn.TruncatedBPTT(40)).Gradient, exact.Gradient); d != 0 {
		t.Errorf("a window of the whole sequence differs by %.2g", d)
	}
	for _, window := range []int{1, 7, 20} {
		m := snn.TruncatedBPTT(window)
		back := s.gradient(t, m)
		if d := distance(back.Gradient, exact.Gradient); !(d > 1e-6) {
			t.Errorf("a window of %d steps differs by %.2g only", window, d)
		}
		m.Forward = true
		if d := distance(s.gradient(t, m).Gradient, back.Gradient); !(d <= 1e-10) {
			t.Errorf("window %d: forward and backward differ by %.2g", window, d)
		}
	}
}
