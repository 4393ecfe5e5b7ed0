package gomlx

import (
	"fmt"
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

// A window slides along one axis: positions o·stride + k·dilation of the padded axis, o counting windows, k their elements.
type window struct{ size, stride, dilation, low, high, interior int }

// windowsOf reads the parameters of a node for n axes; what is missing is 1, a padding 0.
func windowsOf(n *graph.Node, sizes []int, strides, dilations, interiors string) []window {
	at := func(field string, k int, missing int) int {
		if list := ints(n, field); k < len(list) {
			return list[k]
		}
		return missing
	}
	paddings := param(n, "paddings")
	list := make([]window, len(sizes))
	for k, size := range sizes {
		w := window{size: size, stride: at(strides, k, 1), dilation: at(dilations, k, 1), interior: at(interiors, k, 1) - 1}
		if k < paddings.Len() {
			w.low, w.high = int(paddings.Index(k).Index(0).Int()), int(paddings.Index(k).Index(1).Int())
		}
		list[k] = w
	}
	return list
}

func (w window) pads() bool { return w.low != 0 || w.high != 0 || w.interior != 0 }

// slide replaces an axis, padded already, by two: windows, and the elements of each.
func (w window) slide(x *ir.Value, axis int) *ir.Value {
	shape := slices.Clone(x.Shape())
	count := (shape[axis]-(w.size-1)*w.dilation-1)/w.stride + 1
	if w.size > 1 || w.stride > 1 {
		var positions []int
		for o := range count {
			for k := range w.size {
				positions = append(positions, o*w.stride+k*w.dilation)
			}
		}
		x = ir.Gather(x, axis, positions...)
	}
	shape[axis] = count
	return ir.Reshape(x, slices.Insert(shape, axis+1, w.size)...)
}

// convolve reads a convolution as a contraction of the kernel with windows of the input.
func convolve(t *tracer, n *graph.Node) (*ir.Value, error) {
	x, kernel := t.full(n.Inputs()[0]), t.full(n.Inputs()[1])
	config := param(n, "axes")
	axis := func(name string) int { return int(config.FieldByName(name).Int()) }
	axes := func(name string) (list []int) {
		f := config.FieldByName(name)
		for k := range f.Len() {
			list = append(list, int(f.Index(k).Int()))
		}
		return list
	}
	in, inKernel, out := axes("InputSpatial"), axes("KernelSpatial"), axes("OutputSpatial")
	if len(in) > 4 {
		return nil, fmt.Errorf("convolves %d axes; at most 4", len(in))
	}
	// Labels: b sample, c and d channels of input and output, g group, m… positions, u… elements of a window.
	left, right, result := make([]string, len(x.Shape())), make([]string, len(kernel.Shape())), make([]string, len(n.Shape().Dimensions))
	left[axis("InputBatch")], left[axis("InputChannels")] = "b", "c"
	right[axis("KernelInputChannels")], right[axis("KernelOutputChannels")] = "c", "d"
	result[axis("OutputBatch")], result[axis("OutputChannels")] = "b", "d"
	sizes := make([]int, len(in))
	for k := range in {
		position, element := string(rune('m'+k)), string(rune('u'+k))
		left[in[k]], right[inKernel[k]], result[out[k]] = position+element, element, position
		sizes[k] = kernel.Shape()[inKernel[k]]
	}
	list := windowsOf(n, sizes, "strides", "kernelDilations", "inputDilations")
	for a := len(left) - 1; a >= 0; a-- { // from the last, as each becomes two
		if k := slices.Index(in, a); k >= 0 {
			x = list[k].slide(padAxis(x, a, list[k].low, list[k].high, list[k].interior), a)
		}
	}
	shape := slices.Clone(x.Shape()) // with groups apart
	if groups := max(int(param(n, "channelGroupCount").Int()), 1) * max(int(param(n, "batchGroupCount").Int()), 1); groups > 1 {
		grouped, inside := "c", "gc"
		if int(param(n, "batchGroupCount").Int()) > 1 {
			grouped, inside = "b", "gb"
		}
		at := 0
		for a, l := range left {
			if l == grouped {
				left[a] = inside
				shape = slices.Insert(shape, at, groups)
				shape[at+1] /= groups
				break
			}
			at += len(l)
		}
		x = ir.Reshape(x, shape...)
		d := axis("KernelOutputChannels")
		split := slices.Insert(slices.Clone(kernel.Shape()), d, groups)
		split[d+1] /= groups
		kernel = ir.Reshape(kernel, split...)
		right[d], result[axis("OutputChannels")] = "gd", "gd"
	}
	joined := func(labels []string) (s string) {
		for _, l := range labels {
			s += l
		}
		return s
	}
	y := ir.Einsum(joined(left)+","+joined(right)+"->"+joined(result), x, kernel)
	return reshape(y, n.Shape().Dimensions), nil
}

// reduceWindow reads a pooling: windows along all axes, then a reduction of their elements. What pads is neutral.
func reduceWindow(t *tracer, n *graph.Node) (*ir.Value, error) {
	pooled := map[compute.ReduceOpType]struct {
		op      *ir.OpInfo
		neutral float64
	}{
		compute.ReduceOpSum: {ir.OpReduceSum, 0}, compute.ReduceOpProduct: {ir.OpReduceProd, 1},
		compute.ReduceOpMax: {ir.OpReduceMax, math.Inf(-1)}, compute.ReduceOpMin: {ir.OpReduceMin, math.Inf(1)},
	}
	r, ok := pooled[compute.ReduceOpType(param(n, "reductionType").Int())]
	if !ok {
		return nil, fmt.Errorf("reduces windows by %s; expected a sum, product, maximum or minimum", compute.ReduceOpType(param(n, "reductionType").Int()))
	}
	x := t.full(n.Inputs()[0])
	ones := ir.Broadcast(ir.Const(t.b, 1), x.Shape()) // becomes 1 where an element of x lies
	list := windowsOf(n, ints(n, "windowDimensions"), "strides", "windowDilations", "inputDilations")
	if len(ints(n, "strides")) == 0 { // then windows lie side by side
		for a := range list {
			list[a].stride = list[a].size
		}
	}
	padded := false
	for a, w := range list {
		if w.pads() {
			x, padded = padAxis(x, a, w.low, w.high, w.interior), true
			ones = padAxis(ones, a, w.low, w.high, w.interior)
		}
	}
	if padded && r.neutral != 0 {
		x = ir.Select(ones, x, ir.Const(t.b, r.neutral))
	}
	var elements []int
	for a := len(list) - 1; a >= 0; a-- {
		x = list[a].slide(x, a)
		elements = append(elements, 2*a+1)
	}
	slices.Sort(elements)
	return reshape(ir.Apply(r.op, &ir.Attrs{Axes: elements}, x), n.Shape().Dimensions), nil
}
