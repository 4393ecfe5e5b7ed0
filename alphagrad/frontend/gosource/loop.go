package gosource

import (
	"go/ast"
	"go/token"
	"go/types"
)

// iteration executes the body of a loop once.
func (e *evaluator) iteration(t *target, body *ast.BlockStmt) outcome {
	t.iteration = e.push()
	o := e.block(body.List)
	o, _ = e.merge(o, t.iteration, func(x *exit) bool { return x.target == t && x.again })
	e.pop()
	return o
}

// forLoop executes for init; condition; post.
func (e *evaluator) forLoop(s *ast.ForStmt, label string) outcome {
	var own []*types.Var // the loop's variables: new ones in every iteration
	if s.Init != nil {
		e.exec(s.Init)
		if def, ok := s.Init.(*ast.AssignStmt); ok && def.Tok == token.DEFINE {
			for _, x := range def.Lhs {
				if v, ok := e.frame.pkg.info.Defs[x.(*ast.Ident)].(*types.Var); ok {
					own = append(own, v)
				}
			}
		}
	}
	t := &target{label: label, loop: true}
	return e.within(t, func() outcome {
		out := falls
		for out.falls {
			e.step(s.Pos())
			if s.Cond != nil {
				cond := e.boolean(s.Cond)
				if cond.v != nil {
					e.fail(s.Cond.Pos(), "the loop's condition depends on the data; loop a constant number of times and break under the condition")
				}
				if !cond.c {
					break
				}
			}
			o := e.iteration(t, s.Body)
			out.exits = append(out.exits, o.exits...)
			if out.falls = o.falls; !out.falls {
				break
			}
			for _, v := range own {
				if c := e.frame.vars[v]; c != nil {
					e.frame.vars[v] = e.cell(c.v)
				}
			}
			if s.Post != nil {
				e.exec(s.Post)
			}
		}
		return out
	})
}

// rangeLoop executes for … range.
func (e *evaluator) rangeLoop(s *ast.RangeStmt, label string) outcome {
	var n int64
	var cells []*cell
	switch u := e.typeOf(s.X).Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsInteger == 0 {
			e.fail(s.X.Pos(), "range over a value of type %s is not supported", e.typeName(e.typeOf(s.X)))
		}
		n = e.integer(s.X)
	case *types.Array, *types.Slice, *types.Pointer:
		if _, isArray := u.(*types.Array); isArray && s.Value != nil {
			cells = e.clone(e.known(s.X)).(composite) // Go ranges over a copy
		} else {
			cells = e.cells(s.X)
		}
		n = int64(len(cells))
	default:
		e.fail(s.X.Pos(), "range over a value of type %s is not supported; use integers, arrays and slices", e.typeName(e.typeOf(s.X)))
	}
	set := func(x ast.Expr, v value) {
		if id, ok := x.(*ast.Ident); ok {
			if id.Name == "_" {
				return
			}
			if s.Tok == token.DEFINE {
				if d, ok := e.frame.pkg.info.Defs[id].(*types.Var); ok {
					e.frame.vars[d] = e.cell(e.clone(v))
				}
				return
			}
		}
		e.assign(x.Pos(), e.place(x), v)
	}
	t := &target{label: label, loop: true}
	return e.within(t, func() outcome {
		out := falls
		for i := int64(0); i < n && out.falls; i++ {
			e.step(s.Pos())
			if s.Key != nil {
				set(s.Key, integer(i))
			}
			if s.Value != nil {
				set(s.Value, cells[i].v)
			}
			o := e.iteration(t, s.Body)
			out.exits = append(out.exits, o.exits...)
			out.falls = o.falls
		}
		return out
	})
}
