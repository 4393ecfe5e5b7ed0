package vasm

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// functions holds the vector form of every op that remains after lowering: one row an op.
var functions = map[*ir.OpInfo]func(b *builder, x []value, n *ir.Node) value{
	ir.OpAdd:  binary((*builder).add),
	ir.OpSub:  binary((*builder).sub),
	ir.OpMul:  binary((*builder).mul),
	ir.OpDiv:  binary((*builder).div),
	ir.OpNeg:  unary((*builder).neg),
	ir.OpSqrt: unary((*builder).sqrt),
	ir.OpAbs:  unary((*builder).abs),
	ir.OpMax:  binary((*builder).maximum),
	ir.OpMin:  binary((*builder).minimum),
	ir.OpSign: unary((*builder).sign),
	ir.OpPow:  binary((*builder).pow),

	ir.OpExp:   unary((*builder).exp),
	ir.OpExpm1: unary((*builder).expm1),
	ir.OpLog:   unary((*builder).log),
	ir.OpLog1p: unary((*builder).log1p),
	ir.OpErf:   unary((*builder).erf),

	ir.OpSin:   unary((*builder).sin),
	ir.OpCos:   unary((*builder).cos),
	ir.OpTan:   unary((*builder).tan),
	ir.OpAsin:  unary((*builder).asin),
	ir.OpAcos:  unary((*builder).acos),
	ir.OpAtan:  unary((*builder).atan),
	ir.OpAtan2: binary((*builder).atan2),
	ir.OpSinh:  unary((*builder).sinh),
	ir.OpCosh:  unary((*builder).cosh),
	ir.OpTanh:  unary((*builder).tanh),
	ir.OpAsinh: unary((*builder).asinh),
	ir.OpAcosh: unary((*builder).acosh),
	ir.OpAtanh: unary((*builder).atanh),

	ir.OpSelect: func(b *builder, x []value, _ *ir.Node) value {
		return b.sel(b.cmp(equal, x[0], b.constant(0)), x[2], x[1])
	},
	ir.OpHeaviside: func(b *builder, x []value, n *ir.Node) value {
		zero := b.constant(0)
		step := b.and(b.cmp(less, zero, x[0]), b.constant(1))
		step = b.sel(b.cmp(equal, x[0], zero), b.constant(n.Op.Scalar(n.Attrs, 0)), step)
		return b.orNaN(step, x[0], x[0])
	},
}

func unary(f func(*builder, value) value) func(*builder, []value, *ir.Node) value {
	return func(b *builder, x []value, _ *ir.Node) value { return f(b, x[0]) }
}

func binary(f func(b *builder, x, y value) value) func(*builder, []value, *ir.Node) value {
	return func(b *builder, x []value, _ *ir.Node) value { return f(b, x[0], x[1]) }
}

// orNaN is NaN where x or y is, and r elsewhere: a compare gives all ones, which or with anything is a NaN.
func (b *builder) orNaN(r, x, y value) value { return b.or(r, b.cmp(unordered, x, y)) }

// minimum is math.Min: the smaller of both orders of the instruction, joined, gives −0 where zeros meet and NaN where
// either is, since the bits of a NaN joined with any others are one.
func (b *builder) minimum(x, y value) value { return b.or(b.min(x, y), b.min(y, x)) }

// maximum is math.Max.
func (b *builder) maximum(x, y value) value {
	return b.orNaN(b.and(b.max(x, y), b.max(y, x)), x, y)
}

// sign is −1, 0 or 1, or NaN.
func (b *builder) sign(x value) value {
	one := b.or(b.and(x, b.bits(signBit)), b.constant(1))
	return b.sel(b.cmp(notEqual, x, b.constant(0)), b.orNaN(one, x, x), x)
}

// bounds are the largest errors of the functions in units in the last place; others are rounded correctly.
var bounds = map[*ir.OpInfo]float64{
	ir.OpExp: 1.5, ir.OpExpm1: 2, ir.OpLog: 1, ir.OpLog1p: 1, ir.OpErf: 1.5, ir.OpPow: 1.5,
	ir.OpSin: 1, ir.OpCos: 1, ir.OpTan: 2.5, ir.OpAsin: 2.5, ir.OpAcos: 2.5, ir.OpAtan: 2, ir.OpAtan2: 2,
	ir.OpSinh: 2.5, ir.OpCosh: 2, ir.OpTanh: 3, ir.OpAsinh: 3, ir.OpAcosh: 3, ir.OpAtanh: 3,
}

// Units bounds the error of an op in units in the last place of the exact value, as long as that is a normal number. The
// bounds are tested against exact values, not proved.
func Units(op *ir.OpInfo) float64 {
	if u, ok := bounds[op]; ok {
		return u
	}
	return 0.5
}
