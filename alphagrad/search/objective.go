package search

import (
	"fmt"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// An Objective names what a search makes small. Objectives lists them.
type Objective string

// The objectives.
const (
	Muls Objective = "muls" // multiplications, the published measure: every product of edges counts
	Ops  Objective = "ops"  // multiplications and additions that remain once factors ±1 cost nothing
)

// An objective is a row of the table of objectives. To add one, add a row: nothing else looks at names.
type objective struct {
	name  Objective
	about string
	units bool // whether the price depends on unit edges
	// price is what eliminating a vertex adds, given its predecessors and successors at that moment: all of
	// them, and those not joined by a unit edge. Up to a constant of the graph its sum over an order must be
	// what replay returns.
	price func(p, s, np, ns int) int64
	// local is price in a state.
	local func(s *elim.State, vertex int) int64
	// step is the exact cost of eliminating a vertex in a state, and spent the sum of those so far.
	step  func(s *elim.State, vertex int) int64
	spent func(s *elim.State) int64
	// replay is the exact cost of an order, from the untouched graph.
	replay func(g *elim.Graph, order []int) (int64, error)
	// bounded says that the minimum-cut bound is one for this objective.
	bounded bool
}

var objectives = []objective{
	{
		name:    Muls,
		about:   "multiplications, every product of two edges counted",
		price:   func(p, s, _, _ int) int64 { return int64(p) * int64(s) },
		local:   func(s *elim.State, v int) int64 { return int64(s.Cost(v)) },
		step:    func(s *elim.State, v int) int64 { return int64(s.Cost(v)) },
		spent:   func(s *elim.State) int64 { return s.Muls() },
		replay:  func(g *elim.Graph, order []int) (int64, error) { return g.Muls(order) },
		bounded: true,
	},
	{
		name:  Ops,
		about: "multiplications and additions, factors +1 and -1 free",
		units: true,
		// Of the p·s products each either creates an edge or is added to one. Every edge there ever is, is
		// removed with its end that is eliminated first or remains in the Jacobian, so the edges created are
		// Σ (p+s) plus the edges of the Jacobian less those given: additions are Σ (p·s − p − s) plus a
		// constant.
		price:  func(p, s, np, ns int) int64 { return int64(np)*int64(ns) + int64(p)*int64(s) - int64(p) - int64(s) },
		local:  func(s *elim.State, v int) int64 { return s.OpsCost(v).Mul + growth(s, v) },
		step:   func(s *elim.State, v int) int64 { return s.OpsCost(v).Total() },
		spent:  func(s *elim.State) int64 { return s.Ops().Total() },
		replay: func(g *elim.Graph, order []int) (int64, error) { ops, err := g.Ops(order); return ops.Total(), err },
	},
}

// growth is the number of edges eliminating a vertex creates, if every product creates one, less those it
// removes.
func growth(s *elim.State, vertex int) int64 {
	v := s.Graph().Node(vertex)
	p, n := int64(s.PredCount(v)), int64(s.SuccCount(v))
	return p*n - p - n
}

// Objectives lists the known objectives and a line about each.
func Objectives() map[Objective]string {
	all := map[Objective]string{}
	for _, o := range objectives {
		all[o.name] = o.about
	}
	return all
}

func lookupObjective(name Objective) (*objective, error) {
	var known []string
	for i := range objectives {
		if objectives[i].name == name {
			return &objectives[i], nil
		}
		known = append(known, string(objectives[i].name))
	}
	return nil, fmt.Errorf("unknown objective %q: known are %s", name, strings.Join(known, ", "))
}

// state returns a state that can answer step.
func (o *objective) state(g *elim.Graph) *elim.State {
	if o.units {
		return elim.NewOpsState(g)
	}
	return elim.NewState(g)
}
