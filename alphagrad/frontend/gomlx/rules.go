package gomlx

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// A rule writes a node as a value of the program. Truth values are 0 and 1.
type rule func(w *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error)

// rules holds one row per node type; a type without a row is refused by name.
var rules map[graph.NodeType]rule

func init() { // the rows reach back to the table through gather, which evaluates its indices
	rules = map[graph.NodeType]rule{
		graph.NodeTypeConstant: constant,
		graph.NodeTypeIota:     iota_,

		graph.NodeTypeAbs:      unary(ir.Abs),
		graph.NodeTypeCos:      unary(ir.Cos),
		graph.NodeTypeErf:      unary(ir.Erf),
		graph.NodeTypeExp:      unary(ir.Exp),
		graph.NodeTypeExpm1:    unary(ir.Expm1),
		graph.NodeTypeLog:      unary(ir.Log),
		graph.NodeTypeLog1p:    unary(ir.Log1p),
		graph.NodeTypeLogistic: unary(ir.Logistic),
		graph.NodeTypeNeg:      unary(ir.Neg),
		graph.NodeTypeRsqrt:    unary(ir.Rsqrt),
		graph.NodeTypeSign:     unary(ir.Sign),
		graph.NodeTypeSin:      unary(ir.Sin),
		graph.NodeTypeSqrt:     unary(ir.Sqrt),
		graph.NodeTypeTanh:     unary(ir.Tanh),

		graph.NodeTypeAdd:   binary(ir.Add),
		graph.NodeTypeAtan2: binary(ir.Atan2),
		graph.NodeTypeDiv:   division,
		graph.NodeTypeMax:   binary(ir.Max),
		graph.NodeTypeMin:   binary(ir.Min),
		graph.NodeTypeMul:   binary(ir.Mul),
		graph.NodeTypePow:   binary(ir.Pow),
		graph.NodeTypeSub:   binary(ir.Sub),
		graph.NodeTypeClamp: elementwise(func(x []*ir.Value) *ir.Value { return ir.Min(ir.Max(x[1], x[0]), x[2]) }),
		graph.NodeTypeWhere: elementwise(func(x []*ir.Value) *ir.Value { return ir.Select(x[0], x[1], x[2]) }),

		graph.NodeTypeGreaterThan:    binary(func(x, y *ir.Value) *ir.Value { return step(x, y, 0) }),
		graph.NodeTypeGreaterOrEqual: binary(func(x, y *ir.Value) *ir.Value { return step(x, y, 1) }),
		graph.NodeTypeLessThan:       binary(func(x, y *ir.Value) *ir.Value { return step(y, x, 0) }),
		graph.NodeTypeLessOrEqual:    binary(func(x, y *ir.Value) *ir.Value { return step(y, x, 1) }),
		graph.NodeTypeEqual:          binary(func(x, y *ir.Value) *ir.Value { return ir.OneMinus(differs(x, y)) }),
		graph.NodeTypeNotEqual:       binary(differs),
		graph.NodeTypeLogicalAnd:     binary(ir.Mul),
		graph.NodeTypeLogicalOr:      binary(ir.Max),
		graph.NodeTypeLogicalXor:     binary(differs),
		graph.NodeTypeLogicalNot:     unary(ir.OneMinus),

		graph.NodeTypeIdentity:            identity,
		graph.NodeTypeOptimizationBarrier: unary(func(x *ir.Value) *ir.Value { return x }),
		graph.NodeTypeConvertDType:        convert,

		graph.NodeTypeReshape:   one(func(n *graph.Node, x *ir.Value) *ir.Value { return ir.Reshape(x, n.Shape().Dimensions...) }),
		graph.NodeTypeTranspose: one(func(n *graph.Node, x *ir.Value) *ir.Value { return ir.Transpose(x, ints(n, "permutation")...) }),
		graph.NodeTypeBroadcastInDim: one(func(n *graph.Node, x *ir.Value) *ir.Value {
			return ir.Broadcast(x, n.Shape().Dimensions, ints(n, "broadcastAxes")...)
		}),
		graph.NodeTypeSlice: one(func(n *graph.Node, x *ir.Value) *ir.Value {
			a := &ir.Attrs{Start: ints(n, "starts"), Limit: ints(n, "limits"), Stride: ints(n, "strides")}
			if len(a.Stride) == 0 {
				a.Stride = nil
			}
			return ir.Apply(ir.OpSlice, a, x)
		}),
		graph.NodeTypeReverse: one(func(n *graph.Node, x *ir.Value) *ir.Value {
			for _, axis := range ints(n, "axes") {
				back := make([]int, x.Shape()[axis])
				for k := range back {
					back[k] = len(back) - 1 - k
				}
				x = ir.Gather(x, axis, back...)
			}
			return x
		}),
		graph.NodeTypeConcatenate: func(_ *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error) {
			return ir.Concatenate(x, int(field(n, "axis").Int())), nil
		},
		graph.NodeTypePad:           pad,
		graph.NodeTypeGather:        gather,
		graph.NodeTypeReduceSum:     reduction(ir.ReduceSum),
		graph.NodeTypeReduceMax:     reduction(ir.ReduceMax),
		graph.NodeTypeReduceMin:     reduction(ir.ReduceMin),
		graph.NodeTypeReduceProduct: reduction(ir.ReduceMultiply),
		graph.NodeTypeDotGeneral:    dotGeneral,
	}
}

