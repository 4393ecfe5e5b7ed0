// Package gosource reads ordinary Go functions as programs ([Read]) and writes Go functions for their derivatives
// ([Function.Generate]).
//
// A function takes and returns float64 and arrays, slices and structs of float64. Its body is executed here, once, with
// everything known but the numbers: loops run their constant number of iterations, calls are followed, integers are
// computed, and every operation on a number that depends on a parameter becomes a node of the program, in the order of
// execution. A condition on data selects: both branches are executed, and what they leave different is chosen by the
// condition, derivatives included. What has no such reading is an error with its position and what to write instead.
//
// Differences to running the function: constants are folded as float64; sums with 0 and factors 1 vanish; of two equal
// infinities none compares equal to the other.
package gosource

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Function is an ordinary Go function with its program. The inputs of the program are the numbers in the parameters, the
// outputs those in the results: elements in row-major order, fields in order of declaration.
type Function struct {
	Name    string // "Flux", or "State.Flux" for a method
	Program *ir.Program
	Params  []Variable // the receiver of a method is the first
	Results []Variable

	l   *loader
	pkg *pkg
}

// Variable is a parameter or a result.
type Variable struct {
	Name   string // as in the source; made up where there is none
	Type   types.Type
	Layout *Layout
}

// Layout says where the numbers of a variable are.
type Layout struct {
	Fields []string  // of a struct, nil otherwise
	Elems  []*Layout // of a struct, an array or a slice

	number, slice, pointer bool
}

// Options are what the source does not say.
type Options struct {
	Lengths map[string]int // of parameters and results that are slices, by name
}

// Read reads a function of the package that a file belongs to. name is that of a function declared in this file, or
// Type.Method. Errors name file, line and column.
func Read(file, name string, o Options) (*Function, error) {
	file = filepath.Clean(file)
	l := newLoader()
	p, err := l.source(file)
	if err != nil {
		return nil, err
	}
	return l.read(p, file, name, o)
}

// read traces one function of a loaded package.
func (l *loader) read(p *pkg, file, name string, o Options) (f *Function, err error) {
	fn, err := l.lookup(p, file, name)
	if err != nil {
		return nil, err
	}
	e := &evaluator{l: l, globals: map[*types.Var]*cell{}, busy: map[*types.Var]bool{}, at: p.decls[fn].Pos()}
	defer func() {
		if r := recover(); r != nil {
			mistake, ours := r.(failed)
			if !ours {
				panic(r)
			}
			f, err = nil, mistake.error
		}
	}()
	f = &Function{Name: name, l: l, pkg: p}
	err = e.trace(f, fn, maps.Clone(o.Lengths))
	return f, err
}

// lookup finds a function that a file declares.
func (l *loader) lookup(p *pkg, file, name string) (*types.Func, error) {
	var known []string
	for fn, d := range p.decls {
		if l.fset.Position(d.Pos()).Filename != file && file != "" {
			continue
		}
		full := fullName(fn)
		if full == name {
			return fn, nil
		}
		known = append(known, full)
	}
	slices.Sort(known)
	if len(known) == 0 {
		return nil, fmt.Errorf("%s declares no function", file)
	}
	return nil, fmt.Errorf("%s declares no function %q%s; it declares %s", file, name, ir.Suggest(name, known), strings.Join(known, ", "))
}

// fullName is Name or Type.Name.
func fullName(fn *types.Func) string {
	recv := fn.Signature().Recv()
	if recv == nil {
		return fn.Name()
	}
	t := recv.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return n.Obj().Name() + "." + fn.Name()
	}
	return fn.Name()
}

// baseName is what the names of generated functions begin with.
func baseName(fn *types.Func) string { return strings.ReplaceAll(fullName(fn), ".", "") }

// An evaluator executes a function on unknown numbers.
type evaluator struct {
	l        *loader
	b        *ir.Builder
	frame    *frame
	journals []*journal
	clock    int // advances with every journal
	steps    int
	nodes    int
	made     int       // variables
	at       token.Pos // the last statement or expression begun
	globals  map[*types.Var]*cell
	busy     map[*types.Var]bool // package variables whose initial value is being evaluated
}

// A frame is a call.
type frame struct {
	pkg     *pkg
	fn      *types.Func
	vars    map[*types.Var]*cell
	results *types.Tuple
	target  *target
	targets []*target // loops and switches around the present statement
	caller  *frame
	at      token.Pos // of the call
}

// failed carries an error to the package's boundary.
type failed struct{ error }

