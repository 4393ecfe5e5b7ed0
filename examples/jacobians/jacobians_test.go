package jacobians

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/frontend/gosource"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// TestGeneratedFilesAreCurrent runs the go:generate lines on a copy of the package, in a module of its own, and compares.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	tool := filepath.Join(dir, "alphagrad.exe")
	if out, err := exec.Command("go", "build", "-o", tool, "../../cmd/alphagrad").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module jacobians\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	orders, err := filepath.Glob("*_order.json")
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	for _, name := range append(sources, orders...) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_jacobian.go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if args, ok := strings.CutPrefix(line, "//go:generate go run github.com/alphagrad/alphagrad-go/cmd/alphagrad "); ok {
				lines = append(lines, strings.Fields(strings.ReplaceAll(args, "$GOFILE", name)))
			}
		}
	}
	if len(lines) != 4 {
		t.Fatalf("%d go:generate lines", len(lines))
	}
	for _, args := range lines {
		cmd := exec.Command(tool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		name := args[len(args)-1]
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run go generate ./examples/...", name)
		}
	}
}

// A flat function takes and returns numbers in order, with its derivatives.
type flat struct {
	name     string // of the benchmark task with the same operations, "" where there is none
	source   string // FILE:FUNC
	n, m     int
	value    func(x []float64) []float64
	jacobian func(x []float64) (y, jac []float64)
	batch    func(n int, x, y, jac []float64)
}

func state(x []float64) Conserved        { return Conserved{x[0], x[1], x[2]} }
func numbers(c Conserved) []float64      { return []float64{c.Density, c.Momentum, c.Energy} }
func join(a, b [3]float64) (y []float64) { return append(append(y, a[:]...), b[:]...) }

var functions = []flat{
	{"RoeFlux_1d", "roe.go:RoeFlux", 6, 3,
		func(x []float64) []float64 { return numbers(RoeFlux(state(x), state(x[3:]))) },
		func(x []float64) (y, jac []float64) {
			v, j := RoeFluxJacobian(state(x), state(x[3:]))
			return numbers(v), rows(j[:])
		}, RoeFluxJacobianBatch},
	{"RobotArm_6DOF", "robot.go:HandPose", 6, 6,
		func(x []float64) []float64 { return join(HandPose([6]float64(x))) },
		func(x []float64) (y, jac []float64) {
			p, a, j := HandPoseJacobian([6]float64(x))
			return join(p, a), rows(j[:])
		}, HandPoseJacobianBatch},
	{"BlackScholes", "option.go:CallPrice", 5, 1,
		func(x []float64) []float64 { return []float64{CallPrice(x[0], x[1], x[2], x[3], x[4])} },
		func(x []float64) (y, jac []float64) {
			v, j := CallPriceJacobian(x[0], x[1], x[2], x[3], x[4])
			return []float64{v}, j[:]
		}, CallPriceJacobianBatch},
	{"", "limiter.go:Slopes", cells, cells,
		func(x []float64) []float64 { y := Slopes([cells]float64(x)); return y[:] },
		func(x []float64) (y, jac []float64) {
			v, j := SlopesJacobian([cells]float64(x))
			return v[:], rows(j[:])
		}, SlopesJacobianBatch},
}

func rows[R [5]float64 | [6]float64](j []R) (flat []float64) {
	for _, r := range j {
		for i := range len(r) {
			flat = append(flat, r[i])
		}
	}
	return flat
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*(1+math.Abs(b)) }

