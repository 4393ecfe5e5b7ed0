package tasks

import (
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	. "github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// matmul is a matrix product as JAX's dot_general writes it.
func matmul(a, b value) value { return Dot(a, b) }

// rows stretches a vector over the rows of a matrix like x.
func rows(v, x value) value { return Broadcast(v, x.Shape(), 1) }

// mean averages along one axis: a sum, then a division.
func mean(x value, axis int) value { return DivScalar(ReduceSum(x, axis), float64(x.Shape()[axis])) }

// layerNorm traces the mean twice, as the published function does. along stretches a reduced value back.
func layerNorm(x, gamma, beta value, axis int, along func(v value) value) value {
	mu := mean(x, axis)
	variance := DivScalar(ReduceSum(Powi(Sub(x, along(mean(x, axis))), 2), axis), float64(x.Shape()[axis]))
	centred := Sub(x, along(mu))
	return Add(Mul(Div(centred, along(Sqrt(AddScalar(variance, 1e-6)))), gamma), beta)
}

// softmax runs along the last axis, shifted by the maximum, through which no derivative goes.
func softmax(x value) value {
	last := len(x.Shape()) - 1
	along := func(v value) value { return Broadcast(v, x.Shape(), leading(last)...) }
	e := Exp(Sub(x, StopGradient(along(ReduceMax(x, last)))))
	return Div(e, along(ReduceSum(e, last)))
}

// leading lists the axes 0, 1, …, n−1.
func leading(n int) []int {
	axes := make([]int, n)
	for k := range axes {
		axes[k] = k
	}
	return axes
}

// crossEntropy is −Σ y·log softmax(z) along the last axis.
func crossEntropy(z, y value) []value {
	return []value{Neg(ReduceSum(Mul(y, Log(softmax(z))), len(z.Shape())-1))}
}

// perceptron is the published function as JAX maps it over a batch, whose axis moves to the front after every matrix
// product and beside every bias: vertices of their own, here reshapes to the same shape.
func perceptron(in []value) []value {
	x, y, w1, b1, w2, b2, gamma, beta := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]
	same := func(v value) value { return Reshape(v, v.Shape()...) }
	layer := func(w, x, b value) value {
		moved := same(matmul(w, x))
		return Tanh(Add(moved, same(b)))
	}
	a1 := layerNorm(layer(w1, x, b1), gamma, beta, 0, func(v value) value { return Broadcast(v, ir.Shape{8}) })
	return crossEntropy(layer(w2, a1, b2), y)
}

// attention is softmax(qᵀk)v.
func attention(q, k, v value) value { return matmul(softmax(matmul(Transpose(q, 1, 0), k)), v) }

func silu(x value) value {
	one := Const(x.Builder(), 1)
	return Mul(x, Div(one, Add(one, Exp(Neg(x)))))
}

// norm is layerNorm along the second axis; the reduced values stretch over rows, as in the published function.
func norm(x, gamma, beta value) value {
	return layerNorm(x, gamma, beta, 1, func(v value) value { return rows(v, x) })
}

// bias stretches a bias, a vector over columns or a column, to a matrix like y. JAX stretches a column within the addition;
// here it takes a vertex more.
func bias(b, y value) value {
	if len(b.Shape()) == 2 {
		return Broadcast(b, y.Shape(), 0, 1)
	}
	return rows(b, y)
}

func encoderBlock(x, wq, wk, wv, w, b, gamma, beta value) value {
	q, k, v := matmul(wq, x), matmul(wk, x), matmul(wv, x)
	c := norm(Add(x, attention(q, k, v)), gamma, beta)
	y := matmul(w, c)
	return silu(Add(y, bias(b, y)))
}

func loss(z, y value) []value { return []value{MulScalar(Powi(Sub(z, y), 2), 0.5)} }

func encoder(in []value) []value {
	z := encoderBlock(in[0], in[2], in[4], in[6], in[8], in[10], in[12], in[13])
	return crossEntropy(encoderBlock(z, in[3], in[5], in[7], in[9], in[11], in[14], in[15]), in[1])
}

// element is x[i]: a slice, then a reshape to a scalar.
func element(x value, i int) value { return Reshape(Slice(x, []int{i}, []int{i + 1})) }

