package vasm

import "math"

// Circular functions after FreeBSD's k_sin.c, k_cos.c and s_atan.c (fdlibm), with quadrants chosen by masks and π/2 in
// three parts, which fused multiply-add subtracts to full precision for arguments up to 2³⁰; larger ones are left to math.
var (
	sine       = []float64{8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10}
	cosine     = []float64{4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05, -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11}
	arctangent = []float64{3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01, -1.11111104054623557880e-01,
		9.09088713343650656196e-02, -7.69187620504482999495e-02, 6.66107313738753120669e-02, -5.83357013379057348645e-02,
		4.97687799461593236017e-02, -3.65315727442169155270e-02, 1.62858201153657823623e-02}
)

const firstSine = -1.66666666666666324348e-01

const (
	halfPi1 = 1.5707963267948966
	halfPi2 = 6.123233995736766e-17
	halfPi3 = -1.4973849048591833e-33
	largest = 1 << 30 // argument of the circular functions
)

// quadrant returns x less the nearest multiple of π/2, in two parts, and the multiple added to magic.
func (b *builder) quadrant(x value) (r double, shifted value) {
	b.except(b.cmp(less, b.constant(largest), b.abs(x)))
	n, shifted := b.round(x, 2/math.Pi)
	t := b.fnma(n, b.constant(halfPi1), x) // exact
	w := b.exact(n, b.constant(halfPi2))
	r.hi = b.sub(t, w.hi)
	r.lo = b.fnma(n, b.constant(halfPi3), b.sub(b.sub(b.sub(t, r.hi), w.hi), w.lo))
	// The first part may have lost all it had: both again.
	return b.fastSum(r.hi, r.lo), shifted
}

// sinCos are sine and cosine of the reduced argument.
func (b *builder) sinCos(r double) (s, c value) {
	z := b.mul(r.hi, r.hi)
	v := b.mul(z, r.hi)
	half := b.constant(0.5)
	// hi − ((z(½lo − v·p) − lo) − v·S1)
	t := b.fnma(v, b.poly(z, sine...), b.mul(half, r.lo))
	s = b.sub(r.hi, b.fnma(v, b.constant(firstSine), b.fms(z, t, r.lo)))
	hz := b.mul(half, z)
	one := b.constant(1)
	w := b.sub(one, hz)
	// w + (((1−w)−hz) + (z²·p − hi·lo))
	p := b.fms(b.mul(z, z), b.poly(z, cosine...), b.mul(r.hi, r.lo))
	c = b.add(w, b.add(b.sub(b.sub(one, w), hz), p))
	return s, c
}

// odd is a mask of odd multiples.
func (b *builder) odd(shifted value) value { return b.isub(b.bits(0), b.and(shifted, b.bits(1))) }

// upper has the sign bit where bit 1 of a multiple is set.
func (b *builder) upper(shifted value) value { return b.shl(b.and(shifted, b.bits(2)), 62) }

func (b *builder) sin(x value) value {
	r, n := b.quadrant(x)
	s, c := b.sinCos(r)
	return b.xor(b.sel(b.odd(n), c, s), b.upper(n))
}

func (b *builder) cos(x value) value {
	r, n := b.quadrant(x)
	s, c := b.sinCos(r)
	return b.xor(b.sel(b.odd(n), s, c), b.upper(b.iadd(n, b.bits(1))))
}

func (b *builder) tan(x value) value {
	r, n := b.quadrant(x)
	s, c := b.sinCos(r)
	odd := b.odd(n)
	return b.xor(b.div(b.sel(odd, c, s), b.sel(odd, s, c)), b.shl(n, 63))
}

// arcOf is the arc tangent of y/x for y, x ≥ 0: of y/x itself below 7/16, of −x/y beyond 39/16, and of (y−x)/(y+x) between,
// added to 0, π/2 or π/4.
func (b *builder) arcOf(y, x value) value {
	small := b.cmp(less, y, b.mul(x, b.constant(7.0/16)))
	big := b.cmp(less, b.mul(x, b.constant(39.0/16)), y)
	num := b.sel(small, y, b.sel(big, b.neg(x), b.sub(y, x)))
	den := b.sel(small, x, b.sel(big, y, b.add(y, x)))
	between := func(half, quarter float64) value {
		return b.andNot(small, b.sel(big, b.constant(half), b.constant(quarter)))
	}
	hi, lo := between(halfPi1, halfPi1/2), between(halfPi2, halfPi2/2)
	t := b.div(num, den)
	z := b.mul(t, t)
	s := b.mul(z, b.poly(z, arctangent...))
	return b.sub(hi, b.sub(b.fms(t, s, lo), t))
}

func (b *builder) atan(x value) value { return b.withSign(b.arcOf(b.abs(x), b.constant(1)), x) }

func (b *builder) atan2(y, x value) value {
	ay, ax := b.abs(y), b.abs(x)
	larger := b.max(ay, ax)
	b.except(b.or(b.cmp(notGreaterOrEqual, larger, b.constant(0x1p-1000)), b.cmp(notLessOrEqual, larger, b.constant(0x1p1000))))
	r := b.arcOf(ay, ax)
	left := b.cmp(less, x, b.constant(0))
	r = b.sel(left, b.sub(b.constant(2*halfPi1), b.sub(r, b.constant(2*halfPi2))), r)
	return b.withSign(r, y)
}

// asin is the arc of a right triangle.
func (b *builder) asin(x value) value {
	one, a := b.constant(1), b.abs(x)
	return b.withSign(b.arcOf(a, b.sqrt(b.mul(b.sub(one, a), b.add(one, a)))), x)
}

func (b *builder) acos(x value) value {
	one := b.constant(1)
	r := b.arcOf(b.sqrt(b.sub(one, x)), b.sqrt(b.add(one, x)))
	return b.add(r, r)
}
