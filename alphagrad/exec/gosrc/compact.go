package gosrc

import (
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Compact leaves out the outputs behind the first ones, values, that are zero whatever the inputs: the zeros by structure of
// a Jacobian. at holds the places of those that stay, counted behind the values.
func Compact(p *ir.Program, values int) (compact *ir.Program, at []int, err error) {
	d, err := ir.Optimize(p)
	if err != nil {
		return nil, nil, err
	}
	q := *d
	q.Outputs = slices.Clone(d.Outputs[:values])
	at = []int{}
	for i, o := range d.Outputs[values:] {
		if c, constant := d.ConstScalar(o.Node); !constant || c != 0 {
			q.Outputs, at = append(q.Outputs, o), append(at, i)
		}
	}
	return &q, at, nil
}