// field reads a private static parameter of a node; the tests pin every one that is used.
func field(n *graph.Node, name string) reflect.Value {
	f := reflect.ValueOf(n).Elem().FieldByName("inputs").Elem().Elem().FieldByName(name)
	if !f.IsValid() {
		panic(fmt.Errorf("node type %s of this version of GoMLX has no parameter %s", n.Type(), name))
	}
	return f
}

func ints(n *graph.Node, name string) []int {
	f := field(n, name)
	list := make([]int, f.Len())
	for k := range list {
		list[k] = int(f.Index(k).Int())
	}
	return list
}

func one(f func(n *graph.Node, x *ir.Value) *ir.Value) rule {
	return func(_ *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error) { return f(n, x[0]), nil }
}

func unary(f func(x *ir.Value) *ir.Value) rule {
	return func(_ *walker, _ *graph.Node, x []*ir.Value) (*ir.Value, error) { return f(x[0]), nil }
}

func binary(f func(x, y *ir.Value) *ir.Value) rule {
	return elementwise(func(x []*ir.Value) *ir.Value { return f(x[0], x[1]) })
}

// elementwise brings the operands to the shape of the result: GoMLX stretches axes of size 1.
func elementwise(f func(x []*ir.Value) *ir.Value) rule {
	return func(_ *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error) {
		shape := ir.Shape(n.Shape().Dimensions)
		for k, v := range x {
			if s := v.Shape(); len(s) > 0 && !s.Equal(shape) {
				axes := make([]int, len(s))
				for i := range axes {
					axes[i] = i
				}
				x[k] = ir.Broadcast(v, shape, axes...)
			}
		}
		v := f(x)
		if len(shape) > 0 && len(v.Shape()) == 0 { // all operands were scalars
			v = ir.Broadcast(v, shape)
		}
		return v, nil
	}
}

// step is 1 where x > y, the given value where they are equal and 0 elsewhere.
func step(x, y *ir.Value, atEqual float64) *ir.Value {
	return ir.Heaviside(ir.Sub(x, y), &ir.Attrs{AtZero: &atEqual})
}

func differs(x, y *ir.Value) *ir.Value { return ir.Abs(ir.Sign(ir.Sub(x, y))) }

func division(w *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error) {
	if !n.DType().IsFloat() {
		return nil, fmt.Errorf("division of type %s truncates, which programs cannot", n.DType())
	}
	return binary(ir.Div)(w, n, x)
}

func identity(_ *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error) {
	if n.CustomGradient() != nil {
		return nil, fmt.Errorf("a custom gradient is Go code that cannot be read; write the function with ir.Heaviside, which names its surrogate derivative")
	}
	if n.StopGradient() {
		return ir.StopGradient(x[0]), nil
	}
	return x[0], nil
}

