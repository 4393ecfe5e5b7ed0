package graphgen_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/graphgen"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"pgregory.net/rapid"
)

func generate(tb testing.TB, s graphgen.Settings) *ir.Program {
	tb.Helper()
	p, err := graphgen.Generate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestPrograms(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		vertices := rapid.IntRange(graphgen.MinVertices, 300).Draw(rt, "vertices")
		for _, f := range graphgen.Families() {
			s := graphgen.Settings{Family: f.Name, Vertices: vertices, Seed: seed}
			p := generate(t, s)
			if err := ir.Verify(p); err != nil {
				rt.Fatal(err)
			}
			if p.Name != fmt.Sprintf("%s-%d-%d", f.Name, vertices, seed) {
				rt.Errorf("name %q", p.Name)
			}
			if !ir.Equal(p, generate(t, s)) {
				rt.Errorf("%+v gives two programs", s)
			}
			checkAlive(rt, p, vertices)
		}
	})
}

// checkAlive recomputes from the program alone what the package promises of it.
func checkAlive(t *rapid.T, p *ir.Program, vertices int) {
	fromInput, toOutput := make([]bool, len(p.Nodes)), make([]bool, len(p.Nodes))
	for _, o := range p.Outputs {
		toOutput[o.Node] = true
	}
	for i, n := range p.Nodes {
		fromInput[i] = n.Op == ir.OpInput
		for _, a := range n.Args {
			fromInput[i] = fromInput[i] || fromInput[a]
		}
	}
	for i := len(p.Nodes) - 1; i >= 0; i-- {
		for _, a := range p.Nodes[i].Args {
			toOutput[a] = toOutput[a] || toOutput[i]
		}
	}
	count := 0
	for i, n := range p.Nodes {
		if !toOutput[i] {
			t.Errorf("%s: no output depends on node %d (%s)", p.Name, i, n.Op)
		}
		if n.Op != ir.OpInput && n.Op != ir.OpConst {
			count++
			if !fromInput[i] {
				t.Errorf("%s: node %d (%s) depends on no input", p.Name, i, n.Op)
			}
		}
	}
	g, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	f := graphgen.Describe(p)
	if count != vertices || g.Vertices() != vertices || f.Vertices != vertices || f.Dead != 0 {
		t.Errorf("%s: %d operations, %d vertices in the graph, %d in the profile, of which %d dead; %d wanted",
			p.Name, count, g.Vertices(), f.Vertices, f.Dead, vertices)
	}
	copies := g.Nodes() - g.Inputs() - g.Vertices() // sinks have an edge each that is no use of a value
	if g.Edges()-copies != f.Edges || g.Inputs() != f.Inputs || g.Outputs() != f.Outputs {
		t.Errorf("%s: the graph has %d edges, %d inputs, %d outputs, the profile says %v", p.Name, g.Edges()-copies, g.Inputs(), g.Outputs(), f)
	}
}

func TestSeedsAndSizesDiffer(t *testing.T) {
	for _, f := range graphgen.Families() {
		a := generate(t, graphgen.Settings{Family: f.Name, Vertices: 50, Seed: 1})
		b := generate(t, graphgen.Settings{Family: f.Name, Vertices: 50, Seed: 2})
		b.Name = a.Name
		if ir.Equal(a, b) {
			t.Errorf("%s: two seeds give one program", f.Name)
		}
	}
}

// TestShapesLikeTasks compares what elimination sees of a family, on average, with the range of the larger tasks.
func TestShapesLikeTasks(t *testing.T) {
	measures := []struct {
		name string
		of   func(graphgen.Profile) float64
	}{
		{"in-degree", graphgen.Profile.InDegree},
		{"out-degree", graphgen.Profile.OutDegree},
		{"relative depth", graphgen.Profile.RelativeDepth},
		{"largest fan-out", func(f graphgen.Profile) float64 { return float64(f.MaxFanOut) }},
		{"fan-out of inputs", func(f graphgen.Profile) float64 { return f.InputFanOut }},
		{"share used once", func(f graphgen.Profile) float64 { return f.Single }},
	}
	low, high := make([]float64, len(measures)), make([]float64, len(measures))
	for i := range low {
		low[i], high[i] = math.Inf(1), math.Inf(-1)
	}
	for _, task := range tasks.All() {
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		f := graphgen.Describe(p)
		if f.Vertices < graphgen.MinVertices {
			continue
		}
		for i, m := range measures {
			low[i], high[i] = min(low[i], m.of(f)), max(high[i], m.of(f))
		}
	}
	for _, family := range graphgen.Families() {
		sum := make([]float64, len(measures))
		n := 0
		for _, vertices := range []int{30, 60, 100, 140} { // the sizes of the tasks
			for seed := range uint64(40) {
				f := graphgen.Describe(generate(t, graphgen.Settings{Family: family.Name, Vertices: vertices, Seed: seed}))
				for i, m := range measures {
					sum[i] += m.of(f)
				}
				n++
			}
		}
		for i, m := range measures {
			mean := sum[i] / float64(n)
			t.Logf("%-8s %-18s %6.2f, tasks %.2f to %.2f", family.Name, m.name, mean, low[i], high[i])
			if mean < low[i] || mean > high[i] {
				t.Errorf("%s: mean %s is %.2f, those of the tasks go from %.2f to %.2f", family.Name, m.name, mean, low[i], high[i])
			}
		}
	}
}

