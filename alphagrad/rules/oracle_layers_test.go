package rules

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// deep is a network of two layers of leaky neurons written by hand. Its gradients come from tangents: for every synapse the
// change of each state is carried along, as a rule says that it is.
type deep struct {
	sizes                   [3]int       // inputs, first layer, second layer
	out, steps              int          // readouts
	win, wrec, side         [2][]float64 // weights of the layers, and of the readouts of their own
	wout                    []float64    // [out][second layer]
	alpha, kappa, threshold float64
	x, target               []float64
}

// deepRule says what a rule changes in the tangents.
type deepRule struct {
	recurrent     func(layer, k, l int) float64 // nil: none
	reset, across bool
	filter        bool      // of both layers' spikes
	feedback      []float64 // of the readout's error to the second layer; nil: none
	direct, local bool      // the readout's error to the first layer, the layers' own errors
	window        int
}

// gradient carries tangents for all synapses of one matrix after the other.
func (d *deep) gradient(r deepRule) snn.Values {
	g := snn.Values{"out.W": make([]float64, d.out*d.sizes[2])}
	for layer, name := range []string{"a", "b"} {
		n := d.sizes[layer+1]
		for _, m := range []struct {
			name string
			cols int
		}{{name + ".W_in", d.sizes[layer]}, {name + ".W_rec", n}} {
			v := make([]float64, n*m.cols)
			for j := range n {
				for i := range m.cols {
					v[j*m.cols+i] = d.tangent(r, layer, j, i, m.name == name+".W_rec", nil)
				}
			}
			g[m.name] = v
		}
	}
	d.tangent(r, 0, 0, 0, false, g["out.W"])
	return g
}

// tangent is the gradient by the synapse from i to unit j of a layer, within the layer or from before it; where readout is
// given, that of the readout weights is added to it instead.
func (d *deep) tangent(r deepRule, layer, j, i int, within bool, readout []float64) (sum float64) {
	var volt, spike, filt, dv, dz, ds [2][]float64
	for l := range 2 {
		for _, p := range []*[2][]float64{&volt, &spike, &filt, &dv, &dz, &ds} {
			p[l] = make([]float64, d.sizes[l+1])
		}
	}
	for t := range d.steps {
		if r.window > 0 && t%r.window == 0 {
			for l := range 2 {
				clear(dv[l])
				clear(dz[l])
				clear(ds[l])
			}
		}
		below, dbelow := d.x[t*d.sizes[0]:(t+1)*d.sizes[0]], make([]float64, d.sizes[0])
		for l := range 2 {
			n := d.sizes[l+1]
			before, dbefore := slices.Clone(spike[l]), slices.Clone(dz[l])
			for k := range n {
				v, e := d.alpha*volt[l][k]-d.threshold*before[k], d.alpha*dv[l][k]
				if r.reset {
					e -= d.threshold * dbefore[k]
				}
				for c, x := range below {
					v += d.win[l][k*len(below)+c] * x
					if l > 0 && r.across {
						e += d.win[l][k*len(below)+c] * dbelow[c]
					}
				}
				for c, x := range before {
					v += d.wrec[l][k*n+c] * x
					if r.recurrent != nil {
						e += r.recurrent(l, k, c) * dbefore[c]
					}
				}
				if l == layer && k == j {
					if within {
						e += before[i]
					} else {
						e += below[i]
					}
				}
				psi := 0.3 / d.threshold * math.Max(0, 1-math.Abs(v-d.threshold)/d.threshold)
				volt[l][k], dv[l][k] = v, e
				spike[l][k], dz[l][k] = 0, psi*e
				if v >= d.threshold {
					spike[l][k] = 1
				}
				s := (1 - d.kappa) * dz[l][k]
				if r.filter {
					s += d.kappa * ds[l][k]
				}
				filt[l][k], ds[l][k] = d.kappa*filt[l][k]+(1-d.kappa)*spike[l][k], s
			}
			below, dbelow = spike[l], dz[l]
		}
		for o := range d.out {
			dot := func(w, x []float64) (y float64) {
				for k, v := range x {
					y += w[o*len(x)+k] * v
				}
				return y
			}
			target := d.target[t*d.out+o]
			err := dot(d.wout, filt[1]) - target
			for k, s := range filt[1] {
				if readout != nil {
					readout[o*len(filt[1])+k] += err * s
				}
			}
			if r.feedback != nil {
				sum += err * dot(r.feedback, ds[1])
			}
			if r.direct {
				sum += err * dot(d.side[0], ds[0])
			}
			if r.local {
				for l := range 2 {
					sum += (dot(d.side[l], filt[l]) - target) * dot(d.side[l], ds[l])
				}
			}
		}
	}
	return sum
}