func encoderDecoder(in []value) []value {
	x, y := in[0], in[1]
	wq, wk, wv := in[2:5], in[5:8], in[8:11]
	w1, w2, b1, b2, gamma, beta := in[11], in[12], in[13], in[14], in[15], in[16]
	z := encoderBlock(x, wq[0], wk[0], wv[0], w1, b1, element(gamma, 0), element(beta, 0))
	c := norm(Add(x, attention(matmul(wq[1], x), matmul(wk[1], x), matmul(wv[1], x))), element(gamma, 1), element(beta, 1))
	c = norm(Add(c, attention(matmul(wq[2], z), matmul(wk[2], z), matmul(wv[2], c))), element(gamma, 2), element(beta, 2))
	u := matmul(w2, c)
	return loss(silu(Add(u, bias(b2, u))), y)
}

// superspike is a step whose derivative is 1/(1 + 10·|x|)², after Zenke & Ganguli 2018.
func superspike(x value) value {
	width, one := 10.0, 1.0
	return Heaviside(x, &ir.Attrs{Surrogate: "fast_sigmoid", Width: &width, AtZero: &one})
}

func lifNetwork(in []value) []value {
	s, target, u, i, w, alpha, beta, threshold := in[0], in[1], in[2:5], in[5:8], in[8:11], in[11], in[12], in[13]
	var us, is []value
	for k := range w {
		input := matmul(w[k], s)
		next := Add(Mul(alpha, u[k]), Mul(OneMinus(alpha), i[k]))
		is = append(is, Add(Mul(beta, i[k]), Mul(OneMinus(beta), input)))
		us = append(us, next)
		s = superspike(Sub(next, threshold))
	}
	return append(append(loss(s, target), us...), is...)
}

func adalifNetwork(in []value) []value {
	s, target, u, a, w := in[0], in[1], in[2:5], in[5:8], in[8:11]
	alpha, beta, rho, threshold := in[11], in[12], in[13], in[14]
	var us, as []value
	for k := range w {
		next := Add(Mul(alpha, u[k]), matmul(w[k], s))
		s = Tanh(Sub(next, Add(threshold, Mul(beta, a[k]))))
		us, as = append(us, next), append(as, Sub(Mul(rho, a[k]), s))
	}
	return append(append(loss(s, target), us...), as...)
}

func helmholtzVector(x value) value {
	z := Log(Div(x, OneMinus(ReduceSum(x))))
	return Mul(x, z)
}

// freeEnergy is RT·Σ x log(x/(1 − bᵀx)) − xᵀAx/(√8·bᵀx)·log((1 + (1+√2)bᵀx)/(1 + (1−√2)bᵀx)) with RT = 1.
func freeEnergy(in []value) []value {
	x, b, a := in[0], in[1], in[2]
	bx := Dot(b, x)
	ideal := ReduceSum(Mul(x, Log(Div(x, OneMinus(bx)))))
	upper, lower := OnePlus(MulScalar(bx, 1+math.Sqrt2)), OnePlus(MulScalar(bx, 1-math.Sqrt2))
	departure := Mul(Div(Dot(x, Dot(a, x)), MulScalar(bx, math.Sqrt(8))), Log(Div(upper, lower)))
	return []value{Sub(ideal, departure)}
}

// gaussianFit evaluates x₀e^(−t·x₄) + x₁e^(−(t−x₈)²x₅) + x₂e^(−(t−x₉)²x₆) + x₃e^(−(t−x₁₀)²x₇) at t = 0, 0.1, …, 6.4 and
// subtracts synthetic measurements, which do not change the Jacobian.
func gaussianFit(in []value) []value {
	const points = 65
	x := in[0]
	times, measured := make([]float64, points), make([]float64, points)
	for k := range times {
		times[k] = float64(k) / 10
		measured[k] = 1.3*math.Exp(-times[k]) + 0.6*math.Exp(-math.Pow(times[k]-2, 2)*3)
	}
	t := ConstTensor(x.Builder(), Shape{points}, times)
	total := Mul(element(x, 0), Exp(Neg(Mul(t, element(x, 4)))))
	for k := 1; k < 4; k++ {
		total = Add(total, Mul(element(x, k), Exp(Neg(Mul(Powi(Sub(t, element(x, k+7)), 2), element(x, k+4))))))
	}
	return []value{Sub(total, ConstTensor(x.Builder(), Shape{points}, measured))}
}
