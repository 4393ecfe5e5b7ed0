package snn_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/flat"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

func close10(a, b float64) bool { return math.Abs(a-b) <= 1e-10*math.Max(1, math.Abs(b)) }

// TestTraces compares recorded traces of an adaptive network with the equations of e-prop (Bellec et al. 2020, equations 22
// to 25), evaluated by hand on the recorded spikes and potentials.
func TestTraces(t *testing.T) {
	const n, inputs, outputs = 5, 4, 2
	s := variant{"alif", []snn.Layer{layer("rec", "alif", n)}, snn.SquaredError, false}.build(t, 40, 2, 7)
	g, err := snn.NewGradient(s.r, snn.Eprop(s.r, snn.Random, true))
	if err != nil {
		t.Fatal(err)
	}
	signal := ad.SignalName(snn.ReadoutState)
	eps, filtered := snn.Influence("rec.v", "rec.W_in"), snn.Influence(snn.ReadoutState, "rec.W_in")
	names := []string{"rec.v", "rec.z", "rec.a", "out.y", signal, eps, snn.Influence("rec.z", "rec.W_in"), snn.Influence("rec.a", "rec.W_in"), filtered}
	const sequence = 1
	rec, err := g.Record(s.shared, s.batch, sequence, names...)
	if err != nil {
		t.Fatal(err)
	}
	alpha, rho, kappa := math.Exp(-1.0/10), math.Exp(-1.0/30), math.Exp(-1.0/8)
	const threshold, beta = 0.5, 0.3
	var bar [inputs]float64
	var ea, e, filter [n][inputs]float64
	gradient := make([]float64, n*inputs)
	for k := range s.batch.Steps {
		row := k*s.batch.Size + sequence
		for i := range bar {
			bar[i] = alpha*bar[i] + s.batch.Input[row*inputs+i]
		}
		for j := range n {
			distance := rec["rec.v"][k*n+j] - threshold - beta*rec["rec.a"][k*n+j]
			psi := 0.3 / threshold * math.Max(0, 1-math.Abs(distance)/threshold)
			l := 0.0
			for o := range outputs {
				l += s.shared[snn.FeedbackMatrix][o*n+j] * (rec["out.y"][k*outputs+o] - s.batch.Target[row*outputs+o]) * s.batch.Weight[row]
			}
			if got := rec[signal][k*n+j]; !close10(got, l) {
				t.Fatalf("step %d: learning signal of neuron %d is %v, by hand %v", k, j, got, l)
			}
			for i := range inputs {
				ea[j][i] = rho*ea[j][i] + e[j][i]
				e[j][i] = psi * (bar[i] - beta*ea[j][i])
				filter[j][i] = kappa*filter[j][i] + (1-kappa)*e[j][i]
				gradient[j*inputs+i] += l * filter[j][i]
				at := (k*n+j)*inputs + i
				for name, want := range map[string]float64{snn.Influence("rec.z", "rec.W_in"): e[j][i], snn.Influence("rec.a", "rec.W_in"): ea[j][i], filtered: filter[j][i]} {
					if got := rec[name][at]; !close10(got, want) {
						t.Fatalf("step %d: %s of synapse %d→%d is %v, by hand %v", k, name, i, j, got, want)
					}
				}
			}
		}
		for i := range inputs {
			if got := rec[eps][k*inputs+i]; !close10(got, bar[i]) {
				t.Fatalf("step %d: presynaptic trace %d is %v, by hand %v", k, i, got, bar[i])
			}
		}
	}
	single := *s.batch
	single.Size = 1
	single.Input, single.Target, single.Weight = pick(s.batch.Input, inputs, s.batch.Size, sequence), pick(s.batch.Target, outputs, s.batch.Size, sequence), pick(s.batch.Weight, 1, s.batch.Size, sequence)
	result, err := g.Compute(s.shared, &single)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range gradient {
		if got := result.Gradient["rec.W_in"][i]; !close10(got, want) {
			t.Errorf("gradient %d is %v, by hand %v", i, got, want)
		}
	}
	spikes := 0.0
	for _, z := range rec["rec.z"] {
		spikes += z
	}
	if spikes == 0 || spikes != result.Spikes["rec"] {
		t.Errorf("%v spikes recorded, %v counted", spikes, result.Spikes["rec"])
	}
	if _, err := g.Record(s.shared, s.batch, 0, "rec.w"); err == nil || !strings.Contains(err.Error(), `no "rec.w" to record; there are `) {
		t.Error(err)
	}
}

// pick takes one sequence out of a batch.
func pick(x []float64, n, size, sequence int) (out []float64) {
	for row := sequence; row*n < len(x); row += size {
		out = append(out, x[row*n:(row+1)*n]...)
	}
	return out
}

