package tasks

import . "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// roeFlux1d follows Roe 1981 with γ = ½, as published.
func roeFlux1d(in []value) []value {
	ul0, ul1, ul2, ur0, ur1, ur2 := in[0], in[1], in[2], in[3], in[4], in[5]
	const gamma = 0.5
	half := func(x value) value { return MulScalar(x, 0.5) }
	pressure := func(u0, u1, u2 value) value { return MulScalar(Sub(u2, Div(half(Square(u1)), u0)), gamma-1) }
	enthalpy := func(u0, u2, p value) value { return Div(Add(u2, p), u0) }
	flux := func(u0, u1, u2, p value) (value, value, value) {
		v := Div(u1, u0)
		return u1, Add(p, Mul(u1, v)), Mul(v, Add(p, u2))
	}

	du0 := Sub(ur0, ul0)
	ulr0 := Sqrt(Mul(ul0, ur0))
	w1 := Add(Sqrt(ul0), Sqrt(ur0))

	vl := Div(ul1, ul0)
	pl := pressure(ul0, ul1, ul2)
	hl := enthalpy(ul0, ul2, pl)
	vr := Div(ur1, ur0)
	pr := pressure(ur0, ur1, ur2)
	hr := enthalpy(ur0, ur2, pr)

	dp := Sub(pr, pl)
	dv := Sub(vr, vl)

	// Roe averages.
	u := Div(Add(Mul(Sqrt(ul0), vl), Mul(Sqrt(ur0), vr)), w1)
	h := Div(Add(Mul(Sqrt(ul0), hl), Mul(Sqrt(ur0), hr)), w1)
	q2 := Square(u)
	a2 := MulScalar(Sub(h, half(q2)), gamma-1)
	a := Sqrt(a2)

	lp := Abs(Add(u, a))
	l := Abs(u)
	ln := Abs(u)

	n := Mul(a, ulr0)
	c0 := Mul(Sub(du0, Div(dp, a2)), l)
	c1 := Mul(Add(dv, Div(dp, n)), lp)
	c2 := Mul(Sub(dv, Div(dp, n)), ln)

	fl0, fl1, fl2 := flux(ul0, ul1, ul2, pl)
	fr0, fr1, fr2 := flux(ur0, ur1, ur2, pr)
	f0 := Add(fl0, fr0)
	f1 := Add(fl1, fr1)
	f2 := Add(fl2, fr2)

	c := Div(half(ulr0), a)
	df0 := Sub(Add(c0, Mul(c, c1)), Mul(c, c2))
	df1 := Sub(Add(Mul(c0, u), Mul(Mul(c, c1), Add(u, a))), Mul(Mul(c, c2), Sub(u, a)))
	df2 := Sub(Add(Mul(half(c0), q2), Mul(Mul(c, c1), Add(h, Mul(u, a)))), Mul(Mul(c, c2), Sub(h, Mul(u, a))))

	return []value{half(Sub(f0, df0)), half(Sub(f1, df1)), half(Sub(f2, df2))}
}

// robotArm6DOF is the arm's hand position (millimetres) and Tait–Bryan angles from six joint angles (radians).
func robotArm6DOF(t []value) []value {
	const a1, a2, a3, d1, d4, d6 = 175., 890., 50., 575., 1035., 185.
	sinSum := func(a, b value) value { return Add(Mul(Cos(a), Sin(b)), Mul(Sin(a), Cos(b))) }
	cosSum := func(a, b value) value { return Sub(Mul(Cos(a), Cos(b)), Mul(Sin(a), Sin(b))) }

	c1, c2, c4, c5, c6 := Cos(t[0]), Cos(t[1]), Cos(t[3]), Cos(t[4]), Cos(t[5])
	c23 := cosSum(t[1], t[2])
	s1, s2, s4, s5, s6 := Sin(t[0]), Sin(t[1]), Sin(t[3]), Sin(t[4]), Sin(t[5])
	s23 := sinSum(t[1], t[2])

	ax := Add(Mul(s5, Add(Mul(Mul(c1, c23), c4), Mul(s1, s4))), Mul(Mul(c1, s23), c5))
	ay := Add(Mul(s5, Sub(Mul(Mul(s1, c23), c4), Mul(c1, s4))), Mul(Mul(s1, s23), c5))
	az := Sub(Mul(Mul(s23, c4), s5), Mul(c23, c5))

	nz := Sub(Mul(c6, Add(Mul(c23, s5), Mul(Mul(s23, c4), c5))), Mul(Mul(s23, s4), s6))
	oz := Sub(Mul(Neg(s6), Add(Mul(c23, s5), Mul(Mul(s23, c4), c5))), Mul(Mul(s23, s4), c6))

	z := Atan2(ay, ax)
	y := Atan2(Sqrt(OneMinus(Square(az))), az)
	zz := Atan2(oz, Neg(nz))

	reach := func() value {
		return Add(Add(AddScalar(MulScalar(c2, a2), a1), MulScalar(c23, a3)), MulScalar(s23, d4))
	}
	x1 := MulScalar(Add(Mul(s5, Add(Mul(Mul(c1, c23), c4), Mul(s1, s4))), Mul(Mul(c1, s23), c5)), d6)
	x2 := Mul(c1, reach())
	px := Add(x1, x2)
	y1 := MulScalar(Add(Mul(s5, Add(Mul(Mul(s1, c23), c4), Mul(c1, s4))), Mul(Mul(s1, s23), c5)), d6)
	y2 := Mul(s1, reach())
	py := Add(y1, y2)
	pz := Add(Sub(Add(AddScalar(MulScalar(s2, a2), d1), MulScalar(s23, a3)), MulScalar(c23, d4)),
		MulScalar(Sub(Mul(Mul(s23, c4), s5), Mul(c23, c5)), d6))
	return []value{px, py, pz, z, y, zz}
}

