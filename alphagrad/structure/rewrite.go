package structure

import "slices"

// A rewriting holds the axes of the tensors that take part in an operation, all indexed by one common set of labels, while
// labels are renamed, split and restricted.
type rewriting struct {
	sizes []int
	axes  []*Axis
}

func (w *rewriting) label(size int) int {
	w.sizes = append(w.sizes, size)
	return len(w.sizes) - 1
}

// add takes axes in, their labels shifted by base.
func (w *rewriting) add(axes []Axis, base int) []*Axis {
	own := make([]*Axis, len(axes))
	for i, a := range axes {
		a = a.clone()
		for k := range a.Labels {
			a.Labels[k] += base
		}
		own[i] = &a
	}
	w.axes = append(w.axes, own...)
	return own
}

func (w *rewriting) domain(labels []int) int { return int(product(w.sizes, labels)) }

func (w *rewriting) direct(a *Axis) bool { return a.direct(w.sizes) }

// coordinates writes what each label is at row-major index d.
func (w *rewriting) coordinates(labels []int, d int, at []int) {
	for i := len(labels) - 1; i >= 0; i-- {
		n := w.sizes[labels[i]]
		at[labels[i]] = d % n
		d /= n
	}
}

// index is the row-major index of labels at given coordinates.
func (w *rewriting) index(labels, at []int) int {
	d := 0
	for _, l := range labels {
		d = d*w.sizes[l] + at[l]
	}
	return d
}

// substitute replaces labels by expressions over other labels, everywhere: the value of a label becomes the position on
// the axis that stands for it.
func (w *rewriting) substitute(by map[int]Axis) {
	for _, a := range w.axes {
		if slices.ContainsFunc(a.Labels, func(l int) bool { _, hit := by[l]; return hit }) {
			*a = w.composed(a, by)
		}
	}
}

func (w *rewriting) composed(a *Axis, by map[int]Axis) Axis {
	out := Axis{Size: a.Size, Map: a.Map}
	spliced := true // row-major indices stay what they are
	for _, l := range a.Labels {
		e, hit := by[l]
		if !hit {
			e = Direct(w.sizes[l], l)
		}
		spliced = spliced && e.direct(w.sizes)
		for _, m := range e.Labels {
			if slices.Contains(out.Labels, m) {
				spliced = false
			} else {
				out.Labels = append(out.Labels, m)
			}
		}
	}
	if spliced {
		return out
	}
	n := w.domain(out.Labels)
	if e := by[a.Labels[0]]; len(a.Labels) == 1 && a.Map.Table == nil && e.Map.Table == nil {
		out.Map = Map{Off: a.Map.Off + a.Map.Stride*e.Map.Off, Stride: a.Map.Stride * e.Map.Stride}.affine(n)
		return out
	}
	table := make([]int32, n)
	at := make([]int, len(w.sizes))
	for d := range table {
		w.coordinates(out.Labels, d, at)
		old := 0
		for _, l := range a.Labels {
			v := at[l]
			if e, hit := by[l]; hit {
				v = e.Map.At(w.index(e.Labels, at))
			}
			old = old*w.sizes[l] + v
		}
		table[d] = int32(a.Map.At(old))
	}
	out.Map = Map{Table: table}.affine(n)
	return out
}

// match restricts the labels so that two axes of the same tensor have equal positions. It reports false when they never
// have: the product is zero.
func (w *rewriting) match(a, b *Axis) bool {
	for !a.equal(*b) {
		if w.direct(a) && w.direct(b) {
			if w.refine(a, b) {
				continue
			}
		}
		shared := slices.ContainsFunc(a.Labels, func(l int) bool { return slices.Contains(b.Labels, l) })
		switch {
		case shared:
			return w.filter(a, b)
		case w.direct(a):
			w.follow(a, b)
			return true
		case w.direct(b):
			w.follow(b, a)
			return true
		default:
			return w.join(a, b)
		}
	}
	return true
}

