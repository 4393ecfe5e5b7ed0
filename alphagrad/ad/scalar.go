package ad

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// scalars is the calculus of scalar programs: an edge is one expression, nil for zero. Every product is recorded, factors
// ±1 included, because the published metric counts them. Products and sums go inside the guards of select, see guard.go.
type scalars struct{}

func (scalars) partials(n *ir.Node, args []*ir.Value, y *ir.Value) ([]*ir.Value, error) {
	r, ok := rules[n.Op]
	switch {
	case ok:
		return r(args, y, n.Attrs), nil
	case n.Op.Class == ir.IndexMap || n.Op.Class == ir.Reduction: // of a number: itself
		return []*ir.Value{ir.Const(y.Builder(), 1)}, nil
	case n.Op.Class == ir.Contraction: // of numbers: their product
		partials := make([]*ir.Value, len(args))
		for k := range args {
			partials[k] = ir.Const(y.Builder(), 1)
			for j, x := range args {
				if j != k {
					partials[k] = times(partials[k], x)
				}
			}
		}
		return partials, nil
	}
	return nil, fmt.Errorf("op %s has no derivative rule", n.Op)
}

func (scalars) one(b *ir.Builder, _ ir.Shape) *ir.Value        { return ir.Const(b, 1) }
func (scalars) empty(v *ir.Value) bool                         { return v == nil }
func (scalars) multiply(left, right *ir.Value) *ir.Value       { return product(left, right) }
func (scalars) add(a, b *ir.Value) *ir.Value                   { return sum(a, b) }
func (scalars) describe(v *ir.Value) (bool, []*structure.Term) { return isUnit(v), nil }

func (scalars) dense(b *ir.Builder, v *ir.Value, _, _ ir.Shape) *ir.Value {
	if v == nil {
		return ir.Const(b, 0)
	}
	return v
}

func isUnit(v *ir.Value) bool { return v.IsConst(1) || v.IsConst(-1) }
