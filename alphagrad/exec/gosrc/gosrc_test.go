package gosrc_test

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"pgregory.net/rapid"
)

// derivative is a task's value and Jacobian in reverse order, ready to print.
func derivative(t testing.TB, p *ir.Program, order []int) gosrc.Function {
	t.Helper()
	d, err := ad.ValueAndJacobian(p, order)
	if err != nil {
		t.Fatal(err)
	}
	m := len(p.Outputs)
	return gosrc.Function{Name: p.Name + " Jacobian", Doc: "writes the outputs to y and the Jacobian to jac.", Program: d,
		Results: []gosrc.Result{{Name: "y", Len: m}, {Name: "jac", Len: m * len(p.Inputs)}}, Derivatives: m * len(p.Inputs)}
}

// harness is the main program around generated functions: it runs each on given points, one by one and as a batch, and
// reports results and allocations.
const harness = `package main

import (
	"encoding/gob"
	"os"
	"testing"
)

type result struct {
	Single, Batch [][]float64
	Allocs        float64
}

func main() {
	var points map[string][][]float64
	if err := gob.NewDecoder(os.Stdin).Decode(&points); err != nil {
		panic(err)
	}
	out := map[string]result{}
	CALLS
	gob.NewEncoder(os.Stdout).Encode(out)
}
`

const harnessCall = `
	if pts := points["FUNC"]; len(pts) > 0 {
		var r result
		n := len(pts)
		xs, ys, js := make([]float64, N*n), make([]float64, M*n), make([]float64, N*M*n)
		for k, p := range pts {
			var x [N]float64
			var y [M]float64
			var jac [M * N]float64
			copy(x[:], p)
			FUNC(&x, &y, &jac)
			r.Single = append(r.Single, append(append([]float64{}, y[:]...), jac[:]...))
			for j, v := range p {
				xs[j*n+k] = v
			}
		}
		FUNCBatch(n, xs, ys, js)
		for k := range n {
			var row []float64
			for i := range M {
				row = append(row, ys[i*n+k])
			}
			for i := range M * N {
				row = append(row, js[i*n+k])
			}
			r.Batch = append(r.Batch, row)
		}
		var x [N]float64
		var y [M]float64
		var jac [M * N]float64
		copy(x[:], pts[0])
		r.Allocs = testing.AllocsPerRun(10, func() { FUNC(&x, &y, &jac); FUNCBatch(n, xs, ys, js) })
		out["FUNC"] = r
	}`

type result struct {
	Single, Batch [][]float64
	Allocs        float64
}

// A variant is a way to print and run generated code.
type variant struct {
	name string
	buildMode
	debug string // GODEBUG
	exact bool   // values are the interpreter's bit for bit
}

type buildMode struct {
	vector bool
	tags   string
}

var (
	plain     = buildMode{}
	assembled = buildMode{vector: true}
	variants  = []variant{
		{"Go", plain, "", true},
		{"vectors of this machine", assembled, "", false},
		{"AVX2", assembled, "cpu.avx512f=off", false},
		{"no AVX", assembled, "cpu.avx2=off,cpu.avx512f=off", true},
		{"no assembly", buildMode{true, "purego"}, "", true},
	}
)

func writeFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// compileAndRun builds the functions with the Go toolchain and evaluates them at the points.
func compileAndRun(t *testing.T, v buildMode, fns []gosrc.Function, points map[string][][]float64) map[string]result {
	t.Helper()
	return compile(t, v, fns)(t, "", points)
}

// compile builds the functions with the Go toolchain and returns what evaluates them at points.
func compile(t *testing.T, v buildMode, fns []gosrc.Function) func(t *testing.T, debug string, points map[string][][]float64) map[string]result {
	t.Helper()
	program := build(t, t.TempDir(), v, fns)
	return func(t *testing.T, debug string, points map[string][][]float64) map[string]result {
		t.Helper()
		return evaluate(t, program, debug, points)
	}
}

