package nir

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// networkRun executes a network of package snn in the interpreter of its step program.
type networkRun struct {
	n      *snn.Network
	r      *ad.Recurrence
	values map[string][]float64 // parameters, states
}

func run(n *snn.Network, params snn.Values) (*networkRun, error) {
	r, err := n.Recurrence()
	if err != nil {
		return nil, err
	}
	return &networkRun{n, r, maps.Clone(params)}, nil
}

// next makes one step and returns the readout.
func (r *networkRun) next(x []float64) ([]float64, error) {
	p := r.r.Step
	r.values[snn.InputName] = x
	in := make([]ir.Tensor, len(p.Inputs))
	for i, id := range p.Inputs {
		n := p.Nodes[id]
		if r.values[n.Name] == nil && slices.Contains(r.r.States, n.Name) {
			r.values[n.Name] = make([]float64, n.Shape.Size()) // at rest
		}
		in[i] = ir.Tensor{Shape: n.Shape, Data: r.values[n.Name]}
	}
	out, err := interp.Eval(p, in)
	if err != nil {
		return nil, err
	}
	for i, o := range p.Outputs {
		r.values[o.Name] = out[i].Data
	}
	s := r.values[snn.ReadoutState]
	y := multiply(Array{[]int{r.n.Readout.Size, len(s)}, r.values[snn.ReadoutWeight]}, s)
	for i, b := range r.values[snn.ReadoutBias] {
		y[i] += b
	}
	return y, nil
}

// compare steps a graph and a network through the same input and returns the greatest difference of what they put out and
// the number of spikes, which must agree one by one for layers that have a node of their name.
func compare(g *Graph, dt float64, o Options, n *snn.Network, params snn.Values, r *rand.Rand, steps int) (difference float64, spikes int, err error) {
	s, err := g.Simulate(dt/o.unit(), o.Method)
	if err != nil {
		return 0, 0, err
	}
	net, err := run(n, params)
	if err != nil {
		return 0, 0, err
	}
	input, _ := (&importer{g: s.g}).only("Input")
	output, _ := (&importer{g: s.g}).only("Output")
	for k := range steps {
		x := make([]float64, n.Inputs)
		for i := range x {
			x[i] = 2 * r.NormFloat64()
		}
		got, err := s.Step(map[string][]float64{input: x})
		if err != nil {
			return 0, 0, err
		}
		y, err := net.next(x)
		if err != nil {
			return 0, 0, err
		}
		for i := range y {
			difference = math.Max(difference, math.Abs(y[i]-got[output][i])/(1+math.Abs(y[i])))
		}
		for _, l := range n.Layers {
			for i, z := range net.values[l.Name+".z"] {
				spikes += int(z)
				if node, ok := got[l.Name]; ok && node[i] != z {
					return 0, 0, fmt.Errorf("step %d: neuron %d of %s spikes %g in the network and %g in the graph", k, i, l.Name, z, node[i])
				}
			}
		}
	}
	return difference, spikes, nil
}

