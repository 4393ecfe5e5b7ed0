package snn_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// TestBadNetworks: what is wrong with a network is named.
func TestBadNetworks(t *testing.T) {
	for want, change := range map[string]func(n *snn.Network){
		"0 inputs":                        func(n *snn.Network) { n.Inputs = 0 },
		"no layers":                       func(n *snn.Network) { n.Layers = nil },
		`unknown neuron model "lief"`:     func(n *snn.Network) { n.Layers[0].Model = "lief" },
		`unknown loss "square"`:           func(n *snn.Network) { n.Loss = "square" },
		`no parameter "tau_mem"`:          func(n *snn.Network) { n.Layers[0].Params = map[string]float64{"tau_mem": 3} },
		`"tau_m" is -3`:                   func(n *snn.Network) { n.Layers[0].Params = map[string]float64{"tau_m": -3} },
		`"threshold" is 0`:                func(n *snn.Network) { n.Layers[0].Params = map[string]float64{"threshold": 0} },
		`"threshold" is NaN`:              func(n *snn.Network) { n.Layers[0].Params = map[string]float64{"threshold": math.NaN()} },
		`"beta" has 2 values for 3 neuro`: func(n *snn.Network) { n.Layers[0].PerNeuron = map[string][]float64{"beta": {1, 2}} },
		`unknown surrogate "arctn"`:       func(n *snn.Network) { n.Layers[0].Surrogate.Form = "arctn" },
		`unknown reset "soft"`:            func(n *snn.Network) { n.Layers[0].Reset = "soft" },
		"needs a name of its own":         func(n *snn.Network) { n.Layers = append(n.Layers, n.Layers[0]) },
		"refractory period of 3 steps":    func(n *snn.Network) { n.Layers[0].Model, n.Layers[0].Refractory = "sigma_delta", 3 },
		"steps of a sequence":             func(n *snn.Network) { n.Rates.Cost = 1 },
	} {
		n := snn.Network{Inputs: 2, Layers: []snn.Layer{{Name: "rec", Model: "alif", Size: 3}}, Readout: snn.Readout{Size: 1, Tau: 10}, Loss: snn.SquaredError}
		change(&n)
		if _, err := n.Recurrence(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}

// TestNoNumbers: a network that leaves the numbers says where.
func TestNoNumbers(t *testing.T) {
	s := variant{"lif", []snn.Layer{layer("rec", "lif", 3)}, snn.SquaredError, true}.build(t, 20, 3, 1)
	s.batch.Input[(7*3+2)*s.net.Inputs] = math.NaN()
	for _, m := range []snn.Method{snn.BPTT(), snn.Eprop(s.r, snn.Random, true)} {
		g, err := snn.NewGradient(s.r, m)
		if err != nil {
			t.Fatal(err)
		}
		var where *snn.NonFiniteError
		if _, err = g.Compute(s.shared, s.batch); !errors.As(err, &where) || where.Step != 7 || where.Sequence != 2 || where.Variable != "rec.v" {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
}

// TestWhere: of what leaves the numbers first, neuron, variable, step and sequence are named.
func TestWhere(t *testing.T) {
	s := variant{"lif", []snn.Layer{layer("rec", "lif", 3)}, snn.SquaredError, true}.build(t, 20, 2, 1)
	clear(s.batch.Input)
	s.batch.Input[(5*2+1)*s.net.Inputs+1] = 1 // one spike, in step 5 of sequence 1
	s.shared["rec.W_in"][2*s.net.Inputs+1] = math.Inf(-1)
	for _, m := range []snn.Method{snn.BPTT(), snn.RTRL(), snn.Eprop(s.r, snn.Random, true)} {
		g, err := snn.NewGradient(s.r, m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Compute(s.shared, s.batch); err == nil || err.Error() != "rec.v of neuron 2 is -Inf in step 5 of sequence 1" {
			t.Errorf("%s: %v", m.Name, err)
		}
		if _, err := g.Evaluate(s.shared, s.batch); err == nil || err.Error() != "rec.v of neuron 2 is -Inf in step 5 of sequence 1" {
			t.Errorf("%s, without gradient: %v", m.Name, err)
		}
	}
}

// TestBadBatches: sizes that do not fit are named.
func TestBadBatches(t *testing.T) {
	s := variants()[0].build(t, 5, 2, 1)
	g, err := snn.NewGradient(s.r, snn.BPTT())
	if err != nil {
		t.Fatal(err)
	}
	b := *s.batch
	b.Target = b.Target[1:]
	if _, err := g.Compute(s.shared, &b); err == nil || !strings.Contains(err.Error(), "has 40 inputs, 19 targets, 10 weights; expected 40, 20, 10") {
		t.Error(err)
	}
	s.shared["rec.W_in"] = nil
	if _, err := g.Compute(s.shared, s.batch); err == nil || !strings.Contains(err.Error(), `"rec.W_in" has 0 values, expected 24`) {
		t.Error(err)
	}
}
