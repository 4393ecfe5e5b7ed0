package ir

import (
	"errors"
	"fmt"
	"slices"
)

// Builder records a program as the traced function calls its operations. The first mistake is remembered and reported by
// [Builder.Build]; operations after it record nothing, so a traced function needs no error handling of its own.
type Builder struct {
	p      Program
	names  map[string]bool
	consts map[constKey]*Value // scalar constants, each recorded once
	err    error
}

type constKey struct{ bits uint64 }

// Value is a handle on a node under construction.
type Value struct {
	b  *Builder
	id ID
}

// NewBuilder starts an empty program.
func NewBuilder(name string) *Builder {
	return &Builder{p: Program{Name: name}, names: map[string]bool{}, consts: map[constKey]*Value{}}
}

// Trace records fn as a program. fn gets one scalar value for each input name and returns the outputs, which are named
// outputs[i] (y1, y2, … when outputs is nil).
func Trace(name string, inputs, outputs []string, fn func(x []*Value) []*Value) (*Program, error) {
	b := NewBuilder(name)
	x := make([]*Value, len(inputs))
	for i, in := range inputs {
		x[i] = b.Input(in)
	}
	y := fn(x)
	if outputs == nil {
		for i := range y {
			outputs = append(outputs, fmt.Sprintf("y%d", i+1))
		}
	}
	if len(outputs) != len(y) {
		return nil, fmt.Errorf("program %q: the function returns %d value(s), %d output name(s) are given", name, len(y), len(outputs))
	}
	for i, v := range y {
		b.Output(outputs[i], v)
	}
	return b.Build()
}

// Input declares the next input, a scalar unless axis sizes are given.
func (b *Builder) Input(name string, shape ...int) *Value {
	s := Shape(slices.Clone(shape))
	if err := checkSize(s); err != nil {
		b.fail(fmt.Errorf("input %q: %w", name, err))
	}
	v := b.push(Node{Op: OpInput, Shape: nonNil(s)})
	if v.Named(name); b.err == nil {
		b.p.Inputs = append(b.p.Inputs, v.id)
	}
	return v
}

// Const records a scalar constant.
func Const(b *Builder, x float64) *Value {
	key := constKey{floatBits(x)}
	if v := b.consts[key]; v != nil {
		return v
	}
	v := b.push(Node{Op: OpConst, Shape: Shape{}, Value: []float64{x}})
	if b.err == nil {
		b.consts[key] = v
	}
	return v
}

// ConstTensor records a constant array with its elements in row-major order.
func ConstTensor(b *Builder, shape Shape, data []float64) *Value {
	if err := checkSize(shape); err != nil {
		b.fail(err)
	} else if len(data) != shape.Size() {
		b.fail(fmt.Errorf("a constant of shape %v needs %d numbers, has %d", shape, shape.Size(), len(data)))
	}
	return b.push(Node{Op: OpConst, Shape: nonNil(slices.Clone(shape)), Value: slices.Clone(data)})
}

// Output declares the next output.
func (b *Builder) Output(name string, v *Value) {
	if v == nil || v.b != b {
		b.fail(fmt.Errorf("output %q is no value of program %q", name, b.p.Name))
		return
	}
	b.p.Outputs = append(b.p.Outputs, Output{Name: name, Node: v.id})
	if n := &b.p.Nodes[v.id]; b.err == nil && n.Name == "" && n.Op != OpConst && !b.names[name] {
		v.Named(name)
	}
}

// Build returns the recorded program or the first mistake made while recording.
func (b *Builder) Build() (*Program, error) {
	if b.err != nil {
		return nil, fmt.Errorf("program %q: %w", b.p.Name, b.err)
	}
	p := b.p
	if err := Verify(&p); err != nil {
		return nil, err
	}
	return p.Clone(), nil
}

func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// push appends a node. After a mistake it keeps handing out a legal handle without recording.
func (b *Builder) push(n Node) *Value {
	if b.err != nil {
		if len(b.p.Nodes) == 0 {
			b.p.Nodes = append(b.p.Nodes, Node{Op: OpConst, Shape: Shape{}, Value: []float64{0}})
		}
		return &Value{b, 0}
	}
	if len(b.p.Nodes) >= MaxNodes {
		b.fail(fmt.Errorf("more than %d nodes", MaxNodes))
		return &Value{b, 0}
	}
	b.p.Nodes = append(b.p.Nodes, n)
	return &Value{b, ID(len(b.p.Nodes) - 1)}
}

