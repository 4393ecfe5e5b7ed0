package gomlx_test

import (
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	frontend "github.com/alphagrad/alphagrad-go/alphagrad/frontend/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// TestDeepFunction: long chains are read in time and without deep recursion.
func TestDeepFunction(t *testing.T) {
	f := f1("deep", -1, false, func(x *Node) *Node {
		for range 5000 {
			x = Sub(MulScalar(x, 0.5), Sin(x))
		}
		return x
	}, 2)
	p, err := frontend.Program(f.name, f.fn, f.shapes(dtypes.Float64)...)
	if err != nil {
		t.Fatal(err)
	}
	at := []ir.Tensor{{Shape: ir.Shape{2}, Data: []float64{0.25, -1}}}
	got, err := interp.Eval(p, at)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "value", got[0].Data, f.values(t, at, dtypes.Float64)[0], 1e-12)
}