// drawNetwork makes a network that can be exported.
func drawNetwork(t *rapid.T) (*snn.Network, snn.Values) {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "weights"), 1))
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	n := &snn.Network{Inputs: rapid.IntRange(1, 3).Draw(t, "inputs"), Loss: snn.SquaredError, Dt: rapid.SampledFrom([]float64{1, 0.5, 2}).Draw(t, "dt")}
	params := snn.Values{}
	draw := func(name string, size int, scale float64) {
		v := make([]float64, size)
		for i := range v {
			v[i] = scale * r.NormFloat64()
		}
		params[name] = v
	}
	size := n.Inputs
	for i := range rapid.IntRange(1, 3).Draw(t, "layers") {
		l := snn.Layer{Name: fmt.Sprint("l", i), Model: rapid.SampledFrom([]string{"lif", "cuba_lif", "leaky"}).Draw(t, "model"), Size: rapid.IntRange(1, 4).Draw(t, "size"),
			Reset: snn.ResetZero, ScaleInput: flag("scale"), Recurrent: flag("recurrent"), Autapses: flag("autapses"), Bias: flag("bias"), Params: map[string]float64{}}
		l.Autapses = l.Autapses && l.Recurrent
		taus := []string{"tau_m"}
		if l.Model == "cuba_lif" {
			taus = append(taus, "tau_syn")
		}
		for _, tau := range taus {
			if flag("per neuron") && l.Size > 1 {
				l.PerNeuron = mapOrNew(l.PerNeuron)
				for k := range l.Size {
					l.PerNeuron[tau] = append(l.PerNeuron[tau], 4+10*r.Float64()+float64(k))
				}
			} else {
				l.Params[tau] = 4 + 20*r.Float64()
			}
		}
		if l.Model != "leaky" {
			l.Params["threshold"] = 0.2 + r.Float64()
		}
		draw(l.Name+".W_in", l.Size*size, 1)
		if l.Recurrent {
			draw(l.Name+".W_rec", l.Size*l.Size, 0.5)
			for k := range l.Size {
				if !l.Autapses {
					params[l.Name+".W_rec"][k*l.Size+k] = 0
				}
			}
		}
		if l.Bias {
			draw(l.Name+".b", l.Size, 0.3)
		}
		n.Layers, size = append(n.Layers, l), l.Size
	}
	n.Readout = snn.Readout{Size: rapid.IntRange(1, 3).Draw(t, "outputs"), Bias: flag("readout bias")}
	if flag("filtered") {
		n.Readout.Tau, n.Readout.Plain = 3+20*r.Float64(), flag("plain")
	}
	draw(snn.ReadoutWeight, n.Readout.Size*size, 1)
	if n.Readout.Bias {
		draw(snn.ReadoutBias, n.Readout.Size, 1)
	}
	return n, params
}

func mapOrNew(m map[string][]float64) map[string][]float64 {
	if m == nil {
		return map[string][]float64{}
	}
	return m
}

func drawOptions(t *rapid.T) Options {
	return Options{Method: rapid.SampledFrom([]Method{Exponential, Euler}).Draw(t, "method"), TimeUnit: rapid.SampledFrom([]float64{0, 1}).Draw(t, "unit")}
}

// TestExport: a graph does in every step what its network does, and the network that is made of the graph is the first one.
func TestExport(t *testing.T) {
	spikes := 0
	rapid.Check(t, func(t *rapid.T) {
		n, params := drawNetwork(t)
		o := drawOptions(t)
		g, err := FromNetwork(n, params, o)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(9, 9))
		difference, fired, err := compare(g, n.Dt, o, n, params, r, 30)
		if err != nil || difference > 1e-9 {
			t.Fatalf("%v, difference %g", err, difference)
		}
		spikes += fired
		back, values, err := g.Network(n.Dt, o)
		if err != nil {
			t.Fatal(err)
		}
		// A lone neuron's time constant is the same for all neurons of its layer, and a leaky layer has no reset.
		want := *n
		want.Layers = slices.Clone(n.Layers)
		for i := range want.Layers {
			for _, l := range []*snn.Layer{&want.Layers[i], &back.Layers[i]} {
				if l.Model == "leaky" {
					l.Reset = ""
				}
			}
		}
		sameNetwork(t, back, &want)
		if len(values) != len(params) {
			t.Fatalf("%d parameters of %d", len(values), len(params))
		}
		for name, v := range params {
			closeTo(t, name, values[name], v)
		}
	})
	if spikes < 100 {
		t.Errorf("only %d spikes were compared", spikes)
	}
}

func sameNetwork(t *rapid.T, got, want *snn.Network) {
	a, b := *got, *want
	a.Layers, b.Layers = slices.Clone(a.Layers), slices.Clone(b.Layers)
	if len(a.Layers) != len(b.Layers) {
		t.Fatalf("%d layers, want %d", len(a.Layers), len(b.Layers))
	}
	for i := range a.Layers {
		for p, v := range b.Layers[i].Params {
			closeTo(t, p, []float64{a.Layers[i].Params[p]}, []float64{v})
		}
		for p, v := range b.Layers[i].PerNeuron {
			closeTo(t, p, a.Layers[i].PerNeuron[p], v)
		}
		for _, l := range []*snn.Layer{&a.Layers[i], &b.Layers[i]} {
			l.Params, l.PerNeuron = nil, nil
			if l.Size == 1 || l.Recurrent && !l.Autapses {
				l.Autapses = false
			}
		}
	}
	closeTo(t, "tau of the readout", []float64{a.Readout.Tau}, []float64{b.Readout.Tau})
	a.Readout.Tau = b.Readout.Tau
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("got  %+v\nwant %+v", a, b)
	}
}

