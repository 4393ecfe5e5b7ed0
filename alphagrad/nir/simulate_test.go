package nir

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// single makes a graph of one node.
func single(t testing.TB, n Node) *Graph {
	t.Helper()
	complete(n)
	in, out := n.shapes()
	return &Graph{Nodes: map[string]Node{"in": &Input{in}, "n": n, "out": &Output{out}}, Edges: []Edge{{"in", "n"}, {"n", "out"}}}
}

func simulation(t testing.TB, g *Graph, dt float64, m Method) *Simulation {
	t.Helper()
	s, err := g.Simulate(dt, m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func step(t testing.TB, s *Simulation, x ...float64) map[string][]float64 {
	t.Helper()
	y, err := s.Step(map[string][]float64{"in": x})
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// TestLIAgainstSolution: with a constant input, v is the solution of the differential equation, and Euler's method comes
// near it as steps get short.
func TestLIAgainstSolution(t *testing.T) {
	n := &LI{Tau: Vector(0.02, 0.05), R: Vector(2, 0.5), VLeak: Vector(0.3, -0.1)}
	const x, duration = 1.5, 0.04
	for m, allowed := range map[Method]float64{Exponential: 1e-13, Euler: 3e-3} {
		const dt = 1e-4
		s := simulation(t, single(t, n), dt, m)
		var v []float64
		for range int(math.Round(duration / dt)) {
			v = step(t, s, x, x)["out"]
		}
		for i := range v {
			end := n.VLeak.Data[i] + n.R.Data[i]*x
			if want := end * (1 - math.Exp(-duration/n.Tau.Data[i])); math.Abs(v[i]-want) > allowed {
				t.Errorf("method %q, neuron %d: %g, want %g", m, i, v[i], want)
			}
		}
	}
}

// TestCubaLIAgainstSolution: with a constant input the current is exact; the potential comes near its solution
// v = g(1 − e^{−t/τm}) − g·τs/(τs−τm)·(e^{−t/τs} − e^{−t/τm}) as steps get short, at first order.
func TestCubaLIAgainstSolution(t *testing.T) {
	const syn, mem, r, w, x, duration = 0.005, 0.02, 3, 0.7, 2, 0.03
	g := r * w * x
	want := g*(1-math.Exp(-duration/mem)) - g*syn/(syn-mem)*(math.Exp(-duration/syn)-math.Exp(-duration/mem))
	var errors []float64
	for _, dt := range []float64{1e-3, 1e-4, 1e-5} {
		s := simulation(t, single(t, &CubaLI{TauSyn: Vector(syn), TauMem: Vector(mem), R: Vector(r), VLeak: Vector(0), WIn: Vector(w)}), dt, Exponential)
		v := 0.0
		for range int(math.Round(duration / dt)) {
			v = step(t, s, x)["out"][0]
		}
		errors = append(errors, math.Abs(v-want))
	}
	if !(errors[0] < 0.1 && errors[1] < errors[0]/8 && errors[2] < errors[1]/8) {
		t.Errorf("errors %v", errors)
	}
}

// TestFiringPeriod: a LIF under constant current fires every ⌈τ ln((RI − v_reset)/(RI − θ))/Δt⌉ steps.
func TestFiringPeriod(t *testing.T) {
	const tau, current, threshold, reset, dt = 0.02, 2.0, 1.3, -0.4, 1e-5
	s := simulation(t, single(t, &LIF{Tau: Vector(tau), R: Vector(1), VLeak: Vector(0), VThreshold: Vector(threshold), VReset: Vector(reset)}), dt, Exponential)
	var at []int
	for k := range 20000 {
		if step(t, s, current)["n"][0] == 1 {
			at = append(at, k)
		}
	}
	period := int(math.Ceil(tau * math.Log((current-reset)/(current-threshold)) / dt))
	if len(at) < 3 || at[1]-at[0] != period || at[2]-at[1] != period {
		t.Errorf("spikes at %v, want a period of %d", at, period)
	}
	if first := int(math.Ceil(tau*math.Log(current/(current-threshold))/dt)) - 1; at[0] != first {
		t.Errorf("first spike at %d, want %d", at[0], first)
	}
}

// TestThresholdIsExclusive: a neuron that just reaches its threshold does not fire.
func TestThresholdIsExclusive(t *testing.T) {
	n := &CubaLIF{TauSyn: Vector(2), TauMem: Vector(2), R: Vector(4), VLeak: Vector(0), VThreshold: Vector(1), WIn: Vector(1)}
	s := simulation(t, single(t, n), 1, Euler)
	if y := step(t, s, 1)["out"][0]; y != 0 { // I = ½, v = ½·4·½ = 1
		t.Errorf("it fired at the threshold: %g", y)
	}
	if y := step(t, s, 1)["out"][0]; y != 1 {
		t.Errorf("it did not fire above the threshold: %g", y)
	}
}

// TestRecurrence compares the fixture of a recurrent network, step by step, with the equations written out in a loop.
func TestRecurrence(t *testing.T) {
	g := fixture(t, "recurrent.nir")
	cuba, in, rec := g.Nodes["cuba"].(*CubaLIF), g.Nodes["w_in"].(*Affine), g.Nodes["w_rec"].(*Linear)
	out, li := g.Nodes["w_out"].(*Linear), g.Nodes["readout"].(*LI)
	const dt = 1e-3
	s := simulation(t, g, dt, Euler)
	r := rand.New(rand.NewPCG(1, 2))
	current, v, z, y := make([]float64, 6), make([]float64, 6), make([]float64, 6), make([]float64, 2)
	spikes := 0
	for k := range 200 {
		x := make([]float64, 4)
		for i := range x {
			x[i] = 3 * r.Float64()
		}
		got, err := s.Step(map[string][]float64{"input": x})
		if err != nil {
			t.Fatal(err)
		}
		before := append([]float64(nil), z...)
		for i := range 6 {
			sum := in.Bias.Data[i]
			for j := range 4 {
				sum += in.Weight.Data[4*i+j] * x[j]
			}
			for j := range 6 {
				sum += rec.Weight.Data[6*i+j] * before[j]
			}
			current[i] += dt / cuba.TauSyn.Data[i] * (cuba.WIn.Data[i]*sum - current[i])
			v[i] += dt / cuba.TauMem.Data[i] * (cuba.VLeak.Data[i] + cuba.R.Data[i]*current[i] - v[i])
			z[i] = 0
			if v[i] > cuba.VThreshold.Data[i] {
				z[i], v[i] = 1, cuba.VReset.Data[i]
				spikes++
			}
			if got["cuba"][i] != z[i] {
				t.Fatalf("step %d, neuron %d: spike %g, want %g", k, i, got["cuba"][i], z[i])
			}
		}
		for o := range y {
			sum := 0.0
			for j := range 6 {
				sum += out.Weight.Data[6*o+j] * z[j]
			}
			y[o] += dt / li.Tau.Data[o] * (sum - y[o])
			if math.Abs(got["output"][o]-y[o]) > 1e-12 {
				t.Fatalf("step %d: output %g, want %g", k, got["output"][o], y[o])
			}
		}
	}
	if spikes < 100 || spikes > 1100 {
		t.Errorf("%d spikes in 200 steps of 6 neurons say little", spikes)
	}
}

// TestSchedule: feedback is late at the neuron, also over two layers, and nothing else is.
func TestSchedule(t *testing.T) {
	w := func() Node { return &Linear{Matrix(1, 1, 1)} }
	nodes := map[string]Node{"in": &Input{[]int{1}}, "w1": w(), "n1": neuron(1), "w2": w(), "n2": neuron(1), "back": w(), "self": w(), "out": &Output{[]int{1}}}
	g := &Graph{Nodes: nodes, Edges: []Edge{{"in", "w1"}, {"w1", "n1"}, {"n1", "w2"}, {"w2", "n2"}, {"n2", "back"}, {"back", "n1"}, {"n2", "self"}, {"self", "n2"}, {"n2", "out"}, {"n1", "n1"}}}
	late, order, err := g.schedule()
	if err != nil {
		t.Fatal(err)
	}
	if len(late) != 3 || !late[Edge{"n2", "back"}] || !late[Edge{"n2", "self"}] || !late[Edge{"n1", "n1"}] {
		t.Errorf("late: %v", late)
	}
	at := map[string]int{}
	for i, name := range order {
		at[name] = i
	}
	for _, e := range g.Edges {
		if !late[e] && at[e.From] >= at[e.To] {
			t.Errorf("%v is not forward in %v", e, order)
		}
	}
	for want, edges := range map[string][]Edge{
		`node "back" (Linear) is not reached from any input`:                  {{"in", "w1"}, {"w1", "n1"}, {"n1", "w2"}, {"w2", "n2"}, {"n2", "self"}, {"self", "out"}},
		`is on a circle, or behind one, without a neuron that could delay it`: {{"in", "w1"}, {"w1", "w2"}, {"w2", "w1"}, {"w1", "n1"}, {"w1", "n2"}, {"n2", "back"}, {"n2", "self"}, {"n2", "out"}},
	} {
		g.Edges = edges
		if _, err := g.Simulate(1, Exponential); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSimulationErrors(t *testing.T) {
	g := single(t, neuron(2))
	for want, f := range map[string]func() error{
		"a step of 0; want a positive number":                                                             func() error { _, err := g.Simulate(0, Exponential); return err },
		`node "n" (LIF): unknown method "x"; known: "" (exponential), euler`:                              func() error { _, err := g.Simulate(1, "x"); return err },
		`node "n" (LIF): a step of 1 is not shorter than the time constant 1, which Euler's method needs`: func() error { _, err := g.Simulate(1, Euler); return err },
		`input "in" got 1 numbers; want 2`: func() error {
			_, err := simulation(t, g, 1, Exponential).Step(map[string][]float64{"in": {1}})
			return err
		},
		`there is no input "x"`: func() error {
			_, err := simulation(t, g, 1, Exponential).Step(map[string][]float64{"in": {1, 1}, "x": nil})
			return err
		},
		`node "n" is a LIF and no input`: func() error {
			_, err := simulation(t, g, 1, Exponential).Step(map[string][]float64{"in": {1, 1}, "n": nil})
			return err
		},
	} {
		if err := f(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
