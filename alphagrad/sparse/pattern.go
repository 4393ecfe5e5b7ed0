// Package sparse computes Jacobians of which most entries are zero: it detects the pattern of a program's Jacobian,
// colours rows and columns that can share a derivative, and recovers the entries from few products with seeds (Curtis,
// Powell & Reid 1974; Gebremedhin, Manne & Pothen, "What color is your Jacobian?", SIAM Review 47, 2005). A [Plan] picks
// the cheapest of elimination and compression by columns, by rows or by both. Nothing is ever written densely unless
// asked for.
package sparse

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A Pattern says which entries of a matrix may differ from zero, row by row (CSR). Rows of a Jacobian are the elements of
// all outputs, columns those of all inputs, in the order of their declarations.
type Pattern struct {
	Rows, Columns int
	Start         []int32 // [rows+1]: row i has the columns Column[Start[i]:Start[i+1]]
	Column        []int32 // ascending within a row
}

// NewPattern makes a pattern of lists of columns, one for each row, in any order.
func NewPattern(columns int, rows [][]int32) (*Pattern, error) {
	if columns < 0 || columns > math.MaxInt32 || len(rows) > math.MaxInt32 {
		return nil, fmt.Errorf("a pattern of %d rows and %d columns; expected 0 to %d", len(rows), columns, math.MaxInt32)
	}
	p := &Pattern{Rows: len(rows), Columns: columns, Start: make([]int32, 1, len(rows)+1)}
	for i, row := range rows {
		row = slices.Compact(slices.Sorted(slices.Values(row)))
		if len(row) > 0 && (row[0] < 0 || int(row[len(row)-1]) >= columns) {
			return nil, fmt.Errorf("row %d names columns %d to %d; there are %d", i, row[0], row[len(row)-1], columns)
		}
		p.Column = append(p.Column, row...)
		p.Start = append(p.Start, int32(len(p.Column)))
	}
	return p, nil
}

// Row lists the columns of a row.
func (p *Pattern) Row(i int) []int32 { return p.Column[p.Start[i]:p.Start[i+1]] }

// Entries is the number of entries that may differ from zero.
func (p *Pattern) Entries() int { return len(p.Column) }

// Transpose is the pattern with rows and columns exchanged.
func (p *Pattern) Transpose() *Pattern {
	t := &Pattern{Rows: p.Columns, Columns: p.Rows, Start: make([]int32, p.Columns+1), Column: make([]int32, len(p.Column))}
	for _, j := range p.Column {
		t.Start[j+1]++
	}
	for j := range p.Columns {
		t.Start[j+1] += t.Start[j]
	}
	next := slices.Clone(t.Start)
	for i := range p.Rows {
		for _, j := range p.Row(i) {
			t.Column[next[j]] = int32(i)
			next[j]++
		}
	}
	return t
}

// Hash identifies the pattern.
func (p *Pattern) Hash() string {
	h := sha256.New()
	for _, list := range [][]int32{{int32(p.Rows), int32(p.Columns)}, p.Start, p.Column} {
		_ = binary.Write(h, binary.LittleEndian, list) // a hash does not fail
	}
	return hex.EncodeToString(h.Sum(nil))
}

// find is the place of an entry in Column, −1 if it is zero.
func (p *Pattern) find(i, j int) int {
	k, found := slices.BinarySearch(p.Row(i), int32(j))
	if !found {
		return -1
	}
	return int(p.Start[i]) + k
}

// Detect finds the pattern of a program's Jacobian by passing sets of inputs through the structures of the local
// Jacobians: an element depends on an input if a chain of partial derivatives leads there that do not vanish everywhere.
func Detect(p *ir.Program) (*Pattern, error) {
	g, err := ad.Graph(p)
	if err != nil {
		return nil, err
	}
	columns := 0
	vertices := p.Vertices()
	sets := make([][][]int32, len(p.Inputs)+len(vertices)) // of every element of every graph node, ascending
	node := map[ir.ID]int{}
	for k, id := range p.Inputs {
		node[id] = k
		sets[k] = make([][]int32, p.Nodes[id].Shape.Size())
		for i := range sets[k] {
			sets[k][i] = []int32{int32(columns)}
			columns++
		}
	}
	seen := make([]int32, columns) // the element that met a column last
	stamp := int32(0)
	for k, id := range vertices {
		w := len(p.Inputs) + k
		node[id] = w
		parts := make([][][2]int32, p.Nodes[id].Shape.Size()) // graph node and element that each element depends on
		for u := range g.Pred(w) {
			if !g.IsStructured() {
				parts[0] = append(parts[0], [2]int32{int32(u), 0})
			}
			for _, t := range g.Terms(u, w) {
				t.Each(func(out, in, _ int) { parts[out] = append(parts[out], [2]int32{int32(u), int32(in)}) })
			}
		}
		sets[w] = make([][]int32, len(parts))
		for i, from := range parts {
			if len(from) == 1 {
				sets[w][i] = sets[from[0][0]][from[0][1]] // never written to again
				continue
			}
			stamp++
			var union []int32
			for _, f := range from {
				for _, j := range sets[f[0]][f[1]] {
					if seen[j] != stamp {
						seen[j] = stamp
						union = append(union, j)
					}
				}
			}
			slices.Sort(union)
			sets[w][i] = union
		}
	}
	var rows [][]int32
	for _, o := range p.Outputs {
		if w, varies := node[o.Node]; varies {
			rows = append(rows, sets[w]...)
		} else {
			rows = append(rows, make([][]int32, p.Nodes[o.Node].Shape.Size())...)
		}
	}
	return NewPattern(columns, rows)
}
