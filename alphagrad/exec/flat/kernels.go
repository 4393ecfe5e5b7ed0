package flat

import (
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A kernel computes a row. An operand of one element stands for a row of equal ones; operands that an operation lacks are
// nil.
type kernel func(dst, a, b, c []float64)

// binaries holds the kernels of the common operations of two operands: of two rows, of a row and a number, of a number and
// a row.
var binaries = map[*ir.OpInfo][3]kernel{
	ir.OpAdd: {addRows, addNumber, func(d, a, b, _ []float64) { addNumber(d, b, a, nil) }},
	ir.OpMul: {mulRows, mulNumber, func(d, a, b, _ []float64) { mulNumber(d, b, a, nil) }},
	ir.OpSub: {subRows, func(d, a, b, _ []float64) {
		y := b[0]
		for i, x := range a[:len(d)] {
			d[i] = x - y
		}
	}, func(d, a, b, _ []float64) {
		x := a[0]
		for i, y := range b[:len(d)] {
			d[i] = x - y
		}
	}},
	ir.OpDiv: {func(d, a, b, _ []float64) {
		a, b = a[:len(d)], b[:len(d)]
		for i := range d {
			d[i] = a[i] / b[i]
		}
	}, func(d, a, b, _ []float64) {
		y := b[0]
		for i, x := range a[:len(d)] {
			d[i] = x / y
		}
	}, func(d, a, b, _ []float64) {
		x := a[0]
		for i, y := range b[:len(d)] {
			d[i] = x / y
		}
	}},
	ir.OpMax: {func(d, a, b, _ []float64) {
		a, b = a[:len(d)], b[:len(d)]
		for i := range d {
			d[i] = max(a[i], b[i])
		}
	}, func(d, a, b, _ []float64) {
		y := b[0]
		for i, x := range a[:len(d)] {
			d[i] = max(x, y)
		}
	}, func(d, a, b, _ []float64) {
		x := a[0]
		for i, y := range b[:len(d)] {
			d[i] = max(x, y)
		}
	}},
}

// unaries holds functions of one number.
var unaries = map[*ir.OpInfo]func(float64) float64{
	ir.OpExp: math.Exp, ir.OpLog: math.Log, ir.OpTanh: math.Tanh, ir.OpSqrt: math.Sqrt, ir.OpSin: math.Sin, ir.OpCos: math.Cos,
	ir.OpExpm1: math.Expm1, ir.OpLog1p: math.Log1p,
}

// kernelOf picks the kernel of an op for operands of the given sizes.
func kernelOf(op *ir.OpInfo, attrs *ir.Attrs, sizes []int, cols int) kernel {
	step := [3]int{}
	for k, n := range sizes {
		if n == cols {
			step[k] = 1
		}
	}
	if rows, ok := binaries[op]; ok {
		switch {
		case step[0] == step[1]: // two numbers make one only for a row of one element
			if step[0] == 1 {
				return rows[0]
			}
			return func(d, a, b, _ []float64) {
				rows[0](d[:1], a, b, nil)
				fill(d, d[0])
			}
		case step[0] == 1:
			return rows[1]
		}
		return rows[2]
	}
	switch op {
	case ir.OpNeg:
		return func(d, a, _, _ []float64) {
			for i := range d {
				d[i] = -a[i*step[0]]
			}
		}
	case ir.OpAbs:
		return func(d, a, _, _ []float64) {
			for i := range d {
				d[i] = math.Abs(a[i*step[0]])
			}
		}
	case ir.OpSelect:
		return func(d, a, b, c []float64) {
			for i := range d {
				if a[i*step[0]] != 0 {
					d[i] = b[i*step[1]]
				} else {
					d[i] = c[i*step[2]]
				}
			}
		}
	case ir.OpHeaviside:
		at := op.Scalar(attrs, 0)
		return func(d, a, _, _ []float64) {
			for i := range d {
				switch x := a[i*step[0]]; {
				case x > 0:
					d[i] = 1
				case x < 0:
					d[i] = 0
				case x == 0:
					d[i] = at
				default:
					d[i] = x
				}
			}
		}
	}
	if f := unaries[op]; f != nil {
		return func(d, a, _, _ []float64) {
			for i := range d {
				d[i] = f(a[i*step[0]])
			}
		}
	}
	n := len(sizes)
	return func(d, a, b, c []float64) {
		var x [3]float64
		args := x[:n]
		for i := range d {
			args[0] = a[i*step[0]]
			if n > 1 {
				args[1] = b[i*step[1]]
			}
			if n > 2 {
				args[2] = c[i*step[2]]
			}
			d[i] = op.Scalar(attrs, args...)
		}
	}
}

func fill(d []float64, x float64) {
	for i := range d {
		d[i] = x
	}
}

func addRows(d, a, b, _ []float64) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = a[i] + b[i]
	}
}

func subRows(d, a, b, _ []float64) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = a[i] - b[i]
	}
}

func mulRows(d, a, b, _ []float64) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = a[i] * b[i]
	}
}

func addNumber(d, a, b, _ []float64) {
	y := b[0]
	for i, x := range a[:len(d)] {
		d[i] = x + y
	}
}

func mulNumber(d, a, b, _ []float64) {
	y := b[0]
	for i, x := range a[:len(d)] {
		d[i] = x * y
	}
}

// axpy adds s·x to y.
func axpy(y, x []float64, s float64) {
	x = x[:len(y)]
	for i := range y {
		y[i] += s * x[i]
	}
}

// dot is Σ x·y, in four partial sums.
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += x[i] * y[i]
		s1 += x[i+1] * y[i+1]
		s2 += x[i+2] * y[i+2]
		s3 += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		s0 += x[i] * y[i]
	}
	return (s0 + s1) + (s2 + s3)
}