// TestReference runs steps of all derived programs of every model on the fast evaluator and in the interpreter.
func TestReference(t *testing.T) {
	for _, v := range variants() {
		s := v.build(t, 6, 1, 9)
		primal, err := s.r.Primal()
		if err != nil {
			t.Fatal(err)
		}
		carrier, err := s.r.Forward(nil)
		if err != nil {
			t.Fatal(err)
		}
		reverse, err := s.r.Reverse()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []*ir.Program{primal, carrier.Step, reverse} {
			f, err := flat.Compile(p)
			if err != nil {
				t.Fatal(err)
			}
			m := f.New()
			inputs := make([]ir.Tensor, len(p.Inputs))
			for k, id := range p.Inputs {
				n := &p.Nodes[id]
				inputs[k] = ir.Tensor{Shape: n.Shape, Data: make([]float64, n.Shape.Size())}
				if w := s.shared[n.Name]; w != nil {
					copy(inputs[k].Data, w)
				} else if strings.HasPrefix(n.Name, "adjoint") {
					for i := range inputs[k].Data {
						inputs[k].Data[i] = float64(i%3) - 0.7
					}
				}
			}
			for step := range s.batch.Steps {
				for k, id := range p.Inputs {
					switch p.Nodes[id].Name {
					case snn.InputName:
						copy(inputs[k].Data, s.batch.Input[step*s.net.Inputs:])
					case snn.TargetName:
						copy(inputs[k].Data, s.batch.Target[step*s.net.Readout.Size:])
					case snn.WeightName:
						copy(inputs[k].Data, s.batch.Weight[step:])
					}
					copy(m.Input(p.Nodes[id].Name), inputs[k].Data)
				}
				want, err := interp.Eval(p, inputs)
				if err != nil {
					t.Fatal(err)
				}
				m.Run()
				for k, o := range p.Outputs {
					for i, w := range want[k].Data {
						if got := m.Output(o.Name)[i]; !close10(got, w) {
							t.Fatalf("%s, %s, step %d: %s[%d] is %v, interpreted %v", v.name, p.Name, step, o.Name, i, got, w)
						}
					}
					for j, name := range p.InputNames() {
						if name == o.Name {
							copy(inputs[j].Data, want[k].Data)
						}
					}
				}
			}
		}
	}
}

// TestSurrogateForms compares the derivative of a spike with the forms that NEST computes with (its code, where its
// documentation differs): height h, width w.
func TestSurrogateForms(t *testing.T) {
	const threshold, h, w = 0.5, 0.4, 2.0
	forms := map[string]func(x float64) float64{
		"piecewise_linear": func(x float64) float64 { return h / threshold * w * math.Max(0, 1-math.Abs(w*x/threshold)) },
		"exponential":      func(x float64) float64 { return h / threshold * w * math.Exp(-math.Abs(w*x/threshold)) },
		"fast_sigmoid":     func(x float64) float64 { return h / threshold * w * math.Pow(1+math.Abs(w*x/threshold), -2) },
		"arctan":           func(x float64) float64 { return h / threshold * w / (1 + math.Pow(w*x/threshold, 2)) },
		"sigmoid": func(x float64) float64 {
			s := 1 / (1 + math.Exp(-w*x/threshold))
			return h / threshold * w * s * (1 - s)
		},
	}
	for _, form := range ir.Surrogates {
		l := snn.Layer{Name: "rec", Model: "lif", Size: 1, Params: map[string]float64{"threshold": threshold, "tau_m": 1e9}, Surrogate: snn.Surrogate{Form: form, Width: w, Height: h}}
		n := snn.Network{Inputs: 1, Layers: []snn.Layer{l}, Readout: snn.Readout{Size: 1}, Loss: snn.SquaredError}
		r, err := n.Recurrence()
		if err != nil {
			t.Fatal(err)
		}
		g, err := snn.NewGradient(r, snn.BPTT())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []float64{-0.3, 0.2, 0.49, 0.5, 0.6, 1.3} {
			// One step of one neuron: v is the input weight, the loss ½(z − y*)² with z − y* = 1.
			z := 0.0
			if v >= threshold {
				z = 1
			}
			result, err := g.Compute(snn.Values{"rec.W_in": {v}, snn.ReadoutWeight: {1}}, &snn.Batch{Steps: 1, Size: 1, Input: []float64{1}, Target: []float64{z - 1}, Weight: []float64{1}})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := result.Gradient["rec.W_in"][0], forms[form](v-threshold); !close10(got, want) {
				t.Errorf("%s at %v: %v, expected %v", form, v, got, want)
			}
		}
	}
}

// TestSimulate compares a leaky neuron under constant current with the solution of its equation, and counts the spikes of
// one that fires.
func TestSimulate(t *testing.T) {
	n := snn.Network{Inputs: 1, Layers: []snn.Layer{{Name: "n", Model: "lif", Size: 1, Params: map[string]float64{"tau_m": 20, "threshold": 1}}}, Readout: snn.Readout{Size: 1}, Loss: snn.SquaredError}
	const steps = 100
	input := make([]float64, steps)
	for i := range input {
		input[i] = 1
	}
	alpha := math.Exp(-1.0 / 20)
	weak := 0.9 * (1 - alpha) // goes to 0.9
	rec, err := n.Simulate(snn.Values{"n.W_in": {weak}, snn.ReadoutWeight: {1}}, input, "n.v", "n.z")
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range rec["n.v"] {
		if want := 0.9 * (1 - math.Pow(alpha, float64(k+1))); !close10(v, want) || rec["n.z"][k] != 0 {
			t.Fatalf("step %d: potential %v, expected %v; spike %v", k, v, want, rec["n.z"][k])
		}
	}
	rec, err = n.Simulate(snn.Values{"n.W_in": {1.5}, snn.ReadoutWeight: {1}}, input, "n.z")
	if err != nil || slices.Contains(rec["n.z"], 0) {
		t.Errorf("%v: a neuron driven beyond its threshold in every step is silent in some", err)
	}
	if _, err := n.Simulate(nil, nil, "n.z"); err == nil {
		t.Error("an empty sequence was simulated")
	}
}
