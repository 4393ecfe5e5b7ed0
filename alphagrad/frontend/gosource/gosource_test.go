package gosource

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/frontend/gosource/testdata/flat"
	"github.com/alphagrad/alphagrad-go/alphagrad/frontend/gosource/testdata/funcs"
)

// sample is a function of package funcs with the interval its arguments are drawn from.
type sample struct {
	name      string
	fn        any
	low, high float64
}

var samples = []sample{
	{"Simple", funcs.Simple, 0.5, 1.5},
	{"Polynomial", funcs.Polynomial, -2, 2},
	{"Norm", funcs.Norm, -2, 2},
	{"MatVec", funcs.MatVec, -2, 2},
	{"Weighted", funcs.Weighted, -2, 2},
	{"Flux", funcs.Flux, 0.5, 2},
	{"Branches", funcs.Branches, -3, 3},
	{"Guarded", funcs.Guarded, -3, 3},
	{"SqrtGuard", funcs.SqrtGuard, -3, 3},
	{"Loops", funcs.Loops, -3, 3},
	{"Largest", funcs.Largest, -3, 3},
	{"Early", funcs.Early, -2, 5},
	{"Swap", funcs.Swap, -3, 3},
	{"Alias", funcs.Alias, -3, 3},
	{"Integers", funcs.Integers, -3, 3},
	{"Elementary", funcs.Elementary, 0.3, 3},
	{"Flags", funcs.Flags, -1, 3},
	{"Slices", funcs.Slices, -3, 3},
	{"Pointers", funcs.Pointers, -3, 3},
	{"Calls", funcs.Calls, -3, 3},
	{"State.Scaled", funcs.State.Scaled, 0.5, 3},
	{"State.Energy", funcs.State.Energy, 0.5, 3},
	{"Composites", funcs.Composites, -3, 3},
	{"Names", funcs.Names, -3, 3},
	{"Constant", funcs.Constant, 0.5, 3},
}

var funcsFile = filepath.Join("testdata", "funcs", "funcs.go")

func readSample(t testing.TB, name string) *Function {
	t.Helper()
	l := newLoader()
	p, err := l.source(funcsFile)
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.read(p, funcsFile, name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestProgramsEqualTheFunctions compares values with calling the function, and the Jacobian with its finite differences.
func TestProgramsEqualTheFunctions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			f := readSample(t, s.name)
			g, err := ad.Graph(f.Program)
			if err != nil {
				t.Fatal(err)
			}
			order := g.Eliminable()
			rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			jac, err := ad.Jacobian(f.Program, order)
			if err != nil {
				t.Fatal(err)
			}
			n := len(f.Program.Inputs)
			for range 30 {
				x := make([]float64, n)
				for i := range x {
					x[i] = s.low + (s.high-s.low)*rng.Float64()
				}
				want := flat.Call(s.fn, x)
				got, err := interp.EvalScalar(f.Program, x)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != len(want) {
					t.Fatalf("%d results, want %d", len(got), len(want))
				}
				for i := range want {
					if !near(got[i], want[i], 1e-13) {
						t.Fatalf("result %s at %v: %v, the function gives %v\n%s", f.Program.Outputs[i].Name, x, got[i], want[i], f.Program)
					}
				}
				d, err := interp.EvalScalar(jac, x)
				if err != nil {
					t.Fatal(err)
				}
				for j := range x {
					column, smooth := differences(func(x []float64) []float64 { return flat.Call(s.fn, x) }, x, j)
					for i := range want {
						if smooth && !near(d[i*n+j], column[i], 1e-6) {
							t.Fatalf("∂%s/∂%s at %v: %v, differences give %v", f.Program.Outputs[i].Name, f.Program.InputNames()[j], x, d[i*n+j], column[i])
						}
					}
				}
			}
		})
	}
}

func near(a, b, tolerance float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance*(1+math.Abs(b))
}

// differences are central differences with two steps; where they disagree there is a kink in between.
func differences(f func(x []float64) []float64, x []float64, j int) (d []float64, smooth bool) {
	at := func(h float64) []float64 {
		z := append([]float64{}, x...)
		z[j] += h
		return f(z)
	}
	const h = 1e-5
	a, b, c, e := at(h), at(-h), at(h/2), at(-h/2)
	smooth = true
	for i := range a {
		wide, narrow := (a[i]-b[i])/(2*h), (c[i]-e[i])/h
		smooth = smooth && near(wide, narrow, 1e-6)
		d = append(d, narrow)
	}
	return d, smooth
}
