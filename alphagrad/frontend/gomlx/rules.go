package gomlx

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// A rule reads a node whose operands have been read.
type rule func(t *tracer, n *graph.Node) (*ir.Value, error)

// rules holds one row for each node type. Truth values are 0 and 1.
var rules = map[graph.NodeType]rule{
	graph.NodeTypeAbs:      elementwise(ir.OpAbs),
	graph.NodeTypeCos:      elementwise(ir.OpCos),
	graph.NodeTypeErf:      elementwise(ir.OpErf),
	graph.NodeTypeExp:      elementwise(ir.OpExp),
	graph.NodeTypeExpm1:    elementwise(ir.OpExpm1),
	graph.NodeTypeLog:      elementwise(ir.OpLog),
	graph.NodeTypeLog1p:    elementwise(ir.OpLog1p),
	graph.NodeTypeLogistic: elementwise(ir.OpLogistic),
	graph.NodeTypeNeg:      elementwise(ir.OpNeg),
	graph.NodeTypeRsqrt:    elementwise(ir.OpRsqrt),
	graph.NodeTypeSign:     elementwise(ir.OpSign),
	graph.NodeTypeSin:      elementwise(ir.OpSin),
	graph.NodeTypeSqrt:     elementwise(ir.OpSqrt),
	graph.NodeTypeTanh:     elementwise(ir.OpTanh),

	graph.NodeTypeAdd:   elementwise(ir.OpAdd),
	graph.NodeTypeSub:   elementwise(ir.OpSub),
	graph.NodeTypeMul:   product,
	graph.NodeTypeDiv:   elementwise(ir.OpDiv),
	graph.NodeTypePow:   elementwise(ir.OpPow),
	graph.NodeTypeAtan2: elementwise(ir.OpAtan2),
	graph.NodeTypeMax:   elementwise(ir.OpMax),
	graph.NodeTypeMin:   elementwise(ir.OpMin),
	graph.NodeTypeWhere: elementwise(ir.OpSelect),
	graph.NodeTypeClamp: composed(func(x []*ir.Value) *ir.Value { return ir.Min(ir.Max(x[1], x[0]), x[2]) }),

	graph.NodeTypeGreaterThan:    composed(func(x []*ir.Value) *ir.Value { return step(x[0], x[1], 0) }),
	graph.NodeTypeGreaterOrEqual: composed(func(x []*ir.Value) *ir.Value { return step(x[0], x[1], 1) }),
	graph.NodeTypeLessThan:       composed(func(x []*ir.Value) *ir.Value { return step(x[1], x[0], 0) }),
	graph.NodeTypeLessOrEqual:    composed(func(x []*ir.Value) *ir.Value { return step(x[1], x[0], 1) }),
	graph.NodeTypeEqual:          composed(func(x []*ir.Value) *ir.Value { return ir.OneMinus(differ(x[0], x[1])) }),
	graph.NodeTypeNotEqual:       composed(func(x []*ir.Value) *ir.Value { return differ(x[0], x[1]) }),
	graph.NodeTypeLogicalAnd:     elementwise(ir.OpMin),
	graph.NodeTypeLogicalOr:      elementwise(ir.OpMax),
	graph.NodeTypeLogicalXor:     composed(func(x []*ir.Value) *ir.Value { return differ(x[0], x[1]) }),
	graph.NodeTypeLogicalNot:     composed(func(x []*ir.Value) *ir.Value { return ir.OneMinus(x[0]) }),

	graph.NodeTypeIsFinite: composed(func(x []*ir.Value) *ir.Value { return choose(missing(x[0]), 0, 1) }),
	graph.NodeTypeIsNaN: composed(func(x []*ir.Value) *ir.Value { // a step leaves not-a-number and makes infinities finite
		return choose(missing(ir.Heaviside(x[0], nil)), 1, 0)
	}),

	graph.NodeTypeIdentity:            composed(func(x []*ir.Value) *ir.Value { return x[0] }),
	graph.NodeTypeOptimizationBarrier: composed(func(x []*ir.Value) *ir.Value { return x[0] }),
	graph.NodeTypeConvertDType:        convert,

	graph.NodeTypeReduceSum:        reduction(ir.OpReduceSum),
	graph.NodeTypeReduceProduct:    reduction(ir.OpReduceProd),
	graph.NodeTypeReduceMax:        reduction(ir.OpReduceMax),
	graph.NodeTypeReduceMin:        reduction(ir.OpReduceMin),
	graph.NodeTypeReduceLogicalAnd: reduction(ir.OpReduceMin),
	graph.NodeTypeReduceLogicalOr:  reduction(ir.OpReduceMax),
	graph.NodeTypeDotGeneral:       dotGeneral,

	graph.NodeTypeReshape: func(t *tracer, n *graph.Node) (*ir.Value, error) {
		return reshape(t.full(n.Inputs()[0]), n.Shape().Dimensions), nil
	},
	graph.NodeTypeTranspose: func(t *tracer, n *graph.Node) (*ir.Value, error) {
		return ir.Transpose(t.full(n.Inputs()[0]), ints(n, "permutation")...), nil
	},
	graph.NodeTypeBroadcastInDim: broadcastInDim,
	graph.NodeTypeSlice:          slice,
	graph.NodeTypeConcatenate:    concatenate,
	graph.NodeTypePad:            pad,
	graph.NodeTypeReverse:        reverse,
	graph.NodeTypeGather:         gather,
	graph.NodeTypeConvGeneral:    convolve,
	graph.NodeTypeReduceWindow:   reduceWindow,
}