// roeFlux3d follows Roe 1981 with γ = ½ in the operations of the published function as JAX maps it over a batch. There,
// numbers have an axis of the batch, which a sum over the components gets back by a broadcast: a vertex of its own, here
// a reshape to the same shape.
func roeFlux3d(in []value) []value {
	ul0, ul, ul4, ur0, ur, ur4 := in[0], in[1], in[2], in[3], in[4], in[5]
	const gamma = 0.5
	half := func(x value) value { return MulScalar(x, 0.5) }
	same := func(x value) value { return Reshape(x, x.Shape()...) }
	component := func(x value, i int) value { return Slice(x, []int{i}, []int{i + 1}) }
	pressure := func(u0, u, u4 value) value {
		return MulScalar(Sub(u4, Div(same(half(ReduceSum(Powi(u, 2)))), u0)), gamma-1)
	}
	enthalpy := func(u0, u4, p value) value { return Div(Add(u4, p), u0) }
	flux := func(u, v, u4, p value) (mass, momentum, energy value) {
		v1 := component(v, 0)
		StopGradient(p) // stands for zeros, which JAX numbers too
		full := Pad(Reshape(p, 1), []int{0}, []int{2})
		mass = component(u, 0)
		momentum = Add(full, Mul(u, v))
		return mass, momentum, Mul(v1, Add(p, u4))
	}

	du0, du := Sub(ur0, ul0), Sub(ur, ul)
	du1, du2, du3 := component(du, 0), component(du, 1), component(du, 2)
	du4 := Sub(ur4, ul4)
	vl, vr := Div(ul, ul0), Div(ur, ur0)
	w1 := Add(Sqrt(ul0), Sqrt(ur0))

	// Roe averages.
	uvw := Div(Add(Mul(Sqrt(ul0), vl), Mul(Sqrt(ur0), vr)), w1)
	u, v, w := component(uvw, 0), component(uvw, 1), component(uvw, 2)
	pl := pressure(ul0, ul, ul4)
	hl := enthalpy(ul0, ul4, pl)
	pr := pressure(ur0, ur, ur4)
	hr := enthalpy(ur0, ur4, pr)
	h := Div(Add(Mul(Sqrt(ul0), hl), Mul(Sqrt(ur0), hr)), w1)
	q2 := ReduceSum(Powi(uvw, 2))
	a2 := MulScalar(Sub(h, same(half(q2))), gamma-1)
	a := Sqrt(a2)
	lp, l, lm := Add(u, a), u, Sub(u, a)

	ratio := Div(Const(a.Builder(), gamma-1), a2)
	c3 := Mul(Mul(ratio, Sub(Add(Mul(Sub(h, same(q2)), du0), same(Dot(uvw, du))), du4)), l)
	c2 := Mul(Sub(Div(du3, w), du1), l)
	c1 := Mul(Sub(Div(du2, v), du0), l)
	k1 := Sub(du0, c3)
	k2 := Div(Sub(du1, Mul(u, du0)), a)
	c0 := Mul(half(Sub(k1, k2)), lm)
	c4 := Mul(half(Add(k1, k2)), lp)

	fl0, fl, fl4 := flux(ul, vl, ul4, pl)
	fr0, fr, fr4 := flux(ur, vr, ur4, pr)
	f0, f, f4 := Add(fl0, fr0), Add(fl, fr), Add(fl4, fr4)
	df0 := Add(Add(c0, c3), Mul(c4, lp))
	df1 := Add(Add(Mul(c0, lm), Mul(c3, u)), Mul(c4, lp))
	df2 := Add(Add(Add(Mul(c0, v), Mul(c1, v)), Mul(c3, v)), Mul(c4, v))
	df3 := Add(Add(Add(Mul(c0, w), Mul(c2, w)), Mul(c3, w)), Mul(c4, w))
	df4 := Mul(c0, Sub(h, Mul(u, a)))
	df4 = Add(df4, Mul(c1, Powi(v, 2)))
	df4 = Add(df4, Mul(c2, Powi(w, 2)))
	df4 = Add(df4, Mul(half(c3), same(q2)))
	df4 = Add(df4, Mul(c4, Add(h, Mul(u, a))))
	df := Concatenate([]value{df1, df2, df3}, 0)
	return []value{half(Sub(f0, df0)), half(Sub(f, df)), half(Sub(f4, df4))}
}
