package gosource

import (
	"go/ast"
	"go/token"
	"maps"
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// elementaryFunctions of package math are ops of programs.
var elementaryFunctions = map[string]*ir.OpInfo{
	"Abs": ir.OpAbs, "Sqrt": ir.OpSqrt, "Exp": ir.OpExp, "Expm1": ir.OpExpm1, "Log": ir.OpLog, "Log1p": ir.OpLog1p, "Erf": ir.OpErf,
	"Sin": ir.OpSin, "Cos": ir.OpCos, "Tan": ir.OpTan, "Asin": ir.OpAsin, "Acos": ir.OpAcos, "Atan": ir.OpAtan, "Atan2": ir.OpAtan2,
	"Sinh": ir.OpSinh, "Cosh": ir.OpCosh, "Tanh": ir.OpTanh, "Asinh": ir.OpAsinh, "Acosh": ir.OpAcosh, "Atanh": ir.OpAtanh,
	"Max": ir.OpMax, "Min": ir.OpMin,
}

// composedFunctions are written with several ops; their values agree with package math up to rounding.
var composedFunctions = map[string]func(e *evaluator, pos token.Pos, x []number) number{
	"Pow": (*evaluator).pow,
	"Exp2": func(e *evaluator, pos token.Pos, x []number) number {
		return number{v: e.apply(pos, ir.OpPow, nil, ir.Const(e.b, 2), e.node(x[0]))}
	},
	"Log2":  func(e *evaluator, pos token.Pos, x []number) number { return e.logarithm(pos, x[0], 1/math.Ln2) },
	"Log10": func(e *evaluator, pos token.Pos, x []number) number { return e.logarithm(pos, x[0], 1/math.Ln10) },
	"Cbrt": func(e *evaluator, pos token.Pos, x []number) number {
		size := e.apply(pos, ir.OpPow, nil, e.apply(pos, ir.OpAbs, nil, e.node(x[0])), ir.Const(e.b, 1./3))
		return number{v: e.apply(pos, ir.OpMul, nil, e.apply(pos, ir.OpSign, nil, e.node(x[0])), size)}
	},
	"Hypot": func(e *evaluator, pos token.Pos, x []number) number {
		return e.elementary(pos, ir.OpSqrt, e.arithmetic(pos, token.ADD, e.arithmetic(pos, token.MUL, x[0], x[0]), e.arithmetic(pos, token.MUL, x[1], x[1])))
	},
	"Dim": func(e *evaluator, pos token.Pos, x []number) number {
		return e.elementary(pos, ir.OpMax, e.arithmetic(pos, token.SUB, x[0], x[1]), number{})
	},
	"FMA": func(e *evaluator, pos token.Pos, x []number) number {
		return e.arithmetic(pos, token.ADD, e.arithmetic(pos, token.MUL, x[0], x[1]), x[2])
	},
}

// constantFunctions can be had of known numbers only.
var constantFunctions = map[string]func(x []number) float64{
	"Floor": known1(math.Floor), "Ceil": known1(math.Ceil), "Trunc": known1(math.Trunc), "Round": known1(math.Round),
	"RoundToEven": known1(math.RoundToEven), "Erfc": known1(math.Erfc), "Gamma": known1(math.Gamma), "Erfinv": known1(math.Erfinv),
	"Mod": known2(math.Mod), "Remainder": known2(math.Remainder), "Copysign": known2(math.Copysign),
	"Log2": known1(math.Log2), "Log10": known1(math.Log10), "Cbrt": known1(math.Cbrt), "Exp2": known1(math.Exp2),
	"Pow": known2(math.Pow), "Hypot": known2(math.Hypot), "Dim": known2(math.Dim),
	"FMA": func(x []number) float64 { return math.FMA(x[0].c, x[1].c, x[2].c) },
	"NaN": func([]number) float64 { return math.NaN() },
}

func known1(f func(x float64) float64) func(x []number) float64 {
	return func(x []number) float64 { return f(x[0].c) }
}

func known2(f func(x, y float64) float64) func(x []number) float64 {
	return func(x []number) float64 { return f(x[0].c, x[1].c) }
}

// math evaluates a call of a function of package math.
func (e *evaluator) math(x *ast.CallExpr, name string) []value {
	if name == "Inf" {
		return []value{number{c: math.Inf(int(e.integer(x.Args[0])))}}
	}
	var args []number
	if call, ok := firstCall(x); ok && len(x.Args) == 1 {
		for _, v := range e.call(call) {
			n, ok := e.decided(x.Pos(), v).(number)
			if !ok {
				e.fail(x.Pos(), "math.%s of a value that is no float64 is not supported", name)
			}
			args = append(args, n)
		}
	} else {
		for _, a := range x.Args {
			v, ok := e.known(a).(number)
			if !ok {
				e.fail(a.Pos(), "math.%s of a value of type %s is not supported", name, e.typeName(e.typeOf(a)))
			}
			args = append(args, v)
		}
	}
	constant := true
	for _, a := range args {
		constant = constant && a.v == nil
	}
	if op := elementaryFunctions[name]; op != nil {
		return []value{e.elementary(x.Pos(), op, args...)}
	}
	if f := constantFunctions[name]; f != nil && constant {
		return []value{number{c: f(args)}}
	}
	if f := composedFunctions[name]; f != nil {
		return []value{f(e, x.Pos(), args)}
	}
	switch name {
	case "Sincos":
		return []value{e.elementary(x.Pos(), ir.OpSin, args...), e.elementary(x.Pos(), ir.OpCos, args...)}
	case "Erfc":
		e.fail(x.Pos(), "math.Erfc of data is not supported; write 1 - math.Erf(x) where its accuracy is enough")
	}
	if constantFunctions[name] != nil {
		e.fail(x.Pos(), "math.%s of data is not supported: it is a step function, or has no derivative here; apply it to constants", name)
	}
	names := slices.Sorted(maps.Keys(elementaryFunctions))
	e.fail(x.Pos(), "math.%s is not supported; supported: %v, %v and Sincos", name, names, slices.Sorted(maps.Keys(composedFunctions)))
	return nil
}

// elementary applies an op to numbers, at once where they are known.
func (e *evaluator) elementary(pos token.Pos, op *ir.OpInfo, x ...number) number {
	constant := true
	values := make([]float64, len(x))
	nodes := make([]*ir.Value, len(x))
	for i, n := range x {
		constant = constant && n.v == nil
		values[i] = n.c
	}
	if constant {
		return number{c: op.Scalar(nil, values...)}
	}
	for i, n := range x {
		nodes[i] = e.node(n)
	}
	return number{v: e.apply(pos, op, nil, nodes...)}
}

// maxPowi is the largest exponent that becomes repeated multiplication, as in math.Pow.
const maxPowi = 64

// pow treats the constant exponents that math.Pow treats.
func (e *evaluator) pow(pos token.Pos, x []number) number {
	base, c := x[0], x[1].c
	if x[1].v == nil {
		switch {
		case c == 0:
			return number{c: 1}
		case c == 1:
			return base
		case c == 2:
			return e.arithmetic(pos, token.MUL, base, base)
		case c == 0.5:
			return e.elementary(pos, ir.OpSqrt, base)
		case c == -0.5:
			return e.elementary(pos, ir.OpRsqrt, base)
		case c == math.Trunc(c) && math.Abs(c) <= maxPowi:
			return number{v: e.apply(pos, ir.OpPowi, &ir.Attrs{N: int(c)}, base.v)}
		}
	}
	return e.elementary(pos, ir.OpPow, x...)
}

func (e *evaluator) logarithm(pos token.Pos, x number, scale float64) number {
	return e.arithmetic(pos, token.MUL, e.elementary(pos, ir.OpLog, x), number{c: scale})
}
