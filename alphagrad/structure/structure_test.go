package structure

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// each calls f with every assignment of the labels.
func each(sizes []int, f func(at []int)) {
	at := make([]int, len(sizes))
	for {
		f(at)
		k := len(sizes) - 1
		for ; k >= 0; k-- {
			if at[k]++; at[k] < sizes[k] {
				break
			}
			at[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// position is where labels lead on an axis, from the definition.
func position(a Axis, sizes, at []int) int {
	d := 0
	for _, l := range a.Labels {
		d = d*sizes[l] + at[l]
	}
	return a.Map.At(d)
}

func flat(axes []Axis, sizes, at []int) int {
	n := 0
	for _, a := range axes {
		n = n*a.Size + position(a, sizes, at)
	}
	return n
}

func size(axes []Axis) int {
	n := 1
	for _, a := range axes {
		n *= a.Size
	}
	return n
}

// dense evaluates the definition of a term: rows are the positions of Out, columns those of In.
func dense(t *Term, value []float64) []float64 {
	m := make([]float64, size(t.Out)*size(t.In))
	each(t.Sizes, func(at []int) {
		k := 0
		for _, l := range t.Value {
			k = k*t.Sizes[l] + at[l]
		}
		m[flat(t.Out, t.Sizes, at)*size(t.In)+flat(t.In, t.Sizes, at)] += value[k]
	})
	return m
}

// numbers computes values as the plans say, term by term.
var numbers = Arithmetic[[]float64]{
	Multiply: func(p *Product, l, r Item[[]float64]) []float64 {
		out := make([]float64, p.Term.size())
		used := map[int]bool{} // labels that the contraction runs over
		for _, a := range slices.Concat(p.Left, p.Right) {
			for _, l := range a.Labels {
				used[l] = true
			}
		}
		sizes := slices.Clone(p.Sizes)
		for l := range sizes {
			if !used[l] {
				sizes[l] = 1
			}
		}
		each(sizes, func(at []int) {
			k := 0
			for _, l := range p.Result {
				k = k*sizes[l] + at[l]
			}
			out[k] += float64(p.Factor) * l.Value[flat(p.Left, p.Sizes, at)] * r.Value[flat(p.Right, p.Sizes, at)]
		})
		return out
	},
	Add: func(s *Sum, a, b Item[[]float64]) []float64 {
		out := make([]float64, s.Term.size())
		sizes := make([]int, len(s.Result))
		for i, l := range s.Result {
			sizes[i] = s.Sizes[l]
		}
		for k, v := range [][]float64{a.Value, b.Value} {
			if e := s.Spread[k].Into; e != nil {
				each(e.Sizes, func(label []int) {
					at := make([]int, len(s.Sizes))
					for i, l := range e.Labels {
						at[l] = label[i]
					}
					out[place(e, label)] += v[flat(s.Spread[k].Axes, s.Sizes, at)]
				})
				continue
			}
			d := 0
			each(sizes, func(result []int) {
				at := make([]int, len(s.Sizes))
				for i, l := range s.Result {
					at[l] = result[i]
				}
				if from := s.Spread[k]; from.Table == nil {
					out[d] += v[flat(from.Axes, s.Sizes, at)]
				} else if from.Table[d] >= 0 {
					out[d] += v[from.Table[d]]
				}
				d++
			})
		}
		return out
	},
}

func (t *Term) size() int { return int(product(t.Sizes, t.Value)) }

// drawAxes draws the axes of a tensor of a given shape over labels that may be shared with other axes.
func drawAxes(t *rapid.T, sizes *[]int, shape []int) []*Axis {
	var axes []*Axis
	label := func(n int) int {
		var same []int
		for l, s := range *sizes {
			if s == n {
				same = append(same, l)
			}
		}
		if len(same) > 0 && rapid.Bool().Draw(t, "shared") {
			return rapid.SampledFrom(same).Draw(t, "label")
		}
		*sizes = append(*sizes, n)
		return len(*sizes) - 1
	}
	for _, n := range shape {
		a := &Axis{Size: n, Map: identity}
		switch kind := rapid.IntRange(0, 5).Draw(t, "axis"); {
		case kind == 0 && n%2 == 0 && n > 2:
			a.Labels = []int{label(n / 2), label(2)}
			if a.Labels[0] == a.Labels[1] {
				a.Labels = []int{label(n)}
			}
		case kind == 1:
			a.Map = Map{Off: rapid.IntRange(0, n-1).Draw(t, "position"), Stride: 1}
		case kind == 2:
			m := rapid.IntRange(2, 3).Draw(t, "points")
			table := make([]int32, m)
			for d := range table {
				table[d] = int32(rapid.IntRange(0, n-1).Draw(t, "position"))
			}
			a.Labels, a.Map = []int{label(m)}, Map{Table: table}.affine(m)
		case kind == 3 && n > 2:
			m := rapid.IntRange(2, n-1).Draw(t, "points")
			a.Labels, a.Map = []int{label(m)}, Map{Off: rapid.IntRange(0, n-m).Draw(t, "off"), Stride: 1}
		default:
			a.Labels = []int{label(n)}
		}
		axes = append(axes, a)
	}
	return axes
}

func drawShape(t *rapid.T) []int {
	return rapid.SliceOfN(rapid.SampledFrom([]int{2, 3, 4, 6}), 0, 2).Draw(t, "shape")
}

func drawTerm(t *rapid.T, out, in []int) Item[[]float64] {
	var sizes []int
	o := drawAxes(t, &sizes, out)
	i := drawAxes(t, &sizes, in)
	var value []int
	unit := rapid.IntRange(0, 3).Draw(t, "unit") == 0
	for _, l := range labelsOf(slices.Concat(o, i)) {
		if !unit && rapid.IntRange(0, 2).Draw(t, "depends") > 0 {
			value = append(value, l)
		}
	}
	term, _ := canonical(sizes, o, i, value, unit)
	v := make([]float64, term.size())
	for k := range v {
		v[k] = 1
		if !unit {
			v[k] = rapid.Float64Range(-2, 2).Draw(t, "v")
		}
	}
	return Item[[]float64]{&term, v}
}

func drawEdge(t *rapid.T, out, in []int) (e Edge[[]float64]) {
	for range rapid.IntRange(1, 2).Draw(t, "terms") {
		e = numbers.insert(e, drawTerm(t, out, in))
	}
	return e
}

func denseEdge(e Edge[[]float64], rows, columns int) []float64 {
	m := make([]float64, rows*columns)
	for _, x := range e {
		for k, v := range dense(x.Term, x.Value) {
			m[k] += v
		}
	}
	return m
}

func total(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

func near(t *rapid.T, what string, got, want []float64) {
	t.Helper()
	for k := range want {
		if math.Abs(got[k]-want[k]) > 1e-12*(1+math.Abs(want[k])) {
			t.Fatalf("%s: entry %d is %v, want %v", what, k, got[k], want[k])
		}
	}
}

// TestAgainstDenseMatrices: products and sums of random structures equal those of the dense matrices.
func TestAgainstDenseMatrices(t *testing.T) {
	merged, products := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		zs, ys, xs := drawShape(t), drawShape(t), drawShape(t)
		z, y, x := total(zs), total(ys), total(xs)
		l, r, other := drawEdge(t, zs, ys), drawEdge(t, ys, xs), drawEdge(t, zs, xs)
		p, muls := numbers.MultiplyEdges(l, r)
		want := make([]float64, z*x)
		a, b := denseEdge(l, z, y), denseEdge(r, y, x)
		for i := range z {
			for j := range y {
				for k := range x {
					want[i*x+k] += a[i*y+j] * b[j*x+k]
				}
			}
		}
		near(t, fmt.Sprintf("%v · %v = %v", terms(l), terms(r), terms(p)), denseEdge(p, z, x), want)
		if muls < 0 {
			t.Fatalf("%d multiplications", muls)
		}
		products++
		sum := numbers.AddEdges(p, other)
		if len(sum) < len(p)+len(other) {
			merged++
		}
		for k, v := range denseEdge(other, z, x) {
			want[k] += v
		}
		near(t, fmt.Sprintf("%v + %v = %v", terms(p), terms(other), terms(sum)), denseEdge(sum, z, x), want)
		for _, i := range sum {
			near(t, "densified "+i.Term.String(), densified(i), dense(i.Term, i.Value))
		}
	})
	if merged*20 < products {
		t.Errorf("only %d of %d sums merged", merged, products)
	}
}

func densified(i Item[[]float64]) []float64 {
	d := i.Term.Densify()
	out := make([]float64, size(i.Term.Out)*size(i.Term.In))
	if e := d.Into; e != nil {
		last := -1
		each(e.Sizes, func(label []int) {
			if p := place(e, label); p <= last || p >= e.Size {
				panic(fmt.Sprintf("%s: an element at %d follows one at %d of %d", i.Term, p, last, e.Size))
			} else {
				last = p
			}
			v := 0
			for _, l := range i.Term.Value {
				v = v*i.Term.Sizes[l] + label[slices.Index(e.Labels, l)]
			}
			out[place(e, label)] += i.Value[v]
		})
	}
	for _, r := range d.Rounds {
		for k, from := range r {
			if from >= 0 {
				out[k] += i.Value[from]
			}
		}
	}
	return out
}

// place is where an embedding puts an element.
func place(e *Embedding, label []int) int {
	p := e.Base
	for k, step := range e.Steps {
		p += step * label[k]
	}
	return p
}

func terms(e Edge[[]float64]) (s []string) {
	for _, i := range e {
		s = append(s, i.Term.String())
	}
	return s
}

// term builds a term of directly indexed axes from labels written as letters, all of size n.
func term(n map[byte]int, out, in, value string, unit bool) *Term {
	var sizes []int
	number := map[byte]int{}
	axes := func(s string) (list []Axis) {
		for k := range len(s) {
			c := s[k]
			if _, seen := number[c]; !seen {
				number[c] = len(sizes)
				sizes = append(sizes, n[c])
			}
			list = append(list, Direct(n[c], number[c]))
		}
		return list
	}
	o, i := axes(out), axes(in)
	var v []int
	for k := range len(value) {
		v = append(v, number[value[k]])
	}
	t, _ := New(sizes, o, i, v, unit)
	return t
}

// TestMultiplications pins the structures that the design names: the count is the product of the sizes of the labels that
// the values depend on, and a unit costs nothing.
func TestMultiplications(t *testing.T) {
	n := map[byte]int{'a': 5, 'b': 7, 'c': 3, 'd': 2, 'i': 5, 'j': 7, 'k': 3}
	for _, c := range []struct {
		name        string
		left, right *Term
		muls        int64
		result      string
	}{
		{name: "diagonal · diagonal", left: term(n, "a", "a", "a", false), right: term(n, "a", "a", "a", false), muls: 5, result: "[a | a] over a:5"},
		{name: "dense · diagonal", left: term(n, "a", "b", "ab", false), right: term(n, "b", "b", "b", false), muls: 35, result: "[a | b] over a:5 b:7"},
		{name: "dense · dense", left: term(n, "a", "b", "ab", false), right: term(n, "b", "c", "bc", false), muls: 105, result: "[a | b] over a:5 b:3"},
		{name: "identity · dense", left: term(n, "a", "a", "", true), right: term(n, "a", "b", "ab", false), muls: 0, result: "[a | b] over a:5 b:7"},
		{name: "batched diagonal · matrix product by its first factor", left: term(n, "ik", "ik", "ik", false), right: term(n, "ik", "ij", "jk", false), muls: 105, result: "[a b | a c] over a:5 b:3 c:7"},
		{name: "broadcast then sum is a factor", left: term(n, "a", "ab", "", true), right: term(n, "ab", "a", "", true), muls: 0, result: "[a | a] over "},
		{name: "sum over a diagonal needs none", left: term(n, "", "a", "", true), right: term(n, "a", "a", "a", false), muls: 0, result: "[ | a] over a:5"},
		{name: "Kronecker · Kronecker", left: term(n, "ab", "cb", "ac", false), right: term(n, "cb", "cd", "bd", false), muls: 5 * 3 * 7 * 2, result: "[a b | c d] over a:5 b:7 c:3 d:2"},
	} {
		p := Multiply(c.left, c.right)
		if p.Muls != c.muls || p.Term.String() != c.result {
			t.Errorf("%s: %s with %d multiplications, want %s with %d", c.name, &p.Term, p.Muls, c.result, c.muls)
		}
	}
}

// TestMultiplicationsAreSizesOfLabels: for random structures of directly indexed axes, the count is the product of the sizes
// of all labels that either value depends on, once the labels of the axes between are made one, without those that one side
// sums beforehand: worked out here by classes of labels, apart from the algebra.
func TestMultiplicationsAreSizesOfLabels(t *testing.T) {
	counted := 0
	rapid.Check(t, func(t *rapid.T) {
		sizes := []int{2, 3, 2, 5, 3, 2, 3, 2, 5, 3} // labels 0 to 4 are the left term's, 5 to 9 the right one's
		draw := func(from int, shape []int) (axes []int) {
			for _, n := range shape {
				var fits []int
				for l := from; l < from+5; l++ {
					if sizes[l] == n && !slices.Contains(axes, l) {
						fits = append(fits, l)
					}
				}
				axes = append(axes, rapid.SampledFrom(fits).Draw(t, "label"))
			}
			return axes
		}
		shape := func() (s []int) {
			for _, n := range []int{2, 3, 5} {
				if rapid.Bool().Draw(t, "axis") {
					s = append(s, n)
				}
			}
			return s
		}
		zs, ys, xs := shape(), shape(), shape()
		lo, li, ro, ri := draw(0, zs), draw(0, ys), draw(5, ys), draw(5, xs)
		direct := func(labels []int, from int) (axes []Axis) {
			for _, l := range labels {
				axes = append(axes, Direct(sizes[l], l-from))
			}
			return axes
		}
		values := func(out, in []int) (list []int) {
			for _, l := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(out, in)))) {
				if rapid.IntRange(0, 3).Draw(t, "depends") > 0 {
					list = append(list, l)
				}
			}
			return list
		}
		lv, rv := values(lo, li), values(ro, ri)
		shifted := slices.Clone(rv)
		for k := range shifted {
			shifted[k] -= 5
		}
		left, _ := New(sizes[:5], direct(lo, 0), direct(li, 0), lv, false)
		right, _ := New(sizes[5:], direct(ro, 5), direct(ri, 5), shifted, false)

		class := make([]int, len(sizes))
		for l := range class {
			class[l] = l
		}
		for k := range ys { // the axes between: label li[k] is label ro[k]
			for l, c := range class {
				if c == class[ro[k]] && l != ro[k] {
					class[l] = class[li[k]]
				}
			}
			class[ro[k]] = class[li[k]]
		}
		in := func(labels []int) map[int]bool {
			set := map[int]bool{}
			for _, l := range labels {
				set[class[l]] = true
			}
			return set
		}
		a, b, result, all := in(lv), in(rv), in(slices.Concat(lo, ri)), in(slices.Concat(lo, li, ro, ri))
		want, factor, kept := int64(1), false, int64(1)
		for c := range all {
			switch {
			case result[c] && (a[c] || b[c]):
				want, kept = want*int64(sizes[c]), kept*int64(sizes[c])
			case a[c] && b[c]:
				want *= int64(sizes[c])
			case !result[c] && !a[c] && !b[c]:
				factor = true // summed, and nothing depends on it
			}
		}
		if factor {
			want += kept
		}
		if got := Multiply(left, right).Muls; got != want {
			t.Fatalf("%s · %s takes %d multiplications, want %d", left, right, got, want)
		}
		if want > 1 {
			counted++
		}
	})
	if counted < 50 {
		t.Errorf("only %d products took more than one multiplication", counted)
	}
}