// evaluate runs a program that was built.
func evaluate(t *testing.T, program, debug string, points map[string][][]float64) map[string]result {
	t.Helper()
	var in, stderr bytes.Buffer // gob, unlike JSON, has infinities
	if err := gob.NewEncoder(&in).Encode(points); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Stdin = &in
	cmd.Env = append(os.Environ(), "GODEBUG="+debug)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var results map[string]result
	if err := gob.NewDecoder(bytes.NewReader(out)).Decode(&results); err != nil {
		t.Fatal(err)
	}
	return results
}

// build builds the functions with the Go toolchain in a directory and returns the program's path.
func build(t testing.TB, dir string, v buildMode, fns []gosrc.Function) string {
	t.Helper()
	var calls strings.Builder
	write := func(name string, data []byte) { writeFiles(t, dir, map[string]string{name: string(data)}) }
	for i, f := range fns {
		files, err := []gosrc.NamedFile(nil), error(nil)
		if stem := fmt.Sprintf("f%d", i); v.vector {
			files, err = gosrc.Files("main", stem, f)
		} else {
			files = []gosrc.NamedFile{{Name: stem + ".go"}}
			files[0].Content, err = gosrc.File("main", f)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file.Name, ".go") {
				if formatted, err := format.Source(file.Content); err != nil || !bytes.Equal(formatted, file.Content) {
					t.Errorf("%s of %s is not gofmt'd (%v)", file.Name, f.Name, err)
				}
			}
			write(file.Name, file.Content)
		}
		call := strings.NewReplacer("FUNC", gosrc.Identifier(f.Name), "N", fmt.Sprint(len(f.Program.Inputs)), "M", fmt.Sprint(f.Results[0].Len))
		calls.WriteString(call.Replace(harnessCall))
	}
	mod, sum := module("generated")
	write("go.mod", mod)
	write("go.sum", sum)
	write("main.go", []byte(strings.Replace(harness, "CALLS", calls.String(), 1)))
	var stderr bytes.Buffer
	build := exec.Command("go", "build", "-tags="+v.tags, "-o", "run", ".")
	build.Dir, build.Stderr = dir, &stderr
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if err := build.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return filepath.Join(dir, "run")
}

// TestGeneratedCodeEqualsInterpreter compiles the derivative of every task.
func TestGeneratedCodeEqualsInterpreter(t *testing.T) {
	var fns []gosrc.Function
	points := map[string][][]float64{}
	wants, bounds := map[string][][]float64{}, map[string][][]float64{}
	values := map[string]int{}
	rng := rand.New(rand.NewPCG(7, 8))
	for _, task := range tasks.All() {
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		var order []int
		if ref := tasks.Reference(task.Name); ref != nil && task.Name != "BlackScholes_Jacobian" {
			order = ref.Order // the other numbering of that task belongs to another trace
		}
		f := derivative(t, p, order)
		fns = append(fns, f)
		name := gosrc.Identifier(f.Name)
		values[name] = len(p.Outputs)
		for range 7 {
			x, err := task.Point(rng)
			if err != nil {
				t.Fatal(err)
			}
			want, bound, err := interp.Rounding(f.Program, x, 3)
			if err != nil {
				t.Fatal(err)
			}
			points[name], wants[name], bounds[name] = append(points[name], x), append(wants[name], want), append(bounds[name], bound)
		}
	}
	built := map[buildMode]func(*testing.T, string, map[string][][]float64) map[string]result{}
	for _, v := range variants {
		if built[v.buildMode] == nil {
			built[v.buildMode] = compile(t, v.buildMode, fns)
		}
		t.Run(v.name, func(t *testing.T) {
			for name, r := range built[v.buildMode](t, v.debug, points) {
				if r.Allocs != 0 {
					t.Errorf("%s allocates %v times", name, r.Allocs)
				}
				for k, want := range wants[name] {
					for i := range want {
						for form, got := range map[string]float64{"single": r.Single[k][i], "batch": r.Batch[k][i]} {
							if v.exact && i < values[name] {
								if got != want[i] {
									t.Errorf("%s %s, value %d: %v, interpreter %v", name, form, i, got, want[i])
								}
								continue
							}
							// Both evaluations err.
							if d := math.Abs(got - want[i]); !(d <= 2*bounds[name][k][i]) {
								t.Errorf("%s %s, result %d: %v, interpreter %v, bound %g", name, form, i, got, want[i], 2*bounds[name][k][i])
							}
						}
					}
				}
			}
		})
	}
}

