package sparse

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// A Matrix is a sparse matrix, row by row. It is a gonum mat.Matrix.
type Matrix struct {
	*Pattern
	Value []float64 // one for each entry of the pattern
}

// Dims returns the numbers of rows and columns.
func (m *Matrix) Dims() (rows, columns int) { return m.Rows, m.Columns }

// At returns an entry; it panics out of range, as gonum's matrices do.
func (m *Matrix) At(i, j int) float64 {
	if i < 0 || i >= m.Rows || j < 0 || j >= m.Columns {
		panic(mat.ErrIndexOutOfRange)
	}
	if k := m.find(i, j); k >= 0 {
		return m.Value[k]
	}
	return 0
}

// T returns the transpose as a view.
func (m *Matrix) T() mat.Matrix { return mat.Transpose{Matrix: m} }

// Triplets calls f with every entry that may differ from zero, row by row (COO).
func (m *Matrix) Triplets(f func(i, j int, v float64)) {
	for i := range m.Rows {
		for k := m.Start[i]; k < m.Start[i+1]; k++ {
			f(i, int(m.Column[k]), m.Value[k])
		}
	}
}

// MaxDense bounds the elements that Dense writes out.
const MaxDense = 1 << 26

// Dense writes the matrix out, row-major, if it has at most MaxDense elements.
func (m *Matrix) Dense() (*mat.Dense, error) {
	if m.Columns > 0 && m.Rows > MaxDense/m.Columns {
		return nil, fmt.Errorf("a dense matrix of %d × %d has more than %d elements; keep it sparse", m.Rows, m.Columns, MaxDense)
	}
	if m.Rows == 0 || m.Columns == 0 {
		return &mat.Dense{}, nil
	}
	d := mat.NewDense(m.Rows, m.Columns, nil)
	m.Triplets(func(i, j int, v float64) { d.Set(i, j, v) })
	return d, nil
}
