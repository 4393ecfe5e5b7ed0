package ad

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// A select passes the derivative of the branch taken. Were the other branch's multiplied by 0, an infinity or NaN there
// (of √x at 0, where the branch was meant for x > 0) would spoil the sum: so a guarded derivative stays inside its select
// through all products and sums.

// guard is a derivative that counts on one side of a condition only: select(condition, inner, 0), or with sides exchanged.
type guard struct {
	condition, inner *ir.Value
	onTrue           bool
}

func asGuard(v *ir.Value) (g guard, ok bool) {
	if v.Op() != ir.OpSelect {
		return guard{}, false
	}
	switch c, t, f := v.Arg(0), v.Arg(1), v.Arg(2); {
	case f.IsConst(0):
		return guard{c, t, true}, true
	case t.IsConst(0):
		return guard{c, f, false}, true
	}
	return guard{}, false
}

func (g guard) value(inner *ir.Value) *ir.Value {
	zero := ir.Const(inner.Builder(), 0)
	if g.onTrue {
		return ir.Select(g.condition, inner, zero)
	}
	return ir.Select(g.condition, zero, inner)
}

func (g guard) sameCondition(h guard) bool { return g.condition.ID() == h.condition.ID() }

// product is a·b; there is one multiplication however many guards there are.
func product(a, b *ir.Value) *ir.Value {
	g, guarded := asGuard(a)
	h, other := asGuard(b)
	switch {
	case guarded && other && g.sameCondition(h) && g.onTrue == h.onTrue:
		return g.value(product(g.inner, h.inner))
	case guarded:
		return g.value(product(g.inner, b))
	case other:
		return h.value(product(a, h.inner))
	}
	return ir.Mul(a, b)
}

// sum is a + b; derivatives from the two sides of a condition need no addition.
func sum(a, b *ir.Value) *ir.Value {
	g, guarded := asGuard(a)
	h, other := asGuard(b)
	switch {
	case !guarded || !other || !g.sameCondition(h):
		return ir.Add(a, b)
	case g.onTrue == h.onTrue:
		return g.value(sum(g.inner, h.inner))
	case g.onTrue:
		return ir.Select(g.condition, g.inner, h.inner)
	}
	return ir.Select(g.condition, h.inner, g.inner)
}