func (f flat) point(t *testing.T, rng *rand.Rand) []float64 {
	if f.name == "" {
		x := make([]float64, f.n)
		for i := range x {
			x[i] = rng.Float64()
		}
		return x
	}
	task, err := tasks.Lookup(f.name)
	if err != nil {
		t.Fatal(err)
	}
	x, err := task.Point(rng)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestJacobians compares values with the functions, Jacobians with their central differences, and batches with both.
func TestJacobians(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, f := range functions {
		const samples = 20
		xs, ys, js := make([]float64, f.n*samples), make([]float64, f.m*samples), make([]float64, f.n*f.m*samples)
		var values, jacobians [][]float64
		for k := range samples {
			x := f.point(t, rng)
			y, jac := f.jacobian(x)
			values, jacobians = append(values, y), append(jacobians, jac)
			for i, v := range f.value(x) {
				if !near(y[i], v, 1e-13) {
					t.Errorf("%s: value %d is %v, the function gives %v", f.source, i, y[i], v)
				}
			}
			for j := range x {
				const h = 1e-6
				xs[j*samples+k] = x[j]
				up, down := append([]float64{}, x...), append([]float64{}, x...)
				up[j] += h
				down[j] -= h
				a, b := f.value(up), f.value(down)
				for i := range a {
					if d := (a[i] - b[i]) / (2 * h); !near(jac[i*f.n+j], d, 1e-5*(1+math.Abs(y[i]))) {
						t.Errorf("%s: derivative %d,%d is %v, differences give %v", f.source, i, j, jac[i*f.n+j], d)
					}
				}
			}
		}
		f.batch(samples, xs, ys, js)
		for k := range samples {
			for i, v := range values[k] {
				if !near(ys[i*samples+k], v, 1e-13) {
					t.Errorf("%s: value %d of sample %d is %v in the batch, %v alone", f.source, i, k, ys[i*samples+k], v)
				}
			}
			for i, v := range jacobians[k] {
				if !near(js[i*samples+k], v, 1e-12) {
					t.Errorf("%s: derivative %d of sample %d is %v in the batch, %v alone", f.source, i, k, js[i*samples+k], v)
				}
			}
		}
	}
}

// TestSameAsTheTasks: the functions have the values of the benchmark tasks, and being written in the same operations, their
// vertices and the costs of their elimination orders.
func TestSameAsTheTasks(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, f := range functions {
		if f.name == "" {
			continue
		}
		p, err := tasks.ProgramOf(f.name)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			x := f.point(t, rng)
			want, err := interp.EvalScalar(p, x)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range f.value(x) {
				if !near(v, want[i], 1e-13) {
					t.Errorf("%s: value %d is %v, task %s gives %v", f.source, i, v, f.name, want[i])
				}
			}
		}
		file, name, _ := strings.Cut(f.source, ":")
		fn, err := gosource.Read(file, name, gosource.Options{})
		if err != nil {
			t.Fatal(err)
		}
		g, err := ad.Graph(p)
		if err != nil {
			t.Fatal(err)
		}
		mine, err := ad.Graph(fn.Program)
		if err != nil {
			t.Fatal(err)
		}
		if mine.Vertices() != g.Vertices() {
			t.Errorf("%s has %d vertices, task %s %d", f.source, mine.Vertices(), f.name, g.Vertices())
			continue
		}
		orders := [][]int{elim.Forward(g), elim.Reverse(g), elim.Markowitz(g)}
		if ref := tasks.Reference(f.name); ref != nil && g.CheckOrder(ref.Order) == nil {
			orders = append(orders, ref.Order)
		}
		for _, o := range orders {
			want, err := g.Muls(o)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := mine.Muls(o); err != nil || got != want {
				t.Errorf("%s: %d multiplications, task %s %d (%v)", f.source, got, f.name, want, err)
			}
		}
	}
}

// TestProducts: JVP and VJP are the Jacobian times a vector from either side.
func TestProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		x := functions[0].point(t, rng)
		l, r := state(x), state(x[3:])
		_, jac := RoeFluxJacobian(l, r)
		v := make([]float64, 9)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		y, dy := RoeFluxJVP(l, r, state(v), state(v[3:]))
		if y != RoeFlux(l, r) {
			t.Error("values differ")
		}
		_, dl, dr := RoeFluxVJP(l, r, state(v[6:]))
		back := append(numbers(dl), numbers(dr)...)
		for i, got := range numbers(dy) {
			want := 0.0
			for j := range 6 {
				want += jac[i][j] * v[j]
			}
			if !near(got, want, 1e-11) {
				t.Errorf("JVP %d: %v, want %v", i, got, want)
			}
		}
		for j, got := range back {
			want := 0.0
			for i := range 3 {
				want += jac[i][j] * v[6+i]
			}
			if !near(got, want, 1e-11) {
				t.Errorf("VJP %d: %v, want %v", j, got, want)
			}
		}
	}
}

// TestGreeks: the Hessian is symmetric and the difference quotient of the gradient.
func TestGreeks(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	f := functions[2]
	for range 20 {
		x := f.point(t, rng)
		_, grad, hess := CallPriceHessian(x[0], x[1], x[2], x[3], x[4])
		_, first := f.jacobian(x)
		for i := range x {
			if !near(grad[i], first[i], 1e-12) {
				t.Errorf("gradient %d: %v, want %v", i, grad[i], first[i])
			}
			const h = 1e-5
			up, down := append([]float64{}, x...), append([]float64{}, x...)
			up[i] += h
			down[i] -= h
			_, a := f.jacobian(up)
			_, b := f.jacobian(down)
			for j := range a {
				if d := (a[j] - b[j]) / (2 * h); !near(hess[i][j], d, 1e-6) || hess[i][j] != hess[j][i] {
					t.Errorf("Hessian %d,%d is %v, differences give %v", i, j, hess[i][j], d)
				}
			}
		}
	}
}

// TestGuardedDivision: on a flat profile the branch not taken divides 0 by 0.
func TestGuardedDivision(t *testing.T) {
	_, jac := SlopesJacobian([cells]float64{1, 1, 1, 1, 1, 1})
	if jac != [cells][cells]float64{} {
		t.Errorf("%v, want zeros", jac)
	}
}

func BenchmarkRoeFlux(b *testing.B) {
	l, r := Conserved{1, 0.1, 1}, Conserved{0.5, 0.2, 1.2}
	b.Run("value", func(b *testing.B) {
		for range b.N {
			RoeFlux(l, r)
		}
	})
	b.Run("jacobian", func(b *testing.B) {
		for range b.N {
			RoeFluxJacobian(l, r)
		}
	})
}
