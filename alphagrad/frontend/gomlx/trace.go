// Package gomlx reads functions written with GoMLX's graph package: it builds their graph, walks its nodes and writes a
// program ([Program]), so that Jacobians by vertex elimination are one call away: [Jacobian] compiles them, [JacobianNodes]
// puts them into a graph function. GoMLX itself has gradients of scalars.
//
// The walk stops at nodes that depend on no input: GoMLX evaluates those, whatever they are (masks, iotas, integers). For
// the others there is one rule a node type; a type without a rule is named in the error. Comparisons and conditions become
// 0 and 1; fused nodes are read through the unfused computation that GoMLX keeps for its own gradient. Numbers of a program
// have one type, so conversions between floating-point types disappear.
//
// The static parameters of nodes are read from unexported fields of GoMLX v0.28; the tests cover every rule.
package gomlx

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	exec "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Program builds the graph of a GoMLX function for inputs of the given shapes, without compiling it, and writes it as a
// program with inputs x1, x2, … and outputs y1, y2, …; name stands for the function in errors. fn takes nodes,
// func(x, y *Node) *Node, or a slice of them, func(x []*Node) []*Node, and may return several. The shapes have one
// floating-point type, float32 or float64. Variables of a model that the function uses become further inputs under their
// GoMLX name, or constants if their store says so (Store.WithVariableAsConst). A node type without a rule, an index that
// is not constant, a dynamic shape: each is an error that names the node.
func Program(name string, fn any, inputs ...shapes.Shape) (*ir.Program, error) {
	backend, err := exec.Backend()
	if err != nil {
		return nil, err
	}
	return program(backend, name, fn, inputs)
}

func program(backend compute.Backend, name string, fn any, inputs []shapes.Shape) (*ir.Program, error) {
	t := &tracer{
		b: ir.NewBuilder(name), g: graph.NewGraph(backend, name),
		values: map[*graph.Node]*ir.Value{}, varies: map[*graph.Node]bool{}, constants: map[*graph.Node][]float64{},
		custom: map[*graph.Node]custom{}, depends: map[[2]*graph.Node]dependence{},
	}
	defer t.g.Finalize()
	err := checkInputs(inputs)
	if err == nil {
		err = t.build(fn, inputs)
	}
	var p *ir.Program
	if err == nil {
		p, err = t.program()
	}
	if err != nil {
		return nil, fmt.Errorf("graph function %s: %w", name, err)
	}
	return p, nil
}

func checkInputs(inputs []shapes.Shape) error {
	if len(inputs) == 0 {
		return errors.New("has no inputs")
	}
	for k, s := range inputs {
		switch {
		case s.DType != dtypes.Float32 && s.DType != dtypes.Float64 || s.IsDynamic():
			return fmt.Errorf("input %d is %s; expected Float32 or Float64 and a static shape", k+1, s)
		case s.DType != inputs[0].DType:
			return fmt.Errorf("inputs have types %s and %s; expected one type", inputs[0].DType, s.DType)
		}
	}
	return nil
}

// A tracer holds the graph of one function and the program that it becomes.
type tracer struct {
	g         *graph.Graph
	b         *ir.Builder
	inputs    []*graph.Node
	outputs   []*graph.Node
	nodes     []*graph.Node                 // those that the outputs need, in the order of the graph
	all       []*graph.Node                 // and those that custom gradients need
	varies    map[*graph.Node]bool          // whether a node depends on an input
	custom    map[*graph.Node]custom        // gradients that the function gives itself
	values    map[*graph.Node]*ir.Value     // a scalar may stand for an array of equal elements
	constants map[*graph.Node][]float64     // elements of the nodes that GoMLX evaluated
	depends   map[[2]*graph.Node]dependence // on adjoints, see custom.go
	current   *graph.Node                   // the node being read, for messages
}

