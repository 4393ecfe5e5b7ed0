package nir

import (
	"fmt"
	"slices"
)

// affine is y = W·x + b, of linear nodes behind each other.
type affine struct {
	w      Array // without data: the identity
	b      []float64
	biased bool // a node had a bias, be it 0
}

// identity changes nothing.
func identity(n int) affine { return affine{Array{Shape: []int{n, n}}, make([]float64, n), false} }

// maxDense bounds the layers whose weights are made up, one by one, because the graph has no matrix of them.
const maxDense = 1 << 13

// matrix is W in full.
func (a affine) matrix() (Array, error) {
	if a.w.Data != nil {
		return a.w, nil
	}
	n := a.w.Shape[0]
	if n > maxDense {
		return a.w, fmt.Errorf("%d neurons behind no matrix of weights; at most %d, as every synapse becomes one", n, maxDense)
	}
	w := Filled(a.w.Shape, 0)
	for i := range n {
		w.Data[i*n+i] = 1
	}
	return w, nil
}

// then appends a linear node.
func (a affine) then(n Node) (affine, error) {
	var w Array
	b, biased := []float64(nil), a.biased
	switch n := n.(type) {
	case *Linear:
		w, b = n.Weight, multiply(n.Weight, a.b)
	case *Affine:
		w, b, biased = n.Weight, multiply(n.Weight, a.b), true
		for i := range b {
			b[i] += n.Bias.Data[i]
		}
	case *Scale:
		full, err := a.matrix()
		scaled := affine{Array{full.Shape, slices.Clone(full.Data)}, slices.Clone(a.b), biased}
		if err == nil {
			scaled.rows(n.Scale.Data)
		}
		return scaled, err
	}
	if a.w.Data != nil {
		w = product(w, a.w)
	}
	return affine{w, b, biased}, nil
}

// rows multiplies row i by s[i].
func (a affine) rows(s []float64) {
	cols := len(a.w.Data) / len(a.b)
	for i := range a.b {
		a.b[i] *= s[i]
		for j := range cols {
			a.w.Data[i*cols+j] *= s[i]
		}
	}
}

// product is the product of two matrices.
func product(a, b Array) Array {
	rows, mid, cols := a.Shape[0], a.Shape[1], b.Shape[1]
	p := Filled([]int{rows, cols}, 0)
	for i := range rows {
		for k := range mid {
			if v := a.Data[i*mid+k]; v != 0 {
				for j := range cols {
					p.Data[i*cols+j] += v * b.Data[k*cols+j]
				}
			}
		}
	}
	return p
}

func linear(n Node) bool {
	switch n.(type) {
	case *Linear, *Affine, *Scale:
		return true
	}
	return false
}
