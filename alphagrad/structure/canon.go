package structure

import "slices"

// New builds a term from axes over labels numbered 0, 1, …, of the given sizes; labels of size 1 may be mentioned and
// vanish. value lists the labels that the value depends on. order lists those of them that stay, in the order of the axes
// of the value that the term expects; that value may have further axes merged, see [Term.ValueShape].
func New(sizes []int, out, in []Axis, value []int, unit bool) (t *Term, order []int) {
	vanishes := func(l int) bool { return sizes[l] == 1 }
	w := &rewriting{sizes: sizes}
	o, i := w.add(out, 0), w.add(in, 0)
	for _, a := range w.axes {
		a.Labels = slices.DeleteFunc(a.Labels, vanishes)
		a.Map = a.Map.affine(w.domain(a.Labels))
	}
	term, order := canonical(sizes, o, i, slices.DeleteFunc(slices.Clone(value), vanishes), unit)
	return &term, order
}

// canonical numbers the labels of a term in the order in which its axes mention them and merges labels that always occur
// side by side. order is the list of old labels, in the order of the new value's axes; merged ones stand next to each
// other, so that the value is a reshape of the tensor with the axes order.
func canonical(sizes []int, out, in []*Axis, value []int, unit bool) (t Term, order []int) {
	t.Unit = unit
	for _, axes := range [][]*Axis{out, in} {
		for _, a := range axes {
			for _, l := range a.Labels {
				if !slices.Contains(order, l) {
					order = append(order, l)
				}
			}
		}
	}
	first := make([]bool, len(order)) // a merged label begins here
	for i := range order {
		first[i] = i == 0 || !together(order[i-1], order[i], out, in, value)
	}
	number := make(map[int]int, len(order)) // old label → new
	for i, l := range order {
		if first[i] {
			t.Sizes = append(t.Sizes, 1)
		}
		number[l] = len(t.Sizes) - 1
		t.Sizes[number[l]] *= sizes[l]
	}
	relabel := func(axes []*Axis) []Axis {
		list := make([]Axis, len(axes))
		for i, a := range axes {
			list[i] = Axis{Size: a.Size, Map: a.Map}
			for _, l := range a.Labels {
				if n := number[l]; len(list[i].Labels) == 0 || list[i].Labels[len(list[i].Labels)-1] != n {
					list[i].Labels = append(list[i].Labels, n)
				}
			}
		}
		return list
	}
	t.Out, t.In = relabel(out), relabel(in)
	order = slices.DeleteFunc(order, func(l int) bool { return !slices.Contains(value, l) })
	for _, l := range order {
		if n := number[l]; !slices.Contains(t.Value, n) {
			t.Value = append(t.Value, n)
		}
	}
	return t, order
}

// together reports whether labels a and b could be one: wherever one occurs, b directly follows a.
func together(a, b int, out, in []*Axis, value []int) bool {
	if slices.Contains(value, a) != slices.Contains(value, b) {
		return false
	}
	for _, axes := range [][]*Axis{out, in} {
		for _, x := range axes {
			i, j := slices.Index(x.Labels, a), slices.Index(x.Labels, b)
			if (i >= 0) != (j >= 0) || (i >= 0 && j != i+1) {
				return false
			}
		}
	}
	return true
}

// Identity is the structure of a copy of a tensor.
func Identity(shape []int) *Term {
	axes := make([]Axis, len(shape))
	for k, n := range shape {
		axes[k] = Direct(n, k)
	}
	t, _ := New(shape, axes, axes, nil, true)
	return t
}