// countSource counts the binary operations of the first function in the syntax tree.
func countSource(t testing.TB, src []byte) (mul, add, div int64) {
	file, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if b, ok := n.(*ast.BinaryExpr); ok {
				switch b.Op {
				case token.MUL:
					mul++
				case token.ADD, token.SUB:
					add++
				case token.QUO:
					div++
				}
			}
			return true
		})
		return mul, add, div
	}
	t.Fatal("no function")
	return
}

// TestOpsAreTheSourceOperations: the reported operation counts are those of the printed source.
func TestOpsAreTheSourceOperations(t *testing.T) {
	for _, task := range tasks.All() {
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		g, err := ad.Graph(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, order := range [][]int{elim.Forward(g), elim.Reverse(g), elim.Markowitz(g)} {
			src, err := gosrc.File("p", derivative(t, p, order))
			if err != nil {
				t.Fatal(err)
			}
			c, err := ad.CountOps(p, order)
			if err != nil {
				t.Fatal(err)
			}
			if mul, add, div := countSource(t, src); mul != c.Mul || add != c.Add || div != c.Div {
				t.Errorf("%s: source has %d mul, %d add, %d div; counted %v", task.Name, mul, add, div, c)
			}
		}
	}
}

func TestEveryLoweredOpHasAForm(t *testing.T) {
	b := ir.NewBuilder("all ops")
	n := 0
	for _, op := range ir.Ops() {
		if op.Class != ir.Elementwise {
			continue
		}
		args := make([]*ir.Value, op.Arity)
		for k := range args {
			args[k] = b.Input(fmt.Sprintf("%s %d", op, k))
		}
		b.Output(op.Name, ir.Apply(op, nil, args...))
		n++
	}
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	f := gosrc.Function{Name: "all", Program: p, Results: []gosrc.Result{{Name: "y", Len: n}, {Name: "jac", Len: 0}}}
	x := make([]float64, len(p.Inputs))
	for i := range x {
		if x[i] = 0.3 + 0.01*float64(i); strings.HasPrefix(p.Nodes[p.Inputs[i]].Name, "acosh") {
			x[i] = 1.5
		} else if x[i] >= 1 || strings.HasPrefix(p.Nodes[p.Inputs[i]].Name, "a") {
			x[i] = 0.4
		}
	}
	want, err := interp.EvalScalar(p, x)
	if err != nil {
		t.Fatal(err)
	}
	// The harness wants an N by M Jacobian: give it the outputs of the derivative instead.
	g := derivative(t, p, nil)
	jac, err := interp.EvalScalar(g.Program, x)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gosrc.File("p", f); err != nil {
		t.Fatal(err)
	}
	r := compileAndRun(t, plain, []gosrc.Function{g}, map[string][][]float64{"AllOpsJacobian": {x}})["AllOpsJacobian"]
	for i, v := range jac {
		got := r.Single[0][i]
		if math.IsNaN(v) != math.IsNaN(got) || math.Abs(got-v) > 1e-13*math.Abs(v) {
			t.Errorf("%s: %v, interpreter %v", g.Program.Outputs[i].Name, got, v)
		}
	}
	if len(want) != n {
		t.Errorf("%d outputs, want %d", len(want), n)
	}
}

// TestHostileNames: whatever a graph file calls things, the source parses and has the asked-for signature.
func TestHostileNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.String()
		b := ir.NewBuilder(any.Draw(t, "name"))
		x := b.Input("in" + any.Draw(t, "input"))
		b.Output("out"+any.Draw(t, "output"), ir.Sin(x))
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		f := gosrc.Function{Name: p.Name, Doc: any.Draw(t, "doc"), Program: p, Results: []gosrc.Result{{Name: "y", Len: 1}}}
		src, err := gosrc.File("p", f)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
		if err != nil {
			t.Fatalf("%v\n%s", err, src)
		}
		funcs := 0
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				funcs++
				if !token.IsExported(fn.Name.Name) {
					t.Fatalf("function %q", fn.Name.Name)
				}
			}
		}
		if funcs != 2 {
			t.Fatalf("%d functions\n%s", funcs, src)
		}
	})
}

