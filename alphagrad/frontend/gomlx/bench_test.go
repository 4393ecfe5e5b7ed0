package gomlx_test

import (
	"math/rand/v2"
	"testing"

	frontend "github.com/alphagrad/alphagrad-go/alphagrad/frontend/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute/dtypes"
)

// BenchmarkJacobian times value and Jacobian against GoMLX's Gradient, one output element at a time; setting up has rows
// of its own.
func BenchmarkJacobian(b *testing.B) {
	for _, f := range []function{
		{"perceptron", perceptron, []ir.Shape{{8, 16}, {8, 4}, {16, 32}, {32}, {32, 4}, {4}}, -1, true},
		{"encoder", encoder, encoderShapes, -1, true},
		{"encoder-8x16", encoder, []ir.Shape{{8, 16}, {16, 16}, {16, 16}, {16, 16}, {16, 16}, {16}, {16}, {16, 32}, {32}, {32, 16}}, -1, true},
	} {
		in := tensorsOf(f.point(rand.New(rand.NewPCG(1, 2))), dtypes.Float32)
		set := func() *frontend.Derivative {
			d, err := frontend.Jacobian(backend(b), f.fn, frontend.Options{Name: f.name})
			if err == nil {
				_, _, err = d.Call(in...)
			}
			if err != nil {
				b.Fatal(err)
			}
			return d
		}
		b.Run(f.name+"/first", func(b *testing.B) {
			for b.Loop() {
				set()
			}
		})
		b.Run(f.name+"/elimination", func(b *testing.B) {
			d := set()
			for b.Loop() {
				if _, _, err := d.Call(in...); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(f.name+"/elimination-by-x", func(b *testing.B) {
			d, err := frontend.Jacobian(backend(b), f.fn, frontend.Options{Name: f.name, Inputs: []int{0}})
			if err == nil {
				_, _, err = d.Call(in...)
			}
			for b.Loop() && err == nil {
				_, _, err = d.Call(in...)
			}
			if err != nil {
				b.Fatal(err)
			}
		})
		b.Run(f.name+"/gradient", func(b *testing.B) {
			values, _, err := set().Call(in...)
			if err != nil {
				b.Fatal(err)
			}
			var rows []rowwise
			for k := range values {
				rows = append(rows, f.rowwise(b, k))
				rows[k].jacobian(in, values[k])
			}
			for b.Loop() {
				for k := range values {
					rows[k].jacobian(in, values[k])
				}
			}
		})
	}
}
