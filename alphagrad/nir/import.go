package nir

import (
	"fmt"
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// Network converts a graph to a network with steps of dt ms, and its weights. The graph must be a chain: an input, layers of
// LIF, CubaLIF or LI neurons behind linear nodes, each with any number of linear ways back to itself, and an output; nested
// graphs are put in line. An LI before the output becomes the readout where it can be one.
//
// A step of the network is one of the graph, up to rounding. The network's equations have fewer parameters: resistances and
// input weights go into the weights of synapses, leak potentials into biases, and thresholds that differ within a layer are
// made 1 by scaling its weights. What then does not fit, such as a v_reset other than 0, is refused by node and type.
// Parameters of training, the loss among them, have their defaults.
func (g *Graph) Network(dt float64, o Options) (*snn.Network, snn.Values, error) {
	if !(dt > 0) || math.IsInf(dt, 0) {
		return nil, nil, fmt.Errorf("a step of %g ms; want a positive number", dt)
	}
	flat, err := g.Inline()
	if err != nil {
		return nil, nil, err
	}
	im := &importer{g: flat, o: o, dt: dt, next: map[string][]string{}, before: map[string][]string{}, params: snn.Values{},
		net: &snn.Network{Loss: snn.SquaredError, Dt: dt}}
	for _, e := range flat.Edges {
		im.next[e.From] = append(im.next[e.From], e.To)
		im.before[e.To] = append(im.before[e.To], e.From)
	}
	if err := im.chain(); err != nil {
		return nil, nil, err
	}
	_, err = im.net.Recurrence() // checks what was made
	return im.net, im.params, err
}

type importer struct {
	g            *Graph
	o            Options
	dt           float64
	next, before map[string][]string
	net          *snn.Network
	params       snn.Values
	used         int // nodes that have found their place
}

// nodeError names a node and its type.
func (im *importer) nodeError(name, format string, args ...any) error {
	return fmt.Errorf("node %q (%s): %w", name, im.g.Nodes[name].Type(), fmt.Errorf(format, args...))
}

// chain walks from the input to the output.
func (im *importer) chain() error {
	at, err := im.only("Input")
	if err != nil {
		return err
	}
	if _, err := im.only("Output"); err != nil {
		return err
	}
	for _, name := range im.g.Names() {
		in, out := im.g.Nodes[name].shapes()
		if len(in) != 1 || len(out) != 1 {
			return im.nodeError(name, "takes %v and puts out %v; a network has neurons in one dimension", in, out)
		}
	}
	im.net.Inputs = im.g.Nodes[at].(*Input).Shape[0]
	im.used = 1
	for {
		on, err := im.forward(at)
		if err != nil {
			return err
		}
		weights, end := on.weights, on.end
		if len(im.before[end]) > 1 && !stateful(im.g.Nodes[end]) {
			return im.nodeError(end, "%q lead to it; only neurons add up", im.before[end])
		}
		im.used++
		if im.g.Nodes[end].Type() == "Output" {
			if err := im.readout(weights); err != nil {
				return im.nodeError(end, "%w", err)
			}
			break
		}
		if done, err := im.filter(at, end, weights); err != nil {
			return err
		} else if done {
			break
		}
		if err := im.layer(end, weights); err != nil {
			return err
		}
		at = end
	}
	if im.used != len(im.g.Nodes) {
		return fmt.Errorf("%d of %d nodes are not on the way from the input to the output", len(im.g.Nodes)-im.used, len(im.g.Nodes))
	}
	return nil
}

// only returns the one node of a type.
func (im *importer) only(kind string) (found string, err error) {
	for _, name := range im.g.Names() {
		if im.g.Nodes[name].Type() != kind {
			continue
		}
		if found != "" {
			return "", im.nodeError(name, "there is %q already; want one %s", found, kind)
		}
		found = name
	}
	if found == "" {
		return "", fmt.Errorf("the graph has no %s", kind)
	}
	return found, nil
}

// way is a path through linear nodes.
type way struct {
	weights affine
	end     string // the first node that is not linear
}

// follow goes from a node through its successor to the next node that is not linear.
func (im *importer) follow(from, through string) (way, error) {
	_, out := im.g.Nodes[from].shapes()
	w := way{identity(out[0]), through}
	for linear(im.g.Nodes[w.end]) {
		if len(im.before[w.end]) > 1 {
			return w, im.nodeError(w.end, "%q lead to it; only neurons add up", im.before[w.end])
		}
		if n := len(im.next[w.end]); n != 1 {
			return w, im.nodeError(w.end, "%d edges leave it; want one, so that the graph is a chain", n)
		}
		var err error
		if w.weights, err = w.weights.then(im.g.Nodes[w.end]); err != nil {
			return w, im.nodeError(w.end, "%w", err)
		}
		im.used++
		w.end = im.next[w.end][0]
	}
	return w, nil
}

// forward is the only way on from a node; ways of a neuron back to itself do not count.
func (im *importer) forward(from string) (on way, err error) {
	found := false
	for _, through := range im.next[from] {
		before := im.used
		w, err := im.follow(from, through)
		if err != nil {
			return w, err
		}
		if w.end == from {
			im.used = before // counted with the layer
			continue
		}
		if found {
			return w, im.nodeError(from, "it leads to %q and to %q; want a chain", on.end, w.end)
		}
		on, found = w, true
	}
	if !found {
		return on, im.nodeError(from, "it leads nowhere")
	}
	return on, nil
}

// readout ends the network with y = W·z + b.
func (im *importer) readout(a affine) error {
	w, err := a.matrix()
	im.net.Readout = snn.Readout{Size: w.Shape[0], Bias: a.biased}
	im.params[snn.ReadoutWeight] = slices.Clone(w.Data)
	if a.biased {
		im.params[snn.ReadoutBias] = slices.Clone(a.b)
	}
	return err
}

// filter makes an LI behind a layer the filter of the readout, if it is one: of one time constant, without a leak potential
// and a way back, and with nothing behind it but the weights, if they are not before it, and the output.
func (im *importer) filter(from, name string, weights affine) (bool, error) {
	li, ok := im.g.Nodes[name].(*LI)
	if !ok || len(im.net.Layers) == 0 || len(im.before[name]) != 1 || len(im.next[name]) != 1 || !uniform(li.Tau.Data) || !uniform(li.VLeak.Data) || li.VLeak.Data[0] != 0 {
		return false, nil
	}
	before := im.used
	after, err := im.follow(name, im.next[name][0])
	if err != nil {
		return false, err
	}
	direct := im.before[name][0] == from // no weights before it
	if im.g.Nodes[after.end].Type() != "Output" || len(im.before[after.end]) != 1 || !direct && (weights.biased || im.next[name][0] != after.end) {
		im.used = before
		return false, nil
	}
	decay, err := im.o.Method.decay(im.dt, li.Tau.Data[0]*im.o.unit())
	if err != nil {
		return false, im.nodeError(name, "%w", err)
	}
	r := Array{li.R.Shape, slices.Clone(li.R.Data)}
	plain := near(r.Data, 1/(1-decay))
	if plain || near(r.Data, 1) {
		r = Filled(r.Shape, 1)
	}
	if direct { // y = W·v with v = R·s: the resistance scales columns
		weights = after.weights
		if weights.w, err = weights.matrix(); err == nil {
			weights.w.Data = slices.Clone(weights.w.Data)
			for i := range weights.w.Data {
				weights.w.Data[i] *= r.Data[i%len(r.Data)]
			}
		}
	} else {
		weights, err = weights.then(&Scale{r})
	}
	if err == nil {
		err = im.readout(weights)
	}
	if err != nil {
		return false, im.nodeError(name, "%w", err)
	}
	im.net.Readout.Tau, im.net.Readout.Plain = im.tau(li.Tau.Data[0], decay), plain
	im.used++
	return true, nil
}

// layer adds a layer of neurons whose input comes through weights.
func (im *importer) layer(name string, in affine) error {
	n := im.g.Nodes[name]
	l := snn.Layer{Name: im.layerName(name), Size: in.w.Shape[0], Reset: snn.ResetZero}
	rec := affine{b: make([]float64, l.Size)}
	for _, through := range im.next[name] {
		before := im.used
		w, err := im.follow(name, through)
		if err != nil {
			return err
		}
		if w.end != name {
			im.used = before // counted by forward
			continue
		}
		back, err := w.weights.matrix()
		if err != nil {
			return im.nodeError(name, "%w", err)
		}
		if !l.Recurrent {
			rec.w = Filled([]int{l.Size, l.Size}, 0)
		}
		l.Recurrent = true
		rec.biased = rec.biased || w.weights.biased
		for i, v := range back.Data {
			rec.w.Data[i] += v
		}
		for i, v := range w.weights.b {
			rec.b[i] += v
		}
	}
	if paths := len(im.before[name]); paths != 1+im.loops(name) {
		return im.nodeError(name, "%d edges lead to it; want one, beside those by which it feeds back", paths)
	}
	gain, rest, err := im.neurons(&l, n, name)
	if err != nil {
		return err
	}
	bias := make([]float64, l.Size)
	scaled := l.ScaleInput
	if in.w, err = in.matrix(); err != nil {
		return im.nodeError(name, "%w", err)
	}
	if gain != nil {
		for _, a := range []*affine{&in, &rec} {
			*a = affine{Array{a.w.Shape, slices.Clone(a.w.Data)}, slices.Clone(a.b), a.biased}
			a.rows(gain)
		}
	}
	for i := range bias {
		bias[i] = in.b[i] + rec.b[i]
		if rest != nil && scaled {
			bias[i] += rest[i].potential
		} else if rest != nil {
			bias[i] += rest[i].step
		}
	}
	l.Bias = in.biased || rec.biased || rest != nil
	im.params[l.Name+".W_in"] = slices.Clone(in.w.Data)
	if l.Recurrent {
		im.params[l.Name+".W_rec"] = rec.w.Data
		for i := range l.Size {
			l.Autapses = l.Autapses || rec.w.Data[i*l.Size+i] != 0
		}
	}
	if l.Bias {
		im.params[l.Name+".b"] = bias
	}
	im.net.Layers = append(im.net.Layers, l)
	return nil
}

// loops counts the edges into a neuron that come, through linear nodes, from the neuron itself.
func (im *importer) loops(name string) int {
	n := 0
	for _, at := range im.before[name] {
		for range im.g.Nodes { // no farther, should linear nodes form a circle
			if linear(im.g.Nodes[at]) && len(im.before[at]) == 1 {
				at = im.before[at][0]
			}
		}
		if at == name {
			n++
		}
	}
	return n
}

// layerName is the name of the node, unless the network has another use for it.
func (im *importer) layerName(name string) string {
	for taken := true; taken; {
		taken = name == "out"
		for _, l := range im.net.Layers {
			taken = taken || l.Name == name
		}
		if taken {
			name += "_"
		}
	}
	return name
}

// leak is a leak potential, and what it adds to the potential in a step.
type leak struct{ potential, step float64 }

// neurons fills in the model of a layer. gain multiplies the weights of every neuron, unless nil; rest is where leak
// potentials are not 0.
func (im *importer) neurons(l *snn.Layer, n Node, name string) (gain []float64, rest []leak, err error) {
	var tau, tauSyn, r, vleak, threshold, reset, weight Array
	l.Model = "lif"
	switch n := n.(type) {
	case *LI:
		l.Model = "leaky"
		tau, r, vleak = n.Tau, n.R, n.VLeak
	case *LIF:
		tau, r, vleak, threshold, reset = n.Tau, n.R, n.VLeak, n.VThreshold, n.VReset
	case *CubaLIF:
		l.Model = "cuba_lif"
		tau, tauSyn, r, vleak, threshold, reset, weight = n.TauMem, n.TauSyn, n.R, n.VLeak, n.VThreshold, n.VReset, n.WIn
	default:
		return nil, nil, im.nodeError(name, "package snn has no such neurons; it imports LIF, CubaLIF and LI")
	}
	decay, err := im.constants(l, "tau_m", tau)
	if err == nil && tauSyn.Data != nil {
		var syn []float64
		if syn, err = im.constants(l, "tau_syn", tauSyn); err == nil {
			for i := range syn {
				syn[i] = (1 - syn[i]) * weight.Data[i] // what w_in adds to the current
			}
			weight.Data = syn
		}
	}
	if err != nil {
		return nil, nil, im.nodeError(name, "%w", err)
	}
	if err := im.reset(l, name, reset); err != nil {
		return nil, nil, err
	}

	// The network adds W·x to the potential, or (1 − λ)·W·x if it scales its input; the graph adds gain·W·x.
	gain, scaled := make([]float64, l.Size), make([]float64, l.Size)
	for i := range gain {
		gain[i] = (1 - decay[i]) * r.Data[i]
		if weight.Data != nil {
			gain[i] *= weight.Data[i]
		}
		scaled[i] = gain[i] / (1 - decay[i])
		if v := vleak.Data[i]; v != 0 {
			if weight.Data != nil {
				return nil, nil, im.nodeError(name, "v_leak of neuron %d is %g; current-based neurons of package snn leak to 0", i, v)
			}
			if rest == nil {
				rest = make([]leak, l.Size)
			}
			rest[i] = leak{v, (1 - decay[i]) * v}
		}
	}
	if near(scaled, 1) {
		gain, l.ScaleInput = nil, true
	} else if near(gain, 1) {
		gain = nil
	}
	if threshold.Data == nil {
		return gain, rest, nil
	}
	for i, t := range threshold.Data {
		if !(t > 0) {
			return nil, nil, im.nodeError(name, "v_threshold of neuron %d is %g; want a positive number", i, t)
		}
	}
	if uniform(threshold.Data) {
		l.Params["threshold"] = threshold.Data[0]
		return gain, rest, nil
	}
	// The network's threshold is one for the layer: potentials are counted in thresholds.
	l.Params["threshold"] = 1
	if gain == nil {
		gain = Filled([]int{l.Size}, 1).Data
	}
	for i, t := range threshold.Data {
		gain[i] /= t
		if rest != nil {
			rest[i] = leak{rest[i].potential / t, rest[i].step / t}
		}
	}
	return gain, rest, nil
}

// tau is the network's time constant in ms for one of the graph and its factor of decay.
func (im *importer) tau(tau, decay float64) float64 {
	if im.o.Method == Euler {
		return -im.dt / math.Log(decay)
	}
	return tau * im.o.unit()
}

// constants sets a time constant of a layer so that the network decays as the graph does, and returns the factors.
func (im *importer) constants(l *snn.Layer, name string, tau Array) ([]float64, error) {
	ms, decay := make([]float64, l.Size), make([]float64, l.Size)
	for i, t := range tau.Data {
		var err error
		if decay[i], err = im.o.Method.decay(im.dt, t*im.o.unit()); err != nil {
			return nil, err
		}
		ms[i] = im.tau(t, decay[i])
	}
	if l.Params == nil {
		l.Params = map[string]float64{}
	}
	if uniform(ms) {
		l.Params[name] = ms[0]
		return decay, nil
	}
	if l.PerNeuron == nil {
		l.PerNeuron = map[string][]float64{}
	}
	l.PerNeuron[name] = ms
	return decay, nil
}

// reset sets the reset of a layer.
func (im *importer) reset(l *snn.Layer, name string, to Array) error {
	for i, v := range to.Data {
		if v != 0 {
			return im.nodeError(name, "v_reset of neuron %d is %g; neurons of package snn reset to 0 or by subtraction", i, v)
		}
	}
	if meta, ok := im.g.Metadata[name][resetKey].(string); ok {
		for r, known := range resetNames {
			if known == meta {
				l.Reset = r
				return nil
			}
		}
		return im.nodeError(name, "unknown reset %q in its metadata", meta)
	}
	return nil
}

// uniform reports whether all numbers are equal.
func uniform(v []float64) bool { return slices.Min(v) == slices.Max(v) }

// near reports whether all numbers are a given one, up to rounding.
func near(v []float64, to float64) bool {
	for _, x := range v {
		if math.Abs(x-to) > 1e-12*math.Abs(to) {
			return false
		}
	}
	return true
}
