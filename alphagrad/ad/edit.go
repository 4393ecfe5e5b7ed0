package ad

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// An Edit changes the local Jacobian on one edge of a program before derivatives are accumulated: the gradient is then the
// sum over all paths of products of edited Jacobians. An approximate derivative, such as a learning rule, is a list of
// edits.
type Edit struct {
	From   string  `yaml:"from" json:"from"`               // name of a node that is an argument of To
	To     string  `yaml:"to" json:"to"`                   // or [AllEdges]
	Kind   string  `yaml:"kind" json:"kind"`               // a row of [EditKinds]
	Factor float64 `yaml:"factor" json:"factor,omitempty"` // leak, scale; the rank of a sketch
	Matrix string  `yaml:"matrix" json:"matrix,omitempty"` // replace, mask: name of the input with the matrix, of the axes of To, then those of From; sketch: of those of From, then the rank
}

// AllEdges as the end of an [Edit] means every edge that leaves a state before the step: dropping them is not to carry time
// through it.
const AllEdges = "*"

// String prints the edit as a formula, e.g. "drop rec.z→rec.recurrent".
func (e Edit) String() string {
	s := e.Kind
	switch k := edits[e.Kind]; {
	case k.rank:
		s = fmt.Sprintf("%s(%g,%s)", s, e.Factor, e.Matrix)
	case k.factor:
		s = fmt.Sprintf("%s(%g)", s, e.Factor)
	case k.matrix:
		s = fmt.Sprintf("%s(%s)", s, e.Matrix)
	}
	return s + " " + e.From + "→" + e.To
}

// An editKind is one row of the table of edits.
type editKind struct {
	doc            string
	factor, matrix bool // takes a factor, a matrix
	rank           bool // its factor is the rank of its matrix
	square         bool // needs From and To of equal shape
	apply          func(x *editing, e edge) edge
}

// editing is what an edit works with.
type editing struct {
	Edit
	b    *ir.Builder
	y, x ir.Shape
	m    *ir.Value // the matrix
}

// edits holds one row a kind of edit.
var edits = map[string]editKind{
	"drop":     {doc: "the edge is zero", apply: func(*editing, edge) edge { return nil }},
	"diagonal": {doc: "only the diagonal of the Jacobian", square: true, apply: diagonal},
	"leak":     {doc: "a constant times the identity", square: true, factor: true, apply: leak},
	"scale":    {doc: "the Jacobian times a constant", factor: true, apply: scale},
	"sign":     {doc: "the signs of the Jacobian's entries", apply: signs},
	"mask":     {doc: "the Jacobian times a given matrix, entry by entry", matrix: true, apply: mask},
	"replace":  {doc: "a given matrix", matrix: true, apply: func(x *editing, _ edge) edge { return x.full(x.m) }},
	"sketch":   {doc: "the Jacobian times V·Vᵀ/rank for a given V: unbiased where V holds random signs, drawn anew every step", factor: true, matrix: true, rank: true, apply: sketch},
}

// EditKinds lists the kinds of edits with what they make of an edge.
func EditKinds() map[string]string {
	kinds := map[string]string{}
	for name, k := range edits {
		kinds[name] = k.doc
	}
	return kinds
}

// full is the edge with a dense Jacobian.
func (x *editing) full(v *ir.Value) edge {
	l := &local{}
	all, axes := l.labels(slices.Concat(x.y, x.x))
	l.out, l.in = axes[:len(x.y)], axes[len(x.y):]
	return l.valued(v, all)
}

// along is the edge with a diagonal Jacobian: one value an element, or one for all.
func (x *editing) along(v *ir.Value) edge {
	l := &local{}
	all, axes := l.labels(x.y)
	l.out, l.in = axes, axes
	if len(v.Shape()) == 0 {
		all = nil
	}
	return l.valued(v, all)
}

func (x *editing) dense(e edge) *ir.Value { return arrays{}.dense(x.b, e, x.y, x.x) }

func diagonal(x *editing, e edge) edge {
	if len(e) == 0 || len(x.y) == 0 {
		return e
	}
	labels := make([]int, len(x.y))
	for k := range labels {
		labels[k] = k
	}
	s := letter(labels)
	return x.along(ir.Einsum(s+s+"->"+s, x.dense(e)))
}

func leak(x *editing, _ edge) edge {
	if x.Factor == 0 {
		return nil
	}
	return x.along(ir.Const(x.b, x.Factor))
}

func scale(x *editing, e edge) edge {
	if x.Factor == 0 {
		return nil
	}
	return each(e, func(v *ir.Value) *ir.Value { return times(ir.Const(x.b, x.Factor), v) })
}

func signs(x *editing, e edge) edge {
	if len(e) > 1 { // signs of a sum are no sum of signs
		return x.full(ir.Sign(x.dense(e)))
	}
	return each(e, ir.Sign)
}

func mask(x *editing, e edge) edge {
	if len(e) == 0 {
		return nil
	}
	return x.full(ir.Mul(x.m, x.dense(e)))
}

