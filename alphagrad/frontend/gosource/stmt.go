package gosource

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// Statements are executed on the variables at once. Where a condition depends on the data, both branches are executed, one
// after the other from the same values, and every variable that they leave different becomes a select. A return, break or
// continue under such a condition is an exit: the values it leaves with are kept until its target is reached, where they
// are selected.

// An exit is a path that leaves for a target before the end of a block. Of the exits of an outcome the first whose
// condition holds is taken.
type exit struct {
	cond    boolean
	pos     token.Pos // of the statement that leaves
	target  *target
	again   bool // continue
	state   *state
	results []value
}

// An outcome is how a statement ends: by leaving through one of the exits or, if it falls, by reaching its end.
type outcome struct {
	falls bool
	exits []exit
}

var falls = outcome{falls: true}

// A target is what break, continue or return may leave: a loop, a switch or a call.
type target struct {
	label     string
	loop      bool
	journal   *journal // since the whole began
	iteration *journal // since the present iteration of a loop began
}

// block executes statements in turn.
func (e *evaluator) block(list []ast.Stmt) outcome {
	out := falls
	for _, s := range list {
		o := e.exec(s)
		out.exits = append(out.exits, o.exits...)
		if !o.falls {
			out.falls = false
			break
		}
	}
	return out
}

// exec executes one statement.
func (e *evaluator) exec(s ast.Stmt) outcome {
	e.step(s.Pos())
	switch s := s.(type) {
	case *ast.BlockStmt:
		return e.block(s.List)
	case *ast.ExprStmt:
		call, ok := ast.Unparen(s.X).(*ast.CallExpr)
		if !ok {
			e.fail(s.Pos(), "this statement is not supported")
		}
		e.call(call)
	case *ast.AssignStmt:
		e.assignment(s)
	case *ast.IncDecStmt:
		op := token.ADD
		if s.Tok == token.DEC {
			op = token.SUB
		}
		c := e.place(s.X)
		old, one := e.decided(s.X.Pos(), c.v), value(integer(1))
		if _, ok := old.(number); ok {
			one = number{c: 1}
		}
		e.assign(s.Pos(), c, e.operate(s.TokPos, op, e.typeOf(s.X), old, one))
	case *ast.DeclStmt:
		e.declaration(s.Decl)
	case *ast.ReturnStmt:
		return e.leave(s)
	case *ast.BranchStmt:
		return e.jump(s)
	case *ast.IfStmt:
		return e.ifElse(s)
	case *ast.SwitchStmt:
		return e.switchCases(s, "")
	case *ast.ForStmt:
		return e.forLoop(s, "")
	case *ast.RangeStmt:
		return e.rangeLoop(s, "")
	case *ast.LabeledStmt:
		switch inner := s.Stmt.(type) {
		case *ast.ForStmt:
			return e.forLoop(inner, s.Label.Name)
		case *ast.RangeStmt:
			return e.rangeLoop(inner, s.Label.Name)
		case *ast.SwitchStmt:
			return e.switchCases(inner, s.Label.Name)
		}
		return e.exec(s.Stmt)
	case *ast.EmptyStmt:
	default:
		what, instead := "this kind of statement", "write plain assignments, loops and calls"
		switch s.(type) {
		case *ast.GoStmt:
			what, instead = "go", "call the function directly"
		case *ast.DeferStmt:
			what, instead = "defer", "put the statement at the end"
		case *ast.SendStmt, *ast.SelectStmt:
			what = "channels and select"
		case *ast.TypeSwitchStmt:
			what, instead = "switch on a type", "use concrete types"
		}
		e.fail(s.Pos(), "%s: not supported; %s", what, instead)
	}
	return falls
}

// assignment executes = := and op=.
func (e *evaluator) assignment(s *ast.AssignStmt) {
	if s.Tok != token.ASSIGN && s.Tok != token.DEFINE {
		c := e.place(s.Lhs[0])
		op := s.Tok + token.ADD - token.ADD_ASSIGN
		old := e.decided(s.Lhs[0].Pos(), c.v)
		e.assign(s.Pos(), c, e.operator(s.TokPos, op, s.Lhs[0], old, s.Rhs[0]))
		return
	}
	places := make([]*cell, len(s.Lhs))
	fresh := make([]*types.Var, len(s.Lhs))
	for i, x := range s.Lhs {
		if id, ok := x.(*ast.Ident); ok {
			if id.Name == "_" {
				continue
			}
			if v, ok := e.frame.pkg.info.Defs[id].(*types.Var); ok && s.Tok == token.DEFINE {
				fresh[i] = v
				continue
			}
		}
		places[i] = e.place(x)
	}
	for i, v := range e.values(s.Rhs, len(s.Lhs)) {
		switch {
		case fresh[i] != nil:
			e.frame.vars[fresh[i]] = e.cell(v)
		case places[i] != nil:
			e.assign(s.Lhs[i].Pos(), places[i], v)
		}
	}
}

