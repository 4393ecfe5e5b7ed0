package gosource

import (
	"fmt"
	"go/token"
	"go/types"
)

// Size is how many numbers there are.
func (l *Layout) Size() int {
	if l.number {
		return 1
	}
	n := 0
	for _, e := range l.Elems {
		n += e.Size()
	}
	return n
}

// Nest arranges numbers, given one after the other, as the variable does: an array as a list, a struct as an object.
func (l *Layout) Nest(number func(k int) any) any {
	k := 0
	return l.nest(func() any { k++; return number(k - 1) })
}

func (l *Layout) nest(next func() any) any {
	switch {
	case l.number:
		return next()
	case l.Fields != nil:
		m := map[string]any{}
		for i, f := range l.Fields {
			m[f] = l.Elems[i].nest(next)
		}
		return m
	}
	list := make([]any, len(l.Elems))
	for i, e := range l.Elems {
		list[i] = e.nest(next)
	}
	return list
}

// Paths are the names of the numbers of a variable, and their expressions in Go unless the variable points to a number.
func (l *Layout) Paths(variable string) []string {
	switch {
	case l.number:
		return []string{variable}
	}
	var paths []string
	for i, e := range l.Elems {
		at := fmt.Sprintf("%s[%d]", variable, i)
		if l.Fields != nil {
			at = variable + "." + l.Fields[i]
		}
		paths = append(paths, e.Paths(at)...)
	}
	return paths
}

// input declares the inputs that a parameter holds and gives its value.
func (e *evaluator) input(pos token.Pos, name string, path string, t types.Type, lengths map[string]int) (*Layout, value) {
	at := name + path
	elements := func(n int, elem types.Type) (*Layout, []*cell) {
		l, cells := &Layout{}, []*cell{}
		for i := range n {
			le, v := e.input(pos, name, fmt.Sprintf("%s[%d]", path, i), elem, lengths)
			l.Elems, cells = append(l.Elems, le), append(cells, e.cell(v))
		}
		return l, cells
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Kind() == types.Float64 {
			return &Layout{number: true}, number{v: e.b.Input(at)}
		}
		if u.Info()&(types.IsInteger|types.IsBoolean|types.IsString) != 0 {
			e.fail(pos, "parameter %s is of type %s, which must be constant; write a function that calls this one with a constant", at, e.typeName(t))
		}
	case *types.Array:
		if u.Len() > int64(e.l.limits.cells) {
			e.fail(pos, "parameter %s has %d elements; at most %d", at, u.Len(), e.l.limits.cells)
		}
		l, cells := elements(int(u.Len()), u.Elem())
		return l, composite(cells)
	case *types.Struct:
		l, c := &Layout{Fields: []string{}}, composite{}
		for i := range u.NumFields() {
			f := u.Field(i)
			if f.Name() == "_" {
				e.fail(pos, "parameter %s has a field without a name", at)
			}
			lf, v := e.input(pos, name, path+"."+f.Name(), f.Type(), lengths)
			l.Fields, l.Elems, c = append(l.Fields, f.Name()), append(l.Elems, lf), append(c, e.cell(v))
		}
		return l, c
	case *types.Slice:
		n, known := lengths[name]
		if path != "" {
			e.fail(pos, "parameter %s holds a slice; only a parameter itself may be one, since its length must be known", at)
		}
		if !known || n < 1 || n > e.l.limits.cells {
			e.fail(pos, "the length of slice %s is not known; use an array, or say //alphagrad:len %s=N above the function or --len %s=N, N at least 1", at, at, at)
		}
		l, cells := elements(n, u.Elem())
		l.slice = true
		return l, slice(cells)
	case *types.Pointer:
		if _, again := u.Elem().Underlying().(*types.Pointer); path == "" && !again {
			l, v := e.input(pos, name, path, u.Elem(), lengths)
			if l.slice {
				break
			}
			l.pointer = true
			return l, pointer{e.cell(v)}
		}
	}
	e.fail(pos, "parameter %s of type %s is not supported; use float64 and arrays, slices and structs of it", at, e.typeName(t))
	return nil, nil
}

// output declares the outputs that a result holds.
func (e *evaluator) output(pos token.Pos, name, path string, t types.Type, v value) *Layout {
	at := name + path
	l := &Layout{}
	elements := func(cells []*cell, elem types.Type) {
		for i, c := range cells {
			l.Elems = append(l.Elems, e.output(pos, name, fmt.Sprintf("%s[%d]", path, i), elem, c.v))
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if x, ok := v.(number); ok {
			l.number = true
			e.b.Output(at, e.node(x))
			return l
		}
	case *types.Array:
		if c, ok := v.(composite); ok {
			elements(c, u.Elem())
			return l
		}
	case *types.Struct:
		if c, ok := v.(composite); ok && len(c) == u.NumFields() {
			l.Fields = []string{}
			for i := range c {
				l.Fields = append(l.Fields, u.Field(i).Name())
				l.Elems = append(l.Elems, e.output(pos, name, path+"."+u.Field(i).Name(), u.Field(i).Type(), c[i].v))
			}
			return l
		}
	case *types.Slice:
		if c, ok := v.(slice); ok && path == "" && len(c) > 0 {
			l.slice = true
			elements(c, u.Elem())
			return l
		}
	}
	if u, ok := v.(undecided); ok {
		e.fail(pos, "result %s is no number and depends on the data, through the condition at %s", at, e.position(u.branch))
	}
	e.fail(pos, "result %s of type %s is not supported; return float64 and arrays, slices and structs of it", at, e.typeName(t))
	return nil
}