func closeTo(t *rapid.T, what string, got, want []float64) {
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-11*math.Abs(want[i]) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}

// drawGraph makes a chain that can be imported, with parameters a network has no words for.
func drawGraph(t *rapid.T, o Options) *Graph {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "parameters"), 2))
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	g := &Graph{Nodes: map[string]Node{}}
	at, size := "input", rapid.IntRange(1, 3).Draw(t, "inputs")
	g.Nodes[at] = &Input{[]int{size}}
	add := func(name string, n Node) {
		g.Nodes[name] = n
		g.Edges = append(g.Edges, Edge{at, name})
		at = name
	}
	uniform := func(n int, low, high float64) Array {
		a := Filled([]int{n}, low)
		same := flag("same")
		for i := range a.Data {
			if a.Data[i] += (high - low) * r.Float64(); same {
				a.Data[i] = a.Data[0]
			}
		}
		return a
	}
	random := func(shape ...int) Array {
		a := Filled(shape, 0)
		for i := range a.Data {
			a.Data[i] = r.NormFloat64()
		}
		return a
	}
	// weights adds linear nodes that lead to a given size.
	weights := func(name string, to int) {
		for k := range rapid.IntRange(0, 2).Draw(t, "linear nodes") {
			name := fmt.Sprint(name, k)
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				add(name, &Linear{random(to, size)})
			case 1:
				add(name, &Affine{random(to, size), random(to)})
			default:
				add(name, &Scale{random(size)})
				continue
			}
			size = to
		}
	}
	tau := func(n int) Array {
		a := uniform(n, 3, 20)
		for i := range a.Data {
			a.Data[i] /= o.unit()
		}
		return a
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "layers") {
		weights(fmt.Sprint("w", i), rapid.IntRange(1, 3).Draw(t, "size"))
		zero := Filled([]int{size}, 0)
		leak := zero
		if flag("leak") {
			leak = uniform(size, -0.5, 0.5)
		}
		name := fmt.Sprint("n", i)
		switch rapid.IntRange(0, 2).Draw(t, "model") {
		case 0:
			add(name, &LI{tau(size), uniform(size, 0.5, 3), leak})
		case 1:
			add(name, &LIF{tau(size), uniform(size, 0.5, 5), leak, uniform(size, 0.2, 1), zero})
		default:
			add(name, &CubaLIF{tau(size), tau(size), uniform(size, 1, 9), zero, uniform(size, 0.2, 1), zero, uniform(size, -1, 4)})
		}
		for k := range rapid.IntRange(0, 2).Draw(t, "ways back") {
			start, n := at, size
			weights(fmt.Sprint("back", i, k), size)
			if !slices.Contains(g.Edges, Edge{at, start}) {
				g.Edges = append(g.Edges, Edge{at, start})
			}
			at, size = start, n
		}
	}
	weights("out", rapid.IntRange(1, 3).Draw(t, "outputs"))
	add("output", &Output{[]int{size}})
	return g
}

// TestImport: a network does in every step what the graph does that it was made of.
func TestImport(t *testing.T) {
	spikes := 0
	rapid.Check(t, func(t *rapid.T) {
		o := drawOptions(t)
		g := drawGraph(t, o)
		n, params, err := g.Network(1, o)
		if err != nil {
			t.Fatal(err)
		}
		difference, fired, err := compare(g, 1, o, n, params, rand.New(rand.NewPCG(3, 3)), 30)
		if err != nil || difference > 1e-9 {
			t.Fatalf("%v, difference %g", err, difference)
		}
		spikes += fired
	})
	if spikes < 50 {
		t.Errorf("only %d spikes were compared", spikes)
	}
}

