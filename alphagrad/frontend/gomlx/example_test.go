package gomlx_test

import (
	"fmt"
	"log"
	"slices"

	frontend "github.com/alphagrad/alphagrad-go/alphagrad/frontend/gomlx"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// The Jacobian of a GoMLX function in one call.
func ExampleJacobian() {
	softmax := func(x *Node) *Node { return Softmax(x) }
	jac, err := frontend.Jacobian(nil, softmax, frontend.Options{Name: "softmax"})
	if err != nil {
		log.Fatal(err)
	}
	values, jacobian, err := jac.Call(tensors.FromValue([]float64{0, 0}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(values[0].Value(), jacobian[0][0].Value())
	// Output: [0.5 0.5] [[0.25 -0.25] [-0.25 0.25]]
}

// The program that a GoMLX function becomes.
func ExampleProgram() {
	p, err := frontend.Program("norm", func(x *Node) *Node { return Sqrt(ReduceAllSum(Square(x))) }, shapes.Make(dtypes.Float32, 3))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(p)
	// Output:
	// program norm
	// input x1 [3]
	// _1 = square(x1)
	// _2 = reduce_sum(_1) {"axes": [0]}
	// y1 = sqrt(_2)
	// output y1
}

// The node types that have a rule.
func ExampleNodeTypes() {
	types := frontend.NodeTypes()
	fmt.Println(slices.Contains(types, "DotGeneral"), slices.Contains(types, "Floor"))
	// Output: true false
}
