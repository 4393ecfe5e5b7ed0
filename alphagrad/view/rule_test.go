package view_test

import (
	"bytes"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

// TestRule draws published rules and others: every named edge of the step and its loss is there, edges without a derivative
// are red, those with another one blue and named, and no others are coloured.
func TestRule(t *testing.T) {
	side := []float64{1, 2, 3}
	for name, net := range map[string]*snn.Network{
		"one layer": {Inputs: 2, Layers: []snn.Layer{{Name: "rec", Model: "alif", Size: 3, Recurrent: true}}, Readout: snn.Readout{Size: 1, Tau: 20}, Loss: snn.SquaredError},
		"two layers": {Inputs: 2, Layers: []snn.Layer{{Name: "a", Model: "lif", Size: 3, Recurrent: true, Local: side, Direct: side}, {Name: "b", Model: "lif", Size: 3, Local: side}},
			Readout: snn.Readout{Size: 1, Tau: 20}, Loss: snn.SquaredError},
	} {
		rec, err := net.Recurrence()
		if err != nil {
			t.Fatal(err)
		}
		list := rules.Ladder(rec)
		last := net.Layers[len(net.Layers)-1].Name
		list = append(list,
			&rules.Rule{Name: "leak", Time: rules.Carrier{Mode: rules.Forward}, Edits: []rules.Edit{{From: last + ".v", To: last + ".leak", Kind: "leak", Factor: 0.5}}},
			&rules.Rule{Name: "no time in the voltage", Time: rules.Carrier{Mode: rules.Forward}, States: map[string]rules.Carrier{last + ".v": {Mode: rules.None}}})
		for _, r := range list {
			want := map[[2]string]rules.Edit{}
			for _, e := range r.Canonical(rec).Edits {
				want[[2]string{e.From, e.To}] = e
			}
			f := view.Rule(rec, r)
			drawn := map[[2]string]report.Edge{}
			for _, e := range f.Graph.Edges {
				drawn[[2]string{e.From, e.To}] = e
			}
			// States after the step are drawn by the names of their nodes, those before by their own.
			after := map[string]string{}
			for _, o := range rec.Step.Outputs {
				after[o.Name] = rec.Step.Nodes[o.Node].Name
			}
			coloured := 0
			for _, e := range rec.Edges() {
				at := [2]string{e.From, e.To}
				if n := after[e.From]; n != "" && e.Program != rec.Step.Name {
					at[0] = n
				}
				got, ok := drawn[at]
				if !ok {
					t.Errorf("%s, %s: no edge %s→%s", name, r.Name, at[0], at[1])
					continue
				}
				style, label := report.NormalEdge, ""
				if x, edited := want[[2]string{e.From, e.To}]; edited {
					if style = report.RemovedEdge; x.Kind != "drop" {
						style, label = report.UpdatedEdge, x.Kind
					}
					coloured++
				}
				if got.Style != style || got.Label != label {
					t.Errorf("%s, %s: edge %s→%s has style %d and label %q, expected %d and %q", name, r.Name, at[0], at[1], got.Style, got.Label, style, label)
				}
			}
			all := 0
			for _, e := range f.Graph.Edges {
				if e.Style != report.NormalEdge {
					all++
				}
			}
			if all != coloured || coloured != len(want) {
				t.Errorf("%s, %s: %d edges are coloured, %d of them known, expected %d", name, r.Name, all, coloured, len(want))
			}
			svg, err := report.SVG(f)
			if err != nil || !bytes.Contains(svg, []byte("<svg")) {
				t.Errorf("%s, %s: %v", name, r.Name, err)
			}
		}
	}
}
