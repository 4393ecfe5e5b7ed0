package ad

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Flat returns [ValueAndJacobian] as a program of scalars: the elements of all outputs, then the Jacobian as one matrix,
// row-major, with a row for every element of every output and a column for every element of every input. The vertices of
// the order are those of p, arrays or not.
func Flat(p *ir.Program, order []int) (*ir.Program, error) {
	d, err := ValueAndJacobian(p, order)
	if err != nil {
		return nil, err
	}
	if scalar, _ := p.IsScalar(); scalar {
		for i := range d.Nodes {
			if c := d.Nodes[i].Op.Class; c != ir.Leaf && c != ir.Elementwise { // an op over arrays, of numbers
				return simplified(scalarized(d))
			}
		}
		return d, nil
	}
	b := ir.NewBuilder(d.Name)
	values := b.Splice(d, nil)
	result := func(k int) *ir.Value { return values[d.Outputs[k].Node] }
	for k, o := range p.Outputs {
		b.Output(o.Name, result(k))
	}
	for i, o := range p.Outputs {
		rows := p.Nodes[o.Node].Shape.Size()
		var blocks []*ir.Value
		for j, id := range p.Inputs {
			blocks = append(blocks, ir.Reshape(result(len(p.Outputs)+i*len(p.Inputs)+j), rows, p.Nodes[id].Shape.Size()))
		}
		b.Output(fmt.Sprintf("d(%s)", o.Name), ir.Concatenate(blocks, 1))
	}
	if d, err = b.Build(); err != nil {
		return nil, err
	}
	return simplified(scalarized(d))
}

func scalarized(p *ir.Program) (*ir.Program, error) {
	q, _, err := ir.Scalarize(p)
	return q, err
}
