package elim

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// MaxStructuredNodes is the largest graph of arrays New accepts: every pair of nodes has a cell that names the structure
// of the edge between them.
const MaxStructuredNodes = 1 << 12

// cells names the structured Jacobian on every edge of a graph of arrays.
type cells struct {
	algebra *structure.Algebra
	of      []int32 // [nodes][nodes]: edge from, to
}

// IsStructured reports whether the edges carry structures: multiplications then depend on them, and what is proved of
// counting edges (bounds, safe reductions, exact search) does not hold.
func (g *Graph) IsStructured() bool { return g.cells != nil }

// Terms lists the terms of the structured Jacobian on an edge of the graph, nil if there is none.
func (g *Graph) Terms(from, to int) []*structure.Term {
	if g.cells == nil || from < 0 || to < 0 || from >= g.nodes || to >= g.nodes {
		return nil
	}
	return g.cells.algebra.Terms(g.cells.of[from*g.nodes+to])
}

// structured fills in the cells of a graph whose edges are connected.
func (g *Graph) structured(spec Spec) error {
	if spec.Shapes == nil {
		return nil
	}
	if plain := spec.Inputs + spec.Vertices; len(spec.Shapes) != plain || len(spec.Terms) != len(spec.Edges) {
		return fmt.Errorf("%d shapes and %d structures for %d inputs and vertices and %d edges", len(spec.Shapes), len(spec.Terms), plain, len(spec.Edges))
	}
	if g.nodes > MaxStructuredNodes {
		return fmt.Errorf("graph of arrays with %d nodes is too large: at most %d, because every pair of them has a cell; scalars may have %d", g.nodes, MaxStructuredNodes, MaxNodes)
	}
	g.cells = &cells{algebra: structure.NewAlgebra(), of: make([]int32, g.nodes*g.nodes)}
	for i, e := range spec.Edges {
		g.cells.of[e.From*g.nodes+e.To] = g.cells.algebra.Edge(spec.Terms[i])
	}
	for i, o := range g.sinkOf {
		g.cells.of[o*g.nodes+g.inputs+g.vertices+i] = g.cells.algebra.Edge([]*structure.Term{structure.Identity(spec.Shapes[o])})
	}
	return nil
}

// price is what eliminating node v costs, and what it makes of the edges between the neighbours if f is not nil.
func (s *State) price(v int, f func(cell *int32, product int32)) (muls int64) {
	n := s.g.nodes
	for w := range s.Succ(v) {
		left := s.cells[v*n+w]
		for u := range s.Pred(v) {
			p := s.product(left, s.cells[u*n+v])
			muls += p.Muls
			if f != nil {
				f(&s.cells[u*n+w], p.Edge)
			}
		}
	}
	return muls
}

// product looks a product up without locking if this state has met it before.
func (s *State) product(left, right int32) structure.Priced {
	key := uint64(left)<<32 | uint64(uint32(right))
	p, known := s.products[key]
	if !known {
		p = s.g.cells.algebra.Product(left, right)
		s.products[key] = p
	}
	return p
}

// eliminateCells brings the structures to what they are after eliminating v; keep makes that undoable. It must run before
// the edges themselves change.
func (s *State) eliminateCells(v int, keep bool) int64 {
	return s.price(v, func(cell *int32, product int32) {
		if keep {
			s.savedCells = append(s.savedCells, *cell)
		}
		switch {
		case *cell == 0:
			*cell = product
		case product != 0:
			key := uint64(*cell)<<32 | uint64(uint32(product))
			sum, known := s.sums[key]
			if !known {
				sum = s.g.cells.algebra.Sum(*cell, product)
				s.sums[key] = sum
			}
			*cell = sum
		}
	})
}

// restoreCells takes back what eliminating v did to the structures, once the edges are back.
func (s *State) restoreCells(v int) {
	n := s.g.nodes
	changed := s.degree(v, pred) * s.degree(v, succ)
	saved := s.savedCells[len(s.savedCells)-changed:]
	for w := range s.Succ(v) {
		for u := range s.Pred(v) {
			s.cells[u*n+w] = saved[0]
			saved = saved[1:]
		}
	}
	s.savedCells = s.savedCells[:len(s.savedCells)-changed]
}
