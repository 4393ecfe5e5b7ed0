package peers

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
)

var moduleLine = regexp.MustCompile(`(?m)^module .*$`)

// makeGo generates and compiles the Go worker, in a module that has the same requirements as ours.
func (b *Build) makeGo(ctx context.Context) error {
	dir := filepath.Join(b.dir, "go")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(b.env.Root, "go.mod"))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(b.env.Root, "go.sum"))
	if err != nil {
		return err
	}
	files := map[string][]byte{"go.mod": moduleLine.ReplaceAll(mod, []byte("module speed")), "go.sum": sum}
	var table strings.Builder
	for _, p := range b.problems {
		generated, filled, err := goSources(p)
		if err != nil {
			return fmt.Errorf("problem %s: %w", p.Name, err)
		}
		maps.Copy(files, generated)
		table.WriteString(goRow(p, filled))
	}
	files["main.go"] = []byte(strings.NewReplacer("POINTS", fmt.Sprint(Points), "TABLE", table.String()).Replace(goMain))
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	b.golang = filepath.Join(b.dir, "go-worker")
	return bench.Build(ctx, dir, b.golang)
}

// goSources prints the derivative with vector kernels, with them in compact form, and without, and, for finite
// differences, the function. filled are the places of the entries of the compact form.
func goSources(p Problem) (files map[string][]byte, filled []int, err error) {
	m := len(p.Value.Outputs)
	results := func(entries int) []gosrc.Result {
		return []gosrc.Result{{Name: "y", Len: m}, {Name: "jac", Len: entries}}
	}
	all := m * len(p.Value.Inputs)
	function := gosrc.Function{Name: p.Name, Program: p.Derivative, Results: results(all), Derivatives: all}
	files = map[string][]byte{}
	vector := func(stem string, f gosrc.Function) error {
		made, err := gosrc.Files("main", stem+"_"+p.Name+"_", f)
		for _, f := range made {
			files[f.Name] = f.Content
		}
		return err
	}
	if err := vector("vector", function); err != nil {
		return nil, nil, err
	}
	small, filled, err := gosrc.Compact(p.Derivative, m)
	if err != nil {
		return nil, nil, err
	}
	if err := vector("compact", gosrc.Function{Name: p.Name + "Compact", Program: small, Results: results(len(filled)), Derivatives: len(filled)}); err != nil {
		return nil, nil, err
	}
	function.Name += "Scalar"
	if files["scalar_"+p.Name+"_.go"], err = gosrc.File("main", function); err != nil {
		return nil, nil, err
	}
	files["value_"+p.Name+"_.go"], err = gosrc.File("main", gosrc.Function{Name: p.Name + "Value", Program: p.Value, Results: []gosrc.Result{{Name: "y", Len: m}}})
	return files, filled, err
}

// goRow is a problem's row in the worker's table.
func goRow(p Problem, filled []int) string {
	name, n, m := gosrc.Identifier(p.Name), len(p.Value.Inputs), len(p.Value.Outputs)
	var points strings.Builder
	for _, x := range p.Points {
		points.WriteString("{")
		for _, v := range x {
			points.WriteString(strconv.FormatFloat(v, 'x', -1, 64) + ", ")
		}
		points.WriteString("}, ")
	}
	places := strings.Trim(strings.ReplaceAll(fmt.Sprint(filled), " ", ", "), "[]")
	return strings.NewReplacer("PLACES", places, "COMPACT", gosrc.Identifier(p.Name+"Compact"), "FILLED", fmt.Sprint(len(filled)), "QUOTED", strconv.Quote(p.Name), "NAME", name, "VALUE", gosrc.Identifier(p.Name+"Value"), "SCALAR", gosrc.Identifier(p.Name+"Scalar"), "N", fmt.Sprint(n), "M", fmt.Sprint(m), "ENTRIES", fmt.Sprint(n*m), "SAMPLES", points.String()).Replace(`
	QUOTED: func() *problem {
		points := [...][N]float64{SAMPLES}
		var y [M]float64
		var jac [ENTRIES]float64
		var few [FILLED]float64
		return &problem{inputs: N, values: M, points: func(k int) []float64 { return points[k%len(points)][:] },
			forms: map[string]form{
				"ours": {batch: NAMEBatch, loop: func(calls int) (a, b []float64) {
					for i := range calls {
						NAME(&points[i%len(points)], &y, &jac)
					}
					return y[:], jac[:]
				}},
				"ours-compact": {batch: COMPACTBatch, at: []int{PLACES}, loop: func(calls int) (a, b []float64) {
					for i := range calls {
						COMPACT(&points[i%len(points)], &y, &few)
					}
					return y[:], few[:]
				}},
				"ours-scalar": {batch: SCALARBatch, loop: func(calls int) (a, b []float64) {
					for i := range calls {
						SCALAR(&points[i%len(points)], &y, &jac)
					}
					return y[:], jac[:]
				}},
			},
			value: func(y, x []float64) { VALUE((*[N]float64)(x), (*[M]float64)(y)) },
		}
	}(),`)
}

