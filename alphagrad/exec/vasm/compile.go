package vasm

import (
	"errors"
	"maps"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Compile makes a kernel of a program of scalars that has been lowered ([ir.Lower]). The outputs are split into results of
// the given numbers of rows; constant outputs are left to the caller.
func Compile(p *ir.Program, results []int) (*Kernel, error) { return compile(p, results, nil) }

// CompileOne makes a kernel for one sample, to be printed for [Scalar]. Independent calls of the same elementary function
// share vectors, and constant outputs are written too.
func CompileOne(p *ir.Program, results []int) (*Kernel, error) {
	k, err := compile(p, results, planPacks(p))
	if err != nil {
		return nil, err
	}
	at := 0
	for r, rows := range results {
		for row := range rows {
			if c, ok := p.ConstScalar(p.Outputs[at].Node); ok {
				k.fixed = append(k.fixed, fixed{r, row, c})
			}
			at++
		}
	}
	return k, nil
}

func compile(p *ir.Program, results []int, packs map[ir.ID]*pack) (*Kernel, error) {
	b := newBuilder()
	c := &compiler{b: b, p: p, packs: packs, at: make([]value, len(p.Nodes)), uses: make([]int, len(p.Nodes))}
	for i := range c.at {
		c.at[i] = none
	}
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
	k := &Kernel{inputs: len(p.Inputs), results: results, nodes: b.nodes}
	for _, w := range slices.Sorted(maps.Keys(b.rare)) {
		k.rare = append(k.rare, b.rare[w])
	}
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
	b     *builder
	p     *ir.Program
	packs map[ir.ID]*pack // of calls
	at    []value         // what each node has become, none if nothing yet; a product that waits for its sum is waiting
	uses  []int
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
	if c.at[id] != none {
		return nil
	}
	n := &c.p.Nodes[id]
	b := c.b
	if len(c.packs) > 0 {
		for _, a := range n.Args { // those of a pack are needed before their turn
			if err := c.node(a); err != nil {
				return err
			}
		}
		if k := c.packs[id]; k != nil {
			return c.pack(k)
		}
	}
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
