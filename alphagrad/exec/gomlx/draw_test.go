package gomlx_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"pgregory.net/rapid"
)

// drawProgram draws a program of small arrays from all classes of ops.
func drawProgram(t *rapid.T) *ir.Program {
	b := ir.NewBuilder("p")
	var vs []*ir.Value
	shapes := []ir.Shape{{}, {1}, {3}, {2, 3}, {3, 2}, {1, 3}, {2, 2}, {2, 3, 2}}
	for k := range rapid.IntRange(1, 3).Draw(t, "inputs") {
		vs = append(vs, b.Input(fmt.Sprintf("x%d", k), rapid.SampledFrom(shapes).Draw(t, "shape")...))
	}
	for range rapid.IntRange(1, 8).Draw(t, "nodes") {
		vs = append(vs, drawNode(t, b, vs))
	}
	for k := range rapid.IntRange(1, 3).Draw(t, "outputs") {
		b.Output(fmt.Sprintf("y%d", k), rapid.SampledFrom(vs).Draw(t, "output"))
	}
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func drawNode(t *rapid.T, b *ir.Builder, vs []*ir.Value) *ir.Value {
	x := rapid.SampledFrom(vs).Draw(t, "arg")
	shape, rank := x.Shape(), len(x.Shape())
	// like is a value that goes with x in an elementwise op.
	like := func() *ir.Value {
		var fits []*ir.Value
		for _, v := range vs {
			if rank == 0 || len(v.Shape()) == 0 || v.Shape().Equal(shape) {
				fits = append(fits, v)
			}
		}
		return rapid.SampledFrom(append(fits, ir.Const(b, 0.5))).Draw(t, "like")
	}
	kinds := []string{"sin", "add", "sub", "mul", "max", "min", "div", "atan2", "select", "einsum", "broadcast", "reshape", "constant"}
	if rank > 0 {
		kinds = append(kinds, "transpose", "slice", "concat", "pad", "gather", "reduce")
	}
	switch kind := rapid.SampledFrom(kinds).Draw(t, "kind"); kind {
	case "sin":
		return ir.Sin(x)
	case "div":
		return ir.Div(x, ir.OnePlus(ir.Square(like())))
	case "select":
		y := like()
		if rank == 0 {
			return ir.Select(ir.Relu(x), y, ir.Neg(y))
		}
		return ir.Select(ir.Relu(x), like(), like())
	case "constant":
		data := rapid.SliceOfN(rapid.Float64Range(-1, 1), shape.Size(), shape.Size()).Draw(t, "data")
		return ir.Add(x, ir.ConstTensor(b, shape, data))
	case "einsum":
		return drawEinsum(t, vs)
	case "broadcast":
		if rank > 2 {
			return ir.Neg(x)
		}
		at := rapid.IntRange(0, rank).Draw(t, "at")
		axes := make([]int, rank)
		for k := range axes {
			axes[k] = k
			if k >= at {
				axes[k]++
			}
		}
		wide := slices.Insert(slices.Clone(shape), at, 2)
		axes = rapid.Permutation(axes).Draw(t, "axes")
		for k, a := range axes {
			wide[a] = shape[k]
			if shape[k] == 1 {
				wide[a] = rapid.IntRange(1, 3).Draw(t, "stretch")
			}
		}
		return ir.Broadcast(x, wide, axes...)
	case "reshape":
		return ir.Reshape(x, rapid.SampledFrom([]ir.Shape{{shape.Size()}, {1, shape.Size()}, append(ir.Shape{1}, shape...)}).Draw(t, "shape")...)
	case "transpose":
		axes := make([]int, rank)
		for k := range axes {
			axes[k] = k
		}
		return ir.Transpose(x, rapid.Permutation(axes).Draw(t, "axes")...)
	case "slice":
		a := &ir.Attrs{}
		for _, n := range shape {
			start := rapid.IntRange(0, n-1).Draw(t, "start")
			a.Start = append(a.Start, start)
			a.Limit = append(a.Limit, rapid.IntRange(start+1, n).Draw(t, "limit"))
			a.Stride = append(a.Stride, rapid.IntRange(1, 2).Draw(t, "stride"))
		}
		return ir.Apply(ir.OpSlice, a, x)
	case "concat":
		return ir.Concatenate([]*ir.Value{x, ir.Cos(x)}, rapid.IntRange(0, rank-1).Draw(t, "axis"))
	case "pad":
		n := rapid.SliceOfN(rapid.IntRange(0, 1), 2*rank, 2*rank).Draw(t, "pad")
		return ir.Pad(x, n[:rank], n[rank:])
	case "gather":
		axis := rapid.IntRange(0, rank-1).Draw(t, "axis")
		return ir.Gather(x, axis, rapid.SliceOfN(rapid.IntRange(0, shape[axis]-1), 1, 3).Draw(t, "indices")...)
	case "reduce":
		op := rapid.SampledFrom([]*ir.OpInfo{ir.OpReduceSum, ir.OpReduceProd, ir.OpReduceMax, ir.OpReduceMin}).Draw(t, "op")
		var axes []int
		for k := range shape {
			if rapid.Bool().Draw(t, "reduced") {
				axes = append(axes, k)
			}
		}
		return ir.Apply(op, &ir.Attrs{Axes: axes}, x)
	default:
		op, _ := ir.Op(kind)
		return ir.Apply(op, nil, x, like())
	}
}

// drawEinsum contracts up to three values; axes of equal size share labels at random, within an operand too.
func drawEinsum(t *rapid.T, vs []*ir.Value) *ir.Value {
	operands := rapid.SliceOfN(rapid.SampledFrom(vs), 1, 3).Draw(t, "operands")
	sizes := map[byte]int{}
	var specs []string
	for _, v := range operands {
		spec := ""
		for _, n := range v.Shape() {
			choices := []byte{byte('a' + len(sizes))}
			for l := range byte(len(sizes)) {
				if sizes['a'+l] == n {
					choices = append(choices, 'a'+l)
				}
			}
			l := rapid.SampledFrom(choices).Draw(t, "label")
			sizes[l] = n
			spec += string(l)
		}
		specs = append(specs, spec)
	}
	var result []byte
	size := 1
	for k := range byte(len(sizes)) {
		if l := 'a' + k; size*sizes[l] <= 24 && len(result) < 3 && rapid.Bool().Draw(t, "kept") {
			result, size = append(result, l), size*sizes[l]
		}
	}
	if len(result) > 0 {
		result = rapid.Permutation(result).Draw(t, "result")
	}
	return ir.Einsum(strings.Join(specs, ",")+"->"+string(result), operands...)
}

func randomTensor(shape ir.Shape, rng *rand.Rand) ir.Tensor {
	x := ir.Tensor{Shape: shape, Data: make([]float64, shape.Size())}
	for k := range x.Data {
		x.Data[k] = rng.Float64()*2 - 1
	}
	return x
}
