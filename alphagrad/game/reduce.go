package game

import (
	"fmt"
	"slices"
	"strings"
)

// A Reduction is a set of rules that shorten games without losing the optimum: from every state, the best return with
// them is the best return without them. Bits may be combined; any of them brings Dead along, which the proofs of the
// others rely on.
//
// # Terms
//
// P(v) and Q(v) are the predecessors and successors of v in the current graph, P_S(v) and Q_S(v) those after
// eliminating a further set S without v: u is in P_S(v) if a path leads from u to v with its interior in S. Inputs and
// ends are never in S. Under muls v then costs |P_S(v)|·|Q_S(v)|. Under ops the sum over an order of
//
//	n(P_S(v))·n(Q_S(v)) + (|P_S(v)| − 1)·(|Q_S(v)| − 1)
//
// with n counting the neighbours not joined by a unit edge, differs from the cost by a constant of the graph: an edge
// product creates an edge or is added to one, and every edge ever there is removed with an end of its or remains in
// the Jacobian. After Dead every remaining vertex lies on a path from an input to an end and does so until it is
// eliminated, so no factor of these formulas is ever negative: fewer neighbours and fewer non-units never cost more.
type Reduction uint8

const (
	// Dead eliminates at once every vertex without predecessors or without successors.
	//
	// Proof. It is free, connects nothing, and only takes itself out of the neighbours of others. The products of
	// another vertex that meet an existing edge are then fewer too. Holds for muls and ops.
	Dead Reduction = 1 << iota

	// Border eliminates at once a vertex v at the border of the graph, if it can never be cheaper and nothing gains
	// from its staying. For muls that is: (1) all of P(v) are inputs, (2) every successor of v that is no end has all
	// of P(v) but one, or all, among its own predecessors, and (3) |Q(v)| is the minimum vertex cut between v and the
	// ends; or the mirror image. A vertex with one predecessor and one successor is such a vertex if the former is an
	// input or the latter an end, and so is one between inputs and ends only.
	//
	// Proof. By (1) P_S(v) = P(v) for every S, and by (3) |Q_S(v)| ≥ |Q(v)|, because Q_S(v) separates v from the ends
	// (see elim.LowerBound); so v is never cheaper than now. Take any order and move v to its front. A vertex x after
	// v in the order sees no change, and by (1) no x has v among its successors. If x has v among its predecessors
	// after S, by a path v → s → … → x, it now has P(v) in its place. But by (2) all of P(v) but one reach x through
	// s already, so there are no more of them than before.
	//
	// For ops a joining edge may turn a unit into a non-unit and v into the cheaper buffer, so the rule asks for more:
	// a single predecessor p, and no unit edge at v. Then every edge from v stays a non-unit as the graph changes, v
	// costs least now, and where p takes the place of v it is as much a non-unit as v was. A vertex between inputs
	// and ends only is eliminated in any case: nothing else ever changes it or is changed by it.
	//
	// A vertex with one predecessor and one successor that are both still to be eliminated is NOT eliminated at once:
	// it may pay to eliminate both first and keep the vertex as a buffer between many predecessors and successors.
	// TestLinksInsideAreNotSafe has a graph of six eliminable vertices where doing so costs 63 multiplications and
	// the optimum is 62.
	Border

	// Twins eliminates vertices with the same predecessors and the same successors one right after the other, and
	// offers only the lowest of them.
	//
	// Proof for muls. No path leads from one twin a to another b, since it would end in a cycle through a successor
	// they share; so after any S without them they have the same neighbours and the same price c(S), which no other
	// twin changes, and exchanging twins changes nothing. Consider two blocks of twins in an order, l of them after
	// k, with e more twins after these two blocks, and the price of a vertex x between the blocks as a function
	// X(i) of the number i of twins not yet eliminated, of n in all. If x has the twins among its predecessors, it has r others,
	// and X(i)/|Q(x)| is r+n for i = n and |R∪P|+i below, with R those others and P the predecessors of the twins:
	// it grows by 1 each time, and by 1−|P∖R| ≤ 1 from n−1 to n. So X is concave; the same holds if x has them among
	// its successors, and x cannot have twins on both sides. Now k·l times the sum of the price differences of
	// moving either block next to the other is weighted so that the prices of the twins cancel: l times the change
	// of moving the first block is Σ l·(X(e+l+k) − X(e+l)) + k·l·(c′ − c), k times that of moving the second is
	// Σ k·(X(e) − X(e+l)) + k·l·(c − c′), and their sum is at most 0 by concavity. So one of the two does not cost
	// more, and twins can be gathered, class after class, since a class already gathered stays so.
	//
	// For ops twins count only if no unit edge is at any of them. Then all of P∪{twins} are joined to x by non-units,
	// X is concave again, being the sum of two concave terms with factors that do not depend on i, and the proof
	// carries over. With units it fails: see TestUnitsBreakReductions.
	Twins

	// Components finishes one part of the graph before the next where inputs and ends are all that connects them:
	// only the part of the lowest vertex is offered.
	//
	// Proof. Between the eliminable vertices of two such parts there is no edge and never will be, so P_S(v) and
	// Q_S(v) and the unit edges among them depend on the vertices of S in v's own part only; so does its price, and
	// the sum over an order does not change when the parts are played one after the other. Holds for muls and ops.
	Components

	// None leaves the game as it is.
	None Reduction = 0
	// All is every rule.
	All = Dead | Border | Twins | Components
)

// reductionNames are in the order of the bits.
var reductionNames = []string{"dead", "border", "twins", "components"}

// Names lists the rules of a set, in a fixed order.
func (r Reduction) Names() []string {
	var names []string
	for i, name := range reductionNames {
		if r>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return names
}

// String lists the rules of a set, "none" if there are none.
func (r Reduction) String() string {
	if r&All == 0 {
		return "none"
	}
	return strings.Join(r.Names(), "+")
}

// ParseReduction is the set with the given names.
func ParseReduction(names ...string) (Reduction, error) {
	var r Reduction
	for _, name := range names {
		i := slices.Index(reductionNames, name)
		if i < 0 {
			return None, fmt.Errorf("unknown reduction %q: known are %s", name, strings.Join(reductionNames, ", "))
		}
		r |= 1 << i
	}
	return r, nil
}
