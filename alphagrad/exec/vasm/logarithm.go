package vasm

import "math"

// Logarithms after FreeBSD's e_log.c and s_log1p.c (fdlibm): x = 2ᵏ·(1+f) with √½ ≤ 1+f < √2, s = f/(2+f), and a minimax
// polynomial in s².
var logarithm = []float64{6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01, 2.222219843214978396e-01,
	1.818357216161805012e-01, 1.531383769920937332e-01, 1.479819860511658591e-01}

const smallestNormal = 0x1p-1022

// split returns k as a number and f for positive finite x that is not subnormal.
func (b *builder) split(x value) (k, f value) {
	const root = 0x3fe6a09e667f3bcd // the bits of √½
	adjusted := b.iadd(x, b.bits(0x3ff0000000000000-root))
	const whole = 1 << 52
	k = b.sub(b.or(b.shr(adjusted, 52), b.constant(whole)), b.constant(whole+1023))
	m := b.iadd(b.and(adjusted, b.bits(1<<52-1)), b.bits(root))
	return k, b.sub(m, b.constant(1))
}

// logOf is k·ln 2 + log(1+f) + low; low may be none.
func (b *builder) logOf(k, f, low value) value {
	s := b.div(f, b.add(f, b.constant(2)))
	z := b.mul(s, s)
	r := b.mul(z, b.poly(z, logarithm...))
	half := b.mul(b.mul(f, b.constant(0.5)), f)
	rest := b.mul(s, b.add(half, r))
	if low != none {
		rest = b.add(rest, low)
	}
	rest = b.fma(k, b.constant(ln2Lo), rest)
	return b.fms(k, b.constant(ln2Hi), b.sub(b.sub(half, rest), f))
}

// logEnds puts in what logarithms are at the ends of their domain, which begins at zero.
func (b *builder) logEnds(r, x value, zero float64) value {
	r = b.sel(b.cmp(equal, x, b.constant(zero)), b.constant(math.Inf(-1)), r)
	r = b.sel(b.cmp(equal, x, b.constant(math.Inf(1))), x, r)
	return b.or(r, b.cmp(notGreaterOrEqual, x, b.constant(zero)))
}

func (b *builder) log(x value) value {
	tiny := b.cmp(less, x, b.constant(smallestNormal))
	k, f := b.split(b.sel(tiny, b.mul(x, b.constant(0x1p54)), x))
	k = b.sub(k, b.and(tiny, b.constant(54)))
	return b.logEnds(b.logOf(k, f, none), x, 0)
}

// log1p is the logarithm of u = 1 + x, rounded, with the rest of the sum over u added.
func (b *builder) log1p(x value) value {
	one := b.constant(1)
	u := b.add(one, x)
	v := b.sub(u, one)
	rest := b.add(b.sub(one, b.sub(u, v)), b.sub(x, v))
	k, f := b.split(u)
	return b.logEnds(b.logOf(k, f, b.div(rest, u)), x, -1)
}

// large marks lanes of inverse hyperbolic functions whose squares could overflow.
func (b *builder) large(x value) { b.except(b.cmp(less, b.constant(1e150), b.abs(x))) }

func (b *builder) asinh(x value) value {
	b.large(x)
	a, one := b.abs(x), b.constant(1)
	a2 := b.mul(a, a)
	return b.withSign(b.log1p(b.add(a, b.div(a2, b.add(one, b.sqrt(b.add(a2, one)))))), x)
}

func (b *builder) acosh(x value) value {
	b.large(x)
	t := b.sub(x, b.constant(1))
	return b.log1p(b.add(t, b.sqrt(b.mul(t, b.add(t, b.constant(2))))))
}

func (b *builder) atanh(x value) value {
	a := b.abs(x)
	r := b.mul(b.constant(0.5), b.log1p(b.div(b.add(a, a), b.sub(b.constant(1), a))))
	return b.withSign(r, x)
}

// double is the unevaluated sum of a number and a much smaller one: 106 bits (Dekker 1971).
type double struct{ hi, lo value }

// fastSum is the exact sum of two numbers of which the first is larger, or zero.
func (b *builder) fastSum(x, y value) double {
	s := b.add(x, y)
	return double{s, b.sub(y, b.sub(s, x))}
}

// exact is the exact product.
func (b *builder) exact(x, y value) double {
	p := b.mul(x, y)
	return double{p, b.fms(x, y, p)}
}

// logDouble is log x to 65 bits for positive finite x that is not subnormal: 2s + ⅔s³ + ⅖s⁵ + …, the first two terms with
// 106 bits.
func (b *builder) logDouble(x value) double {
	k, f := b.split(x)
	d := b.fastSum(b.constant(2), f)
	inverse := b.div(b.constant(1), d.hi)
	s := double{hi: b.mul(f, inverse)}
	s.lo = b.mul(b.fnma(s.hi, d.lo, b.fnma(s.hi, d.hi, f)), inverse)

	z := b.exact(s.hi, s.hi)
	z.lo = b.fma(b.add(s.hi, s.hi), s.lo, z.lo)
	var c []float64
	for j := 5; j <= 27; j += 2 {
		c = append(c, 2/float64(j))
	}
	u := b.fastSum(b.constant(2.0/3), b.mul(z.hi, b.poly(z.hi, c...)))
	u.lo = b.add(u.lo, b.constant(0x1p-54/1.5)) // 2/3 has 53 bits in u
	cube := b.exact(s.hi, z.hi)
	cube.lo = b.fma(s.hi, z.lo, b.fma(s.lo, z.hi, cube.lo))
	w := b.exact(cube.hi, u.hi)
	w.lo = b.fma(cube.hi, u.lo, b.fma(cube.lo, u.hi, w.lo))

	m := b.fastSum(b.add(s.hi, s.hi), w.hi)
	m.lo = b.add(m.lo, b.add(b.add(s.lo, s.lo), w.lo))
	r := b.fastSum(b.mul(k, b.constant(ln2Hi)), m.hi)
	r.lo = b.add(b.fma(k, b.constant(ln2Lo), m.lo), r.lo)
	return r
}

// pow is exp(y·log x), the product with 106 bits. It is for x positive, finite and not subnormal and results of that kind.
func (b *builder) pow(x, y value) value {
	l := b.logDouble(x)
	p := b.exact(y, l.hi)
	p.lo = b.fma(y, l.lo, p.lo)
	bad := b.or(b.cmp(notGreaterOrEqual, x, b.constant(smallestNormal)), b.cmp(notLessOrEqual, x, b.constant(math.MaxFloat64)))
	b.except(b.or(bad, b.cmp(notLessOrEqual, b.abs(p.hi), b.constant(708))))
	q, _, shifted := b.exponent(p.hi, p.lo)
	s := b.power2(shifted, 1)
	return b.fma(q, s, s)
}
