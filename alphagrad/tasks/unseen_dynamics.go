package tasks

import . "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// sum adds values up from the left.
func sum(x ...value) value {
	s := x[0]
	for _, v := range x[1:] {
		s = Add(s, v)
	}
	return s
}

// product multiplies values from the left.
func product(x ...value) value {
	s := x[0]
	for _, v := range x[1:] {
		s = Mul(s, v)
	}
	return s
}

// each applies f to pairs.
func each(f func(a, b value) value, a, b []value) []value {
	out := make([]value, len(a))
	for i := range a {
		out[i] = f(a[i], b[i])
	}
	return out
}

// rk4 is one step of the classical Runge–Kutta method with step h, a value or, where that is nil, a tenth.
func rk4(x []value, h value, f func(x []value) []value) []value {
	times := func(v value, c float64) value {
		if h == nil {
			return MulScalar(v, 0.1*c)
		}
		return MulScalar(Mul(v, h), c)
	}
	at := func(k []value, c float64) []value {
		return each(func(a, b value) value { return Add(a, times(b, c)) }, x, k)
	}
	k1 := f(x)
	k2 := f(at(k1, 0.5))
	k3 := f(at(k2, 0.5))
	k4 := f(at(k3, 1))
	out := make([]value, len(x))
	for i := range x {
		out[i] = Add(x[i], times(sum(k1[i], MulScalar(k2[i], 2), MulScalar(k3[i], 2), k4[i]), 1./6))
	}
	return out
}

func doublePendulum(in []value) []value {
	t1, t2, w1, w2, l1, l2, m1, m2 := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]
	const g = 9.81
	d := Sub(t1, t2)
	s, c := Sin(d), Cos(d)
	m := Add(m1, m2)
	v1, v2 := Mul(Square(w1), l1), Mul(Square(w2), l2)
	under := Add(m1, Mul(m2, Square(s)))
	pull := MulScalar(Mul(m, Sin(t1)), g)
	a1 := Sub(Sub(Mul(Mul(m2, MulScalar(Sin(t2), g)), c), Mul(Mul(m2, s), Add(Mul(v1, c), v2))), pull)
	a2 := Add(Mul(m, Sub(Add(v1, MulScalar(Mul(Sin(t1), c), g)), MulScalar(Sin(t2), g))), Mul(Mul(Mul(m2, v2), s), c))
	return []value{Div(a1, Mul(l1, under)), Div(Mul(s, a2), Mul(l2, under))}
}

func threeBody(in []value) []value {
	x, m := in[:6], in[6:]
	zero := make([]value, 6)
	push := func(i int, v value, subtract bool) {
		switch {
		case zero[i] == nil && subtract:
			zero[i] = Neg(v)
		case zero[i] == nil:
			zero[i] = v
		case subtract:
			zero[i] = Sub(zero[i], v)
		default:
			zero[i] = Add(zero[i], v)
		}
	}
	for i := range 3 {
		for j := i + 1; j < 3; j++ {
			dx, dy := Sub(x[2*j], x[2*i]), Sub(x[2*j+1], x[2*i+1])
			r2 := AddScalar(Add(Square(dx), Square(dy)), 0.01)
			f := Div(Rsqrt(r2), r2)
			fx, fy := Mul(f, dx), Mul(f, dy)
			push(2*i, Mul(m[j], fx), false)
			push(2*i+1, Mul(m[j], fy), false)
			push(2*j, Mul(m[i], fx), true)
			push(2*j+1, Mul(m[i], fy), true)
		}
	}
	return zero
}

func lorenzRK4(in []value) []value {
	sigma, rho, beta := in[3], in[4], in[5]
	return rk4(in[:3], nil, func(x []value) []value {
		return []value{Mul(sigma, Sub(x[1], x[0])), Sub(Mul(x[0], Sub(rho, x[2])), x[1]), Sub(Mul(x[0], x[1]), Mul(beta, x[2]))}
	})
}

func vanDerPolRK4(in []value) []value {
	mu := in[2]
	return rk4(in[:2], in[3], func(x []value) []value {
		return []value{x[1], Sub(Mul(mu, Mul(OneMinus(Square(x[0])), x[1])), x[0])}
	})
}

func lotkaVolterraRK4(in []value) []value {
	a, b, c, d := in[2], in[3], in[4], in[5]
	return rk4(in[:2], nil, func(x []value) []value {
		return []value{Mul(x[0], Sub(a, Mul(b, x[1]))), Mul(x[1], Sub(Mul(d, x[0]), c))}
	})
}

func fitzHughNagumoRK4(in []value) []value {
	current, a, b, tau := in[2], in[3], in[4], in[5]
	return rk4(in[:2], nil, func(x []value) []value {
		return []value{Add(Sub(Sub(x[0], DivScalar(Powi(x[0], 3), 3)), x[1]), current), Div(Sub(Add(x[0], a), Mul(b, x[1])), tau)}
	})
}

