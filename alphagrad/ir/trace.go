package ir

import (
	"fmt"
	"math"
)

// The tracer's operations: names and argument order are those of GoMLX's graph package, so that a function ports between
// the two by changing an import. Elementwise operations take equal shapes; a scalar stretches to the other's shape.

func floatBits(x float64) uint64 { return math.Float64bits(x) }

// Add returns x + y.
func Add(x, y *Value) *Value { return Apply(OpAdd, nil, x, y) }

// Sub returns x − y.
func Sub(x, y *Value) *Value { return Apply(OpSub, nil, x, y) }

// Mul returns x · y.
func Mul(x, y *Value) *Value { return Apply(OpMul, nil, x, y) }

// Div returns x / y.
func Div(x, y *Value) *Value { return Apply(OpDiv, nil, x, y) }

// Pow returns x to the power y.
func Pow(x, y *Value) *Value { return Apply(OpPow, nil, x, y) }

// Atan2 returns the angle of the point (x, y); the ordinate comes first.
func Atan2(y, x *Value) *Value { return Apply(OpAtan2, nil, y, x) }

// Max returns the larger of x and y.
func Max(x, y *Value) *Value { return Apply(OpMax, nil, x, y) }

// Min returns the smaller of x and y.
func Min(x, y *Value) *Value { return Apply(OpMin, nil, x, y) }

// AddScalar returns x + c.
func AddScalar(x *Value, c float64) *Value { return Add(x, Const(x.b, c)) }

// SubScalar returns x − c.
func SubScalar(x *Value, c float64) *Value { return Sub(x, Const(x.b, c)) }

// MulScalar returns x · c.
func MulScalar(x *Value, c float64) *Value { return Mul(x, Const(x.b, c)) }

// DivScalar returns x / c.
func DivScalar(x *Value, c float64) *Value { return Div(x, Const(x.b, c)) }

// PowScalar returns x to the constant power c.
func PowScalar(x *Value, c float64) *Value { return Pow(x, Const(x.b, c)) }

// OneMinus returns 1 − x.
func OneMinus(x *Value) *Value { return Sub(Const(x.b, 1), x) }

// OnePlus returns 1 + x.
func OnePlus(x *Value) *Value { return Add(Const(x.b, 1), x) }

// Powi returns x to the constant whole power n, as one vertex.
func Powi(x *Value, n int) *Value { return Apply(OpPowi, &Attrs{N: n}, x) }

// Neg returns −x.
func Neg(x *Value) *Value { return Apply(OpNeg, nil, x) }

// Square returns x².
func Square(x *Value) *Value { return Apply(OpSquare, nil, x) }

// Sqrt returns the square root of x.
func Sqrt(x *Value) *Value { return Apply(OpSqrt, nil, x) }

// Rsqrt returns 1/√x.
func Rsqrt(x *Value) *Value { return Apply(OpRsqrt, nil, x) }

// Exp returns eˣ.
func Exp(x *Value) *Value { return Apply(OpExp, nil, x) }

// Expm1 returns eˣ − 1, accurate near zero.
func Expm1(x *Value) *Value { return Apply(OpExpm1, nil, x) }

// Log returns the natural logarithm of x.
func Log(x *Value) *Value { return Apply(OpLog, nil, x) }

// Log1p returns log(1 + x), accurate near zero.
func Log1p(x *Value) *Value { return Apply(OpLog1p, nil, x) }

// Logistic returns 1/(1 + e⁻ˣ).
func Logistic(x *Value) *Value { return Apply(OpLogistic, nil, x) }

// Erf returns the error function of x.
func Erf(x *Value) *Value { return Apply(OpErf, nil, x) }

// Sin returns the sine of x.
func Sin(x *Value) *Value { return Apply(OpSin, nil, x) }

// Cos returns the cosine of x.
func Cos(x *Value) *Value { return Apply(OpCos, nil, x) }

// Tan returns the tangent of x.
func Tan(x *Value) *Value { return Apply(OpTan, nil, x) }

// Asin returns the arc sine of x.
func Asin(x *Value) *Value { return Apply(OpAsin, nil, x) }

// Acos returns the arc cosine of x.
func Acos(x *Value) *Value { return Apply(OpAcos, nil, x) }

// Atan returns the arc tangent of x.
func Atan(x *Value) *Value { return Apply(OpAtan, nil, x) }

// Sinh returns the hyperbolic sine of x.
func Sinh(x *Value) *Value { return Apply(OpSinh, nil, x) }

// Cosh returns the hyperbolic cosine of x.
func Cosh(x *Value) *Value { return Apply(OpCosh, nil, x) }

// Tanh returns the hyperbolic tangent of x.
func Tanh(x *Value) *Value { return Apply(OpTanh, nil, x) }

// Asinh returns the inverse hyperbolic sine of x.
func Asinh(x *Value) *Value { return Apply(OpAsinh, nil, x) }

