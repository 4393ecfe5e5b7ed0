package gosource

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A writer writes random functions: branches on data with returns, breaks and continues in loops, calls, arrays and truth
// values.
type writer struct {
	*rand.Rand
	strings.Builder
	loops  []string // labels of those around the present statement
	labels int
}

func (w *writer) pick(list ...string) string { return list[w.IntN(len(list))] }

func (w *writer) place() string {
	return w.pick("a", "b", "c", "w[0]", "w[1]", "w[2]", "*p", "s.X", "s.Y")
}

func (w *writer) number(depth int) string {
	if depth == 0 {
		return w.pick(w.place(), w.place(), "x", "y", "0.5", "-1.25", "float64(n)")
	}
	a, b := w.number(depth-1), w.number(depth-1)
	switch w.IntN(8) {
	case 0:
		return "(" + a + " + " + b + ")"
	case 1:
		return "(" + a + " - " + b + ")"
	case 2:
		return "math.Sin(" + a + ")"
	case 3:
		return "math.Tanh(" + a + " * " + b + ")"
	case 4:
		return "max(" + a + ", " + b + ")"
	case 5:
		return "half(" + a + ", " + b + ")"
	case 6:
		return "-(" + a + ")"
	}
	return a
}

func (w *writer) condition(depth int) string {
	if depth > 0 && w.IntN(3) == 0 {
		return w.pick("!", "") + "(" + w.condition(depth-1) + w.pick(" && ", " || ", " == ") + "(" + w.condition(depth-1) + "))"
	}
	if w.IntN(6) == 0 {
		return w.pick("ok", "!ok", "n > 1", "n != 2")
	}
	return w.number(1) + w.pick(" < ", " <= ", " > ", " >= ", " == ", " != ") + w.number(0)
}

func (w *writer) block(depth int) {
	w.WriteString("{\n")
	for range 1 + w.IntN(3) {
		w.statement(depth)
	}
	w.WriteString("}")
}

func (w *writer) statement(depth int) {
	kind := w.IntN(14)
	if depth == 0 {
		kind = w.IntN(4)
	}
	switch kind {
	case 0, 1:
		fmt.Fprintf(w, "%s %s %s\n", w.place(), w.pick("=", "+=", "-=", "="), w.number(2))
	case 2:
		fmt.Fprintf(w, "%s, %s = %s, %s\n", "a", w.pick("b", "c", "w[1]", "*p"), w.number(1), w.number(1))
	case 3:
		fmt.Fprintf(w, "ok = %s\n", w.condition(1))
	case 4, 5, 6:
		fmt.Fprintf(w, "if %s ", w.condition(1))
		w.block(depth - 1)
		if w.IntN(2) == 0 {
			w.WriteString(" else ")
			w.block(depth - 1)
		}
		w.WriteString("\n")
	case 7:
		fmt.Fprintf(w, "if %s { return %s }\n", w.condition(1), w.number(1))
	case 8, 9:
		label := fmt.Sprintf("l%d", w.labels)
		w.labels++
		w.loops = append(w.loops, label)
		fmt.Fprintf(w, "%s:\nfor i := range %d {\nif i < 0 { continue %s }\n", label, 1+w.IntN(3), label)
		for range 1 + w.IntN(3) {
			w.statement(depth - 1)
		}
		w.WriteString("}\n")
		w.loops = w.loops[:len(w.loops)-1]
	case 10:
		if len(w.loops) > 0 {
			fmt.Fprintf(w, "if %s { %s %s }\n", w.condition(1), w.pick("break", "continue"), w.pick("", w.pick(w.loops...)))
		}
	case 11:
		fmt.Fprintf(w, "switch {\ncase %s:\n", w.condition(1))
		w.statement(depth - 1)
		fmt.Fprintf(w, "case %s:\n", w.condition(0))
		w.statement(depth - 1)
		if w.IntN(2) == 0 {
			w.WriteString("if " + w.condition(0) + " { break }\n")
		}
		w.statement(depth - 1)
		w.WriteString("default:\n")
		w.statement(depth - 1)
		w.WriteString("}\n")
	case 12:
		fmt.Fprintf(w, "for k := 0; k < %d; k++ {\n%s += %s * float64(k)\n}\n", w.IntN(4), w.place(), w.number(1))
	case 13:
		fmt.Fprintf(w, "change(%s, %s)\n", w.pick("w[:]", "w[1:]", "[]float64{x, y}"), w.number(1))
	}
}