// fail ends the reading with an error at a position; inside a called function it says where the call is.
func (e *evaluator) fail(pos token.Pos, format string, args ...any) {
	text := fmt.Sprintf("%s: %s", e.position(pos), fmt.Sprintf(format, args...))
	if f := e.frame; f != nil && f.caller != nil && f.fn != nil {
		text += fmt.Sprintf(" (%s is called at %s)", f.fn.Name(), e.position(f.at))
	}
	panic(failed{errors.New(text)})
}

func (e *evaluator) position(pos token.Pos) token.Position { return e.l.fset.Position(pos) }

func (e *evaluator) typeName(t types.Type) string {
	if e.frame == nil {
		return t.String()
	}
	return types.TypeString(t, types.RelativeTo(e.frame.pkg.types))
}

func (e *evaluator) step(pos token.Pos) {
	e.at = pos
	if e.steps++; e.steps > e.l.limits.steps {
		e.fail(pos, "not at an end after %d steps; loops must be bounded by constants", e.l.limits.steps)
	}
}

// apply records one operation.
func (e *evaluator) apply(pos token.Pos, op *ir.OpInfo, attrs *ir.Attrs, args ...*ir.Value) *ir.Value {
	if e.nodes++; e.nodes > e.l.limits.nodes {
		e.fail(pos, "not at an end after %d operations; loops must be bounded by constants", e.l.limits.nodes)
	}
	return ir.Apply(op, attrs, args...)
}

// trace executes the function and fills in its program.
func (e *evaluator) trace(f *Function, fn *types.Func, lengths map[string]int) error {
	sig, decl := fn.Signature(), f.pkg.decls[fn]
	e.frame = &frame{pkg: f.pkg}
	switch {
	case sig.TypeParams().Len() > 0 || sig.RecvTypeParams().Len() > 0:
		e.fail(decl.Pos(), "generic functions are not supported; write one for float64")
	case decl.Body == nil:
		e.fail(decl.Pos(), "%s has no body in Go", f.Name)
	case sig.Results().Len() == 0:
		e.fail(decl.Pos(), "%s returns nothing, so that there is nothing to differentiate; return the results", f.Name)
	}
	if lengths == nil {
		lengths = map[string]int{}
	}
	directives(decl, lengths)
	e.b = ir.NewBuilder(f.Name)
	call := &frame{pkg: f.pkg, fn: fn, vars: map[*types.Var]*cell{}, results: sig.Results()}
	var params []*types.Var
	if sig.Recv() != nil {
		params = append(params, sig.Recv())
	}
	for i := range sig.Params().Len() {
		params = append(params, sig.Params().At(i))
	}
	if sig.Variadic() {
		e.fail(decl.Pos(), "a variable number of parameters is not supported; use an array or a slice")
	}
	taken := map[string]bool{}
	size := 0
	for i, v := range params {
		name := v.Name()
		if name == "" || name == "_" || taken[name] {
			name = fmt.Sprintf("x%d", i+1)
		}
		taken[name] = true
		p := Variable{Name: name, Type: v.Type()}
		c := e.cell(nil)
		p.Layout, c.v = e.input(v.Pos(), name, "", v.Type(), lengths)
		why := "this writes to parameter " + name + ", which the caller sees; copy it and return the results"
		switch v := c.v.(type) {
		case pointer, slice:
			lock(v, why)
		}
		call.vars[v] = c
		f.Params = append(f.Params, p)
		size += p.Layout.Size()
	}
	if size == 0 {
		e.fail(decl.Pos(), "%s has no parameters of numbers, so that there is nothing to differentiate by", f.Name)
	}
	e.at = decl.Pos()
	values := e.run(call, decl.Body)
	e.frame = call
	names := map[string]bool{}
	for i, v := range values {
		r := sig.Results().At(i)
		name := r.Name()
		if name == "" || name == "_" || names[name] {
			name = "y"
			if len(values) > 1 {
				name = fmt.Sprintf("y%d", i+1)
			}
		}
		names[name] = true
		f.Results = append(f.Results, Variable{Name: name, Type: r.Type(), Layout: e.output(decl.Pos(), name, "", r.Type(), v)})
	}
	p, err := e.b.Build()
	if err != nil {
		return fmt.Errorf("%s: %w", e.position(decl.Pos()), err)
	}
	f.Program, err = ir.DCE(p)
	return err
}

// directives reads the lengths of slices from comments //alphagrad:len x=4; those that are set already stay.
func directives(d *ast.FuncDecl, lengths map[string]int) {
	if d.Doc == nil {
		return
	}
	for _, c := range d.Doc.List {
		if list, ok := strings.CutPrefix(c.Text, "//alphagrad:len "); ok {
			for _, item := range strings.Fields(list) {
				name, n, _ := strings.Cut(item, "=")
				length := 0
				if _, set := lengths[name]; !set {
					fmt.Sscan(n, &length)
					lengths[name] = length
				}
			}
		}
	}
}
