package ir

import "fmt"

// OpCount counts the arithmetic of a program, one for each scalar operation.
type OpCount struct {
	Mul  int64 `json:"mul"`  // multiplications
	Add  int64 `json:"add"`  // additions and subtractions
	Div  int64 `json:"div"`  // divisions
	Neg  int64 `json:"neg"`  // changes of sign
	Call int64 `json:"call"` // elementary functions, comparisons, selections
}

// Count counts the operations of a program as a compiler gets it, that is after [Lower]: x² is one multiplication. Moving
// elements (reshape, slice, …) costs nothing.
func Count(p *Program) (OpCount, error) {
	p, err := Lower(p)
	if err != nil {
		return OpCount{}, err
	}
	var c OpCount
	for i := range p.Nodes {
		n := &p.Nodes[i]
		size := int64(n.Shape.Size())
		switch n.Op {
		case OpInput, OpConst:
		case OpMul:
			c.Mul += size
		case OpAdd, OpSub:
			c.Add += size
		case OpDiv:
			c.Div += size
		case OpNeg:
			c.Neg += size
		case OpReduceSum:
			c.Add += int64(p.Nodes[n.Args[0]].Shape.Size()) - size
		case OpReduceProd:
			c.Mul += int64(p.Nodes[n.Args[0]].Shape.Size()) - size
		case OpReduceMax, OpReduceMin:
			c.Call += int64(p.Nodes[n.Args[0]].Shape.Size()) - size
		case OpEinsum:
			shapes := make([]Shape, len(n.Args))
			for k, a := range n.Args {
				shapes[k] = p.Nodes[a].Shape
			}
			ct, err := ParseEinsum(n.Attrs.Spec, shapes)
			if err != nil {
				return OpCount{}, err
			}
			terms := int64(Shape(ct.Sizes).Size())
			c.Mul += terms * int64(len(n.Args)-1)
			c.Add += terms - size
		default:
			if n.Op.Class == Elementwise {
				c.Call += size
			}
		}
	}
	return c, nil
}

// String prints the counts that matter first.
func (c OpCount) String() string {
	return fmt.Sprintf("%d mul, %d add, %d div, %d neg, %d calls", c.Mul, c.Add, c.Div, c.Neg, c.Call)
}

// Total is the number of operations of all kinds.
func (c OpCount) Total() int64 { return c.Mul + c.Add + c.Div + c.Neg + c.Call }
