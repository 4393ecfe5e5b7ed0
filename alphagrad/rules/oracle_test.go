package rules

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// direct is a recurrent network of leaky neurons written by hand, with every quantity that a rule may change: it computes
// gradients from the dense influence of every synapse on every state, in the plainest way, and knows nothing of graphs.
type direct struct {
	n, in, out, steps       int
	win, wrec, wout         []float64
	alpha, kappa, threshold float64
	x, target               []float64
}

// variation says what a rule changes in the recursion of the influences.
type variation struct {
	recurrent func(k, l int) float64 // ∂(input of k)/∂z_l, nil: none
	reset     bool
	leak      bool
	filter    bool                // the readout's leak
	feedback  []float64           // in place of W_out
	mask      func(k, j int) bool // influences kept after every step, nil: all
	window    int                 // influences are cut every so many steps
}

// gradient runs the network and accumulates, for synapses into unit j from source i (inputs first, then units), the influence
// on v, z and s of every unit k.
func (d *direct) gradient(v variation) snn.Values {
	n, sources := d.n, d.in+d.n
	volt, spike, filt := make([]float64, n), make([]float64, n), make([]float64, n)
	size := n * n * sources
	dv, dz, ds := make([]float64, size), make([]float64, size), make([]float64, size)
	at := func(k, j, i int) int { return (k*n+j)*sources + i }
	g := snn.Values{"rec.W_in": make([]float64, n*d.in), "rec.W_rec": make([]float64, n*n), "out.W": make([]float64, d.out*n)}
	feedback := d.wout
	if v.feedback != nil {
		feedback = v.feedback
	}
	for t := range d.steps {
		if v.window > 0 && t%v.window == 0 {
			clear(dv)
			clear(dz)
			clear(ds)
		}
		before := slices.Clone(spike)
		source := append(slices.Clone(d.x[t*d.in:(t+1)*d.in]), before...)
		nv, nz, ns := make([]float64, size), make([]float64, size), make([]float64, size)
		for k := range n {
			sum := d.alpha*volt[k] - d.threshold*before[k]
			for i := range d.in {
				sum += d.win[k*d.in+i] * source[i]
			}
			for l := range n {
				sum += d.wrec[k*n+l] * before[l]
			}
			volt[k] = sum
			spike[k] = 0
			if sum >= d.threshold {
				spike[k] = 1
			}
			filt[k] = d.kappa*filt[k] + (1-d.kappa)*spike[k]
			psi := 0.3 / d.threshold * math.Max(0, 1-math.Abs(sum-d.threshold)/d.threshold)
			for j := range n {
				for i := range sources {
					p := at(k, j, i)
					e := 0.0
					if k == j {
						e = source[i]
					}
					if v.leak {
						e += d.alpha * dv[p]
					}
					if v.reset {
						e -= d.threshold * dz[p]
					}
					if v.recurrent != nil {
						for l := range n {
							e += v.recurrent(k, l) * dz[at(l, j, i)]
						}
					}
					nv[p], nz[p] = e, psi*e
					ns[p] = (1 - d.kappa) * nz[p]
					if v.filter {
						ns[p] += d.kappa * ds[p]
					}
					if v.mask != nil && !v.mask(k, j) {
						nv[p], nz[p], ns[p] = 0, 0, 0
					}
				}
			}
		}
		dv, dz, ds = nv, nz, ns
		for o := range d.out {
			y := -d.target[t*d.out+o]
			for k := range n {
				y += d.wout[o*n+k] * filt[k]
			}
			for k := range n {
				g["out.W"][o*n+k] += y * filt[k]
				for j := range n {
					for i := range sources {
						x := y * feedback[o*n+k] * ds[at(k, j, i)]
						if i < d.in {
							g["rec.W_in"][j*d.in+i] += x
						} else {
							g["rec.W_rec"][j*n+i-d.in] += x
						}
					}
				}
			}
		}
	}
	return g
}

