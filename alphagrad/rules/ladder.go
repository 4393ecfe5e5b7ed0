package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// A Rung is a published rule as data for a network.
type Rung struct {
	Name, Source string
	make         func(rec *ad.Recurrence) *Rule
}

// ladder holds one row a rule.
var ladder = []Rung{
	{"bptt", "backpropagation through time (Werbos 1990)", func(*ad.Recurrence) *Rule { return &Rule{Time: Carrier{Mode: Reverse}} }},
	{"tbptt(10)", "truncated backpropagation through time (Williams & Peng 1990)", func(*ad.Recurrence) *Rule { return &Rule{Time: Carrier{Mode: Reverse, Window: 10}} }},
	{"tbptt(30)", "truncated backpropagation through time (Williams & Peng 1990)", func(*ad.Recurrence) *Rule { return &Rule{Time: Carrier{Mode: Reverse, Window: 30}} }},
	{"rtrl", "real-time recurrent learning (Williams & Zipser 1989)", func(*ad.Recurrence) *Rule { return &Rule{Time: Carrier{Mode: Forward}} }},
	{"snap-1", "influence of a synapse on its own unit only (Menick et al. 2021)", func(rec *ad.Recurrence) *Rule { return forward(between(rec, "diagonal")) }},
	{"snap-2", "influence within two steps (Menick et al. 2021); on a network where all reach all it is RTRL", func(*ad.Recurrence) *Rule { return &Rule{Time: Carrier{Mode: Forward}, Reach: 2} }},
	{"e-prop symmetric", "Bellec et al. 2020", func(rec *ad.Recurrence) *Rule { return forward(eprop(rec)) }},
	{"e-prop random", "Bellec et al. 2020", func(rec *ad.Recurrence) *Rule { return forward(append(eprop(rec), readout("random"))) }},
	{"e-prop adaptive", "Bellec et al. 2020", func(rec *ad.Recurrence) *Rule { return forward(append(eprop(rec), readout("learned"))) }},
	{"rflo", "random feedback local online learning (Murray 2019): no recurrent Jacobian, random feedback, no filter at the readout", func(rec *ad.Recurrence) *Rule {
		return forward(append(eprop(rec), readout("random"), Edit{From: snn.ReadoutState, To: "out.leak", Kind: "drop"}))
	}},
	{"ottt", "online training through time (Xiao et al. 2022): a presynaptic trace times the error of the moment", func(rec *ad.Recurrence) *Rule {
		edits := append(eprop(rec), Edit{From: snn.ReadoutState, To: "out.leak", Kind: "drop"})
		for _, e := range rec.Edges() { // no derivative through what adapts
			if layer, ok := strings.CutSuffix(e.To, ".a'"); ok && e.From == layer+".z" {
				edits = append(edits, Edit{From: e.From, To: e.To, Kind: "drop"})
			}
			if strings.HasSuffix(e.To, ".raised") {
				edits = append(edits, Edit{From: e.From, To: e.To, Kind: "drop"})
			}
		}
		return forward(edits)
	}},
	{"direct feedback", "direct feedback alignment (Nøkland 2016) with traces: no derivative between layers or units, the error of the readout through fixed random weights", func(rec *ad.Recurrence) *Rule {
		return forward(slices.Concat(eprop(rec), across(rec), []Edit{readout("random")}, sides(rec, "direct")))
	}},
	{"feedback of the moment", "random feedback for the error of a step, nothing carried through time", func(*ad.Recurrence) *Rule {
		return &Rule{Time: Carrier{Mode: None}, Edits: []Edit{readout("random")}}
	}},
	{"local losses", "DECOLLE (Kaiser et al. 2020): no derivative between layers or units, a fixed random readout with a loss of its own for every layer", func(rec *ad.Recurrence) *Rule {
		edits := slices.Concat(eprop(rec), across(rec), sides(rec, "local"))
		if len(sides(rec, "local")) == 0 {
			return nil
		}
		for _, e := range rec.Edges() { // the error of the moment meets the trace of the moment, in every layer
			if _, port, _ := strings.Cut(e.To, "."); port == "filter" {
				edits = append(edits, Edit{From: e.From, To: e.To, Kind: "drop"})
			}
		}
		return forward(append(edits, readout("drop"), Edit{From: snn.ReadoutState, To: "out.leak", Kind: "drop"}))
	}},
	{"readout only", "nothing but the readout learns", func(rec *ad.Recurrence) *Rule {
		return &Rule{Time: Carrier{Mode: None}, Edits: []Edit{readout("drop")}}
	}},
}