func TestSumsThatMerge(t *testing.T) {
	n := map[byte]int{'a': 5, 'b': 7, 'c': 5}
	for _, c := range []struct {
		name   string
		a, b   *Term
		result string // empty: they stay apart
	}{
		{"equal structures", term(n, "a", "a", "a", false), term(n, "a", "a", "a", false), "[a | a] over a:5"},
		{"two identities", term(n, "a", "a", "", true), term(n, "a", "a", "", true), "[a | a] over "},
		{"identity and dense", term(n, "a", "a", "", true), term(n, "a", "c", "ac", false), "[a | b] over a:5 b:5"},
		{"outer product and row", term(n, "a", "b", "a", false), term(n, "a", "b", "b", false), ""},
		{"identity and ones", term(n, "a", "a", "", true), term(n, "a", "c", "", true), ""},
	} {
		for _, s := range []*Sum{Add(c.a, c.b), Add(c.b, c.a)} {
			got := ""
			if s != nil {
				got = s.Term.String()
			}
			if got != c.result {
				t.Errorf("%s: %q, want %q", c.name, got, c.result)
			}
		}
	}
}

// TestEmbeddings: diagonals, bands and Kronecker structures are written densely, and added to dense ones, without tables.
func TestEmbeddings(t *testing.T) {
	n := map[byte]int{'a': 5, 'b': 7, 'c': 3, 'd': 5}
	band := term(n, "a", "a", "a", false)
	band.In[0] = Axis{Size: 9, Labels: []int{0}, Map: Map{Off: 2, Stride: 1}}
	for _, c := range []*Term{
		term(n, "ab", "ab", "ab", false), term(n, "ab", "ba", "a", false), term(n, "ab", "cb", "ac", false), term(n, "ab", "ac", "", true), term(n, "ab", "c", "c", false), band,
	} {
		if d := c.Densify(); d.Into == nil {
			t.Errorf("%s needs a table", c)
		}
	}
	if d := term(n, "", "", "", true).Densify(); d.Into == nil || d.Into.Size != 1 {
		t.Errorf("a number becomes %+v", d)
	}
	if s := Add(term(n, "a", "a", "a", false), term(n, "a", "d", "ad", false)); s == nil || s.Spread[0].Table != nil || s.Spread[1].Table != nil {
		t.Errorf("a diagonal is added to a dense matrix by a table: %+v", s)
	}
	if d := term(n, "a", "b", "", true); d.Densify().Into == nil {
		t.Error("ones need a table")
	}
	meet := &Term{Sizes: []int{5}, Out: []Axis{{Size: 1, Map: identity}}, In: []Axis{{Size: 1, Map: identity}}, Value: []int{0}}
	if d := meet.Densify(); d.Into != nil || len(d.Rounds) != 5 {
		t.Errorf("five terms in one entry: %+v", d)
	}
}

// TestSlicesStayThin: a difference of neighbours on 100,000 points composes without tables or dense blocks.
func TestSlicesStayThin(t *testing.T) {
	const n = 100_000
	window := func(size, off int) *Term { // y[i] = x[i+off]
		return &Term{Sizes: []int{size}, Out: []Axis{Direct(size, 0)}, In: []Axis{{Size: n, Labels: []int{0}, Map: Map{Off: off, Stride: 1}}}, Unit: true}
	}
	diagonal := &Term{Sizes: []int{n}, Out: []Axis{Direct(n, 0)}, In: []Axis{Direct(n, 0)}, Value: []int{0}}
	p := Multiply(window(n-1, 1), diagonal)
	if p.Muls != 0 || p.Term.In[0].Map.Table != nil || p.Term.In[0].Map.Off != 1 || p.Term.Elements() != n-1 {
		t.Errorf("slice of a diagonal: %s with %d multiplications", &p.Term, p.Muls)
	}
	if Add(window(n-1, 0), window(n-1, 1)) != nil {
		t.Error("two bands merge")
	}
}