// goMain is the worker's main program; it answers the requests that experiments/peers/driver.c describes.
const goMain = `package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"gonum.org/v1/gonum/diff/fd"
	"gonum.org/v1/gonum/mat"
)

type problem struct {
	inputs, values int
	points         func(k int) []float64
	forms          map[string]form
	value          func(y, x []float64)
}

// A form is generated code for a problem.
type form struct {
	batch func(n int, x, y, jac []float64)
	loop  func(calls int) (y, jac []float64) // single samples, going round the points
	at    []int                              // row-major places of the entries that are written, nil: all
}

// dense puts the entries where they belong.
func (f form) dense(jac []float64, entries int) []float64 {
	if f.at == nil {
		return jac[:entries]
	}
	all := make([]float64, entries)
	for i, at := range f.at {
		all[at] = jac[i]
	}
	return all
}

var problems = map[string]*problem{TABLE
}

// A share is the part of a batch that one thread computes, with memory of its own.
type share struct {
	start, n  int
	x, y, jac []float64
}

var (
	threads int
	shares  []share
	filled  string // what the shares hold
	current func(n int, x, y, jac []float64)
	round   atomic.Int64
	done    atomic.Int64
)

func prepare(name string, p *problem, batch int) {
	if key := fmt.Sprint(name, batch); filled != key {
		filled = key
		used := threads
		if batch < threads {
			used = 1
		}
		for t := range shares {
			s := &shares[t]
			*s = share{}
			if t >= used {
				continue
			}
			s.start = batch * t / used
			s.n = batch*(t+1)/used - s.start
			s.x, s.y, s.jac = make([]float64, p.inputs*s.n), make([]float64, p.values*s.n), make([]float64, p.values*p.inputs*s.n)
			for k := range s.n {
				for j, v := range p.points(s.start + k) {
					s.x[j*s.n+k] = v
				}
			}
		}
		runtime.GC()
	}
}

func (s *share) compute() {
	if s.n > 0 {
		current(s.n, s.x, s.y, s.jac)
	}
}

// helper waits for rounds, spinning first: a turn has one every few microseconds.
func helper(t int) {
	for seen := int64(0); ; seen++ {
		for spins := 0; round.Load() == seen; spins++ {
			if spins > 100000 {
				time.Sleep(20 * time.Microsecond)
			}
		}
		shares[t].compute()
		done.Add(1)
	}
}

func compute() {
	if threads == 1 {
		shares[0].compute()
		return
	}
	done.Store(0)
	round.Add(1)
	shares[0].compute()
	for done.Load() < int64(threads-1) {
	}
}

// differences is gonum's Jacobian of every sample, after its value.
func differences(p *problem, batch, calls int, show func(k int, y, jac []float64)) {
	y, dst := make([]float64, p.values), mat.NewDense(p.values, p.inputs, nil)
	settings := &fd.JacobianSettings{Formula: fd.Forward, OriginValue: y}
	for c := range calls {
		for k := range batch {
			x := p.points(k + c)
			p.value(y, x)
			fd.Jacobian(dst, p.value, x, settings)
			if show != nil {
				show(k, y, dst.RawMatrix().Data)
			}
		}
	}
}

func answer(words []string) (map[string]any, error) {
	number := func(i int) (int, error) {
		if i >= len(words) {
			return 0, fmt.Errorf("a number is missing")
		}
		n, err := strconv.Atoi(words[i])
		if err == nil && n < 1 {
			err = fmt.Errorf("%d must be positive", n)
		}
		return n, err
	}
	if len(words) < 4 {
		return nil, fmt.Errorf("not a request")
	}
	at := 2
	if words[0] == "methods" {
		at = 1
	}
	p, ok := problems[words[at]]
	if !ok {
		return nil, fmt.Errorf("unknown problem")
	}
	batch, err := number(at + 2)
	if err != nil {
		return nil, err
	}
	double := words[at+1] == "float64"
	if !double && words[at+1] != "float32" { // beside single precision, ours goes on in double precision
		return nil, fmt.Errorf("unknown type")
	}
	if words[0] == "methods" {
		methods := []string{"ours", "ours-compact", "ours-scalar"}
		if double && threads == 1 {
			methods = append(methods, "gonum-fd")
		}
		return map[string]any{"methods": methods}, nil
	}
	f, generated := p.forms[words[1]]
	if !generated && words[1] != "gonum-fd" {
		return nil, fmt.Errorf("unknown method")
	}
	prepare(words[2], p, batch)
	current = f.batch
	switch words[0] {
	case "results":
		var rows [][]string
		next := 0
		show := func(k int, y, jac []float64) {
			shown := min(batch, 16)
			if want := next * (batch - 1) / max(1, shown-1); k != want || next == shown {
				return
			}
			next++
			var row []string
			for _, v := range append(append([]float64{}, y...), jac...) {
				row = append(row, strconv.FormatFloat(v, 'x', -1, 64))
			}
			rows = append(rows, row)
		}
		switch {
		case !generated:
			differences(p, batch, 1, show)
		case batch == 1:
			y, jac := f.loop(1)
			show(0, y, f.dense(jac, p.values*p.inputs))
		default:
			compute()
			y, jac := make([]float64, p.values), make([]float64, p.values*p.inputs)
			for _, s := range shares {
				for k := range s.n {
					for i := range y {
						y[i] = s.y[i*s.n+k]
					}
					for i := range jac {
						jac[i] = s.jac[i*s.n+k]
					}
					show(s.start+k, y, f.dense(jac, p.values*p.inputs))
				}
			}
		}
		return map[string]any{"results": rows}, nil
	case "time":
		calls, err := number(5)
		if err != nil {
			return nil, err
		}
		if threads > 1 { // a round of nothing wakes the helpers: Go's sleep may take a millisecond
			current = func(int, []float64, []float64, []float64) {}
			compute()
			current = f.batch
		}
		start := time.Now()
		switch {
		case !generated:
			differences(p, batch, calls, nil)
		case batch == 1:
			f.loop(calls)
		default:
			for range calls {
				compute()
			}
		}
		return map[string]any{"nanoseconds": time.Since(start).Nanoseconds()}, nil
	}
	return nil, fmt.Errorf("not a request")
}

func main() {
	threads, _ = strconv.Atoi(os.Args[1])
	runtime.GOMAXPROCS(threads)
	debug.SetGCPercent(-1) // nothing is collected while timing
	shares = make([]share, threads)
	for t := 1; t < threads; t++ {
		go helper(t)
	}
	out := json.NewEncoder(os.Stdout)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		reply, err := answer(strings.Fields(in.Text()))
		if err != nil {
			reply = map[string]any{"error": fmt.Sprintf("cannot do %q: %v", in.Text(), err)}
		}
		out.Encode(reply)
	}
}
`
