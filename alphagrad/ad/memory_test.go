package ad_test

import (
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// TestMemorySuffices executes derivative programs in as many cells as Memory says, every value in a cell that no value
// still needed occupies: there are always enough, once all of them are in use, and the results are those of plain
// evaluation.
func TestMemorySuffices(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for _, name := range []string{"Lighthouse", "RoeFlux_1d", "RobotArm_6DOF", "CloudSchemes"} {
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
		x, err := task.Point(rng)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int64]bool{}
		for range 5 {
			order := g.Eliminable()
			rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			memory, err := ad.Memory(p, order)
			if err != nil {
				t.Fatal(err)
			}
			seen[memory] = true
			d, err := ad.ValueAndJacobian(p, order)
			if err != nil {
				t.Fatal(err)
			}
			if d, err = ir.Finish(d, len(d.Outputs)-len(p.Outputs)); err != nil {
				t.Fatal(err)
			}
			got, most := inCells(t, d, x, int(memory))
			want, err := interp.EvalScalar(d, x)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%s: output %s is %v, want %v", name, d.Outputs[i].Name, got[i], want[i])
				}
			}
			if most != int(memory) {
				t.Errorf("%s: at most %d of %d cells are in use", name, most, memory)
			}
		}
		if name == "RoeFlux_1d" && len(seen) < 2 {
			t.Errorf("%s: every order needs %v elements", name, seen)
		}
	}
	p, err := tasks.ProgramOf("Lighthouse")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ad.Memory(p, []int{1}); err == nil {
		t.Error("an order that is not complete is accepted")
	}
}

// inCells evaluates a program of scalars in a memory of n cells, which constants do not use, and returns the outputs and the
// largest number of cells in use.
func inCells(t *testing.T, p *ir.Program, x []float64, n int) (outputs []float64, most int) {
	t.Helper()
	cells := make([]float64, n)
	cell := map[ir.ID]int{} // of the values in memory
	allocate := func(id ir.ID, v float64) {
		used := map[int]bool{}
		for _, c := range cell {
			used[c] = true
		}
		for c := range cells {
			if !used[c] {
				cells[c], cell[id] = v, c
				most = max(most, len(cell))
				return
			}
		}
		t.Fatalf("%d cells are not enough", n)
	}
	needed := func(id ir.ID, after int) bool {
		for _, o := range p.Outputs {
			if o.Node == id {
				return true
			}
		}
		for _, later := range p.Nodes[after+1:] {
			for _, a := range later.Args {
				if a == id {
					return true
				}
			}
		}
		return false
	}
	value := func(id ir.ID) float64 {
		if c, ok := p.ConstScalar(id); ok {
			return c
		}
		return cells[cell[id]]
	}
	for k, id := range p.Inputs {
		allocate(id, x[k])
	}
	for i := range p.Nodes {
		node := &p.Nodes[i]
		if node.Op != ir.OpInput && node.Op != ir.OpConst {
			var args []ir.Tensor
			for _, a := range node.Args {
				args = append(args, ir.Scalar(value(a)))
			}
			allocate(ir.ID(i), ir.EvalNode(node, args).Data[0])
		}
		for id := range cell {
			if int(id) <= i && !needed(id, i) {
				delete(cell, id)
			}
		}
	}
	for _, o := range p.Outputs {
		outputs = append(outputs, value(o.Node))
	}
	return outputs, most
}
