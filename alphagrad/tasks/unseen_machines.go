package tasks

import (
	"math"

	. "github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

func twoLinkArm(in []value) []value {
	q1, q2, u1, u2, t1, t2, m1, m2, l1, l2 := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8], in[9]
	const g = 9.81
	c2, s2 := Cos(q2), Sin(q2)
	l11, l22 := Square(l1), Square(l2)
	m22 := DivScalar(Mul(m2, l22), 3)
	cross := Mul(Mul(m2, l1), DivScalar(l2, 2))
	m12 := Add(m22, Mul(cross, c2))
	m11 := sum(DivScalar(Mul(m1, l11), 3), Mul(m2, l11), m22, MulScalar(Mul(cross, c2), 2))
	h := Mul(cross, s2)
	reach := MulScalar(Mul(Mul(m2, l2), Cos(Add(q1, q2))), g/2)
	g1 := Add(MulScalar(Mul(Mul(Add(DivScalar(m1, 2), m2), l1), Cos(q1)), g), reach)
	b1 := Sub(Add(t1, Mul(h, Mul(u2, Add(MulScalar(u1, 2), u2)))), g1)
	b2 := Sub(Sub(t2, Mul(h, Square(u1))), reach)
	det := Sub(Mul(m11, m22), Square(m12))
	return []value{Div(Sub(Mul(m22, b1), Mul(m12, b2)), det), Div(Sub(Mul(m11, b2), Mul(m12, b1)), det)}
}

func quaternionRotation(in []value) []value {
	q, v := in[:4], in[4:]
	n := Rsqrt(sum(Square(q[0]), Square(q[1]), Square(q[2]), Square(q[3])))
	w, x, y, z := Mul(q[0], n), Mul(q[1], n), Mul(q[2], n), Mul(q[3], n)
	twice := func(a, b value) value { return MulScalar(Mul(a, b), 2) }
	xx, yy, zz := twice(x, x), twice(y, y), twice(z, z)
	xy, xz, yz := twice(x, y), twice(x, z), twice(y, z)
	wx, wy, wz := twice(w, x), twice(w, y), twice(w, z)
	row := func(a, b, c value) value { return sum(Mul(a, v[0]), Mul(b, v[1]), Mul(c, v[2])) }
	return []value{
		row(OneMinus(Add(yy, zz)), Sub(xy, wz), Add(xz, wy)),
		row(Add(xy, wz), OneMinus(Add(xx, zz)), Sub(yz, wx)),
		row(Sub(xz, wy), Add(yz, wx), OneMinus(Add(xx, yy))),
	}
}

// dhChain applies the transformations from the last to the first to the origin and to the last axis.
func dhChain(in []value) []value {
	q, a, alpha := in[:3], in[3:6], in[6:9]
	var p, axis []value
	for i := 2; i >= 0; i-- {
		cq, sq, ca, sa := Cos(q[i]), Sin(q[i]), Cos(alpha[i]), Sin(alpha[i])
		turn := func(v []value) []value {
			across := Sub(Mul(ca, v[1]), Mul(sa, v[2]))
			return []value{Sub(Mul(cq, v[0]), Mul(sq, across)), Add(Mul(sq, v[0]), Mul(cq, across)), Add(Mul(sa, v[1]), Mul(ca, v[2]))}
		}
		if p == nil {
			p = []value{Mul(a[i], cq), Mul(a[i], sq), MulScalar(sa, 0.1)}
			axis = []value{Mul(sq, sa), Neg(Mul(cq, sa)), ca}
			continue
		}
		p, axis = turn(p), turn(axis)
		p[0], p[1] = Add(p[0], Mul(a[i], cq)), Add(p[1], Mul(a[i], sq))
	}
	return append(p, axis...)
}

func camera(in []value) []value {
	x, angles, t, focal, k1, k2 := in[:3], in[3:6], in[6:9], in[9], in[10], in[11]
	p := x
	for axis, angle := range angles { // about x, y and z in turn
		c, s := Cos(angle), Sin(angle)
		i, j := (axis+1)%3, (axis+2)%3
		next := make([]value, 3)
		next[axis] = p[axis]
		next[i], next[j] = Sub(Mul(c, p[i]), Mul(s, p[j])), Add(Mul(s, p[i]), Mul(c, p[j]))
		p = next
	}
	p = each(Add, p, t)
	depth := AddScalar(p[2], 4)
	u, v := Div(p[0], depth), Div(p[1], depth)
	r2 := Add(Square(u), Square(v))
	bend := OnePlus(Mul(r2, Add(k1, Mul(k2, r2))))
	scale := Mul(focal, bend)
	return []value{Mul(scale, u), Mul(scale, v)}
}

