// Package tasks holds the benchmark functions of AlphaGrad (Lohoff & Neftci, arXiv 2406.05027) as programs, with a domain
// to sample inputs from and the published multiplication counts and elimination orders.
//
// Each function performs the operations of its published form in the same order, so that vertex numbers agree with the
// published orders: x² is one vertex, an operation with a constant is one vertex, a repeated subexpression is traced each
// time it is written, and a result that is never used keeps its number.
package tasks

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Interval is the closed range an input is sampled from.
type Interval struct{ Low, High float64 }

// Task is one benchmark function.
type Task struct {
	Name   string
	Doc    string     // what it computes, with its source
	Domain []Interval // one per input, in declaration order; of every element if the input is an array
	build  func() (*ir.Program, error)
}

// At makes a task of a program of scalars, to be sampled at one point.
func At(p *ir.Program, x []float64) *Task {
	t := &Task{Name: p.Name, build: func() (*ir.Program, error) { return p, nil }}
	for _, v := range x {
		t.Domain = append(t.Domain, Interval{v, v})
	}
	return t
}

// IsArray reports whether the task works on arrays.
func (t *Task) IsArray() bool { return slices.Contains(arrayTable, t) }

// IsUnseen reports whether the task is one of [Unseen].
func (t *Task) IsUnseen() bool { return slices.Contains(unseenTable, t) }

// Program traces the function afresh.
func (t *Task) Program() (*ir.Program, error) {
	p, err := t.build()
	if err != nil {
		return nil, fmt.Errorf("task %s: %w", t.Name, err)
	}
	return p, nil
}

// Point is [Task.Sample] for a task on scalars: one number for each input.
func (t *Task) Point(rng *rand.Rand) ([]float64, error) {
	at, err := t.Sample(rng)
	var x []float64
	for _, v := range at {
		x = append(x, v.Data...)
	}
	return x, err
}

// Points are n of [Task.Point].
func (t *Task) Points(rng *rand.Rand, n int) ([][]float64, error) {
	points := make([][]float64, n)
	for i := range points {
		var err error
		if points[i], err = t.Point(rng); err != nil {
			return nil, err
		}
	}
	return points, nil
}

// Sample draws inputs uniformly from the domain, rejecting those where the function is not finite.
func (t *Task) Sample(rng *rand.Rand) ([]ir.Tensor, error) {
	p, err := t.Program()
	if err != nil {
		return nil, err
	}
	const tries = 10000
	for range tries {
		at := make([]ir.Tensor, len(p.Inputs))
		for k, id := range p.Inputs {
			shape := p.Nodes[id].Shape
			at[k] = ir.Tensor{Shape: shape, Data: make([]float64, shape.Size())}
			for i := range at[k].Data {
				at[k].Data[i] = t.Domain[k].Low + (t.Domain[k].High-t.Domain[k].Low)*rng.Float64()
			}
		}
		y, err := interp.Eval(p, at)
		if err != nil {
			return nil, err
		}
		if len(interp.NonFinite(p, y)) == 0 {
			return at, nil
		}
	}
	return nil, fmt.Errorf("task %s: no finite value at %d random points of its domain", t.Name, tries)
}

// All lists the tasks on scalars in the order of the table; [Arrays] lists the others.
func All() []*Task { return table }

// Names lists the names of the tasks on scalars in the order of the table.
func Names() []string {
	names := make([]string, len(table))
	for i, t := range table {
		names[i] = t.Name
	}
	return names
}

// Lookup finds a task by name, those of [Unseen] included; the error lists the benchmark tasks.
func Lookup(name string) (*Task, error) {
	known := Names()
	for _, t := range slices.Concat(table, arrayTable, unseenTable) {
		if t.Name == name {
			return t, nil
		}
		if t.IsArray() {
			known = append(known, t.Name)
		}
	}
	return nil, fmt.Errorf("unknown task %q%s; known tasks: %v", name, ir.Suggest(name, append(UnseenNames(), known...)), known)
}

// ProgramOf traces the named task's function.
func ProgramOf(name string) (*ir.Program, error) {
	t, err := Lookup(name)
	if err != nil {
		return nil, err
	}
	return t.Program()
}

// Published holds what the AlphaGrad authors report for one task; counts are scalar multiplications of the Jacobian
// accumulation. A zero count is not published.
type Published struct {
	Forward              int64 `json:"forward"`
	Reverse              int64 `json:"reverse"`
	Markowitz            int64 `json:"minimal_markowitz"`
	BestAlphaZero        int64 `json:"best_alphazero"`
	BestPPO              int64 `json:"best_ppo"`
	BestJoint            int64 `json:"best_joint"`
	Order                []int `json:"alphagrad_order"`
	OrderMultiplications int64 `json:"alphagrad_order_multiplications"`
	MarkowitzOrder       []int `json:"markowitz_order"`
}

// Best is the lowest multiplication count that any published method reached.
func (p *Published) Best() int64 {
	best := []int64{}
	for _, c := range []int64{p.BestAlphaZero, p.BestPPO, p.BestJoint, p.OrderMultiplications} {
		if c > 0 {
			best = append(best, c)
		}
	}
	sort.Slice(best, func(i, j int) bool { return best[i] < best[j] })
	if len(best) == 0 {
		return 0
	}
	return best[0]
}

//go:embed published.json
var publishedJSON []byte

//go:embed published_vertices.json
var publishedVerticesJSON []byte

// PublishedVertices holds what the AlphaGrad authors' sparsity rules count at each vertex; entry k−1 is that of vertex k
// of their numbering, 0 for an output. The file says which revision of the rules.
type PublishedVertices struct {
	Ops     []string `json:"ops"` // JAX primitives
	Forward []int64  `json:"forward"`
	Reverse []int64  `json:"reverse"`
	Order   []int64  `json:"alphagrad_order"`
}

// ReferenceVertices returns the published counts by vertex of a task, nil when there are none.
func ReferenceVertices(name string) *PublishedVertices {
	var f struct {
		Tasks map[string]*PublishedVertices `json:"tasks"`
	}
	if err := json.Unmarshal(publishedVerticesJSON, &f); err != nil {
		panic("tasks: published_vertices.json: " + err.Error()) // an embedded file that a test reads
	}
	return f.Tasks[name]
}

// Renumbered is the vertex of this project's graph of a task that stands for vertex k of the published one.
func Renumbered(name string, k int) int {
	for _, e := range unnumbered[name] {
		if k >= e {
			k++
		}
	}
	return k
}

var published = sync.OnceValues(func() (map[string]*Published, error) {
	var f struct {
		Tasks map[string]*Published `json:"tasks"`
	}
	err := json.Unmarshal(publishedJSON, &f)
	for name, extra := range unnumbered {
		for _, order := range []*[]int{&f.Tasks[name].Order, &f.Tasks[name].MarkowitzOrder} {
			all := slices.Clone(extra)
			for _, k := range *order {
				all = append(all, Renumbered(name, k))
			}
			*order = all
		}
	}
	return f.Tasks, err
})

// unnumbered lists the vertices that the published graph of a task lacks, in ascending order: a broadcast that JAX does
// within the next operation. An order of that graph eliminates them first, which costs nothing.
var unnumbered = map[string][]int{"Encoder": {74}}

// Reference returns the published results for a task, nil when there are none.
func Reference(name string) *Published {
	m, err := published()
	if err != nil {
		panic("tasks: published.json: " + err.Error()) // an embedded file that a test reads
	}
	return m[name]
}
