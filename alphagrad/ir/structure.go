package ir

import (
	"fmt"
	"slices"
)

// source says where one element of an index map's result comes from: element index of argument arg, or nowhere (a
// padded zero) when arg is -1.
type source struct {
	arg, index int32
}

// rowMajor gives the stride of each axis in row-major order.
func rowMajor(s Shape) []int {
	st := make([]int, len(s))
	for i, n := len(s)-1, 1; i >= 0; i-- {
		st[i] = n
		n *= s[i]
	}
	return st
}

// eachIndex calls f with every multi-index of shape s in row-major order; f must not keep the slice.
func eachIndex(s Shape, f func(flat int, idx []int)) {
	idx := make([]int, len(s))
	for flat, n := 0, s.Size(); flat < n; flat++ {
		f(flat, idx)
		for a := len(s) - 1; a >= 0; a-- {
			if idx[a]++; idx[a] < s[a] {
				break
			}
			idx[a] = 0
		}
	}
}

// mapIndex builds an index map of one argument from a function of the result's multi-index.
func mapIndex(out Shape, f func(idx []int) int) []source {
	m := make([]source, out.Size())
	eachIndex(out, func(flat int, idx []int) { m[flat] = source{0, int32(f(idx))} })
	return m
}

func reshapeShape(a *Attrs, args []Shape) (Shape, error) {
	if err := checkSize(a.Shape); err != nil {
		return nil, err
	}
	if a.Shape.Size() != args[0].Size() {
		return nil, fmt.Errorf("cannot reshape %v (%d elements) to %v (%d elements)", args[0], args[0].Size(), a.Shape, a.Shape.Size())
	}
	return nonNil(a.Shape), nil
}

func reshapeIndex(_ *Attrs, _ []Shape, out Shape) []source {
	m := make([]source, out.Size())
	for i := range m {
		m[i] = source{0, int32(i)}
	}
	return m
}

func transposeShape(a *Attrs, args []Shape) (Shape, error) {
	if err := checkAxes(a.Axes, len(args[0])); err != nil {
		return nil, err
	}
	if len(a.Axes) != len(args[0]) {
		return nil, fmt.Errorf("axes %v must list each of the %d axes of %v once", a.Axes, len(args[0]), args[0])
	}
	out := make(Shape, len(a.Axes))
	for i, ax := range a.Axes {
		out[i] = args[0][ax]
	}
	return out, nil
}

func transposeIndex(a *Attrs, args []Shape, out Shape) []source {
	st := rowMajor(args[0])
	return mapIndex(out, func(idx []int) int {
		k := 0
		for i, ax := range a.Axes {
			k += idx[i] * st[ax]
		}
		return k
	})
}

// broadcastShape: operand axis i becomes result axis Axes[i]; an axis of size 1 stretches.
func broadcastShape(a *Attrs, args []Shape) (Shape, error) {
	if err := checkAxes(a.Axes, len(a.Shape)); err != nil {
		return nil, err
	}
	if len(a.Axes) != len(args[0]) {
		return nil, fmt.Errorf("axes %v must give a result axis for each of the %d axes of %v", a.Axes, len(args[0]), args[0])
	}
	for i, ax := range a.Axes {
		if args[0][i] != 1 && args[0][i] != a.Shape[ax] {
			return nil, fmt.Errorf("axis %d of %v does not broadcast to axis %d of %v", i, args[0], ax, a.Shape)
		}
	}
	return nonNil(a.Shape), nil
}

func broadcastIndex(a *Attrs, args []Shape, out Shape) []source {
	st := rowMajor(args[0])
	return mapIndex(out, func(idx []int) int {
		k := 0
		for i, ax := range a.Axes {
			if args[0][i] != 1 {
				k += idx[ax] * st[i]
			}
		}
		return k
	})
}

func (a *Attrs) stride(axis int) int {
	if a.Stride == nil {
		return 1
	}
	return a.Stride[axis]
}

func sliceShape(a *Attrs, args []Shape) (Shape, error) {
	in := args[0]
	if len(a.Start) != len(in) || len(a.Limit) != len(in) || (a.Stride != nil && len(a.Stride) != len(in)) {
		return nil, fmt.Errorf("start, limit and stride must each have one entry for each of the %d axes of %v", len(in), in)
	}
	out := make(Shape, len(in))
	for i, d := range in {
		if a.Start[i] < 0 || a.Limit[i] > d || a.Start[i] >= a.Limit[i] || a.stride(i) < 1 {
			return nil, fmt.Errorf("slice %d:%d:%d does not fit axis %d of %v", a.Start[i], a.Limit[i], a.stride(i), i, in)
		}
		out[i] = (a.Limit[i]-a.Start[i]-1)/a.stride(i) + 1
	}
	return out, nil
}

func sliceIndex(a *Attrs, args []Shape, out Shape) []source {
	st := rowMajor(args[0])
	return mapIndex(out, func(idx []int) int {
		k := 0
		for i := range idx {
			k += (a.Start[i] + idx[i]*a.stride(i)) * st[i]
		}
		return k
	})
}

