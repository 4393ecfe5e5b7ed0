package gosource

import (
	"go/ast"
	"go/parser"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
)

// texts reads functions from a text, as a package of its own that may import math.
type texts struct{ l *loader }

func newTexts(t testing.TB) texts {
	t.Helper()
	l := newLoader()
	if _, err := l.source(funcsFile); err != nil {
		t.Fatal(err)
	}
	l.limits = limits{1 << 16, 1 << 14, 1 << 16}
	return texts{l}
}

func (x texts) read(src, name string) (*Function, error) {
	file, err := parser.ParseFile(x.l.fset, "f.go", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, firstOf(err)
	}
	p := &pkg{listed: listed{ImportPath: "p", Name: "p", Dir: filepath.Dir(funcsFile)}, files: []*ast.File{file}}
	if errs := x.l.check(p); len(errs) > 0 {
		return nil, errs[0]
	}
	return x.l.read(p, "", name, Options{})
}

// refusals are functions without a reading, and what is said of them.
var refusals = []struct{ body, want string }{
	{"func F(x float64) float64 { return F(x/2) }", `f.go:3:36: recursion: F calls itself; write a loop`},
	{"func F(x float64) float64 { return g(x) }\nfunc g(x float64) float64 { return F(x) }", `f.go:4:36: recursion: F .*\(g is called at f.go:3:36\)`},
	{"func F(x float64) float64 { for { x++ } }", `f.go:3:\d+: not at an end after .*; loops must be bounded by constants`},
	{"func F(x float64) float64 { for x > 1 { x /= 2 }; return x }", `f.go:3:33: the loop's condition depends on the data; loop a constant number`},
	{"func F(x float64) float64 { go g(); return x }\nfunc g() {}", `f.go:3:29: go: not supported; call`},
	{"func F(x float64) float64 { defer g(); return x }\nfunc g() {}", `f.go:3:29: defer: not supported`},
	{"func F(x float64) float64 { c := make(chan float64); return x + <-c }", `f.go:3:34: make of a chan float64 is not supported`},
	{"func F(x float64) float64 { m := map[string]float64{}; return x + m[\"a\"] }", `f.go:3:34: maps are not supported; use an array or a struct`},
	{"func F(x float64) float64 { f := func() float64 { return x }; return f() }", `f.go:3:34: function literals are not supported; declare a function`},
	{"func F(x float64) float64 { f := g; return f(x) }\nfunc g(x float64) float64 { return x }", `f.go:3:34: functions as values`},
	{"func F(x float64) float64 { return g(x) }\nfunc g[T any](x T) T { return x }", `f.go:3:36: generic functions are not supported`},
	{"func F(x float32) float32 { return x }", `f.go:3:8: parameter x of type float32 is not supported; use float64`},
	{"func F(x float64, n int) float64 { return x }", `f.go:3:19: parameter n is of type int, which must be constant; write a function that calls`},
	{"func F(x []float64) float64 { return x[0] }", `f.go:3:8: the length of slice x is not known; use an array, or say //alphagrad:len x=N`},
	{"func F(x *[2]float64) float64 { x[0] = 1; return x[0] }", `f.go:3:33: this writes to parameter x, which the caller sees`},
	{"func F(x float64) {}", `f.go:3:1: F returns nothing`},
	{"func F() float64 { return 1 }", `f.go:3:1: F has no parameters of numbers`},
	{"func F(x float64) (float64, error) { return x, nil }", `f.go:3:1: result y2 of type error is not supported`},
	{"func F(x float64) float64 { k := 0; if x > 0 { k = 1 }; return [2]float64{1, 2}[k] }", `f.go:3:81: this depends on the data, since it was set under the condition at f.go:3:37`},
	{"func F(x float64) float64 { return float64(int(x)) }", `f.go:3:44: a number that depends on the data becomes an integer`},
	{"func F(x float64) float64 { return math.Floor(x) }", `f.go:3:36: math.Floor of data is not supported: it is a step`},
	{"func F(x float64) float64 { return math.Gamma(x) }", `f.go:3:36: math.Gamma of data`},
	{"func F(x float64) float64 { return math.J0(x) }", `f.go:3:36: math.J0 is not supported; supported: .*Abs`},
	{"func F(x float64) float64 { return math.Erfc(x) }", `write 1 - math.Erf\(x\)`},
	{"func F(x float64) float64 { if x < 0 { panic(\"negative\") }; return x }", `f.go:3:40: panic is reached, or would be for some data; check arguments before`},
	{"var v = 2.0\nfunc F(x float64) float64 { v = 3; return x * v }", `f.go:4:29: package variable v is assigned somewhere`},
	{"var V = 2.0\nfunc F(x float64) float64 { return x * V }", `f.go:4:40: package variable V is exported`},
	{"var w = []float64{1}\nfunc F(x float64) float64 { s := w; s[0] = x; return x }", `f.go:4:37: this writes to package variable w`},
	{"func F(x float64) float64 { i := 3; a := [2]float64{}; return x + a[i] }", `f.go:3:69: index 3 is out of range: there are 2`},
	{"func F(x float64) float64 { n := 0; return x * float64(1/n) }", `f.go:3:57: integer division by zero`},
	{"func F(x float64) float64 { var p *float64; return x + *p }", `f.go:3:56: a nil pointer is followed`},
	{"func F(x float64) float64 { a := []float64{}; a = append(a, x); return a[0] }", `f.go:3:51: append is not supported; make the slice`},
	{"func F(x float64) float64 { goto end; end: return x }", `f.go:3:29: goto is not supported`},
	{"func F(x float64) float64 { switch { case x > 0: fallthrough; default: x = 2 }; return x }", `f.go:3:50: fallthrough is not supported`},
	{"func F(x float64) float64 { var i any = x; return i.(float64) }", `f.go:3:(29|33): a value of type any is not supported|f.go:3:51: interfaces are not supported`},
	{"func F(x float64) float64 { return real(complex(x, 1)) }", `f.go:3:(36|41): .*not supported`},
	{"func F(x float64) float64 { var a [1 << 40]float64; return x + a[0] }", `f.go:3:33: an array of 1099511627776 elements; at most`},
	{"func F(x [1 << 40]float64) float64 { return x[0] }", `f.go:3:8: parameter x has 1099511627776 elements; at most`},
	{"func F(x float64) float64", `f.go:3:(1|6): .*(no body|missing function body)`},
	{"func F(x ...float64) float64 { return x[0] }", `f.go:3:1: a variable number of parameters`},
	{"func F[T float64](x T) T { return x }", `f.go:3:1: generic functions`},
	{"func F(x float64) float64 { return y }", `f.go:3:36: undefined: y`},
	{"func F(x float64) float64 { return x", `f.go:\d+:\d+: expected`},
	{"func G(x float64) float64 { return x }", `declares no function "F"; it declares G|declares no function "F".*G`},
	{"func F(x float64) float64 { for range 1 << 30 { }; return x }", `steps; loops must be bounded`},
}

