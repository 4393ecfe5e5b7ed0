package snn_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// small is a network of one model with random weights, targets and Poisson inputs, such that neurons fire.
type small struct {
	net    snn.Network
	r      *ad.Recurrence
	shared snn.Values
	batch  *snn.Batch
}

// layers describes one test network.
type variant struct {
	name   string
	layers []snn.Layer
	loss   snn.Loss
	rates  bool
}

// layer is a layer of a model that fires for inputs of order 1.
func layer(name, model string, size int) snn.Layer {
	l := snn.Layer{Name: name, Model: model, Size: size, Recurrent: true}
	switch model {
	case "lif", "sigma_delta":
		l.Params = map[string]float64{"threshold": 0.5, "tau_m": 10}
	case "alif":
		l.Params = map[string]float64{"threshold": 0.5, "tau_m": 10, "tau_a": 30, "beta": 0.3}
	case "cuba_lif":
		l.Params = map[string]float64{"threshold": 1, "tau_m": 10, "tau_syn": 3}
	case "izhikevich":
		l.Params = map[string]float64{"gain": 25}
	case "adex":
		l.Params = map[string]float64{"gain": 2500}
	}
	return l
}

func variants() []variant {
	var list []variant
	for _, m := range snn.Models() {
		list = append(list, variant{m.Name, []snn.Layer{layer("rec", m.Name, 6)}, snn.SquaredError, true})
	}
	with := func(name string, loss snn.Loss, f func(l *snn.Layer)) {
		l := layer("rec", "alif", 5)
		f(&l)
		list = append(list, variant{name, []snn.Layer{l}, loss, loss == snn.CrossEntropy})
	}
	with("alif, reset to zero, refractory", snn.CrossEntropy, func(l *snn.Layer) { l.Reset, l.Refractory = snn.ResetZero, 2 })
	with("alif, no reset, fast sigmoid, bias", snn.SquaredError, func(l *snn.Layer) {
		l.Reset, l.Bias, l.Surrogate = snn.ResetNone, true, snn.Surrogate{Form: "fast_sigmoid", Width: 2, Height: 1}
	})
	with("alif, exponential, scaled input, time constants that differ", snn.CrossEntropy, func(l *snn.Layer) {
		l.ScaleInput, l.Surrogate = true, snn.Surrogate{Form: "exponential"}
		l.Params["threshold"] = 0.05
		l.PerNeuron = map[string][]float64{"tau_m": {5, 8, 10, 20, 30}, "beta": {0, 0, 0.02, 0.02, 0.01}}
	})
	list = append(list,
		variant{"lif, arctan, then alif, sigmoid", []snn.Layer{arctan(layer("one", "lif", 4)), sigmoid(eager(layer("two", "alif", 3)))}, snn.CrossEntropy, true})
	return list
}

func arctan(l snn.Layer) snn.Layer  { l.Surrogate.Form = "arctan"; return l }
func eager(l snn.Layer) snn.Layer   { l.Params["threshold"] = 0.1; return l }
func sigmoid(l snn.Layer) snn.Layer { l.Surrogate.Form = "sigmoid"; return l }

func (v variant) build(t *testing.T, steps, size int, seed uint64) *small {
	t.Helper()
	return v.sized(t, 4, 2, steps, size, 0.4, seed)
}

// sized takes the sizes and the probability of a spike of an input.
func (v variant) sized(t testing.TB, inputs, outputs, steps, size int, likely float64, seed uint64) *small {
	t.Helper()
	s := &small{net: snn.Network{Inputs: inputs, Layers: v.layers, Readout: snn.Readout{Size: outputs, Tau: 8}, Loss: v.loss, Steps: steps}}
	if v.rates {
		s.net.Rates = snn.Regularisation{Cost: 3, Target: 0.05}
	}
	var err error
	if s.r, err = s.net.Recurrence(); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	s.shared = snn.Values{}
	for _, p := range append([]string{snn.FeedbackMatrix}, s.r.Params...) {
		shape := s.r.Shape(p)
		if p == snn.FeedbackMatrix {
			shape = s.r.Shape(snn.ReadoutWeight)
		}
		w := make([]float64, shape.Size())
		for i := range w {
			w[i] = rnd.NormFloat64() / math.Sqrt(float64(shape[len(shape)-1]))
		}
		s.shared[p] = w
	}
	b := &snn.Batch{Steps: steps, Size: size, Input: make([]float64, steps*size*inputs), Target: make([]float64, steps*size*outputs), Weight: make([]float64, steps*size)}
	for i := range b.Input {
		if rnd.Float64() < likely {
			b.Input[i] = 1
		}
	}
	for i := range b.Weight {
		b.Weight[i] = rnd.Float64()
		k := rnd.IntN(outputs)
		for j := range outputs {
			b.Target[i*outputs+j] = 0
		}
		b.Target[i*outputs+k] = 1
	}
	s.batch = b
	return s
}

func (s *small) gradient(t *testing.T, m snn.Method) *snn.Result {
	t.Helper()
	g, err := snn.NewGradient(s.r, m)
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	result, err := g.Compute(s.shared, s.batch)
	if err != nil {
		t.Fatalf("%s: %v", m.Name, err)
	}
	return result
}

// distance is the largest difference of two gradients by one parameter relative to the largest element, for the parameter
// where they differ most.
func distance(a, b snn.Values) (worst float64) {
	for p := range a {
		diff, size := 0.0, 0.0
		for i := range a[p] {
			diff, size = max(diff, math.Abs(a[p][i]-b[p][i])), max(size, math.Abs(b[p][i]))
		}
		if diff != 0 { // what is no number makes the distance none
			worst = max(worst, diff/size)
		}
	}
	return worst
}

// vanishes names parameters without any gradient.
func vanishes(v snn.Values) (names []string) {
	for p, g := range v {
		size := 0.0
		for _, x := range g {
			size = max(size, math.Abs(x))
		}
		if !(size > 1e-12) || math.IsInf(size, 0) {
			names = append(names, p)
		}
	}
	return names
}
