package elim

import (
	"iter"
	"math/bits"

	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// A State is a graph in the middle of its elimination. It is not safe for concurrent use; a goroutine takes
// its own.
//
// Vertices already eliminated keep the rows they had at that moment, which is also what Undo needs to know.
type State struct {
	g     *Graph
	rows  []uint64 // [nodes][2][words]: predecessors, successors
	unit  []uint64 // [nodes][2][words]: those reached by a unit edge; nil unless operations are tracked
	live  []uint64 // [words]: nodes still to be eliminated
	left  int      // how many those are
	muls  int64    // multiplications so far
	ops   Ops      // operations so far, if tracked
	trail []step   // eliminations Undo can take back, oldest first
	saved []uint64 // rows those eliminations overwrote

	// Only in a graph of arrays:
	cells      []int32                     // [nodes][nodes]: structure of the edge from, to
	savedCells []int32                     // cells that eliminations overwrote
	products   map[uint64]structure.Priced // products met, by the numbers of both factors
	sums       map[uint64]int32
}

// A step is one elimination that can be undone.
type step struct {
	node  int
	saved int   // length of State.saved before it
	muls  int64 // what it cost
	ops   Ops
}

// NewState returns the graph before any elimination, counting multiplications.
func NewState(g *Graph) *State {
	s := &State{
		g:     g,
		rows:  make([]uint64, len(g.rows)),
		live:  make([]uint64, len(g.live)),
		trail: make([]step, 0, len(g.eliminable)),
		saved: make([]uint64, 0, 8*g.words*len(g.eliminable)),
	}
	if g.cells != nil {
		s.cells, s.products, s.sums = make([]int32, len(g.cells.of)), map[uint64]structure.Priced{}, map[uint64]int32{}
	}
	s.Reset()
	return s
}

// NewOpsState is NewState with operations tracked too: OpsCost and Ops are available, and every elimination
// takes about three times as long.
func NewOpsState(g *Graph) *State {
	s := NewState(g)
	s.unit = make([]uint64, len(g.unit))
	s.Reset()
	return s
}

// Graph is the graph being eliminated.
func (s *State) Graph() *Graph { return s.g }

// Reset takes the state back to before any elimination and forgets what could be undone.
func (s *State) Reset() {
	copy(s.rows, s.g.rows)
	copy(s.live, s.g.live)
	if s.unit != nil {
		copy(s.unit, s.g.unit)
	}
	if s.cells != nil {
		copy(s.cells, s.g.cells.of)
	}
	s.left, s.muls, s.ops = len(s.g.eliminable), 0, Ops{}
	s.forget()
}

// CopyFrom makes s equal to another state of the same graph, without its history: nothing can be undone
// afterwards. A state that tracks operations must be copied from one that does; otherwise, and for a state of
// another graph, CopyFrom reports false and changes nothing.
func (s *State) CopyFrom(from *State) bool {
	if s.g != from.g || (s.unit != nil && from.unit == nil) {
		return false
	}
	copy(s.rows, from.rows)
	copy(s.live, from.live)
	copy(s.unit, from.unit)
	copy(s.cells, from.cells)
	s.left, s.muls, s.ops = from.left, from.muls, from.ops
	s.forget()
	return true
}

func (s *State) forget() { s.trail, s.saved, s.savedCells = s.trail[:0], s.saved[:0], s.savedCells[:0] }

// Eliminate removes a vertex and returns the number of multiplications, |pred|·|succ| for scalars and what the
// structures demand for arrays. Undo takes it back. For a vertex that is not eliminable or already eliminated it returns −1 and changes nothing.
func (s *State) Eliminate(vertex int) int {
	v := s.node(vertex)
	if v < 0 {
		return -1
	}
	s.trail = append(s.trail, step{node: v, saved: len(s.saved)})
	s.save(s.rows, v)
	if s.unit != nil {
		s.save(s.unit, v)
		cost := s.eliminateUnits(v)
		s.trail[len(s.trail)-1].ops = cost
	}
	cost := s.eliminate(v, true)
	s.trail[len(s.trail)-1].muls = int64(cost)
	return cost
}

// Apply is Eliminate without the possibility of Undo: it forgets the history, and is the fastest way to replay
// an order.
func (s *State) Apply(vertex int) int {
	v := s.node(vertex)
	if v < 0 {
		return -1
	}
	s.forget()
	if s.unit != nil {
		s.eliminateUnits(v)
	}
	return s.eliminate(v, false)
}

// node is the node of a vertex that can be eliminated now, or −1.
func (s *State) node(vertex int) int {
	v := s.g.inputs + vertex - 1
	if vertex < 1 || uint(v>>6) >= uint(len(s.live)) || !has(s.live, v) {
		return -1
	}
	return v
}

// eliminate connects the neighbours of node v, removes v and accounts for the multiplications.
func (s *State) eliminate(v int, keep bool) int {
	var cost int
	structured := int64(0)
	if s.cells != nil {
		structured = s.eliminateCells(v, keep)
	}
	if s.g.words == 2 {
		cost = connect2(s.rows, v)
	} else {
		cost = connectN(s.rows, s.g.words, v)
	}
	if s.cells != nil {
		cost = int(structured)
	}
	clear1(s.live, v)
	s.left--
	s.muls += int64(cost)
	return cost
}

// connect2 gives every predecessor of v the successors of v and the reverse, for rows of two words.
func connect2(rows []uint64, v int) int {
	r := (*[4]uint64)(rows[4*v:])
	p0, p1, s0, s1 := r[0], r[1], r[2], r[3]
	var v0, v1 uint64 // the set {v}
	if v < 64 {
		v0 = 1 << v
	} else {
		v1 = 1 << (v & 63)
	}
	for x := p0; x != 0; x &= x - 1 {
		q := (*[4]uint64)(rows[4*bits.TrailingZeros64(x):])
		q[2], q[3] = (q[2]|s0)&^v0, (q[3]|s1)&^v1
	}
	for x := p1; x != 0; x &= x - 1 {
		q := (*[4]uint64)(rows[4*(64+bits.TrailingZeros64(x)):])
		q[2], q[3] = (q[2]|s0)&^v0, (q[3]|s1)&^v1
	}
	for x := s0; x != 0; x &= x - 1 {
		q := (*[4]uint64)(rows[4*bits.TrailingZeros64(x):])
		q[0], q[1] = (q[0]|p0)&^v0, (q[1]|p1)&^v1
	}
	for x := s1; x != 0; x &= x - 1 {
		q := (*[4]uint64)(rows[4*(64+bits.TrailingZeros64(x)):])
		q[0], q[1] = (q[0]|p0)&^v0, (q[1]|p1)&^v1
	}
	return (bits.OnesCount64(p0) + bits.OnesCount64(p1)) * (bits.OnesCount64(s0) + bits.OnesCount64(s1))
}

// connectN is connect2 for rows of any number of words.
func connectN(rows []uint64, words, v int) int {
	degree := [2]int{}
	for side := pred; side <= succ; side++ {
		mine, other := rowOf(rows, words, v, side), rowOf(rows, words, v, 1-side)
		for i, word := range mine {
			degree[side] += bits.OnesCount64(word)
			for ; word != 0; word &= word - 1 {
				r := rowOf(rows, words, 64*i+bits.TrailingZeros64(word), 1-side)
				for k, o := range other {
					r[k] |= o
				}
				clear1(r, v)
			}
		}
	}
	return degree[pred] * degree[succ]
}

// save appends the rows the elimination of v will overwrite.
func (s *State) save(rows []uint64, v int) {
	for side := pred; side <= succ; side++ {
		for i, word := range rowOf(s.rows, s.g.words, v, side) {
			for ; word != 0; word &= word - 1 {
				s.saved = append(s.saved, rowOf(rows, s.g.words, 64*i+bits.TrailingZeros64(word), 1-side)...)
			}
		}
	}
}

// restore is the opposite of save: it copies back from the given saved rows and returns what it did not use.
func (s *State) restore(rows []uint64, v int, saved []uint64) []uint64 {
	for side := pred; side <= succ; side++ {
		for i, word := range rowOf(s.rows, s.g.words, v, side) {
			for ; word != 0; word &= word - 1 {
				n := copy(rowOf(rows, s.g.words, 64*i+bits.TrailingZeros64(word), 1-side), saved)
				saved = saved[n:]
			}
		}
	}
	return saved
}

// Undo takes back the last Eliminate since the state was last reset, copied or applied to, and reports whether
// there was one.
func (s *State) Undo() bool {
	if len(s.trail) == 0 {
		return false
	}
	last := s.trail[len(s.trail)-1]
	s.trail = s.trail[:len(s.trail)-1]
	saved := s.restore(s.rows, last.node, s.saved[last.saved:])
	if s.unit != nil {
		s.restore(s.unit, last.node, saved)
		s.ops.Mul -= last.ops.Mul
		s.ops.Add -= last.ops.Add
	}
	s.saved = s.saved[:last.saved]
	set(s.live, last.node)
	s.left++
	s.muls -= last.muls
	if s.cells != nil {
		s.restoreCells(last.node)
	}
	return true
}

// Cost is what eliminating a vertex now would cost in multiplications, or −1 if it cannot be eliminated.
func (s *State) Cost(vertex int) int {
	v := s.node(vertex)
	if v < 0 {
		return -1
	}
	if s.cells != nil {
		return int(s.price(v, nil))
	}
	return s.degree(v, pred) * s.degree(v, succ)
}

// Muls is the number of multiplications so far.
func (s *State) Muls() int64 { return s.muls }

// Left is the number of vertices still to be eliminated.
func (s *State) Left() int { return s.left }

// Eliminated reports whether an eliminable vertex has been eliminated.
func (s *State) Eliminated(vertex int) bool {
	return s.g.IsEliminable(vertex) && !has(s.live, s.g.Node(vertex))
}

// Remaining iterates over the vertex numbers still to be eliminated, ascending.
func (s *State) Remaining() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, word := range s.live {
			for ; word != 0; word &= word - 1 {
				if !yield(s.g.Vertex(64*i + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// Pred iterates over the nodes with an edge into a node, ascending. For an eliminated vertex these are the
// predecessors it had when it was eliminated.
func (s *State) Pred(node int) iter.Seq[int] { return s.g.each(s.rows, node, pred) }

// Succ iterates over the nodes with an edge from a node, ascending. For an eliminated vertex these are the
// successors it had when it was eliminated.
func (s *State) Succ(node int) iter.Seq[int] { return s.g.each(s.rows, node, succ) }

// PredCount is the number of nodes Pred would visit, 0 out of range.
func (s *State) PredCount(node int) int {
	if node < 0 || node >= s.g.nodes {
		return 0
	}
	return s.degree(node, pred)
}

// SuccCount is the number of nodes Succ would visit, 0 out of range.
func (s *State) SuccCount(node int) int {
	if node < 0 || node >= s.g.nodes {
		return 0
	}
	return s.degree(node, succ)
}

func (s *State) degree(v, side int) int { return count(rowOf(s.rows, s.g.words, v, side)) }
