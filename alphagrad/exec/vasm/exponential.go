package vasm

import "math"

// Exponentials: x = n·ln 2 + r with |r| ≤ ½ ln 2, and the Taylor polynomial of eʳ, whose remainder is below 2⁻⁵⁷.

// magic added to a number below 2⁵¹ rounds it to a whole one and leaves that, modulo powers of two, in the low bits.
const magic = 1.5 * (1 << 52)

const (
	ln2Hi = 6.93147180369123816490e-01 // its low bits are zero: products with whole numbers are exact
	ln2Lo = 1.90821492927058770002e-10
)

// round is the nearest whole number to x·scale, as a number and added to magic.
func (b *builder) round(x value, scale float64) (n, shifted value) {
	m := b.constant(magic)
	shifted = b.fma(x, b.constant(scale), m)
	return b.sub(shifted, m), shifted
}

// power2 is 2ⁿ·scale for the whole number n that was added to magic.
func (b *builder) power2(shifted value, scale float64) value {
	return b.iadd(b.shl(shifted, 52), b.constant(scale))
}

// clamp keeps x, unless it is NaN, between two numbers.
func (b *builder) clamp(x value, low, high float64) value {
	return b.max(b.constant(low), b.min(b.constant(high), x))
}

// exponent reduces x + low (low may be none) and returns eʳ − 1 with n, as a number and added to magic.
func (b *builder) exponent(x, low value) (q, n, shifted value) {
	n, shifted = b.round(x, math.Log2E)
	r := b.fnma(n, b.constant(ln2Lo), b.fnma(n, b.constant(ln2Hi), x))
	if low != none {
		r = b.add(r, low)
	}
	var c []float64
	for k, f := 2, 2.0; k <= 13; k++ {
		c = append(c, 1/f)
		f *= float64(k + 1)
	}
	return b.fma(b.mul(r, r), b.poly(r, c...), r), n, shifted
}

// scaled is (1+q)·2ⁿ·scale in two steps, so that results may be subnormal or infinite.
func (b *builder) scaled(q, n value, scale float64) value {
	h, shifted := b.round(n, 0.5)
	rest := b.add(b.sub(n, h), b.constant(magic))
	half := b.power2(shifted, 1)
	return b.mul(b.fma(q, half, half), b.power2(rest, scale))
}

func (b *builder) exp(x value) value {
	q, n, _ := b.exponent(b.clamp(x, -746, 710), none)
	return b.scaled(q, n, 1)
}

// expm1 is 2ⁿ(eʳ−1) + 2ⁿ − 1, halved while it is added up so that it cannot overflow early.
func (b *builder) expm1(x value) value {
	q, _, shifted := b.exponent(b.clamp(x, -40, 710), none)
	return b.expm1Of(q, shifted)
}

func (b *builder) expm1Of(q, shifted value) value {
	s := b.power2(shifted, 0.5)
	r := b.fma(s, q, b.sub(s, b.constant(0.5)))
	return b.add(r, r)
}

// withSign gives a number that is not negative the sign of x.
func (b *builder) withSign(r, x value) value { return b.or(r, b.and(x, b.bits(signBit))) }

// tanh is −e/(e+2) with e = exp(−2|x|) − 1.
func (b *builder) tanh(x value) value {
	e := b.expm1(b.mul(b.abs(x), b.constant(-2)))
	return b.withSign(b.div(b.sub(b.constant(0), e), b.add(e, b.constant(2))), x)
}

// hyperbolic returns half of exp |x|, which overflows no earlier than the hyperbolic functions, and exp |x| − 1 for |x| < 1.
func (b *builder) hyperbolic(x value) (half, small value) {
	q, n, shifted := b.exponent(b.clamp(b.abs(x), 0, 712), none)
	return b.scaled(q, n, 0.5), b.expm1Of(q, shifted)
}

func (b *builder) cosh(x value) value {
	half, _ := b.hyperbolic(x)
	return b.add(half, b.div(b.constant(0.25), half))
}

// sinh is ½(e + e/(e+1)) with e = exp |x| − 1 where |x| < 1, otherwise ½exp |x| − ½exp(−|x|).
func (b *builder) sinh(x value) value {
	half, e := b.hyperbolic(x)
	near := b.cmp(less, b.abs(x), b.constant(1))
	quotient := b.div(b.sel(near, e, b.constant(0.25)), b.sel(near, b.add(e, b.constant(1)), half))
	r := b.sel(near, b.mul(b.add(e, quotient), b.constant(0.5)), b.sub(half, quotient))
	return b.withSign(r, x)
}

// poly is c[0] + c[1]·x + …, neighbouring terms joined by pairs, then pairs of pairs by x² and so on (Estrin 1960): it takes
// as many fused products as Horner's rule and a logarithm of its time where one result is waited for.
func (b *builder) poly(x value, c ...float64) value {
	terms := make([]value, len(c))
	for i := range c {
		terms[i] = b.constant(c[i])
	}
	for power := x; len(terms) > 1; power = b.mul(power, power) {
		var joined []value
		for i := 0; i < len(terms); i += 2 {
			if i+1 < len(terms) {
				joined = append(joined, b.fma(terms[i+1], power, terms[i]))
			} else {
				joined = append(joined, terms[i])
			}
		}
		terms = joined
	}
	return terms[0]
}
