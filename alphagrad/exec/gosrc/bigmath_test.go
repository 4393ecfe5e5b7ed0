package gosrc_test

import (
	"math"
	"math/big"
)

// Elementary functions to 300 bits and more, by series: slow, plain, and independent of package math.

const precision = 320

func bigf(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

func bigOp(f func(z, x, y *big.Float) *big.Float) func(x, y *big.Float) *big.Float {
	return func(x, y *big.Float) *big.Float { return f(new(big.Float).SetPrec(precision), x, y) }
}

var (
	bigAdd = bigOp((*big.Float).Add)
	bigSub = bigOp((*big.Float).Sub)
	bigMul = bigOp((*big.Float).Mul)
	bigQuo = bigOp((*big.Float).Quo)
	one    = bigf(1)
	two    = bigf(2)
)

func bigSqrt(x *big.Float) *big.Float { return new(big.Float).SetPrec(precision).Sqrt(x) }
func bigNeg(x *big.Float) *big.Float  { return new(big.Float).Neg(x) }

func scale(x *big.Float, n int) *big.Float {
	return new(big.Float).SetPrec(precision).SetMantExp(x, n)
}

// series sums first·Π ratio(k) until the terms vanish.
func series(first *big.Float, ratio func(k int) *big.Float) *big.Float {
	sum, term := first, first
	for k := 1; ; k++ {
		term = bigMul(term, ratio(k))
		if term.Sign() == 0 || term.MantExp(nil) < sum.MantExp(nil)-precision {
			return sum
		}
		sum = bigAdd(sum, term)
	}
}

func bigExp(x *big.Float) *big.Float {
	const halvings = 20
	y := scale(x, -halvings-max(0, x.MantExp(nil)))
	r := series(one, func(k int) *big.Float { return bigQuo(y, bigf(float64(k))) })
	for range halvings + max(0, x.MantExp(nil)) {
		r = bigMul(r, r)
	}
	return r
}

// bigExpm1 loses no digits to cancellation for small x.
func bigExpm1(x *big.Float) *big.Float {
	if x.MantExp(nil) > -10 {
		return bigSub(bigExp(x), one)
	}
	return series(x, func(k int) *big.Float { return bigQuo(x, bigf(float64(k+1))) })
}

// bigLog improves an estimate by Halley's rule, whose error is cubed each time.
func bigLog(x *big.Float) *big.Float {
	e := x.MantExp(nil)
	f, _ := scale(x, -e).Float64()
	y := bigf(math.Log(f) + float64(e)*math.Ln2)
	for range 4 {
		g := bigExp(y)
		y = bigAdd(y, bigMul(two, bigQuo(bigSub(x, g), bigAdd(x, g))))
	}
	return y
}

func bigLog1p(x *big.Float) *big.Float {
	if x.MantExp(nil) > -20 {
		return bigLog(bigAdd(one, x))
	}
	sum, power := x, x
	for k := 2; power.MantExp(nil) > x.MantExp(nil)-precision; k++ {
		power = bigNeg(bigMul(power, x))
		sum = bigAdd(sum, bigQuo(power, bigf(float64(k))))
	}
	return sum
}

func bigAtan(x *big.Float) *big.Float {
	const halvings = 12
	y := x
	for range halvings {
		y = bigQuo(y, bigAdd(one, bigSqrt(bigAdd(one, bigMul(y, y)))))
	}
	y2 := bigMul(y, y)
	sum, power := y, y
	for k := 3; power.Sign() != 0 && power.MantExp(nil) > y.MantExp(nil)-precision; k += 2 {
		power = bigNeg(bigMul(power, y2))
		sum = bigAdd(sum, bigQuo(power, bigf(float64(k))))
	}
	return scale(sum, halvings)
}

var bigPi = scale(bigAtan(one), 2)

func bigAtan2(y, x *big.Float) *big.Float {
	if x.Sign() == 0 {
		r := scale(bigPi, -1)
		if y.Sign() < 0 {
			r.Neg(r)
		}
		return r
	}
	r := bigAtan(bigQuo(y, x))
	switch {
	case x.Sign() > 0:
		return r
	case y.Sign() < 0:
		return bigSub(r, bigPi)
	}
	return bigAdd(r, bigPi)
}

// bigSinCos reduces by the nearest multiple of 2π.
func bigSinCos(x *big.Float) (s, c *big.Float) {
	turn := scale(bigPi, 1)
	q, _ := bigAdd(bigQuo(x, turn), bigf(0.5)).Int(nil)
	if bigAdd(bigQuo(x, turn), bigf(0.5)).Sign() < 0 {
		q.Sub(q, big.NewInt(1))
	}
	r := bigSub(x, bigMul(turn, new(big.Float).SetPrec(precision).SetInt(q)))
	r2 := bigNeg(bigMul(r, r))
	s = series(r, func(k int) *big.Float { return bigQuo(r2, bigf(float64(2*k*(2*k+1)))) })
	c = series(one, func(k int) *big.Float { return bigQuo(r2, bigf(float64((2*k-1)*2*k))) })
	return s, c
}

func bigErf(x *big.Float) *big.Float {
	x2 := bigNeg(bigMul(x, x))
	sum, power := x, x
	for k := 1; ; k++ {
		power = bigQuo(bigMul(power, x2), bigf(float64(k)))
		if power.Sign() == 0 || power.MantExp(nil) < -precision {
			break
		}
		sum = bigAdd(sum, bigQuo(power, bigf(float64(2*k+1))))
	}
	return bigMul(sum, bigQuo(two, bigSqrt(bigPi)))
}

// bigSinh and the inverse functions add what would cancel as exponentials less one or logarithms of one and more.
func bigSinh(x *big.Float) *big.Float {
	e := bigExpm1(new(big.Float).Abs(x))
	r := scale(bigAdd(e, bigQuo(e, bigAdd(e, one))), -1)
	if x.Sign() < 0 {
		r.Neg(r)
	}
	return r
}

func bigCosh(x *big.Float) *big.Float {
	e := bigExp(x)
	return scale(bigAdd(e, bigQuo(one, e)), -1)
}

func bigTanh(x *big.Float) *big.Float {
	e := bigExpm1(scale(x, 1))
	return bigQuo(e, bigAdd(e, two))
}

func bigAsinh(x *big.Float) *big.Float {
	a := new(big.Float).Abs(x)
	a2 := bigMul(a, a)
	r := bigLog1p(bigAdd(a, bigQuo(a2, bigAdd(one, bigSqrt(bigAdd(one, a2))))))
	if x.Sign() < 0 {
		r.Neg(r)
	}
	return r
}

func bigAcosh(x *big.Float) *big.Float {
	t := bigSub(x, one)
	return bigLog1p(bigAdd(t, bigSqrt(bigMul(t, bigAdd(t, two)))))
}

func bigAtanh(x *big.Float) *big.Float {
	return scale(bigLog1p(bigQuo(scale(x, 1), bigSub(one, x))), -1)
}

func bigAsin(x *big.Float) *big.Float {
	return bigAtan2(x, bigSqrt(bigMul(bigSub(one, x), bigAdd(one, x))))
}

func bigAcos(x *big.Float) *big.Float {
	return bigAtan2(bigSqrt(bigMul(bigSub(one, x), bigAdd(one, x))), x)
}
