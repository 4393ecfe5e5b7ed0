package gomlx

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// evaluateConstants lets GoMLX compute the nodes that depend on no input and are used by ones that do, or are outputs.
func (t *tracer) evaluateConstants() error {
	var wanted []*graph.Node
	seen := map[*graph.Node]bool{}
	want := func(n *graph.Node) {
		if !t.varies[n] && !seen[n] {
			seen[n] = true
			wanted = append(wanted, n)
		}
	}
	for _, n := range t.all {
		if t.varies[n] && decomposed(n) == nil {
			for _, x := range n.Inputs() {
				want(x)
			}
		}
	}
	for _, n := range t.outputs {
		want(n)
	}
	for _, n := range t.all {
		if c, ok := t.custom[n]; ok {
			want(c.result)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	results, err := t.run(wanted)
	if err != nil {
		return fmt.Errorf("constants: %w", err)
	}
	for k, n := range wanted {
		data, err := numbers(results[k])
		if err != nil {
			return t.complain(n, err)
		}
		t.constants[n] = data
		uniform := !slices.ContainsFunc(data, func(x float64) bool { return x != data[0] })
		if uniform && len(data) > 0 {
			t.values[n] = ir.Const(t.b, data[0])
		} else {
			t.values[n] = ir.ConstTensor(t.b, n.Shape().Dimensions, data)
		}
	}
	return nil
}

// run evaluates nodes that depend on no parameter.
func (t *tracer) run(nodes []*graph.Node) (results []*tensors.Tensor, err error) {
	defer recovered(&err)
	// The Go backend wants a node that comes after all parameters.
	last := graph.Neg(graph.Parameter(t.g, "last", shapes.Make(dtypes.Float32)))
	if err := t.g.Compile(append(slices.Clone(nodes), last)...); err != nil {
		return nil, err
	}
	zeros := graph.ParamsMap{}
	for k := range t.g.NumParameters() {
		x := t.g.GetParameterByHandle(graph.ParameterHandle(k))
		zeros[x] = tensors.FromShape(x.Shape())
	}
	return t.g.RunWithMap(zeros), nil
}

// numbers converts the elements of a tensor of any real type; true is 1.
func numbers(x *tensors.Tensor) (data []float64, err error) {
	err = x.ConstFlatData(func(flat any) {
		v := reflect.ValueOf(flat)
		data = make([]float64, v.Len())
		for k := range data {
			switch e := v.Index(k); {
			case e.CanFloat():
				data[k] = e.Float()
			case e.CanInt():
				data[k] = float64(e.Int())
			case e.CanUint():
				data[k] = float64(e.Uint())
			case e.Kind() == reflect.Bool && e.Bool():
				data[k] = 1
			case e.Kind() != reflect.Bool:
				data = nil
				return
			}
		}
	})
	if err == nil && data == nil {
		err = fmt.Errorf("is a constant of dtype %s; expected numbers or truth values", x.DType())
	}
	return data, err
}
