package gosource

import (
	"go/ast"
	"go/parser"
	"maps"
	"os"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// FuzzRead: no source makes reading panic, and what is read is a legal program that evaluates.
func FuzzRead(f *testing.F) {
	for _, c := range refusals {
		f.Add(refusalHeader + c.body)
	}
	whole, err := os.ReadFile(funcsFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(whole) + "\nfunc elsewhere(x float64) float64 { return x }\n")
	f.Add("package p\nfunc F(x, y float64) (a [2]float64) {\n\tfor i := range a {\n\t\tif x > y { continue }\n\t\tif x < 0 { break }\n\t\ta[i] += x\n\t}\n\treturn\n}\n")
	x := newTexts(f)
	x.l.limits = limits{1 << 12, 1 << 11, 1 << 12}
	f.Fuzz(func(t *testing.T, src string) {
		// A loader keeps what it has read; the packages it has found are enough.
		fresh := texts{newLoader()}
		fresh.l.listed, fresh.l.loaded, fresh.l.bySelf, fresh.l.limits = x.l.listed, x.l.loaded, maps.Clone(x.l.bySelf), x.l.limits
		file, err := parser.ParseFile(fresh.l.fset, "f.go", src, parser.SkipObjectResolution)
		if err != nil {
			return
		}
		for _, imp := range file.Imports {
			if imp.Path.Value != `"math"` {
				return // the go command is not asked here
			}
		}
		for _, d := range file.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok || d.Recv != nil {
				continue
			}
			fn, err := fresh.read(src, d.Name.Name)
			if err != nil {
				continue
			}
			if err := ir.Verify(fn.Program); err != nil {
				t.Fatal(err)
			}
			at := make([]float64, len(fn.Program.Inputs))
			for i := range at {
				at[i] = float64(i%5) - 1.5
			}
			if _, err := interp.EvalScalar(fn.Program, at); err != nil {
				t.Fatal(err)
			}
			size := 0
			for _, p := range fn.Params {
				size += p.Layout.Size()
			}
			if size != len(at) {
				t.Fatalf("%d numbers in the parameters, %d inputs", size, len(at))
			}
		}
	})
}
