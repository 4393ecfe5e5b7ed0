package ir

import (
	"fmt"
	"math"
	"strings"
)

// Pass rewrites a legal program to a legal program that computes the same outputs from the same inputs.
type Pass struct {
	Name string
	Doc  string
	run  func(p *Program) (*Program, error)
}

// Run applies the pass. The result satisfies [Verify].
func (s Pass) Run(p *Program) (*Program, error) {
	q, err := s.run(p)
	if err != nil {
		return nil, fmt.Errorf("pass %s: %w", s.Name, err)
	}
	return q, nil
}

// Passes lists the passes in the order in which [Optimize] runs them: lowering first, because it exposes products to
// folding; folding before common subexpressions, because it makes more of them equal; dead code last, because both leave
// it behind.
var Passes = []Pass{
	{"lower", "write square, powi, rsqrt, logistic, relu, stop_gradient with multiplications, additions, divisions and calls", Lower},
	{"fold", "evaluate constant nodes; drop factors ±1 and summands 0; move signs outwards", Fold},
	{"cse", "compute equal expressions once", CSE},
	{"dce", "drop nodes that no output needs", DCE},
}

// Simplify folds, merges common subexpressions and drops dead code. The result can be differentiated again.
func Simplify(p *Program) (*Program, error) { return runPasses(p, Passes[1:]) }

// Optimize runs all [Passes]: what executes. Derivatives are to be taken before, since lowering forgets where a gradient
// stops.
func Optimize(p *Program) (*Program, error) { return runPasses(p, Passes) }

// runPasses repeats the passes until they change nothing: folding moves signs that let more expressions be equal, and
// merging those exposes more signs. Rounds are few; the bound only guards against a pair of rules that undo each other.
func runPasses(p *Program, passes []Pass) (*Program, error) {
	for range 20 {
		before := p
		for _, s := range passes {
			q, err := s.Run(p)
			if err != nil {
				return nil, err
			}
			p = q
		}
		if Equal(before, p) {
			break
		}
	}
	return p, nil
}

// rewrite rebuilds a program node by node; f records the replacement of a node given its new arguments.
func rewrite(p *Program, f func(b *Builder, n *Node, args []*Value) *Value) (*Program, error) {
	b := NewBuilder(p.Name)
	vs := make([]*Value, len(p.Nodes))
	for i := range p.Nodes {
		n := &p.Nodes[i]
		switch n.Op {
		case OpInput:
			vs[i] = b.Input(n.Name, n.Shape...)
			continue
		case OpConst:
			if len(n.Shape) == 0 {
				vs[i] = Const(b, n.Value[0])
			} else {
				vs[i] = ConstTensor(b, n.Shape, n.Value)
			}
			continue
		}
		args := make([]*Value, len(n.Args))
		for k, a := range n.Args {
			args[k] = vs[a]
		}
		vs[i] = f(b, n, args)
		if m := &b.p.Nodes[vs[i].id]; n.Name != "" && m.Name == "" && m.Op != OpConst && !b.names[n.Name] {
			vs[i].Named(n.Name)
		}
	}
	for _, o := range p.Outputs {
		b.p.Outputs = append(b.p.Outputs, Output{Name: o.Name, Node: vs[o.Node].id})
	}
	return b.Build()
}

// Lower writes composite ops in terms of those that a compiler has. Gradient stops disappear.
func Lower(p *Program) (*Program, error) {
	return rewrite(p, func(b *Builder, n *Node, args []*Value) *Value {
		if n.Op.lower != nil {
			return n.Op.lower(n.Attrs, args)
		}
		return Apply(n.Op, n.Attrs, args...)
	})
}

// maxFold bounds the size of an array constant made by folding.
const maxFold = 1 << 12

// Fold evaluates nodes whose arguments are all constant and applies the identities of ±1, 0 and signs. It assumes no more
// than IEEE arithmetic with the sign of zero ignored: x·0 is kept, since x may be infinite.
func Fold(p *Program) (*Program, error) { return rewrite(p, foldNode) }

func foldNode(b *Builder, n *Node, args []*Value) *Value {
	constant := n.Shape.Size() <= maxFold
	for _, a := range args {
		constant = constant && b.p.Nodes[a.id].Op == OpConst
	}
	if constant && b.err == nil {
		vals := make([]Tensor, len(args))
		for k, a := range args {
			vals[k] = Tensor{b.p.Nodes[a.id].Shape, b.p.Nodes[a.id].Value}
		}
		m := *n
		t := EvalNode(&m, vals)
		if len(t.Shape) == 0 {
			return Const(b, t.Data[0])
		}
		return ConstTensor(b, t.Shape, t.Data)
	}
	if v := identity(b, n, args); v != nil && v.Shape().Equal(n.Shape) {
		return v
	}
	return Apply(n.Op, n.Attrs, args...)
}

// negated returns x where v is neg(x), otherwise nil.
func negated(v *Value) *Value {
	if n := &v.b.p.Nodes[v.id]; n.Op == OpNeg {
		return &Value{v.b, n.Args[0]}
	}
	return nil
}

// negate returns −v without stacking signs.
func negate(v *Value) *Value {
	if x := negated(v); x != nil {
		return x
	}
	if n := &v.b.p.Nodes[v.id]; n.Op == OpSub {
		return Sub(&Value{v.b, n.Args[1]}, &Value{v.b, n.Args[0]})
	}
	if c, ok := v.b.p.ConstScalar(v.id); ok {
		return Const(v.b, -c)
	}
	return Neg(v)
}

