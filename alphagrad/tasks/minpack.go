package tasks

import . "github.com/alphagrad/alphagrad-go/alphagrad/ir"

func propaneCombustion(x []value) []value {
	x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11 := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10]
	const p, r = 40., 10.
	px11 := Sqrt(Div(Const(x1.Builder(), p), x11))
	double := func(v value) value { return MulScalar(v, 2) }
	f1 := SubScalar(Add(x1, x4), 3)
	f2 := SubScalar(Add(Add(Add(Add(Add(Add(double(x1), x2), x4), x7), x8), x9), double(x10)), r)
	f3 := SubScalar(Add(Add(Add(double(x2), double(x5)), x6), x7), 8)
	f4 := SubScalar(Add(double(x3), x9), 4*r)
	f5 := Sub(Mul(x2, x4), Mul(x1, x5))
	f6 := Sub(Sqrt(Mul(x2, x4)), Mul(Mul(Sqrt(x1), px11), x6))
	f7 := Sub(Sqrt(Mul(x1, x2)), Mul(Mul(Sqrt(x4), x7), px11))
	f8 := Sub(x1, Div(MulScalar(Mul(x4, x8), p), x11))
	f9 := Sub(Mul(x1, Sqrt(x3)), Mul(Mul(x4, x9), px11))
	f10 := Sub(Square(x1), Div(MulScalar(Mul(Square(x4), x10), p), x11))
	f11 := x11
	for _, xi := range x[:10] {
		f11 = Sub(f11, xi)
	}
	return []value{f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11}
}

func humanHeartDipole(x []value) []value {
	x1, x2, x3, x4, x5, x6, x7, x8 := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
	const sigma = 1. // all eight measured moments
	double := func(v value) value { return MulScalar(v, 2) }
	triple := func(v value) value { return MulScalar(v, 3) }

	f1 := SubScalar(Add(x1, x2), sigma)
	f2 := SubScalar(Add(x3, x4), sigma)
	f3 := SubScalar(Sub(Sub(Add(Mul(x5, x1), Mul(x6, x2)), Mul(x7, x3)), Mul(x8, x4)), sigma)
	f4 := SubScalar(Add(Add(Add(Mul(x7, x1), Mul(x8, x2)), Mul(x5, x3)), Mul(x6, x4)), sigma)

	x57 := Sub(Square(x5), Square(x7))
	x68 := Sub(Square(x6), Square(x8))
	f5 := SubScalar(Sub(Add(Sub(Mul(x1, x57), Mul(Mul(double(x3), x5), x7)), Mul(x2, x68)), Mul(Mul(double(x4), x6), x8)), sigma)
	f6 := SubScalar(Sub(Add(Sub(Mul(x3, x57), Mul(Mul(double(x1), x5), x7)), Mul(x4, x68)), Mul(Mul(double(x2), x6), x8)), sigma)

	cubic := func(a, b value) value { return Mul(a, Sub(Square(a), triple(Square(b)))) }
	x557 := cubic(x5, x7)
	x775 := cubic(x7, x5)
	x668 := cubic(x6, x8)
	x886 := cubic(x8, x6)
	f7 := SubScalar(Add(Add(Add(Mul(x1, x557), Mul(x3, x775)), Mul(x2, x668)), Mul(x4, x886)), sigma)
	f8 := SubScalar(Sub(Add(Sub(Mul(x3, x557), Mul(x1, x775)), Mul(x4, x668)), Mul(x2, x886)), sigma)
	return []value{f1, f2, f3, f4, f5, f6, f7, f8}
}

// steadyStateCombustion discretises on a 2 × 2 grid of spacing ½ with λ = 6.81.
func steadyStateCombustion(v []value) []value {
	v00, v01, v10, v11 := v[0], v[1], v[2], v[3]
	const h, lambda = 0.5, 6.81
	part := func(c, p, q value) value {
		slope := func(n value) value { return Square(DivScalar(Sub(n, c), h)) }
		sp, sq := slope(p), slope(q)
		grad := Add(sp, sq)
		mu := MulScalar(Add(Add(Exp(c), Exp(p)), Exp(q)), 2./3.)
		return MulScalar(Sub(grad, MulScalar(mu, lambda)), h*h/4)
	}
	f00 := Add(part(v00, v10, v01), part(v00, v01, v10))
	f01 := Add(part(v01, v11, v00), part(v01, v00, v11))
	f10 := Add(part(v10, v00, v11), part(v10, v11, v00))
	f11 := Add(part(v11, v01, v10), part(v11, v10, v01))
	return []value{Add(Add(Add(f00, f01), f10), f11)}
}