// Acosh returns the inverse hyperbolic cosine of x.
func Acosh(x *Value) *Value { return Apply(OpAcosh, nil, x) }

// Atanh returns the inverse hyperbolic tangent of x.
func Atanh(x *Value) *Value { return Apply(OpAtanh, nil, x) }

// Abs returns |x|.
func Abs(x *Value) *Value { return Apply(OpAbs, nil, x) }

// Sign returns −1, 0 or 1.
func Sign(x *Value) *Value { return Apply(OpSign, nil, x) }

// Relu returns max(x, 0).
func Relu(x *Value) *Value { return Apply(OpRelu, nil, x) }

// Select returns onTrue where condition is not zero, onFalse elsewhere.
func Select(condition, onTrue, onFalse *Value) *Value {
	return Apply(OpSelect, nil, condition, onTrue, onFalse)
}

// StopGradient returns x; its derivative is taken to be zero.
func StopGradient(x *Value) *Value { return Apply(OpStopGradient, nil, x) }

// Heaviside returns 1 for x > 0, 0 for x < 0 and a.AtZero at 0. Its derivative is the surrogate that a names, zero
// without one; a may be nil.
func Heaviside(x *Value, a *Attrs) *Value { return Apply(OpHeaviside, a, x) }

// Reshape returns the elements of x, in row-major order, with other axes.
func Reshape(x *Value, dimensions ...int) *Value {
	return Apply(OpReshape, &Attrs{Shape: dimensions}, x)
}

// Transpose exchanges axes: result axis i is axis permutation[i] of x.
func Transpose(x *Value, permutation ...int) *Value {
	return Apply(OpTranspose, &Attrs{Axes: permutation}, x)
}

// Broadcast stretches x to the given shape; axis i of x becomes result axis axes[i].
func Broadcast(x *Value, shape Shape, axes ...int) *Value {
	return Apply(OpBroadcast, &Attrs{Shape: shape, Axes: axes}, x)
}

// Slice returns x[start[0]:limit[0], start[1]:limit[1], …].
func Slice(x *Value, start, limit []int) *Value {
	return Apply(OpSlice, &Attrs{Start: start, Limit: limit}, x)
}

// Concatenate joins values along an axis.
func Concatenate(values []*Value, axis int) *Value {
	return Apply(OpConcat, &Attrs{Axis: axis}, values...)
}

// Pad surrounds x with zeros: low[i] before and high[i] after axis i.
func Pad(x *Value, low, high []int) *Value {
	return Apply(OpPad, &Attrs{Low: low, High: high}, x)
}

// Gather picks constant positions along an axis.
func Gather(x *Value, axis int, indices ...int) *Value {
	return Apply(OpGather, &Attrs{Axis: axis, Indices: indices}, x)
}

func reduce(op *OpInfo, x *Value, axes []int) *Value {
	if len(axes) == 0 {
		for i := range x.Shape() {
			axes = append(axes, i)
		}
	}
	return Apply(op, &Attrs{Axes: axes}, x)
}

// ReduceSum sums over the given axes, over all when none is given.
func ReduceSum(x *Value, axes ...int) *Value { return reduce(OpReduceSum, x, axes) }

// ReduceMultiply multiplies over the given axes, over all when none is given.
func ReduceMultiply(x *Value, axes ...int) *Value { return reduce(OpReduceProd, x, axes) }

// ReduceMax takes the maximum over the given axes, over all when none is given.
func ReduceMax(x *Value, axes ...int) *Value { return reduce(OpReduceMax, x, axes) }

// ReduceMin takes the minimum over the given axes, over all when none is given.
func ReduceMin(x *Value, axes ...int) *Value { return reduce(OpReduceMin, x, axes) }

// ReduceMean averages over the given axes, over all when none is given.
func ReduceMean(x *Value, axes ...int) *Value {
	sum := ReduceSum(x, axes...)
	return DivScalar(sum, float64(x.Shape().Size())/float64(sum.Shape().Size()))
}

// Einsum contracts its operands by a specification such as "ij,jk->ik" ([ParseEinsum]).
func Einsum(spec string, operands ...*Value) *Value {
	return Apply(OpEinsum, &Attrs{Spec: spec}, operands...)
}

// Dot is the inner product of vectors or the matrix product of vectors and matrices.
func Dot(x, y *Value) *Value {
	spec := map[[2]int]string{{1, 1}: "i,i->", {2, 1}: "ij,j->i", {1, 2}: "i,ij->j", {2, 2}: "ij,jk->ik"}[[2]int{len(x.Shape()), len(y.Shape())}]
	if spec == "" {
		x.b.fail(&NodeError{Node: x.b.next(), Op: "einsum", Err: fmt.Errorf("a dot product takes vectors and matrices, has shapes %v and %v", x.Shape(), y.Shape())})
		return x
	}
	return Einsum(spec, x, y)
}
