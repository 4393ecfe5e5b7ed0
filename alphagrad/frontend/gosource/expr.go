package gosource

import (
	"go/ast"
	"go/token"
	"go/types"
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

func bits(x float64) uint64 { return math.Float64bits(x) }

// typeOf is the type of an expression.
func (e *evaluator) typeOf(x ast.Expr) types.Type {
	if t := e.frame.pkg.info.TypeOf(x); t != nil && t != types.Typ[types.Invalid] {
		return t
	}
	e.fail(x.Pos(), "this does not type-check; generate the code that it needs first")
	return nil
}

// eval gives the value of an expression. Composites are not copied.
func (e *evaluator) eval(x ast.Expr) value {
	e.step(x.Pos())
	if tv := e.frame.pkg.info.Types[x]; tv.Value != nil {
		return e.literal(x.Pos(), tv.Type, tv.Value)
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		return e.eval(x.X)
	case *ast.Ident:
		if e.isNil(x) {
			return unset{}
		}
		return e.variable(x).v
	case *ast.UnaryExpr:
		return e.unary(x)
	case *ast.BinaryExpr:
		return e.binary(x)
	case *ast.CallExpr:
		results := e.call(x)
		if len(results) != 1 {
			e.fail(x.Pos(), "a call with %d results stands where one value is needed", len(results))
		}
		return results[0]
	case *ast.SelectorExpr:
		return e.field(x).v
	case *ast.IndexExpr:
		return e.element(x).v
	case *ast.StarExpr:
		return e.pointee(x.X, x.Pos()).v
	case *ast.SliceExpr:
		return e.sliced(x)
	case *ast.CompositeLit:
		return e.composite(x)
	case *ast.FuncLit:
		e.fail(x.Pos(), "function literals are not supported; declare a function")
	case *ast.TypeAssertExpr:
		e.fail(x.Pos(), "interfaces are not supported; use concrete types")
	}
	e.fail(x.Pos(), "this kind of expression (%T) is not supported", x)
	return nil
}

// known is the value of an expression that must not be undecided.
func (e *evaluator) known(x ast.Expr) value {
	return e.decided(x.Pos(), e.eval(x))
}

func (e *evaluator) decided(pos token.Pos, v value) value {
	if u, ok := v.(undecided); ok {
		e.fail(pos, "this depends on the data, since it was set under the condition at %s; only float64 and bool may", e.position(u.branch))
	}
	return v
}

func (e *evaluator) number(x ast.Expr) number {
	n, ok := e.known(x).(number)
	if !ok {
		e.fail(x.Pos(), "a value of type %s is not supported here; numbers are float64", e.typeName(e.typeOf(x)))
	}
	return n
}

func (e *evaluator) integer(x ast.Expr) int64 {
	n, ok := e.known(x).(integer)
	if !ok {
		e.fail(x.Pos(), "a value of type %s is not supported here; expected an integer", e.typeName(e.typeOf(x)))
	}
	return int64(n)
}

func (e *evaluator) boolean(x ast.Expr) boolean {
	b, ok := e.known(x).(boolean)
	if !ok {
		e.fail(x.Pos(), "this condition is not supported")
	}
	return b
}

func (e *evaluator) isNil(x *ast.Ident) bool {
	_, ok := e.frame.pkg.info.Uses[x].(*types.Nil)
	return ok
}

// variable finds the cell of a local or package variable.
func (e *evaluator) variable(x *ast.Ident) *cell {
	obj := e.frame.pkg.info.ObjectOf(x)
	v, ok := obj.(*types.Var)
	if !ok {
		if _, fn := obj.(*types.Func); fn {
			e.fail(x.Pos(), "functions as values are not supported; call %s directly", x.Name)
		}
		e.fail(x.Pos(), "%s does not type-check or is not supported here", x.Name)
	}
	if c := e.frame.vars[v]; c != nil {
		return c
	}
	return e.global(x.Pos(), v)
}

// global reads a package variable that its package never assigns to.
func (e *evaluator) global(pos token.Pos, v *types.Var) *cell {
	if c := e.globals[v]; c != nil {
		return c
	}
	p := e.owner(v)
	if p == nil || !p.mine() {
		e.fail(pos, "variable %s lies outside this module; pass it as a parameter", v.Name())
	}
	init, fixed := p.constants()[v]
	switch {
	case !fixed:
		e.fail(pos, "package variable %s is assigned somewhere; make it a constant or a parameter", v.Name())
	case v.Exported() && v.Parent() == p.types.Scope():
		e.fail(pos, "package variable %s is exported, so that other packages may change it; make it a constant, a parameter or unexported", v.Name())
	case e.busy[v]:
		e.fail(pos, "package variable %s is initialised by itself", v.Name())
	}
	c := e.cell(nil)
	e.busy[v] = true
	outer := e.frame
	e.frame = &frame{pkg: p, vars: map[*types.Var]*cell{}, caller: outer, at: pos}
	if init == nil {
		c.v = e.zero(pos, v.Type())
	} else {
		c.v = e.clone(e.known(init))
	}
	e.frame = outer
	delete(e.busy, v)
	lock(c.v, "this writes to package variable "+v.Name()+"; use a local variable")
	c.born = 0
	e.globals[v] = c
	return c
}

// lock forbids to write what can be reached from a value by reference or by index.
func lock(v value, why string) {
	each := func(cells []*cell) {
		for _, c := range cells {
			if c.locked == "" {
				c.locked = why
				lock(c.v, why)
			}
		}
	}
	switch v := v.(type) {
	case composite:
		each(v)
	case slice:
		each(v)
	case pointer:
		each([]*cell{v.to})
	}
}

// unary applies - + ! ^ &.
func (e *evaluator) unary(x *ast.UnaryExpr) value {
	switch x.Op {
	case token.AND:
		if lit, ok := ast.Unparen(x.X).(*ast.CompositeLit); ok {
			return pointer{e.cell(e.eval(lit))}
		}
		return pointer{e.place(x.X)}
	case token.ARROW:
		e.fail(x.Pos(), "channels are not supported")
	}
	switch v := e.known(x.X).(type) {
	case number:
		if x.Op == token.ADD {
			return v
		}
		if v.v == nil {
			return number{c: -v.c}
		}
		return number{v: e.apply(x.OpPos, ir.OpNeg, nil, v.v)}
	case boolean:
		return v.negated()
	case integer:
		switch x.Op {
		case token.SUB:
			v = -v
		case token.XOR:
			v = ^v
		}
		return e.wrapped(x, v)
	}
	e.fail(x.Pos(), "operator %s on a value of type %s is not supported", x.Op, e.typeName(e.typeOf(x.X)))
	return nil
}

// binary applies an operator of two operands.
func (e *evaluator) binary(x *ast.BinaryExpr) value {
	if x.Op == token.LAND || x.Op == token.LOR {
		a := e.boolean(x.X)
		if a.v == nil && a.c == (x.Op == token.LOR) {
			return a
		}
		b := e.boolean(x.Y)
		if x.Op == token.LAND {
			return e.and(x.OpPos, a, b)
		}
		return e.and(x.OpPos, a.negated(), b.negated()).negated()
	}
	return e.operator(x.OpPos, x.Op, x.X, e.known(x.X), x.Y)
}

// operator applies an operator to x, which has the value a, and y.
func (e *evaluator) operator(pos token.Pos, op token.Token, x ast.Expr, a value, y ast.Expr) value {
	t := e.typeOf(x)
	if isNil, ok := t.(*types.Basic); ok && isNil.Kind() == types.UntypedNil {
		t = e.typeOf(y)
	}
	b := e.known(y)
	if op == token.SHL || op == token.SHR {
		n, okN := a.(integer)
		by, okBy := b.(integer)
		if !okN || !okBy {
			e.fail(pos, "a shift of a value of type %s is not supported", e.typeName(t))
		}
		return e.shift(pos, op, t, int64(n), int64(by), unsigned(e.typeOf(y)))
	}
	return e.operate(pos, op, t, a, b)
}

// operate applies an operator to values of type t.
func (e *evaluator) operate(pos token.Pos, op token.Token, t types.Type, a, b value) value {
	switch a := a.(type) {
	case number:
		if b, ok := b.(number); ok {
			if cond, comparison := e.compareNumbers(pos, op, a, b); comparison {
				return cond
			}
			return e.arithmetic(pos, op, a, b)
		}
	case integer:
		if b, ok := b.(integer); ok {
			return e.integers(pos, op, t, a, b)
		}
	case boolean:
		if b, ok := b.(boolean); ok {
			equal := e.sameTruth(pos, a, b)
			if op == token.NEQ {
				equal = equal.negated()
			}
			return equal
		}
	case text:
		if b, ok := b.(text); ok {
			return e.texts(pos, op, a, b)
		}
	case composite:
		if b, ok := b.(composite); ok && (op == token.EQL || op == token.NEQ) {
			equal := boolean{c: true}
			for i := range a {
				equal = e.and(pos, equal, e.operate(pos, token.EQL, elementType(t, i), a[i].v, b[i].v).(boolean))
			}
			if op == token.NEQ {
				equal = equal.negated()
			}
			return equal
		}
	}
	if op == token.EQL || op == token.NEQ { // pointers and nil
		_, nilA := a.(unset)
		_, nilB := b.(unset)
		p, isA := a.(pointer)
		q, isB := b.(pointer)
		return boolean{c: (nilA && nilB || isA && isB && p == q) == (op == token.EQL)}
	}
	e.fail(pos, "operator %s on values of type %s is not supported", op, e.typeName(t))
	return nil
}

func elementType(t types.Type, i int) types.Type {
	switch u := t.Underlying().(type) {
	case *types.Array:
		return u.Elem()
	case *types.Struct:
		return u.Field(i).Type()
	}
	return t
}

// sameTruth is a == b.
func (e *evaluator) sameTruth(pos token.Pos, a, b boolean) boolean {
	if a.v == nil {
		a, b = b, a
	}
	switch {
	case a.v == nil:
		return boolean{c: a.c == b.c}
	case b.v == nil && b.c:
		return a
	case b.v == nil:
		return a.negated()
	}
	return boolean{v: e.selected(pos, a, e.truth(pos, b), e.truth(pos, b.negated()))}
}

func (e *evaluator) texts(pos token.Pos, op token.Token, a, b text) value {
	switch op {
	case token.ADD:
		if len(a)+len(b) > e.l.limits.cells {
			e.fail(pos, "a text of more than %d bytes", e.l.limits.cells)
		}
		return a + b
	case token.EQL:
		return boolean{c: a == b}
	case token.NEQ:
		return boolean{c: a != b}
	case token.LSS:
		return boolean{c: a < b}
	case token.LEQ:
		return boolean{c: a <= b}
	case token.GTR:
		return boolean{c: a > b}
	}
	return boolean{c: a >= b}
}

// compareNumbers writes a comparison. It is false where an operand is NaN (true for !=), as in Go; of two infinities of
// one sign it takes none to be equal to the other.
func (e *evaluator) compareNumbers(pos token.Pos, op token.Token, a, b number) (cond boolean, comparison bool) {
	if a.v == nil && b.v == nil {
		x, y := a.c, b.c
		c, known := map[token.Token]bool{token.EQL: x == y, token.NEQ: x != y, token.LSS: x < y, token.LEQ: x <= y, token.GTR: x > y, token.GEQ: x >= y}[op]
		return boolean{c: c}, known
	}
	switch op {
	case token.GTR, token.GEQ:
		a, b = b, a
	case token.EQL, token.NEQ, token.LSS, token.LEQ:
	default:
		return boolean{}, false
	}
	d := e.node(e.arithmetic(pos, token.SUB, a, b))
	switch op {
	case token.EQL, token.NEQ:
		return boolean{v: d, not: op == token.EQL}, true
	}
	atZero := 1.0
	if op == token.LEQ || op == token.GEQ {
		atZero = 0
	}
	return boolean{v: e.apply(pos, ir.OpHeaviside, &ir.Attrs{AtZero: &atZero}, d), not: true}, true
}

// arithmetic writes + - * /. Sums with 0 and factors 1 cost no vertex; x·x is a square.
func (e *evaluator) arithmetic(pos token.Pos, op token.Token, a, b number) number {
	is := func(n number, c float64) bool { return n.v == nil && n.c == c }
	switch op {
	case token.ADD:
		switch {
		case a.v == nil && b.v == nil:
			return number{c: a.c + b.c}
		case is(a, 0):
			return b
		case is(b, 0):
			return a
		}
		return number{v: e.apply(pos, ir.OpAdd, nil, e.node(a), e.node(b))}
	case token.SUB:
		switch {
		case a.v == nil && b.v == nil:
			return number{c: a.c - b.c}
		case is(b, 0):
			return a
		case is(a, 0):
			return number{v: e.apply(pos, ir.OpNeg, nil, b.v)}
		}
		return number{v: e.apply(pos, ir.OpSub, nil, e.node(a), e.node(b))}
	case token.MUL:
		switch {
		case a.v == nil && b.v == nil:
			return number{c: a.c * b.c}
		case is(a, 1):
			return b
		case is(b, 1):
			return a
		case a.v == b.v:
			return number{v: e.apply(pos, ir.OpSquare, nil, a.v)}
		}
		return number{v: e.apply(pos, ir.OpMul, nil, e.node(a), e.node(b))}
	case token.QUO:
		switch {
		case a.v == nil && b.v == nil:
			return number{c: a.c / b.c}
		case is(b, 1):
			return a
		}
		return number{v: e.apply(pos, ir.OpDiv, nil, e.node(a), e.node(b))}
	}
	e.fail(pos, "operator %s on float64 is not supported", op)
	return number{}
}
