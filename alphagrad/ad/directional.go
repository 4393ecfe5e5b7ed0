package ad

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// JVP returns the program of the Jacobian-vector product of a program of scalars: its inputs are those of p, then the
// direction "d(x)" for every input x; its outputs are those of p, then the derivative "d(y)" along the direction for every
// output y. [PushForward] does the same for several directions and arrays.
func JVP(p *ir.Program) (*ir.Program, error) {
	l, err := scalarLinearization(p)
	if err != nil {
		return nil, err
	}
	tangent := make([]*ir.Value, len(l.in))
	for j, id := range p.Inputs {
		tangent[j] = l.b.Input(SeedName(p.Nodes[id].Name))
	}
	l.push(tangent)
	return simplified(l.outputs(len(p.Outputs), func(i int) (string, *ir.Value) {
		var v *ir.Value
		if r := l.results[i]; r >= 0 {
			v = tangent[r]
		}
		return SeedName(p.Outputs[i].Name), l.dense(l.b, v, nil, nil)
	}))
}

// VJP returns the program of the vector-Jacobian product of a program of scalars: its inputs are those of p, then the
// weight "d(y)" for every output y; its outputs are those of p, then the derivative "d(x)" of the weighted sum for every
// input x. [PullBack] does the same for several weightings and arrays.
func VJP(p *ir.Program) (*ir.Program, error) {
	l, err := scalarLinearization(p)
	if err != nil {
		return nil, err
	}
	adjoint := make([]*ir.Value, len(l.in))
	for i, o := range p.Outputs {
		w := l.b.Input(SeedName(o.Name))
		if r := l.results[i]; r >= 0 && adjoint[r] == nil {
			adjoint[r] = w
		} else if r >= 0 {
			adjoint[r] = l.add(adjoint[r], w)
		}
	}
	l.pull(adjoint)
	return simplified(l.outputs(len(p.Inputs), func(j int) (string, *ir.Value) {
		return SeedName(p.Nodes[p.Inputs[j]].Name), l.dense(l.b, adjoint[j], nil, nil)
	}))
}

func scalarLinearization(p *ir.Program) (*linearization[*ir.Value], error) {
	if err := ir.Verify(p); err != nil {
		return nil, err
	}
	if ok, first := p.IsScalar(); !ok {
		return nil, fmt.Errorf("program %q: node %q is an array; this derivative is of scalars", p.Name, p.DisplayNames()[first])
	}
	return linearize(p, scalars{})
}

// Hessian returns the program of the outputs of a program of scalars, its Jacobian in the given order ([ValueAndJacobian])
// and all second derivatives: for every output y and inputs u, v in row-major order the entry ∂²y/∂u∂v, computed once for
// each pair. The Jacobian is differentiated in whichever of the forward, reverse and Markowitz orders leaves the fewest
// multiplications and additions.
func Hessian(p *ir.Program, order []int) (*ir.Program, error) {
	first, err := ValueAndJacobian(p, order)
	if err != nil {
		return nil, err
	}
	jac, err := Jacobian(p, order)
	if err != nil {
		return nil, err
	}
	var best *ir.Program
	var least int64
	for _, rule := range []func(*elim.Graph) []int{elim.Forward, elim.Reverse, elim.Markowitz} {
		h, err := hessian(p, first, jac, rule)
		if err != nil {
			return nil, err
		}
		o, err := ir.Optimize(h)
		if err != nil {
			return nil, err
		}
		c, err := ir.Count(o)
		if err != nil {
			return nil, err
		}
		if best == nil || c.Mul+c.Add < least {
			best, least = h, c.Mul+c.Add
		}
	}
	return best, nil
}

// hessian joins the first derivatives with those of the Jacobian, taken in the order of a rule.
func hessian(p, first, jac *ir.Program, rule func(*elim.Graph) []int) (*ir.Program, error) {
	g, err := Graph(jac)
	if err != nil {
		return nil, err
	}
	second, err := Raw(jac, rule(g))
	if err != nil {
		return nil, err
	}
	b := ir.NewBuilder(p.Name)
	values := b.Splice(first, nil)
	var inputs []*ir.Value
	for _, id := range first.Inputs {
		inputs = append(inputs, values[id])
	}
	for _, o := range first.Outputs {
		b.Output(o.Name, values[o.Node])
	}
	values = b.Splice(second, inputs)
	n := len(p.Inputs)
	names := p.InputNames()
	for i, y := range p.Outputs {
		for j := range n {
			for k := range n {
				row, column := min(j, k), max(j, k)
				entry := second.Outputs[len(jac.Outputs)+(i*n+row)*n+column]
				b.Output("d("+EntryName(y.Name, names[j])+")/d("+names[k]+")", values[entry.Node])
			}
		}
	}
	return simplified(b.Build())
}