// NodeTypes lists the node types with a rule, sorted. Fused nodes are read as well where GoMLX keeps their unfused form.
func NodeTypes() []string {
	var names []string
	for t := range rules {
		names = append(names, t.String())
	}
	slices.Sort(names)
	return names
}

// typeName names a node type; GoMLX has no names for those of control flow.
func typeName(t graph.NodeType) string {
	switch t {
	case graph.NodeTypeCall:
		return "Call"
	case graph.NodeTypeSort:
		return "Sort"
	case graph.NodeTypeWhile:
		return "While"
	case graph.NodeTypeIf:
		return "If"
	}
	return t.String()
}

func noRule(n *graph.Node) error {
	return fmt.Errorf("node type %s has no rule; those with one are %s", typeName(n.Type()), strings.Join(NodeTypes(), ", "))
}

// param reads a static parameter of a node.
func param(n *graph.Node, field string) reflect.Value {
	f := reflect.ValueOf(n).Elem().FieldByName("inputs").Elem().Elem().FieldByName(field)
	if !f.IsValid() {
		panic(fmt.Sprintf("this version of GoMLX has no field %s in its %s nodes; the rule is for v0.28", field, n.Type()))
	}
	return f
}

func ints(n *graph.Node, field string) []int {
	f := param(n, field)
	list := make([]int, f.Len())
	for k := range list {
		list[k] = int(f.Index(k).Int())
	}
	return list
}

// elementwise reads a node that is one op of the table.
func elementwise(op *ir.OpInfo) rule {
	return composed(func(x []*ir.Value) *ir.Value { return ir.Apply(op, nil, x...) })
}

// composed reads a node that acts element by element. Axes of size 1 stretch.
func composed(f func(x []*ir.Value) *ir.Value) rule {
	return func(t *tracer, n *graph.Node) (*ir.Value, error) {
		var args []*ir.Value
		for _, x := range n.Inputs() {
			v := t.values[x]
			if s, dims := v.Shape(), n.Shape().Dimensions; len(s) > 0 && !s.Equal(dims) {
				v = ir.Broadcast(v, dims, upTo(len(s))...)
			}
			args = append(args, v)
		}
		return f(args), nil
	}
}

// product reads a multiplication; x·x is a square, as GoMLX's Square writes it.
func product(t *tracer, n *graph.Node) (*ir.Value, error) {
	if x := n.Inputs(); x[0] == x[1] {
		return ir.Square(t.values[x[0]]), nil
	}
	return elementwise(ir.OpMul)(t, n)
}

// step is 1 where x > y, atEqual where x = y.
func step(x, y *ir.Value, atEqual float64) *ir.Value {
	return ir.Heaviside(ir.Sub(x, y), &ir.Attrs{AtZero: &atEqual})
}

// missing is 0 for finite numbers, otherwise not a number, which counts as true.
func missing(x *ir.Value) *ir.Value { return ir.Sub(x, x) }

// choose is one of two numbers.
func choose(condition *ir.Value, onTrue, onFalse float64) *ir.Value {
	b := condition.Builder()
	return ir.Select(condition, ir.Const(b, onTrue), ir.Const(b, onFalse))
}

// differ is 1 where x ≠ y.
func differ(x, y *ir.Value) *ir.Value { return ir.Abs(ir.Sign(ir.Sub(x, y))) }

// convert reads a change of dtype between floating-point numbers and truth values.
func convert(t *tracer, n *graph.Node) (*ir.Value, error) {
	x := n.Inputs()[0]
	v := t.values[x]
	if n.DType() == dtypes.Bool && x.DType() != dtypes.Bool {
		return ir.Abs(ir.Sign(v)), nil
	}
	return v, nil
}

// reduction reads a reduction; no axes mean all.
func reduction(op *ir.OpInfo) rule {
	return func(t *tracer, n *graph.Node) (*ir.Value, error) {
		x := t.full(n.Inputs()[0])
		axes := ints(n, "axes")
		if len(axes) == 0 {
			axes = upTo(len(x.Shape()))
		}
		return ir.Apply(op, &ir.Attrs{Axes: axes}, x), nil
	}
}

