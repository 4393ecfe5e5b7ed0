package game

import (
	"fmt"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// An Objective is what a game makes small. The zero value stands for Muls.
type Objective struct {
	name string
	// Of the two, a dense objective has spent, the cost of the eliminations of a state so far, and one known at the
	// end has final, the cost of a complete order.
	spent func(s *elim.State) int64
	final func(order []int) (float64, error)
	units bool      // whether spent needs a state that tracks operations
	safe  Reduction // the reductions proved for it
}

// The dense objectives: every move is paid for at once.
var (
	// Muls counts multiplications, every product of two edges, as published.
	Muls = Objective{name: "muls", spent: (*elim.State).Muls, safe: All}
	// Ops counts multiplications and additions, products with a factor ±1 being free.
	Ops = Objective{name: "ops", spent: func(s *elim.State) int64 { return s.Ops().Total() }, units: true, safe: All}
)

// dense lists the objectives that have a name of their own. A new one adds a row.
var dense = []Objective{Muls, Ops}

// AtEnd is an objective known only for a complete order, such as memory or measured time: all rewards are 0 but the
// last, which is minus the cost. No reduction is proved for it.
//
// The rewards of a game are a function of its moves, also where measuring twice gives two numbers: a game asks once
// for each order it meets and remembers the answer. When cost fails the reward is NaN and [Game.Err] says why.
func AtEnd(name string, cost func(order []int) (float64, error)) Objective {
	return Objective{name: name, final: cost}
}

// LookupObjective finds a dense objective by its name, muls or ops.
func LookupObjective(name string) (Objective, error) {
	var known []string
	for _, o := range dense {
		if o.name == name {
			return o, nil
		}
		known = append(known, o.name)
	}
	return Objective{}, fmt.Errorf("no dense objective %q: known are %s; others are known at the end of a game only", name, strings.Join(known, ", "))
}

// Name is the objective's name.
func (o Objective) Name() string { return o.name }

// Dense reports whether every move has its own cost.
func (o Objective) Dense() bool { return o.spent != nil }

// Safe are the reductions that do not lose the optimum of this objective.
func (o Objective) Safe() Reduction { return o.safe }

// state returns a state that can answer spent.
func (o Objective) state(g *elim.Graph) *elim.State {
	if o.units {
		return elim.NewOpsState(g)
	}
	return elim.NewState(g)
}