// values evaluates the right-hand side of an assignment to n variables.
func (e *evaluator) values(list []ast.Expr, n int) []value {
	if len(list) == 1 && n > 1 {
		call, ok := ast.Unparen(list[0]).(*ast.CallExpr)
		if !ok {
			e.fail(list[0].Pos(), "this form of assignment is not supported")
		}
		return e.call(call)
	}
	vs := make([]value, len(list))
	for i, x := range list {
		vs[i] = e.clone(e.eval(x))
	}
	return vs
}

// declaration executes var; constants and types are the checker's.
func (e *evaluator) declaration(d ast.Decl) {
	gen, ok := d.(*ast.GenDecl)
	if !ok || gen.Tok != token.VAR {
		return
	}
	for _, spec := range gen.Specs {
		spec := spec.(*ast.ValueSpec)
		var vs []value
		if len(spec.Values) > 0 {
			vs = e.values(spec.Values, len(spec.Names))
		}
		for i, name := range spec.Names {
			v, ok := e.frame.pkg.info.Defs[name].(*types.Var)
			switch {
			case !ok:
			case vs == nil:
				e.frame.vars[v] = e.cell(e.zero(name.Pos(), v.Type()))
			default:
				e.frame.vars[v] = e.cell(vs[i])
			}
		}
	}
}

// leave is return: named results are variables.
func (e *evaluator) leave(s *ast.ReturnStmt) outcome {
	f := e.frame
	x := exit{cond: boolean{c: true}, pos: s.Pos(), target: f.target}
	switch {
	case len(s.Results) > 0:
		x.results = e.values(s.Results, f.results.Len())
		for i := range f.results.Len() {
			if c := f.vars[f.results.At(i)]; c != nil { // an unnamed result has no variable
				e.assign(s.Pos(), c, x.results[i])
			}
		}
	default:
		for i := range f.results.Len() {
			x.results = append(x.results, e.clone(f.vars[f.results.At(i)].v))
		}
	}
	x.state = e.changed(f.target.journal)
	return outcome{exits: []exit{x}}
}

// jump is break or continue.
func (e *evaluator) jump(s *ast.BranchStmt) outcome {
	if s.Tok == token.GOTO || s.Tok == token.FALLTHROUGH {
		e.fail(s.Pos(), "%s is not supported; use if and for", s.Tok)
	}
	for i := len(e.frame.targets) - 1; i >= 0; i-- {
		t := e.frame.targets[i]
		if s.Label != nil && t.label != s.Label.Name || s.Label == nil && s.Tok == token.CONTINUE && !t.loop {
			continue
		}
		x := exit{cond: boolean{c: true}, pos: s.Pos(), target: t}
		if x.again = s.Tok == token.CONTINUE; x.again {
			x.state = e.changed(t.iteration)
		} else {
			x.state = e.changed(t.journal)
		}
		return outcome{exits: []exit{x}}
	}
	e.fail(s.Pos(), "%s has no target", s.Tok)
	return falls
}

// merge lets the exits that the predicate picks arrive here: the variables become what they were on the path taken. since
// is the journal that the states of the exits refer to. The other exits stay; results are those of the path taken.
func (e *evaluator) merge(o outcome, since *journal, arrives func(x *exit) bool) (out outcome, results []value) {
	var here []exit
	out.falls = o.falls
	for _, x := range o.exits {
		if arrives(&x) {
			here = append(here, x)
			continue
		}
		// Those that arrive here come first.
		for _, h := range here {
			x.cond = e.and(x.pos, h.cond.negated(), x.cond)
		}
		out.exits = append(out.exits, x)
	}
	if len(here) == 0 {
		return out, nil
	}
	now := e.changed(since)
	cells := slices.Clone(now.order)
	seen := map[*cell]bool{}
	for _, c := range cells {
		seen[c] = true
	}
	for _, x := range here {
		for _, c := range x.state.order {
			if !seen[c] {
				seen[c] = true
				cells = append(cells, c)
			}
		}
	}
	before := func(c *cell) value { // when since began
		for _, j := range e.journals[slices.Index(e.journals, since):] {
			if v, known := j.old[c]; known {
				return v
			}
		}
		return c.v
	}
	at := func(x *exit, c *cell) value {
		if v, known := x.state.values[c]; known {
			return v
		}
		return before(c)
	}
	rest := here
	if !o.falls { // the last one is taken if no other is
		rest = here[:len(here)-1]
		results = here[len(here)-1].results
	}
	merged := make([]value, len(cells))
	for k, c := range cells {
		merged[k] = c.v
		if !o.falls {
			merged[k] = at(&here[len(here)-1], c)
		}
		for i := len(rest) - 1; i >= 0; i-- {
			merged[k] = e.choose(rest[i].pos, rest[i].cond, at(&rest[i], c), merged[k])
		}
	}
	for i := len(rest) - 1; i >= 0; i-- {
		for r := range results {
			results[r] = e.choose(rest[i].pos, rest[i].cond, rest[i].results[r], results[r])
		}
	}
	for k, c := range cells {
		if !same(c.v, merged[k]) {
			e.write(c, merged[k])
		}
	}
	out.falls = true
	return out, results
}