// Apply records one operation by its table row: the way in for front ends; traced functions call [Add], [Sin], ….
func Apply(op *OpInfo, attrs *Attrs, args ...*Value) *Value {
	var b *Builder
	for _, a := range args {
		if a != nil {
			b = a.b
			break
		}
	}
	if b == nil {
		panic("ir: " + op.Name + " called without a traced value")
	}
	shapes := make([]Shape, len(args))
	ids := make([]ID, len(args))
	for i, a := range args {
		switch {
		case a == nil:
			b.fail(&NodeError{Node: b.next(), Op: op.Name, Err: fmt.Errorf("argument %d is nil", i)})
		case a.b != b:
			b.fail(&NodeError{Node: b.next(), Op: op.Name, Err: fmt.Errorf("argument %d belongs to program %q, not %q", i, a.b.p.Name, b.p.Name)})
		default:
			shapes[i], ids[i] = a.Shape(), a.id
			continue
		}
		return &Value{b, 0}
	}
	if attrs == nil && len(op.Attrs) > 0 {
		attrs = &Attrs{}
	}
	shape, err := op.resultShape(attrs, shapes)
	if err != nil {
		b.fail(&NodeError{Node: b.next(), Op: op.Name, Err: err})
	}
	return b.push(Node{Op: op, Args: ids, Attrs: attrs, Shape: shape})
}

// next names the node about to be recorded, for messages.
func (b *Builder) next() string { return fmt.Sprintf("_%d", len(b.p.Nodes)) }

// Named gives the value a name and returns it.
func (v *Value) Named(name string) *Value {
	b := v.b
	switch {
	case b.err != nil:
	case name == "":
		b.fail(errors.New("a name must not be empty"))
	case b.names[name]:
		b.fail(fmt.Errorf("name %q is used twice", name))
	default:
		n := &b.p.Nodes[v.id]
		delete(b.names, n.Name)
		b.names[name] = true
		n.Name = name
	}
	return v
}

// Shape is the value's shape.
func (v *Value) Shape() Shape { return v.b.p.Nodes[v.id].Shape }

// ID is the node that the value stands for.
func (v *Value) ID() ID { return v.id }

// Op is the operation that gives the value.
func (v *Value) Op() *OpInfo { return v.b.p.Nodes[v.id].Op }

// Arg is argument k of that operation.
func (v *Value) Arg(k int) *Value { return &Value{v.b, v.b.p.Nodes[v.id].Args[k]} }

// Builder returns the program under construction that the value belongs to.
func (v *Value) Builder() *Builder { return v.b }

// IsConst reports whether v is the scalar constant x.
func (v *Value) IsConst(x float64) bool {
	c, ok := v.b.p.ConstScalar(v.id)
	return ok && c == x
}

// Splice appends all nodes of a program, its inputs replaced by the given values (nil: fresh inputs of the same name),
// and returns a handle on each of its nodes.
func (b *Builder) Splice(p *Program, inputs []*Value) []*Value {
	vs := make([]*Value, len(p.Nodes))
	for i, id := range p.Inputs {
		if inputs == nil {
			vs[id] = b.Input(p.Nodes[id].Name, p.Nodes[id].Shape...)
		} else {
			vs[id] = inputs[i]
		}
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		switch n.Op {
		case OpInput:
		case OpConst:
			if len(n.Shape) == 0 {
				vs[i] = Const(b, n.Value[0])
			} else {
				vs[i] = ConstTensor(b, n.Shape, n.Value)
			}
		default:
			args := make([]*Value, len(n.Args))
			for k, a := range n.Args {
				args[k] = vs[a]
			}
			vs[i] = Apply(n.Op, n.Attrs, args...)
			if n.Name != "" && !b.names[n.Name] {
				vs[i].Named(n.Name)
			}
		}
	}
	return vs
}
