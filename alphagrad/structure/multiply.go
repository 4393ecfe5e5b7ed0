package structure

import "slices"

// A Product tells how to compute the value of a product of two terms, left ∂z/∂y times right ∂y/∂x: index the value of
// each factor by the labels of the plan, sum each over the labels that neither the other one nor the result has, contract,
// reshape to the shape of the value of Term.
type Product struct {
	Term        Term
	Sizes       []int  // of the labels of the plan
	Left, Right []Axis // for each axis of a factor's value, how the labels index it; empty for a unit
	Result      []int  // labels of the contraction's result; the others are summed
	Factor      int    // how often each term occurs: the sizes of labels that are summed and that no value depends on
	Muls        int64  // multiplications
}

// Multiply composes two terms; y has the axes left.In and right.Out. It returns nil when the product is zero. The
// multiplications are the product of the sizes of all labels that either value depends on, less those that are summed
// beforehand, and none if one side is a unit and no factor arises.
func Multiply(left, right *Term) *Product {
	w := &rewriting{sizes: slices.Concat(left.Sizes, right.Sizes)}
	base := len(left.Sizes)
	lo, li := w.add(left.Out, 0), w.add(left.In, 0)
	ro, ri := w.add(right.Out, base), w.add(right.In, base)
	lv, rv := w.add(valueAxes(left), 0), w.add(valueAxes(right), base)
	for k := range li {
		if !w.match(li[k], ro[k]) {
			return nil
		}
	}
	p := &Product{Factor: 1}
	kept, values := labelsOf(slices.Concat(lo, ri)), labelsOf(slices.Concat(lv, rv))
	for _, l := range labelsOf(slices.Concat(li, ro)) {
		if !slices.Contains(kept, l) && !slices.Contains(values, l) {
			p.Factor *= w.sizes[l]
		}
	}
	result := slices.DeleteFunc(slices.Clone(values), func(l int) bool { return !slices.Contains(kept, l) })
	if !left.Unit && !right.Unit {
		p.Muls = product(w.sizes, slices.DeleteFunc(values, func(l int) bool {
			return !slices.Contains(kept, l) && slices.Contains(labelsOf(lv), l) != slices.Contains(labelsOf(rv), l)
		}))
	}
	unit := left.Unit && right.Unit && p.Factor == 1
	if p.Factor != 1 && !(left.Unit && right.Unit) {
		p.Muls += product(w.sizes, result)
	}
	p.Term, p.Result = canonical(w.sizes, lo, ri, result, unit)
	p.Sizes = w.sizes
	p.Left, p.Right = deref(lv), deref(rv)
	return p
}

// valueAxes lists the axes of a term's value.
func valueAxes(t *Term) []Axis {
	axes := make([]Axis, len(t.Value))
	for i, l := range t.Value {
		axes[i] = Direct(t.Sizes[l], l)
	}
	return axes
}

func deref(axes []*Axis) []Axis {
	list := make([]Axis, len(axes))
	for i, a := range axes {
		list[i] = *a
	}
	return list
}
