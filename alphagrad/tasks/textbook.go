package tasks

import (
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	. "github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

func simple(in []value) []value {
	x, y := in[0], in[1]
	z := Mul(x, y)
	w := Sin(z)
	return []value{Add(w, z), Log(w)}
}

func lighthouse(in []value) []value {
	nu, gamma, omega, t := in[0], in[1], in[2], in[3]
	y1 := Div(Mul(nu, Tan(Mul(omega, t))), Sub(gamma, Tan(Mul(omega, t))))
	y2 := Mul(gamma, y1)
	return []value{y1, y2}
}

func hole(in []value) []value {
	x, y, z, w := in[0], in[1], in[2], in[3]
	a := Mul(y, z)
	b := Add(a, x)
	c := Add(a, w)
	d := Cos(b)
	e := Exp(c)
	return []value{Sub(d, e), Div(d, e), Mul(d, e)}
}

func helmholtz(x []value) []value {
	s := Add(Add(Add(x[0], x[1]), x[2]), x[3])
	rest := OnePlus(Neg(s))
	y := make([]value, len(x))
	for i := range x {
		y[i] = Div(x[i], rest)
	}
	for i := range x {
		y[i] = Log(y[i])
	}
	for i := range x {
		y[i] = Mul(x[i], y[i])
	}
	return y
}

func kerrSenn(in []value) []value {
	r, theta := in[1], in[2]
	const a, b, m = 0.5, 0.9, 1.0
	bd := r.Builder()
	sintheta2 := Square(Sin(theta))
	sigma := Add(Add(Square(r), MulScalar(r, 2*b)), Mul(Const(bd, a*a), Square(Cos(theta))))
	k := AddScalar(Sub(Add(Square(r), MulScalar(r, 2*b)), MulScalar(r, 2*m)), a*a)

	gtt := Neg(OneMinus(Div(MulScalar(r, 2*m), sigma)))
	grr := Div(sigma, k)
	gphiphi := Mul(Add(Add(sigma, MulScalar(sintheta2, a*a)),
		Div(Mul(MulScalar(MulScalar(r, 2*m), a*a), sintheta2), sigma)), sintheta2)
	gphit := Div(MulScalar(MulScalar(r, -2*m), a), sintheta2)
	return []value{gtt, grr, sigma, gphiphi, gphit}
}

func cloudSchemes(in []value) []value {
	a1, a2, e1, e2, delta, gamma, bc, br, d1, d2, chi := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8], in[9], in[10]
	b := a1.Builder()
	one := Const(b, 1) // cloud and rain water and all fixed coefficients are 1
	condensation := one
	accretion := func() value { return Mul(Mul(a2, Pow(one, bc)), Pow(one, br)) }
	autoconversion := func() value { return Mul(a1, Pow(one, gamma)) }
	evaporation := func() value { return Add(Mul(e1, Pow(one, d1)), Mul(e2, Pow(one, d2))) }

	dqc := Sub(Sub(condensation, autoconversion()), accretion())
	dqr := Sub(AddScalar(Add(autoconversion(), evaporation()), 0), Mul(delta, Pow(one, chi)))
	dqv := Sub(Const(b, -1), evaporation())
	return []value{dqc, dqr, dqv}
}

var blackScholesInputs = []string{"S", "K", "r", "sigma", "T"}

var blackScholesDomain = []Interval{{0.8, 1.2}, {0.8, 1.2}, {0.01, 0.1}, {0.1, 0.4}, {0.5, 2}}

func blackScholes(in []value) []value {
	s, k, r, sigma, t := in[0], in[1], in[2], in[3], in[4]
	phi := func(z value) value { return DivScalar(OnePlus(Erf(DivScalar(z, math.Sqrt2))), 2) }
	f := Mul(Exp(Mul(r, t)), s)
	d1 := Div(Add(Log(Div(f, k)), Mul(DivScalar(Square(sigma), 2), t)), Mul(sigma, Sqrt(t)))
	d2 := Sub(d1, Mul(sigma, Sqrt(t)))
	return []value{Mul(Exp(Mul(Neg(r), t)), Sub(Mul(f, phi(d1)), Mul(k, phi(d2))))}
}

func blackScholesJacobian() (*Program, error) {
	p, err := Trace("BlackScholes", blackScholesInputs, []string{"price"}, blackScholes)
	if err != nil {
		return nil, err
	}
	j, err := ad.Jacobian(p, nil)
	if err != nil {
		return nil, err
	}
	j.Name = "BlackScholes_Jacobian"
	return j, nil
}
