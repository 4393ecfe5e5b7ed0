package ad

import (
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// arrays is the calculus of array programs: an edge is a sum of structured Jacobians ([structure.Term]) whose values are
// expressions. A unit's value is the constant that it is.
type arrays struct{}

type (
	edge = structure.Edge[*ir.Value]
	item = structure.Item[*ir.Value]
)

// expressions records the values of products and sums.
var expressions = structure.Arithmetic[*ir.Value]{Multiply: recordProduct, Add: recordSum}

func (arrays) empty(e edge) bool  { return len(e) == 0 }
func (arrays) add(a, b edge) edge { return expressions.AddEdges(a, b) }
func (arrays) multiply(left, right edge) edge {
	e, _ := expressions.MultiplyEdges(left, right)
	return e
}

func (arrays) one(b *ir.Builder, shape ir.Shape) edge {
	return edge{{Term: structure.Identity(shape), Value: ir.Const(b, 1)}}
}

func (arrays) describe(e edge) (unit bool, terms []*structure.Term) {
	for _, x := range e {
		terms = append(terms, x.Term)
	}
	return len(e) == 1 && e[0].Term.Unit, terms
}

func (arrays) dense(b *ir.Builder, e edge, y, x ir.Shape) *ir.Value {
	shape := slices.Concat(y, x)
	var total *ir.Value
	for _, i := range e {
		d := densify(i, shape)
		if total != nil {
			d = ir.Add(total, d)
		}
		total = d
	}
	if total == nil {
		return broadcast(ir.Const(b, 0), shape, nil)
	}
	return total
}

// recordProduct computes the value of a product of two terms.
func recordProduct(p *structure.Product, l, r item) *ir.Value {
	b := l.Value.Builder()
	left, right := reindexed(l, p.Left, p.Sizes), reindexed(r, p.Right, p.Sizes)
	var v *ir.Value
	switch {
	case l.Term.Unit && r.Term.Unit:
		v = times(l.Value, r.Value)
	case l.Term.Unit:
		v = times(l.Value, contracted(p, right))
	case r.Term.Unit:
		v = times(r.Value, contracted(p, left))
	default:
		v = contracted(p, left, right)
	}
	if p.Factor != 1 {
		v = times(ir.Const(b, float64(p.Factor)), v)
	}
	return reshaped(v, p.Term.ValueShape())
}

// times multiplies by a scalar without recording factors ±1.
func times(c, v *ir.Value) *ir.Value {
	switch {
	case c.IsConst(1):
		return v
	case c.IsConst(-1) && v.IsConst(-1):
		return ir.Const(v.Builder(), 1)
	case c.IsConst(-1) && v.IsConst(1):
		return c
	case c.IsConst(-1):
		return ir.Neg(v)
	case v.IsConst(1):
		return c
	case v.IsConst(-1):
		return ir.Neg(c)
	}
	return ir.Mul(c, v)
}

// A labelled value has one label for each axis.
type labelled struct {
	value  *ir.Value
	labels []int
}

// reindexed gives a value the axes that index it in a plan: slices and gathers positions, splits axes.
func reindexed(i item, axes []structure.Axis, sizes []int) labelled {
	v := i.Value
	rank := len(v.Shape())
	if rank != len(axes) {
		return labelled{v, nil} // a scalar
	}
	start, limit, stride := make([]int, rank), slices.Clone(v.Shape()), slices.Repeat([]int{1}, rank)
	sliced := false
	var labels, shape []int
	for k, a := range axes {
		n := 1
		for _, l := range a.Labels {
			n *= sizes[l]
			labels, shape = append(labels, l), append(shape, sizes[l])
		}
		switch m := a.Map; {
		case m.Table != nil || (m.Stride <= 0 && n > 1):
			indices := make([]int, n)
			for d := range indices {
				indices[d] = m.At(d)
			}
			v = ir.Gather(v, k, indices...)
			limit[k] = n
		case n != a.Size:
			start[k], stride[k], limit[k], sliced = m.Off, max(m.Stride, 1), m.At(n-1)+1, true
		}
	}
	if sliced {
		v = ir.Apply(ir.OpSlice, &ir.Attrs{Start: start, Limit: limit, Stride: stride}, v)
	}
	return labelled{reshaped(v, shape), labels}
}

// contracted multiplies labelled values, at most two, and sums over the labels that the result lacks, first over those
// that only one factor has.
func contracted(p *structure.Product, factors ...labelled) *ir.Value {
	for k, f := range factors {
		var other []int
		if len(factors) == 2 {
			other = factors[1-k].labels
		}
		var stays []int
		for _, l := range f.labels {
			if !slices.Contains(stays, l) && (slices.Contains(p.Result, l) || slices.Contains(other, l)) {
				stays = append(stays, l)
			}
		}
		if len(stays) < len(f.labels) {
			factors[k] = labelled{ir.Einsum(letters(p, f.labels)+"->"+letters(p, stays), f.value), stays}
		}
	}
	switch f := factors[0]; {
	case len(factors) == 1 && slices.Equal(f.labels, p.Result):
		return f.value
	case len(factors) == 1:
		return ir.Einsum(letters(p, f.labels)+"->"+letters(p, p.Result), f.value)
	case len(f.labels) == 0:
		return times(f.value, contracted(p, factors[1]))
	case len(factors[1].labels) == 0:
		return times(factors[1].value, contracted(p, f))
	case slices.Equal(f.labels, p.Result) && slices.Equal(factors[1].labels, p.Result):
		return ir.Mul(f.value, factors[1].value)
	}
	return ir.Einsum(letters(p, factors[0].labels)+","+letters(p, factors[1].labels)+"->"+letters(p, p.Result), factors[0].value, factors[1].value)
}

// letters writes labels as einsum does. The labels that one product uses are few, however many the plan has.
func letters(p *structure.Product, labels []int) string {
	var used []int
	for _, axes := range [][]structure.Axis{p.Left, p.Right} {
		for _, a := range axes {
			for _, l := range a.Labels {
				if !slices.Contains(used, l) {
					used = append(used, l)
				}
			}
		}
	}
	s := make([]byte, len(labels))
	for i, l := range labels {
		k := slices.Index(used, l)
		s[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[k]
	}
	return string(s)
}

// recordSum computes the value of a sum of two terms that merge.
func recordSum(s *structure.Sum, a, b item) *ir.Value {
	x, y := spread(s, 0, a), spread(s, 1, b)
	return reshaped(ir.Add(x, y), s.Term.ValueShape())
}

// spread brings a value to the labels of a sum. A scalar stays one: addition stretches it.
func spread(s *structure.Sum, side int, i item) *ir.Value {
	shape := make([]int, len(s.Result))
	for k, l := range s.Result {
		shape[k] = s.Sizes[l]
	}
	from := s.Spread[side]
	if from.Table != nil {
		return reshaped(picked(i.Value, from.Table), shape)
	}
	v := reindexed(i, from.Axes, s.Sizes)
	if from.Into != nil {
		return reshaped(embedded(v, from.Into), shape)
	}
	if other := s.Spread[1-side]; len(v.labels) == 0 && other.Into == nil && len(other.Axes) > 0 {
		return v.value
	}
	axes := make([]int, len(v.labels))
	for k, l := range v.labels {
		axes[k] = slices.Index(s.Result, l)
	}
	return broadcast(v.value, shape, axes)
}

// densify writes a term as a dense tensor.
func densify(i item, shape ir.Shape) *ir.Value {
	d := i.Term.Densify()
	if d.Into != nil {
		return reshaped(embedded(labelled{i.Value, i.Term.Value}, d.Into), shape)
	}
	var total *ir.Value
	for _, table := range d.Rounds {
		v := picked(i.Value, table)
		if total != nil {
			v = ir.Add(total, v)
		}
		total = v
	}
	return reshaped(total, shape)
}

// embedded broadcasts a value to the labels of an embedding and places its elements in a vector of zeros: from the last
// label on, every element is followed by zeros up to the next.
func embedded(v labelled, e *structure.Embedding) *ir.Value {
	axes := make([]int, len(v.labels))
	for k, l := range v.labels {
		axes[k] = slices.Index(e.Labels, l)
	}
	x := broadcast(v.value, e.Sizes, axes)
	width := 1
	for k := len(e.Sizes) - 1; k >= 0; k-- {
		x = widened(reshaped(x, append(slices.Clone(e.Sizes[:k+1]), width)), 0, e.Steps[k])
		width = e.Sizes[k] * e.Steps[k]
	}
	return widened(reshaped(x, ir.Shape{width}), e.Base, e.Size)
}

// widened gives the last axis a length: it begins with zeros, low of them, and is cut or filled up with zeros at the end.
func widened(x *ir.Value, low, length int) *ir.Value {
	shape := x.Shape()
	last := len(shape) - 1
	if n := shape[last]; low+n > length {
		limit := slices.Clone([]int(shape))
		limit[last] = length - low
		x = ir.Slice(x, make([]int, len(shape)), limit)
	}
	if n := x.Shape()[last]; n < length {
		before, after := make([]int, len(shape)), make([]int, len(shape))
		before[last], after[last] = low, length-low-n
		x = ir.Pad(x, before, after)
	}
	return x
}

// picked is the vector of the elements of v that a table names, 0 where it is negative.
func picked(v *ir.Value, table []int32) *ir.Value {
	b, n := v.Builder(), v.Shape().Size()
	zero := ir.ConstTensor(b, ir.Shape{1}, []float64{0})
	all := ir.Concatenate([]*ir.Value{ir.Reshape(v, n), zero}, 0)
	indices := make([]int, len(table))
	for k, from := range table {
		indices[k] = int(from)
		if from < 0 {
			indices[k] = n
		}
	}
	return ir.Gather(all, 0, indices...)
}

func reshaped(v *ir.Value, shape ir.Shape) *ir.Value {
	if v.Shape().Equal(shape) {
		return v
	}
	return ir.Reshape(v, shape...)
}

func broadcast(v *ir.Value, shape ir.Shape, axes []int) *ir.Value {
	if v.Shape().Equal(shape) && slices.IsSorted(axes) {
		return v
	}
	return ir.Broadcast(v, shape, axes...)
}
