package gomlx

import (
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	. "github.com/gomlx/gomlx/core/graph"
)

// A row records an op in a GoMLX graph; n is the node with its attributes and shape.
type row func(n *ir.Node, x []*Node) *Node

func unary(f func(x *Node) *Node) row { return func(_ *ir.Node, x []*Node) *Node { return f(x[0]) } }
func binary(f func(x, y *Node) *Node) row {
	return func(_ *ir.Node, x []*Node) *Node { return f(x[0], x[1]) }
}

// rows holds one row per op of the table. Functions that GoMLX lacks are composed by the usual identities, in forms that
// do not cancel.
var rows = map[*ir.OpInfo]row{
	ir.OpAdd:    binary(Add),
	ir.OpSub:    binary(Sub),
	ir.OpMul:    binary(Mul),
	ir.OpDiv:    binary(Div),
	ir.OpNeg:    unary(Neg),
	ir.OpSquare: unary(func(x *Node) *Node { return Mul(x, x) }),
	ir.OpPow:    binary(Pow),
	ir.OpPowi:   func(n *ir.Node, x []*Node) *Node { return powi(x[0], n.Attrs.N) },
	ir.OpSqrt:   unary(Sqrt),
	ir.OpRsqrt:  unary(func(x *Node) *Node { return Reciprocal(Sqrt(x)) }), // Rsqrt has no gradient in GoMLX

	ir.OpExp:      unary(Exp),
	ir.OpExpm1:    unary(Expm1),
	ir.OpLog:      unary(Log),
	ir.OpLog1p:    unary(Log1p),
	ir.OpLogistic: unary(Logistic),
	ir.OpErf:      unary(Erf),

	ir.OpSin:   unary(Sin),
	ir.OpCos:   unary(Cos),
	ir.OpTan:   unary(func(x *Node) *Node { return Div(Sin(x), Cos(x)) }),
	ir.OpAsin:  unary(func(x *Node) *Node { return Atan2(x, cathetus(x)) }),
	ir.OpAcos:  unary(func(x *Node) *Node { return Atan2(cathetus(x), x) }),
	ir.OpAtan:  unary(func(x *Node) *Node { return Atan2(MulScalar(x, 2), MulScalar(OnesLike(x), 2)) }), // some XLA miscompiles atan2(x, 1)
	ir.OpAtan2: binary(func(y, x *Node) *Node { return Atan2(stretched(y, x), stretched(x, y)) }),
	ir.OpSinh: odd(func(a *Node) *Node { // (e + e/(1+e))/2 with e = expm1(a); the quotient is 1 long before e overflows
		e := Expm1(a)
		q := MinScalar(e, large)
		return MulScalar(Add(e, Div(q, OnePlus(q))), 0.5)
	}),
	ir.OpCosh: unary(func(x *Node) *Node { return MulScalar(Add(Exp(x), Exp(Neg(x))), 0.5) }),
	ir.OpTanh: unary(Tanh),
	ir.OpAsinh: odd(func(a *Node) *Node { // log(a + √(a²+1)) = log1p(a + a²/(1 + √(a²+1)))
		b := MinScalar(a, large)
		square := Mul(b, b)
		return beyond(a, Log1p(Add(b, Div(square, OnePlus(Sqrt(OnePlus(square)))))))
	}),
	ir.OpAcosh: unary(func(x *Node) *Node { // log(x + √(x²−1)) with t = x − 1; below 1 the root of t is none
		t := AddScalar(MinScalar(x, large), -1)
		return beyond(x, Log1p(Add(t, Mul(Sqrt(t), Sqrt(AddScalar(t, 2))))))
	}),
	ir.OpAtanh: odd(func(a *Node) *Node { return MulScalar(Log1p(Div(MulScalar(a, 2), OneMinus(a))), 0.5) }),

	ir.OpAbs:  unary(Abs),
	ir.OpSign: unary(Sign),
	ir.OpMax:  binary(Max),
	ir.OpMin:  binary(Min),
	ir.OpRelu: unary(func(x *Node) *Node { return Max(x, ScalarZero(x.Graph(), x.DType())) }),
	ir.OpSelect: func(n *ir.Node, x []*Node) *Node {
		for k := range x {
			if x[k].Rank() < len(n.Shape) {
				x[k] = BroadcastToDims(x[k], n.Shape...)
			}
		}
		return Where(NotEqual(x[0], ZerosLike(x[0])), x[1], x[2])
	},
	ir.OpHeaviside: func(n *ir.Node, x []*Node) *Node {
		atZero := 0.5
		if n.Attrs != nil && n.Attrs.AtZero != nil {
			atZero = *n.Attrs.AtZero
		}
		zero, one := ZerosLike(x[0]), OnesLike(x[0])
		return Where(GreaterThan(x[0], zero), one, Where(LessThan(x[0], zero), zero, AddScalar(x[0], atZero))) // not a number stays it
	},
	ir.OpStopGradient: unary(StopGradient),

	ir.OpReshape:    func(n *ir.Node, x []*Node) *Node { return Reshape(x[0], n.Shape...) },
	ir.OpTranspose:  func(n *ir.Node, x []*Node) *Node { return transposed(x[0], n.Attrs.Axes) },
	ir.OpBroadcast:  func(n *ir.Node, x []*Node) *Node { return broadcast(x[0], n.Shape, n.Attrs.Axes) },
	ir.OpSlice:      func(n *ir.Node, x []*Node) *Node { return slice(x[0], n.Attrs) },
	ir.OpConcat:     func(n *ir.Node, x []*Node) *Node { return Concatenate(x, n.Attrs.Axis) },
	ir.OpPad:        func(n *ir.Node, x []*Node) *Node { return pad(x[0], n.Attrs) },
	ir.OpGather:     func(n *ir.Node, x []*Node) *Node { return gather(x[0], n.Attrs.Axis, n.Attrs.Indices) },
	ir.OpReduceSum:  reduction(ReduceSum),
	ir.OpReduceProd: reduction(ReduceMultiply),
	ir.OpReduceMax:  reduction(ReduceMax),
	ir.OpReduceMin:  reduction(ReduceMin),
	ir.OpEinsum:     einsum,
}