const refusalHeader = "package p\nimport \"math\"; const _ = math.Pi\n"

// TestRefusals: what has no reading is named with its position and what to do.
func TestRefusals(t *testing.T) {
	x := newTexts(t)
	for _, c := range refusals {
		_, err := x.read(refusalHeader+c.body, "F")
		if err == nil {
			t.Errorf("%s\nis accepted", c.body)
			continue
		}
		if !regexp.MustCompile(c.want).MatchString(err.Error()) {
			t.Errorf("%s\n  %v\n  does not match %s", c.body, err, c.want)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", c.body, err)
		}
	}
}

// TestBadPackages: files that are not there, do not type-check or cannot be written to.
func TestBadPackages(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("go.mod", "module m\n\ngo 1.26\n")
	refused := func(want string, err error) {
		t.Helper()
		if err == nil || !regexp.MustCompile(want).MatchString(err.Error()) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	good := write("good/f.go", "package good\n\nimport \"m/vec\"\n\ntype point struct{ X, Y float64 }\n\nfunc F(x float64) float64 { return vec.Norm(x, 1) }\n\nfunc P(p point) float64 { return p.X * p.Y }\n\n"+
		"func Q(p vec.Pair) float64 { return p.A * p.B }\n\nfunc User() float64 { _, j := FJacobian(2); return j[0] }\n")
	write("vec/vec.go", "// Package vec is imported.\npackage vec\n\nimport \"math\"\n\ntype Pair struct{ A, B float64 }\n\nfunc Norm(x, y float64) float64 { return math.Sqrt(x*x + y*y) }\n")
	// User uses what is only about to be generated.
	f, err := Read(good, "F", Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "good", "f_jacobian.go")
	code, err := f.Generate(Emission{Path: out})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(code), "func FJacobian(x float64) (y float64, jac [1]float64) {") {
		t.Errorf("%s", code)
	}
	// Generating again, over a stale file that does not type-check any more.
	write("good/f_jacobian.go", gosrc.Generated+" DO NOT EDIT.\n\npackage good\n\nfunc FJacobian(x gone) (y, z int) { return 1.5 }\n")
	if f, err = Read(good, "F", Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Generate(Emission{Path: out}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(out); err != nil {
		t.Fatal(err)
	}
	_, err = f.Generate(Emission{Path: out, Emit: []string{"jacobien"}})
	refused(`unknown derivative "jacobien"; did you mean "jacobian"\?; known: jacobian, jvp`, err)
	_, err = f.Generate(Emission{Path: out, Emit: []string{"vjp", "vjp"}})
	refused(`derivative vjp is asked for twice`, err)
	_, err = f.Generate(Emission{Path: out, Package: "other"})
	refused(`--package other: .* holds package good`, err)
	_, err = f.Generate(Emission{Path: filepath.Join(dir, "good", "out.txt")})
	refused(`must end in .go`, err)
	_, err = f.Generate(Emission{Path: filepath.Join(dir, "nowhere", "f.go")})
	refused(`nowhere: no such file`, err)

	loose := t.TempDir()
	if err := os.WriteFile(filepath.Join(loose, "f.go"), []byte("package loose\n\ntype T struct{ A float64 }\n\nfunc F(t T) float64 { return t.A }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	lf, err := Read(filepath.Join(loose, ".", "f.go"), "F", Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = lf.Generate(Emission{Path: filepath.Join(dir, "f.go")})
	refused(`is in no module, so that .* cannot import its types`, err)

	clash := write("good/clash_test.go", "package good\n\nfunc FJacobianBatch() {}\n")
	_, err = f.Generate(Emission{Path: out})
	refused(`clash_test.go:3:6 already declares FJacobianBatch, which would be generated; rename it`, err)
	os.Remove(clash)

	// Into another package: exported types are qualified, others cannot be.
	other := filepath.Join(dir, "other", "p.go")
	if err := os.Mkdir(filepath.Dir(other), 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := Read(good, "P", Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Generate(Emission{Path: other, Package: "other"})
	refused(`does not type-check in package other: .*point`, err)
	q, err := Read(good, "Q", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if code, err = q.Generate(Emission{Path: other, Package: "other"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(code), "package other\n\nimport \"m/vec\"\n") || !strings.Contains(string(code), "func QJacobian(p vec.Pair) (y float64, jac [2]float64) {") {
		t.Errorf("%s", code)
	}

	_, err = Read(write("bad/f.go", "package bad\n\nfunc F(x float64) float64 { return x + \"a\" }\n"), "F", Options{})
	refused(`bad.f.go:3:\d+: .*must type-check`, err)
	_, err = Read(write("syntax/f.go", "package syntax\n\nfunc F(x float64 float64 { return x }\n"), "F", Options{})
	refused(`syntax.f.go:3:\d+: `, err)
	_, err = Read(write("missing/f.go", "package missing\n\nimport \"nowhere.example/x\"\n\nfunc F(x float64) float64 { return x + x.Y }\n"), "F", Options{})
	refused(`missing.f.go:3:8: could not import nowhere.example/x`, err)
	_, err = Read(write("bad/f_test.go", "package bad\n"), "F", Options{})
	refused(`f_test.go is no part of its package here`, err)
	_, err = Read(write("tagged/f.go", "//go:build never\n\npackage tagged\n\nfunc F(x float64) float64 { return x }\n"), "F", Options{})
	refused(`tagged`, err)
	_, err = Read(filepath.Join(dir, "nofile.go"), "F", Options{})
	refused(`nofile.go: no such file`, err)
	_, err = Read(filepath.Join(dir, "good"), "F", Options{})
	refused(`is a directory`, err)
	_, err = Read(good, "Fx", Options{})
	refused(`declares no function "Fx"; did you mean "F"\?; it declares F, P, Q, User`, err)
}
