package structure

import "slices"

// A Sum tells how to add the values of two terms that merge into one: bring both to the labels Result, add, reshape to
// the shape of the value of Term.
type Sum struct {
	Term   Term
	Sizes  []int // of the labels of the plan
	Result []int // labels of the sum's axes
	Spread [2]Spread
}

// A Spread brings a value to the labels of a sum. Its axes are labels of the plan: without Into it is broadcast to the
// other labels; with Into it is embedded in the sum. Where neither serves, element d of the sum is element Table[d] of the
// value, and 0 where that is negative.
type Spread struct {
	Axes  []Axis // for each axis of the value, how the labels of the plan index it
	Into  *Embedding
	Table []int32
}

// Add merges two parallel terms, or returns nil when they had better stay apart. Terms merge when the structure of one
// contains that of the other, that is, when tying labels of one gives the other, and the sum has no more elements than
// both together.
func Add(a, b *Term) *Sum {
	if s := addInto(a, b, 0); s != nil {
		return s
	}
	return addInto(b, a, 1)
}

// addInto adds t to the wider term p, which is operand number at.
func addInto(p, t *Term, at int) *Sum {
	w := &rewriting{sizes: slices.Concat(p.Sizes, t.Sizes)}
	base := len(p.Sizes)
	po, pi := w.add(p.Out, 0), w.add(p.In, 0)
	to, ti := w.add(t.Out, base), w.add(t.In, base)
	pv, tv := w.add(valueAxes(p), 0), w.add(valueAxes(t), base)
	tie := ties(w, slices.Concat(po, pi), slices.Concat(to, ti))
	if tie == nil {
		return nil
	}
	groups := map[int][]int{} // label of t → labels of p that equal it
	for _, l := range labelsOf(slices.Concat(po, pi)) {
		groups[tie[l]] = append(groups[tie[l]], l)
	}
	var value []int
	for _, a := range pv {
		value = append(value, a.Labels...)
	}
	tied := false
	for _, g := range groups {
		tied = tied || len(g) > 1
	}
	for l, g := range groups {
		dependent := slices.ContainsFunc(tv, func(a *Axis) bool { return slices.Contains(a.Labels, l) })
		if dependent || len(g) > 1 {
			for _, x := range g {
				if !slices.Contains(value, x) {
					value = append(value, x)
				}
			}
		}
	}
	if have := p.Elements() + t.Elements(); product(w.sizes, value) > max(have, 1) {
		return nil
	}
	s := &Sum{Sizes: w.sizes}
	s.Term, s.Result = canonical(w.sizes, po, pi, value, false)
	s.Spread[at] = Spread{Axes: deref(pv)}
	if tied {
		if into := s.into(w, groups); into != nil {
			s.Spread[1-at] = Spread{Axes: deref(tv), Into: into}
		} else {
			s.Spread[1-at] = Spread{Table: s.table(w, groups, tv)}
		}
		return s
	}
	back := map[int]Axis{}
	for l, g := range groups {
		back[l] = Direct(w.sizes[l], g[0])
	}
	w.substitute(back)
	s.Spread[1-at] = Spread{Axes: deref(tv)}
	return s
}

// ties finds the label of t that each label of p stands for, so that the axes of p become those of t; nil if there is
// none. Labels are split until their sizes agree.
func ties(w *rewriting, p, t []*Axis) map[int]int {
again:
	tie := map[int]int{}
	for k, a := range p {
		b := t[k]
		direct := w.direct(a) && w.direct(b)
		if !direct && (a.Map.Off != b.Map.Off || a.Map.Stride != b.Map.Stride || !slices.Equal(a.Map.Table, b.Map.Table)) {
			return nil
		}
		i, j := len(a.Labels)-1, len(b.Labels)-1
		for ; i >= 0 && j >= 0; i, j = i-1, j-1 {
			la, lb := a.Labels[i], b.Labels[j]
			sa, sb := w.sizes[la], w.sizes[lb]
			switch {
			case sa == sb:
			case direct && sa%sb == 0:
				w.split(la, sb)
				goto again
			case direct && sb%sa == 0:
				w.split(lb, sa)
				goto again
			default:
				return nil
			}
			if have, seen := tie[la]; seen && have != lb {
				return nil
			}
			tie[la] = lb
		}
		if i >= 0 || j >= 0 {
			return nil
		}
	}
	return tie
}

// into embeds the value of the narrower term in the sum: its label l moves all labels of groups[l] at once.
func (s *Sum) into(w *rewriting, groups map[int][]int) *Embedding {
	stride := make([]int, len(s.Sizes)) // of the labels of the sum
	n := 1
	for k := len(s.Result) - 1; k >= 0; k-- {
		stride[s.Result[k]] = n
		n *= s.Sizes[s.Result[k]]
	}
	var labels, steps []int
	for l, g := range groups {
		step := 0
		for _, x := range g {
			step += stride[x]
		}
		if step > 0 {
			labels, steps = append(labels, l), append(steps, step)
		}
	}
	return embed(w.sizes, labels, steps, 0, n)
}

// table finds where each element of the sum comes from in the value of the narrower term.
func (s *Sum) table(w *rewriting, groups map[int][]int, value []*Axis) []int32 {
	table := make([]int32, product(s.Sizes, s.Result))
	at := make([]int, len(s.Sizes))
	for d := range table {
		w.coordinates(s.Result, d, at)
		table[d] = -1
		equal := true
		for l, g := range groups {
			for _, x := range g[1:] {
				equal = equal && at[x] == at[g[0]]
			}
			at[l] = at[g[0]]
		}
		if equal {
			flat := 0
			for _, a := range value {
				flat = flat*a.Size + a.Map.At(w.index(a.Labels, at))
			}
			table[d] = int32(flat)
		}
	}
	return table
}

func labelsOf(axes []*Axis) []int {
	var labels []int
	for _, a := range axes {
		for _, l := range a.Labels {
			if !slices.Contains(labels, l) {
				labels = append(labels, l)
			}
		}
	}
	return labels
}