// refine takes one step towards equal label lists of two directly indexed axes: it renames a label or splits one in two.
// It reports false if sizes such as 2·3 and 3·2 allow neither.
func (w *rewriting) refine(a, b *Axis) bool {
	i, j := len(a.Labels)-1, len(b.Labels)-1
	for i >= 0 && j >= 0 && a.Labels[i] == b.Labels[j] {
		i, j = i-1, j-1
	}
	if i < 0 || j < 0 {
		return false
	}
	la, lb := a.Labels[i], b.Labels[j]
	sa, sb := w.sizes[la], w.sizes[lb]
	switch {
	case sa == sb:
		w.substitute(map[int]Axis{lb: Direct(sa, la)})
	case sa%sb == 0:
		w.split(la, sb)
	case sb%sa == 0:
		w.split(lb, sa)
	default:
		return false
	}
	return true
}

// split writes a label as two, the second of the given size.
func (w *rewriting) split(label, size int) {
	n := w.sizes[label]
	high, low := w.label(n/size), w.label(size)
	w.substitute(map[int]Axis{label: {Size: n, Labels: []int{high, low}, Map: identity}})
}

// follow expresses the labels of a directly indexed axis by those of another.
func (w *rewriting) follow(a, b *Axis) {
	if len(a.Labels) == 1 {
		w.substitute(map[int]Axis{a.Labels[0]: b.clone()})
		return
	}
	labels, n := slices.Clone(b.Labels), w.domain(b.Labels)
	positions := make([]int, n)
	for d := range positions {
		positions[d] = b.Map.At(d)
	}
	w.substitute(w.decode(a.Labels, labels, positions))
}

// decode expresses labels over a domain, given the row-major index they have at each point of it.
func (w *rewriting) decode(labels, domain []int, indices []int) map[int]Axis {
	by := map[int]Axis{}
	at := make([]int, len(w.sizes))
	tables := make([][]int32, len(labels))
	for k := range tables {
		tables[k] = make([]int32, len(indices))
	}
	for d, index := range indices {
		w.coordinates(labels, index, at)
		for k, l := range labels {
			tables[k][d] = int32(at[l])
		}
	}
	for k, l := range labels {
		by[l] = Axis{Size: w.sizes[l], Labels: domain, Map: Map{Table: tables[k]}.affine(len(indices))}
	}
	return by
}

// join introduces a label that runs over all pairs of indices with equal positions.
func (w *rewriting) join(a, b *Axis) bool {
	where := map[int][]int{}
	for d := range w.domain(b.Labels) {
		p := b.Map.At(d)
		where[p] = append(where[p], d)
	}
	var as, bs []int
	for d := range w.domain(a.Labels) {
		for _, e := range where[a.Map.At(d)] {
			as, bs = append(as, d), append(bs, e)
		}
	}
	if len(as) == 0 {
		return false
	}
	domain := w.fresh(len(as))
	la, lb := slices.Clone(a.Labels), slices.Clone(b.Labels)
	by := w.decode(la, domain, as)
	for l, e := range w.decode(lb, domain, bs) {
		by[l] = e
	}
	w.substitute(by)
	return true
}

// fresh is a domain of n points: one new label, or none for a single point.
func (w *rewriting) fresh(n int) []int {
	if n == 1 {
		return nil
	}
	return []int{w.label(n)}
}

// filter keeps the points at which two axes that share labels have equal positions.
func (w *rewriting) filter(a, b *Axis) bool {
	labels := slices.Clone(a.Labels)
	for _, l := range b.Labels {
		if !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	at := make([]int, len(w.sizes))
	var kept []int
	n := w.domain(labels)
	for d := range n {
		w.coordinates(labels, d, at)
		if a.Map.At(w.index(a.Labels, at)) == b.Map.At(w.index(b.Labels, at)) {
			kept = append(kept, d)
		}
	}
	if len(kept) == 0 || len(kept) == n {
		return len(kept) > 0
	}
	w.substitute(w.decode(labels, w.fresh(len(kept)), kept))
	return true
}
