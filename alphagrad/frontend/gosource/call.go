package gosource

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// call evaluates a call, conversions included, and returns its results.
func (e *evaluator) call(x *ast.CallExpr) []value {
	fun := ast.Unparen(x.Fun)
	if tv := e.frame.pkg.info.Types[fun]; tv.IsType() {
		return []value{e.convert(x)}
	}
	var id *ast.Ident
	var receiver ast.Expr
	switch f := fun.(type) {
	case *ast.Ident:
		id = f
	case *ast.SelectorExpr:
		id = f.Sel
		if sel, ok := e.frame.pkg.info.Selections[f]; ok {
			if sel.Kind() != types.MethodVal || types.IsInterface(sel.Recv()) {
				e.fail(x.Pos(), "this kind of call is not supported; call functions and methods of concrete types by name")
			}
			receiver = f.X
		}
	case *ast.IndexExpr, *ast.IndexListExpr:
		e.fail(x.Pos(), "generic functions are not supported; write one for float64")
	case *ast.FuncLit:
		e.fail(x.Pos(), "function literals are not supported; declare a function")
	}
	if id == nil {
		e.fail(x.Pos(), "this kind of call is not supported; call functions by name")
	}
	switch obj := e.frame.pkg.info.Uses[id].(type) {
	case *types.Builtin:
		return e.builtin(x, obj.Name())
	case *types.Func:
		if receiver == nil && obj.Pkg() != nil && obj.Pkg().Path() == "math" {
			return e.math(x, obj.Name())
		}
		return e.function(x, fun, obj, receiver)
	case *types.Var:
		e.fail(x.Pos(), "functions as values are not supported; call declared functions by name")
	}
	e.fail(x.Pos(), "%s does not type-check; generate the code that it needs first", id.Name)
	return nil
}

// convert is T(x).
func (e *evaluator) convert(x *ast.CallExpr) value {
	to := e.typeOf(x)
	v := e.known(x.Args[0])
	b, basic := to.Underlying().(*types.Basic)
	switch v := v.(type) {
	case integer:
		switch {
		case basic && b.Kind() == types.Float64:
			if unsigned(e.typeOf(x.Args[0])) {
				return number{c: float64(uint64(v))}
			}
			return number{c: float64(v)}
		case basic && b.Info()&types.IsInteger != 0:
			return wrap(to, v)
		}
	case number:
		switch {
		case basic && b.Kind() == types.Float64:
			return v
		case basic && b.Info()&types.IsInteger != 0 && v.v == nil:
			return wrap(to, integer(v.c))
		case basic && b.Info()&types.IsInteger != 0:
			e.fail(x.Pos(), "a number that depends on the data becomes an integer; integers must be known")
		}
	default:
		from := e.typeOf(x.Args[0]).Underlying()
		_, pointers := from.(*types.Pointer)
		if pointers || types.IdenticalIgnoreTags(from, to.Underlying()) {
			return v
		}
	}
	e.fail(x.Pos(), "the conversion from %s to %s is not supported", e.typeName(e.typeOf(x.Args[0])), e.typeName(to))
	return nil
}

// function reads the body of a called function in its place.
func (e *evaluator) function(x *ast.CallExpr, fun ast.Expr, fn *types.Func, receiver ast.Expr) []value {
	sig := fn.Signature()
	p := e.l.bySelf[fn.Pkg()]
	switch {
	case sig.TypeParams().Len() > 0 || sig.RecvTypeParams().Len() > 0:
		e.fail(x.Pos(), "generic functions are not supported; write one for float64")
	case p == nil || !p.mine():
		e.fail(x.Pos(), "%s lies outside this module; only functions of the module and of package math can be called", fn.FullName())
	case p.decls[fn] == nil || p.decls[fn].Body == nil:
		e.fail(x.Pos(), "%s has no body in Go", fn.Name())
	}
	for f := e.frame; f != nil; f = f.caller {
		if f.fn == fn {
			e.fail(x.Pos(), "recursion: %s calls itself; write a loop with a constant number of iterations", fn.Name())
		}
	}
	in := &frame{pkg: p, fn: fn, vars: map[*types.Var]*cell{}, results: sig.Results(), caller: e.frame, at: x.Pos()}
	if receiver != nil {
		in.vars[sig.Recv()] = e.cell(e.receiver(fun.(*ast.SelectorExpr), sig.Recv().Type()))
	}
	for i, v := range e.arguments(x, sig) {
		in.vars[sig.Params().At(i)] = e.cell(v)
	}
	return e.run(in, p.decls[fn].Body)
}

// run executes the body of a function.
func (e *evaluator) run(f *frame, body *ast.BlockStmt) []value {
	outer := e.frame
	e.frame = f
	for i := range f.results.Len() {
		if r := f.results.At(i); r.Name() != "" {
			f.vars[r] = e.cell(e.zero(r.Pos(), r.Type()))
		}
	}
	f.target = &target{journal: e.push()}
	o := e.block(body.List)
	_, results := e.merge(o, f.target.journal, func(x *exit) bool { return x.target == f.target })
	e.pop()
	if len(results) < f.results.Len() {
		e.fail(body.Pos(), "the function ends without returning")
	}
	e.frame = outer
	return results
}

