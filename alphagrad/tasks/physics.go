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
