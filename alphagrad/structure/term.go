package structure

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// A Map sends the row-major index of an axis's labels to a position on the axis: Off + Stride·d, or Table[d].
type Map struct {
	Off, Stride int
	Table       []int32 // nil: affine
}

// At is the position of index d.
func (m Map) At(d int) int {
	if m.Table != nil {
		return int(m.Table[d])
	}
	return m.Off + m.Stride*d
}

// identity is the map of an axis that its labels index directly.
var identity = Map{Stride: 1}

// An Axis is one axis of a tensor, indexed by labels.
type Axis struct {
	Size   int   // positions on the axis
	Labels []int // row-major: the last runs fastest; none: the one position Map.Off
	Map    Map
}

// Direct is an axis indexed by one label of its own size.
func Direct(size, label int) Axis { return Axis{Size: size, Labels: []int{label}, Map: identity} }

func (a Axis) clone() Axis {
	a.Labels = slices.Clone(a.Labels)
	return a
}

func (a Axis) equal(b Axis) bool {
	return a.Size == b.Size && slices.Equal(a.Labels, b.Labels) && a.Map.Off == b.Map.Off && a.Map.Stride == b.Map.Stride && slices.Equal(a.Map.Table, b.Map.Table)
}

// A Term is one structured Jacobian. Its labels are numbered from 0 in the order in which Out and In mention them.
type Term struct {
	Sizes []int  // size of every label, at least 2
	Out   []Axis // axes of y
	In    []Axis // axes of x
	Value []int  // labels the value depends on, ascending: the axes of the value
	Unit  bool   // the value is the constant +1 or −1; Value is then empty
}

// Elements is the number of elements of the value, 0 for a unit.
func (t *Term) Elements() int64 {
	if t.Unit {
		return 0
	}
	return product(t.Sizes, t.Value)
}

// ValueShape is the shape of the value.
func (t *Term) ValueShape() []int {
	s := make([]int, len(t.Value))
	for i, l := range t.Value {
		s[i] = t.Sizes[l]
	}
	return s
}

// product multiplies the sizes of some labels.
func product(sizes, labels []int) int64 {
	n := int64(1)
	for _, l := range labels {
		n *= int64(sizes[l])
	}
	return n
}

// key identifies a canonical term.
func (t *Term) key() string {
	var b []byte
	put := func(n int) { b = binary.AppendVarint(b, int64(n)) }
	list := func(l []int) {
		put(len(l))
		for _, x := range l {
			put(x)
		}
	}
	list(t.Sizes)
	for _, axes := range [][]Axis{t.Out, t.In} {
		put(len(axes))
		for _, a := range axes {
			put(a.Size)
			list(a.Labels)
			put(a.Map.Off)
			put(a.Map.Stride)
			if a.Map.Table != nil {
				h := sha256.New()
				_ = binary.Write(h, binary.LittleEndian, a.Map.Table)
				b = h.Sum(append(b, 't'))
			}
		}
	}
	list(t.Value)
	if t.Unit {
		b = append(b, 'u')
	}
	return string(b)
}

// String prints a term such as "[a b | a c] over a c", positions that go through a map marked by an asterisk.
func (t *Term) String() string {
	name := func(l int) string {
		if l < 26 {
			return string(rune('a' + l))
		}
		return fmt.Sprintf("l%d", l)
	}
	side := func(axes []Axis) string {
		var s []string
		for _, a := range axes {
			var n string
			for _, l := range a.Labels {
				n += name(l)
			}
			if len(a.Labels) == 0 {
				n = fmt.Sprint(a.Map.Off)
			} else if !a.direct(t.Sizes) {
				n += "*"
			}
			s = append(s, n)
		}
		return strings.Join(s, " ")
	}
	text := "[" + side(t.Out) + " | " + side(t.In) + "]"
	if t.Unit {
		return text + " unit"
	}
	var v []string
	for _, l := range t.Value {
		v = append(v, fmt.Sprintf("%s:%d", name(l), t.Sizes[l]))
	}
	return text + " over " + strings.Join(v, " ")
}

// direct reports whether the labels run over all positions of the axis in order.
func (a Axis) direct(sizes []int) bool {
	return a.Map.Table == nil && a.Map.Off == 0 && a.Map.Stride == 1 && product(sizes, a.Labels) == int64(a.Size)
}

// affine replaces a table by the affine map it is, if it is one. A single position counts as stride 1.
func (m Map) affine(n int) Map {
	if n == 1 {
		return Map{Off: m.At(0), Stride: 1}
	}
	if m.Table == nil {
		return m
	}
	off, stride := int(m.Table[0]), int(m.Table[1])-int(m.Table[0])
	for d, p := range m.Table {
		if int(p) != off+stride*d {
			return m
		}
	}
	return Map{Off: off, Stride: stride}
}

// Each calls f for every product of the sum that defines the term: element out of y by element in of x, both row-major,
// gets element value of the value.
func (t *Term) Each(f func(out, in, value int)) {
	at := make([]int, len(t.Sizes))
	flat := func(axes []Axis) (n int) {
		for _, a := range axes {
			d := 0
			for _, l := range a.Labels {
				d = d*t.Sizes[l] + at[l]
			}
			n = n*a.Size + a.Map.At(d)
		}
		return n
	}
	for {
		value := 0
		for _, l := range t.Value {
			value = value*t.Sizes[l] + at[l]
		}
		f(flat(t.Out), flat(t.In), value)
		k := len(at) - 1
		for ; k >= 0; k-- {
			if at[k]++; at[k] < t.Sizes[k] {
				break
			}
			at[k] = 0
		}
		if k < 0 {
			return
		}
	}
}
