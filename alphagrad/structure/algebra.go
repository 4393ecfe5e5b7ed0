package structure

import (
	"strings"
	"sync"
)

// An Algebra numbers edges without values, so that a search over elimination orders multiplies and adds structures by
// looking two numbers up. Edge 0 is zero. It is safe for concurrent use.
type Algebra struct {
	mu       sync.Mutex
	ids      map[string]int32
	edges    []Edge[struct{}]
	products map[[2]int32]Priced
	sums     map[[2]int32]int32
}

// Priced is an edge with the multiplications that made it.
type Priced struct {
	Edge int32
	Muls int64
}

var symbolic = Arithmetic[struct{}]{
	Multiply: func(*Product, Item[struct{}], Item[struct{}]) (none struct{}) { return },
	Add:      func(*Sum, Item[struct{}], Item[struct{}]) (none struct{}) { return },
}

// NewAlgebra knows the zero edge only.
func NewAlgebra() *Algebra {
	return &Algebra{ids: map[string]int32{"": 0}, edges: make([]Edge[struct{}], 1), products: map[[2]int32]Priced{}, sums: map[[2]int32]int32{}}
}

// Edge numbers a sum of terms.
func (a *Algebra) Edge(terms []*Term) int32 {
	var e Edge[struct{}]
	for _, t := range terms {
		e = symbolic.insert(e, Item[struct{}]{Term: t})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.number(e)
}

func (a *Algebra) number(e Edge[struct{}]) int32 {
	var key strings.Builder
	for _, x := range e {
		key.WriteString(x.Term.key())
		key.WriteByte('+')
	}
	id, known := a.ids[key.String()]
	if !known {
		id = int32(len(a.edges))
		a.ids[key.String()] = id
		a.edges = append(a.edges, e)
	}
	return id
}

// Terms lists the terms of an edge.
func (a *Algebra) Terms(edge int32) (terms []*Term) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.edges[edge] {
		terms = append(terms, x.Term)
	}
	return terms
}

// Product composes two edges, ∂z/∂y times ∂y/∂x.
func (a *Algebra) Product(left, right int32) Priced {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := [2]int32{left, right}
	p, known := a.products[key]
	if !known {
		e, muls := symbolic.MultiplyEdges(a.edges[left], a.edges[right])
		p = Priced{a.number(e), muls}
		a.products[key] = p
	}
	return p
}

// Sum adds an edge to a parallel one.
func (a *Algebra) Sum(old, more int32) int32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := [2]int32{old, more}
	s, known := a.sums[key]
	if !known {
		s = a.number(symbolic.AddEdges(a.edges[old], a.edges[more]))
		a.sums[key] = s
	}
	return s
}
