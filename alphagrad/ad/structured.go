package ad

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/structure"
)

// A Part is one term of ∂y/∂x. Output number Value of the program that goes with it holds the value of the term, in the
// shape [structure.Term.ValueShape]; a unit's value is the scalar ±1.
type Part struct {
	Term  *structure.Term
	Value int
}

// A Structured Jacobian keeps the structures that elimination leaves: nothing is written densely.
type Structured struct {
	Program *ir.Program // outputs: those of the primal, then the values of all parts
	Parts   [][][]Part  // [output][input]: the parts that add up to ∂y/∂x, none if it is zero
}

// StructuredJacobian eliminates in the given order, nil for reverse, and returns the Jacobian in structured form.
func StructuredJacobian(p *ir.Program, order []int) (*Structured, error) {
	if err := ir.Verify(p); err != nil {
		return nil, err
	}
	l, err := linearize(p, arrays{})
	if err != nil {
		return nil, err
	}
	if err := l.accumulate(order); err != nil {
		return nil, err
	}
	s := &Structured{Parts: make([][][]Part, len(p.Outputs))}
	var values []*ir.Value
	var names []string
	for i, o := range p.Outputs {
		s.Parts[i] = make([][]Part, len(p.Inputs))
		for j, id := range p.Inputs {
			for k, x := range l.entry(i, j) {
				s.Parts[i][j] = append(s.Parts[i][j], Part{Term: x.Term, Value: len(p.Outputs) + len(values)})
				values = append(values, x.Value)
				names = append(names, fmt.Sprintf("%s[%d]", EntryName(o.Name, p.Nodes[id].Name), k))
			}
		}
	}
	s.Program, err = simplified(l.outputs(len(values), func(k int) (string, *ir.Value) { return names[k], values[k] }))
	return s, err
}
