package flat

import (
	"math/rand/v2"
	"testing"
)

// TestVectors: vector instructions and Go give the same bits, for every length.
func TestVectors(t *testing.T) {
	if !vectors {
		t.Skip("no vector instructions here")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	fill := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = rnd.NormFloat64()
		}
		return x
	}
	for n := range 70 {
		a, b, start, y := fill(n), fill(n), fill(n), rnd.NormFloat64()
		for name, f := range map[string]func(d []float64){
			"add": func(d []float64) { addRows(d, a, b) }, "sub": func(d []float64) { subRows(d, a, b) }, "mul": func(d []float64) { mulRows(d, a, b) },
			"add a number": func(d []float64) { addNumber(d, a, y) }, "mul by a number": func(d []float64) { mulNumber(d, a, y) },
			"axpy": func(d []float64) { axpy(d, a, y) },
			"dot": func(d []float64) {
				if n > 0 {
					d[0] = dot(a, b)
				}
			},
		} {
			fast, plain := append(append([]float64(nil), start...), 7), append([]float64(nil), start...)
			f(fast[:n])
			vectors = false
			f(plain)
			vectors = true
			for i, x := range plain {
				if fast[i] != x {
					t.Fatalf("%s of %d elements: element %d is %v, in Go %v", name, n, i, fast[i], x)
				}
			}
			if fast[n] != 7 {
				t.Fatalf("%s of %d elements writes beyond them", name, n)
			}
		}
	}
}