const randomHeader = `package main

import "math"

type pair struct{ X, Y float64 }

func half(a, b float64) float64 {
	if a > b {
		return a / 2
	}
	if a < -1 {
		a = math.Cos(b)
	}
	return a + b/2
}

func change(s []float64, by float64) {
	for i := range s {
		if s[i] > 1 {
			return
		}
		s[i] += by
		if by < 0 {
			continue
		}
		s[i] /= 2
	}
}
`

const randomMain = `package main

import (
	"encoding/json"
	"os"
)

func main() {
	var points [][2]float64
	json.NewDecoder(os.Stdin).Decode(&points)
	var out [][]float64
	for _, f := range []func(x, y float64) float64{FUNCTIONS} {
		var row []float64
		for _, p := range points {
			row = append(row, f(p[0], p[1]))
		}
		out = append(out, row)
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
`

// TestRandomFunctions compiles random functions and compares them with their programs.
func TestRandomFunctions(t *testing.T) {
	const count = 120
	w := &writer{Rand: rand.New(rand.NewPCG(11, 12))}
	w.WriteString(randomHeader)
	var names []string
	for k := range count {
		names = append(names, fmt.Sprintf("f%d", k))
		fmt.Fprintf(w, "\nfunc f%d(x, y float64) float64 {\na, b, c := x, y, x*y\nw := [3]float64{y, x, 1}\nv := 0.25\np, s, n, ok := &v, pair{x, -y}, 2, false\n", k)
		for range 4 + w.IntN(6) {
			w.statement(3)
		}
		w.WriteString("if ok && n > 0 { return a }\nreturn a + b*c + w[0] - w[1] + w[2]*v + s.X - s.Y + *p\n}\n")
	}
	source := w.String()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module random\n\ngo 1.26\n", "f.go": source,
		"main.go": strings.Replace(randomMain, "FUNCTIONS", strings.Join(names, ", "), 1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var points [][2]float64
	for range 20 {
		points = append(points, [2]float64{4*w.Float64() - 2, 4*w.Float64() - 2})
	}
	points = append(points, [2]float64{0, 0}, [2]float64{1, 1}, [2]float64{-1.25, 0.5})
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
	var want [][]float64
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	l := newLoader()
	file := filepath.Join(dir, "f.go")
	p, err := l.source(file)
	if err != nil {
		t.Fatal(err)
	}
	nodes, compared := 0, 0
	for k, name := range names {
		f, err := l.read(p, file, name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		nodes += len(f.Program.Nodes)
		g, err := ad.Graph(f.Program)
		if err != nil {
			t.Fatal(err)
		}
		order := g.Eliminable()
		w.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		if len(order) > 120 {
			order = nil // random orders of large graphs are dear
		}
		jac, err := ad.Jacobian(f.Program, order)
		if err != nil {
			t.Fatal(err)
		}
		eval := func(p *ir.Program) func(x []float64) []float64 {
			return func(x []float64) []float64 {
				y, err := interp.EvalScalar(p, x)
				if err != nil {
					t.Fatal(err)
				}
				return y
			}
		}
		for i, x := range points[:4] {
			d := eval(jac)(x[:])
			for j := range x {
				want, smooth := differences(eval(f.Program), x[:], j)
				if smooth {
					compared++
				}
				if smooth && !near(d[j], want[0], 1e-5) {
					t.Errorf("%s, point %d: derivative %d is %v, differences give %v", name, i, j, d[j], want[0])
				}
			}
		}
		for i, x := range points {
			got := eval(f.Program)(x[:])
			if !near(got[0], want[k][i], 1e-12) {
				body := source[strings.Index(source, "func "+name+"("):]
				t.Fatalf("%s%v = %v, the function gives %v\n%s", name, x, got[0], want[k][i], body[:strings.Index(body, "\n}\n")])
			}
		}
	}
	t.Logf("%d functions, %d nodes, %d derivatives compared", count, nodes, compared)
	if compared < count {
		t.Errorf("only %d derivatives were compared", compared)
	}
}
