package ad

import (
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	. "github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// rule gives the partial derivatives of an elementwise op with respect to each argument, as expressions over its
// arguments x and its result y; nil stands for a derivative that is zero everywhere.
type rule func(x []*Value, y *Value, a *Attrs) []*Value

// unary is the rule of an op of one argument.
func unary(f func(x, y *Value) *Value) rule {
	return func(x []*Value, y *Value, _ *Attrs) []*Value { return []*Value{f(x[0], y)} }
}

// binary is the rule of an op of two arguments.
func binary(f func(x, y, out *Value) (dx, dy *Value)) rule {
	return func(x []*Value, out *Value, _ *Attrs) []*Value {
		dx, dy := f(x[0], x[1], out)
		return []*Value{dx, dy}
	}
}

// linear is the rule of an op with constant partial derivatives.
func linear(c ...float64) rule {
	return func(x []*Value, y *Value, _ *Attrs) []*Value {
		d := make([]*Value, len(c))
		for i, v := range c {
			d[i] = Const(y.Builder(), v)
		}
		return d
	}
}

// flat is the rule of an op whose derivatives vanish.
func flat(x []*Value, _ *Value, _ *Attrs) []*Value { return make([]*Value, len(x)) }

func scaled(c float64, x *Value) *Value { return Mul(Const(x.Builder(), c), x) }
func reciprocal(x *Value) *Value        { return Div(Const(x.Builder(), 1), x) }

// rules holds one row per op of the table that applies to scalars; the partials are textbook calculus, with these
// conventions at kinks, which are JAX's: abs has slope 0 at 0, relu has slope 0 at 0, max and min split a tie evenly. The
// ops over arrays (classes IndexMap, Reduction, Contraction) need no row: [ir.Scalarize] writes them with these.
var rules = map[*ir.OpInfo]rule{
	OpAdd: linear(1, 1),
	OpSub: linear(1, -1),
	OpMul: binary(func(x, y, _ *Value) (dx, dy *Value) { return y, x }),
	OpDiv: binary(func(_, y, out *Value) (dx, dy *Value) {
		r := reciprocal(y)
		return r, Neg(Mul(out, r))
	}),
	OpNeg:    linear(-1),
	OpSquare: unary(func(x, _ *Value) *Value { return scaled(2, x) }),
	OpPow: binary(func(x, y, out *Value) (dx, dy *Value) {
		// 0ʸ = 0 near every y > 0, so the derivative by the exponent is 0 at x = 0, where log x alone is infinite.
		log := Select(x, Log(x), Const(x.Builder(), 0))
		return Mul(y, Pow(x, SubScalar(y, 1))), Mul(out, log)
	}),
	OpPowi:  powi,
	OpSqrt:  unary(func(_, y *Value) *Value { return Div(Const(y.Builder(), 0.5), y) }),
	OpRsqrt: unary(func(x, y *Value) *Value { return scaled(-0.5, Div(y, x)) }),

	OpExp:      unary(func(_, y *Value) *Value { return y }),
	OpExpm1:    unary(func(_, y *Value) *Value { return OnePlus(y) }),
	OpLog:      unary(func(x, _ *Value) *Value { return reciprocal(x) }),
	OpLog1p:    unary(func(x, _ *Value) *Value { return reciprocal(OnePlus(x)) }),
	OpLogistic: unary(func(_, y *Value) *Value { return Mul(y, OneMinus(y)) }),
	OpErf:      unary(func(x, _ *Value) *Value { return scaled(2/math.SqrtPi, Exp(Neg(Square(x)))) }),

	OpSin:  unary(func(x, _ *Value) *Value { return Cos(x) }),
	OpCos:  unary(func(x, _ *Value) *Value { return Neg(Sin(x)) }),
	OpTan:  unary(func(_, y *Value) *Value { return OnePlus(Square(y)) }),
	OpAsin: unary(func(x, _ *Value) *Value { return Rsqrt(OneMinus(Square(x))) }),
	OpAcos: unary(func(x, _ *Value) *Value { return Neg(Rsqrt(OneMinus(Square(x)))) }),
	OpAtan: unary(func(x, _ *Value) *Value { return reciprocal(OnePlus(Square(x))) }),
	OpAtan2: binary(func(y, x, _ *Value) (dy, dx *Value) {
		r2 := reciprocal(Add(Square(x), Square(y)))
		return Mul(x, r2), Neg(Mul(y, r2))
	}),
	OpSinh:  unary(func(x, _ *Value) *Value { return Cosh(x) }),
	OpCosh:  unary(func(x, _ *Value) *Value { return Sinh(x) }),
	OpTanh:  unary(func(_, y *Value) *Value { return OneMinus(Square(y)) }),
	OpAsinh: unary(func(x, _ *Value) *Value { return Rsqrt(OnePlus(Square(x))) }),
	OpAcosh: unary(func(x, _ *Value) *Value { return Rsqrt(SubScalar(Square(x), 1)) }),
	OpAtanh: unary(func(x, _ *Value) *Value { return reciprocal(OneMinus(Square(x))) }),

	OpAbs:  unary(func(x, _ *Value) *Value { return Sign(x) }),
	OpSign: flat,
	OpMax: binary(func(x, y, _ *Value) (dx, dy *Value) {
		return Heaviside(Sub(x, y), nil), Heaviside(Sub(y, x), nil)
	}),
	OpMin: binary(func(x, y, _ *Value) (dx, dy *Value) {
		return Heaviside(Sub(y, x), nil), Heaviside(Sub(x, y), nil)
	}),
	OpRelu: unary(func(x, _ *Value) *Value {
		zero := 0.0
		return Heaviside(x, &Attrs{AtZero: &zero})
	}),
	OpSelect: func(x []*Value, y *Value, _ *Attrs) []*Value {
		zero, one := Const(y.Builder(), 0), Const(y.Builder(), 1)
		return []*Value{nil, Select(x[0], one, zero), Select(x[0], zero, one)}
	},
	OpHeaviside:    surrogate,
	OpStopGradient: flat,
}

func powi(x []*Value, _ *Value, a *Attrs) []*Value {
	switch a.N {
	case 0:
		return []*Value{nil}
	case 1:
		return linear(1)(x, x[0], nil)
	case 2:
		return []*Value{scaled(2, x[0])}
	}
	return []*Value{scaled(float64(a.N), Powi(x[0], a.N-1))}
}

// surrogate is the derivative that stands in for that of the Heaviside step; see [ir.Surrogates] for the forms.
func surrogate(args []*Value, y *Value, a *Attrs) []*Value {
	if a == nil || a.Surrogate == "" {
		return []*Value{nil}
	}
	width := 1.0
	if a.Width != nil {
		width = *a.Width
	}
	x := scaled(width, args[0])
	var d *Value
	switch a.Surrogate {
	case "piecewise_linear":
		d = Max(OneMinus(Abs(x)), Const(y.Builder(), 0))
	case "fast_sigmoid":
		d = reciprocal(Square(OnePlus(Abs(x))))
	case "exponential":
		d = Exp(Neg(Abs(x)))
	case "arctan":
		d = reciprocal(OnePlus(Square(x)))
	case "sigmoid":
		s := Logistic(x)
		d = Mul(s, OneMinus(s))
	}
	if a.Height != nil {
		width *= *a.Height
	}
	return []*Value{scaled(width, d)}
}
