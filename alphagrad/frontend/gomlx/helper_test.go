package gomlx_test

import (
	"math"
	"math/rand/v2"
	"testing"

	exec "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	frontend "github.com/alphagrad/alphagrad-go/alphagrad/frontend/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// A function under test, as a user of GoMLX writes it.
type function struct {
	name   string
	fn     func(x []*Node) []*Node
	inputs []ir.Shape
	low    float64 // inputs are drawn from (low, low + 2)
	smooth bool    // GoMLX has its gradient
}

// xla is set by a build with the tag of the same name.
var xla compute.Backend

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func backend(t testing.TB) compute.Backend {
	t.Helper()
	if xla != nil {
		return xla
	}
	b, err := exec.Backend()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (f function) shapes(dtype dtypes.DType) (list []shapes.Shape) {
	for _, s := range f.inputs {
		list = append(list, shapes.Make(dtype, s...))
	}
	return list
}

func (f function) point(rng *rand.Rand) (at []ir.Tensor) {
	for _, s := range f.inputs {
		x := ir.Tensor{Shape: s, Data: make([]float64, s.Size())}
		for k := range x.Data {
			x.Data[k] = float64(float32(f.low + 2*rng.Float64()))
		}
		at = append(at, x)
	}
	return at
}

// tensorsOf converts inputs for GoMLX.
func tensorsOf(at []ir.Tensor, dtype dtypes.DType) (list []*tensors.Tensor) {
	for _, x := range at {
		if dtype == dtypes.Float64 {
			list = append(list, tensors.FromFlatDataAndDimensions(x.Data, x.Shape...))
			continue
		}
		data := make([]float32, len(x.Data))
		for k, v := range x.Data {
			data[k] = float32(v)
		}
		list = append(list, tensors.FromFlatDataAndDimensions(data, x.Shape...))
	}
	return list
}

func floats(t testing.TB, x *tensors.Tensor) (data []float64) {
	t.Helper()
	err := x.ConstFlatData(func(flat any) {
		switch flat := flat.(type) {
		case []float64:
			data = append(data, flat...)
		case []float32:
			for _, v := range flat {
				data = append(data, float64(v))
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func anys(list []*tensors.Tensor) (out []any) {
	for _, x := range list {
		out = append(out, x)
	}
	return out
}

func near(t fataler, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s has %d elements, want %d", what, len(got), len(want))
	}
	scale := 1.0
	for _, w := range want {
		scale = max(scale, math.Abs(w))
	}
	for i, w := range want {
		if d := math.Abs(got[i] - w); !(d <= tolerance*scale) && !(math.IsNaN(got[i]) && math.IsNaN(w)) && got[i] != w {
			t.Fatalf("%s[%d] = %v, want %v", what, i, got[i], w)
		}
	}
}

// values runs the function itself on GoMLX.
func (f function) values(t testing.TB, at []ir.Tensor, dtype dtypes.DType) (list [][]float64) {
	t.Helper()
	e, err := NewExec(backend(t), f.fn)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(e, anys(tensorsOf(at, dtype))...)
	if err != nil {
		t.Fatalf("%s: %v", f.name, err)
	}
	for _, y := range out {
		list = append(list, floats(t, y))
	}
	return list
}

// rowwise is the Jacobian by GoMLX's Gradient, one element of an output at a time.
type rowwise struct {
	exec *Exec
	t    testing.TB
}

func (f function) rowwise(t testing.TB, output int) rowwise {
	e, err := NewExec(backend(t), func(in []*Node) []*Node {
		x, seed := in[:len(in)-1], in[len(in)-1]
		return Gradient(ReduceAllSum(Mul(f.fn(x)[output], seed)), x...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rowwise{e, t}
}

func (r rowwise) jacobian(at []*tensors.Tensor, output *tensors.Tensor) [][]float64 {
	r.t.Helper()
	blocks := make([][]float64, len(at))
	for i := range output.Size() {
		seed := tensors.FromShape(output.Shape())
		err := seed.MutableFlatData(func(flat any) {
			switch flat := flat.(type) {
			case []float64:
				flat[i] = 1
			case []float32:
				flat[i] = 1
			}
		})
		if err != nil {
			r.t.Fatal(err)
		}
		out, err := exec.Call(r.exec, append(anys(at), seed)...)
		if err != nil {
			r.t.Fatal(err)
		}
		for k, g := range out {
			blocks[k] = append(blocks[k], floats(r.t, g)...)
		}
	}
	return blocks
}

// check compares the program of a function with the function, and its Jacobian with row-wise gradients.
func (f function) check(t *testing.T, rng *rand.Rand) {
	t.Helper()
	p, err := frontend.Program(f.name, f.fn, f.shapes(dtypes.Float64)...)
	if err != nil {
		t.Fatal(err)
	}
	at := f.point(rng)
	got, err := interp.Eval(p, at)
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range f.values(t, at, dtypes.Float64) {
		near(t, p.Outputs[k].Name, got[k].Data, want, 1e-12)
	}
	if !f.smooth {
		return
	}
	for dtype, tolerance := range map[dtypes.DType]float64{dtypes.Float64: 1e-10, dtypes.Float32: 1e-5} {
		d, err := frontend.Jacobian(backend(t), f.fn, frontend.Options{Name: f.name})
		if err != nil {
			t.Fatal(err)
		}
		in := tensorsOf(at, dtype)
		values, jacobian, err := d.Call(in...)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range f.values(t, at, dtype) {
			near(t, "value", floats(t, values[k]), want, tolerance)
		}
		for i, row := range jacobian {
			for j, want := range f.rowwise(t, i).jacobian(in, values[i]) {
				if shape := append(append(ir.Shape{}, values[i].Shape().Dimensions...), f.inputs[j]...); !shape.Equal(row[j].Shape().Dimensions) {
					t.Fatalf("∂y%d/∂x%d has shape %v, want %v", i+1, j+1, row[j].Shape(), shape)
				}
				near(t, "∂y"+string(rune('1'+i))+"/∂x"+string(rune('1'+j))+" "+dtype.String(), floats(t, row[j]), want, tolerance)
			}
		}
	}
}