// convert allows changes of type that keep the number.
func convert(_ *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error) {
	from, to := n.Inputs()[0].DType(), n.DType()
	switch {
	case to.IsFloat(), from == to, from.IsInt() && to.IsInt(), !from.IsFloat() && to.IsInt():
		return x[0], nil
	case !to.IsInt(): // truth value
		return differs(x[0], ir.Const(x[0].Builder(), 0)), nil
	}
	return nil, fmt.Errorf("conversion from %s to %s rounds, which programs cannot", from, to)
}

func constant(w *walker, n *graph.Node, _ []*ir.Value) (*ir.Value, error) {
	data, err := floats(n.ConstantValue())
	if err != nil {
		return nil, err
	}
	if n.IsScalar() {
		return ir.Const(w.b, data[0]), nil
	}
	return ir.ConstTensor(w.b, n.Shape().Dimensions, data), nil
}

// floats are the elements of a tensor of any type of number.
func floats(t *tensors.Tensor) ([]float64, error) {
	var data []float64
	err := t.ConstFlatData(func(flat any) {
		v := reflect.ValueOf(flat)
		data = make([]float64, v.Len())
		for k := range data {
			switch e := v.Index(k); {
			case e.CanFloat():
				data[k] = e.Float()
			case e.CanInt():
				data[k] = float64(e.Int())
			case e.CanUint():
				data[k] = float64(e.Uint())
			case e.Kind() == reflect.Bool && e.Bool():
				data[k] = 1
			case e.Kind() == reflect.Bool:
			default:
				data = nil
				return
			}
		}
	})
	if err == nil && data == nil {
		err = fmt.Errorf("constants of type %s cannot be read", t.DType())
	}
	return data, err
}

func iota_(w *walker, n *graph.Node, _ []*ir.Value) (*ir.Value, error) {
	shape, axis := ir.Shape(n.Shape().Dimensions), int(field(n, "iotaAxis").Int())
	data := make([]float64, shape.Size())
	below := 1
	for _, s := range shape[axis+1:] {
		below *= s
	}
	for k := range data {
		data[k] = float64(k / below % shape[axis])
	}
	return ir.ConstTensor(w.b, shape, data), nil
}

func reduction(f func(x *ir.Value, axes ...int) *ir.Value) rule {
	return one(func(n *graph.Node, x *ir.Value) *ir.Value {
		if len(x.Shape()) == 0 {
			return x
		}
		return f(x, ints(n, "axes")...)
	})
}

func pad(w *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error) {
	if !x[1].IsConst(0) {
		return nil, fmt.Errorf("the fill value is not the constant 0")
	}
	config := field(n, "axesConfig")
	low, high := make([]int, len(x[0].Shape())), make([]int, len(x[0].Shape()))
	for k := range config.Len() {
		c := config.Index(k)
		low[k], high[k] = int(c.FieldByName("Start").Int()), int(c.FieldByName("End").Int())
		if low[k] < 0 || high[k] < 0 || c.FieldByName("Interior").Int() != 0 {
			return nil, fmt.Errorf("axis %d has interior or negative padding; expected zeros before and after", k)
		}
	}
	return ir.Pad(x[0], low, high), nil
}

// dotGeneral: the result has the batch axes, then the free axes of the left, then those of the right operand.
func dotGeneral(_ *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error) {
	labels := [2][]byte{make([]byte, len(x[0].Shape())), make([]byte, len(x[1].Shape()))}
	next := byte('a')
	letter := func() byte {
		l := next
		if next++; l == 'z' {
			next = 'A'
		}
		return l
	}
	var result []byte
	pair := func(left, right []int, kept bool) {
		for k := range left {
			l := letter()
			labels[0][left[k]], labels[1][right[k]] = l, l
			if kept {
				result = append(result, l)
			}
		}
	}
	pair(ints(n, "lhsBatchAxes"), ints(n, "rhsBatchAxes"), true)
	pair(ints(n, "lhsContractingAxes"), ints(n, "rhsContractingAxes"), false)
	for side := range labels {
		for k := range labels[side] {
			if labels[side][k] == 0 {
				labels[side][k] = letter()
				result = append(result, labels[side][k])
			}
		}
	}
	return ir.Einsum(string(labels[0])+","+string(labels[1])+"->"+string(result), x...), nil
}

