package gosource

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A value is what an expression has while a function is read: a number that depends on inputs, or anything that is known.
type value interface{}

type (
	// number is a float64: a node of the program, or the constant c where v is nil.
	number struct {
		v *ir.Value
		c float64
	}
	// integer holds the bits of an integer; its Go type says how to read them. Integers are always known.
	integer int64
	// boolean is a truth value: the constant c where v is nil, otherwise (v != 0) != not. A comparison is written so that it
	// is false where an operand is NaN, since a select takes NaN for true.
	boolean struct {
		v      *ir.Value
		not, c bool
	}
	text string
	// composite is an array or a struct: a variable for each element or field.
	composite []*cell
	// slice shares the variables of its elements with what it was cut from.
	slice []*cell
	// pointer points to a variable.
	pointer struct{ to *cell }
	// undecided stands for what is no number and would differ with the data: it may be held, but not used.
	undecided struct{ branch token.Pos }
	// unset is nil.
	unset struct{}
)

// A cell is a variable. A composite stays where it is and its elements are assigned.
type cell struct {
	v      value
	born   int    // when, in journals begun
	locked string // why it may not be written, "" when it may
}

// A journal remembers the values that variables had before they were written.
type journal struct {
	start int
	old   map[*cell]value
	order []*cell
}

// state is the values of variables at some point.
type state struct {
	values map[*cell]value
	order  []*cell
}

func (s *state) set(c *cell, v value) {
	if _, known := s.values[c]; !known {
		s.order = append(s.order, c)
	}
	s.values[c] = v
}

func newState() *state { return &state{values: map[*cell]value{}} }

// push begins a journal: from here on writes can be undone.
func (e *evaluator) push() *journal {
	e.clock++
	j := &journal{start: e.clock, old: map[*cell]value{}}
	e.journals = append(e.journals, j)
	return j
}

// pop ends the innermost journal; what it remembers goes to the one around it.
func (e *evaluator) pop() {
	j := e.journals[len(e.journals)-1]
	e.journals = e.journals[:len(e.journals)-1]
	if len(e.journals) == 0 {
		return
	}
	for _, c := range j.order {
		e.journals[len(e.journals)-1].remember(c, j.old[c])
	}
}

func (j *journal) remember(c *cell, old value) {
	if _, known := j.old[c]; !known && c.born < j.start {
		j.old[c] = old
		j.order = append(j.order, c)
	}
}

// undo gives the variables the values they had when the journal began.
func (j *journal) undo() {
	for _, c := range j.order {
		c.v = j.old[c]
	}
}

// changed is the present value of every variable written since a journal began.
func (e *evaluator) changed(since *journal) *state {
	s := newState()
	for i := len(e.journals) - 1; i >= 0; i-- {
		for _, c := range e.journals[i].order {
			if c.born < since.start {
				s.set(c, c.v)
			}
		}
		if e.journals[i] == since {
			break
		}
	}
	return s
}

// write sets a variable that holds no composite.
func (e *evaluator) write(c *cell, v value) {
	if n := len(e.journals); n > 0 {
		e.journals[n-1].remember(c, c.v)
	}
	c.v = v
}

// assign sets a variable; elements of composites one by one, since slices and pointers may share them.
func (e *evaluator) assign(pos token.Pos, c *cell, v value) {
	if from, ok := v.(composite); ok {
		to := c.v.(composite)
		for i := range to {
			e.assign(pos, to[i], from[i].v)
		}
		return
	}
	if c.locked != "" {
		e.fail(pos, "%s", c.locked)
	}
	e.write(c, v)
}

// cell makes a variable.
func (e *evaluator) cell(v value) *cell {
	if e.made++; e.made > e.l.limits.cells {
		e.fail(e.at, "the function has more than %d variables and array elements", e.l.limits.cells)
	}
	return &cell{v: v, born: e.clock}
}

// clone copies composites, as assignment does in Go.
func (e *evaluator) clone(v value) value {
	from, ok := v.(composite)
	if !ok {
		return v
	}
	to := make(composite, len(from))
	for i := range from {
		to[i] = e.cell(e.clone(from[i].v))
	}
	return to
}

// zero is the zero value of a type.
func (e *evaluator) zero(pos token.Pos, t types.Type) value {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch info := u.Info(); {
		case u.Kind() == types.Float64 || u.Kind() == types.UntypedFloat:
			return number{}
		case info&types.IsInteger != 0:
			return integer(0)
		case info&types.IsBoolean != 0:
			return boolean{}
		case info&types.IsString != 0:
			return text("")
		}
	case *types.Array:
		if u.Len() > int64(e.l.limits.cells) {
			e.fail(pos, "an array of %d elements; at most %d", u.Len(), e.l.limits.cells)
		}
		return composite(e.elements(pos, int(u.Len()), u.Elem()))
	case *types.Struct:
		c := make(composite, u.NumFields())
		for i := range c {
			c[i] = e.cell(e.zero(pos, u.Field(i).Type()))
		}
		return c
	case *types.Slice, *types.Pointer:
		return unset{}
	}
	e.fail(pos, "a value of type %s is not supported; use float64, integers, bool, and arrays, slices and structs of these", e.typeName(t))
	return nil
}