func latticeBoltzmann(in []value) []value {
	f, tau := in[:9], in[9]
	ex := []int{0, 1, 0, -1, 0, 1, -1, -1, 1}
	ey := []int{0, 0, 1, 0, -1, 1, 1, -1, -1}
	w := []float64{4. / 9, 1. / 9, 1. / 9, 1. / 9, 1. / 9, 1. / 36, 1. / 36, 1. / 36, 1. / 36}
	rho := sum(f...)
	moment := func(e []int) value {
		var plus, minus []value
		for i, s := range e {
			switch s {
			case 1:
				plus = append(plus, f[i])
			case -1:
				minus = append(minus, f[i])
			}
		}
		return Div(Sub(sum(plus...), sum(minus...)), rho)
	}
	u, v := moment(ex), moment(ey)
	square := OneMinus(MulScalar(Add(Square(u), Square(v)), 1.5))
	out := make([]value, 9)
	for i := range out {
		equilibrium := square
		var eu value
		switch {
		case ex[i] != 0 && ey[i] != 0:
			eu = Add(MulScalar(u, float64(ex[i])), MulScalar(v, float64(ey[i])))
		case ex[i] != 0:
			eu = MulScalar(u, float64(ex[i]))
		case ey[i] != 0:
			eu = MulScalar(v, float64(ey[i]))
		}
		if eu != nil {
			equilibrium = Add(equilibrium, Add(MulScalar(eu, 3), MulScalar(Square(eu), 4.5)))
		}
		out[i] = Sub(f[i], Div(Sub(f[i], Mul(MulScalar(rho, w[i]), equilibrium)), tau))
	}
	return out
}

func lennardJones(in []value) []value {
	x, epsilon, sigma := in[:12], in[12], in[13]
	s2 := Square(sigma)
	var energies, virials []value
	for i := range 4 {
		for j := range i {
			var d2 []value
			for k := range 3 {
				d2 = append(d2, Square(Sub(x[3*i+k], x[3*j+k])))
			}
			s6 := Powi(Div(s2, AddScalar(sum(d2...), 0.5)), 3)
			s12 := Square(s6)
			energies = append(energies, Sub(s12, s6))
			virials = append(virials, Sub(MulScalar(s12, 2), s6))
		}
	}
	e := MulScalar(epsilon, 4)
	return []value{Mul(e, sum(energies...)), Mul(MulScalar(e, 2), sum(virials...))}
}

func cartPole(in []value) []value {
	theta, omega, v, force, cart, pole, length := in[0], in[1], in[2], in[3], in[4], in[5], in[6]
	s, c := Sin(theta), Cos(theta)
	total, ml := Add(cart, pole), Mul(pole, length)
	push := Div(Sub(Add(force, Mul(ml, Mul(Square(omega), s))), MulScalar(v, 0.1)), total)
	alpha := Div(Sub(MulScalar(s, 9.81), Mul(c, push)), Mul(length, Sub(Const(s.Builder(), 4./3), Div(Mul(pole, Square(c)), total))))
	return []value{alpha, Sub(push, Div(Mul(Mul(ml, alpha), c), total))}
}

func seir(in []value) []value {
	s, e, i, r, beta, sigma, gamma := in[0], in[1], in[2], in[3], in[4], in[5], in[6]
	for range 3 {
		n := sum(s, e, i, r)
		infection := Div(Mul(Mul(beta, s), i), n)
		onset, recovery := Mul(sigma, e), Mul(gamma, i)
		s, e, i, r = Sub(s, MulScalar(infection, 0.5)), Add(e, MulScalar(Sub(infection, onset), 0.5)),
			Add(i, MulScalar(Sub(onset, recovery), 0.5)), Add(r, MulScalar(recovery, 0.5))
	}
	return []value{s, e, i, r}
}

func robertson(in []value) []value {
	old, y, h := in[:3], in[3:6], in[6]
	slow, fast, third := MulScalar(y[0], 0.04), MulScalar(Mul(y[1], y[2]), 1e4), MulScalar(Square(y[1]), 3e7)
	f := []value{Sub(fast, slow), Sub(Sub(slow, fast), third), third}
	out := make([]value, 3)
	for i := range out {
		out[i] = Sub(Sub(y[i], old[i]), Mul(h, f[i]))
	}
	return out
}

func michaelisMenten(in []value) []value {
	s, v, k, ki := in[:5], in[5:9], in[9:13], in[13]
	rate := make([]value, 4)
	for i := range rate {
		rate[i] = Div(Mul(v[i], s[i]), Add(k[i], s[i]))
	}
	rate[0] = Div(rate[0], OnePlus(Div(s[4], ki)))
	out := []value{Neg(rate[0])}
	for i := 1; i < 4; i++ {
		out = append(out, Sub(rate[i-1], rate[i]))
	}
	return append(out, rate[3])
}
