package sparse

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

func pattern(t testing.TB, columns int, rows [][]int32) *Pattern {
	t.Helper()
	p, err := NewPattern(columns, rows)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func banded(t testing.TB, n, width int) *Pattern {
	rows := make([][]int32, n)
	for i := range rows {
		for j := max(0, i-width/2); j <= min(n-1, i+width/2); j++ {
			rows[i] = append(rows[i], int32(j))
		}
	}
	return pattern(t, n, rows)
}

func arrow(t testing.TB, n int) *Pattern {
	rows := make([][]int32, n)
	for i := range rows {
		rows[i] = []int32{0, int32(i)}
		rows[0] = append(rows[0], int32(i))
	}
	return pattern(t, n, rows)
}

// laplacian is the five-point stencil on an n × n grid.
func laplacian(t testing.TB, n int) *Pattern {
	rows := make([][]int32, n*n)
	for i := range n {
		for j := range n {
			for _, d := range [][2]int{{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
				if a, b := i+d[0], j+d[1]; a >= 0 && a < n && b >= 0 && b < n {
					rows[i*n+j] = append(rows[i*n+j], int32(a*n+b))
				}
			}
		}
	}
	return pattern(t, n*n, rows)
}

func scattered(t testing.TB, rng *rand.Rand, rows, columns, each int) *Pattern {
	list := make([][]int32, rows)
	for i := range list {
		for range each {
			list[i] = append(list[i], int32(rng.IntN(columns)))
		}
	}
	return pattern(t, columns, list)
}

// recovers multiplies a random matrix of the pattern with the seeds of a colouring and reads all its entries off again.
func recovers(t interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}, p *Pattern, c *Coloring) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(p.Entries())))
	m := &Matrix{p, make([]float64, p.Entries())}
	for k := range m.Value {
		m.Value[k] = 1 + rng.Float64()
	}
	forward, reverse := make([]float64, p.Rows*c.Columns), make([]float64, c.Rows*p.Columns)
	m.Triplets(func(i, j int, v float64) {
		if c.Column != nil && c.Column[j] >= 0 {
			forward[i*c.Columns+int(c.Column[j])] += v
		}
		if c.Row != nil && c.Row[i] >= 0 {
			reverse[int(c.Row[i])*p.Columns+j] += v
		}
	})
	sources, err := c.sources(p)
	if err != nil {
		t.Fatal(err)
	}
	for k, s := range sources {
		got := forward
		if s.row {
			got = reverse
		}
		if got[s.at] != m.Value[k] {
			t.Fatalf("entry %d is read as %v, is %v", k, got[s.at], m.Value[k])
		}
	}
}

func TestColors(t *testing.T) {
	for _, c := range []struct {
		name    string
		p       *Pattern
		color   func(*Pattern) *Coloring
		at      func(n int) bool
		meaning string
	}{
		{"band of width 5 by columns", banded(t, 200, 5), ColorColumns, func(n int) bool { return n == 5 }, "5"},
		{"band of width 5 by rows", banded(t, 200, 5), ColorRows, func(n int) bool { return n == 5 }, "5"},
		{"arrow by columns", arrow(t, 100), ColorColumns, func(n int) bool { return n == 100 }, "100: the first row is full"},
		{"arrow by both", arrow(t, 100), ColorBoth, func(n int) bool { return n == 3 }, "3"},
		{"five-point Laplacian", laplacian(t, 30), ColorColumns, func(n int) bool { return n >= 5 && n <= 7 }, "5 to 7"},
		{"random", scattered(t, rand.New(rand.NewPCG(2, 3)), 300, 200, 4), ColorBoth, func(n int) bool { return n < 60 }, "few"},
	} {
		coloring := c.color(c.p)
		if !c.at(coloring.Colors()) {
			t.Errorf("%s: %d colours, want %s", c.name, coloring.Colors(), c.meaning)
		}
		recovers(t, c.p, coloring)
	}
}

// TestGroups: entries of one group never share a row or, for groups of rows, a column.
func TestGroups(t *testing.T) {
	for _, p := range []*Pattern{arrow(t, 9), laplacian(t, 4), scattered(t, rand.New(rand.NewPCG(8, 9)), 20, 15, 3)} {
		c := ColorBoth(p)
		groups, err := c.Groups(p)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[[3]int]bool{}
		k := 0
		(&Matrix{p, make([]float64, p.Entries())}).Triplets(func(i, j int, _ float64) {
			key := [3]int{groups[k], 0, i}
			if groups[k] >= c.Columns {
				key = [3]int{groups[k], 1, j}
			}
			if groups[k] < 0 || groups[k] >= c.Colors() || seen[key] {
				t.Errorf("entry (%d, %d) is in group %d", i, j, groups[k])
			}
			seen[key] = true
			k++
		})
	}
	if _, err := ColorColumns(arrow(t, 9)).Groups(arrow(t, 10)); err == nil {
		t.Error("a colouring of another pattern is accepted")
	}
}