// branch executes what a condition decides between.
func (e *evaluator) branch(pos token.Pos, cond boolean, then, otherwise func() outcome) outcome {
	if cond.v == nil {
		if cond.c {
			return then()
		}
		return otherwise()
	}
	run := func(f func() outcome, cond boolean) (outcome, *state) {
		j := e.push()
		o := f()
		after := e.changed(j)
		j.undo()
		e.pop()
		for i := range o.exits {
			o.exits[i].cond = e.and(o.exits[i].pos, cond, o.exits[i].cond)
		}
		return o, after
	}
	a, afterA := run(then, cond)
	b, afterB := run(otherwise, cond.negated())
	out := outcome{a.falls || b.falls, append(a.exits, b.exits...)}
	at := func(s *state, c *cell) value {
		if v, known := s.values[c]; known {
			return v
		}
		return c.v
	}
	switch {
	case a.falls && b.falls:
		both := newState()
		for _, c := range slices.Concat(afterA.order, afterB.order) {
			if _, done := both.values[c]; !done {
				both.set(c, e.choose(pos, cond, at(afterA, c), at(afterB, c)))
			}
		}
		e.restore(both)
	case a.falls:
		e.restore(afterA)
	case b.falls:
		e.restore(afterB)
	}
	return out
}

// restore sets variables to the values of a state.
func (e *evaluator) restore(s *state) {
	for _, c := range s.order {
		if !same(c.v, s.values[c]) {
			e.write(c, s.values[c])
		}
	}
}

func (e *evaluator) ifElse(s *ast.IfStmt) outcome {
	if s.Init != nil {
		e.exec(s.Init)
	}
	return e.branch(s.Pos(), e.boolean(s.Cond),
		func() outcome { return e.block(s.Body.List) },
		func() outcome {
			if s.Else == nil {
				return falls
			}
			return e.exec(s.Else)
		})
}

// within executes something that break may leave.
func (e *evaluator) within(t *target, f func() outcome) outcome {
	t.journal = e.push()
	e.frame.targets = append(e.frame.targets, t)
	o := f()
	e.frame.targets = e.frame.targets[:len(e.frame.targets)-1]
	o, _ = e.merge(o, t.journal, func(x *exit) bool { return x.target == t && !x.again })
	e.pop()
	return o
}

// switchCases is a chain of ifs.
func (e *evaluator) switchCases(s *ast.SwitchStmt, label string) outcome {
	if s.Init != nil {
		e.exec(s.Init)
	}
	var tag value
	if s.Tag != nil {
		tag = e.known(s.Tag)
	}
	var clauses, last []*ast.CaseClause
	for _, c := range s.Body.List {
		if c := c.(*ast.CaseClause); c.List == nil {
			last = append(last, c)
		} else {
			clauses = append(clauses, c)
		}
	}
	var from func(k int) outcome
	from = func(k int) outcome {
		if k == len(clauses) {
			if len(last) > 0 {
				return e.block(last[0].Body)
			}
			return falls
		}
		matches := boolean{}
		for _, x := range clauses[k].List {
			var m boolean
			if tag == nil {
				m = e.boolean(x)
			} else {
				m = e.operate(x.Pos(), token.EQL, e.typeOf(s.Tag), tag, e.known(x)).(boolean)
			}
			matches = e.and(x.Pos(), matches.negated(), m.negated()).negated()
			if matches.v == nil && matches.c {
				break
			}
		}
		return e.branch(clauses[k].Pos(), matches, func() outcome { return e.block(clauses[k].Body) }, func() outcome { return from(k + 1) })
	}
	return e.within(&target{label: label}, func() outcome { return from(0) })
}
