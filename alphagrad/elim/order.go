package elim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Forward eliminates in trace order: forward accumulation.
func Forward(g *Graph) []int { return g.Eliminable() }

// Reverse eliminates in reverse trace order: reverse accumulation.
func Reverse(g *Graph) []int {
	order := g.Eliminable()
	slices.Reverse(order)
	return order
}

// Markowitz always eliminates the vertex that costs the fewest multiplications now, the lowest vertex number
// where several do (Markowitz 1957; Griewank and Reese 1991 for Jacobians).
func Markowitz(g *Graph) []int {
	s := NewState(g)
	cost := make([]int, g.vertices+1)
	for _, v := range g.eliminable {
		cost[v] = s.Cost(v)
	}
	left := g.Eliminable()
	order := make([]int, 0, len(left))
	for len(left) > 0 {
		best := 0
		for i, v := range left {
			if cost[v] < cost[left[best]] {
				best = i
			}
		}
		v := left[best]
		left = slices.Delete(left, best, best+1)
		order = append(order, v)
		s.Apply(v)
		for side := pred; side <= succ; side++ { // only its neighbours change their price
			for u := range g.each(s.rows, g.Node(v), side) {
				if k := g.Vertex(u); k > 0 {
					cost[k] = s.Cost(k)
				}
			}
		}
	}
	return order
}

// Cheapest is the one of [Reverse], [Forward] and [Markowitz] with the fewest multiplications, the first where several have.
func Cheapest(g *Graph) (order []int) {
	least := int64(-1)
	for _, o := range [][]int{Reverse(g), Forward(g), Markowitz(g)} {
		if muls, err := g.Muls(o); err == nil && (least < 0 || muls < least) { // no error: these name every vertex once
			order, least = o, muls
		}
	}
	return order
}

// Muls replays an order from the untouched graph and returns its multiplications. It fails if the order is not
// a permutation of the eliminable vertices.
func (g *Graph) Muls(order []int) (int64, error) {
	s := NewState(g)
	if err := s.replay(order); err != nil {
		return 0, err
	}
	return s.muls, nil
}

// Ops replays an order from the untouched graph and returns its operations. It fails if the order is not a
// permutation of the eliminable vertices.
func (g *Graph) Ops(order []int) (Ops, error) {
	s := NewOpsState(g)
	if err := s.replay(order); err != nil {
		return Ops{}, err
	}
	return s.ops, nil
}

func (s *State) replay(order []int) error {
	if err := s.g.CheckOrder(order); err != nil {
		return err
	}
	for _, v := range order {
		s.Apply(v)
	}
	return nil
}

// CheckOrder returns nil if the order names every eliminable vertex once and nothing else, and otherwise one
// line that says which vertices are missing, doubled, not eliminable or do not exist.
func (g *Graph) CheckOrder(order []int) error {
	seen := make([]int, g.vertices+1)
	var missing, doubled, kept, unknown []int
	for _, v := range order {
		switch {
		case v < 1 || v > g.vertices:
			unknown = append(unknown, v)
			continue
		case seen[v] == 0 && !g.IsEliminable(v):
			kept = append(kept, v)
		case seen[v] == 1:
			doubled = append(doubled, v)
		}
		seen[v]++
	}
	for _, v := range g.eliminable {
		if seen[v] == 0 {
			missing = append(missing, v)
		}
	}
	var faults []string
	for _, fault := range []struct {
		vertices []int
		format   string
	}{
		{missing, "missing %s"},
		{doubled, "more than once %s"},
		{kept, "not eliminable, being an output without later use, %s"},
		{unknown, fmt.Sprintf("not a vertex from 1 to %d, ", g.vertices) + "%s"},
	} {
		if len(fault.vertices) > 0 {
			faults = append(faults, fmt.Sprintf(fault.format, brief(fault.vertices)))
		}
	}
	if faults == nil {
		return nil
	}
	return errors.New("the order is not a permutation of the eliminable vertices: " + strings.Join(faults, "; "))
}

// brief lists numbers, leaving out the rest of a long list.
func brief(numbers []int) string {
	const most = 12
	text := make([]string, 0, most)
	for _, n := range numbers[:min(most, len(numbers))] {
		text = append(text, fmt.Sprint(n))
	}
	list := strings.Join(text, ", ")
	if more := len(numbers) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}
