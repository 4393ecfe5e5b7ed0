package peers

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

const root = "../.."

// taskProblem is a task with its derivative in reverse order.
func taskProblem(t testing.TB, name string) Problem {
	t.Helper()
	task, err := tasks.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := task.Program()
	if err != nil {
		t.Fatal(err)
	}
	g, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	d, err := ad.ValueAndJacobian(p, elim.Reverse(g))
	if err != nil {
		t.Fatal(err)
	}
	problem := Problem{Name: name, Value: p, Derivative: d}
	rng := rand.New(rand.NewPCG(1, 2))
	for range Points {
		x, err := task.Point(rng)
		if err != nil {
			t.Fatal(err)
		}
		problem.Points = append(problem.Points, x)
	}
	return problem
}

// forward is the reference: the interpreter on the derivative by forward order.
func forward(t testing.TB, p Problem, batch int) [][]float64 {
	t.Helper()
	g, err := ad.Graph(p.Value)
	if err != nil {
		t.Fatal(err)
	}
	d, err := ad.ValueAndJacobian(p.Value, elim.Forward(g))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]float64
	for _, k := range Shown(batch) {
		y, err := interp.EvalScalar(d, p.Points[k%Points])
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, y)
	}
	return rows
}

func build(t testing.TB, problems ...Problem) *Build {
	t.Helper()
	env, err := Find(context.Background(), root, false)
	if err != nil {
		t.Fatal(err)
	}
	env.Python = "" // tests do without
	b, err := env.Make(context.Background(), t.TempDir(), problems, Flags{C: []string{"-O1"}, Fast: []string{"-ffast-math"}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// exercise compares the results of everything a worker offers and times a turn.
func exercise(t *testing.T, w Worker, p Problem, batches []int, types ...Type) (methods []string) {
	t.Helper()
	for _, typ := range types {
		for _, batch := range batches {
			at := At{p.Name, typ, batch}
			var err error
			if methods, _, err = w.Methods(at); err != nil {
				t.Fatal(err)
			}
			want := forward(t, p, batch)
			for _, m := range methods {
				got, err := w.Results(m, at)
				if err != nil {
					t.Fatal(err)
				}
				tolerance := Tolerance(m, typ)
				if d, err := Difference(got, want); err != nil || !(d <= tolerance) {
					t.Errorf("%s, %s, batch %d: differs by %g, allowed are %g; %v", m, typ, batch, d, tolerance, err)
				}
				if d, err := w.Time(m, at, 3); err != nil || d <= 0 {
					t.Errorf("%s: a turn of %v, %v", m, d, err)
				}
			}
		}
	}
	return methods
}

// TestWorkers: C where there is a compiler, and Go, with one thread and with two, compute what the interpreter does.
func TestWorkers(t *testing.T) {
	p, q := taskProblem(t, "Lighthouse"), taskProblem(t, "Hole")
	b := build(t, p, q)
	for _, threads := range []int{1, 2} {
		w, err := b.StartGo(context.Background(), threads)
		if err != nil {
			t.Fatal(err)
		}
		exercise(t, w, p, []int{1, 2, 7, 300}, Float32, Float64)
		if m := exercise(t, w, q, []int{5}, Float64); !slices.Contains(m, "ours") || !slices.Contains(m, "ours-scalar") {
			t.Errorf("methods %v", m)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if b.env.CC == "" {
			continue
		}
		if w, err = b.StartC(context.Background(), threads); err != nil {
			t.Fatal(err)
		}
		exercise(t, w, p, []int{1, 2, 7, 300}, Float64, Float32)
		if m := exercise(t, w, q, []int{5}, Float64); !slices.Equal(m, []string{"c", "c-fast"}) {
			t.Errorf("methods %v", m)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestBadRequests: a worker answers nonsense with an error and goes on.
func TestBadRequests(t *testing.T) {
	p := taskProblem(t, "Simple")
	b := build(t, p)
	ctx, cancel := context.WithCancel(context.Background())
	workers := []func(context.Context, int) (*Process, error){b.StartGo}
	if b.env.CC != "" {
		workers = append(workers, b.StartC)
	}
	for _, start := range workers {
		w, err := start(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range [][]any{{"dance"}, {"time"}, {"time", "ours", "Nothing", Float64, 1, 1}, {"time", "c", "Simple", Float64, 0, 1}, {"time", "ours", "Simple", Float64, 1, -5}, {"results", "ours", "Simple", "int", 1}, {"results", `"q`, "Simple", Float64, 1}} {
			if _, err := w.ask(bad[0].(string), bad[1:]...); err == nil || !strings.Contains(err.Error(), "cannot do") {
				t.Errorf("%v: error %v", bad, err)
			}
		}
		exercise(t, w, p, []int{2}, Float64)
	}
	w, err := b.StartGo(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	w.cmd.Wait()
	if _, _, err := w.Methods(At{"Simple", Float64, 1}); err != context.Canceled {
		t.Errorf("error %v after the end", err)
	}
}

// TestDeadWorker: the error tells what a worker said last.
func TestDeadWorker(t *testing.T) {
	w, err := start(context.Background(), "the worker", "sh", "-c", "echo no such thing >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	w.cmd.Wait()
	if _, _, err := w.Methods(At{"Simple", Float64, 1}); err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("error %v", err)
	}
}

// TestExportedPrograms: every task, exported and evaluated by Python's math module, gives what the interpreter gives.
func TestExportedPrograms(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("the project needs Python 3.11 or newer: ", err)
	}
	b := &Build{dir: t.TempDir()}
	var want [][]float64
	for _, name := range tasks.Names() {
		p := taskProblem(t, name)
		p.Points = p.Points[:3]
		b.problems = append(b.problems, p)
		for _, x := range p.Points {
			y, err := interp.EvalScalar(p.Value, x)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, y)
		}
	}
	if err := b.writeWork(); err != nil {
		t.Fatal(err)
	}
	out, err := run(context.Background(), "", python, filepath.Join(root, "experiments", "peers", "graph.py"), b.work())
	if err != nil {
		t.Fatal(err)
	}
	a := &answer{}
	for line := range strings.Lines(out) {
		a.Results = append(a.Results, strings.Fields(line))
	}
	got, err := a.numbers()
	if err != nil {
		t.Fatal(err)
	}
	if d, err := Difference(got, want); err != nil || d > 1e-13 {
		t.Errorf("difference %g, %v", d, err)
	}
}

// TestEveryOpInC: an op that is missing from the C table is named.
func TestEveryOpInC(t *testing.T) {
	for _, op := range ir.Ops() {
		if op.Class != ir.Elementwise {
			continue
		}
		b := ir.NewBuilder("op")
		var args []*ir.Value
		for i := range op.Arity {
			args = append(args, b.Input(string(rune('a'+i))))
		}
		attrs := &ir.Attrs{}
		if slices.Contains(op.Attrs, "n") {
			attrs.N = 3
		}
		b.Output("y", ir.Apply(op, attrs, args...))
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cValue(p); err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
}

func TestDifference(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2}, []float64{1, 2}, 0},
		{[]float64{inf, nan}, []float64{inf, nan}, 0},
		{[]float64{1, nan}, []float64{1, 2}, inf},
		{[]float64{1.5, 100}, []float64{1, 100}, 0.5},
		{[]float64{1e-9, 1000}, []float64{0, 1000}, 1e-9},
	} {
		if d, err := Difference([][]float64{c.a}, [][]float64{c.b}); err != nil || math.Abs(d-c.want) > 1e-12 && d != c.want {
			t.Errorf("%v and %v differ by %g, %v; want %g", c.a, c.b, d, err, c.want)
		}
	}
	if _, err := Difference([][]float64{{1}}, [][]float64{{1, 2}}); err == nil {
		t.Error("rows of unequal length are compared")
	}
	if s := Shown(65536); len(s) != 16 || s[0] != 0 || s[15] != 65535 {
		t.Errorf("shown %v", s)
	}
}

func TestRefusals(t *testing.T) {
	p := taskProblem(t, "Simple")
	env := &Environment{Root: root}
	ctx := context.Background()
	for want, change := range map[string]func(*Problem){
		"no identifier":           func(p *Problem) { p.Name = "a b" },
		"has 1 points":            func(p *Problem) { p.Points = p.Points[:1] },
		"expected values and Jac": func(p *Problem) { p.Derivative = p.Value },
	} {
		bad := p
		change(&bad)
		if _, err := env.Make(ctx, t.TempDir(), []Problem{bad}, Flags{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
	if _, err := Find(ctx, t.TempDir(), false); err == nil || !strings.Contains(err.Error(), "experiments/peers") {
		t.Errorf("error %v", err)
	}
}

// TestEnvironment: a Python environment that is missing, out of date, damaged or impossible is named with what to do.
func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	sources, err := filepath.Abs(filepath.Join(root, "experiments"))
	if err == nil {
		err = os.Symlink(sources, filepath.Join(dir, "experiments"))
	}
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	missing := func(install bool, want string) {
		t.Helper()
		e, err := Find(context.Background(), dir, install)
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(e.Missing, "\n"); e.Python != "" || !strings.Contains(all, want) {
			t.Errorf("python %q, missing %q; want %q", e.Python, all, want)
		}
	}
	missing(false, ".cache/peers is not made; alphagrad bench --peers makes it")
	write(".cache/peers/made-from", "older requirements")
	missing(false, ".cache/peers has no python; alphagrad bench --peers makes it")
	write(".cache/peers/bin/python", "#!/bin/sh\n")
	missing(false, ".cache/peers is out of date; alphagrad bench --peers makes it")
	t.Setenv("PYTHON", "no-such-python")
	missing(true, "no no-such-python on the PATH; install Python 3.11 or newer")
	write("python2", "#!/bin/sh\necho Python 3.11 or newer is needed >&2\nexit 1\n")
	t.Setenv("PYTHON", filepath.Join(dir, "python2"))
	missing(true, "cannot be installed into .cache/peers: exit status 1: Python 3.11 or newer is needed")
}

// FuzzAnswer: no answer of a worker makes the harness panic, and what is accepted is complete.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{`{"methods": ["c"], "refused": {"d": "why"}}`, `{"results": [["0x1p+0", "inf", "nan"]]}`, `{"nanoseconds": 12}`, `{"error": "no"}`, `{"nanoseconds": -1}`, `{}`, `[1]`, `{"results": [["x"]]}`, `{"nanoseconds": 1} 2`, "", `{"results": [null, [""]]}`} {
		f.Add("results", []byte(s))
		f.Add("time", []byte(s))
		f.Add("methods", []byte(s))
	}
	f.Fuzz(func(t *testing.T, kind string, line []byte) {
		a, err := parseAnswer(kind, line)
		if err != nil {
			return
		}
		switch kind {
		case "methods", "versions":
		case "time":
			if a.Nanoseconds == nil || *a.Nanoseconds < 0 {
				t.Errorf("%q is taken for a time", line)
			}
		case "results":
			rows, err := a.numbers()
			if err == nil && len(rows) != len(a.Results) {
				t.Errorf("%q: rows are lost", line)
			}
		default:
			t.Errorf("%q answers %q", line, kind)
		}
	})
}
