package gosrc_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/vasm"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

var special = []float64{0, math.Copysign(0, -1), 1, -1, 2, -2, 0.5, 1e-320, -1e-320, 5e-324, 0x1p-1022, 1e-300, 1e300, -1e300, 1e200, math.MaxFloat64, -math.MaxFloat64,
	math.Inf(1), math.Inf(-1), math.NaN(), 709.7, 709.8, 710.4, 710.5, -708, -745, -745.2, -746, 1e5, 1 << 29, 1 << 31, 1e22, math.Pi, math.Pi / 2, 1.0000000000000002, 0.9999999999999999}

// exactSpecial is what a result should be where package math, which samples that kernels are not good for are left to, is
// known to lose digits or worse: logarithms of subnormal numbers, circular functions near multiples of π/2, an arc tangent
// whose quotient underflows; and NaN wins over infinities in a kernel's maximum and minimum.
func exactSpecial(op *ir.OpInfo, x []float64) (float64, bool) {
	var exact *big.Float
	switch finite := math.Abs(x[0]) < 1e10; {
	case op == ir.OpLog && x[0] > 0 && x[0] <= math.MaxFloat64:
		exact = bigLog(bigf(x[0]))
	case op == ir.OpSin && finite:
		exact, _ = bigSinCos(bigf(x[0]))
	case op == ir.OpCos && finite:
		_, exact = bigSinCos(bigf(x[0]))
	case op == ir.OpTan && finite:
		s, c := bigSinCos(bigf(x[0]))
		exact = bigQuo(s, c)
	case op == ir.OpAtan2 && x[0] != 0 && x[1] < 0 && x[0]/x[1] == 0:
		return math.Copysign(math.Pi, x[0]), true
	case (op == ir.OpMax || op == ir.OpMin) && (math.IsNaN(x[0]) || math.IsNaN(x[1])):
		return math.NaN(), true
	default:
		return 0, false
	}
	r, _ := exact.Float64()
	return r, true
}

// TestSpecialValues: at ends of domains, infinities, subnormal numbers and NaN, all ways to run agree with package math.
func TestSpecialValues(t *testing.T) {
	var ops []*ir.OpInfo
	points := map[string][][]float64{}
	for _, op := range ir.Ops() {
		if op.Class != ir.Elementwise {
			continue
		}
		name := gosrc.Identifier("op " + op.Name)
		switch op.Arity {
		case 1:
			for _, x := range special {
				points[name] = append(points[name], []float64{x})
			}
		case 2:
			for _, x := range special {
				for _, y := range special {
					points[name] = append(points[name], []float64{x, y})
				}
			}
		default: // select
			for _, x := range special {
				points[name] = append(points[name], []float64{x, 3, 4})
			}
		}
		ops = append(ops, op)
	}
	program := vectorProgram(t)
	for _, v := range variants[1:4] {
		results := evaluate(t, program, v.debug, points)
		for _, op := range ops {
			name := gosrc.Identifier("op " + op.Name)
			for k, x := range points[name] {
				close := func(got, want float64) bool {
					tolerance := (vasm.Units(op) + 2) * 0x1p-52 * math.Abs(want) // math itself errs by a unit or more
					if op == ir.OpPow {
						tolerance *= 30 // and by dozens
					}
					return got == want || math.IsNaN(got) && math.IsNaN(want) || math.Abs(got-want) <= tolerance+0x1p-1074
				}
				want := op.Scalar(&ir.Attrs{}, x...)
				for form, got := range map[string]float64{"single": results[name].Single[k][0], "batch": results[name].Batch[k][0]} {
					if exact, ok := exactSpecial(op, x); !close(got, want) && !(ok && close(got, exact)) {
						t.Errorf("%s, %s: %s of %v is %v, package math has %v", v.name, form, op, x, got, want)
					}
				}
			}
		}
	}
}

// TestBatchSizes: the last samples of a batch, which fill no vector or tile, are done too. The results of the largest batch
// leave past the caches.
func TestBatchSizes(t *testing.T) {
	f := sizes(t)
	program := vectorProgram(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 64, 67, 255, 256, 257, 263, 1000, 18736} {
		points := map[string][][]float64{}
		for range n {
			points["SizesJacobian"] = append(points["SizesJacobian"], []float64{rng.Float64(), rng.Float64(), rng.Float64()})
			points["OpTanh"] = append(points["OpTanh"], []float64{rng.Float64()})
		}
		results := evaluate(t, program, "", points)
		for k := range n {
			want, err := interp.EvalScalar(f.Program, points["SizesJacobian"][k])
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range want {
				if got := results["SizesJacobian"].Batch[k][i]; math.Abs(got-w) > 1e-14*math.Abs(w) {
					t.Fatalf("batch of %d, sample %d, result %d: %v, interpreter %v", n, k, i, got, w)
				}
			}
			if got, w := results["OpTanh"].Batch[k][0], math.Tanh(points["OpTanh"][k][0]); math.Abs(got-w) > 1e-14*w {
				t.Fatalf("batch of %d, sample %d: tanh %v, package math %v", n, k, got, w)
			}
		}
	}
}

