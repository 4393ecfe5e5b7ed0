package interp

import (
	"fmt"
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Rounding runs a program of scalars and bounds, for each output, how far rounding can take any evaluation of the same
// arithmetic in which every operation errs by at most the given units in the last place: 2 allow for fused products,
// products with a reciprocal, and elementary functions of a quality that vector libraries have. The bound is carried from
// node to node as in a running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, §3.3), the
// sensitivity of each operation being taken from its values at the ends of its arguments' intervals. It is what lets
// results of different back ends be compared where terms cancel, without a tolerance picked by hand.
func Rounding(p *ir.Program, x []float64, units float64) (y, bound []float64, err error) {
	if ok, first := p.IsScalar(); !ok {
		return nil, nil, fmt.Errorf("program %q: node %q has shape %v, expected a scalar", p.Name, p.DisplayNames()[first], p.Nodes[first].Shape)
	}
	if len(x) != len(p.Inputs) {
		return nil, nil, fmt.Errorf("program %q takes %d inputs, has %d", p.Name, len(p.Inputs), len(x))
	}
	v := make([]float64, len(p.Nodes))
	e := make([]float64, len(p.Nodes))
	for i, id := range p.Inputs {
		v[id] = x[i]
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		switch n.Op {
		case ir.OpInput:
			continue
		case ir.OpConst:
			v[i] = n.Value[0]
			continue
		}
		args := make([]float64, len(n.Args))
		for k, a := range n.Args {
			args[k] = v[a]
		}
		v[i] = n.Op.Scalar(n.Attrs, args...)
		for k, a := range n.Args {
			for _, d := range [...]float64{e[a], -e[a]} {
				args[k] = v[a] + d
				if moved := math.Abs(n.Op.Scalar(n.Attrs, args...) - v[i]); moved > e[i] {
					e[i] = moved
				}
			}
			args[k] = v[a]
		}
		e[i] *= float64(len(n.Args)) // the largest of the arguments' shares, for each
		e[i] += units * math.Max(math.Nextafter(math.Abs(v[i]), math.Inf(1))-math.Abs(v[i]), 0)
	}
	for _, o := range p.Outputs {
		y, bound = append(y, v[o.Node]), append(bound, e[o.Node])
	}
	return y, bound, nil
}
