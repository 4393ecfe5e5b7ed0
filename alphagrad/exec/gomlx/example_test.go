package gomlx_test

import (
	"fmt"
	"log"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Value and Jacobian of (x·y, x+y) for three samples in one call.
func Example() {
	p, err := ir.Trace("p", []string{"x", "y"}, nil, func(x []*ir.Value) []*ir.Value {
		return []*ir.Value{ir.Mul(x[0], x[1]), ir.Add(x[0], x[1])}
	})
	if err != nil {
		log.Fatal(err)
	}
	jac, err := ad.ValueAndJacobian(p, nil)
	if err != nil {
		log.Fatal(err)
	}
	exec, err := gomlx.Compile[float64](jac, gomlx.Options{Batch: 3})
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Close()
	out, err := exec.Call([][]float64{{1, 2, 3}, {4, 5, 6}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	for k, o := range jac.Outputs {
		fmt.Println(o.Name, out[k])
	}
	// Output:
	// y1 [4 10 18]
	// y2 [5 7 9]
	// d(y1)/d(x) [4 5 6]
	// d(y1)/d(y) [1 2 3]
	// d(y2)/d(x) [1 1 1]
	// d(y2)/d(y) [1 1 1]
}