// gather reads slices of the operand at constant positions. One axis gathered element by element stays an index map
// along that axis; anything else becomes one over all elements.
func gather(w *walker, n *graph.Node, x []*ir.Value) (*ir.Value, error) {
	indices, err := evaluated(n.Inputs()[1])
	if err != nil {
		return nil, fmt.Errorf("the indices of a gather must be constant: %w", err)
	}
	operand, out := x[0].Shape(), ir.Shape(n.Shape().Dimensions)
	vector := int(field(n, "indexVectorAxis").Int())
	offset, collapsed := ints(n, "offsetOutputAxes"), ints(n, "collapsedSliceAxes")
	to, sizes := ints(n, "startIndexMap"), ints(n, "sliceSizes")
	starts := indices.Shape
	var batch ir.Shape // axes of the indices without that of the index vector
	for k, s := range starts {
		if k != vector {
			batch = append(batch, s)
		}
	}
	at := func(position, component int) int { // start along one axis, kept inside as XLA does
		below := 1
		if vector < len(starts) {
			for _, s := range starts[vector+1:] {
				below *= s
			}
		}
		k := (position/below*len(to)+component)*below + position%below
		if vector >= len(starts) {
			k = position
		}
		return max(0, min(int(indices.Data[k]), operand[to[component]]-sizes[to[component]]))
	}
	if len(to) == 1 && slices.Equal(collapsed, to) {
		axis, whole := to[0], true
		var rest []int
		for k, s := range operand {
			whole = whole && (k == axis || sizes[k] == s)
			if k != axis {
				rest = append(rest, k)
			}
		}
		tail := len(offset) == len(rest)
		for k, o := range offset {
			tail = tail && o == len(batch)+k
		}
		if whole && tail {
			positions := make([]int, batch.Size())
			for k := range positions {
				positions[k] = at(k, 0)
			}
			g := ir.Transpose(ir.Gather(x[0], axis, positions...), append([]int{axis}, rest...)...)
			return ir.Reshape(g, out...), nil
		}
	}
	var kept []int // operand axes that the offset axes of the result run over
	for k := range operand {
		if !slices.Contains(collapsed, k) {
			kept = append(kept, k)
		}
	}
	flat := make([]int, out.Size())
	index := make([]int, len(out))
	for d := range flat {
		for k, rest := len(out)-1, d; k >= 0; k-- {
			index[k], rest = rest%out[k], rest/out[k]
		}
		position := 0
		for k, b := 0, 0; k < len(out); k++ {
			if !slices.Contains(offset, k) {
				position = position*batch[b] + index[k]
				b++
			}
		}
		from := make([]int, len(operand))
		for c, axis := range to {
			from[axis] = at(position, c)
		}
		for k, o := range offset {
			from[kept[k]] += index[o]
		}
		for axis, s := range operand {
			flat[d] = flat[d]*s + from[axis]
		}
	}
	return ir.Reshape(ir.Gather(ir.Reshape(x[0], operand.Size()), 0, flat...), out...), nil
}

// evaluated computes a node that depends on constants only.
func evaluated(n *graph.Node) (ir.Tensor, error) {
	w := &walker{b: ir.NewBuilder("indices"), values: map[graph.NodeId]*ir.Value{}}
	v, err := w.value(n)
	if err != nil {
		return ir.Tensor{}, err
	}
	w.b.Output("indices", v)
	p, err := w.b.Build()
	if err != nil {
		return ir.Tensor{}, err
	}
	out, err := interp.Eval(p, nil)
	if err != nil {
		return ir.Tensor{}, err
	}
	return out[0], nil
}