// TestOperatorsLikeTasks compares the shares of operators by total variation distance, half the sum of differences.
func TestOperatorsLikeTasks(t *testing.T) {
	count := map[string]int{}
	for _, task := range tasks.All() {
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		for op, n := range graphgen.Describe(p).Ops {
			count[op] += n
		}
	}
	limit := map[string]float64{"layers": 0.5} // sums and products mostly, and functions that the tasks do not have
	for _, family := range graphgen.Families() {
		got := map[string]int{}
		for seed := range uint64(100) {
			for op, n := range graphgen.Describe(generate(t, graphgen.Settings{Family: family.Name, Vertices: 100, Seed: seed})).Ops {
				got[op] += n
			}
		}
		most := limit[family.Name]
		if most == 0 {
			most = 0.15
		}
		if d := distance(count, got); d > most {
			t.Errorf("%s: the shares of operators differ from those of the tasks by %.3f", family.Name, d)
		}
	}
}

func distance(a, b map[string]int) float64 {
	sumA, sumB, d := 0, 0, 0.0
	for _, n := range a {
		sumA += n
	}
	for _, n := range b {
		sumB += n
	}
	for op, n := range a {
		d += math.Abs(float64(n)/float64(sumA) - float64(b[op])/float64(sumB))
	}
	for op, n := range b {
		if a[op] == 0 {
			d += float64(n) / float64(sumB)
		}
	}
	return d / 2
}

// TestFamiliesAreThemselves checks what gives each family its name.
func TestFamiliesAreThemselves(t *testing.T) {
	mean := func(family string, of func(graphgen.Profile) float64) float64 {
		sum := 0.0
		for seed := range uint64(50) {
			sum += of(graphgen.Describe(generate(t, graphgen.Settings{Family: family, Vertices: 100, Seed: seed})))
		}
		return sum / 50
	}
	most := func(what string, of func(graphgen.Profile) float64, family string, than float64) {
		if m := mean(family, of); m < than {
			t.Errorf("%s of %s is %.2f, expected at least %.2f", what, family, m, than)
		}
	}
	most("relative depth", graphgen.Profile.RelativeDepth, "chain", 0.3)
	most("largest fan-out", func(f graphgen.Profile) float64 { return float64(f.MaxFanOut) }, "shared", 8)
	most("inputs per output", func(f graphgen.Profile) float64 { return float64(f.Inputs) / float64(f.Outputs) }, "funnel", 5)
	most("outputs per input", func(f graphgen.Profile) float64 { return float64(f.Outputs) / float64(f.Inputs) }, "fan", 3)
	most("share not used once", func(f graphgen.Profile) float64 { return 1 - f.Single }, "random", 0.4)
}

func TestBadSettings(t *testing.T) {
	for _, c := range []struct {
		s    graphgen.Settings
		want string
	}{
		{graphgen.Settings{Family: "chian", Vertices: 50}, `unknown family "chian"; did you mean "chain"?; known families: [chain `},
		{graphgen.Settings{Family: "chain", Vertices: 7}, "a program of 7 vertices: sizes go from 8 to 4096"},
		{graphgen.Settings{Family: "chain", Vertices: 5000}, "a program of 5000 vertices"},
	} {
		if _, err := graphgen.Generate(c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, expected %s", err, c.want)
		}
	}
	if _, err := graphgen.Draw(1, 60, 50); err == nil || err.Error() != "sizes from 60 to 50: the range is empty" {
		t.Errorf("%v", err)
	}
}

func TestDrawCoversFamiliesAndSizes(t *testing.T) {
	families, sizes := map[string]int{}, map[int]int{}
	for seed := range uint64(400) {
		p, err := graphgen.Draw(seed, 20, 29)
		if err != nil {
			t.Fatal(err)
		}
		families[strings.Split(p.Name, "-")[0]]++
		sizes[graphgen.Describe(p).Vertices]++
	}
	if len(families) != len(graphgen.Families()) || len(sizes) != 10 {
		t.Errorf("families %v, sizes %v", families, sizes)
	}
}

var update = flag.Bool("update", false, "rewrite the golden programs")

// TestGolden pins programs: a training run's seeds must mean the same graphs tomorrow.
func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, f := range graphgen.Families() {
		p := generate(t, graphgen.Settings{Family: f.Name, Vertices: 24, Seed: 1})
		fmt.Fprintf(&b, "# %v\n%s\n", graphgen.Describe(p), ir.Print(p))
	}
	const path = "testdata/programs.txt"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("programs differ from %s:\n%s", path, b.String())
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, f := range graphgen.Families() {
		b.Run(f.Name, func(b *testing.B) {
			for i := range b.N {
				generate(b, graphgen.Settings{Family: f.Name, Vertices: 100, Seed: uint64(i)})
			}
		})
	}
}