// dotGeneral reads a contraction: its result has the batch axes, then the free ones of the left and of the right operand.
func dotGeneral(t *tracer, n *graph.Node) (*ir.Value, error) {
	lhs, rhs := t.full(n.Inputs()[0]), t.full(n.Inputs()[1])
	next := 'a'
	label := func() rune { next++; return next - 1 }
	left, right := make([]rune, len(lhs.Shape())), make([]rune, len(rhs.Shape()))
	pair := func(which string) (labels string) {
		other := ints(n, "rhs"+which)
		for k, axis := range ints(n, "lhs"+which) {
			l := label()
			left[axis], right[other[k]] = l, l
			labels += string(l)
		}
		return labels
	}
	pair("ContractingAxes")
	result := pair("BatchAxes")
	for _, axes := range [][]rune{left, right} {
		for k := range axes {
			if axes[k] == 0 {
				axes[k] = label()
				result += string(axes[k])
			}
		}
	}
	return ir.Einsum(string(left)+","+string(right)+"->"+result, lhs, rhs), nil
}

func broadcastInDim(t *tracer, n *graph.Node) (*ir.Value, error) {
	x := t.values[n.Inputs()[0]]
	if len(x.Shape()) == 0 {
		return x, nil
	}
	return ir.Broadcast(x, n.Shape().Dimensions, ints(n, "broadcastAxes")...), nil
}

func slice(t *tracer, n *graph.Node) (*ir.Value, error) {
	a := &ir.Attrs{Start: ints(n, "starts"), Limit: ints(n, "limits"), Stride: ints(n, "strides")}
	if len(a.Stride) == 0 || !slices.ContainsFunc(a.Stride, func(s int) bool { return s != 1 }) {
		a.Stride = nil
	}
	return ir.Apply(ir.OpSlice, a, t.full(n.Inputs()[0])), nil
}

func concatenate(t *tracer, n *graph.Node) (*ir.Value, error) {
	var parts []*ir.Value
	for _, x := range n.Inputs() {
		parts = append(parts, t.full(x))
	}
	return ir.Concatenate(parts, int(param(n, "axis").Int())), nil
}

// pad reads a padding with any constant, negative widths (which cut) and space between elements.
func pad(t *tracer, n *graph.Node) (*ir.Value, error) {
	fill := t.constants[n.Inputs()[1]]
	if len(fill) != 1 {
		return nil, errors.New("pads with a value that depends on an input; expected a constant")
	}
	x := t.full(n.Inputs()[0])
	ones := ir.Broadcast(ir.Const(t.b, 1), x.Shape()) // becomes 1 where an element of x lies
	config := param(n, "axesConfig")
	for axis := range config.Len() {
		c := config.Index(axis)
		start, end, interior := int(c.FieldByName("Start").Int()), int(c.FieldByName("End").Int()), int(c.FieldByName("Interior").Int())
		x = padAxis(x, axis, start, end, interior)
		if fill[0] != 0 {
			ones = padAxis(ones, axis, start, end, interior)
		}
	}
	if fill[0] != 0 {
		x = ir.Select(ones, x, ir.Const(t.b, fill[0]))
	}
	return x, nil
}

func padAxis(x *ir.Value, axis, start, end, interior int) *ir.Value {
	widen := func(x *ir.Value, axis, low, high int) *ir.Value {
		if low == 0 && high == 0 {
			return x
		}
		a := &ir.Attrs{Low: make([]int, len(x.Shape())), High: make([]int, len(x.Shape()))}
		a.Low[axis], a.High[axis] = low, high
		return ir.Apply(ir.OpPad, a, x)
	}
	if interior > 0 { // each element becomes a row of itself and zeros; the last row's zeros go
		shape := x.Shape()
		rows := widen(ir.Reshape(x, slices.Insert(slices.Clone(shape), axis+1, 1)...), axis+1, 0, interior)
		long := slices.Clone(shape)
		long[axis] *= interior + 1
		x = cut(ir.Reshape(rows, long...), axis, 0, interior)
	}
	return cut(widen(x, axis, max(start, 0), max(end, 0)), axis, max(-start, 0), max(-end, 0))
}

// cut drops elements at both ends of an axis.
func cut(x *ir.Value, axis, low, high int) *ir.Value {
	if low == 0 && high == 0 {
		return x
	}
	start, limit := make([]int, len(x.Shape())), slices.Clone([]int(x.Shape()))
	start[axis], limit[axis] = low, limit[axis]-high
	return ir.Slice(x, start, limit)
}

func reverse(t *tracer, n *graph.Node) (*ir.Value, error) {
	x := t.full(n.Inputs()[0])
	for _, axis := range ints(n, "axes") {
		indices := upTo(x.Shape()[axis])
		slices.Reverse(indices)
		x = ir.Gather(x, axis, indices...)
	}
	return x, nil
}

func reshape(x *ir.Value, dims []int) *ir.Value {
	if x.Shape().Equal(dims) {
		return x
	}
	return ir.Reshape(x, dims...)
}

// upTo lists 0, 1, …, n−1.
func upTo(n int) []int {
	list := make([]int, n)
	for k := range list {
		list[k] = k
	}
	return list
}
