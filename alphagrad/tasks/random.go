package tasks

import (
	_ "embed"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	. "github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// gText is the random function g as a program text: 105 operations in their published order. Two of its published inputs
// are the constant 1.
//
//go:embed g.txt
var gText string

func randomG() (*ir.Program, error) { return ir.Parse(gText) }

// gDomain is a box around a point where all of g's logarithms, roots, powers and inverse functions are defined; most of
// its points are finite.
var gDomain = around(0.1, 1.25, -0.27, -1.82, 0.24, 0.78, -0.81, -1.42, 0.88, 0.75, 1.29, 3.14, 0.36, 3.35, 1.16, 0.65)

// around makes intervals of the given half-width about each centre.
func around(half float64, centres ...float64) []Interval {
	d := make([]Interval, len(centres))
	for i, c := range centres {
		d[i] = Interval{c - half, c + half}
	}
	return d
}

// randomF is the random function f, operation by operation; where JAX reshapes an operand so that the next operation
// stretches it, the reshape is a broadcast.
func randomF(in []value) []value {
	a, b, c, d := in[0], in[1], in[2], in[3]
	row := func(x value) value { return Broadcast(x, Shape{4, 1}, 1) }
	column := func(x value) value { return Broadcast(x, Shape{4, 4}, 0) }

	cubes := Powi(c, 3)
	v6 := Einsum("ij,ik->jk", d, cubes)
	v7 := Einsum("ij,ki->jk", cubes, v6)
	v8 := Powi(v6, 2)
	v9 := Einsum("i,ji->j", a, v8)
	v10 := Sqrt(a)
	v11 := Acos(v7)
	v13 := Einsum("ij,jk->ik", v11, v8)
	v14 := Add(v11, row(v9))
	v15 := Sub(v14, row(v9))
	v16 := Cos(v9)
	v18 := Asinh(Add(column(v10), v13))
	wide16 := row(v16)
	v19 := Add(v15, wide16)
	v20 := Neg(b)
	v21 := Sqrt(v10)
	v22 := Einsum("i,ji->j", v21, v18)
	v23 := Tanh(b)
	v24 := Atan(v19)
	v25 := Powi(v24, 2)
	v32 := Cos(v22)
	v27 := Sub(wide16, v25)
	v28 := Cosh(v23)
	v29 := ReduceSum(v20, 0)
	v30 := Transpose(v28, 1, 0)
	v31 := ReduceSum(v16, 0)
	v33 := Sub(Broadcast(v29, Shape{3, 2}, 0), v30)
	v34 := Div(v31, v33)
	wide10 := column(v10)
	v35 := Add(v13, wide10)
	v36 := Mul(column(v32), v35)
	v37 := Powi(v32, 2)
	v38 := ReduceMax(v34, 1)
	v39 := Sinh(v36)
	v40 := Exp(v27)
	v41 := Slice(v39, []int{3, 3}, []int{4, 4})
	v42 := ReduceSum(v37, 0)
	v43 := Add(v42, v38)
	v44 := Einsum("i,ij->j", v32, v40)
	v45 := Asinh(v43)
	v46 := Einsum("ij,kj->ik", v24, v15)
	v47 := StopGradient(v41)
	v48 := Logistic(v45)
	v49 := Einsum("i,i->", v29, v48)
	v50 := Einsum("i,i->", v22, v21)
	v51 := Einsum("i,ji->j", v44, v47)
	v52 := Einsum("ij,ik->jk", v30, v33)
	v53 := Mul(v46, v50)
	v54 := Sqrt(v37)
	v55 := Sqrt(Abs(v51))
	v56 := Sub(v52, v49)
	v57 := Cosh(v54)
	v58 := Neg(v37)
	v59 := Add(column(v57), v53)
	v60 := Powi(v57, 2)
	v61 := Sin(v58)
	v62 := Atan(v59)
	v63 := ReduceSum(v62, 0)
	v65 := Sub(ReduceMin(v63, 0), v55)
	v66 := Sqrt(c)
	v67 := ReduceSum(v56, 1)
	v68 := Sub(column(v61), v66)
	v69 := Einsum("i,i->", v60, v61)
	v70 := Einsum("ij,ik->jk", v68, v62)
	v71 := Add(column(v22), c)
	v72 := Logistic(v70)
	v73 := Einsum("ij,ik->jk", v72, v71)
	v74 := Div(v6, Reshape(v37, 1, 4))
	return []value{v74, v65, v67, v69, v73}
}
