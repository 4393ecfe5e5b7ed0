package ir

// Reciprocals divides once where several numbers are divided by the same: a/c and b/c become a·r and b·r with r = 1/c, and a
// division by a constant becomes a multiplication. A division takes the time of five to ten multiplications.
//
// Each quotient is rounded twice then, so that it may differ by one unit in the last place; and 1/c must not overflow or
// lose digits, so |c| is to lie between 2⁻¹⁰²² and 2¹⁰²². Only the last outputs, as many as derivatives says, are computed
// so: whatever the others, the values, depend on stays bit for bit.
func Reciprocals(p *Program, derivatives int) (*Program, error) {
	exact := p.needed(p.Outputs[:max(0, len(p.Outputs)-derivatives)])
	free := map[*Node]bool{}               // divisions that may be replaced
	divisions := make([]int, len(p.Nodes)) // that could share one, by divisor
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Op != OpDiv {
			continue
		}
		free[n] = !exact[i]
		if one, ok := p.ConstScalar(n.Args[0]); free[n] || ok && one == 1 {
			divisions[n.Args[1]]++
		}
	}
	reciprocal := map[ID]*Value{} // of a divisor
	return rewrite(p, func(b *Builder, n *Node, args []*Value) *Value {
		if !free[n] || b.err != nil {
			return Apply(n.Op, n.Attrs, args...)
		}
		x, y := args[0], args[1]
		if c, ok := b.p.ConstScalar(y.id); ok && c != 0 {
			return Mul(x, Const(b, 1/c))
		}
		if divisions[n.Args[1]] < 2 {
			return Div(x, y)
		}
		r := reciprocal[n.Args[1]]
		if r == nil {
			r = Div(Const(b, 1), y)
			reciprocal[n.Args[1]] = r
		}
		if x.IsConst(1) {
			return r
		}
		return Mul(x, r)
	})
}

// needed marks the nodes that some outputs depend on.
func (p *Program) needed(outputs []Output) []bool {
	need := make([]bool, len(p.Nodes))
	for _, o := range outputs {
		need[o.Node] = true
	}
	for i := len(p.Nodes) - 1; i >= 0; i-- {
		if need[i] {
			for _, a := range p.Nodes[i].Args {
				need[a] = true
			}
		}
	}
	return need
}

// Finish is what generated code contains: [Optimize], then [Reciprocals] in the last outputs, as many as derivatives says,
// and a [Schedule].
func Finish(p *Program, derivatives int) (*Program, error) {
	p, err := Optimize(p)
	if err != nil {
		return nil, err
	}
	if p, err = Reciprocals(p, derivatives); err != nil {
		return nil, err
	}
	if p, err = Simplify(p); err != nil {
		return nil, err
	}
	return Schedule(p)
}
