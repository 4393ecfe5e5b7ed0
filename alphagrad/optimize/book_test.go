package optimize

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/graphgen"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

func problem(t testing.TB, p *ir.Program, err error) Problem {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	g, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	return Problem{Program: p, Graph: g}
}

func taskProblem(t testing.TB, name string) (Problem, *tasks.Task) {
	t.Helper()
	task, err := tasks.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := task.Program()
	return problem(t, p, err), task
}

func shuffled(g *elim.Graph, rng *rand.Rand) []int {
	order := g.Eliminable()
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// TestBookComputesTheJacobian: the program in a book has the values and derivatives of the emitted one, which other tests
// compare with dual numbers and finite differences; and nearly its counts.
func TestBookComputesTheJacobian(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	same, all := 0, 0
	for _, task := range tasks.All() {
		p, err := task.Program()
		pr := problem(t, p, err)
		b, err := newBook(p, pr.Graph)
		if err != nil {
			t.Fatal(err)
		}
		x, err := task.Point(rng)
		if err != nil {
			t.Fatal(err)
		}
		for _, order := range [][]int{elim.Forward(pr.Graph), elim.Reverse(pr.Graph), elim.Markowitz(pr.Graph), shuffled(pr.Graph, rng)} {
			for _, v := range order {
				b.Eliminate(v)
			}
			program := b.program()
			if err := ir.Verify(program); err != nil {
				t.Fatalf("%s: %v", task.Name, err)
			}
			got, err := interp.EvalScalar(program, x)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := ad.Raw(p, order)
			if err != nil {
				t.Fatal(err)
			}
			want, err := interp.EvalScalar(raw, x)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, task.Name, p, pr.Graph, b, got, want)

			inProgram, err := ir.Count(program)
			if c := b.count(); err != nil || c != inProgram {
				t.Errorf("%s: counts %v, its program has %v, %v", task.Name, c, inProgram, err)
			}
			emitted, err := ad.CountOps(p, order)
			if err != nil {
				t.Fatal(err)
			}
			if n := int64(len(p.Inputs)); b.peak() > ir.PeakLive(program)+n || b.peak() < ir.PeakLive(program)-signs(program) {
				t.Errorf("%s: %d held at once, its program holds %d", task.Name, b.peak(), ir.PeakLive(program))
			}
			c := b.count()
			if d := math.Abs(float64(c.Total() - emitted.Total())); d > 3+0.03*float64(emitted.Total()) {
				t.Errorf("%s: the book counts %v, emitted are %v", task.Name, c, emitted)
			}
			all++
			if c.Mul == emitted.Mul && c.Add == emitted.Add {
				same++
			}
			for range order {
				b.Undo()
			}
		}
	}
	if 4*same < 3*all {
		t.Errorf("only %d of %d counts are those of the emitted program", same, all)
	}
}

// signs counts changes of sign.
func signs(p *ir.Program) (n int64) {
	for i := range p.Nodes {
		if p.Nodes[i].Op == ir.OpNeg {
			n++
		}
	}
	return n
}

// compare takes the results of a book apart: the values, then the entries that it has. The others must be zero.
func compare(t *testing.T, name string, p *ir.Program, g *elim.Graph, b *book, got, want []float64) {
	t.Helper()
	m, n := len(p.Outputs), len(p.Inputs)
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
			t.Errorf("%s: %s is %v, want %v", name, what, got, want)
		}
	}
	for i := range m {
		near(p.Outputs[i].Name, got[i], want[i])
	}
	vertex := map[ir.ID]int{}
	for k, id := range p.Vertices() {
		vertex[id] = g.Inputs() + k
	}
	at := m
	entries := map[[2]int]float64{}
	for _, e := range b.ends {
		if b.edges[e[0]*g.Nodes()+e[1]] == 0 {
			continue
		}
		end := e[1]
		if v := g.SinkOf(end); v >= 0 {
			end = v
		}
		entries[[2]int{e[0], end}] = got[at]
		at++
	}
	if at != len(got) {
		t.Fatalf("%s: %d results, %d entries", name, len(got), at)
	}
	for i, o := range p.Outputs {
		for j := range n {
			near(ad.EntryName(o.Name, p.InputNames()[j]), entries[[2]int{j, vertex[o.Node]}], want[m+i*n+j])
		}
	}
}

// TestUndoRestoresTheBook: after any eliminations and as many undos a book is as it was, and counts what a fresh one does.
func TestUndoRestoresTheBook(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for seed := range uint64(20) {
		p, err := graphgen.Draw(seed, 20, 120)
		pr := problem(t, p, err)
		b, err := newBook(p, pr.Graph)
		if err != nil {
			t.Fatal(err)
		}
		fresh := b.clone()
		order := shuffled(pr.Graph, rng)
		eliminated := 0
		for range 40 {
			if down := rng.IntN(len(order) + 1); down < eliminated {
				for ; eliminated > down; eliminated-- {
					b.Undo()
				}
				rest := order[down:]
				rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
			} else {
				for ; eliminated < down; eliminated++ {
					b.Eliminate(order[eliminated])
				}
			}
			other := fresh.clone()
			for _, v := range order[:eliminated] {
				other.Eliminate(v)
			}
			if b.count() != other.count() || !slices.Equal(b.edges, other.edges) || !reflect.DeepEqual(b.lines, other.lines) {
				t.Fatalf("program %d: after %d eliminations the book is not that of a fresh start", seed, eliminated)
			}
		}
		for ; eliminated > 0; eliminated-- {
			b.Undo()
		}
		inUse := 0
		for _, i := range b.known.at {
			if i != 0 {
				inUse++
			}
		}
		found := 0
		for i := 1; i < len(b.lines); i++ {
			if b.lines[i].found() {
				found++
			}
		}
		if inUse != found || len(b.lines) != len(fresh.lines) {
			t.Fatalf("program %d: %d lines in the table, %d to be found", seed, inUse, found)
		}
	}
}

func BenchmarkBook(bench *testing.B) {
	pr, _ := taskProblem(bench, "RoeFlux_1d")
	b, err := newBook(pr.Program, pr.Graph)
	if err != nil {
		bench.Fatal(err)
	}
	order := elim.Markowitz(pr.Graph)
	for _, price := range []struct {
		name string
		f    func(*book) int64
	}{{"ops", objectives[1].price}, {"memory", objectives[2].price}, {"peak", objectives[2].rough}} {
		bench.Run(price.name, func(bench *testing.B) {
			for range bench.N {
				for _, v := range order {
					b.Eliminate(v)
				}
				price.f(b)
				for range order {
					b.Undo()
				}
			}
		})
	}
}
