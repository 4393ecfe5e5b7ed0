package gomlx

import (
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/gomlx/core/graph"
)

// gather reads a gather whose indices are constant ([tracer.reach] refuses others). Result axis offset[i] runs over the
// i-th axis of the slices that is not collapsed, the others over the index vectors; a slice that would cross the end is
// moved back, as in XLA.
func gather(t *tracer, n *graph.Node) (*ir.Value, error) {
	from := n.Inputs()[1]
	x, indices := t.full(n.Inputs()[0]), t.constants[from]
	offset, collapsed := ints(n, "offsetOutputAxes"), ints(n, "collapsedSliceAxes")
	indexMap, sizes := ints(n, "startIndexMap"), ints(n, "sliceSizes")
	vectorAxis := int(param(n, "indexVectorAxis").Int())
	shape, dims := x.Shape(), ir.Shape(from.Shape().Dimensions)

	// start gives the first element of the slice at a position of the index array, its vector axis left out.
	strides := rowMajor(dims)
	start := func(at []int, k int) int {
		flat := 0
		for axis, stride := range strides {
			switch {
			case axis == vectorAxis:
				flat += k * stride
			case axis > vectorAxis:
				flat += at[axis-1] * stride
			default:
				flat += at[axis] * stride
			}
		}
		return min(max(int(indices[flat]), 0), shape[indexMap[k]]-sizes[indexMap[k]])
	}
	if v := gatherAxis(n, x, start, offset, collapsed, indexMap, sizes); v != nil {
		return v, nil
	}

	// Any other gather: the result is a list of elements of x.
	result := ir.Shape(n.Shape().Dimensions)
	into := rowMajor(shape)
	list := make([]int, 0, result.Size())
	eachIndex(result, func(position []int) {
		var at []int
		element, slot := 0, 0
		var inSlice []int
		for axis, p := range position {
			if slices.Contains(offset, axis) {
				inSlice = append(inSlice, p)
			} else {
				at = append(at, p)
			}
		}
		for axis := range shape {
			if !slices.Contains(collapsed, axis) {
				element += inSlice[slot] * into[axis]
				slot++
			}
		}
		for k, axis := range indexMap {
			element += start(at, k) * into[axis]
		}
		list = append(list, element)
	})
	return ir.Reshape(ir.Gather(ir.Reshape(x, shape.Size()), 0, list...), result...), nil
}

// gatherAxis reads a gather of whole rows along one axis, the usual one; nil for any other.
func gatherAxis(n *graph.Node, x *ir.Value, start func(at []int, k int) int, offset, collapsed, indexMap, sizes []int) *ir.Value {
	shape := x.Shape()
	if len(indexMap) != 1 || !slices.Equal(collapsed, indexMap) {
		return nil
	}
	axis := indexMap[0]
	for k, size := range sizes {
		if k != axis && size != shape[k] {
			return nil
		}
	}
	var outer ir.Shape // of the index array, without its vector axis
	var order []int    // result axes: those of the index array, then those of the rows
	result := n.Shape().Dimensions
	for k, d := range result {
		if !slices.Contains(offset, k) {
			outer, order = append(outer, d), append(order, k)
		}
	}
	order = append(order, offset...)
	var list []int
	eachIndex(outer, func(at []int) { list = append(list, start(at, 0)) })
	v := ir.Gather(x, axis, list...)
	front := []int{axis}
	for k := range shape {
		if k != axis {
			front = append(front, k)
		}
	}
	v = transpose(v, front)
	v = reshape(v, slices.Concat(outer, v.Shape()[1:]))
	back := make([]int, len(order))
	for i, k := range order {
		back[k] = i
	}
	return transpose(v, back)
}

func transpose(x *ir.Value, permutation []int) *ir.Value {
	if slices.IsSorted(permutation) {
		return x
	}
	return ir.Transpose(x, permutation...)
}

func rowMajor(s ir.Shape) []int {
	strides := make([]int, len(s))
	for k, n := len(s)-1, 1; k >= 0; k-- {
		strides[k] = n
		n *= s[k]
	}
	return strides
}

// eachIndex calls f with every position in an array of shape s, in row-major order.
func eachIndex(s ir.Shape, f func(at []int)) {
	at := make([]int, len(s))
	for range s.Size() {
		f(at)
		for k := len(s) - 1; k >= 0; k-- {
			if at[k]++; at[k] < s[k] {
				break
			}
			at[k] = 0
		}
	}
}
