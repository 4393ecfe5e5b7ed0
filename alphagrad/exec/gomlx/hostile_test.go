package gomlx_test

import (
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// TestHostileUse: nothing panics out of the package, however it is called.
func TestHostileUse(t *testing.T) {
	p, err := ir.Parse("program p\ninput x [2]\ny = sin(x)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	bad := p.Clone()
	bad.Nodes[1].Shape = ir.Shape{7}
	e, err := gomlx.Compile[float32](p, gomlx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	backend, err := gomlx.Backend()
	if err != nil {
		t.Fatal(err)
	}
	panics, err := graph.NewExec(backend, func(x *graph.Node) *graph.Node { panic("a mistake") })
	if err != nil {
		t.Fatal(err)
	}
	two, err := graph.NewExec(backend, graph.Add)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"no program":      func() error { _, err := gomlx.Compile[float64](nil, gomlx.Options{}); return err },
		"illegal program": func() error { _, err := gomlx.Compile[float64](bad, gomlx.Options{}); return err },
		"a huge batch":    func() error { _, err := gomlx.Compile[float64](p, gomlx.Options{Batch: 1 << 62}); return err },
		"no inputs":       func() error { _, err := e.Call(nil, nil); return err },
		"a nil input":     func() error { _, err := e.Call([][]float32{nil}, nil); return err },
		"too many inputs": func() error { _, err := e.Call(make([][]float32, 3), nil); return err },
		"a graph function that panics": func() error {
			_, err := gomlx.Call(panics, tensors.FromValue(1.0))
			return err
		},
		"no executor":       func() error { _, err := gomlx.Call(nil); return err },
		"a missing tensor":  func() error { _, err := gomlx.Call(two, tensors.FromValue(1.0)); return err },
		"shapes that clash": func() error { _, err := gomlx.Call(two, []float64{1, 2}, []float64{1, 2, 3}); return err },
		"types that clash":  func() error { _, err := gomlx.Call(two, []float64{1, 2}, []float32{1, 2}); return err },
		"a build of none": func() error {
			x, err := graph.NewExec(backend, func(x *graph.Node) *graph.Node { return gomlx.Build(nil, []*graph.Node{x})[0] })
			if err != nil {
				return err
			}
			_, err = gomlx.Call(x, 1.0)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("panic: %v", r)
				}
			}()
			if err := f(); err == nil {
				t.Error("no error")
			} else {
				t.Logf("%.150s", err)
			}
		})
	}
	out := [][]float32{nil, {1, 2, 3}} // more buffers than outputs
	if got, err := e.Call([][]float32{{0, 1}}, out); err != nil || len(got) != 1 || len(got[0]) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	e.Close()
	if _, err := e.Call([][]float32{{0, 1}}, nil); err == nil {
		t.Log("a closed executor still works")
	}
	e.Close()
}