func TestRandomPatternsAreRecovered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := make([][]int32, rapid.IntRange(1, 12).Draw(t, "rows"))
		columns := rapid.IntRange(1, 12).Draw(t, "columns")
		for i := range rows {
			rows[i] = rapid.SliceOf(rapid.Int32Range(0, int32(columns-1))).Draw(t, "row")
		}
		p, err := NewPattern(columns, rows)
		if err != nil {
			t.Fatal(err)
		}
		most := 0
		for i := range p.Rows {
			most = max(most, len(p.Row(i)))
		}
		byColumns := ColorColumns(p)
		if byColumns.Colors() < most {
			t.Fatalf("%d colours, but a row has %d entries", byColumns.Colors(), most)
		}
		both := ColorBoth(p)
		if both.Colors() > min(byColumns.Colors(), ColorRows(p).Colors()) {
			t.Fatalf("both need %d colours, one side alone fewer", both.Colors())
		}
		for _, c := range []*Coloring{byColumns, ColorRows(p), both} {
			recovers(t, p, c)
		}
	})
}

// TestLargePattern: a million entries.
func TestLargePattern(t *testing.T) {
	p := scattered(t, rand.New(rand.NewPCG(4, 5)), 100_000, 100_000, 10)
	c := ColorColumns(p)
	if c.Colors() < 10 || c.Colors() > 100 {
		t.Errorf("%d colours", c.Colors())
	}
	recovers(t, p, c)
}

func BenchmarkColorMillionEntries(b *testing.B) {
	p := scattered(b, rand.New(rand.NewPCG(4, 5)), 100_000, 100_000, 10)
	for name, color := range map[string]func(*Pattern) *Coloring{"columns": ColorColumns, "rows": ColorRows, "both": ColorBoth} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(float64(color(p).Colors()), "colours")
			}
		})
	}
}