// TestImportsReferenceFile trains nothing: the recurrent fixture of the reference implementation runs as a network.
func TestImportsReferenceFile(t *testing.T) {
	g := fixture(t, "recurrent.nir")
	for i := range g.Nodes["cuba"].(*CubaLIF).VReset.Data {
		g.Nodes["cuba"].(*CubaLIF).VReset.Data[i] = 0
	}
	n, params, err := g.Network(1, Options{Method: Euler})
	if err != nil {
		t.Fatal(err)
	}
	if l := n.Layers[0]; len(n.Layers) != 1 || l.Model != "cuba_lif" || !l.Recurrent || !l.Autapses || !l.Bias || n.Readout.Tau == 0 || n.Readout.Bias {
		t.Errorf("%+v", n)
	}
	difference, spikes, err := compare(g, 1, Options{Method: Euler}, n, params, rand.New(rand.NewPCG(1, 1)), 200)
	if err != nil || difference > 1e-9 || spikes < 100 {
		t.Errorf("%v, difference %g, %d spikes", err, difference, spikes)
	}
	nested := fixture(t, "nested.nir")
	n, params, err = nested.Network(1, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if difference, spikes, err := compare(nested, 1, Options{}, n, params, rand.New(rand.NewPCG(1, 1)), 200); err != nil || difference > 1e-9 || spikes < 20 {
		t.Errorf("%v, difference %g, %d spikes", err, difference, spikes)
	}
}

// example is a network with everything that can be exported.
func example() (*snn.Network, snn.Values) {
	r := rand.New(rand.NewPCG(6, 6))
	draw := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		return v
	}
	n := &snn.Network{Inputs: 3, Loss: snn.CrossEntropy, Dt: 1, Readout: snn.Readout{Size: 2, Tau: 20}, Layers: []snn.Layer{
		{Name: "rec", Model: "lif", Size: 4, Reset: snn.ResetZero, Recurrent: true, Bias: true},
		{Name: "top", Model: "cuba_lif", Size: 3, Reset: snn.ResetZero, PerNeuron: map[string][]float64{"tau_syn": {4, 5, 6}}}}}
	return n, snn.Values{"rec.W_in": draw(12), "rec.W_rec": draw(16), "rec.b": draw(4), "top.W_in": draw(12), "out.W": draw(6)}
}

