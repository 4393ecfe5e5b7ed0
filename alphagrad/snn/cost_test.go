package snn_test

import (
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/flat"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// single is a recurrent network of one layer with squared error.
func single(t *testing.T, model string, inputs, neurons int) (*snn.Network, *ad.Recurrence) {
	t.Helper()
	n := &snn.Network{Inputs: inputs, Layers: []snn.Layer{{Name: "rec", Model: model, Size: neurons, Recurrent: true}},
		Readout: snn.Readout{Size: 2, Tau: 20}, Loss: snn.SquaredError}
	r, err := n.Recurrence()
	if err != nil {
		t.Fatal(err)
	}
	return n, r
}

// TestCost: what e-prop carries and multiplies in a step, counted in the programs, is what the equations say. With N
// neurons, I inputs and P = N(I + N) synapses there are, of a neuron without adaptation, a presynaptic trace for each input
// and neuron, which decays, and the filtered trace of each synapse, κē + ((1−κ)ψ)ε; adaptation adds the traces ε_a and e
// with ρε_a, βε_a, ψ(…) and (1−κ)e for each synapse. Real-time recurrent learning carries N numbers for each synapse.
func TestCost(t *testing.T) {
	for _, n := range []int{3, 8, 20, 40, 100} {
		for _, inputs := range []int{2, 11} {
			p, thin := int64(n*(inputs+n)), int64(inputs+n)
			for model, want := range map[string][2]int64{
				"lif":      {p + thin, 2*p + thin + int64(n)},
				"cuba_lif": {p + 2*thin, 2*p + 2*thin + int64(n)},
				"alif":     {3*p + thin, 5*p + thin},
			} {
				_, r := single(t, model, inputs, n)
				c, err := r.Forward(nil, snn.Eprop(r, snn.Symmetric, true).Edits...)
				if err != nil {
					t.Fatal(err)
				}
				if c.Elements() != want[0] {
					t.Errorf("%s, %d inputs, %d neurons: carries %d numbers, expected %d", model, inputs, n, c.Elements(), want[0])
				}
				if c.Muls != want[1] {
					t.Errorf("%s, %d inputs, %d neurons: %d multiplications a step, expected %d", model, inputs, n, c.Muls, want[1])
				}
				// The program has these, those of the step itself, and one a synapse for the gradient; besides, work for
				// neurons and outputs, not synapses.
				primal, err := r.Primal()
				if err != nil {
					t.Fatal(err)
				}
				before, err := ir.Count(primal)
				if err != nil {
					t.Fatal(err)
				}
				after, err := ir.Count(c.Step)
				if err != nil {
					t.Fatal(err)
				}
				if rest := after.Mul - before.Mul - want[1] - p; rest < 0 || rest > 12*int64(n)+20 {
					t.Errorf("%s, %d inputs, %d neurons: the program has %d multiplications more than the step, the traces and the gradients", model, inputs, n, rest)
				}
			}
		}
	}
	for _, n := range []int{2, 4, 7} {
		_, r := single(t, "lif", 3, n)
		c, err := r.Forward(nil)
		if err != nil {
			t.Fatal(err)
		}
		if p := n * (3 + n); c.Elements() != int64(3*n*p) { // of potential, spike and filter
			t.Errorf("RTRL with %d neurons carries %d numbers, expected %d", n, c.Elements(), 3*n*p)
		}
	}
}

// TestUpdates: the gradient of a weight matrix grows in place; no program of one step backward holds another matrix of the
// size of the recurrent weights.
func TestUpdates(t *testing.T) {
	const n = 200
	for _, model := range []string{"lif", "alif", "adex"} {
		_, r := single(t, model, 2, n)
		for _, m := range []snn.Method{snn.BPTT(), snn.Eprop(r, snn.Random, false)} {
			step, err := r.Reverse(m.Edits...)
			if err != nil {
				t.Fatal(err)
			}
			f, err := flat.Compile(step)
			if err != nil {
				t.Fatal(err)
			}
			if most := int64(8 * (2*n*n + n*n/2)); f.Bytes() > most {
				t.Errorf("%s, %s: %d bytes of buffers, expected at most %d", model, m.Name, f.Bytes(), most)
			}
		}
	}
}
