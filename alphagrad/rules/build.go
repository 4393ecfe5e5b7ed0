package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// A Matrix is one that a rule needs besides the parameters of the network.
type Matrix struct {
	Name  string
	Kind  string // random_k, random, learned or reach
	Shape ir.Shape
	K     int
	Param string // learned: the parameter whose gradient it follows; reach: the recurrent weights that tell who reaches whom
}

// A Build is a rule made ready for a network.
type Build struct {
	Rule     *Rule
	Method   snn.Method
	Matrices []Matrix
}

// Build makes a rule ready for a network, or says what it names that the network lacks or cannot do.
func (r *Rule) Build(rec *ad.Recurrence) (*Build, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	b := &Build{Rule: r, Method: snn.Method{Name: r.Name, Forward: r.forward()}}
	if b.Method.Forward {
		b.Method.Order = r.Order.pick()
	}
	for s := range r.States {
		if !slices.Contains(rec.States, s) {
			return nil, fmt.Errorf("state %q: there is none%s; states: %s", s, ir.Suggest(s, rec.States), strings.Join(rec.States, ", "))
		}
	}
	for _, s := range rec.States {
		switch c := r.Of(s); {
		case c.Mode == None:
			if leaves(rec, s) {
				b.Method.Edits = append(b.Method.Edits, ad.Edit{From: s, To: ad.AllEdges, Kind: "drop"})
			}
		case c.Window > 0:
			if b.Method.Windows == nil {
				b.Method.Windows = map[string]int{}
			}
			b.Method.Windows[s] = c.Window
		}
	}
	for _, e := range r.Edits {
		if err := known(rec, e); err != nil {
			return nil, err
		}
		if err := b.edit(rec, e); err != nil {
			return nil, err
		}
	}
	if r.Reach > 0 {
		b.reach(rec)
	}
	// Deriving the cheap direction finds edges that are not there and edits that do not fit.
	if _, err := rec.Reverse(b.Method.Edits...); err != nil {
		return nil, err
	}
	return b, nil
}

// forward reports whether influences are carried forward; without time in either direction that is the same and cheapest.
func (r *Rule) forward() bool { return r.Causal() }

// leaves reports whether an edge of the step leaves a state.
func leaves(rec *ad.Recurrence, state string) bool {
	for id := range rec.Step.Nodes {
		for _, a := range rec.Step.Nodes[id].Args {
			if n := &rec.Step.Nodes[a]; n.Op == ir.OpInput && n.Name == state {
				return true
			}
		}
	}
	return false
}

func (b *Build) edit(rec *ad.Recurrence, e Edit) error {
	if b.Rule.Of(e.From).Mode == None && slices.Contains(rec.States, e.From) && find(rec.Step, e.From, e.To) != nil {
		return nil // it is gone with all the others
	}
	name := e.From + "→" + e.To
	matrix := Matrix{Name: e.Kind + "(" + name + ")", Kind: e.Kind, K: e.K}
	add := func(kind string, factor float64) {
		x := ad.Edit{From: e.From, To: e.To, Kind: kind, Factor: factor}
		if kind == "mask" || kind == "replace" || kind == "sketch" {
			x.Matrix = matrix.Name
		}
		b.Method.Edits = append(b.Method.Edits, x)
	}
	from, to := shapes(rec, e.From, e.To)
	matrix.Shape = slices.Concat(to, from)
	switch e.Kind {
	case "keep":
		add("scale", 1) // so that the edge is looked for
		return nil
	case "random_k":
		if from != nil && (len(from) != 1 || e.K > from[0]) {
			return fmt.Errorf("edit of %s: %d entries a row of a Jacobian by %v values", name, e.K, from)
		}
		add("mask", 0)
	case "random":
		add("replace", 0)
	case "learned":
		for _, p := range []*ir.Program{rec.Step, rec.Loss, rec.End} {
			if n := find(p, e.From, e.To); n != nil {
				for _, a := range n.Args {
					if w := p.Nodes[a].Name; slices.Contains(rec.Params, w) && p.Nodes[a].Shape.Equal(matrix.Shape) && w != e.From {
						matrix.Param = w
					}
				}
			}
		}
		if matrix.Param == "" && from != nil {
			return fmt.Errorf("edit of %s: no weights on this edge that a matrix could learn from", name)
		}
		add("replace", 0)
	case "sketch":
		add("sketch", float64(e.K))
		b.Method.Fresh = append(b.Method.Fresh, matrix.Name)
		return nil
	default:
		add(e.Kind, e.Factor)
		return nil
	}
	b.Matrices = append(b.Matrices, matrix)
	return nil
}

