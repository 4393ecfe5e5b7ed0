package gosrc

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// forms holds the Go expression of every op that remains after lowering: one row an op.
var forms = map[*ir.OpInfo]string{
	ir.OpAdd:  "%s + %s",
	ir.OpSub:  "%s - %s",
	ir.OpMul:  "%s * %s",
	ir.OpDiv:  "%s / %s",
	ir.OpNeg:  "-%s",
	ir.OpPow:  "math.Pow(%s, %s)",
	ir.OpSqrt: "math.Sqrt(%s)",

	ir.OpExp:   "math.Exp(%s)",
	ir.OpExpm1: "math.Expm1(%s)",
	ir.OpLog:   "math.Log(%s)",
	ir.OpLog1p: "math.Log1p(%s)",
	ir.OpErf:   "math.Erf(%s)",

	ir.OpSin:   "math.Sin(%s)",
	ir.OpCos:   "math.Cos(%s)",
	ir.OpTan:   "math.Tan(%s)",
	ir.OpAsin:  "math.Asin(%s)",
	ir.OpAcos:  "math.Acos(%s)",
	ir.OpAtan:  "math.Atan(%s)",
	ir.OpAtan2: "math.Atan2(%s, %s)",
	ir.OpSinh:  "math.Sinh(%s)",
	ir.OpCosh:  "math.Cosh(%s)",
	ir.OpTanh:  "math.Tanh(%s)",
	ir.OpAsinh: "math.Asinh(%s)",
	ir.OpAcosh: "math.Acosh(%s)",
	ir.OpAtanh: "math.Atanh(%s)",

	ir.OpAbs:       "math.Abs(%s)",
	ir.OpMax:       "math.Max(%s, %s)",
	ir.OpMin:       "math.Min(%s, %s)",
	ir.OpSign:      "Sign(%s)",
	ir.OpSelect:    "Select(%s, %s, %s)",
	ir.OpHeaviside: "Heaviside(%s, %s)",
}

// helperOf names the helper function an op calls; its name gets the file's prefix, so that generated files can share a
// package.
var helperOf = map[*ir.OpInfo]string{ir.OpSign: "Sign", ir.OpSelect: "Select", ir.OpHeaviside: "Heaviside"}

var helperOrder = []string{"Sign", "Select", "Heaviside"}

var helperSource = map[string]string{
	"Sign": `func PREFIXSign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}
`,
	"Select": `func PREFIXSelect(condition, onTrue, onFalse float64) float64 {
	if condition != 0 {
		return onTrue
	}
	return onFalse
}
`,
	"Heaviside": `func PREFIXHeaviside(x, atZero float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return 0
	case x == 0:
		return atZero
	}
	return x
}
`,
}
