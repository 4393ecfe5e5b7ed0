package rules

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

func recurrence(t testing.TB, model string, inputs, neurons int) *ad.Recurrence {
	t.Helper()
	n := &snn.Network{Inputs: inputs, Layers: []snn.Layer{{Name: "rec", Model: model, Size: neurons, Recurrent: true}}, Readout: snn.Readout{Size: 2, Tau: 20}, Loss: snn.SquaredError}
	r, err := n.Recurrence()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func meaning(t testing.TB, rec *ad.Recurrence, r *Rule) *Meaning {
	t.Helper()
	b, err := r.Build(rec)
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.Meaning(rec, 100)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCost: multiplications and memory, counted in the programs, are closed forms of the numbers of neurons N, inputs I and
// synapses P = N(N + I). The step itself takes P for its synapses; what is linear in N is for leaks, resets, surrogates and
// two readouts. RTRL multiplies N² P times with the recurrent Jacobian and five times N·P with leak, reset, surrogate, filter
// and error; its diagonal, SnAp-1, does all that once a synapse; e-prop has a presynaptic trace for each source (I + N) and
// per synapse a filtered trace and the gradient; without the filter only the gradient.
func TestCost(t *testing.T) {
	for _, in := range []int{3, 7} {
		for _, n := range []int{3, 6, 9, 14, 20} {
			rec := recurrence(t, "lif", in, n)
			n, sources := int64(n), int64(n+in)
			p := n * sources
			for name, want := range map[string][3]int64{ // multiplications, memory, hops
				"bptt":                   {3*p + n*n + 23*n + 9, 3 * n * 100, n},
				"tbptt(10)":              {3*p + n*n + 23*n + 9, 3 * n * 10, min(n, 9)},
				"tbptt(4)":               {3*p + n*n + 23*n + 9, 3 * n * 4, min(n, 3)},
				"rtrl":                   {n*n*p + 5*n*p + p + 12*n + 9, 3 * n * p, n},
				"snap-1":                 {7*p + 12*n + 9, 3 * p, 0},
				"snap-2":                 {n*n*p + 8*n*p + p + 12*n + 9, 3 * n * p, 1},
				"snap-4":                 {n*n*p + 8*n*p + p + 12*n + 9, 3 * n * p, min(n, 3)},
				"e-prop symmetric":       {4*p + sources + 13*n + 9, p + sources, 0},
				"e-prop random":          {4*p + sources + 13*n + 9, p + sources, 0},
				"e-prop adaptive":        {4*p + sources + 13*n + 9, p + sources, 0},
				"rflo":                   {3*p + sources + 13*n + 9, sources, 0},
				"ottt":                   {3*p + sources + 13*n + 9, sources, 0},
				"direct feedback":        {4*p + sources + 13*n + 9, p + sources, 0},
				"feedback of the moment": {3*p + 13*n + 9, 0, 0},
				"readout only":           {p + 8*n + 9, 0, 0},
			} {
				r, err := LadderRule(rec, name)
				if err != nil {
					t.Fatal(err)
				}
				m := meaning(t, rec, r)
				if got := [3]int64{m.Cost, m.Memory, int64(m.Hops)}; got != want {
					t.Errorf("%s, %d neurons, %d inputs: %v multiplications, memory and hops; expected %v", name, n, in, got, want)
				}
			}
		}
	}
}

// TestDeepCost: on two layers, rules that let nothing cross multiply what every layer multiplies alone. With P synapses from S
// sources, local losses have a trace for every source and are gone through once a synapse, direct feedback filters once a
// synapse besides; the rest is linear in the neurons, here for two outputs.
func TestDeepCost(t *testing.T) {
	for _, c := range [][3]int{{3, 4, 5}, {4, 4, 5}, {3, 6, 5}, {3, 4, 7}, {7, 9, 11}} {
		in, a, b := c[0], c[1], c[2]
		net := &snn.Network{Inputs: in, Readout: snn.Readout{Size: 2, Tau: 8}, Loss: snn.SquaredError}
		for k, n := range []int{a, b} {
			side := make([]float64, 2*n)
			for i := range side {
				side[i] = float64(i) + 0.5
			}
			net.Layers = append(net.Layers, snn.Layer{Name: []string{"a", "b"}[k], Model: "lif", Size: n, Recurrent: true, Local: side})
			if k == 0 {
				net.Layers[k].Direct = side
			}
		}
		rec, err := net.Recurrence()
		if err != nil {
			t.Fatal(err)
		}
		p, sources := int64(a*(in+a)+b*(a+b)), int64(in+a+a+b)
		for name, want := range map[string][2]int64{ // multiplications, memory
			"local losses":    {3*p + sources + int64(13*a+15*b+23), sources},
			"direct feedback": {4*p + sources + int64(13*a+15*b+15), p + sources},
		} {
			r, err := LadderRule(rec, name)
			if err != nil {
				t.Fatal(err)
			}
			m := meaning(t, rec, r)
			if got := [2]int64{m.Cost, m.Memory}; got != want || !m.Synaptic() || m.Transport {
				t.Errorf("%s, sizes %v: %v multiplications and memory, expected %v; local %v, weight transport %v", name, c, got, want, m.Synaptic(), m.Transport)
			}
		}
	}
}

// TestLocality: the certificate names what every tensor is indexed by.
func TestLocality(t *testing.T) {
	rec := recurrence(t, "alif", 3, 5)
	for name, want := range map[string]struct {
		index                    map[string]Index
		causal, local, transport bool
	}{
		"e-prop symmetric": {map[string]Index{"rec.v": Pre, "rec.z": Synapse, "rec.a": Synapse, "out.s": Synapse}, true, true, true},
		"e-prop random":    {map[string]Index{"rec.v": Pre, "rec.z": Synapse, "rec.a": Synapse, "out.s": Synapse}, true, true, false},
		"ottt":             {map[string]Index{"rec.v": Pre}, true, true, true},
		"rtrl":             {map[string]Index{"rec.v": Elsewhere, "rec.z": Elsewhere, "rec.a": Elsewhere, "out.s": Elsewhere}, true, false, true},
		"bptt":             {map[string]Index{"rec.v": History, "rec.z": History, "rec.a": History, "out.s": History}, false, false, true},
	} {
		r, err := LadderRule(rec, name)
		if err != nil {
			t.Fatal(err)
		}
		m := meaning(t, rec, r)
		got := map[string]Index{}
		for _, c := range m.Carried {
			if old, met := got[c.State]; met && old != c.Index {
				t.Errorf("%s: %s has indices %s and %s", name, c.State, old, c.Index)
			}
			got[c.State] = c.Index
		}
		if !reflect.DeepEqual(got, want.index) || m.Causal != want.causal || m.Local != want.local || m.Transport != want.transport {
			t.Errorf("%s: %v, causal %v, local %v, transport %v; expected %+v", name, got, m.Causal, m.Local, m.Transport, want)
		}
	}
	// A sparse recurrent edge still reaches everywhere.
	r := &Rule{Time: Carrier{Mode: Forward}, Edits: []Edit{{From: "rec.z", To: "rec.recurrent", Kind: "random_k", K: 1}}}
	if m := meaning(t, rec, r); m.Local || m.Hops != 5 {
		t.Errorf("random_k(1): local %v, %d hops", m.Local, m.Hops)
	}
}

// someRule draws a rule on the edges of a network.
func someRule(rec *ad.Recurrence) *rapid.Generator[*Rule] {
	var edges []ad.Edge
	for _, e := range rec.Edges() {
		if !strings.Contains(e.From, ".W") {
			edges = append(edges, e)
		}
	}
	return rapid.Custom(func(t *rapid.T) *Rule {
		carrier := rapid.SampledFrom([]Carrier{{Mode: Forward}, {Mode: Reverse}, {Mode: Reverse, Window: 7}, {Mode: None}, {Mode: Reverse, Window: 1}})
		r := &Rule{Format: Format, Name: rapid.StringMatching("[a-z]{0,4}").Draw(t, "name"), Time: carrier.Draw(t, "time")}
		for _, e := range edges {
			x := Edit{From: e.From, To: e.To, Kind: rapid.SampledFrom([]string{"", "", "keep", "drop", "scale", "sign"}).Draw(t, e.To)}
			if x.Kind == "scale" {
				x.Factor = rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "factor")
			}
			if x.Kind != "" {
				r.Edits = append(r.Edits, x)
			}
		}
		for _, s := range rec.States {
			if rapid.Bool().Draw(t, s) {
				if r.States == nil {
					r.States = map[string]Carrier{}
				}
				r.States[s] = carrier.Draw(t, "carrier of "+s)
			}
		}
		return r
	})
}

// TestCanonical: the canonical form is its own canonical form, does not depend on the order of edits, and has the gradient
// of the rule.
func TestCanonical(t *testing.T) {
	rec := recurrence(t, "alif", 2, 3)
	p, err := NewProblem("pattern_generation", Size{Model: "alif", Neurons: 3, Iterations: 1})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := someRule(rec).Draw(t, "rule")
		c := r.Canonical(rec)
		if again := c.Canonical(rec); !reflect.DeepEqual(again, c) {
			t.Fatalf("%s becomes %s, then %s", r.Formula(), c.Formula(), again.Formula())
		}
		mixed := *r
		mixed.Edits = rapid.Permutation(r.Edits).Draw(t, "order")
		if mixed.Key(rec) != r.Key(rec) {
			t.Fatalf("%s depends on the order of its edits", r.Formula())
		}
		// What is written on edges that nothing passes any more does not matter, nor does what changes nothing.
		other := *r
		other.Name, other.Edits = "other", nil
		for _, e := range rec.Edges() {
			if strings.Contains(e.From, ".W") {
				continue
			}
			at := func(e ad.Edge) func(x Edit) bool {
				return func(x Edit) bool { return x.From == e.From && x.To == e.To }
			}(e)
			own, dead := slices.IndexFunc(r.Edits, at), slices.IndexFunc(c.Edits, at)
			switch {
			case own < 0 && dead >= 0:
				other.Edits = append(other.Edits, Edit{From: e.From, To: e.To, Kind: rapid.SampledFrom([]string{"keep", "drop", "sign"}).Draw(t, "dead")})
			case own < 0:
				other.Edits = append(other.Edits, Edit{From: e.From, To: e.To, Kind: "scale", Factor: 1})
			default:
				other.Edits = append(other.Edits, r.Edits[own])
			}
		}
		if other.Key(rec) != r.Key(rec) {
			t.Fatalf("%s and %s are equal; canonical forms %s and %s", r.Formula(), other.Formula(), r.Key(rec), other.Key(rec))
		}
		a, b := lossOf(t, p, r), lossOf(t, p, c)
		if a != b {
			t.Fatalf("%s trains to %v, its canonical form %s to %v", r.Formula(), a, c.Formula(), b)
		}
	})
}

