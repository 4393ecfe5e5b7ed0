package rules

import (
	"maps"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Canonical is the one form of all rules that compute the same by the same means on a network: edits that change nothing
// are left out, edges that no path from a parameter to a loss can use any more are dropped, and what remains is sorted.
// The name is left out.
func (r *Rule) Canonical(rec *ad.Recurrence) *Rule {
	c := &Rule{Format: Format, Time: r.Time, Reach: r.Reach}
	if r.Causal() && !r.Order.IsZero() {
		c.Order = r.Order
	}
	by := map[[2]string]Edit{}
	for _, e := range r.Edits {
		switch {
		case e.Kind == "keep" || e.Kind == "scale" && e.Factor == 1:
			continue
		case (e.Kind == "scale" || e.Kind == "leak") && e.Factor == 0:
			e = Edit{From: e.From, To: e.To, Kind: "drop"}
		}
		by[[2]string{e.From, e.To}] = e
	}
	g := unroll(rec)
	dropped := func(from, to string, state bool) bool {
		return by[[2]string{from, to}].Kind == "drop" || state && r.Of(from).Mode == None
	}
	live := g.live(dropped)
	for _, e := range rec.Edges() {
		at := [2]string{e.From, e.To}
		if !slices.Contains(rec.Params, e.From) && !live[at] {
			by[at] = Edit{From: e.From, To: e.To, Kind: "drop"}
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(by), func(a, b [2]string) int { return strings.Compare(a[0]+"\x00"+a[1], b[0]+"\x00"+b[1]) }) {
		c.Edits = append(c.Edits, by[at])
	}
	// A state all of whose edges are dead carries nothing, whatever it says; those that differ from the rest are named.
	carrier := map[string]Carrier{}
	for _, s := range rec.States {
		if !g.alive(s, live) {
			continue
		}
		carrier[s] = r.Of(s)
	}
	count := map[Carrier]int{}
	for _, x := range carrier {
		count[x]++
	}
	c.Time = Carrier{Mode: None}
	for _, x := range slices.SortedFunc(maps.Keys(count), func(a, b Carrier) int { return strings.Compare(a.String(), b.String()) }) {
		if count[x] > count[c.Time] {
			c.Time = x
		}
	}
	for s, x := range carrier {
		if x != c.Time {
			if c.States == nil {
				c.States = map[string]Carrier{}
			}
			c.States[s] = x
		}
	}
	return c
}

// Key identifies the canonical form.
func (r *Rule) Key(rec *ad.Recurrence) string {
	return r.Canonical(rec).Formula()
}

// GradientKey identifies rules that compute the same gradient, at whatever cost: an unlimited window in reverse is the same
// as influences carried forward.
func (r *Rule) GradientKey(rec *ad.Recurrence) string {
	c := r.Canonical(rec)
	same := func(x Carrier) Carrier {
		if x.Mode == Forward {
			x.Mode = Reverse
		}
		return x
	}
	d := &Rule{Edits: c.Edits, Time: same(c.Time), Reach: c.Reach, States: map[string]Carrier{}}
	for s, x := range c.States {
		if x = same(x); x != d.Time {
			d.States[s] = x
		}
	}
	return d.Formula()
}

// An unrolled graph is the step and the losses with edges from the states after a step to those before the next.
type unrolled struct {
	edges [][2]int // between nodes
	named map[[2]int][2]string
	state map[int]bool // node is a state before the step
	name  []string
	roots []int // parameters
	goals []int // losses
}

func unroll(rec *ad.Recurrence) *unrolled {
	g := &unrolled{named: map[[2]int][2]string{}, state: map[int]bool{}}
	var after map[string]int // outputs of the step
	before := map[string]int{}
	for _, p := range []*ir.Program{rec.Step, rec.Loss, rec.End} {
		if p == nil {
			continue
		}
		base := len(g.name)
		for id := range p.Nodes {
			n := &p.Nodes[id]
			g.name = append(g.name, n.Name)
			w := base + id
			if n.Op == ir.OpInput {
				switch {
				case slices.Contains(rec.Params, n.Name):
					g.roots = append(g.roots, w)
				case p == rec.Step && slices.Contains(rec.States, n.Name):
					g.state[w], before[n.Name] = true, w
				case p != rec.Step:
					if u, ok := after[n.Name]; ok {
						g.edges = append(g.edges, [2]int{u, w})
					}
				}
			}
			for _, a := range n.Args {
				e := [2]int{base + int(a), w}
				g.edges = append(g.edges, e)
				if n.Name != "" && p.Nodes[a].Name != "" {
					g.named[e] = [2]string{p.Nodes[a].Name, n.Name}
				}
			}
		}
		if p == rec.Step {
			after = map[string]int{}
			for _, o := range p.Outputs {
				after[o.Name] = int(o.Node)
			}
			for s, w := range before {
				if u, ok := after[s]; ok {
					g.edges = append(g.edges, [2]int{u, w})
				}
			}
		} else {
			g.goals = append(g.goals, base+int(p.Outputs[0].Node))
		}
	}
	return g
}

// live marks the named edges, and the nodes that are states, on some path from a parameter to a loss.
func (g *unrolled) live(dropped func(from, to string, state bool) bool) map[[2]string]bool {
	open := func(e [2]int) bool {
		at, named := g.named[e]
		if !named {
			return !(g.state[e[0]] && dropped(g.name[e[0]], "", true))
		}
		return !dropped(at[0], at[1], g.state[e[0]])
	}
	spread := func(from []int, tail, head int) []bool {
		met := make([]bool, len(g.name))
		for _, n := range from {
			met[n] = true
		}
		for changed := true; changed; {
			changed = false
			for _, e := range g.edges {
				if met[e[tail]] && !met[e[head]] && open(e) {
					met[e[head]], changed = true, true
				}
			}
		}
		return met
	}
	down, up := spread(g.roots, 0, 1), spread(g.goals, 1, 0)
	live := map[[2]string]bool{}
	for _, e := range g.edges {
		if down[e[0]] && up[e[1]] && open(e) {
			if at, named := g.named[e]; named {
				live[at] = true
			}
			if g.state[e[0]] {
				live[[2]string{g.name[e[0]], ""}] = true
			}
		}
	}
	return live
}

// alive reports whether an edge of a state before the step is live.
func (g *unrolled) alive(state string, live map[[2]string]bool) bool {
	return live[[2]string{state, ""}]
}