// TestLadder compares the gradient of every published rule, and of the other kinds of edits, with the direct network.
func TestLadder(t *testing.T) {
	const n, in, out, steps = 5, 3, 2, 24
	net := &snn.Network{Inputs: in, Layers: []snn.Layer{{Name: "rec", Model: "lif", Size: n, Recurrent: true, Params: map[string]float64{"tau_m": 10, "threshold": 0.5}}},
		Readout: snn.Readout{Size: out, Tau: 8}, Loss: snn.SquaredError}
	rec, err := net.Recurrence()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(4, 4))
	draw := func(size int) []float64 {
		v := make([]float64, size)
		for i := range v {
			v[i] = rnd.NormFloat64() * 0.7
		}
		return v
	}
	d := &direct{n: n, in: in, out: out, steps: steps, win: draw(n * in), wrec: draw(n * n), wout: draw(out * n), alpha: math.Exp(-0.1), kappa: math.Exp(-1.0 / 8), threshold: 0.5, target: draw(steps * out)}
	// A ring with a few more synapses, so that units reach different units in different numbers of steps.
	for k := range n {
		for l := range n {
			if l != (k+1)%n && !(k == 0 && l == 3) {
				d.wrec[k*n+l] = 0
			}
		}
	}
	for range steps * in {
		d.x = append(d.x, float64(rnd.IntN(2)))
	}
	ones := make([]float64, steps)
	for i := range ones {
		ones[i] = 1
	}
	batch := &snn.Batch{Steps: steps, Size: 1, Input: d.x, Target: d.target, Weight: ones}
	w := func(k, l int) float64 { return d.wrec[k*n+l] }
	all := variation{recurrent: w, reset: true, leak: true, filter: true}
	local := variation{leak: true, filter: true}
	with := func(v variation, f func(v *variation)) variation { f(&v); return v }
	within := func(hops int) func(k, j int) bool {
		dist := func(from int) []int {
			d := slices.Repeat([]int{1 << 20}, n)
			d[from] = 0
			queue := []int{from}
			for len(queue) > 0 {
				b := queue[0]
				queue = queue[1:]
				for a := range n {
					if w(a, b) != 0 && d[a] > d[b]+1 {
						d[a] = d[b] + 1
						queue = append(queue, a)
					}
				}
			}
			return d
		}
		return func(k, j int) bool { return dist(j)[k] <= hops }
	}
	edit := func(kind string, factor float64, k int) *Rule {
		return &Rule{Time: Carrier{Mode: Reverse}, Edits: []Edit{{From: "rec.z", To: "rec.recurrent", Kind: kind, Factor: factor, K: k}}}
	}
	matrix := func(shared snn.Values, name string) func(k, l int) float64 {
		return func(k, l int) float64 { return shared[name][k*n+l] }
	}
	const recurrentEdge, readoutEdge = "rec.z→rec.recurrent", "out.s→out.y"
	cases := []struct {
		name string
		rule *Rule // nil: of the ladder
		want func(shared snn.Values) variation
	}{
		{"bptt", nil, func(snn.Values) variation { return all }},
		{"rtrl", nil, func(snn.Values) variation { return all }},
		{"tbptt(10)", nil, func(snn.Values) variation { return with(all, func(v *variation) { v.window = 10 }) }},
		{"tbptt(30)", nil, func(snn.Values) variation { return all }},
		{"snap-1", nil, func(snn.Values) variation {
			return with(all, func(v *variation) { v.mask = func(k, j int) bool { return k == j } })
		}},
		{"snap-2", nil, func(snn.Values) variation { return with(all, func(v *variation) { v.mask = within(1) }) }},
		{"snap-3", &Rule{Time: Carrier{Mode: Forward}, Reach: 3}, func(snn.Values) variation { return with(all, func(v *variation) { v.mask = within(2) }) }},
		{"snap-1 by mask", &Rule{Time: Carrier{Mode: Forward}, Reach: 1}, func(snn.Values) variation {
			return with(all, func(v *variation) { v.mask = func(k, j int) bool { return k == j } })
		}},
		{"e-prop symmetric", nil, func(snn.Values) variation { return local }},
		{"e-prop random", nil, func(s snn.Values) variation {
			return with(local, func(v *variation) { v.feedback = s["random("+readoutEdge+")"] })
		}},
		{"e-prop adaptive", nil, func(s snn.Values) variation {
			return with(local, func(v *variation) { v.feedback = s["learned("+readoutEdge+")"] })
		}},
		{"rflo", nil, func(s snn.Values) variation {
			return with(local, func(v *variation) { v.feedback, v.filter = s["random("+readoutEdge+")"], false })
		}},
		{"ottt", nil, func(snn.Values) variation { return with(local, func(v *variation) { v.filter = false }) }},
		{"direct feedback", nil, func(s snn.Values) variation {
			return with(local, func(v *variation) { v.feedback = s["random("+readoutEdge+")"] })
		}},
		{"feedback of the moment", nil, func(s snn.Values) variation { return variation{feedback: s["random("+readoutEdge+")"]} }},
		{"readout only", nil, func(snn.Values) variation { return variation{feedback: make([]float64, out*n)} }},
		{"scale", edit("scale", 0.4, 0), func(snn.Values) variation {
			return with(all, func(v *variation) { v.recurrent = func(k, l int) float64 { return 0.4 * w(k, l) } })
		}},
		{"leak", edit("leak", 0.3, 0), func(snn.Values) variation {
			return with(all, func(v *variation) {
				v.recurrent = func(k, l int) float64 {
					if k == l {
						return 0.3
					}
					return 0
				}
			})
		}},
		{"sign", edit("sign", 0, 0), func(snn.Values) variation {
			return with(all, func(v *variation) {
				v.recurrent = func(k, l int) float64 {
					switch x := w(k, l); {
					case x > 0:
						return 1
					case x < 0:
						return -1
					}
					return 0
				}
			})
		}},
		{"random_k", edit("random_k", 0, 2), func(s snn.Values) variation {
			m := matrix(s, "random_k("+recurrentEdge+")")
			return with(all, func(v *variation) { v.recurrent = func(k, l int) float64 { return m(k, l) * w(k, l) } })
		}},
		{"random feedback in the loop", edit("random", 0, 0), func(s snn.Values) variation {
			return with(all, func(v *variation) { v.recurrent = matrix(s, "random("+recurrentEdge+")") })
		}},
		{"none for the voltage", &Rule{Time: Carrier{Mode: Forward}, States: map[string]Carrier{"rec.v": {Mode: None}}}, func(snn.Values) variation {
			return with(all, func(v *variation) { v.leak = false })
		}},
	}
	var gradients []snn.Values
	for _, c := range cases {
		rule := c.rule
		if rule == nil {
			if rule, err = LadderRule(rec, c.name); err != nil {
				t.Fatal(err)
			}
		}
		b, err := rule.Build(rec)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		shared := snn.Values{"rec.W_in": d.win, "rec.W_rec": d.wrec, "out.W": d.wout}
		b.Draw(shared, runs.Seed(9))
		want := d.gradient(c.want(shared))
		gradients = append(gradients, want)
		for _, forward := range []bool{true, false} {
			m := b.Method
			if m.Forward = forward; !forward && m.Masks != nil {
				continue
			}
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
						t.Fatalf("%s, forward %v: gradient by %s[%d] is %v, by hand %v", c.name, forward, p, i, got.Gradient[p][i], x[i])
					}
				}
			}
		}
	}
	// The rules differ: a rule that quietly takes the exact path would pass as all of them.
	for i, c := range cases {
		same := true
		for p, x := range gradients[i] {
			same = same && slices.Equal(x, gradients[0][p])
		}
		if exact := c.name == "bptt" || c.name == "rtrl" || c.name == "tbptt(30)"; same != exact {
			t.Errorf("%s: the exact gradient %v, expected %v", c.name, same, exact)
		}
	}
}
