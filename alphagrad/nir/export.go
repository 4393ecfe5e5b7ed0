package nir

import (
	"fmt"
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// Options say how the equations of a graph and the steps of a network of package snn belong together.
type Options struct {
	// TimeUnit is how many ms one unit of the graph's time constants has; 0 means 1000: seconds.
	TimeUnit float64
	// Method is how those who simulate the graph carry its equations over a step. Time constants are chosen so that they
	// get the factors of the network.
	Method Method
	// AnyReset lets networks be exported whose neurons do not reset to 0. NIR knows no other reset than to a value: the
	// graph then says 0, and what was meant stands in the metadata of the node, which this package heeds and others may not.
	AnyReset bool
}

func (o Options) unit() float64 {
	if o.TimeUnit == 0 {
		return 1000
	}
	return o.TimeUnit
}

// resetKey is the metadata that holds a reset.
const resetKey = "alphagrad_reset"

var resetNames = map[snn.Reset]string{snn.ResetSubtract: "subtract", snn.ResetNone: "none"}

// tau is the time constant, in units of the graph, with which the graph decays as the network does with one of tau ms.
func (o Options) tau(dt, tau float64) float64 {
	if o.Method == Euler {
		tau = dt / (1 - math.Exp(-dt/tau))
	}
	return tau / o.unit()
}

// FromNetwork converts a network with its weights to a graph: "input", and for every layer L the weights "L.W_in" and
// "L.W_rec" and the neurons "L", then the readout "out.W" and "out", and "output".
//
// A step of the graph is one of the network, up to rounding: models lif, cuba_lif and leaky have the equations of LIF,
// CubaLIF and LI. NIR has no primitive for the other models (adaptive thresholds among them), for refractory periods, and for
// resets other than to a value; such a network is refused by the name of the layer.
func FromNetwork(n *snn.Network, params snn.Values, o Options) (*Graph, error) {
	if _, err := n.Recurrence(); err != nil { // checks the network
		return nil, err
	}
	if _, err := o.Method.decay(1, 2); err != nil {
		return nil, err
	}
	e := &exporter{n: n, params: params, o: o, dt: n.Dt, g: &Graph{Nodes: map[string]Node{}, Metadata: map[string]map[string]any{}}}
	if e.dt == 0 {
		e.dt = 1
	}
	at, size := e.node("input", &Input{[]int{n.Inputs}}), n.Inputs
	for i := range n.Layers {
		l := &n.Layers[i]
		next, err := e.layer(l, at, size)
		if err != nil {
			return nil, fmt.Errorf("layer %q: %w", l.Name, err)
		}
		at, size = next, l.Size
	}
	if err := e.readout(at, size); err != nil {
		return nil, err
	}
	return e.g, e.g.Check()
}

type exporter struct {
	n      *snn.Network
	params snn.Values
	o      Options
	dt     float64
	g      *Graph
}

// node adds a node, under another name if there is one of that name, with edges from others.
func (e *exporter) node(name string, n Node, from ...string) string {
	for e.g.Nodes[name] != nil {
		name += "_"
	}
	e.g.Nodes[name] = n
	for _, f := range from {
		e.g.Edges = append(e.g.Edges, Edge{f, name})
	}
	return name
}

// weight takes a parameter of the network.
func (e *exporter) weight(name string, shape ...int) (Array, error) {
	v := e.params[name]
	if len(v) != size(shape) {
		return Array{}, fmt.Errorf("%q has %d values; want %v", name, len(v), shape)
	}
	return Array{shape, slices.Clone(v)}, nil
}

// weights adds the node of a matrix with a bias, if there is one.
func (e *exporter) weights(name, bias string, rows, cols int, from string) (string, error) {
	w, err := e.weight(name, rows, cols)
	if err != nil {
		return "", err
	}
	if bias == "" {
		return e.node(name, &Linear{w}, from), nil
	}
	b, err := e.weight(bias, rows)
	if err != nil {
		return "", err
	}
	return e.node(name, &Affine{w, b}, from), nil
}

// layer adds a layer and returns the name of its neurons.
func (e *exporter) layer(l *snn.Layer, from string, inputs int) (string, error) {
	neurons, err := e.neurons(l)
	if err != nil {
		return "", err
	}
	bias := ""
	if l.Bias {
		bias = l.Name + ".b"
	}
	in, err := e.weights(l.Name+".W_in", bias, l.Size, inputs, from)
	if err != nil {
		return "", err
	}
	name := e.node(l.Name, neurons, in)
	if l.Reset != snn.ResetZero && neurons.Type() != "LI" {
		e.g.Metadata[name] = map[string]any{resetKey: resetNames[l.Reset]}
	}
	if l.Recurrent {
		rec, err := e.weights(l.Name+".W_rec", "", l.Size, l.Size, name)
		if err != nil {
			return "", err
		}
		e.g.Edges = append(e.g.Edges, Edge{rec, name})
	}
	return name, nil
}

// neurons are the primitive of a layer.
func (e *exporter) neurons(l *snn.Layer) (Node, error) {
	m, err := snn.FindModel(l.Model)
	if err != nil {
		return nil, err
	}
	// constant is a parameter of every neuron, converted by f.
	constant := func(name string, f func(v float64) float64) Array {
		a := Filled([]int{l.Size}, m.Params[name])
		if v, ok := l.Params[name]; ok {
			a = Filled([]int{l.Size}, v)
		}
		if v, ok := l.PerNeuron[name]; ok {
			a = Vector(slices.Clone(v)...)
		}
		for i, v := range a.Data {
			a.Data[i] = f(v)
		}
		return a
	}
	same := func(v float64) float64 { return v }
	decay := func(tau float64) float64 { return math.Exp(-e.dt / tau) }
	tau := func(v float64) float64 { return e.o.tau(e.dt, v) }
	gain := func(v float64) float64 { return 1 / (1 - decay(v)) } // undoes the factor 1 − λ of the input
	zero := Filled([]int{l.Size}, 0)
	resistance := constant("tau_m", gain)
	if l.ScaleInput {
		resistance = Filled([]int{l.Size}, 1)
	}
	if err := e.representable(l); err != nil {
		return nil, err
	}
	switch l.Model {
	case "leaky":
		return &LI{Tau: constant("tau_m", tau), R: resistance, VLeak: zero}, nil
	case "lif":
		return &LIF{Tau: constant("tau_m", tau), R: resistance, VLeak: zero, VThreshold: constant("threshold", same), VReset: zero}, nil
	}
	weight := constant("tau_syn", gain)
	if l.ScaleInput {
		rest := constant("tau_m", func(v float64) float64 { return 1 - decay(v) })
		for i := range weight.Data {
			weight.Data[i] *= rest.Data[i]
		}
	}
	return &CubaLIF{TauSyn: constant("tau_syn", tau), TauMem: constant("tau_m", tau), R: constant("tau_m", gain), VLeak: zero,
		VThreshold: constant("threshold", same), VReset: zero, WIn: weight}, nil
}

// representable refuses what NIR has no words for.
func (e *exporter) representable(l *snn.Layer) error {
	switch l.Model {
	case "leaky":
		return nil
	case "lif", "cuba_lif":
	case "alif":
		return fmt.Errorf("model %q cannot be exported: NIR has no primitive with an adaptive threshold", l.Model)
	default:
		return fmt.Errorf("model %q cannot be exported: NIR has no such primitive", l.Model)
	}
	if l.Refractory > 0 {
		return fmt.Errorf("a refractory period of %d steps cannot be exported: NIR has none", l.Refractory)
	}
	if l.Reset != snn.ResetZero && !e.o.AnyReset {
		return fmt.Errorf("reset %q cannot be exported: NIR resets to a value; let the network reset to zero, or allow any reset and others will simulate a reset to 0", resetNames[l.Reset])
	}
	return nil
}

// readout adds what follows the last layer. A bias is added after the filter, which then comes before the weights.
func (e *exporter) readout(from string, hidden int) error {
	r := &e.n.Readout
	filter := func(size int, from string) string {
		if r.Tau == 0 {
			return from
		}
		gain := 1.0
		if r.Plain {
			gain = 1 / (1 - math.Exp(-e.dt/r.Tau))
		}
		return e.node("out", &LI{Filled([]int{size}, e.o.tau(e.dt, r.Tau)), Filled([]int{size}, gain), Filled([]int{size}, 0)}, from)
	}
	bias := ""
	if r.Bias {
		bias = snn.ReadoutBias
		from = filter(hidden, from)
	}
	at, err := e.weights(snn.ReadoutWeight, bias, r.Size, hidden, from)
	if err != nil {
		return err
	}
	if !r.Bias {
		at = filter(r.Size, at)
	}
	e.node("output", &Output{[]int{r.Size}}, at)
	return nil
}