// TestDeepLadder compares the published rules on two layers with the direct network: what crosses from one layer to the next,
// direct feedback to a hidden layer, and losses of the layers' own.
func TestDeepLadder(t *testing.T) {
	d := &deep{sizes: [3]int{3, 4, 5}, out: 2, steps: 20, alpha: math.Exp(-0.1), kappa: math.Exp(-1.0 / 8), threshold: 0.5}
	rnd := rand.New(rand.NewPCG(6, 6))
	draw := func(size int) []float64 {
		v := make([]float64, size)
		for i := range v {
			v[i] = rnd.NormFloat64() * 0.6
		}
		return v
	}
	for l := range 2 {
		n := d.sizes[l+1]
		d.win[l], d.wrec[l], d.side[l] = draw(n*d.sizes[l]), draw(n*n), draw(d.out*n)
	}
	d.wout, d.target = draw(d.out*d.sizes[2]), draw(d.steps*d.out)
	for range d.steps * d.sizes[0] {
		d.x = append(d.x, float64(rnd.IntN(2)))
	}
	batch := &snn.Batch{Steps: d.steps, Size: 1, Input: d.x, Target: d.target, Weight: slices.Repeat([]float64{1}, d.steps)}
	whole := func(l, k, c int) float64 { return d.wrec[l][k*d.sizes[l+1]+c] }
	diagonal := func(l, k, c int) float64 {
		if k != c {
			return 0
		}
		return whole(l, k, c)
	}
	random := func(s snn.Values) []float64 { return s["random(out.s→out.y)"] }
	exact := deepRule{recurrent: whole, reset: true, across: true, filter: true, feedback: d.wout}
	with := func(r deepRule, f func(r *deepRule)) deepRule { f(&r); return r }
	cases := []struct {
		name string
		side string // readouts that the layers have of their own
		want func(s snn.Values) deepRule
	}{
		{"bptt", "", func(snn.Values) deepRule { return exact }},
		{"bptt", "direct", func(snn.Values) deepRule { return exact }}, // such readouts are no part of the loss
		{"rtrl", "local", func(snn.Values) deepRule { return exact }},
		{"tbptt(7)", "", func(snn.Values) deepRule { return with(exact, func(r *deepRule) { r.window = 7 }) }},
		{"snap-1", "", func(snn.Values) deepRule { return with(exact, func(r *deepRule) { r.recurrent = diagonal }) }},
		{"e-prop symmetric", "", func(snn.Values) deepRule {
			return deepRule{across: true, filter: true, feedback: d.wout}
		}},
		{"e-prop random", "", func(s snn.Values) deepRule { return deepRule{across: true, filter: true, feedback: random(s)} }},
		{"rflo", "", func(s snn.Values) deepRule { return deepRule{across: true, feedback: random(s)} }},
		{"ottt", "", func(snn.Values) deepRule { return deepRule{across: true, feedback: d.wout} }},
		{"direct feedback", "direct", func(s snn.Values) deepRule { return deepRule{filter: true, feedback: random(s), direct: true} }},
		{"direct feedback", "both", func(s snn.Values) deepRule { return deepRule{filter: true, feedback: random(s), direct: true} }},
		{"local losses", "local", func(snn.Values) deepRule { return deepRule{local: true} }},
		{"local losses", "both", func(snn.Values) deepRule { return deepRule{local: true} }},
		{"readout only", "both", func(snn.Values) deepRule { return deepRule{} }},
	}
	var first snn.Values
	for _, c := range cases {
		net := &snn.Network{Inputs: d.sizes[0], Readout: snn.Readout{Size: d.out, Tau: 8}, Loss: snn.SquaredError}
		for l, name := range []string{"a", "b"} {
			layer := snn.Layer{Name: name, Model: "lif", Size: d.sizes[l+1], Recurrent: true, Params: map[string]float64{"tau_m": 10, "threshold": 0.5}}
			if c.side == "local" || c.side == "both" {
				layer.Local = d.side[l]
			}
			if l == 0 && (c.side == "direct" || c.side == "both") {
				layer.Direct = d.side[l]
			}
			net.Layers = append(net.Layers, layer)
		}
		rec, err := net.Recurrence()
		if err != nil {
			t.Fatal(err)
		}
		rule, err := LadderRule(rec, c.name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := rule.Build(rec)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		shared := snn.Values{"a.W_in": d.win[0], "a.W_rec": d.wrec[0], "b.W_in": d.win[1], "b.W_rec": d.wrec[1], "out.W": d.wout}
		b.Draw(shared, runs.Seed(9))
		want := d.gradient(c.want(shared))
		for _, forward := range []bool{true, false} {
			m := b.Method
			m.Forward = forward
			g, err := snn.NewGradient(rec, m)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			got, err := g.Compute(shared, batch)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			for p, x := range want {
				for i := range x {
					if math.Abs(got.Gradient[p][i]-x[i]) > 1e-10*math.Max(1, math.Abs(x[i])) {
						t.Fatalf("%s, readouts of their own %q, forward %v: gradient by %s[%d] is %v, by hand %v", c.name, c.side, forward, p, i, got.Gradient[p][i], x[i])
					}
				}
			}
		}
		if first == nil {
			first = want
			continue
		}
		same := true
		for p, x := range want {
			same = same && slices.Equal(x, first[p])
		}
		if exact := c.name == "bptt" || c.name == "rtrl"; same != exact {
			t.Errorf("%s: the exact gradient %v, expected %v", c.name, same, exact)
		}
	}
}
