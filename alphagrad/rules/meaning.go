package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// An Index is what a tensor that a rule carries is indexed by.
type Index string

// The indices, the local ones first.
const (
	Broadcast Index = "broadcast" // one number for all
	Pre       Index = "pre"       // the unit before a synapse
	Post      Index = "post"      // the unit after a synapse
	Synapse   Index = "synapse"   // both
	Elsewhere Index = "elsewhere" // also a unit that is at neither end of the synapse
	History   Index = "history"   // a unit and a step: states stored for the way back
)

// Local reports whether a synapse can hold it.
func (i Index) Local() bool { return i == Broadcast || i == Pre || i == Post || i == Synapse }

// A Carried tensor is one that a rule keeps from step to step besides the states of the network.
type Carried struct {
	State     string `json:"state"`
	Param     string `json:"param,omitempty"`
	Structure string `json:"structure"`
	Elements  int64  `json:"elements"`
	Index     Index  `json:"index"`
}

// Meaning is what a rule costs and needs, read off the programs that it becomes for a network.
type Meaning struct {
	Cost    int64     `json:"cost"`   // multiplications in a step, the step itself included
	Memory  int64     `json:"memory"` // numbers kept from step to step, besides the states
	Carried []Carried `json:"carried"`
	Order   []int     `json:"order,omitempty"` // of elimination; forward only
	// Causal: nothing is carried back in time. Local: causal, and every tensor carried has only the indices of a synapse or is
	// a broadcast.
	Causal bool `json:"causal"`
	Local  bool `json:"local"`
	// Hops bounds how many synapses away from the one that learns information comes, besides the error that is broadcast; the
	// number of units stands for no bound.
	Hops int `json:"hops"`
	// Signals are the errors that reach neurons from the readout: broadcast through which weights.
	Signals []string `json:"signals"`
	// Transport: a neuron needs the weights of other neurons' synapses to weigh the error, as in symmetric feedback.
	Transport bool `json:"transport"`
}

// Synaptic reports whether a rule is one that a synapse could follow: local, without hops.
func (m *Meaning) Synaptic() bool { return m.Local && m.Hops == 0 }

// Meaning reads off what the rule costs and needs for a network and sequences of so many steps.
func (b *Build) Meaning(rec *ad.Recurrence, steps int) (*Meaning, error) {
	m := &Meaning{Causal: b.Rule.Causal()}
	carrier, err := rec.ForwardOrdered(b.Method.Order, b.Method.Masks, b.Method.Edits...)
	if err != nil {
		return nil, err
	}
	units := 0
	for _, s := range rec.States {
		units = max(units, rec.Shape(s).Size())
	}
	spread := false // some influence leaves its unit
	for _, i := range carrier.Carried {
		for _, t := range i.Terms {
			c := Carried{State: i.State, Param: i.Param, Structure: t.String(), Elements: t.Elements(), Index: indexOf(t, layerOf(rec, i.State) == layerOf(rec, i.Param))}
			spread = spread || !c.Index.Local()
			if b.Method.Forward {
				m.Carried = append(m.Carried, c)
			}
		}
	}
	if b.Method.Forward {
		n, err := ir.Count(carrier.Step)
		if err != nil {
			return nil, err
		}
		m.Cost, m.Memory, m.Order = n.Mul, carrier.Elements(), carrier.Order
	} else if err := m.history(rec, b, steps); err != nil {
		return nil, err
	}
	m.Local = m.Causal && !spread
	if spread {
		m.Hops = units
		if b.Rule.Reach > 0 {
			m.Hops = min(units, b.Rule.Reach-1)
		}
		if !m.Causal {
			m.Hops = min(m.Hops, longest(b.Rule, rec, steps))
		}
	}
	m.signals(rec, b)
	return m, nil
}

// longest is the most steps that anything is carried over.
func longest(r *Rule, rec *ad.Recurrence, steps int) (n int) {
	for _, s := range rec.States {
		switch c := r.Of(s); {
		case c.Mode == None:
		case c.Window > 0:
			n = max(n, min(c.Window, steps)-1)
		default:
			n = steps - 1
		}
	}
	return n
}