// sketch multiplies by a random projection of the given rank, whose mean is the identity (Tallec & Ollivier 2017).
func sketch(x *editing, e edge) edge {
	if len(e) == 0 {
		return nil
	}
	labels := make([]int, len(x.y)+len(x.x)+1)
	for k := range labels {
		labels[k] = k
	}
	y, in, r := letter(labels[:len(x.y)]), letter(labels[len(x.y):len(labels)-1]), letter(labels[len(labels)-1:])
	thin := ir.Einsum(y+in+","+in+r+"->"+y+r, x.dense(e), x.m)
	return x.full(ir.MulScalar(ir.Einsum(y+r+","+in+r+"->"+y+in, thin, x.m), 1/x.Factor))
}

// each maps the values of an edge.
func each(e edge, f func(v *ir.Value) *ir.Value) (mapped edge) {
	for _, i := range e {
		v := f(i.Value)
		t := *i.Term
		t.Unit = t.Unit && isUnit(v)
		mapped = append(mapped, item{Term: &t, Value: v})
	}
	return mapped
}

// An editor applies edits to the edges of programs and remembers which ones it has met.
type editor struct {
	b      *ir.Builder
	edits  []Edit
	met    []bool
	matrix func(name string, shape ir.Shape) (*ir.Value, error)
}

func newEditor(b *ir.Builder, list []Edit, matrix func(name string, shape ir.Shape) (*ir.Value, error)) (*editor, error) {
	seen := map[[2]string]bool{}
	for _, e := range list {
		k, known := edits[e.Kind]
		switch edge := [2]string{e.From, e.To}; {
		case !known:
			return nil, fmt.Errorf("edit of %s→%s: unknown kind %q; known: %s", e.From, e.To, e.Kind, strings.Join(slices.Sorted(maps.Keys(edits)), ", "))
		case seen[edge]:
			return nil, fmt.Errorf("edge %s→%s is edited twice", e.From, e.To)
		case k.matrix && e.Matrix == "":
			return nil, fmt.Errorf("edit %s of %s→%s names no matrix", e.Kind, e.From, e.To)
		case k.rank && (e.Factor != math.Trunc(e.Factor) || e.Factor < 1 || e.Factor > 1<<20):
			return nil, fmt.Errorf("edit %s of %s→%s has rank %g, expected a whole number from 1", e.Kind, e.From, e.To, e.Factor)
		default:
			seen[edge] = true
		}
	}
	return &editor{b: b, edits: list, met: make([]bool, len(list)), matrix: matrix}, nil
}

// of is the function that edits the edges of one program.
func (d *editor) of(p *ir.Program) func(from, to ir.ID, e edge) (edge, error) {
	if len(d.edits) == 0 {
		return nil
	}
	names := p.DisplayNames()
	return func(from, to ir.ID, e edge) (edge, error) {
		for k, edit := range d.edits {
			if edit.From != names[from] || edit.To != names[to] && (edit.To != AllEdges || !steps(p, from)) {
				continue
			}
			d.met[k] = true
			x := &editing{Edit: edit, b: d.b, y: p.Nodes[to].Shape, x: p.Nodes[from].Shape}
			kind := edits[edit.Kind]
			if kind.square && !x.y.Equal(x.x) {
				return nil, fmt.Errorf("edit %q: a %s takes values of one shape; they have %v and %v", edit, edit.Kind, x.x, x.y)
			}
			if kind.matrix {
				var err error
				shape := slices.Concat(x.y, x.x)
				if kind.rank {
					shape = append(slices.Clone(x.x), int(edit.Factor))
				}
				if x.m, err = d.matrix(edit.Matrix, shape); err != nil {
					return nil, fmt.Errorf("edit %q: %w", edit, err)
				}
			}
			return kind.apply(x, e), nil
		}
		return e, nil
	}
}

// steps reports whether a node is a state before the step.
func steps(p *ir.Program, id ir.ID) bool {
	return p.Nodes[id].Op == ir.OpInput && outputNamed(p, p.Nodes[id].Name) >= 0
}

// unmet reports an edit whose edge no program has, and the edges there are from or to its ends.
func (d *editor) unmet(programs ...*ir.Program) error {
	k := slices.Index(d.met, false)
	if k < 0 {
		return nil
	}
	var near []string
	for _, p := range programs {
		if p == nil {
			continue
		}
		names := p.DisplayNames()
		for id := range p.Nodes {
			for _, a := range p.Nodes[id].Args {
				if names[id] == d.edits[k].To || names[a] == d.edits[k].From {
					near = append(near, names[a]+"→"+names[id])
				}
			}
		}
	}
	slices.Sort(near)
	if near = slices.Compact(near); len(near) == 0 {
		return fmt.Errorf("edit %q: there is no edge between such nodes, and no node of either name", d.edits[k])
	}
	return fmt.Errorf("edit %q: there is no such edge; near it: %s", d.edits[k], strings.Join(near, ", "))
}

// nonUnit makes a term that carries its value.
func nonUnit(t *structure.Term) *structure.Term {
	c := *t
	c.Unit = false
	return &c
}