// identity returns a cheaper form of the operation, or nil.
func identity(b *Builder, n *Node, args []*Value) *Value {
	switch n.Op {
	case OpReshape:
		x := args[0]
		for b.p.Nodes[x.id].Op == OpReshape {
			x = &Value{b, b.p.Nodes[x.id].Args[0]}
		}
		if x.Shape().Equal(n.Shape) {
			return x
		}
		return Reshape(x, n.Shape...)
	case OpNeg:
		return negate(args[0])
	case OpMul:
		x, y := args[0], args[1]
		for range 2 {
			switch {
			case x.IsConst(1):
				return y
			case x.IsConst(-1):
				return negate(y)
			case negated(x) != nil:
				return negate(product(b, negated(x), y))
			}
			x, y = y, x
		}
		if c, ok := b.p.ConstScalar(x.id); ok && c < 0 { // c·y with c < 0: keep the sign outside
			return negate(product(b, Const(b, -c), y))
		} else if c, ok := b.p.ConstScalar(y.id); ok && c < 0 {
			return negate(product(b, x, Const(b, -c)))
		}
	case OpDiv:
		x, y := args[0], args[1]
		switch {
		case y.IsConst(1):
			return x
		case y.IsConst(-1):
			return negate(x)
		case negated(x) != nil && negated(y) != nil:
			return Div(negated(x), negated(y))
		case negated(x) != nil:
			return negate(Div(negated(x), y))
		case negated(y) != nil:
			return negate(Div(x, negated(y)))
		}
		if c, ok := b.p.ConstScalar(y.id); ok && exactReciprocal(c) {
			if c < 0 {
				return negate(product(b, x, Const(b, -1/c)))
			}
			return product(b, x, Const(b, 1/c))
		}
	case OpAdd:
		x, y := args[0], args[1]
		for range 2 {
			if x.IsConst(0) {
				return y
			}
			x, y = y, x
		}
		return sum(x, y)
	case OpSub:
		x, y := args[0], args[1]
		switch {
		case y.IsConst(0):
			return x
		case x.IsConst(0):
			return negate(y)
		case negated(y) != nil:
			return sum(x, negated(y))
		case negated(x) != nil:
			return negate(sum(negated(x), y))
		}
	case OpPowi:
		switch n.Attrs.N {
		case 0:
			return Const(b, 1)
		case 1:
			return args[0]
		}
	case OpPow:
		if args[0].IsConst(1) || args[1].IsConst(0) { // also where the other one is NaN
			return Const(b, 1)
		}
		if args[1].IsConst(1) {
			return args[0]
		}
		if args[1].IsConst(2) {
			return product(b, args[0], args[0])
		}
	}
	return nil
}

// product multiplies, merging constant factors.
func product(b *Builder, x, y *Value) *Value {
	if _, ok := b.p.ConstScalar(y.id); ok {
		x, y = y, x
	}
	if c, ok := b.p.ConstScalar(x.id); ok {
		switch c {
		case 1:
			return y
		case -1:
			return negate(y)
		}
	}
	return Mul(x, y)
}

// sum adds, turning a negated summand into a difference.
func sum(x, y *Value) *Value {
	nx, ny := negated(x), negated(y)
	switch {
	case nx != nil && ny != nil:
		return negate(Add(nx, ny))
	case nx != nil:
		return Sub(y, nx)
	case ny != nil:
		return Sub(x, ny)
	}
	return Add(x, y)
}

// exactReciprocal reports whether dividing by c and multiplying by 1/c give equal results for every operand.
func exactReciprocal(c float64) bool {
	frac, exp := math.Frexp(math.Abs(c))
	return frac == 0.5 && exp > -1000 && exp < 1000
}

// cseKey identifies a node by what it computes.
type cseKey struct {
	op   *OpInfo
	x, y ID
	rest string // further arguments and attributes
}

// CSE computes equal expressions once; the arguments of commutative ops may stand in either order.
func CSE(p *Program) (*Program, error) {
	seen := make(map[cseKey]*Value, len(p.Nodes))
	return rewrite(p, func(b *Builder, n *Node, args []*Value) *Value {
		if b.err != nil {
			return Apply(n.Op, n.Attrs, args...)
		}
		k := cseKey{op: n.Op, x: args[0].id, y: -1}
		if len(args) > 1 {
			k.y = args[1].id
		}
		if n.Op.Commutative && k.x > k.y {
			k.x, k.y = k.y, k.x
		}
		if len(args) > 2 || n.Attrs != nil {
			var s strings.Builder
			for _, a := range args[min(2, len(args)):] {
				fmt.Fprintf(&s, "%d,", a.id)
			}
			s.WriteString(encodeAttrs(n.Op, n.Attrs))
			k.rest = s.String()
		}
		if v := seen[k]; v != nil {
			return v
		}
		v := Apply(n.Op, n.Attrs, args...)
		seen[k] = v
		return v
	})
}

// DCE drops the nodes that no output needs. Inputs stay.
func DCE(p *Program) (*Program, error) {
	live := p.needed(p.Outputs)
	q := &Program{Name: p.Name}
	at := make([]ID, len(p.Nodes))
	for i := range p.Nodes {
		n := p.Nodes[i]
		if !live[i] && n.Op != OpInput {
			continue
		}
		args := make([]ID, len(n.Args))
		for k, a := range n.Args {
			args[k] = at[a]
		}
		n.Args = args
		at[i] = ID(len(q.Nodes))
		q.Nodes = append(q.Nodes, n)
		if n.Op == OpInput {
			q.Inputs = append(q.Inputs, at[i])
		}
	}
	for _, o := range p.Outputs {
		q.Outputs = append(q.Outputs, Output{o.Name, at[o.Node]})
	}
	return q, Verify(q)
}
