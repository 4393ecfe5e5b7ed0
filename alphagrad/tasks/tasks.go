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
	"math"
	"math/rand/v2"
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
	Domain []Interval // one per input, in declaration order
	build  func() (*ir.Program, error)
}

// Program traces the function afresh.
func (t *Task) Program() (*ir.Program, error) {
	p, err := t.build()
	if err != nil {
		return nil, fmt.Errorf("task %s: %w", t.Name, err)
	}
	return p, nil
}

// Point samples inputs uniformly from the domain, rejecting those where the function is not finite.
func (t *Task) Point(rng *rand.Rand) ([]float64, error) {
	p, err := t.Program()
	if err != nil {
		return nil, err
	}
	const tries = 10000
	x := make([]float64, len(t.Domain))
	for range tries {
		for i, d := range t.Domain {
			x[i] = d.Low + (d.High-d.Low)*rng.Float64()
		}
		y, err := interp.EvalScalar(p, x)
		if err != nil {
			return nil, err
		}
		finite := true
		for _, v := range y {
			finite = finite && !math.IsNaN(v) && !math.IsInf(v, 0)
		}
		if finite {
			return x, nil
		}
	}
	return nil, fmt.Errorf("task %s: no finite value at %d random points of its domain", t.Name, tries)
}

// All lists the tasks in the order of the table.
func All() []*Task { return table }

// Names lists the tasks' names in the order of the table.
func Names() []string {
	names := make([]string, len(table))
	for i, t := range table {
		names[i] = t.Name
	}
	return names
}

// Lookup finds a task by name; the error lists the known ones.
func Lookup(name string) (*Task, error) {
	for _, t := range table {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("unknown task %q%s; known tasks: %v", name, ir.Suggest(name, Names()), Names())
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

var published = sync.OnceValues(func() (map[string]*Published, error) {
	var f struct {
		Tasks map[string]*Published `json:"tasks"`
	}
	err := json.Unmarshal(publishedJSON, &f)
	return f.Tasks, err
})

// Reference returns the published results for a task, nil when there are none.
func Reference(name string) *Published {
	m, err := published()
	if err != nil {
		panic("tasks: published.json: " + err.Error()) // an embedded file that a test reads
	}
	return m[name]
}
