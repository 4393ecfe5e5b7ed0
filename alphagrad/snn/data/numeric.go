package data

import "math"

// The functions of package math may differ in the last bit between machines, by fused multiply-adds or assembly, and a
// spike time could then fall into another step. These do not: every product is rounded by a conversion before it is
// added, which forbids fusing.

// sinTurns returns sin(2πx) to 1e-15 for |x| < 2^20: the Taylor series within a quarter turn of 0.
func sinTurns(x float64) float64 {
	x -= math.Floor(x + 0.5)
	if math.Abs(x) > 0.25 {
		x = math.Copysign(0.5, x) - x
	}
	a := 2 * math.Pi * x
	s := a * a
	sum := 1.0 / 51090942171709440000
	for _, c := range sine {
		sum = float64(sum*s) + c
	}
	return a * sum
}

// sine has the Taylor coefficients of sin a / a in a², from a¹⁸ down.
var sine = [...]float64{-1.0 / 121645100408832000, 1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6, 1}

// expStep returns e^x for −64 ≤ x ≤ 0 to 1e-13.
func expStep(x float64) float64 {
	x /= 256
	sum, term := 1.0, 1.0
	for k := 1.0; k < 12; k++ {
		term = term * x / k
		sum += term
	}
	for range 8 {
		sum *= sum
	}
	return sum
}
