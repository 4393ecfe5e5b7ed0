package gosource

import (
	"go/ast"
	"go/token"
	"go/types"
)

// place finds the variable that an expression denotes.
func (e *evaluator) place(x ast.Expr) *cell {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return e.place(x.X)
	case *ast.Ident:
		return e.variable(x)
	case *ast.SelectorExpr:
		return e.field(x)
	case *ast.IndexExpr:
		return e.element(x)
	case *ast.StarExpr:
		return e.pointee(x.X, x.Pos())
	}
	e.fail(x.Pos(), "this kind of variable (%T) is not supported", x)
	return nil
}

// pointee is the variable that a pointer points to.
func (e *evaluator) pointee(x ast.Expr, pos token.Pos) *cell {
	p, ok := e.known(x).(pointer)
	if !ok {
		e.fail(pos, "a nil pointer is followed")
	}
	return p.to
}

// cells are the elements of an array, of what a pointer to an array points to, or of a slice.
func (e *evaluator) cells(x ast.Expr) []*cell {
	return e.cellsOf(x, e.known(x))
}

func (e *evaluator) cellsOf(x ast.Expr, v value) []*cell {
	switch v := v.(type) {
	case composite:
		return v
	case slice:
		return v
	case pointer:
		if c, ok := v.to.v.(composite); ok {
			return c
		}
	case unset:
		if _, isSlice := e.typeOf(x).Underlying().(*types.Slice); isSlice {
			return nil
		}
		e.fail(x.Pos(), "a nil pointer is followed")
	}
	e.fail(x.Pos(), "a value of type %s is not supported here; use arrays and slices of float64", e.typeName(e.typeOf(x)))
	return nil
}

// element is the variable x[i].
func (e *evaluator) element(x *ast.IndexExpr) *cell {
	switch e.typeOf(x.X).Underlying().(type) {
	case *types.Map:
		e.fail(x.Pos(), "maps are not supported; use an array or a struct")
	case *types.Basic:
		e.fail(x.Pos(), "bytes of a string are not supported")
	case *types.Signature:
		e.fail(x.Pos(), "generic functions are not supported; write one for float64")
	}
	cells := e.cells(x.X)
	i := e.integer(x.Index)
	if i < 0 || i >= int64(len(cells)) {
		e.fail(x.Index.Pos(), "index %d is out of range: there are %d elements", i, len(cells))
	}
	return cells[i]
}

// field is the variable x.f, promoted fields included, or a package variable.
func (e *evaluator) field(x *ast.SelectorExpr) *cell {
	sel, ok := e.frame.pkg.info.Selections[x]
	if !ok {
		return e.variable(x.Sel)
	}
	if sel.Kind() != types.FieldVal {
		e.fail(x.Pos(), "methods as values are not supported; call %s directly", x.Sel.Name)
	}
	return e.follow(x, e.known(x.X), sel.Index())
}

// follow walks a path of fields from a struct or a pointer to one.
func (e *evaluator) follow(x *ast.SelectorExpr, v value, path []int) *cell {
	var at *cell
	for _, i := range path {
		if p, ok := v.(pointer); ok {
			v = p.to.v
		}
		c, ok := v.(composite)
		if !ok || i >= len(c) {
			e.fail(x.Pos(), "%s is read from %s", x.Sel.Name, describe(v))
		}
		at = c[i]
		v = at.v
	}
	return at
}

// sliced is x[low:high:max].
func (e *evaluator) sliced(x *ast.SliceExpr) value {
	if b, ok := e.typeOf(x.X).Underlying().(*types.Basic); ok {
		e.fail(x.Pos(), "slices of a %s are not supported", b.Name())
	}
	v := e.known(x.X)
	cells := e.cellsOf(x.X, v)
	bound := func(x ast.Expr, otherwise int) int {
		if x == nil {
			return otherwise
		}
		n := e.integer(x)
		if n < 0 || n > int64(cap(cells)) {
			e.fail(x.Pos(), "slice bound %d is out of range: there are %d elements", n, cap(cells))
		}
		return int(n)
	}
	low, high := bound(x.Low, 0), bound(x.High, len(cells))
	top := bound(x.Max, cap(cells))
	if low > high || high > top {
		e.fail(x.Pos(), "slice bounds %d, %d, %d are out of order", low, high, top)
	}
	return slice(cells[low:high:top])
}

// composite is the value of a composite literal.
func (e *evaluator) composite(x *ast.CompositeLit) value {
	t := e.typeOf(x)
	if p, ok := t.Underlying().(*types.Pointer); ok { // an element of []*T{{…}}
		return pointer{e.cell(e.filled(x, p.Elem()))}
	}
	return e.filled(x, t)
}

func (e *evaluator) filled(x *ast.CompositeLit, t types.Type) value {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		c := e.zero(x.Pos(), t).(composite)
		for i, elt := range x.Elts {
			if kv, ok := elt.(*ast.KeyValueExpr); ok {
				for j := range u.NumFields() {
					if u.Field(j).Name() == kv.Key.(*ast.Ident).Name {
						i = j
					}
				}
				elt = kv.Value
			}
			c[i].v = e.clone(e.eval(elt))
		}
		return c
	case *types.Array:
		c := e.zero(x.Pos(), t).(composite)
		e.fill(x, c)
		return c
	case *types.Slice:
		c := e.elements(x.Pos(), e.extent(x), u.Elem())
		e.fill(x, c)
		return slice(c)
	case *types.Map:
		e.fail(x.Pos(), "maps are not supported; use an array or a struct")
	}
	e.fail(x.Pos(), "a literal of type %s is not supported", e.typeName(t))
	return nil
}

// extent is how many elements a slice literal has.
func (e *evaluator) extent(x *ast.CompositeLit) int {
	n, at := int64(0), int64(0)
	for _, elt := range x.Elts {
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			at = e.integer(kv.Key)
		}
		at++
		n = max(n, at)
	}
	if n > int64(e.l.limits.cells) {
		e.fail(x.Pos(), "a slice of %d elements; at most %d", n, e.l.limits.cells)
	}
	return int(n)
}

func (e *evaluator) fill(x *ast.CompositeLit, c []*cell) {
	at := 0
	for _, elt := range x.Elts {
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			at, elt = int(e.integer(kv.Key)), kv.Value
		}
		c[at].v = e.clone(e.eval(elt))
		at++
	}
}