// Ladder is the published rules that a network has the parts for, with their names.
func Ladder(rec *ad.Recurrence) (list []*Rule) {
	for i := range ladder {
		if rule := ladder[i].build(rec); rule != nil {
			list = append(list, rule)
		}
	}
	return list
}

func (r *Rung) build(rec *ad.Recurrence) *Rule {
	rule := r.make(rec)
	if rule == nil {
		return nil
	}
	rule.Format, rule.Name = Format, r.Name
	rule.Edits = append(rule.Edits, withoutSides(rec, rule.Edits)...)
	rule.Edits = slices.DeleteFunc(rule.Edits, func(e Edit) bool { f, _ := shapes(rec, e.From, e.To); return f == nil })
	return rule
}

// LadderRule is the published rule of a name; tbptt(K) and snap-n exist for every number.
func LadderRule(rec *ad.Recurrence, name string) (*Rule, error) {
	if r := numbered(name); r != nil {
		return r.build(rec), nil
	}
	var names []string
	for i := range ladder {
		if ladder[i].Name == name {
			if rule := ladder[i].build(rec); rule != nil {
				return rule, nil
			}
			return nil, fmt.Errorf("rule %q needs layers with readouts of their own", name)
		}
		names = append(names, ladder[i].Name)
	}
	return nil, fmt.Errorf("unknown rule %q; known: %s", name, strings.Join(names, ", "))
}

// numbered is a rule with a number in its name that the ladder does not hold, nil if it is none.
func numbered(name string) *Rung {
	if slices.ContainsFunc(ladder, func(r Rung) bool { return r.Name == name }) {
		return nil
	}
	of := func(format string) (k int, ok bool) {
		_, err := fmt.Sscanf(name, format, &k)
		return k, err == nil && k > 1 && name == fmt.Sprintf(format, k)
	}
	var rule Rule
	if k, ok := of("tbptt(%d)"); ok {
		rule.Time = Carrier{Mode: Reverse, Window: k}
	} else if k, ok := of("snap-%d"); ok {
		rule.Time, rule.Reach = Carrier{Mode: Forward}, k
	} else {
		return nil
	}
	return &Rung{Name: name, make: func(*ad.Recurrence) *Rule { return &rule }}
}

// Rungs lists the names of the published rules with their sources.
func Rungs() (list []Rung) { return slices.Clone(ladder) }

func forward(edits []Edit) *Rule { return &Rule{Time: Carrier{Mode: Forward}, Edits: edits} }

// eprop drops the edges through which spikes of the step before come back.
func eprop(rec *ad.Recurrence) (edits []Edit) {
	for _, e := range slices.Concat(snn.Drop(rec, "recurrent"), snn.Drop(rec, "reset")) {
		edits = append(edits, Edit{From: e.From, To: e.To, Kind: "drop"})
	}
	return edits
}

// between edits the edges through recurrent weights.
func between(rec *ad.Recurrence, kind string) (edits []Edit) {
	for _, e := range snn.Drop(rec, "recurrent") {
		edits = append(edits, Edit{From: e.From, To: e.To, Kind: kind})
	}
	return edits
}

// across drops the edges from one layer to the next.
func across(rec *ad.Recurrence) (edits []Edit) {
	for _, e := range rec.Edges() {
		from, _, _ := strings.Cut(e.From, ".")
		to, port, _ := strings.Cut(e.To, ".")
		if port == "in" && from != to && !slices.Contains(rec.Params, e.From) {
			edits = append(edits, Edit{From: e.From, To: e.To, Kind: "drop"})
		}
	}
	return edits
}

// sides keeps the paths of a kind, local or direct, from layers to readouts of their own.
func sides(rec *ad.Recurrence, kind string) (edits []Edit) {
	for _, e := range rec.Edges() {
		if _, port, _ := strings.Cut(e.To, "."); port == kind {
			edits = append(edits, Edit{From: e.From, To: e.To, Kind: "keep"})
		}
	}
	return edits
}

// withoutSides drops the paths to readouts of their own that are not kept: they are no part of the loss.
func withoutSides(rec *ad.Recurrence, kept []Edit) (edits []Edit) {
	for _, e := range slices.Concat(sides(rec, "local"), sides(rec, "direct")) {
		if !slices.Contains(kept, e) {
			e.Kind = "drop"
			edits = append(edits, e)
		}
	}
	return edits
}

func readout(kind string) Edit {
	return Edit{From: snn.ReadoutState, To: snn.ReadoutValue, Kind: kind}
}
