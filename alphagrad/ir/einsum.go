package ir

import (
	"fmt"
	"strings"
)

// Contract is a parsed einsum specification: each operand's and the result's axes as labels 0, 1, 2, …
type Contract struct {
	Operands [][]int // label of every axis of every operand
	Result   []int   // label of every axis of the result
	Sizes    []int   // size of each label
}

// ParseEinsum reads a specification such as "ij,jk->ik" for operands of the given shapes. Labels are single letters; a
// label repeated within one operand takes its diagonal; a label absent from the result is summed.
func ParseEinsum(spec string, args []Shape) (*Contract, error) {
	lhs, rhs, ok := strings.Cut(spec, "->")
	if !ok {
		return nil, fmt.Errorf("einsum %q has no \"->\"; expected a form such as \"ij,jk->ik\"", spec)
	}
	ops := strings.Split(lhs, ",")
	if len(ops) != len(args) {
		return nil, fmt.Errorf("einsum %q names %d operand(s), has %d", spec, len(ops), len(args))
	}
	c := &Contract{}
	labels := map[rune]int{}
	for k, letters := range ops {
		var axes []int
		for _, r := range letters {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
				return nil, fmt.Errorf("einsum %q: %q is no label; labels are single letters", spec, string(r))
			}
			if len(axes) == len(args[k]) {
				return nil, fmt.Errorf("einsum %q gives operand %d more than the %d axes of %v", spec, k, len(args[k]), args[k])
			}
			l, seen := labels[r]
			size := args[k][len(axes)]
			if !seen {
				l = len(c.Sizes)
				labels[r], c.Sizes = l, append(c.Sizes, size)
			} else if c.Sizes[l] != size {
				return nil, fmt.Errorf("einsum %q: label %q has sizes %d and %d", spec, string(r), c.Sizes[l], size)
			}
			axes = append(axes, l)
		}
		if len(axes) != len(args[k]) {
			return nil, fmt.Errorf("einsum %q gives operand %d %d axes, its shape %v has %d", spec, k, len(axes), args[k], len(args[k]))
		}
		c.Operands = append(c.Operands, axes)
	}
	inResult := map[int]bool{}
	for _, r := range rhs {
		l, seen := labels[r]
		if !seen {
			return nil, fmt.Errorf("einsum %q: result label %q is in no operand", spec, string(r))
		}
		if inResult[l] {
			return nil, fmt.Errorf("einsum %q: result label %q appears twice", spec, string(r))
		}
		inResult[l] = true
		c.Result = append(c.Result, l)
	}
	return c, checkSize(Shape(c.Sizes)) // the loop nest of the contraction is as large as all its labels together
}

// ResultShape is the shape of the contraction's result.
func (c *Contract) ResultShape() Shape {
	out := make(Shape, len(c.Result))
	for i, l := range c.Result {
		out[i] = c.Sizes[l]
	}
	return out
}

func einsumShape(a *Attrs, args []Shape) (Shape, error) {
	c, err := ParseEinsum(a.Spec, args)
	if err != nil {
		return nil, err
	}
	return c.ResultShape(), nil
}

// Each calls f for every term of the sum of products: the result element and the element of each operand it multiplies.
// f must not keep the slice.
func (c *Contract) Each(f func(out int, in []int)) {
	strideOf := func(axes []int) []int {
		s := make(Shape, len(axes))
		for i, l := range axes {
			s[i] = c.Sizes[l]
		}
		byLabel := make([]int, len(c.Sizes))
		for i, st := range rowMajor(s) {
			byLabel[axes[i]] += st // a repeated label walks the diagonal
		}
		return byLabel
	}
	outStride := strideOf(c.Result)
	inStride := make([][]int, len(c.Operands))
	for k, axes := range c.Operands {
		inStride[k] = strideOf(axes)
	}
	in := make([]int, len(c.Operands))
	eachIndex(Shape(c.Sizes), func(_ int, idx []int) {
		out := 0
		clear(in)
		for l, x := range idx {
			out += x * outStride[l]
			for k := range in {
				in[k] += x * inStride[k][l]
			}
		}
		f(out, in)
	})
}