func concatShape(a *Attrs, args []Shape) (Shape, error) {
	first := args[0]
	if a.Axis < 0 || a.Axis >= len(first) {
		return nil, fmt.Errorf("axis %d does not exist in %v", a.Axis, first)
	}
	out := slices.Clone(first)
	out[a.Axis] = 0
	for _, s := range args {
		ok := len(s) == len(first)
		for i := 0; ok && i < len(s); i++ {
			ok = i == a.Axis || s[i] == first[i]
		}
		if !ok {
			return nil, fmt.Errorf("cannot join %v and %v along axis %d", first, s, a.Axis)
		}
		if out[a.Axis] += s[a.Axis]; out[a.Axis] > maxSize {
			return nil, fmt.Errorf("axis %d of the result has more than %d elements", a.Axis, maxSize)
		}
	}
	return out, nil
}

func concatIndex(a *Attrs, args []Shape, out Shape) []source {
	strides := make([][]int, len(args))
	for k, s := range args {
		strides[k] = rowMajor(s)
	}
	m := make([]source, out.Size())
	eachIndex(out, func(flat int, idx []int) {
		arg, pos := 0, idx[a.Axis]
		for pos >= args[arg][a.Axis] {
			pos -= args[arg][a.Axis]
			arg++
		}
		k := 0
		for i, x := range idx {
			if i == a.Axis {
				x = pos
			}
			k += x * strides[arg][i]
		}
		m[flat] = source{int32(arg), int32(k)}
	})
	return m
}

func padShape(a *Attrs, args []Shape) (Shape, error) {
	in := args[0]
	if len(a.Low) != len(in) || len(a.High) != len(in) {
		return nil, fmt.Errorf("low and high must each have one entry for each of the %d axes of %v", len(in), in)
	}
	out := make(Shape, len(in))
	for i, d := range in {
		if a.Low[i] < 0 || a.High[i] < 0 || a.Low[i] > maxSize || a.High[i] > maxSize {
			return nil, fmt.Errorf("padding %d and %d of axis %d must lie in 0…%d", a.Low[i], a.High[i], i, maxSize)
		}
		out[i] = a.Low[i] + d + a.High[i]
	}
	return out, nil
}

func padIndex(a *Attrs, args []Shape, out Shape) []source {
	st := rowMajor(args[0])
	m := make([]source, out.Size())
	eachIndex(out, func(flat int, idx []int) {
		k := 0
		for i, x := range idx {
			x -= a.Low[i]
			if x < 0 || x >= args[0][i] {
				m[flat] = source{-1, 0}
				return
			}
			k += x * st[i]
		}
		m[flat] = source{0, int32(k)}
	})
	return m
}

// gatherShape: result axis Axis runs over Indices.
func gatherShape(a *Attrs, args []Shape) (Shape, error) {
	in := args[0]
	if a.Axis < 0 || a.Axis >= len(in) {
		return nil, fmt.Errorf("axis %d does not exist in %v", a.Axis, in)
	}
	for _, k := range a.Indices {
		if k < 0 || k >= in[a.Axis] {
			return nil, fmt.Errorf("index %d is outside axis %d of %v", k, a.Axis, in)
		}
	}
	out := slices.Clone(in)
	out[a.Axis] = len(a.Indices)
	return out, nil
}

func gatherIndex(a *Attrs, args []Shape, out Shape) []source {
	st := rowMajor(args[0])
	return mapIndex(out, func(idx []int) int {
		k := 0
		for i, x := range idx {
			if i == a.Axis {
				x = a.Indices[x]
			}
			k += x * st[i]
		}
		return k
	})
}

func reduceShape(a *Attrs, args []Shape) (Shape, error) {
	if err := checkAxes(a.Axes, len(args[0])); err != nil {
		return nil, err
	}
	out := Shape{}
	for i, d := range args[0] {
		if !slices.Contains(a.Axes, i) {
			out = append(out, d)
		}
	}
	return out, nil
}

// reduceGroups lists, for each result element, the argument elements it combines, in row-major order.
func reduceGroups(a *Attrs, in, out Shape) [][]int32 {
	groups := make([][]int32, out.Size())
	st := rowMajor(out)
	eachIndex(in, func(flat int, idx []int) {
		k, o := 0, 0
		for i, x := range idx {
			if !slices.Contains(a.Axes, i) {
				k += x * st[o]
				o++
			}
		}
		groups[k] = append(groups[k], int32(flat))
	})
	return groups
}

func checkAxes(axes []int, rank int) error {
	for i, ax := range axes {
		if ax < 0 || ax >= rank {
			return fmt.Errorf("axis %d does not exist; there are %d axes", ax, rank)
		}
		if slices.Contains(axes[:i], ax) {
			return fmt.Errorf("axis %d is listed twice", ax)
		}
	}
	return nil
}

func nonNil(s Shape) Shape {
	if s == nil {
		return Shape{}
	}
	return s
}
