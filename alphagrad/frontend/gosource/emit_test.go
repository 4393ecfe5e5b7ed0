package gosource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// TestGeneratedFunctions compiles every kind of derivative of the functions of package funcs, in a copy of the package, and
// compares what they return with the interpreter: numbers of all arguments in, numbers of all results out.
func TestGeneratedFunctions(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"funcs/funcs.go", "funcs/other.go", "flat/flat.go"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(text))
	}
	write("go.mod", "module m\n\ngo 1.26\n")
	programs := map[string]func(p *ir.Program) (*ir.Program, error){
		"Jacobian": func(p *ir.Program) (*ir.Program, error) { return ad.ValueAndJacobian(p, nil) },
		"JVP":      ad.JVP,
		"VJP":      ad.VJP,
		"Hessian":  func(p *ir.Program) (*ir.Program, error) { return ad.Hessian(p, nil) },
	}
	rng := rand.New(rand.NewPCG(21, 22))
	points, wants := map[string][]float64{}, map[string][]float64{}
	var table strings.Builder
	l := newLoader()
	source := filepath.Join(dir, "funcs", "funcs.go")
	p, err := l.source(source)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		f, err := l.read(p, source, s.name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		file := "funcs/" + strings.ToLower(f.base()) + "_jacobian.go"
		code, err := f.Generate(Emission{Path: filepath.Join(dir, file), Emit: Kinds()})
		if err != nil {
			t.Fatal(err)
		}
		write(file, string(code))
		for _, suffix := range slices.Sorted(maps.Keys(programs)) {
			name := f.base() + suffix
			q, err := programs[suffix](f.Program)
			if err != nil {
				t.Fatal(err)
			}
			x := make([]float64, len(q.Inputs))
			for i := range x {
				x[i] = s.low + (s.high-s.low)*rng.Float64()
			}
			if wants[name], err = interp.EvalScalar(q, x); err != nil {
				t.Fatal(err)
			}
			points[name] = x
			fmt.Fprintf(&table, "%q: funcs.%s,\n", name, name)
		}
	}
	write("main.go", strings.Replace(emitMain, "TABLE", table.String(), 1))
	in, err := json.Marshal(points)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", ".")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, stderr.String())
	}
	var got map[string][]float64
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range wants {
		if len(got[name]) != len(want) {
			t.Errorf("%s returns %d numbers, want %d", name, len(got[name]), len(want))
			continue
		}
		for i := range want {
			if !near(got[name][i], want[i], 1e-12) {
				t.Errorf("%s: number %d is %v, want %v", name, i, got[name][i], want[i])
			}
		}
	}
}

const emitMain = `package main

import (
	"encoding/json"
	"os"

	"m/flat"
	"m/funcs"
)

func main() {
	var points map[string][]float64
	json.NewDecoder(os.Stdin).Decode(&points)
	out := map[string][]float64{}
	for name, f := range map[string]any{
		TABLE} {
		out[name] = flat.Call(f, points[name])
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}
`
