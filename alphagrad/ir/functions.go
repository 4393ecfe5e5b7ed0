package ir

import (
	"math"
	"slices"
)

// Ordinary functions over the ops: they have no row of their own anywhere.

// along stretches the result of reducing some axes of x back over them.
func along(reduced, x *Value, axes []int) *Value {
	var kept []int
	for k := range x.Shape() {
		if !slices.Contains(axes, k) {
			kept = append(kept, k)
		}
	}
	return Broadcast(reduced, x.Shape(), kept...)
}

// last is the last axis where none is given.
func last(x *Value, axes []int) []int {
	if len(axes) == 0 {
		return []int{len(x.Shape()) - 1}
	}
	return axes
}

// shifted subtracts the maximum over some axes, which changes no softmax and takes no part in derivatives.
func shifted(x *Value, axes []int) *Value {
	return Sub(x, along(StopGradient(ReduceMax(x, axes...)), x, axes))
}

// Softmax is eˣ over its sum along the given axes, the last one when none is given.
func Softmax(logits *Value, axes ...int) *Value {
	axes = last(logits, axes)
	e := Exp(shifted(logits, axes))
	return Div(e, along(ReduceSum(e, axes...), e, axes))
}

// LogSoftmax is the logarithm of the softmax along the given axes, the last one when none is given.
func LogSoftmax(logits *Value, axes ...int) *Value {
	axes = last(logits, axes)
	x := shifted(logits, axes)
	return Sub(x, along(Log(ReduceSum(Exp(x), axes...)), x, axes))
}

// CrossEntropy is −Σ p·log softmax(logits) along the last axis, for target probabilities p of the logits' shape.
func CrossEntropy(p, logits *Value) *Value {
	return Neg(ReduceSum(Mul(p, LogSoftmax(logits)), len(logits.Shape())-1))
}

// LayerNorm brings x to mean 0 and variance 1 along the last axis, then scales by gain and adds offset, both vectors of
// that axis (Ba, Kiros & Hinton 2016, equation 4).
func LayerNorm(x, gain, offset *Value, epsilon float64) *Value {
	axis := []int{len(x.Shape()) - 1}
	centred := Sub(x, along(ReduceMean(x, axis...), x, axis))
	scale := Rsqrt(AddScalar(ReduceMean(Square(centred), axis...), epsilon))
	y := Mul(centred, along(scale, x, axis))
	return Add(Mul(y, Broadcast(gain, x.Shape(), axis...)), Broadcast(offset, x.Shape(), axis...))
}

// Gelu is x·Φ(x) with the normal distribution function Φ (Hendrycks & Gimpel 2016).
func Gelu(x *Value) *Value {
	return Mul(x, MulScalar(OnePlus(Erf(MulScalar(x, math.Sqrt2/2))), 0.5))
}

// Silu is x·σ(x).
func Silu(x *Value) *Value { return Mul(x, Logistic(x)) }
