package gomlx_test

import (
	"errors"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	frontend "github.com/alphagrad/alphagrad-go/alphagrad/frontend/gomlx"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// TestHostileFunctions: whatever a function does, it is an error that names it and no panic.
func TestHostileFunctions(t *testing.T) {
	s := shapes.Make(dtypes.Float64, 2, 2)
	var kept *Node
	for name, fn := range map[string]any{
		"nil": nil, "nil function": (func(*Node) *Node)(nil), "no results": func(x *Node) {}, "no inputs": func() *Node { return nil },
		"a pair":                 func(x *Node) (*Node, error) { return x, nil },
		"panics with an error":   func(x *Node) *Node { panic(errors.New("bad")) },
		"panics with nil":        func(x *Node) *Node { var y []int; return Reshape(x, y[3]) },
		"a node of no graph":     func(x *Node) *Node { return new(Node) },
		"another graph":          func(x *Node) *Node { return Parameter(NewGraph(backend(t), "other"), "y", s) },
		"an earlier graph":       func(x *Node) *Node { return kept },
		"integers":               func(x *Node) *Node { return ConvertDType(x, dtypes.Int32) },
		"complex numbers":        func(x *Node) *Node { return Abs(Complex(x, x)) },
		"sorting":                func(x *Node) *Node { return Sort(x, 0, true) },
		"the largest's position": func(x *Node) *Node { return Mul(x, ConvertDType(ExpandDims(ArgMax(x, 0), 0), x.DType())) },
		"a loop": func(x *Node) *Node {
			g := x.Graph()
			return While(NewClosure(g, func(g *Graph) []*Node {
				y := Parameter(g, "y", s)
				return []*Node{LessThan(ReduceAllSum(y), Scalar(g, dtypes.Float64, 3))}
			}), NewClosure(g, func(g *Graph) []*Node { return []*Node{OnePlus(Parameter(g, "z", s))} }), x)[0]
		},
		"random numbers": func(x *Node) *Node {
			g := x.Graph()
			_, r := RandomUniform(RNGStateFromSeedForGraph(g, 1), x.Shape())
			return Mul(Floor(x), r)
		},
		"clashing shapes": func(x *Node) *Node { return Add(x, Ones(x.Graph(), shapes.Make(dtypes.Float64, 3))) },
		"a bad einsum":    func(x *Node) *Node { return Einsum("ij,jk->q", x, x) },
		"half precision":  func(x *Node) *Node { return Sin(ConvertDType(x, dtypes.Float16)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("panic: %v", r)
				}
			}()
			if _, err := frontend.Program("hostile", fn, s); err == nil {
				t.Error("no error")
			} else {
				t.Logf("%.200s", err)
			}
			if d, err := frontend.Jacobian(nil, fn, frontend.Options{Name: "hostile"}); err == nil {
				if _, _, err = d.Call(tensors.FromValue([][]float64{{1, 2}, {3, 4}})); err == nil {
					t.Error("a Jacobian without error")
				}
			}
		})
		kept = nil
	}
	sine, err := frontend.Jacobian(nil, func(x *Node) *Node { kept = x; return Sin(x) }, frontend.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]*tensors.Tensor{
		"none": nil, "nil": {nil}, "two": {tensors.FromValue(1.0), tensors.FromValue(1.0)}, "integers": {tensors.FromValue([]int32{1})},
		"truth": {tensors.FromValue(true)}, "half": {tensors.FromShape(shapes.Make(dtypes.Float16, 2))},
	} {
		if _, _, err := sine.Call(in...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, jac, err := sine.Call(tensors.FromValue(0.0)); err != nil || jac[0][0].Value() != 1.0 {
		t.Errorf("after all that: %v, %v", jac, err)
	}
	for name, o := range map[string]frontend.Options{
		"an order of too many": {Order: []int{1, 2, 3}}, "no inputs": {Inputs: []int{}}, "a negative input": {Inputs: []int{-1}}, "twice": {Inputs: []int{0, 0}},
		"a search that fails": {Find: func(*elim.Graph) ([]int, error) { return nil, errors.New("no luck") }},
		"a search that lies":  {Find: func(*elim.Graph) ([]int, error) { return []int{9}, nil }},
	} {
		d, err := frontend.Jacobian(nil, func(x *Node) *Node { return Sin(Cos(x)) }, o)
		if err == nil {
			_, _, err = d.Call(tensors.FromValue(1.0))
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
