package net

import "math"

// rowBlock is the number of rows the kernels work on at a time: matrices on the left of a product have their rows
// padded to a multiple of it, except single rows.
const rowBlock = 8

// addProduct adds x·w to y, for x of the given rows and k columns at a distance of ldx, and w with k rows and cols
// columns, cols being a multiple of widthStep. One row is a special case; otherwise rows is a multiple of rowBlock.
func addProduct(y []float32, ldy int, x []float32, ldx int, w []float32, rows, k, cols int) {
	if rows == 1 {
		addRow(y[:cols], x[:k], w)
		return
	}
	for i := range vectorKernels {
		if v := &vectorKernels[i]; v.usable && cols%v.cols == 0 {
			v.add(y, ldy, x, ldx, w, rows, k, cols)
			return
		}
	}
	addBlocks(y, ldy, x, ldx, w, rows, k, cols)
}

// A vectorKernel is an assembly version of addBlocks for blocks of y of a fixed size.
type vectorKernel struct {
	name       string
	usable     bool // this processor has the instructions
	rows, cols int  // of a block; rows divides rowBlock

	// block adds the product of rows of x and k rows of w to a block of y. Distances between rows are in bytes.
	block func(y *float32, ldy int, x *float32, ldx int, w *float32, ldw int, k int)
}

func (v *vectorKernel) add(y []float32, ldy int, x []float32, ldx int, w []float32, rows, k, cols int) {
	if rows == 0 || k == 0 || cols == 0 {
		return
	}
	// Assembly checks no bounds: look at the last element of each matrix here.
	_, _, _ = y[(rows-1)*ldy+cols-1], x[(rows-1)*ldx+k-1], w[k*cols-1]
	for i := 0; i < rows; i += v.rows {
		for j := 0; j < cols; j += v.cols {
			v.block(&y[i*ldy+j], 4*ldy, &x[i*ldx], 4*ldx, &w[j], 4*cols, k)
		}
	}
}

// Kernel names the code that multiplies matrices of a network of the usual width on this processor: "avx512", "avx2"
// or "go". Results differ in the last digits between them, which matters to who repeats a run.
func Kernel() string {
	for _, v := range vectorKernels {
		if v.usable {
			return v.name
		}
	}
	return "go"
}

// addRow adds the row x times w to y.
func addRow(y, x, w []float32) {
	for i, a := range x {
		if a == 0 {
			continue
		}
		row := w[i*len(y):][:len(y)]
		for j, b := range row {
			y[j] += a * b
		}
	}
}

// addBlocks is addProduct for many rows in portable Go. Four rows by two columns of y stay in registers, which is
// what sixteen of them hold.
func addBlocks(y []float32, ldy int, x []float32, ldx int, w []float32, rows, k, cols int) {
	for i := 0; i < rows; i += 4 {
		x0, x1 := x[i*ldx:][:k], x[(i+1)*ldx:][:k]
		x2, x3 := x[(i+2)*ldx:][:k], x[(i+3)*ldx:][:k]
		for j := 0; j < cols; j += 2 {
			var a0, a1, b0, b1, c0, c1, d0, d1 float32
			at := j
			for l, a := range x0 {
				pair := w[at : at+2 : at+2]
				w0, w1 := pair[0], pair[1]
				at += cols
				a0 += a * w0
				a1 += a * w1
				b := x1[l]
				b0 += b * w0
				b1 += b * w1
				c := x2[l]
				c0 += c * w0
				c1 += c * w1
				d := x3[l]
				d0 += d * w0
				d1 += d * w1
			}
			add2(y[i*ldy+j:], a0, a1)
			add2(y[(i+1)*ldy+j:], b0, b1)
			add2(y[(i+2)*ldy+j:], c0, c1)
			add2(y[(i+3)*ldy+j:], d0, d1)
		}
	}
}

func add2(y []float32, a, b float32) {
	y = y[:2]
	y[0] += a
	y[1] += b
}

// addNorm adds the layer normalisation of x, whose length is a multiple of 4, to y; with rectified, that of relu(x).
// It uses up x. Four partial sums keep the processor from waiting for one addition before it begins the next.
func addNorm(y, x, gain, offset []float32, rectified bool) {
	if rectified {
		rectify(x)
	}
	var a, b, c, d float32
	for i := 0; i+4 <= len(x); i += 4 {
		v := x[i : i+4 : i+4]
		a, b, c, d = a+v[0], b+v[1], c+v[2], d+v[3]
	}
	mean := (a + b + c + d) / float32(len(x))
	a, b, c, d = 0, 0, 0, 0
	for i := 0; i+4 <= len(x); i += 4 {
		v := x[i : i+4 : i+4]
		v[0], v[1], v[2], v[3] = v[0]-mean, v[1]-mean, v[2]-mean, v[3]-mean
		a, b, c, d = a+v[0]*v[0], b+v[1]*v[1], c+v[2]*v[2], d+v[3]*v[3]
	}
	inverse := 1 / float32(math.Sqrt(float64((a+b+c+d)/float32(len(x))+normEpsilon)))
	y, gain, offset = y[:len(x)], gain[:len(x)], offset[:len(x)]
	for i, v := range x {
		y[i] += v*inverse*gain[i] + offset[i]
	}
}

// rectify replaces negative numbers by 0; clearing the bits of what has its sign bit set needs no branch.
func rectify(x []float32) {
	for i, v := range x {
		b := math.Float32bits(v)
		x[i] = math.Float32frombits(b &^ uint32(int32(b)>>31))
	}
}

// repeatRow fills a matrix with copies of a row.
func repeatRow(matrix, row []float32) {
	for len(matrix) > 0 {
		matrix = matrix[copy(matrix, row):]
	}
}

func dot(x, y []float32) (sum float32) {
	y = y[:len(x)]
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}