// known reports an edit of an edge that no program has, with the nearest one there is.
func known(rec *ad.Recurrence, e Edit) error {
	name := e.From + "→" + e.To
	for _, p := range []*ir.Program{rec.Step, rec.Loss, rec.End} {
		if p == nil {
			continue
		}
		names := p.DisplayNames()
		for id := range p.Nodes {
			for _, a := range p.Nodes[id].Args {
				if names[a] == e.From && names[id] == e.To {
					return nil
				}
			}
		}
	}
	var all, sharing []string
	for _, x := range rec.Edges() {
		all = append(all, x.From+"→"+x.To)
		if x.From == e.From || x.To == e.To {
			sharing = append(sharing, x.From+"→"+x.To)
		}
	}
	near := ir.Suggest(name, sharing)
	if near == "" {
		near = ir.Suggest(name, all)
	}
	switch {
	case near == "" && sharing != nil:
		near = "; near it: " + strings.Join(sharing, ", ")
	case near == "":
		near = "; the network has " + strings.Join(all, ", ")
	}
	return fmt.Errorf("edit of %s: there is no such edge%s", name, near)
}

// find is the node to with from among its arguments, nil if there is no such edge.
func find(p *ir.Program, from, to string) *ir.Node {
	if p == nil {
		return nil
	}
	for id := range p.Nodes {
		if n := &p.Nodes[id]; n.Name == to {
			for _, a := range n.Args {
				if p.Nodes[a].Name == from {
					return n
				}
			}
		}
	}
	return nil
}

// shapes are those of the ends of an edge, nil if it is not there.
func shapes(rec *ad.Recurrence, from, to string) (f, t ir.Shape) {
	for _, p := range []*ir.Program{rec.Step, rec.Loss, rec.End} {
		if n := find(p, from, to); n != nil {
			for _, a := range n.Args {
				if p.Nodes[a].Name == from {
					return p.Nodes[a].Shape, n.Shape
				}
			}
		}
	}
	return nil, nil
}

// layerOf is the layer of a state or weight: what stands before the point, the last layer for the filter of the readout.
func layerOf(rec *ad.Recurrence, name string) string {
	if name == snn.ReadoutState {
		for _, p := range slices.Backward(rec.Params) {
			if l, _, _ := strings.Cut(p, "."); l != "out" {
				return l
			}
		}
	}
	l, _, _ := strings.Cut(name, ".")
	return l
}

// reach masks the influences within every layer.
func (b *Build) reach(rec *ad.Recurrence) {
	for _, s := range rec.States {
		layer := layerOf(rec, s)
		name := "reach(" + layer + ")"
		for _, p := range rec.Params {
			if !strings.HasPrefix(p, layer+".") {
				continue
			}
			b.Method.Masks = append(b.Method.Masks, ad.InfluenceMask{State: s, Param: p, Matrix: name})
		}
		n := rec.Shape(s)[0]
		if m := (Matrix{Name: name, Kind: "reach", K: b.Rule.Reach, Shape: ir.Shape{n, n}, Param: layer + ".W_rec"}); !slices.ContainsFunc(b.Matrices, func(x Matrix) bool { return x.Name == name }) {
			b.Matrices = append(b.Matrices, m)
		}
	}
}

// Draw adds the rule's matrices to the parameters of a network. Random matrices are normal with variance 1/fan-in, as
// weights are.
func (b *Build) Draw(shared snn.Values, seed runs.Seed) {
	b.Method.Seed = uint64(seed.Sub("fresh"))
	for _, m := range b.Matrices {
		rnd := seed.Sub(m.Name).Rand()
		v := make([]float64, m.Shape.Size())
		cols := m.Shape[len(m.Shape)-1]
		switch m.Kind {
		case "random", "learned":
			for i := range v {
				v[i] = rnd.NormFloat64() / math.Sqrt(float64(cols))
			}
		case "random_k":
			for row := range len(v) / cols {
				chosen := rnd.Perm(cols)
				if cols*cols == len(v) && m.K < cols { // between units: none is its own neighbour
					chosen = slices.DeleteFunc(chosen, func(c int) bool { return c == row })
				}
				for _, c := range chosen[:m.K] {
					v[row*cols+c] = 1
				}
			}
		case "reach":
			copy(v, reachWithin(shared[m.Param], cols, m.K))
		}
		shared[m.Name] = v
	}
}

// reachWithin is 1 where unit k is reached from unit j within n−1 synapses.
func reachWithin(weights []float64, units, n int) []float64 {
	reach := make([]float64, units*units)
	for j := range units {
		reach[j*units+j] = 1
	}
	for range min(n-1, units) {
		next := slices.Clone(reach)
		for k := range units {
			for l := range units {
				if len(weights) == 0 || weights[k*units+l] == 0 {
					continue
				}
				for j := range units {
					if reach[l*units+j] == 1 {
						next[k*units+j] = 1
					}
				}
			}
		}
		reach = next
	}
	return reach
}
