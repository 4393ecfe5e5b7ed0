package gomlx_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	exec "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	frontend "github.com/alphagrad/alphagrad-go/alphagrad/frontend/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute/dtypes"
)

func TestTmp(t *testing.T) {
	f := function{"encoder", encoder, []ir.Shape{{8, 16}, {16, 16}, {16, 16}, {16, 16}, {16, 16}, {16}, {16}, {16, 32}, {32}, {32, 16}}, -1, true}
	t0 := time.Now()
	p, err := frontend.Program("e", f.fn, f.shapes(dtypes.Float32)...)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("trace", time.Since(t0), len(p.Nodes), len(p.Vertices()))
	g, _ := ad.Graph(p)
	for n, o := range map[string][]int{"rev": elim.Reverse(g), "fwd": elim.Forward(g), "mark": elim.Markowitz(g)} {
		m, _ := g.Muls(o)
		fmt.Println(n, m)
	}
	t0 = time.Now()
	jac, err := ad.ValueAndJacobian(p, elim.Markowitz(g))
	fmt.Println("ad", time.Since(t0), len(jac.Nodes), err)
	for _, b := range []int{1, 16, 64} {
		t0 = time.Now()
		shared := p.InputNames()[1:]
		e, err := exec.Compile[float32](jac, exec.Options{Batch: b, Shared: shared})
		if err != nil {
			t.Fatal(err)
		}
		var in [][]float32
		for k, s := range f.inputs {
			n := s.Size()
			if k == 0 {
				n *= b
			}
			in = append(in, make([]float32, n))
			for i := range in[k] {
				in[k][i] = float32(i%7)/7 - 0.4
			}
		}
		out, err := e.Call(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		first := time.Since(t0)
		t0 = time.Now()
		for range 3 {
			out, _ = e.Call(in, out)
		}
		fmt.Println("batch", b, "compile+first", first, "call", time.Since(t0)/3)
	}
}