// receiver is the value of a method's receiver, its address taken or followed as the method wants.
func (e *evaluator) receiver(f *ast.SelectorExpr, want types.Type) value {
	path := e.frame.pkg.info.Selections[f].Index()
	path = path[:len(path)-1] // the last is the method
	_, byPointer := want.Underlying().(*types.Pointer)
	v := e.known(f.X)
	var at *cell
	if len(path) > 0 {
		at = e.follow(f, v, path)
		v = at.v
	}
	p, isPointer := v.(pointer)
	switch {
	case byPointer && !isPointer:
		if at == nil {
			at = e.place(f.X)
		}
		return pointer{at}
	case !byPointer && isPointer:
		return e.clone(p.to.v)
	}
	return e.clone(v)
}

// arguments are the values of the parameters.
func (e *evaluator) arguments(x *ast.CallExpr, sig *types.Signature) []value {
	n := sig.Params().Len()
	var vs []value
	if call, ok := firstCall(x); ok && n > 1 {
		vs = e.call(call)
	} else {
		vs = e.values(x.Args, 1)
	}
	if sig.Variadic() && !x.Ellipsis.IsValid() {
		var rest slice
		for _, v := range vs[n-1:] {
			rest = append(rest, e.cell(v))
		}
		vs = append(vs[:n-1:n-1], rest)
	}
	return vs
}

// firstCall is the call g() of f(g()).
func firstCall(x *ast.CallExpr) (*ast.CallExpr, bool) {
	if len(x.Args) != 1 {
		return nil, false
	}
	call, ok := ast.Unparen(x.Args[0]).(*ast.CallExpr)
	return call, ok
}

// builtin evaluates a call of a predeclared function.
func (e *evaluator) builtin(x *ast.CallExpr, name string) []value {
	switch name {
	case "len", "cap":
		v := e.known(x.Args[0])
		if s, ok := v.(text); ok {
			return []value{integer(len(s))}
		}
		cells := e.cellsOf(x.Args[0], v)
		if name == "cap" {
			return []value{integer(cap(cells))}
		}
		return []value{integer(len(cells))}
	case "min", "max":
		v := e.known(x.Args[0])
		for _, y := range x.Args[1:] {
			v = e.extreme(x, name, v, e.known(y))
		}
		return []value{v}
	case "make":
		t, ok := e.typeOf(x).Underlying().(*types.Slice)
		if !ok {
			e.fail(x.Pos(), "make of a %s is not supported; use arrays and slices", e.typeName(e.typeOf(x)))
		}
		n := e.integer(x.Args[1])
		size := n
		if len(x.Args) > 2 {
			size = e.integer(x.Args[2])
		}
		if n < 0 || size < n || size > int64(e.l.limits.cells) {
			e.fail(x.Pos(), "a slice of length %d and capacity %d; at most %d", n, size, e.l.limits.cells)
		}
		return []value{slice(e.elements(x.Pos(), int(size), t.Elem())[:n])}
	case "new":
		if tv := e.frame.pkg.info.Types[x.Args[0]]; !tv.IsType() {
			return []value{pointer{e.cell(e.clone(e.known(x.Args[0])))}}
		}
		return []value{pointer{e.cell(e.zero(x.Pos(), e.typeOf(x.Args[0])))}}
	case "copy":
		to, from := e.cells(x.Args[0]), e.cells(x.Args[1])
		n := min(len(to), len(from))
		vs := make([]value, n)
		for i := range n {
			vs[i] = e.clone(from[i].v)
		}
		for i := range n {
			e.assign(x.Pos(), to[i], vs[i])
		}
		return []value{integer(n)}
	case "clear":
		if t, ok := e.typeOf(x.Args[0]).Underlying().(*types.Slice); ok {
			for _, c := range e.cells(x.Args[0]) {
				e.assign(x.Pos(), c, e.zero(x.Pos(), t.Elem()))
			}
			return nil
		}
	case "append":
		e.fail(x.Pos(), "append is not supported; make the slice at its full length and assign its elements")
	case "panic":
		e.fail(x.Pos(), "panic is reached, or would be for some data; check arguments before the call instead")
	}
	e.fail(x.Pos(), "%s is not supported", name)
	return nil
}

// extreme is min or max of two values.
func (e *evaluator) extreme(x *ast.CallExpr, name string, a, b value) value {
	op := ir.OpMin
	if name == "max" {
		op = ir.OpMax
	}
	switch a := a.(type) {
	case number:
		if b, ok := b.(number); ok {
			return e.elementary(x.Pos(), op, a, b)
		}
	case integer:
		if b, ok := b.(integer); ok {
			less := e.integers(x.Pos(), token.LSS, e.typeOf(x), a, b).(boolean).c
			if less == (name == "min") {
				return a
			}
			return b
		}
	}
	e.fail(x.Pos(), "%s of values of type %s is not supported", name, e.typeName(e.typeOf(x)))
	return nil
}