func lossOf(t interface{ Fatal(...any) }, p *Problem, r *Rule) float64 {
	x, err := p.trainer(r)
	if err != nil {
		t.Fatal(err)
	}
	y, err := x.train(3, 0.01, 0)
	if err != nil {
		t.Fatal(err)
	}
	return y.Loss
}

// TestFile: rules survive their files.
func TestFile(t *testing.T) {
	rec := recurrence(t, "alif", 2, 3)
	for _, r := range Ladder(rec) {
		data, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "rule.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Edits) == 0 {
			r.Edits = []Edit{}
		}
		if !reflect.DeepEqual(got, r) {
			t.Errorf("%+v became %+v", r, got)
		}
	}
}

// TestBad: what is wrong is named, with what is expected.
func TestBad(t *testing.T) {
	rec := recurrence(t, "lif", 3, 5)
	for text, want := range map[string]string{
		`{"format":"alphagrad-rule/1","edits":[],"time":"sideways"}`:                                                                                            `carrier "sideways"; expected forward`,
		`{"format":"alphagrad-rule/1","edits":[],"time":"forward(3)"}`:                                                                                          `a window is a number of steps from 1, of reverse`,
		`{"format":"alphagrad-rule/1","edits":[],"time":"reverse(03)"}`:                                                                                         `a window is a number of steps`,
		`{"format":"alphagrad-rule/1","edits":[]}`:                                                                                                              `time is ""`,
		`{"format":"other","edits":[],"time":"none"}`:                                                                                                           `format is "other", expected "alphagrad-rule/1"`,
		`{"format":"alphagrad-rule/1","edits":[],"time":"none","extra":1}`:                                                                                      `unknown field "extra"`,
		`{"format":"alphagrad-rule/1","edits":[{"from":"rec.z","to":"rec.recurrant","kind":"drop"}],"time":"none"}`:                                             `no such edge`,
		`{"format":"alphagrad-rule/1","edits":[{"from":"rec.z","to":"rec.recurrent","kind":"dorp"}],"time":"none"}`:                                             `unknown kind "dorp"; known: diagonal, drop`,
		`{"format":"alphagrad-rule/1","edits":[{"from":"out.s","to":"out.y","kind":"diagonal"}],"time":"forward"}`:                                              `takes values of one shape`,
		`{"format":"alphagrad-rule/1","edits":[{"from":"rec.z","to":"rec.recurrent","kind":"random_k","k":9}],"time":"forward"}`:                                `9 entries a row`,
		`{"format":"alphagrad-rule/1","edits":[{"from":"rec.z","to":"rec.recurrent","kind":"random_k"}],"time":"forward"}`:                                      `expected a number from 1`,
		`{"format":"alphagrad-rule/1","edits":[{"from":"rec.z","to":"rec.reset","kind":"learned"}],"time":"forward"}`:                                           `no weights on this edge`,
		`{"format":"alphagrad-rule/1","edits":[{"from":"rec.z","to":"rec.reset","kind":"drop","factor":2}],"time":"forward"}`:                                   `drop takes no factor`,
		`{"format":"alphagrad-rule/1","edits":[{"from":"rec.z","to":"rec.reset","kind":"drop"},{"from":"rec.z","to":"rec.reset","kind":"sign"}],"time":"none"}`: `is edited twice`,
		`{"format":"alphagrad-rule/1","edits":[],"time":"reverse","reach":2}`:                                                                                   `reach limits what is carried forward`,
		`{"format":"alphagrad-rule/1","edits":[],"time":"forward","states":{"rec.w":"none"}}`:                                                                   `state "rec.w": there is none`,
		`{"format":"alphagrad-rule/1","edits":[],"time":"none"} x`:                                                                                              `more after its end`,
	} {
		r, err := Parse([]byte(text))
		if err == nil {
			_, err = r.Build(rec)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "missing.json")); err == nil {
		t.Error("a file that is not there was read")
	}
}

// FuzzParse: a rule that parses is valid, prints, and parses again to the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"format":"alphagrad-rule/1","edits":[{"from":"rec.z","to":"rec.reset","kind":"leak","factor":0.5}],"time":"reverse(20)","states":{"rec.v":"none"},"order":[1,2]}`))
	f.Add([]byte(`{"format":"alphagrad-rule/1","edits":[],"time":"forward","reach":3,"order":"markowitz"}`))
	f.Add([]byte(`{"format":"alphagrad-rule/1","edits":[{"from":"a","to":"b","kind":"sketch","k":2}],"time":"none","order":[3,1,2]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if err != nil {
			return
		}
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		second, err := again.JSON()
		if err != nil || !bytes.Equal(second, text) || again.Formula() != r.Formula() {
			t.Fatalf("%s became %s, %v", text, second, err)
		}
	})
}
