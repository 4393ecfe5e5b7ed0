package gosource

import (
	"go/ast"
	"go/token"
	"go/types"
)

// owner is the loaded package that an object belongs to.
func (e *evaluator) owner(obj types.Object) *pkg {
	if obj.Pkg() == nil {
		return nil
	}
	return e.l.bySelf[obj.Pkg()]
}

// constants are the package variables that nothing in the package assigns to and whose address nothing takes, with the
// expressions of their initial values (nil: none, zero).
func (p *pkg) constants() map[*types.Var]ast.Expr {
	if p.fixed != nil {
		return p.fixed
	}
	p.fixed = map[*types.Var]ast.Expr{}
	scope := p.types.Scope()
	for _, name := range scope.Names() {
		if v, ok := scope.Lookup(name).(*types.Var); ok {
			p.fixed[v] = nil
		}
	}
	for _, init := range p.info.InitOrder {
		for _, v := range init.Lhs {
			if len(init.Lhs) == 1 {
				p.fixed[v] = init.Rhs
			} else {
				delete(p.fixed, v) // f() with several results
			}
		}
	}
	// spoil strikes out the variable that an expression is a part of.
	var spoil func(x ast.Expr)
	spoil = func(x ast.Expr) {
		switch x := x.(type) {
		case *ast.ParenExpr:
			spoil(x.X)
		case *ast.IndexExpr:
			spoil(x.X)
		case *ast.StarExpr:
			spoil(x.X)
		case *ast.SliceExpr:
			spoil(x.X)
		case *ast.SelectorExpr:
			spoil(x.X)
			spoil(x.Sel)
		case *ast.Ident:
			if v, ok := p.info.Uses[x].(*types.Var); ok {
				delete(p.fixed, v)
			}
		}
	}
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, x := range n.Lhs {
					spoil(x)
				}
			case *ast.IncDecStmt:
				spoil(n.X)
			case *ast.RangeStmt:
				if n.Tok == token.ASSIGN {
					spoil(n.Key)
					spoil(n.Value)
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					spoil(n.X)
				}
			case *ast.SliceExpr:
				if t := p.info.TypeOf(n.X); t != nil {
					if _, array := t.Underlying().(*types.Array); array {
						spoil(n.X)
					}
				}
			case *ast.SelectorExpr: // a method that takes the address of its receiver
				if sel := p.info.Selections[n]; sel != nil && sel.Kind() == types.MethodVal {
					if recv := sel.Obj().(*types.Func).Signature().Recv(); recv != nil {
						if _, pointer := recv.Type().Underlying().(*types.Pointer); pointer {
							spoil(n.X)
						}
					}
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "copy" || id.Name == "clear") && len(n.Args) > 0 {
					spoil(n.Args[0])
				}
			}
			return true
		})
	}
	return p.fixed
}
