package structure

import "slices"

// An Item is a term of an edge with its value, of whatever kind: numbers, expressions, or nothing at all.
type Item[V any] struct {
	Term  *Term
	Value V
}

// An Edge is a sum of terms that do not merge, sorted so that equal sums are equal edges; without terms it is zero.
type Edge[V any] []Item[V]

// Arithmetic computes values.
type Arithmetic[V any] struct {
	Multiply func(p *Product, left, right Item[V]) V
	Add      func(s *Sum, a, b Item[V]) V
}

// MultiplyEdges composes two edges, ∂z/∂y times ∂y/∂x, and counts the multiplications.
func (c Arithmetic[V]) MultiplyEdges(left, right Edge[V]) (Edge[V], int64) {
	var e Edge[V]
	muls := int64(0)
	for _, l := range left {
		for _, r := range right {
			p := Multiply(l.Term, r.Term)
			if p == nil {
				continue
			}
			muls += p.Muls
			e = c.insert(e, Item[V]{&p.Term, c.Multiply(p, l, r)})
		}
	}
	return e, muls
}

// AddEdges adds two parallel edges.
func (c Arithmetic[V]) AddEdges(a, b Edge[V]) Edge[V] {
	e := append(Edge[V](nil), a...)
	for _, x := range b {
		e = c.insert(e, x)
	}
	return e
}

// insert adds a term, merged with another as long as there is one that it merges with.
func (c Arithmetic[V]) insert(e Edge[V], x Item[V]) Edge[V] {
	for i := 0; i < len(e); {
		s := Add(e[i].Term, x.Term)
		if s == nil {
			i++
			continue
		}
		x = Item[V]{&s.Term, c.Add(s, e[i], x)}
		e = append(append(Edge[V](nil), e[:i]...), e[i+1:]...)
		i = 0
	}
	key := x.Term.key()
	at := 0
	for at < len(e) && e[at].Term.key() < key {
		at++
	}
	return slices.Insert(slices.Clip(e), at, x)
}
