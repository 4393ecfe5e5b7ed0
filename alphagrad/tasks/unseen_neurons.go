package tasks

import . "github.com/alphagrad/alphagrad-go/alphagrad/ir"

func hodgkinHuxley(in []value) []value {
	v, m, h, n, current, gNa, gK, gL := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]
	const dt = 0.01
	gate := func(x, alpha, beta value) value {
		return Add(x, MulScalar(Sub(Mul(alpha, OneMinus(x)), Mul(beta, x)), dt))
	}
	// x/(1 − exp(−x/s)), the rate of a channel that opens with the voltage
	ramp := func(x value, s float64) value { return Div(x, OneMinus(Exp(DivScalar(x, -s)))) }
	am, bm := MulScalar(ramp(AddScalar(v, 40), 10), 0.1), MulScalar(Exp(DivScalar(AddScalar(v, 65), -18)), 4)
	ah, bh := MulScalar(Exp(DivScalar(AddScalar(v, 65), -20)), 0.07), Logistic(DivScalar(AddScalar(v, 35), 10))
	an, bn := MulScalar(ramp(AddScalar(v, 55), 10), 0.01), MulScalar(Exp(DivScalar(AddScalar(v, 65), -80)), 0.125)
	iNa := Mul(Mul(gNa, Mul(Powi(m, 3), h)), SubScalar(v, 50))
	iK := Mul(Mul(gK, Powi(n, 4)), AddScalar(v, 77))
	iL := Mul(gL, AddScalar(v, 54.4))
	return []value{Add(v, MulScalar(Sub(current, sum(iNa, iK, iL)), dt)), gate(m, am, bm), gate(h, ah, bh), gate(n, an, bn)}
}

func izhikevich(in []value) []value {
	v, u, current, a, b, dt := in[0], in[1], in[2], in[3], in[4], in[5]
	for range 2 {
		dv := Add(Sub(AddScalar(Add(MulScalar(Square(v), 0.04), MulScalar(v, 5)), 140), u), current)
		du := Mul(a, Sub(Mul(b, v), u))
		v, u = Add(v, Mul(dt, dv)), Add(u, Mul(dt, du))
	}
	return []value{v, u}
}

func adEx(in []value) []value {
	v, w, current, gL, eL, vT, slope, a, tau, c := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8], in[9]
	away := Sub(v, eL)
	spike := Mul(Mul(gL, slope), Exp(Div(Sub(v, vT), slope)))
	dv := Div(Add(Sub(Sub(spike, Mul(gL, away)), w), current), c)
	dw := Div(Sub(Mul(a, away), w), tau)
	return []value{Add(v, MulScalar(dv, 0.1)), Add(w, MulScalar(dw, 0.1))}
}

func morrisLecar(in []value) []value {
	v, n, current, gCa, gK, gL, v1, v2, v3, v4, phi := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8], in[9], in[10]
	half := func(x value) value { return MulScalar(OnePlus(Tanh(x)), 0.5) }
	x := Div(Sub(v, v3), v4)
	open, target := half(Div(Sub(v, v1), v2)), half(x)
	rate := Mul(phi, Cosh(DivScalar(x, 2)))
	i := sum(Mul(Mul(gCa, open), SubScalar(v, 1.2)), Mul(Mul(gK, n), AddScalar(v, 0.84)), Mul(gL, AddScalar(v, 0.6)))
	return []value{Add(v, MulScalar(Sub(current, i), 0.05)), Add(n, MulScalar(Mul(rate, Sub(target, n)), 0.05))}
}

func lstmCell(in []value) []value {
	h, c, x, w := in[:2], in[2:4], in[4], in[5:]
	var out []value
	for unit := range 2 {
		gate := func(k int) value {
			at := w[16*unit+4*k:]
			return sum(Mul(at[0], h[0]), Mul(at[1], h[1]), Mul(at[2], x), at[3])
		}
		forget, write, read := Logistic(gate(0)), Logistic(gate(1)), Logistic(gate(2))
		state := Add(Mul(forget, c[unit]), Mul(write, Tanh(gate(3))))
		out = append(out, state, Mul(read, Tanh(state)))
	}
	return out
}

func mlp(in []value) []value {
	x, target, u, w := in[:2], in[2:4], in[4:16], in[16:]
	var hidden, losses []value
	for i := range 4 {
		hidden = append(hidden, Tanh(sum(Mul(u[3*i], x[0]), Mul(u[3*i+1], x[1]), u[3*i+2])))
	}
	for k := range 2 {
		y := w[5*k+4]
		for i := range hidden {
			y = Add(y, Mul(w[5*k+i], hidden[i]))
		}
		losses = append(losses, Square(Sub(y, target[k])))
	}
	return []value{MulScalar(sum(losses...), 0.5)}
}

func softmaxLoss(in []value) []value {
	z, epsilon := in[:5], in[5]
	var e []value
	for _, v := range z {
		e = append(e, Exp(v))
	}
	norm := Log(sum(e...))
	right := Sub(norm, z[2])
	mean := Sub(norm, DivScalar(sum(z...), 5))
	return []value{Add(Mul(OneMinus(epsilon), right), Mul(epsilon, mean))}
}

func rosenbrock(x []value) []value {
	var terms []value
	for i := range len(x) - 1 {
		terms = append(terms, Add(MulScalar(Square(Sub(x[i+1], Square(x[i]))), 100), Square(OneMinus(x[i]))))
	}
	return []value{sum(terms...)}
}

func speelpenning(x []value) []value { return []value{product(x...)} }

func newton(in []value) []value {
	x, a, b, c, d := in[0], in[1], in[2], in[3], in[4]
	for range 4 {
		f := Add(Mul(Add(Mul(Add(Mul(a, x), b), x), c), x), d)
		slope := Add(Mul(Add(MulScalar(Mul(a, x), 3), MulScalar(b, 2)), x), c)
		x = Sub(x, Div(f, slope))
	}
	return []value{x}
}
