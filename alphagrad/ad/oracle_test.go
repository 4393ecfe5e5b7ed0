package ad_test

import (
	"fmt"
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"gonum.org/v1/gonum/num/dual"
)

// Forward-mode dual numbers: gonum's where it has the function, textbook derivatives where it has not.

func chain(x dual.Number, value, slope float64) dual.Number {
	return dual.Number{Real: value, Emag: slope * x.Emag}
}

var dualOps = map[string]func(x []dual.Number, a *ir.Attrs) dual.Number{
	"add":    func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Add(x[0], x[1]) },
	"sub":    func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Sub(x[0], x[1]) },
	"mul":    func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Mul(x[0], x[1]) },
	"div":    func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Mul(x[0], dual.Inv(x[1])) },
	"neg":    func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Scale(-1, x[0]) },
	"square": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Mul(x[0], x[0]) },
	"powi": func(x []dual.Number, a *ir.Attrs) dual.Number {
		n := float64(a.N)
		return chain(x[0], math.Pow(x[0].Real, n), n*math.Pow(x[0].Real, n-1))
	},
	"pow": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		b, e := x[0], x[1]
		v := math.Pow(b.Real, e.Real)
		d := 0.0
		if b.Emag != 0 {
			d += e.Real * math.Pow(b.Real, e.Real-1) * b.Emag
		}
		if e.Emag != 0 {
			d += v * math.Log(b.Real) * e.Emag
		}
		return dual.Number{Real: v, Emag: d}
	},
	"sqrt":  func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Sqrt(x[0]) },
	"rsqrt": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Inv(dual.Sqrt(x[0])) },
	"exp":   func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Exp(x[0]) },
	"expm1": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		return chain(x[0], math.Expm1(x[0].Real), math.Exp(x[0].Real))
	},
	"log": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Log(x[0]) },
	"log1p": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		return chain(x[0], math.Log1p(x[0].Real), 1/(1+x[0].Real))
	},
	"logistic": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		s := 1 / (1 + math.Exp(-x[0].Real))
		return chain(x[0], s, math.Exp(-x[0].Real)*s*s)
	},
	"erf": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		return chain(x[0], math.Erf(x[0].Real), 2/math.Sqrt(math.Pi)*math.Exp(-x[0].Real*x[0].Real))
	},
	"sin":  func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Sin(x[0]) },
	"cos":  func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Cos(x[0]) },
	"tan":  func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Tan(x[0]) },
	"asin": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Asin(x[0]) },
	"acos": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Acos(x[0]) },
	"atan": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Atan(x[0]) },
	"atan2": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		y, z := x[0], x[1]
		r2 := y.Real*y.Real + z.Real*z.Real
		return dual.Number{Real: math.Atan2(y.Real, z.Real), Emag: (z.Real*y.Emag - y.Real*z.Emag) / r2}
	},
	"sinh":  func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Sinh(x[0]) },
	"cosh":  func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Cosh(x[0]) },
	"tanh":  func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Tanh(x[0]) },
	"asinh": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Asinh(x[0]) },
	"acosh": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Acosh(x[0]) },
	"atanh": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Atanh(x[0]) },
	"abs":   func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Abs(x[0]) },
	"sign":  func(x []dual.Number, _ *ir.Attrs) dual.Number { return chain(x[0], sign(x[0].Real), 0) },
	"max": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		switch a, b := x[0], x[1]; {
		case a.Real > b.Real:
			return a
		case b.Real > a.Real:
			return b
		default:
			return dual.Scale(0.5, dual.Add(a, b))
		}
	},
	"min": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		switch a, b := x[0], x[1]; {
		case a.Real < b.Real:
			return a
		case b.Real < a.Real:
			return b
		default:
			return dual.Scale(0.5, dual.Add(a, b))
		}
	},
	"relu": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		if x[0].Real > 0 {
			return x[0]
		}
		return dual.Number{}
	},
	"select": func(x []dual.Number, _ *ir.Attrs) dual.Number {
		if x[0].Real != 0 {
			return x[1]
		}
		return x[2]
	},
	"heaviside": func(x []dual.Number, a *ir.Attrs) dual.Number {
		v := 0.5
		if a != nil && a.AtZero != nil {
			v = *a.AtZero
		}
		if x[0].Real > 0 {
			v = 1
		} else if x[0].Real < 0 {
			v = 0
		}
		return chain(x[0], v, 0)
	},
	"stop_gradient": func(x []dual.Number, _ *ir.Attrs) dual.Number { return dual.Number{Real: x[0].Real} },
}

func sign(x float64) float64 {
	if x == 0 {
		return 0
	}
	return math.Copysign(1, x)
}

// dualJacobian evaluates a program's Jacobian, row-major, one input direction at a time.
func dualJacobian(p *ir.Program, x []float64) ([]float64, error) {
	jac := make([]float64, len(p.Outputs)*len(p.Inputs))
	for j := range p.Inputs {
		vals := make([]dual.Number, len(p.Nodes))
		for i, id := range p.Inputs {
			vals[id] = dual.Number{Real: x[i]}
			if i == j {
				vals[id].Emag = 1
			}
		}
		for i := range p.Nodes {
			n := &p.Nodes[i]
			switch n.Op {
			case ir.OpInput:
				continue
			case ir.OpConst:
				vals[i] = dual.Number{Real: n.Value[0]}
				continue
			}
			f, ok := dualOps[n.Op.Name]
			if !ok {
				return nil, fmt.Errorf("the oracle lacks op %s", n.Op)
			}
			args := make([]dual.Number, len(n.Args))
			for k, a := range n.Args {
				args[k] = vals[a]
			}
			vals[i] = f(args, n.Attrs)
		}
		for i, o := range p.Outputs {
			jac[i*len(p.Inputs)+j] = vals[o.Node].Emag
		}
	}
	return jac, nil
}