// build calls the function and collects the nodes that its outputs need.
func (t *tracer) build(fn any, inputs []shapes.Shape) (err error) {
	defer recovered(&err)
	for k, s := range inputs {
		t.inputs = append(t.inputs, graph.Parameter(t.g, fmt.Sprintf("x%d", k+1), s))
	}
	f, arity, err := asGraphFn(fn)
	if err != nil {
		return err
	}
	if arity >= 0 && arity != len(inputs) {
		return fmt.Errorf("takes %d inputs, given %d shapes", arity, len(inputs))
	}
	if t.outputs = f(t.inputs); len(t.outputs) == 0 {
		return errors.New("returns no node")
	}
	for k, y := range t.outputs {
		if y == nil || y.Graph() != t.g {
			return fmt.Errorf("output %d is no node of its graph", k+1)
		}
		if err := t.reach(y); err != nil {
			return err
		}
	}
	t.nodes = t.reached()
	t.all = t.nodes
	for k := 0; k < len(t.all); k++ {
		n := t.all[k]
		if _, done := t.custom[n]; done || n.CustomGradient() == nil || decomposed(n) != nil {
			continue
		}
		c, err := t.customGradient(n)
		if err != nil {
			return t.complain(n, err)
		}
		t.custom[n] = c
		if err := t.reach(c.result); err != nil {
			return err
		}
		t.all, k = t.reached(), -1
	}
	return nil
}

func (t *tracer) reached() []*graph.Node {
	return slices.SortedFunc(maps.Keys(t.varies), func(a, b *graph.Node) int { return cmp.Compare(a.Id(), b.Id()) })
}

// recovered turns a panic into an error, without the stack that GoMLX's errors carry.
func recovered(err *error) {
	if r := recover(); r != nil {
		line, _, _ := strings.Cut(fmt.Sprint(r), "\n")
		*err = errors.New(line)
	}
}

// asGraphFn gives a function of any number of nodes, or of a slice of them, one form; arity is -1 for a slice.
func asGraphFn(fn any) (f func(x []*graph.Node) []*graph.Node, arity int, err error) {
	v := reflect.ValueOf(fn)
	if !v.IsValid() || v.Kind() != reflect.Func || v.IsNil() {
		return nil, 0, fmt.Errorf("%T is no graph function; expected func(x, y, … *Node) *Node or func(x []*Node) []*Node", fn)
	}
	node, list := reflect.TypeFor[*graph.Node](), reflect.TypeFor[[]*graph.Node]()
	t := v.Type()
	all := func(n int, at func(int) reflect.Type) bool {
		for i := range n {
			if at(i) != node {
				return false
			}
		}
		return n > 0
	}
	sliceIn, sliceOut := t.NumIn() == 1 && t.In(0) == list, t.NumOut() == 1 && t.Out(0) == list
	if (!sliceIn && !all(t.NumIn(), t.In)) || (!sliceOut && !all(t.NumOut(), t.Out)) {
		return nil, 0, fmt.Errorf("%s is no graph function; expected func(x, y, … *Node) *Node or func(x []*Node) []*Node", t)
	}
	arity = t.NumIn()
	if sliceIn {
		arity = -1
	}
	return func(x []*graph.Node) (y []*graph.Node) {
		var args, out []reflect.Value
		for _, n := range x {
			args = append(args, reflect.ValueOf(n))
		}
		switch {
		case sliceIn && t.IsVariadic():
			out = v.CallSlice([]reflect.Value{reflect.ValueOf(x)})
		case sliceIn:
			out = v.Call([]reflect.Value{reflect.ValueOf(slices.Clone(x))})
		default:
			out = v.Call(args)
		}
		if sliceOut {
			return out[0].Interface().([]*graph.Node)
		}
		for _, o := range out {
			y = append(y, o.Interface().(*graph.Node))
		}
		return y
	}, arity, nil
}

// reach marks the nodes that n needs and finds out which depend on an input.
func (t *tracer) reach(n *graph.Node) error {
	if _, seen := t.varies[n]; seen {
		return nil
	}
	t.varies[n] = n.Type() == graph.NodeTypeParameter
	if n.Shape().IsDynamic() {
		return t.complain(n, errors.New("has a dynamic shape; expected a static one"))
	}
	if n.Type() >= graph.NodeTypeCall { // closures use nodes that are not among their inputs
		return t.complain(n, noRule(n))
	}
	operands := n.Inputs()
	if d := decomposed(n); d != nil {
		operands = []*graph.Node{d}
	}
	for _, x := range operands {
		if err := t.reach(x); err != nil {
			return err
		}
		t.varies[n] = t.varies[n] || t.varies[x]
	}
	if n.Type() == graph.NodeTypeGather && t.varies[n.Inputs()[1]] {
		return t.complain(n, errors.New("its indices depend on an input; expected constant ones"))
	}
	return nil
}

