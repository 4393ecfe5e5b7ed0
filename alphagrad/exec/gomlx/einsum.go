package gomlx

import (
	"fmt"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	. "github.com/gomlx/gomlx/core/graph"
)

// An operand of a contraction, with a label for each axis.
type operand struct {
	x      *Node
	labels []int
}

// einsum contracts its operands from left to right, summing over every label as soon as nothing to come needs it.
func einsum(n *ir.Node, x []*Node) *Node {
	shapes := make([]ir.Shape, len(x))
	for k := range x {
		shapes[k] = x[k].Shape().Dimensions
	}
	c, err := ir.ParseEinsum(n.Attrs.Spec, shapes)
	if err != nil {
		panic(fmt.Errorf("einsum %q: %w", n.Attrs.Spec, err))
	}
	operands := make([]operand, len(x))
	for k := range x {
		operands[k] = diagonal(operand{x[k], slices.Clone(c.Operands[k])})
	}
	for k := range operands { // labels that occur once
		operands[k] = summed(operands[k], func(l int) bool {
			for j, o := range operands {
				if j != k && slices.Contains(o.labels, l) {
					return true
				}
			}
			return slices.Contains(c.Result, l)
		})
	}
	total := operands[0]
	for k, o := range operands[1:] {
		later := func(l int) bool {
			for _, r := range operands[k+2:] {
				if slices.Contains(r.labels, l) {
					return true
				}
			}
			return slices.Contains(c.Result, l)
		}
		total = contract(total, o, later)
	}
	permutation := make([]int, len(c.Result))
	for i, l := range c.Result {
		permutation[i] = slices.Index(total.labels, l)
	}
	return transposed(total.x, permutation)
}

// diagonal takes the diagonal over every label that an operand repeats.
func diagonal(o operand) operand {
	for i := 0; i < len(o.labels); i++ {
		j := i + 1 + slices.Index(o.labels[i+1:], o.labels[i])
		if j == i {
			continue
		}
		n := o.x.Shape().Dimensions[i]
		var permutation, labels, shape []int // both axes to the front
		for k := range o.labels {
			if k != i && k != j {
				permutation, labels, shape = append(permutation, k), append(labels, o.labels[k]), append(shape, o.x.Shape().Dimensions[k])
			}
		}
		flat := Reshape(transposed(o.x, append([]int{i, j}, permutation...)), append([]int{n * n}, shape...)...)
		o = operand{SliceAxis(flat, 0, AxisRange(0, n*n).Stride(n+1)), append([]int{o.labels[i]}, labels...)}
		i = -1
	}
	return o
}

// summed sums over the labels that nobody needs.
func summed(o operand, needed func(l int) bool) operand {
	var axes, labels []int
	for k, l := range o.labels {
		if needed(l) {
			labels = append(labels, l)
		} else {
			axes = append(axes, k)
		}
	}
	if len(axes) > 0 {
		return operand{ReduceSum(o.x, axes...), labels}
	}
	return o
}

// contract multiplies two operands and sums over their common labels that are not needed later.
func contract(a, b operand, later func(l int) bool) operand {
	var aSum, bSum, aBatch, bBatch, batch, free []int
	for i, l := range a.labels {
		j := slices.Index(b.labels, l)
		switch {
		case j < 0:
			free = append(free, l)
		case later(l):
			aBatch, bBatch, batch = append(aBatch, i), append(bBatch, j), append(batch, l)
		default:
			aSum, bSum = append(aSum, i), append(bSum, j)
		}
	}
	for _, l := range b.labels {
		if !slices.Contains(a.labels, l) {
			free = append(free, l)
		}
	}
	labels := append(batch, free...)
	if len(aSum) > 0 {
		return operand{DotGeneral(a.x, aSum, aBatch, b.x, bSum, bBatch), labels}
	}
	return operand{Mul(aligned(a, labels), aligned(b, labels)), labels}
}

// aligned gives an operand one axis for each of the labels, of size 1 where it lacks one; a scalar stays a scalar.
func aligned(o operand, labels []int) *Node {
	if len(o.labels) == 0 {
		return o.x
	}
	var permutation, shape []int
	for _, l := range labels {
		if k := slices.Index(o.labels, l); k >= 0 {
			permutation, shape = append(permutation, k), append(shape, o.x.Shape().Dimensions[k])
		} else {
			shape = append(shape, 1)
		}
	}
	return Reshape(transposed(o.x, permutation), shape...)
}
