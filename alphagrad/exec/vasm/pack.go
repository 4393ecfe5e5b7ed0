package vasm

import (
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A pack is calls of one elementary function, or of functions that share their work, with up to four arguments: in a kernel
// for one sample they are evaluated as one vector.
type pack struct {
	args  []ir.ID
	calls []ir.ID
}

// families names functions that share their work with others.
var families = map[*ir.OpInfo]*ir.OpInfo{ir.OpCos: ir.OpSin, ir.OpTan: ir.OpSin}

// packable reports whether a node is worth it: a function that takes many instructions of one number.
func packable(n *ir.Node) bool { return len(n.Args) == 1 && bounds[n.Op] > 0 }

// planPacks groups calls that do not depend on each other: those that have equally many calls, of any function, behind them
// on the longest path. Calls of one group then never wait for a call of another that waits for them.
func planPacks(p *ir.Program) map[ir.ID]*pack {
	type key struct {
		family *ir.OpInfo
		level  int
	}
	level := make([]int, len(p.Nodes))
	last := map[key]*pack{} // that may take another argument
	var all []*pack
	of := map[key]map[ir.ID]*pack{} // by argument
	for i := range p.Nodes {
		n := &p.Nodes[i]
		for _, a := range n.Args {
			level[i] = max(level[i], level[a])
		}
		if !packable(n) {
			continue
		}
		level[i]++
		k := key{n.Op, level[i]}
		if f, ok := families[n.Op]; ok {
			k.family = f
		}
		if of[k] == nil {
			of[k] = map[ir.ID]*pack{}
		}
		x := n.Args[0]
		if of[k][x] == nil {
			if last[k] == nil || len(last[k].args) == 4 {
				last[k] = &pack{}
				all = append(all, last[k])
			}
			last[k].args = append(last[k].args, x)
			of[k][x] = last[k]
		}
		of[k][x].calls = append(of[k][x].calls, ir.ID(i))
	}
	packs := map[ir.ID]*pack{}
	for _, g := range all {
		if len(g.args) > 1 {
			for _, id := range g.calls {
				packs[id] = g
			}
		}
	}
	return packs
}

// pack evaluates the calls of a pack.
func (c *compiler) pack(k *pack) error {
	b := c.b
	x := make([]value, len(k.args))
	for i, a := range k.args {
		if err := c.node(a); err != nil {
			return err
		}
		x[i] = c.value(a)
	}
	v := b.node(opPair, x[0], x[1], none, 0)
	if len(x) > 2 {
		v = b.node(opJoin, v, b.node(opPair, x[2], x[len(x)-1], none, 0), none, 0)
	}
	for _, id := range k.calls {
		n := &c.p.Nodes[id]
		r := functions[n.Op](b, []value{v}, n)
		lane := slices.Index(k.args, n.Args[0])
		if lane >= 2 {
			r = b.node(opHigh, r, none, none, 0)
		}
		c.at[id] = b.node([...]opcode{opLow, opOdd}[lane%2], r, none, none, 0)
	}
	return nil
}

// packing prints what goes between numbers and packs of them.
func (p *printer) packing(in *instruction, name, dst string) {
	x, y := p.reg(in.src[0], 2), p.reg(in.src[1], 2)
	switch in.op {
	case opPair:
		p.line("%s %s, %s, %s", name, y, x, dst)
	case opJoin:
		p.line("%s $1, %s, %s, %s", name, y, p.reg(in.src[0], 4), dst)
	case opHigh:
		p.line("%s $1, %s, %s", name, p.reg(in.src[0], 4), dst)
	case opLow:
		p.line("%s %s, %s", name, x, dst)
	case opOdd:
		p.line("%s $1, %s, %s", name, x, dst)
	}
}