// decomposed is the unfused computation of a fused node, or nil. GoMLX keeps it for the gradient.
func decomposed(n *graph.Node) *graph.Node {
	f := reflect.ValueOf(n).Elem().FieldByName("vjpAlternateOutputs")
	if f.Len() == 0 {
		return nil
	}
	return (*graph.Node)(f.Index(0).UnsafePointer())
}

func (t *tracer) complain(n *graph.Node, err error) error {
	return fmt.Errorf("GoMLX node #%d (%s %s): %w", n.Id(), typeName(n.Type()), n.Shape(), err)
}

// program writes the nodes that vary.
func (t *tracer) program() (p *ir.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			if err = fmt.Errorf("%v", r); t.current != nil {
				err = t.complain(t.current, err)
			}
		}
	}()
	for k, x := range t.inputs {
		t.values[x] = t.b.Input(fmt.Sprintf("x%d", k+1), x.Shape().Dimensions...)
	}
	for _, c := range t.custom {
		t.values[c.adjoint] = ir.Const(t.b, 1)
	}
	for _, n := range t.nodes {
		if n.Type() == graph.NodeTypeParameter && t.values[n] == nil {
			if n.DType() != dtypes.Float32 && n.DType() != dtypes.Float64 {
				return nil, t.complain(n, fmt.Errorf("the variable %q has dtype %s; expected Float32 or Float64", n.GetParameterName(), n.DType()))
			}
			t.values[n] = t.b.Input(n.GetParameterName(), n.Shape().Dimensions...)
		}
	}
	if err := t.evaluateConstants(); err != nil {
		return nil, err
	}
	for _, n := range t.nodes {
		if t.varies[n] {
			if _, err := t.value(n); err != nil {
				return nil, err
			}
		}
	}
	for k, y := range t.outputs {
		if t.varies[y] && !y.DType().IsFloat() {
			return nil, t.complain(y, fmt.Errorf("output %d has dtype %s; expected a floating-point type", k+1, y.DType()))
		}
		t.b.Output(fmt.Sprintf("y%d", k+1), t.full(y))
	}
	return t.b.Build()
}

// value is what a node computes.
func (t *tracer) value(n *graph.Node) (v *ir.Value, err error) {
	if v := t.values[n]; v != nil {
		return v, nil
	}
	if d := decomposed(n); d != nil {
		v, err = t.value(d)
	} else {
		for _, x := range n.Inputs() {
			if _, err := t.value(x); err != nil {
				return nil, err
			}
		}
		t.current = n
		v, err = t.apply(n)
	}
	if err != nil {
		return nil, err
	}
	t.current = n
	if s := v.Shape(); len(s) > 0 && !s.Equal(n.Shape().Dimensions) {
		return nil, t.complain(n, fmt.Errorf("is read as shape %v", s))
	}
	if c, ok := t.custom[n]; ok {
		if v, err = t.withGradient(n, v, c); err != nil {
			return nil, t.complain(n, err)
		}
	}
	if n.StopGradient() && n.Type() != graph.NodeTypeSign { // GoMLX marks signs too, whose derivative is zero here as well
		v = ir.StopGradient(v)
	}
	t.values[n] = v
	return v, nil
}

// apply reads a node by the rule for its type.
func (t *tracer) apply(n *graph.Node) (*ir.Value, error) {
	r, ok := rules[n.Type()]
	if !ok {
		return nil, t.complain(n, noRule(n))
	}
	if d := n.DType(); d != dtypes.Float32 && d != dtypes.Float64 && d != dtypes.Bool {
		return nil, t.complain(n, fmt.Errorf("depends on an input and has dtype %s; expected Float32, Float64 or Bool", d))
	}
	v, err := r(t, n)
	if err != nil {
		return nil, t.complain(n, err)
	}
	return v, nil
}

// full is the value of a node with all its axes.
func (t *tracer) full(n *graph.Node) *ir.Value {
	v := t.values[n]
	if dims := n.Shape().Dimensions; len(v.Shape()) < len(dims) {
		return ir.Broadcast(v, dims)
	}
	return v
}
