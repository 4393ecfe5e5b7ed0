package elim

import "math/bits"

// Ops counts scalar operations.
type Ops struct {
	Mul, Add int64
}

// Total is the number of operations of either kind.
func (o Ops) Total() int64 { return o.Mul + o.Add }

// Ops returns the operations so far. They are zero unless the state tracks operations.
func (s *State) Ops() Ops { return s.ops }

// OpsCost is what eliminating a vertex now would cost in operations. An edge product with a unit factor is a
// copy or a change of sign and costs no multiplication; a product that meets an existing edge costs one
// addition. It is zero for a vertex that cannot be eliminated or a state that does not track operations.
func (s *State) OpsCost(vertex int) Ops {
	v := s.node(vertex)
	if v < 0 || s.unit == nil {
		return Ops{}
	}
	return s.opsCost(v)
}

func (s *State) opsCost(v int) Ops {
	words := s.g.words
	work := func(side int) int64 {
		n := 0
		mine, unit := rowOf(s.rows, words, v, side), rowOf(s.unit, words, v, side)
		for k := range mine {
			n += bits.OnesCount64(mine[k] &^ unit[k])
		}
		return int64(n)
	}
	return Ops{Mul: work(pred) * work(succ), Add: int64(s.merged(v))}
}

// Merged is the number of edge products of a vertex that would be added to an existing edge rather than create
// one, or −1 if the vertex cannot be eliminated.
func (s *State) Merged(vertex int) int {
	v := s.node(vertex)
	if v < 0 {
		return -1
	}
	return s.merged(v)
}

func (s *State) merged(v int) int {
	n := 0
	after := rowOf(s.rows, s.g.words, v, succ)
	for i, word := range rowOf(s.rows, s.g.words, v, pred) {
		for ; word != 0; word &= word - 1 {
			for k, have := range rowOf(s.rows, s.g.words, 64*i+bits.TrailingZeros64(word), succ) {
				n += bits.OnesCount64(have & after[k])
			}
		}
	}
	return n
}

// eliminateUnits brings the unit edges to what they are after eliminating v, and accounts for the operations.
// It must run before the edges themselves change. A product of two units is a unit; an edge that receives a
// sum is not, even if its terms happen to be constants.
func (s *State) eliminateUnits(v int) Ops {
	cost := s.opsCost(v)
	words := s.g.words
	for side := pred; side <= succ; side++ {
		mine, mineUnit := rowOf(s.rows, words, v, side), rowOf(s.unit, words, v, side)
		far, farUnit := rowOf(s.rows, words, v, 1-side), rowOf(s.unit, words, v, 1-side)
		for i, word := range mine {
			for ; word != 0; word &= word - 1 {
				u := 64*i + bits.TrailingZeros64(word)
				edges, units := rowOf(s.rows, words, u, 1-side), rowOf(s.unit, words, u, 1-side)
				product := -uint64(mineUnit[u>>6] >> (u & 63) & 1) // all ones if the edge between u and v is a unit
				for k := range units {
					units[k] = units[k]&^far[k] | farUnit[k]&^edges[k]&product
				}
				clear1(units, v)
			}
		}
	}
	s.ops.Mul += cost.Mul
	s.ops.Add += cost.Add
	return cost
}
