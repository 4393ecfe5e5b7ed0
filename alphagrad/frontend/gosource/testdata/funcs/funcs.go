// Package funcs holds functions that gosource reads; the tests compare what it makes of them with calling them.
package funcs

import "math"

// G is the acceleration of gravity.
const G = 9.81

const half = 1 / 2.0

var weights = [3]float64{0.5, -1.25, 2}

var table = []float64{1, half, half * half}

// A State is a gas in one dimension.
type State struct{ Rho, U, P float64 }

// A Pair holds two states.
type Pair struct {
	Left, Right State
	Speeds      [2]float64
}

// Energy is the total energy.
func (s State) Energy() float64 { return s.P/0.4 + half*s.Rho*s.U*s.U }

func (s *State) accelerate(by float64) { s.U += by }

func Simple(x, y float64) (float64, float64) {
	z := x * y
	w := math.Sin(z)
	return w + z, math.Log(w)
}

func Polynomial(x float64, c [4]float64) (y float64) {
	for i := len(c) - 1; i >= 0; i-- {
		y = y*x + c[i]
	}
	return
}

func Norm(x [3]float64) float64 { return math.Sqrt(dot(x[:], x[:])) }

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

func MatVec(a [2][3]float64, x [3]float64) (y [2]float64) {
	for i := range a {
		for j := range a[i] {
			y[i] += a[i][j] * x[j]
		}
	}
	return y
}

func Weighted(x [3]float64) float64 {
	return weights[0]*x[0] + weights[1]*x[1] + dot(table, x[:])
}

func Flux(p Pair) (f State, speed float64) {
	l, r := p.Left, p.Right
	l.accelerate(p.Speeds[0])
	pr := &r
	pr.accelerate(p.Speeds[1])
	f.Rho = half * (l.Rho*l.U + r.Rho*r.U)
	f.U = half*(l.Rho*l.U*l.U+l.P) + half*(r.Rho*r.U*r.U+r.P)
	f.P = l.Energy() + pr.Energy()
	return f, math.Max(math.Abs(l.U), math.Abs(r.U))
}

func Branches(x, y float64) float64 {
	if x < 0 {
		return -x * y
	}
	r := x
	if y > 1 && x < 2 || y == 0 {
		r *= y
	} else if y < -1 {
		r += y * y
	}
	switch {
	case r > 3:
		return math.Log(r)
	case r > 1:
		r = r * r
	}
	return r + 1
}

func Guarded(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(x) / x
}

func SqrtGuard(x float64) float64 {
	y := 0.0
	if x > 0 {
		y = 3 * math.Sqrt(x) * math.Log(x)
	}
	return y + x
}

func Loops(x [5]float64) (sum, product, last float64) {
	product = 1
outer:
	for i := 0; i < len(x); i++ {
		for k := range 3 {
			if x[i] > 2 {
				continue outer
			}
			if x[i] < -2 {
				break outer
			}
			if k == 1 {
				continue
			}
			sum += x[i] * float64(k+1)
		}
		if x[i] < 0 {
			continue
		}
		product *= x[i] + 1
		last = x[i]
	}
	return sum, product, last
}

func Largest(x [4]float64) (best float64) {
	best = math.Inf(-1)
	for _, v := range x {
		if v > best {
			best = v
		}
	}
	return best
}

func Early(x [4]float64) float64 {
	s := 0.0
	for i, v := range x {
		if v < -1 {
			return s * v
		}
		if v > 3 {
			s -= v
			break
		}
		s += v * float64(i+1)
	}
	return s + 10
}

func Swap(x [3]float64) [3]float64 {
	x[0], x[2] = x[2], x[0]
	y := x
	x[1] *= 2
	y[1] += x[1]
	return y
}

func Alias(x [3]float64) [3]float64 {
	s := x[1:]
	s[0] *= s[1]
	copy(x[:], s)
	p := &x[2]
	*p += x[0]
	return x
}

