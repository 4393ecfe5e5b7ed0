package ir

import (
	"fmt"
	"slices"
	"strings"
)

// Batch writes a program for n samples at once: every input except the shared ones, and everything computed from it, gets
// a first axis of size n; outputs that depend on shared inputs only are repeated. Sample k of the result is the program
// applied to sample k.
func Batch(p *Program, n int, shared ...string) (*Program, error) {
	if n < 1 {
		return nil, fmt.Errorf("program %q: a batch of %d samples; at least one", p.Name, n)
	}
	if err := Verify(p); err != nil {
		return nil, err
	}
	for _, name := range shared {
		if !slices.Contains(p.InputNames(), name) {
			return nil, fmt.Errorf("program %q has no input %q to share%s", p.Name, name, Suggest(name, p.InputNames()))
		}
	}
	b := NewBuilder(p.Name)
	values := make([]*Value, len(p.Nodes))
	batched := make([]bool, len(p.Nodes))
	for id := range p.Nodes {
		node := &p.Nodes[id]
		switch node.Op {
		case OpInput:
			batched[id] = !slices.Contains(shared, node.Name)
			shape := node.Shape
			if batched[id] {
				shape = append(Shape{n}, shape...)
			}
			values[id] = b.Input(node.Name, shape...)
			continue
		case OpConst:
			values[id] = ConstTensor(b, node.Shape, node.Value)
			continue
		}
		for _, a := range node.Args {
			batched[id] = batched[id] || batched[a]
		}
		args := make([]*Value, len(node.Args))
		for k, a := range node.Args {
			args[k] = values[a]
			if batched[id] {
				args[k] = batchArgument(node, values[a], p.Nodes[a].Shape, batched[a], n)
			}
		}
		attrs := node.Attrs
		if batched[id] {
			attrs = batchAttrs(node, n, func(k int) bool { return batched[node.Args[k]] })
		}
		values[id] = Apply(node.Op, attrs, args...)
	}
	for _, o := range p.Outputs {
		v := values[o.Node]
		if !batched[o.Node] {
			v = repeated(v, p.Nodes[o.Node].Shape, n)
		}
		b.Output(o.Name, v)
	}
	return b.Build()
}

// repeated gives a value a first axis of size n along which it does not change.
func repeated(v *Value, shape Shape, n int) *Value {
	axes := make([]int, len(shape))
	for k := range axes {
		axes[k] = k + 1
	}
	return Broadcast(v, append(Shape{n}, shape...), axes...)
}

// batchArgument brings an argument of a node that gets a batch axis to the form that the node then takes.
func batchArgument(node *Node, v *Value, shape Shape, batched bool, n int) *Value {
	switch {
	case node.Op.Class == Elementwise && len(shape) == 0 && len(node.Shape) > 0 && batched:
		return Broadcast(v, append(Shape{n}, node.Shape...), 0) // one number a sample
	case node.Op.Class == Elementwise && len(shape) == 0, batched, node.Op.Class == Contraction:
		return v
	}
	return repeated(v, shape, n)
}

// batchAttrs shifts the axes that the attributes of a node name.
func batchAttrs(node *Node, n int, batched func(arg int) bool) *Attrs {
	if node.Attrs == nil {
		return nil
	}
	a := *node.Attrs
	shifted := make([]int, len(a.Axes))
	for k, axis := range a.Axes {
		shifted[k] = axis + 1
	}
	switch node.Op {
	case OpReshape:
		a.Shape = append(Shape{n}, a.Shape...)
	case OpTranspose:
		a.Axes = append([]int{0}, shifted...)
	case OpBroadcast:
		a.Axes, a.Shape = append([]int{0}, shifted...), append(Shape{n}, a.Shape...)
	case OpSlice:
		a.Start, a.Limit = append([]int{0}, a.Start...), append([]int{n}, a.Limit...)
		if a.Stride != nil {
			a.Stride = append([]int{1}, a.Stride...)
		}
	case OpPad:
		a.Low, a.High = append([]int{0}, a.Low...), append([]int{0}, a.High...)
	case OpConcat, OpGather:
		a.Axis++
	case OpReduceSum, OpReduceProd, OpReduceMax, OpReduceMin:
		a.Axes = shifted
	case OpEinsum:
		a.Spec = batchSpec(a.Spec, batched)
	}
	return &a
}

// batchSpec adds a label for the batch to the batched operands and the result of an einsum.
func batchSpec(spec string, batched func(arg int) bool) string {
	label := ""
	for _, r := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		if !strings.ContainsRune(spec, r) {
			label = string(r)
			break
		}
	}
	operands, result, _ := strings.Cut(spec, "->")
	list := strings.Split(operands, ",")
	for k := range list {
		if batched(k) {
			list[k] = label + list[k]
		}
	}
	return strings.Join(list, ",") + "->" + label + result
}