// burgers is one explicit step of the one-dimensional Burgers equation on a grid of n points, end points fixed.
func burgers(t testing.TB, n int) *ir.Program {
	b := ir.NewBuilder("burgers")
	u := b.Input("u", n)
	left, mid, right := ir.Slice(u, []int{0}, []int{n - 2}), ir.Slice(u, []int{1}, []int{n - 1}), ir.Slice(u, []int{2}, []int{n})
	flow := ir.Mul(mid, ir.MulScalar(ir.Sub(right, left), -0.05))
	spread := ir.MulScalar(ir.Add(ir.Sub(left, ir.MulScalar(mid, 2)), right), 0.1)
	b.Output("v", ir.Pad(ir.Add(mid, ir.Add(flow, spread)), []int{1}, []int{1}))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBurgers: the pattern of 10⁵ points has three diagonals and needs three colours; entries equal the closed form.
func TestBurgers(t *testing.T) {
	const n = 100_000
	plan, err := NewPlan(burgers(t, n), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Pattern.Entries() != 3*(n-2) {
		t.Errorf("%d entries, want %d", plan.Pattern.Entries(), 3*(n-2))
	}
	if c := ColorColumns(plan.Pattern).Colors(); c != 3 {
		t.Errorf("%d colours, want 3", c)
	}
	t.Logf("%s, costs %v", plan.Strategy, plan.Costs)
	u := make([]float64, n)
	for i := range u {
		u[i] = math.Sin(float64(i) / 100)
	}
	_, m, err := plan.Jacobian([]ir.Tensor{{Shape: ir.Shape{n}, Data: u}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{1, 2, 500, n - 2} {
		for j, want := range map[int]float64{
			i - 1: 0.05*u[i] + 0.1, i: 1 - 0.2 - 0.05*(u[i+1]-u[i-1]), i + 1: -0.05*u[i] + 0.1,
		} {
			if got := m.At(i, j); math.Abs(got-want) > 1e-15 {
				t.Errorf("entry (%d, %d) is %v, want %v", i, j, got, want)
			}
		}
	}
	if _, err := m.Dense(); err == nil {
		t.Error("10¹⁰ elements are written out")
	}
}

// TestNothingDense: at 10⁵ points, of which the dense Jacobian has 10¹⁰ entries, no array of any strategy's programs has
// more than a few elements a point, and all that is ever allocated is below one bit an entry.
func TestNothingDense(t *testing.T) {
	const n = 100_000
	p := burgers(t, n)
	at := []ir.Tensor{{Shape: ir.Shape{n}, Data: make([]float64, n)}}
	largest := 0
	thin := func(d *ir.Program) (float64, error) {
		for k := range d.Nodes {
			largest = max(largest, d.Nodes[k].Shape.Size())
		}
		c, err := ir.Count(d)
		return float64(c.Mul), err
	}
	var before, after runtime.MemStats
	for _, s := range []Strategy{Eliminate, Columns} {
		runtime.ReadMemStats(&before)
		plan, err := NewPlan(p, Options{Strategy: s, Cost: thin})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = plan.Jacobian(at, nil); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > n*n/8 {
			t.Errorf("%s allocates %d MB in all", s, got>>20)
		} else {
			t.Logf("%s allocates %d MB in all", s, got>>20)
		}
	}
	if largest > 4*n {
		t.Errorf("an array has %d elements", largest)
	}
}

// TestPlansAgree: every strategy gives the same matrix, that of the element-by-element Jacobian, and the pattern holds all
// its entries.
func TestPlansAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 7))
	all := append(slices.Clone(tasks.Arrays()), tasks.All()...)
	for _, task := range all {
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		columns := 0
		for _, id := range p.Inputs {
			columns += p.Nodes[id].Shape.Size()
		}
		if columns > 80 {
			continue
		}
		at, err := task.Sample(rng)
		if err != nil {
			t.Fatal(err)
		}
		flat, err := ad.Flat(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		var x []float64
		for _, a := range at {
			x = append(x, a.Data...)
		}
		if scalar, _ := flat.IsScalar(); !scalar {
			t.Fatal("not flat")
		}
		var inputs []ir.Tensor
		if task.IsArray() {
			for _, v := range x {
				inputs = append(inputs, ir.Scalar(v))
			}
		} else {
			inputs = at
		}
		dense, err := interp.Eval(flat, inputs)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []Strategy{"", Eliminate, Columns, Rows, Both} {
			plan, err := NewPlan(p, Options{Strategy: s})
			if err != nil {
				t.Fatal(err)
			}
			var m *Matrix
			for range 2 { // the second time into the first result
				if _, m, err = plan.Jacobian(at, m); err != nil {
					t.Fatal(err)
				}
			}
			want := dense[len(dense)-m.Rows*m.Columns:]
			for i := range m.Rows {
				for j := range m.Columns {
					w := want[i*m.Columns+j].Data[0]
					if got := m.At(i, j); math.Abs(got-w) > 1e-10*(1+math.Abs(w)) {
						t.Fatalf("%s by %s: entry (%d, %d) is %v, want %v", task.Name, s, i, j, got, w)
					}
				}
			}
			if s == "" {
				for name, c := range plan.Costs {
					if c < plan.Costs[plan.Strategy] {
						t.Errorf("%s: %s is chosen at %v, %s costs %v", task.Name, plan.Strategy, plan.Costs[plan.Strategy], name, c)
					}
				}
			}
		}
	}
}

func TestMatrixIsGonums(t *testing.T) {
	m := &Matrix{pattern(t, 3, [][]int32{{2, 0}, nil, {1}}), []float64{1, 2, 3}}
	d, err := m.Dense()
	if err != nil {
		t.Fatal(err)
	}
	var product mat.Dense
	product.Mul(m, m.T())
	if !mat.Equal(d, mat.NewDense(3, 3, []float64{1, 0, 2, 0, 0, 0, 0, 3, 0})) || product.At(0, 0) != 5 || product.At(2, 2) != 9 {
		t.Errorf("%v\n%v", mat.Formatted(d), mat.Formatted(&product))
	}
}

func TestColoringFiles(t *testing.T) {
	p := arrow(t, 10)
	c := ColorBoth(p)
	data, err := c.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	back, err := UnmarshalColoring(data, p)
	if err != nil || !slices.Equal(back.Column, c.Column) || !slices.Equal(back.Row, c.Row) {
		t.Fatalf("%+v, %v", back, err)
	}
	for _, bad := range []struct{ data, says string }{
		{"{", "colouring"},
		{`{"format": "alphagrad-coloring/2"}`, "expected"},
		{strings.Replace(string(data), p.Hash(), banded(t, 10, 3).Hash(), 1), "another pattern"},
		{strings.Replace(string(data), `"column":[`, `"column":[7,`, 1), "does not fit"},
		{`{"format": "alphagrad-coloring/1", "pattern": "` + p.Hash() + `"}`, "cannot be read off"},
	} {
		if _, err := UnmarshalColoring([]byte(bad.data), p); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%.60s: %v", bad.data, err)
		}
	}
	if _, err := NewPlan(burgers(t, 10), Options{Strategy: "colums"}); err == nil || !strings.Contains(err.Error(), `did you mean "columns"`) {
		t.Error(err)
	}
	if _, err := NewPlan(burgers(t, 10), Options{Strategy: Columns, Coloring: c}); err == nil {
		t.Error("a colouring of another pattern is accepted")
	}
}

func FuzzUnmarshalColoring(f *testing.F) {
	p, err := NewPattern(3, [][]int32{{0, 1}, {2}})
	if err != nil {
		f.Fatal(err)
	}
	data, err := ColorColumns(p).Marshal(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format":"alphagrad-coloring/1","pattern":"` + p.Hash() + `","columns":2,"column":[0,1,-5]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := UnmarshalColoring(data, p); err == nil {
			recovers(t, p, c)
		}
	})
}