func bicycleModel(in []value) []value {
	x, y, psi, v, delta, a, h := in[0], in[1], in[2], in[3], in[4], in[5], in[6]
	const front, rear = 1.2, 1.6
	for range 2 {
		beta := Atan(MulScalar(Tan(delta), rear/(front+rear)))
		course := Add(psi, beta)
		step := Mul(v, h)
		x, y = Add(x, Mul(step, Cos(course))), Add(y, Mul(step, Sin(course)))
		psi = Add(psi, Mul(step, MulScalar(Sin(beta), 1/rear)))
		v = Add(v, Mul(a, h))
	}
	return []value{x, y, psi, v}
}

func kalmanFilter(in []value) []value {
	x1, x2, p11, p12, p22, q, r, z, h := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8]
	x1 = Add(x1, Mul(h, x2))
	hp := Mul(h, p22)
	a11 := Add(Add(p11, Mul(h, Add(MulScalar(p12, 2), hp))), MulScalar(Mul(q, Powi(h, 3)), 1./3))
	a12 := Add(Add(p12, hp), MulScalar(Mul(q, Square(h)), 0.5))
	a22 := Add(p22, Mul(q, h))
	s := Add(a11, r)
	k1, k2 := Div(a11, s), Div(a12, s)
	y := Sub(z, x1)
	keep := OneMinus(k1)
	return []value{Add(x1, Mul(k1, y)), Add(x2, Mul(k2, y)), Mul(keep, a11), Mul(keep, a12), Sub(a22, Mul(k2, a12)), Add(Log(s), Div(Square(y), s))}
}

func sabr(in []value) []value {
	f, k, t, alpha, beta, rho, nu := in[0], in[1], in[2], in[3], in[4], in[5], in[6]
	rest := OneMinus(beta)
	lf := Log(Div(f, MulScalar(k, 0.15)))
	fk := Pow(Mul(f, k), DivScalar(rest, 2))
	rest2, lf2 := Square(rest), Square(lf)
	series := OnePlus(Add(DivScalar(Mul(rest2, lf2), 24), DivScalar(Mul(Square(rest2), Square(lf2)), 1920)))
	z := Mul(Div(nu, alpha), Mul(fk, lf))
	chi := Log(Div(Sub(Add(Sqrt(Add(OneMinus(MulScalar(Mul(rho, z), 2)), Square(z))), z), rho), OneMinus(rho)))
	growth := OnePlus(Mul(t, sum(
		DivScalar(Div(Mul(rest2, Square(alpha)), Square(fk)), 24),
		DivScalar(Div(product(rho, beta, nu, alpha), fk), 4),
		Mul(DivScalar(Sub(Const(f.Builder(), 2), MulScalar(Square(rho), 3)), 24), Square(nu)))))
	return []value{Mul(Mul(Div(alpha, Mul(fk, series)), Div(z, chi)), growth)}
}

func cirBond(in []value) []value {
	r, kappa, theta, sigma, t := in[0], in[1], in[2], in[3], in[4]
	s2 := Square(sigma)
	g := Sqrt(Add(Square(kappa), MulScalar(s2, 2)))
	e := Expm1(Mul(g, t))
	kg := Add(kappa, g)
	under := Add(Mul(kg, e), MulScalar(g, 2))
	a := Pow(Div(Mul(MulScalar(g, 2), Exp(DivScalar(Mul(kg, t), 2))), under), Div(MulScalar(Mul(kappa, theta), 2), s2))
	price := Mul(a, Exp(Neg(Mul(Div(MulScalar(e, 2), under), r))))
	return []value{price, Neg(Div(Log(price), t))}
}

func nelsonSiegelBond(in []value) []value {
	b0, b1, b2, tau, coupon := in[0], in[1], in[2], in[3], in[4]
	var price value
	for i := 1; i <= 6; i++ {
		t := 0.5 * float64(i)
		x := Div(Const(tau.Builder(), t), tau)
		decay := Exp(Neg(x))
		load := Div(OneMinus(decay), x)
		yield := sum(b0, Mul(b1, load), Mul(b2, Sub(load, decay)))
		discount := Exp(MulScalar(yield, -t))
		flow := coupon
		if i == 6 {
			flow = OnePlus(coupon)
		}
		term := Mul(flow, discount)
		if price == nil {
			price = term
		} else {
			price = Add(price, term)
		}
	}
	return []value{price}
}

func spread(in []value) []value {
	f1, f2, k, s1, s2, rho, r, t := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]
	normal := func(z value) value { return MulScalar(OnePlus(Erf(DivScalar(z, math.Sqrt2))), 0.5) }
	fk := Add(f2, k)
	share := Mul(Div(f2, fk), s2)
	vol := Sqrt(Add(Sub(Square(s1), MulScalar(product(rho, s1, share), 2)), Square(share)))
	root := Mul(vol, Sqrt(t))
	d1 := Add(Div(Log(Div(f1, fk)), root), DivScalar(root, 2))
	d2 := Sub(d1, root)
	discount := Exp(Neg(Mul(r, t)))
	return []value{Mul(discount, Sub(Mul(f1, normal(d1)), Mul(fk, normal(d2)))), Mul(discount, normal(d1)), Neg(Mul(discount, normal(d2)))}
}