// large is a number whose square exists and beside whose square 1 vanishes, in float32 and float64.
const large = 1e9

// odd extends a function of x ≥ 0 to one with f(−x) = −f(x).
func odd(f func(a *Node) *Node) row {
	return unary(func(x *Node) *Node {
		sign := Where(LessThan(x, ZerosLike(x)), Neg(OnesLike(x)), OnesLike(x))
		return Mul(sign, f(Mul(sign, x)))
	})
}

// beyond is y, log 2x where x is large.
func beyond(x, y *Node) *Node {
	return Where(GreaterThan(x, MulScalar(OnesLike(x), large)), AddScalar(Log(x), math.Ln2), y)
}

// reduction reduces the axes that the attributes name. No axes mean none; in GoMLX they would mean all.
func reduction(f func(x *Node, axes ...int) *Node) row {
	return func(n *ir.Node, x []*Node) *Node {
		if len(n.Attrs.Axes) == 0 {
			return x[0]
		}
		return f(x[0], n.Attrs.Axes...)
	}
}

// powi multiplies repeatedly, as the interpreter does: n.Attrs.N may be negative.
func powi(x *Node, n int) *Node {
	if n < 0 {
		return Reciprocal(powi(x, -n))
	}
	result, power := OnesLike(x), x
	for first := true; n > 0; n >>= 1 {
		if n&1 == 1 {
			if first {
				result, first = power, false
			} else {
				result = Mul(result, power)
			}
		}
		if n > 1 {
			power = Mul(power, power)
		}
	}
	return result
}

// cathetus is √(1−x²), written so that nothing cancels near ±1.
func cathetus(x *Node) *Node { return Sqrt(Mul(OneMinus(x), OnePlus(x))) }

// stretched gives a scalar the shape of another value.
func stretched(x, like *Node) *Node {
	if x.Rank() < like.Rank() {
		return BroadcastToDims(x, like.Shape().Dimensions...)
	}
	return x
}

func transposed(x *Node, axes []int) *Node {
	if slices.IsSorted(axes) { // the identity
		return x
	}
	return TransposeAllAxes(x, axes...)
}

// broadcast lets axis i of x become axis axes[i] of the result.
func broadcast(x *Node, shape ir.Shape, axes []int) *Node {
	order := make([]int, 0, len(axes)) // axes of x in the order of the result
	wide := make([]int, len(shape))
	for k := range shape {
		wide[k] = 1
		for i, a := range axes {
			if a == k {
				order = append(order, i)
				wide[k] = x.Shape().Dimensions[i]
			}
		}
	}
	x = Reshape(transposed(x, order), wide...)
	return BroadcastToDims(x, shape...)
}

func slice(x *Node, a *ir.Attrs) *Node {
	spec := make([]SliceAxisSpec, len(a.Start))
	for k := range spec {
		spec[k] = AxisRange(a.Start[k], a.Limit[k])
		if a.Stride != nil && a.Stride[k] != 1 {
			spec[k] = spec[k].Stride(a.Stride[k])
		}
	}
	if len(spec) == 0 {
		return x
	}
	return Slice(x, spec...)
}

// pad joins zeros on: GoMLX's own Pad has no gradient.
func pad(x *Node, a *ir.Attrs) *Node {
	for k := range a.Low {
		parts := []*Node{x}
		zeros := func(n int) *Node {
			shape := x.Shape().Clone()
			shape.Dimensions[k] = n
			return Zeros(x.Graph(), shape)
		}
		if n := a.Low[k]; n > 0 {
			parts = []*Node{zeros(n), x}
		}
		if n := a.High[k]; n > 0 {
			parts = append(parts, zeros(n))
		}
		if len(parts) > 1 {
			x = Concatenate(parts, k)
		}
	}
	return x
}

func gather(x *Node, axis int, indices []int) *Node {
	at := make([][]int32, len(indices))
	for k, i := range indices {
		if i > math.MaxInt32 {
			panic("gather: the axis is too long")
		}
		at[k] = []int32{int32(i)}
	}
	front := make([]int, x.Rank()) // the gathered axis first
	back := make([]int, x.Rank())
	for k := range front {
		switch {
		case k == 0:
			front[k] = axis
		case k <= axis:
			front[k] = k - 1
		default:
			front[k] = k
		}
		back[front[k]] = k
	}
	return transposed(Gather(transposed(x, front), Const(x.Graph(), at)), back)
}
