package flat

import (
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A kernel computes a row from one or two. An operand of one element stands for a row of equal ones; an operand that an
// operation lacks is nil. Three slices are what a call passes in registers; the kernel of three operands stands apart.
type (
	kernel  func(dst, a, b []float64)
	kernel3 func(dst, a, b, c []float64)
)

// binaries holds the kernels of the common operations of two operands: of two rows, of a row and a number, of a number and
// a row.
var binaries = map[*ir.OpInfo][3]kernel{
	ir.OpAdd: {addRows, func(d, a, b []float64) { addNumber(d, a, b[0]) }, func(d, a, b []float64) { addNumber(d, b, a[0]) }},
	ir.OpMul: {mulRows, func(d, a, b []float64) { mulNumber(d, a, b[0]) }, func(d, a, b []float64) { mulNumber(d, b, a[0]) }},
	ir.OpSub: {subRows, func(d, a, b []float64) {
		y := b[0]
		for i, x := range a[:len(d)] {
			d[i] = x - y
		}
	}, func(d, a, b []float64) {
		x := a[0]
		for i, y := range b[:len(d)] {
			d[i] = x - y
		}
	}},
	ir.OpDiv: {func(d, a, b []float64) {
		a, b = a[:len(d)], b[:len(d)]
		for i := range d {
			d[i] = a[i] / b[i]
		}
	}, func(d, a, b []float64) {
		y := b[0]
		for i, x := range a[:len(d)] {
			d[i] = x / y
		}
	}, func(d, a, b []float64) {
		x := a[0]
		for i, y := range b[:len(d)] {
			d[i] = x / y
		}
	}},
	ir.OpMax: {func(d, a, b []float64) {
		a, b = a[:len(d)], b[:len(d)]
		for i := range d {
			d[i] = max(a[i], b[i])
		}
	}, func(d, a, b []float64) {
		y := b[0]
		for i, x := range a[:len(d)] {
			d[i] = max(x, y)
		}
	}, func(d, a, b []float64) {
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
			return func(d, a, b []float64) {
				rows[0](d[:1], a, b)
				fill(d, d[0])
			}
		case step[0] == 1:
			return rows[1]
		}
		return rows[2]
	}
	switch op {
	case ir.OpNeg:
		return func(d, a, _ []float64) {
			for i := range d {
				d[i] = -a[i*step[0]]
			}
		}
	case ir.OpAbs:
		return func(d, a, _ []float64) {
			for i := range d {
				d[i] = math.Abs(a[i*step[0]])
			}
		}
	case ir.OpHeaviside:
		at := op.Scalar(attrs, 0)
		return func(d, a, _ []float64) {
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
		return func(d, a, _ []float64) {
			for i := range d {
				d[i] = f(a[i*step[0]])
			}
		}
	}
	return func(d, a, b []float64) {
		args := make([]float64, len(sizes))
		for i := range d {
			args[0] = a[i*step[0]]
			if len(args) > 1 {
				args[1] = b[i*step[1]]
			}
			d[i] = op.Scalar(attrs, args...)
		}
	}
}

// selection is the kernel of select.
func selection(sizes []int, cols int) kernel3 {
	step := [3]int{}
	for k, n := range sizes {
		if n == cols {
			step[k] = 1
		}
	}
	switch step {
	case [3]int{1, 0, 0}:
		return func(d, a, b, c []float64) {
			yes, no := b[0], c[0]
			for i, x := range a[:len(d)] {
				v := no
				if x != 0 {
					v = yes
				}
				d[i] = v
			}
		}
	case [3]int{1, 0, 1}:
		return func(d, a, b, c []float64) {
			yes := b[0]
			c = c[:len(d)]
			for i, x := range a[:len(d)] { // d may be a
				v := c[i]
				if x != 0 {
					v = yes
				}
				d[i] = v
			}
		}
	}
	return func(d, a, b, c []float64) {
		for i := range d {
			if a[i*step[0]] != 0 {
				d[i] = b[i*step[1]]
			} else {
				d[i] = c[i*step[2]]
			}
		}
	}
}

func fill(d []float64, x float64) {
	for i := range d {
		d[i] = x
	}
}