func exportedExample(t testing.TB) *Graph {
	t.Helper()
	n, params := example()
	g, err := FromNetwork(n, params, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestThroughAFile exports, writes, reads and imports: the network is the same.
func TestThroughAFile(t *testing.T) {
	n, params := example()
	n.Layers[0].Reset = snn.ResetSubtract
	n.Layers[1].Reset = snn.ResetNone
	g, err := FromNetwork(n, params, Options{AnyReset: true})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.nir")
	if err := Write(path, g); err != nil {
		t.Fatal(err)
	}
	if g, err = Read(path); err != nil {
		t.Fatal(err)
	}
	back, values, err := g.Network(1, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if back.Layers[0].Reset != snn.ResetSubtract || back.Layers[1].Reset != snn.ResetNone {
		t.Errorf("resets %q and %q", back.Layers[0].Reset, back.Layers[1].Reset)
	}
	for name, v := range params {
		if !reflect.DeepEqual(v, values[name]) {
			t.Errorf("%s: %v, want %v", name, values[name], v)
		}
	}
}

func TestCannotExport(t *testing.T) {
	change := func(f func(n *snn.Network)) error {
		n, params := example()
		f(n)
		_, err := FromNetwork(n, params, Options{})
		return err
	}
	for want, err := range map[string]error{
		`layer "top": model "alif" cannot be exported: NIR has no primitive with an adaptive threshold`: change(func(n *snn.Network) {
			n.Layers[1].Model, n.Layers[1].PerNeuron = "alif", nil
		}),
		`layer "top": model "izhikevich" cannot be exported: NIR has no such primitive`: change(func(n *snn.Network) {
			n.Layers[1].Model, n.Layers[1].PerNeuron = "izhikevich", nil
		}),
		`layer "rec": a refractory period of 2 steps cannot be exported: NIR has none`: change(func(n *snn.Network) { n.Layers[0].Refractory = 2 }),
		`layer "rec": reset "subtract" cannot be exported: NIR resets to a value; let the network reset to zero, or allow any reset and others will simulate a reset to 0`: change(func(n *snn.Network) {
			n.Layers[0].Reset = snn.ResetSubtract
		}),
		`layer "rec": "rec.W_in" has 12 values; want [4 5]`: change(func(n *snn.Network) { n.Inputs = 5 }),
		`network: 0 inputs; at least one`:                   change(func(n *snn.Network) { n.Inputs = 0 }),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	n, params := example()
	if _, err := FromNetwork(n, params, Options{Method: "x"}); err == nil {
		t.Error("an unknown method was accepted")
	}
}

func TestCannotImport(t *testing.T) {
	chain := func(n Node, more ...Edge) *Graph {
		g := single(t, n)
		g.Edges = append(g.Edges, more...)
		return g
	}
	reset, leak, low := neuron(1), neuron(1), neuron(1)
	reset.VReset, leak.VLeak, low.VThreshold = Vector(0.5), Vector(1), Vector(0)
	one := Vector(1)
	cuba := &CubaLIF{TauSyn: one, TauMem: one, R: one, VLeak: Vector(0.5), VThreshold: one}
	side := chain(neuron(1), Edge{"in", "b"}, Edge{"b", "out"})
	side.Nodes["b"] = neuron(1)
	joined := chain(neuron(1), Edge{"in", "n2"}, Edge{"n2", "n"})
	joined.Nodes["n2"] = neuron(1)
	alone := chain(neuron(1))
	alone.Nodes["x"] = neuron(1)
	two := chain(neuron(1))
	two.Nodes["in2"] = &Input{[]int{1}}
	end := chain(neuron(1))
	end.Edges = end.Edges[:1]
	circle := chain(neuron(1), Edge{"a", "b"}, Edge{"b", "a"}, Edge{"b", "n"})
	circle.Nodes["a"], circle.Nodes["b"] = &Linear{Matrix(1, 1, 1)}, &Linear{Matrix(1, 1, 1)}
	noted := chain(neuron(1))
	noted.Metadata = map[string]map[string]any{"n": {resetKey: "sideways"}}
	for want, g := range map[string]*Graph{
		`node "n" (LIF): v_reset of neuron 0 is 0.5; neurons of package snn reset to 0 or by subtraction`: chain(reset),
		`node "n" (LIF): v_threshold of neuron 0 is 0; want a positive number`:                            chain(low),
		`node "n" (CubaLIF): v_leak of neuron 0 is 0.5; current-based neurons of package snn leak to 0`:   chain(cuba),
		`node "n" (CubaLI): package snn has no such neurons; it imports LIF, CubaLIF and LI`:              chain(&CubaLI{TauSyn: one, TauMem: one, R: one, VLeak: one}),
		`node "in" (Input): it leads to "n" and to "b"; want a chain`:                                     side,
		`node "in" (Input): it leads to "n" and to "n2"; want a chain`:                                    joined,
		`1 of 4 nodes are not on the way from the input to the output`:                                    alone,
		`node "in2" (Input): there is "in" already; want one Input`:                                       two,
		`node "n" (LIF): it leads nowhere`:                                                                end,
		`node "n" (LIF): 2 edges lead to it; want one, beside those by which it feeds back`:               circle,
		`node "n" (LIF): unknown reset "sideways" in its metadata`:                                        noted,
		`the graph has no Output`: {Nodes: map[string]Node{"in": &Input{[]int{1}}}},
		`node "image" (LI): takes [2 4 4] and puts out [2 4 4]; a network has neurons in one dimension`: nil,
	} {
		if g == nil {
			g = fixture(t, "image.nir")
			want = strings.Replace(want, `"image" (LI)`, `"input" (Input)`, 1)
		}
		if _, _, err := g.Network(1, Options{TimeUnit: 1}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, _, err := chain(neuron(1)).Network(1, Options{TimeUnit: 1, Method: Euler}); err == nil || err.Error() != `node "n" (LIF): a step of 1 is not shorter than the time constant 1, which Euler's method needs` {
		t.Errorf("Euler: %v", err)
	}
	if _, _, err := chain(neuron(maxDense+1)).Network(1, Options{}); err == nil || err.Error() != `node "n" (LIF): 8193 neurons behind no matrix of weights; at most 8192, as every synapse becomes one` {
		t.Errorf("large layer: %v", err)
	}
	if _, _, err := chain(neuron(1)).Network(0, Options{}); err == nil {
		t.Error("a step of 0 was accepted")
	}
	// A leak potential is a bias.
	n, params, err := chain(leak).Network(1, Options{TimeUnit: 1})
	if err != nil || !n.Layers[0].Bias || params["n.b"][0] != 1 {
		t.Errorf("%+v, %v, %v", n, params, err)
	}
}