// TestWideRows: where one row or column is full, a strategy needs as many colours as there are points. What it would take is
// left alone by the planner, and refused when asked for.
func TestWideRows(t *testing.T) {
	const n = 100_000
	b := ir.NewBuilder("energy")
	u := b.Input("u", n)
	b.Output("e", ir.ReduceSum(ir.Mul(ir.Square(ir.Slice(u, []int{1}, []int{n})), ir.Slice(u, []int{0}, []int{n - 1}))))
	energy, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	b = ir.NewBuilder("arrow")
	u = b.Input("u", n)
	tail := ir.Slice(u, []int{1}, []int{n})
	head := ir.Reshape(ir.Slice(u, []int{0}, []int{1}))
	b.Output("y", ir.Concatenate([]*ir.Value{ir.Reshape(ir.ReduceSum(ir.Square(u)), 1), ir.Mul(ir.Sin(tail), head)}, 0))
	arrow, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, n)
	for i := range x {
		x[i] = math.Sin(float64(i))
	}
	at := []ir.Tensor{{Shape: ir.Shape{n}, Data: x}}
	for _, c := range []struct {
		p    *ir.Program
		want func(i, j int) float64
	}{
		{energy, func(_, j int) (d float64) {
			if j > 0 {
				d += 2 * x[j] * x[j-1]
			}
			if j < n-1 {
				d += x[j+1] * x[j+1]
			}
			return d
		}},
		{arrow, func(i, j int) float64 {
			switch {
			case i == 0:
				return 2 * x[j]
			case j == 0:
				return math.Sin(x[i])
			}
			return math.Cos(x[i]) * x[0]
		}},
	} {
		plan, err := NewPlan(c.p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s, costs %v", c.p.Name, plan.Strategy, plan.Costs)
		both, err := NewPlan(c.p, Options{Strategy: Both})
		if err != nil {
			t.Fatal(err)
		}
		if both.Coloring.Colors() > 3 {
			t.Errorf("%s: %d colours", c.p.Name, both.Coloring.Colors())
		}
		for _, plan := range []*Plan{plan, both} {
			_, m, err := plan.Jacobian(at, nil)
			if err != nil {
				t.Fatal(err)
			}
			m.Triplets(func(i, j int, v float64) {
				if w := c.want(i, j); math.Abs(v-w) > 1e-14*(1+math.Abs(w)) {
					t.Fatalf("%s by %s: entry (%d, %d) is %v, want %v", c.p.Name, plan.Strategy, i, j, v, w)
				}
			})
		}
		if _, err := NewPlan(c.p, Options{Strategy: Columns}); err == nil || !strings.Contains(err.Error(), "elements") {
			t.Errorf("%s: 10¹⁰ numbers for seeds give error %v", c.p.Name, err)
		}
	}
}

// TestMeasuredCosts: a plan by measurement has seconds as costs, of all strategies, and the same entries.
func TestMeasuredCosts(t *testing.T) {
	p := burgers(t, 50)
	compiled := 0
	compile := func(p *ir.Program) (Run, error) { compiled++; return interpreted(p) }
	plan, err := NewPlan(p, Options{Cost: Measured(compile), Compile: compile})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Costs) != 4 || compiled != 5 { // once each to measure, once the one chosen; both compress one side
		t.Errorf("costs %v, %d programs compiled", plan.Costs, compiled)
	}
	for s, c := range plan.Costs {
		if c <= 0 || c > 10 || c < plan.Costs[plan.Strategy] {
			t.Errorf("%s takes %v s, %s was chosen", s, c, plan.Strategy)
		}
	}
	u := make([]float64, 50)
	for i := range u {
		u[i] = math.Cos(float64(i))
	}
	at := []ir.Tensor{{Shape: ir.Shape{50}, Data: u}}
	counted, err := NewPlan(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := plan.Jacobian(at, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, want, err := counted.Jacobian(at, nil)
	if err != nil || !mat.EqualApprox(got, want, 1e-14) {
		t.Errorf("%v\n%v, %v", mat.Formatted(got), mat.Formatted(want), err)
	}
	failing := func(*ir.Program) (Run, error) { return nil, errors.New("no compiler") }
	if _, err := NewPlan(p, Options{Cost: Measured(failing)}); err == nil || err.Error() != "no compiler" {
		t.Error(err)
	}
}