// history is the cost of the way back: states of the window are stored and every step is computed once more.
func (m *Meaning) history(rec *ad.Recurrence, b *Build, steps int) error {
	primal, err := rec.Primal()
	if err != nil {
		return err
	}
	back, err := rec.Reverse(b.Method.Edits...)
	if err != nil {
		return err
	}
	for _, p := range []*ir.Program{primal, back} {
		n, err := ir.Count(p)
		if err != nil {
			return err
		}
		m.Cost += n.Mul
	}
	window := longest(b.Rule, rec, steps) + 1
	for _, s := range rec.States {
		n := int64(rec.Shape(s).Size() * window)
		m.Memory += n
		m.Carried = append(m.Carried, Carried{State: s, Structure: fmt.Sprintf("%d steps", window), Elements: n, Index: History})
	}
	return nil
}

// indexOf says what the influence of a parameter on a state is indexed by. The first axis of a parameter of the same layer
// is the unit after the synapse, its second one the unit before.
func indexOf(t *structure.Term, sameLayer bool) Index {
	has := func(axes []structure.Axis, l int) bool {
		return slices.ContainsFunc(axes, func(a structure.Axis) bool { return slices.Contains(a.Labels, l) })
	}
	post, pre := false, false
	for _, l := range t.Value {
		switch {
		case len(t.In) > 0 && has(t.In[:1], l):
			post = true
		case has(t.In, l):
			pre = true
		default:
			return Elsewhere // a unit that is at neither end
		}
		if has(t.Out, l) && !(sameLayer && len(t.In) > 0 && has(t.In[:1], l)) {
			return Elsewhere
		}
	}
	// Where the influence is on more units than the one after the synapse, it is not local even if it is the same on all.
	if len(t.In) > 0 && len(t.Out) > 0 && !slices.Equal(t.Out[0].Labels, t.In[0].Labels) {
		return Elsewhere
	}
	switch {
	case post && pre:
		return Synapse
	case post:
		return Post
	case pre:
		return Pre
	}
	return Broadcast
}

// signals finds how the error of the readout reaches the states that it reads.
func (m *Meaning) signals(rec *ad.Recurrence, b *Build) {
	if rec.Loss == nil {
		return
	}
	for id := range rec.Loss.Nodes {
		n := &rec.Loss.Nodes[id]
		for _, a := range n.Args {
			from := &rec.Loss.Nodes[a]
			if n.Name == "" || !slices.Contains(rec.States, from.Name) {
				continue
			}
			through := "its own weights"
			learned := slices.ContainsFunc(n.Args, func(a ir.ID) bool { return slices.Contains(rec.Params, rec.Loss.Nodes[a].Name) })
			if !learned {
				through = "fixed weights"
			}
			for _, e := range b.Rule.Edits {
				if e.From == from.Name && e.To == n.Name && e.Kind != "keep" {
					through = kinds[e.Kind].doc
				}
			}
			switch through {
			case kinds["drop"].doc:
				continue
			case kinds["random"].doc, kinds["learned"].doc:
			default:
				m.Transport = m.Transport || learned
			}
			m.Signals = append(m.Signals, fmt.Sprintf("%s→%s through %s", n.Name, from.Name, through))
		}
	}
}

// Update prints how a weight changes, from what is carried: one factor for each tensor.
func (m *Meaning) Update() string {
	if !m.Causal {
		return "ΔW = Σ_t, backward in time, adjoint(t) × input(t)"
	}
	var parts []string
	seen := map[string]bool{}
	for _, c := range m.Carried {
		index := map[Index]string{Pre: "_i", Post: "_j", Synapse: "_ji", Elsewhere: "_k,ji", Broadcast: ""}[c.Index]
		name := "ε[" + c.State[strings.LastIndex(c.State, ".")+1:] + "]" + index
		if !seen[name] {
			seen[name] = true
			parts = append(parts, name)
		}
	}
	if len(parts) == 0 {
		parts = []string{"what this step brings"}
	}
	if len(m.Signals) == 0 {
		return "ΔW = 0 but for the readout"
	}
	return "ΔW_ji = Σ_t L_j(t) × e_ji, from " + strings.Join(parts, ", ")
}

// ReadoutEdge is the edge from what the readout reads to its value.
func ReadoutEdge() (from, to string) { return snn.ReadoutState, snn.ReadoutValue }

// errTargets is what a task without targets gets.
var errTargets = errors.New("it has no targets: there is no error to learn from")
