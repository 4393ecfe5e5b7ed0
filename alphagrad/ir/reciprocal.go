package ir

// Reciprocals divides once where several numbers are divided by the same: a/c and b/c become a·r and b·r with r = 1/c, and a
// division by a constant becomes a multiplication. A division takes the time of five to ten multiplications.
//
// Each quotient is rounded twice then, so that it may differ by one unit in the last place; and 1/c must not overflow or
// lose digits, so |c| is to lie between 2⁻¹⁰²² and 2¹⁰²².
func Reciprocals(p *Program) (*Program, error) {
	divisions := make([]int, len(p.Nodes))
	for i := range p.Nodes {
		if n := &p.Nodes[i]; n.Op == OpDiv {
			divisions[n.Args[1]]++
		}
	}
	reciprocal := map[ID]*Value{} // of a divisor
	return rewrite(p, func(b *Builder, n *Node, args []*Value) *Value {
		if n.Op != OpDiv || b.err != nil {
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

// Finish is what generated code contains: [Optimize], then [Reciprocals] and a [Schedule].
func Finish(p *Program) (*Program, error) {
	p, err := Optimize(p)
	if err != nil {
		return nil, err
	}
	if p, err = Reciprocals(p); err != nil {
		return nil, err
	}
	if p, err = Simplify(p); err != nil {
		return nil, err
	}
	return Schedule(p)
}
