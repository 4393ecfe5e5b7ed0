package ir

import (
	"strconv"
	"strings"
)

// Scalarize writes a program of arrays as one of scalars: every element of every array becomes a node of its own, index
// maps disappear, reductions and contractions become chains. Element [i,j] of input x is the input x[i,j], outputs
// likewise; scalars keep their names. origin gives the node of p that each node of the result belongs to.
//
// Everything that holds for scalar programs (vertex elimination, bounds, generated code) thereby holds for arrays, at the
// price of one vertex an element.
func Scalarize(p *Program) (scalar *Program, origin []ID, err error) {
	if err := Verify(p); err != nil {
		return nil, nil, err
	}
	b := NewBuilder(p.Name)
	elems := make([][]*Value, len(p.Nodes))
	for i := range p.Nodes {
		n := &p.Nodes[i]
		elems[i] = scalarNode(b, p, n, elems)
		if b.err != nil {
			return nil, nil, &NodeError{Node: p.DisplayNames()[i], Op: n.Op.Name, Err: b.err}
		}
		for k, v := range elems[i] {
			if m := &b.p.Nodes[v.id]; n.Name != "" && m.Name == "" && m.Op != OpConst && !b.names[elementName(n.Name, n.Shape, k)] {
				v.Named(elementName(n.Name, n.Shape, k))
			}
		}
		for len(origin) < len(b.p.Nodes) {
			origin = append(origin, ID(i))
		}
	}
	for _, o := range p.Outputs {
		for k, v := range elems[o.Node] {
			b.p.Outputs = append(b.p.Outputs, Output{elementName(o.Name, p.Nodes[o.Node].Shape, k), v.id})
		}
	}
	q, err := b.Build()
	return q, origin, err
}

func scalarNode(b *Builder, p *Program, n *Node, elems [][]*Value) []*Value {
	out := make([]*Value, n.Shape.Size())
	shapes := make([]Shape, len(n.Args))
	for k, a := range n.Args {
		shapes[k] = p.Nodes[a].Shape
	}
	switch n.Op.Class {
	case Leaf:
		for k := range out {
			if n.Op == OpInput {
				out[k] = b.Input(elementName(n.Name, n.Shape, k))
			} else {
				out[k] = Const(b, n.Value[k])
			}
		}
	case Elementwise:
		for k := range out {
			args := make([]*Value, len(n.Args))
			for j, a := range n.Args {
				if len(shapes[j]) == 0 {
					args[j] = elems[a][0]
				} else {
					args[j] = elems[a][k]
				}
			}
			out[k] = Apply(n.Op, n.Attrs, args...)
		}
	case IndexMap:
		for k, s := range n.Op.index(n.Attrs, shapes, n.Shape) {
			if s.arg < 0 {
				out[k] = Const(b, 0)
			} else {
				out[k] = elems[n.Args[s.arg]][s.index]
			}
		}
	case Reduction:
		combine, _ := Op(combiners[n.Op.Name])
		for k, group := range reduceGroups(n.Attrs, shapes[0], n.Shape) {
			acc := elems[n.Args[0]][group[0]]
			for _, j := range group[1:] {
				acc = Apply(combine, nil, acc, elems[n.Args[0]][j])
			}
			out[k] = acc
		}
	case Contraction:
		c, err := ParseEinsum(n.Attrs.Spec, shapes)
		if err != nil {
			b.fail(err)
			return out
		}
		c.Each(func(o int, in []int) {
			if b.err != nil {
				return
			}
			t := elems[n.Args[0]][in[0]]
			for k := 1; k < len(in); k++ {
				t = Mul(t, elems[n.Args[k]][in[k]])
			}
			if out[o] != nil {
				t = Add(out[o], t)
			}
			out[o] = t
		})
	}
	return out
}

// elementName is the name of element k of an array: x[i,j]; a scalar keeps its own.
func elementName(name string, shape Shape, k int) string {
	if len(shape) == 0 {
		return name
	}
	idx := make([]string, len(shape))
	for a, st := range rowMajor(shape) {
		idx[a] = strconv.Itoa(k / st % shape[a])
	}
	return name + "[" + strings.Join(idx, ",") + "]"
}
