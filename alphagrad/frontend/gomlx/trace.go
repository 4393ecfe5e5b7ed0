// Package gomlx reads graph functions written for GoMLX as programs, so that their Jacobians come from vertex elimination.
// GoMLX itself differentiates scalars only.
//
// [Program] records a function's graph without compiling it, walks its nodes and gives back the program; [Jacobian] goes
// on to an executor of value and Jacobian, and [JacobianNodes] puts the Jacobian into a graph function.
package gomlx

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	exec "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

var (
	nodeType  = reflect.TypeFor[*graph.Node]()
	nodesType = reflect.TypeFor[[]*graph.Node]()
)

// asGraphFn gives a function of any number of nodes, or of a slice of them, one form. Results are a node, several, or a
// slice.
func asGraphFn(fn any) (func(x []*graph.Node) []*graph.Node, int, error) {
	v := reflect.ValueOf(fn)
	if !v.IsValid() || v.Kind() != reflect.Func {
		return nil, 0, fmt.Errorf("%T is no graph function; expected func(x, y, … *Node) *Node or func(x []*Node) []*Node", fn)
	}
	t := v.Type()
	all := func(n int, at func(int) reflect.Type) bool {
		for i := range n {
			if at(i) != nodeType {
				return false
			}
		}
		return n > 0
	}
	sliceIn := t.NumIn() == 1 && t.In(0) == nodesType
	sliceOut := t.NumOut() == 1 && t.Out(0) == nodesType
	if (!sliceIn && !all(t.NumIn(), t.In)) || (!sliceOut && !all(t.NumOut(), t.Out)) {
		return nil, 0, fmt.Errorf("%s is no graph function; expected func(x, y, … *Node) *Node or func(x []*Node) []*Node", t)
	}
	arity := t.NumIn()
	if sliceIn {
		arity = -1
	}
	return func(x []*graph.Node) (y []*graph.Node) {
		var args []reflect.Value
		if sliceIn {
			args = []reflect.Value{reflect.ValueOf(x)}
		} else {
			for _, n := range x {
				args = append(args, reflect.ValueOf(n))
			}
		}
		out := v.Call(args)
		if sliceOut {
			return out[0].Interface().([]*graph.Node)
		}
		for _, o := range out {
			y = append(y, o.Interface().(*graph.Node))
		}
		return y
	}, arity, nil
}

// Program records a GoMLX graph function as a program. fn takes nodes, func(x, y *Node) *Node, or a slice of them,
// func(x []*Node) []*Node, and may return several; inputs give the shape and floating-point type of each. The program's
// inputs are x1, x2, …, its outputs y1, y2, …. A node type without a rule, an index that is not constant, a dynamic
// shape: each is an error that names the node.
func Program(name string, fn any, inputs ...shapes.Shape) (*ir.Program, error) {
	backend, err := exec.Backend()
	if err != nil {
		return nil, err
	}
	return program(backend, name, fn, inputs)
}

func program(backend compute.Backend, name string, fn any, inputs []shapes.Shape) (p *ir.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			var inner error
			if e, ok := r.(error); ok {
				inner = e
			} else {
				inner = fmt.Errorf("%v", r)
			}
			p, err = nil, fmt.Errorf("graph function %s: %w", name, firstLine(inner))
		}
	}()
	f, arity, err := asGraphFn(fn)
	if err != nil {
		return nil, err
	}
	if arity >= 0 && arity != len(inputs) {
		return nil, fmt.Errorf("graph function %s takes %d inputs, given %d shapes", name, arity, len(inputs))
	}
	g := graph.NewGraph(backend, name)
	defer g.Finalize()
	w := &walker{b: ir.NewBuilder(name), values: map[graph.NodeId]*ir.Value{}}
	var x []*graph.Node
	for k, s := range inputs {
		if !s.DType.IsFloat() || s.IsDynamic() {
			return nil, fmt.Errorf("graph function %s: input %d is %s; expected a floating-point type and a static shape", name, k+1, s)
		}
		n := graph.Parameter(g, fmt.Sprintf("x%d", k+1), s)
		x = append(x, n)
		w.values[n.Id()] = w.b.Input(fmt.Sprintf("x%d", k+1), s.Dimensions...)
	}
	if len(x) == 0 {
		return nil, fmt.Errorf("graph function %s has no inputs", name)
	}
	outputs := f(x)
	for k, n := range outputs {
		if n == nil || n.Graph() != g {
			return nil, fmt.Errorf("graph function %s: output %d is no node of its graph", name, k+1)
		}
	}
	for k, n := range outputs {
		v, err := w.value(n)
		if err != nil {
			return nil, fmt.Errorf("graph function %s: %w", name, err)
		}
		w.b.Output(fmt.Sprintf("y%d", k+1), v)
	}
	return w.b.Build()
}

// firstLine drops the stack that GoMLX's errors carry when printed in full.
func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}

// A walker translates nodes, each once.
type walker struct {
	b      *ir.Builder
	values map[graph.NodeId]*ir.Value
}

// value translates a node and what it depends on. The way there is an explicit stack: graphs may be deep.
func (w *walker) value(root *graph.Node) (*ir.Value, error) {
	stack := []*graph.Node{root}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		if w.values[n.Id()] != nil {
			stack = stack[:len(stack)-1]
			continue
		}
		inputs := n.Inputs()
		alternate := decomposed(n)
		if alternate != nil {
			inputs = []*graph.Node{alternate}
		}
		pending := false
		for _, x := range inputs {
			if w.values[x.Id()] == nil {
				stack, pending = append(stack, x), true
			}
		}
		if pending {
			continue
		}
		stack = stack[:len(stack)-1]
		if alternate != nil {
			w.values[n.Id()] = w.values[alternate.Id()]
			continue
		}
		v, err := w.node(n)
		if err != nil {
			return nil, fmt.Errorf("node #%d %s: %w", n.Id(), n, err)
		}
		w.values[n.Id()] = v
	}
	return w.values[root.Id()], nil
}

// decomposed is what a fused node computes, in elementary nodes. GoMLX keeps it for its own gradients in a private field.
func decomposed(n *graph.Node) *graph.Node {
	f := reflect.ValueOf(n).Elem().FieldByName("vjpAlternateOutputs")
	if !f.IsValid() || f.Len() != 1 {
		return nil
	}
	return n.Graph().NodeById(graph.NodeId(f.Index(0).Elem().FieldByName("id").Int()))
}

// node translates one node whose inputs are translated.
func (w *walker) node(n *graph.Node) (*ir.Value, error) {
	rule, ok := rules[n.Type()]
	if !ok {
		return nil, fmt.Errorf("node type %s has no rule; those that have one: %s", n.Type(), known())
	}
	if n.Shape().IsDynamic() {
		return nil, fmt.Errorf("shape %s is dynamic", n.Shape())
	}
	if t := n.DType(); t.IsComplex() {
		return nil, fmt.Errorf("type %s is complex; programs compute with real numbers", t)
	}
	x := make([]*ir.Value, len(n.Inputs()))
	for k, in := range n.Inputs() {
		x[k] = w.values[in.Id()]
	}
	return rule(w, n, x)
}

// known lists the node types that have a rule.
func known() string {
	var names []string
	for t := range rules {
		names = append(names, t.String())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
