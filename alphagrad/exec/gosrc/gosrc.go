// Package gosrc prints programs of scalars as Go source: straight-line functions without allocation, one for a single
// sample and one that loops over a batch in structure-of-arrays layout.
package gosrc

import (
	"bytes"
	"fmt"
	"go/format"
	"go/token"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Result is a parameter that receives consecutive outputs of the program.
type Result struct {
	Name string // a Go identifier that generated code does not use itself
	Len  int    // how many outputs
}

// taken are the names generated code uses itself, besides numbered ones.
var taken = []string{"x", "n", "k", "b", "start", "size", "tile", "buffer", "math", "min", "copy", "clear", "float64", "int"}

// Function is one program to print.
type Function struct {
	Name    string // base name; any text, see [Identifier]
	Doc     string // first sentence after the function's name
	Program *ir.Program
	Results []Result // splits the outputs, in order; not read when there is a form without a batch
	Form    *Form    // of the single-sample function; nil: pointers to arrays, as [File] says
	// Derivatives is how many outputs, the last, are derivatives. Go code computes the others, the values, bit for bit as the
	// program says.
	Derivatives int
}

// Identifier makes an exported Go identifier of any text: its ASCII letters and digits in CamelCase. "kerr-sen metric"
// becomes KerrSenMetric; a text without letters gets the prefix F.
func Identifier(text string) string {
	var b strings.Builder
	upper := true
	for _, r := range text {
		letter := (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (r < '0' || r > '9') {
			upper = true
			continue
		}
		if b.Len() == 0 && !letter {
			b.WriteByte('F')
		}
		if upper && letter {
			r = rune(strings.ToUpper(string(r))[0])
		}
		upper = false
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return "F"
	}
	return b.String()
}

// A NamedFile is one file of generated code.
type NamedFile struct {
	Name    string
	Content []byte
}

// File prints gofmt'd Go source of package pkg with, for every function F of N inputs and results y (M outputs) and jac:
//
//	func F(x *[N]float64, y *[M]float64, jac *[M*N]float64)
//	func FBatch(n int, x, y, jac []float64)
//
// The batch form takes n samples in structure-of-arrays layout: x[j*n+k] is input j of sample k, results likewise; it
// panics when a slice is too short, as indexing does. Programs are finished first ([ir.Finish]), so the printed binary
// operations are those of [ir.Count]. Long programs are split into functions of some thousand statements. Functions keep
// no state: several goroutines may run them at once, each on slices of its own.
func File(pkg string, fns ...Function) ([]byte, error) {
	files, err := render(pkg, "", fns)
	if err != nil {
		return nil, err
	}
	return files[0].Content, nil
}

// Files is [File] with vector kernels for amd64, which are chosen when the program runs: AVX-512, AVX2, or, on other
// machines and with the build tag purego, the Go code alone. The files are stem.go, stem_amd64.go, stem_amd64.s and
// stem_noasm.go; they import golang.org/x/sys/cpu and nothing else that is not in the standard library.
//
// Kernels use fused multiply-add and functions of their own, so that results differ from those of the Go code by rounding;
// package vasm states the bounds. Inputs and results must not overlap.
func Files(pkg, stem string, fns ...Function) ([]NamedFile, error) { return render(pkg, stem, fns) }

// render prints the files, one of Go code alone if there is no stem.
func render(pkg, stem string, fns []Function) ([]NamedFile, error) {
	if !token.IsIdentifier(pkg) || pkg == "_" {
		return nil, fmt.Errorf("package name %q is no Go identifier", pkg)
	}
	var body bytes.Buffer
	used := &uses{helpers: map[string]bool{}}
	var v *vectors
	if stem != "" {
		v = &vectors{}
	}
	names := map[string]bool{}
	prefix := ""
	var imports []string
	for _, f := range fns {
		name := Identifier(f.Name)
		if f.Form != nil {
			name = f.Name
			imports = append(imports, f.Form.Imports...)
		}
		if names[name] || names[name+"Batch"] {
			return nil, fmt.Errorf("two functions would be called %s", name)
		}
		names[name], names[name+"Batch"] = true, f.batched()
		if prefix == "" {
			prefix = strings.ToLower(name[:1]) + name[1:]
		}
		if err := printFunction(&body, f, name, prefix, used, v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, h := range helperOrder {
		if used.helpers[h] {
			body.WriteString("\n" + strings.ReplaceAll(helperSource[h], "PREFIX", prefix))
		}
	}
	if used.math {
		imports = append(imports, "math")
	}
	slices.Sort(imports)
	src, err := source("", pkg, slices.Compact(imports), body.Bytes())
	if err != nil || v == nil {
		return []NamedFile{{stem + ".go", src}}, err
	}
	files, err := v.files(pkg, stem, prefix)
	return append([]NamedFile{{stem + ".go", src}}, files...), err
}

// Generated starts every file that alphagrad wrote; the command line overwrites no file without it.
const Generated = "// Code generated by alphagrad;"

const header = Generated + " DO NOT EDIT.\n\n"

// source is a formatted file.
func source(constraint, pkg string, imports []string, body []byte) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(header)
	if constraint != "" {
		fmt.Fprintf(&out, "//go:build %s\n\n", constraint)
	}
	fmt.Fprintf(&out, "package %s\n", pkg)
	for _, path := range imports {
		fmt.Fprintf(&out, "\nimport %q\n", path)
	}
	out.Write(body)
	src, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the generated source does not parse: %w", err)
	}
	return src, nil
}

// batched reports whether the function has a form for a batch.
func (f *Function) batched() bool { return f.Form == nil || !f.Form.NoBatch }

// finished is the program as it is printed, after checks.
func finished(f *Function) (*ir.Program, error) {
	p, err := ir.Finish(f.Program, f.Derivatives)
	if err != nil {
		return nil, err
	}
	if ok, first := p.IsScalar(); !ok {
		n := &p.Nodes[first]
		return nil, fmt.Errorf("node %q (%s) has shape %v; generated code is scalar, use ir.Scalarize first", p.DisplayNames()[first], n.Op, n.Shape)
	}
	if f.batched() {
		return p, checkResults(f.Results, len(p.Outputs))
	}
	f.Results = []Result{{"y", len(p.Outputs)}}
	return p, nil
}

// checkResults reports names that clash with those of generated code and lengths that do not add up.
func checkResults(results []Result, outputs int) error {
	total := 0
	for _, r := range results {
		if !token.IsIdentifier(r.Name) || slices.Contains(taken, r.Name) {
			return fmt.Errorf("result name %q is no identifier or taken", r.Name)
		}
		total += r.Len
	}
	if total != outputs {
		return fmt.Errorf("results take %d outputs, the program has %d", total, outputs)
	}
	return nil
}

func printFunction(w *bytes.Buffer, f Function, name, prefix string, used *uses, v *vectors) error {
	p, err := finished(&f)
	if err != nil {
		return err
	}
	e := &emitter{w: w, p: p, prefix: prefix, local: strings.ToLower(name[:1]) + name[1:], uses: used, results: f.Results}
	if !f.batched() {
		v = nil
	}
	if v != nil {
		if err = v.add(e, f.Form == nil); err != nil {
			return err
		}
	}
	e.long = e.statements() > maxStatements
	e.sample = e.local + "Portable"
	if v == nil && f.Form == nil {
		e.sample = name
	}
	if f.Form != nil {
		err = e.form(f, name)
	} else {
		fmt.Fprintf(w, "\n// %s %s\n//\n", name, sentence(f.Doc))
		e.describe(f)
		err = e.one(name, v != nil)
	}
	if err != nil || !f.batched() {
		return err
	}
	fmt.Fprintf(w, "\n// %sBatch does the same for n samples in structure-of-arrays layout: x[j*n+k] is input j of sample k,\n// results likewise.\n", name)
	fmt.Fprintf(w, "func %sBatch(n int, %s []float64) {\n", name, e.arguments())
	if v != nil {
		err = e.vectorBatch()
	} else {
		err = e.goBatch()
	}
	w.WriteString("}\n")
	return err
}

// one prints the function of one sample that takes pointers to arrays.
func (e *emitter) one(name string, vector bool) error {
	fmt.Fprintf(e.w, "func %s(%s) {\n", name, e.single())
	if !vector {
		return e.oneBody()
	}
	fmt.Fprintf(e.w, "if !%sOne(%s) {\n%s(%s)\n}\n}\n", e.local, e.arguments(), e.sample, e.arguments())
	return e.portable(name)
}

// portable prints the Go code behind a function.
func (e *emitter) portable(name string) error {
	fmt.Fprintf(e.w, "\n// %[1]s is the Go code of %[2]s.\nfunc %[1]s(%[3]s) {\n", e.sample, name, e.single())
	return e.oneBody()
}

// oneBody prints the statements for one sample and the end of the function, then the parts of a long one.
func (e *emitter) oneBody() error {
	if e.long {
		return e.parts()
	}
	err := e.body(func(j int) string { return fmt.Sprintf("x[%d]", j) }, func(r string, i int) string { return fmt.Sprintf("%s[%d]", r, i) }, false)
	e.w.WriteString("}\n")
	return err
}

// goBatch prints the body of a batch without vectors.
func (e *emitter) goBatch() error {
	e.cut()
	e.fill()
	if e.long {
		e.gather("0", "n")
		return nil
	}
	// Every row is sliced to length n once, so that the loop needs no bounds checks.
	e.rows(":n")
	return e.loop()
}

// vectorBatch prints the body of a batch that leaves the samples to a kernel, or to Go code where there is none.
func (e *emitter) vectorBatch() error {
	e.cut()
	fmt.Fprintf(e.w, "if %sVectors(n, %s) {\nreturn\n}\n", e.local, e.arguments())
	e.fill()
	fmt.Fprintf(e.w, "%[1]sSamples(n, 0, n, %[2]s)\n}\n", e.local, e.arguments())
	fmt.Fprintf(e.w, "\n// %[1]sSamples does some samples of a batch of n, except for rows that do not vary.\nfunc %[1]sSamples(n, first, end int, %[2]s []float64) {\n", e.local, e.arguments())
	if e.long {
		e.gather("first", "end")
		return nil
	}
	e.rows("first:end")
	e.w.WriteString("n = end - first\n")
	return e.loop()
}