func TestIdentifier(t *testing.T) {
	for text, want := range map[string]string{"lighthouse": "Lighthouse", "RoeFlux_1d Jacobian": "RoeFlux1dJacobian", "kerr-sen": "KerrSen", "3d": "F3d", "": "F", "func": "Func", "ä\n": "F"} {
		if got := gosrc.Identifier(text); got != want {
			t.Errorf("Identifier(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	p, err := ir.Parse("program p\ninput x [2]\ny = sin(x)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	q, err := ir.Parse("program p\ninput x []\ny = sin(x)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	y := []gosrc.Result{{Name: "y", Len: 1}}
	for name, c := range map[string]struct {
		pkg, want string
		f         []gosrc.Function
	}{
		"array":   {"p", "ir.Scalarize", []gosrc.Function{{Name: "f", Program: p, Results: y}}},
		"package": {"my pkg", "no Go identifier", []gosrc.Function{{Name: "f", Program: q, Results: y}}},
		"results": {"p", "results take 2 outputs, the program has 1", []gosrc.Function{{Name: "f", Program: q, Results: []gosrc.Result{{Name: "y", Len: 2}}}}},
		"taken":   {"p", "taken", []gosrc.Function{{Name: "f", Program: q, Results: []gosrc.Result{{Name: "x", Len: 1}}}}},
		"twice":   {"p", "two functions", []gosrc.Function{{Name: "f", Program: q, Results: y}, {Name: "F", Program: q, Results: y}}},
	} {
		if _, err := gosrc.File(c.pkg, c.f...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to say %q", name, err, c.want)
		}
	}
}

// TestForm: a signature of the caller's own types, with results that are constant.
func TestForm(t *testing.T) {
	p, err := ir.Trace("f", []string{"a", "b"}, nil, func(in []*ir.Value) []*ir.Value {
		b := in[0].Builder()
		return []*ir.Value{ir.Mul(in[0], in[1]), ir.Const(b, 0), ir.Const(b, 3)}
	})
	if err != nil {
		t.Fatal(err)
	}
	f := gosrc.Function{Name: "f_1", Doc: "multiplies", Program: p, Form: &gosrc.Form{
		Params: "p point", Results: "y [3]float64", In: []string{"p.X", "p.Y"}, Out: []string{"y[0]", "y[1]", "y[2]"},
		Doc: []string{"It has a point."}, NoBatch: true}}
	src, err := gosrc.File("p", f)
	if err != nil {
		t.Fatal(err)
	}
	want := "// f_1 multiplies.\n//\n// It has a point.\nfunc f_1(p point) (y [3]float64) {\n\tv0 := p.X\n\tv1 := p.Y\n\tv2 := v0 * v1\n\ty[0] = v2\n\ty[2] = 3\n\treturn\n}\n"
	if !strings.HasSuffix(string(src), want) {
		t.Errorf("got\n%s\nwant\n%s", src, want)
	}
	f.Form.In = f.Form.In[1:]
	if _, err := gosrc.File("p", f); err == nil {
		t.Error("an expression is missing")
	}
}