func Integers(x float64) float64 {
	n, f := 10, uint8(250)
	n <<= 2
	n -= n % 7
	f += 10
	y := x * float64(n) * float64(f)
	for i := 1; i <= 4; i *= 2 {
		if i&2 != 0 {
			y += x * x * float64(i)
		}
	}
	const k = 3
	switch k {
	case 1, 2:
		y = 0
	case 3:
		y *= float64(int(math.Floor(2.75)))
	default:
		return 1
	}
	return y
}

func Elementary(x, y float64) (z [30]float64) {
	z[0], z[1] = math.Sincos(x)
	z[2] = math.Exp(x) + math.Expm1(y)
	z[3] = math.Log1p(x) - math.Log2(x)
	z[4] = math.Log10(x) * math.Tan(y)
	z[5] = math.Pow(x, y)
	z[6] = math.Pow(x, 3) + math.Pow(y, -2) + math.Pow(x, 0.5) + math.Pow(x, -0.5) + math.Pow(x, 2) + math.Pow(x, 1.5)
	z[7] = math.Cbrt(x-2*y) + math.Exp2(y)
	z[8] = math.Hypot(x, y)
	z[9] = math.Atan2(y, x) + math.Atan(x)
	z[10] = math.Asin(x/10) + math.Acos(y/10)
	z[11] = math.Sinh(x) * math.Cosh(y) / math.Tanh(x)
	z[12] = math.Asinh(x) + math.Acosh(1+y) + math.Atanh(x/10)
	z[13] = math.Erf(x)
	z[14] = math.Dim(x, y) + math.FMA(x, y, 2)
	z[15] = min(x, y, 1.5) + max(x, 1, y)
	z[16] = math.Min(x, y) / math.Max(x, 1)
	z[17] = -x + +y
	z[18] = math.Sqrt2 * math.Pi * x
	z[19] = float64(min(3, 2)) * x
	return z
}

func Flags(x, y float64) float64 {
	big := x > 1
	same := big == (y > 1)
	if !same || x != y && !big {
		return x
	}
	pos := false
	if y > 0 {
		pos = big
	}
	if pos {
		return x * y
	}
	return y
}

//alphagrad:len x=3
func Slices(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v * x[(i+1)%len(x)]
	}
	return y
}

func Pointers(p *State, q *[2]float64) float64 { return p.Rho*q[0] + p.U*(*q)[1] + p.Energy() }

func variadic(xs ...float64) (s float64) {
	for _, x := range xs {
		s += x * x
	}
	return s
}

func two(x float64) (a, b float64) { return x + 1, x * x }

func Calls(x float64) float64 {
	f := float64(2)
	return variadic() + variadic(x, 2*x, 3) + variadic([]float64{x, x}...) + math.Atan2(two(x)) + f*elsewhere(x)
}

func (s State) Scaled(by float64) State { return State{P: s.P * by, Rho: s.Rho / by, U: s.U} }

func Constant(x float64) (y, z, w float64) { return 3, x, math.Sqrt(2) }

func Composites(x float64) (y float64) {
	type local struct{ a, b float64 }
	const k = 1e3
	var l local
	l.a, l.b = x, x*k
	arr := [...]local{l, {b: 2}, 2: {1, 2}}
	for _, e := range arr[:2] {
		y += e.a * e.b
	}
	ps := []*local{{1, x}, &l}
	for _, p := range ps {
		p.a += y
		y += p.b * p.a
	}
	m := [2][2]float64{{x, 1}, {2, x}}
	mm := m
	mm[0][0]++
	if m == mm {
		y = 0
	}
	if m[0] != mm[0] && x > 0 {
		y -= 1
	}
	return y
}

// Names are those that generated code uses itself.
func Names(v1, jac, y, len float64, Sin [2]float64) (dv1, x float64) {
	if v1 > jac {
		return math.Sin(jac) * y * len, Sin[0]
	}
	return Sin[1] * v1, max(y, len)
}
