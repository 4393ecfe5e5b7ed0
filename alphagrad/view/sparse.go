package view

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/sparse"
)

// mostCells bounds the matrices that are drawn.
const mostCells = 1 << 18

// Coloring draws a pattern, every entry in the colour of the product that it is read from: groups of columns first, then
// groups of rows. Without a colouring it is a spy plot.
func Coloring(p *sparse.Pattern, c *sparse.Coloring) (report.Matrix, error) {
	m := report.Matrix{Rows: p.Rows, Cols: p.Columns, RowTitle: "outputs", ColTitle: "inputs"}
	if p.Columns > 0 && p.Rows > mostCells/p.Columns {
		return m, fmt.Errorf("a pattern of %d × %d is too large to draw: at most %d cells", p.Rows, p.Columns, mostCells)
	}
	groups := make([]int, p.Entries())
	if c != nil {
		m.Colors = report.Groups
		m.Subtitle = fmt.Sprintf("read from %d products with columns and %d with rows", c.Columns, c.Rows)
		var err error
		if groups, err = c.Groups(p); err != nil {
			return m, err
		}
	}
	m.Data = make([]float64, p.Rows*p.Columns)
	k := 0
	for i := range p.Rows {
		for _, j := range p.Row(i) {
			m.Data[i*p.Columns+int(j)] = float64(groups[k] + 1)
			k++
		}
	}
	return m, nil
}