// long is a program of three statements for every step.
func long(t testing.TB, steps int) *ir.Program {
	t.Helper()
	p, err := ir.Trace("long", []string{"a", "b"}, nil, func(x []*ir.Value) []*ir.Value {
		v := []*ir.Value{x[0], x[1]}
		for i := range steps {
			u := ir.Mul(v[len(v)-1], v[(i*i)%len(v)])
			v = append(v, ir.DivScalar(ir.Sub(u, v[(i*7)%len(v)]), 2.5))
		}
		return []*ir.Value{v[len(v)-1], x[0], v[len(v)/2], ir.Const(x[0].Builder(), 3), ir.Const(x[0].Builder(), 0)}
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// BenchmarkHundredThousandStatements prints and compiles a long program, without vectors and with them.
func BenchmarkHundredThousandStatements(b *testing.B) {
	p := long(b, 33_334)
	p.Outputs = p.Outputs[:3] // what the harness calls
	finished, err := ir.Finish(p, 2)
	if err != nil {
		b.Fatal(err)
	}
	count, err := ir.Count(finished)
	if err != nil {
		b.Fatal(err)
	}
	f := gosrc.Function{Name: "long", Program: p, Results: []gosrc.Result{{Name: "y", Len: 1}, {Name: "jac", Len: 2}}}
	for _, v := range []variant{{name: "Go", buildMode: plain}, {name: "vectors", buildMode: assembled}} {
		b.Run(v.name, func(b *testing.B) {
			for i := range b.N {
				f.Doc = fmt.Sprintf("is build %d of process %d", i, os.Getpid()) // never cached
				build(b, b.TempDir(), v.buildMode, []gosrc.Function{f})
			}
			b.ReportMetric(float64(count.Total()), "statements")
		})
	}
}

// TestLongPrograms: a program that is split into parts computes the same, single and batched, with and without vectors and
// with a form of its own.
func TestLongPrograms(t *testing.T) {
	p := long(t, 3500)
	f := gosrc.Function{Name: "long", Program: p, Results: []gosrc.Result{{Name: "y", Len: 1}, {Name: "jac", Len: 4}}}
	points := [][]float64{{0.5, 0.25}, {0.75, -1.5}, {1.5, 1.25}, {-0.3, 0.1}, {1, 1}}
	p2 := *p
	p2.Outputs = append(p2.Outputs[:0:0], p.Outputs[:3]...)
	for _, b := range []buildMode{plain, assembled} {
		h := f
		h.Program = &p2
		h.Results = []gosrc.Result{{Name: "y", Len: 1}, {Name: "jac", Len: 2}}
		r := compileAndRun(t, b, []gosrc.Function{h}, map[string][][]float64{"Long": points})["Long"]
		for k, x := range points {
			want, bound, err := interp.Rounding(p, x, 3)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				for form, got := range map[string]float64{"single": r.Single[k][i], "batch": r.Batch[k][i]} {
					if !(math.Abs(got-want[i]) <= 2*bound[i]) {
						t.Errorf("vectors %v, %s, point %d, result %d: %v, interpreter %v", b.vector, form, k, i, got, want[i])
					}
				}
			}
		}
	}
	// With a form.
	f.Form = &gosrc.Form{Params: "a, b float64", Results: "y [5]float64", In: []string{"a", "b"}, Out: []string{"y[0]", "y[1]", "y[2]", "y[3]", "y[4]"}, NoBatch: true}
	src, err := gosrc.File("main", f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := interp.EvalScalar(p, []float64{0.5, 0.25})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"f.go": string(src), "go.mod": "module m\n\ngo 1.26\n", "main.go": "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(long(0.5, 0.25)) }\n"})
	cmd := exec.Command("go", "run", ".")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got [5]float64
	if _, err := fmt.Sscanf(string(out), "[%g %g %g %g %g]", &got[0], &got[1], &got[2], &got[3], &got[4]); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-10*math.Abs(want[i]) {
			t.Errorf("form, result %d: %v, interpreter %v", i, got[i], want[i])
		}
	}
}

// sysVersion and sysSum are the version of golang.org/x/sys that a module of generated code is made with, and what go.sum
// says of it.
const (
	sysVersion = "v0.46.0"
	sysSum     = "noSf2Fq6F8DBgS+LysIkx7rIExoNHJsxOAtPp4rthXw="
	sysModSum  = "4GL1E5IUh+htKOUEOaiffhrAeqysfVGipDYzABqnCmw="
)

// module returns the files go.mod and go.sum of a module that holds generated code with vector kernels and nothing else.
func module(name string) (mod, sum []byte) {
	return fmt.Appendf(nil, "module %s\n\ngo 1.26\n\nrequire golang.org/x/sys %s\n", name, sysVersion),
		fmt.Appendf(nil, "golang.org/x/sys %[1]s h1:%[2]s\ngolang.org/x/sys %[1]s/go.mod h1:%[3]s\n", sysVersion, sysSum, sysModSum)
}

// TestModule: the files name the version of this module's own requirement.
func TestModule(t *testing.T) {
	mod, sum := module("m")
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatal(err)
	}
	if v := strings.TrimSpace(string(out)); !strings.Contains(string(mod), "golang.org/x/sys "+v+"\n") || !strings.Contains(string(sum), v) {
		t.Errorf("this module requires %s, generated code\n%s%s", v, mod, sum)
	}
}
