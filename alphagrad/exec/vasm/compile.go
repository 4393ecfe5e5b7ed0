package vasm

import (
	"errors"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Compile makes a kernel of a program of scalars that has been lowered ([ir.Lower]). The outputs are split into results of
// the given numbers of rows; constant outputs are left to the caller.
func Compile(p *ir.Program, results []int) (*Kernel, error) {
	b := newBuilder()
	c := &compiler{b: b, p: p, at: make([]value, len(p.Nodes)), uses: make([]int, len(p.Nodes))}
	for i := range p.Nodes {
		for _, a := range p.Nodes[i].Args {
			c.uses[a]++
		}
	}
	for _, o := range p.Outputs {
		c.uses[o.Node] += 2 // what is stored cannot disappear into another instruction
	}
	for j, id := range p.Inputs {
		c.at[id] = b.input(j)
	}
	for i := range p.Nodes {
		if err := c.node(ir.ID(i)); err != nil {
			return nil, &ir.NodeError{Node: p.DisplayNames()[i], Op: p.Nodes[i].Op.Name, Err: err}
		}
	}
	k := &Kernel{inputs: len(p.Inputs), results: results, nodes: b.nodes, rare: b.rare}
	at := 0
	for r, rows := range results {
		for row := range rows {
			id := p.Outputs[at].Node
			at++
			if _, constant := p.ConstScalar(id); !constant {
				k.stores = append(k.stores, store{r, row, c.value(id)})
			}
		}
	}
	k.nodes = b.nodes
	k.prune()
	return k, nil
}

// compiler translates a program node by node.
type compiler struct {
	b    *builder
	p    *ir.Program
	at   []value // what each node has become; a product that waits for its sum has become nothing
	uses []int
}

const waiting value = -2

// value is the kernel's node for a node of the program.
func (c *compiler) value(id ir.ID) value {
	if c.at[id] == waiting {
		n := &c.p.Nodes[id]
		c.at[id] = c.b.mul(c.value(n.Args[0]), c.value(n.Args[1]))
	}
	return c.at[id]
}

// product returns the factors of a product that waits.
func (c *compiler) product(id ir.ID) (x, y value, ok bool) {
	if c.at[id] != waiting {
		return none, none, false
	}
	n := &c.p.Nodes[id]
	return c.value(n.Args[0]), c.value(n.Args[1]), true
}

func (c *compiler) node(id ir.ID) error {
	n := &c.p.Nodes[id]
	b := c.b
	switch n.Op {
	case ir.OpInput:
		return nil
	case ir.OpConst:
		c.at[id] = b.constant(n.Value[0])
		return nil
	case ir.OpMul:
		// A product used once waits for its use: a sum takes it in.
		if c.uses[id] == 1 {
			c.at[id] = waiting
			return nil
		}
	case ir.OpAdd:
		x, y := n.Args[0], n.Args[1]
		if x != y {
			for range 2 {
				if f, g, ok := c.product(y); ok {
					c.at[id] = b.fma(f, g, c.value(x))
					return nil
				}
				x, y = y, x
			}
		}
	case ir.OpSub:
		if x, y := n.Args[0], n.Args[1]; x != y {
			if f, g, ok := c.product(y); ok {
				c.at[id] = b.fnma(f, g, c.value(x))
				return nil
			}
			if f, g, ok := c.product(x); ok {
				c.at[id] = b.fms(f, g, c.value(y))
				return nil
			}
		}
	}
	f, ok := functions[n.Op]
	if !ok {
		return errors.New("has no vector form")
	}
	args := make([]value, len(n.Args))
	for k, a := range n.Args {
		args[k] = c.value(a)
	}
	c.at[id] = f(b, args, n)
	return nil
}
