package vasm

// The error function: x + x·p(x²) for |x| < 1, and 1 − exp(−x²)·q(u) with u = (|x|−2)/(|x|+2) beyond. Both polynomials are
// minimax fits made with 50 digits, p to 2⁻⁵⁷ of the result and q to 2⁻⁶⁰.
var (
	erfNear = []float64{0.12837916709551256, -0.3761263890318352, 0.11283791670944199, -0.026866170643113592, 0.0052239776061357365, -0.0008548325930130847,
		0.00012055293600931561, -1.49247127557145e-05, 1.644713706777397e-06, -1.620635506610082e-07, 1.3711155685030729e-08, -7.779789461214228e-10}
	erfFar = []float64{0.25539567631050575, -0.4271858474139568, 0.24165819424246812, -0.0789785810164241, 0.0037328923985616913, 0.006997461786346073,
		-0.0008471425886728213, -0.0009819764927005037, 4.353608434427865e-05, 0.00017428844748078136, 2.7623828464984e-05, -2.6609869868509162e-05,
		-1.2642871653205117e-05}
)

func (b *builder) erf(x value) value {
	a := b.min(b.constant(6), b.abs(x)) // 1 from there on
	square := b.mul(a, a)
	near := b.fma(a, b.poly(square, erfNear...), a)
	two := b.constant(2)
	u := b.div(b.sub(a, two), b.add(a, two))
	q, _, shifted := b.exponent(b.neg(square), none)
	s := b.power2(shifted, 1)
	tail := b.mul(b.fma(q, s, s), b.poly(u, erfFar...))
	return b.withSign(b.sel(b.cmp(less, a, b.constant(1)), near, b.sub(b.constant(1), tail)), x)
}