// elements makes n variables of a type.
func (e *evaluator) elements(pos token.Pos, n int, t types.Type) []*cell {
	cells := make([]*cell, n)
	for i := range cells {
		cells[i] = e.cell(e.zero(pos, t))
	}
	return cells
}

// literal is the value of a constant expression.
func (e *evaluator) literal(pos token.Pos, t types.Type, c constant.Value) value {
	b, ok := t.Underlying().(*types.Basic)
	if !ok {
		e.fail(pos, "a constant of type %s is not supported", e.typeName(t))
	}
	switch info := b.Info(); {
	case b.Kind() == types.Float64 || b.Kind() == types.UntypedFloat:
		x, _ := constant.Float64Val(constant.ToFloat(c))
		return number{c: x}
	case info&types.IsInteger != 0:
		i := constant.ToInt(c)
		if n, exact := constant.Int64Val(i); exact {
			return integer(n)
		}
		n, _ := constant.Uint64Val(i)
		return integer(n)
	case info&types.IsBoolean != 0:
		return boolean{c: constant.BoolVal(c)}
	case info&types.IsString != 0:
		return text(constant.StringVal(c))
	}
	e.fail(pos, "a constant of type %s is not supported; numbers are float64", e.typeName(t))
	return nil
}

// node is the number as a node of the program.
func (e *evaluator) node(x number) *ir.Value {
	if x.v != nil {
		return x.v
	}
	return ir.Const(e.b, x.c)
}

// same reports whether two values are equal whatever the inputs are.
func same(a, b value) bool {
	switch a := a.(type) {
	case number:
		b, ok := b.(number)
		return ok && a.v == b.v && (a.v != nil || bits(a.c) == bits(b.c))
	case slice:
		b, ok := b.(slice)
		return ok && len(a) == len(b) && cap(a) == cap(b) && (cap(a) == 0 || &a[:1][0] == &b[:1][0])
	case composite:
		return false
	}
	switch b.(type) {
	case slice, composite:
		return false
	}
	return a == b
}

// choose is a where the condition holds, otherwise b.
func (e *evaluator) choose(pos token.Pos, cond boolean, a, b value) value {
	if cond.v == nil {
		if cond.c {
			return a
		}
		return b
	}
	if same(a, b) {
		return a
	}
	switch a := a.(type) {
	case number:
		if b, ok := b.(number); ok {
			return number{v: e.selected(pos, cond, e.node(a), e.node(b))}
		}
	case boolean:
		if b, ok := b.(boolean); ok {
			return boolean{v: e.selected(pos, cond, e.truth(pos, a), e.truth(pos, b))}
		}
	case composite:
		if b, ok := b.(composite); ok && len(a) == len(b) {
			c := make(composite, len(a))
			for i := range c {
				c[i] = e.cell(e.choose(pos, cond, a[i].v, b[i].v))
			}
			return c
		}
	}
	return undecided{pos}
}

func (e *evaluator) selected(pos token.Pos, cond boolean, a, b *ir.Value) *ir.Value {
	if cond.not {
		a, b = b, a
	}
	return e.apply(pos, ir.OpSelect, nil, cond.v, a, b)
}

// truth is a truth value as a number, zero for false.
func (e *evaluator) truth(pos token.Pos, b boolean) *ir.Value {
	one, zero := ir.Const(e.b, 1), ir.Const(e.b, 0)
	switch {
	case b.v == nil && b.c:
		return one
	case b.v == nil:
		return zero
	case b.not:
		return e.apply(pos, ir.OpSelect, nil, b.v, zero, one)
	}
	return b.v
}

func (b boolean) negated() boolean {
	if b.v == nil {
		return boolean{c: !b.c}
	}
	return boolean{v: b.v, not: !b.not}
}

// and is the conjunction of two truth values.
func (e *evaluator) and(pos token.Pos, a, b boolean) boolean {
	if b.v == nil {
		a, b = b, a
	}
	if a.v == nil {
		if a.c {
			return b
		}
		return boolean{}
	}
	return boolean{v: e.selected(pos, a, e.truth(pos, b), ir.Const(e.b, 0))}
}

func describe(v value) string {
	switch v.(type) {
	case unset:
		return "nil"
	case integer:
		return "an integer"
	case number:
		return "a number"
	}
	return fmt.Sprintf("a %T", v)
}
