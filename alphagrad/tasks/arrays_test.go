package tasks_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// TestArraysAgainstJAX compares values and Jacobians, by three orders, with those that JAX computes from its own writing
// of the functions; testdata/arrays.json says how.
func TestArraysAgainstJAX(t *testing.T) {
	data, err := os.ReadFile("testdata/arrays.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tasks map[string]struct {
			Values       [][]float64 `json:"values"`
			JacobianSums [][]float64 `json:"jacobian_sums"`
		} `json:"tasks"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	near := func(t *testing.T, what string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-10*(1+math.Abs(want))) {
			t.Errorf("%s is %v, JAX says %v", what, got, want)
		}
	}
	for _, task := range tasks.Arrays() {
		t.Run(task.Name, func(t *testing.T) {
			want, ok := file.Tasks[task.Name]
			if !ok {
				t.Fatal("JAX's values are missing")
			}
			p, err := task.Program()
			if err != nil {
				t.Fatal(err)
			}
			at := make([]ir.Tensor, len(p.Inputs))
			for j, id := range p.Inputs {
				at[j] = ir.Tensor{Shape: p.Nodes[id].Shape, Data: make([]float64, p.Nodes[id].Shape.Size())}
				d := task.Domain[j]
				for i := range at[j].Data {
					_, frac := math.Modf(0.6180339887498949 * float64(7*j+i+1))
					at[j].Data[i] = d.Low + (d.High-d.Low)*frac
				}
			}
			y, err := interp.Eval(p, at)
			if err != nil {
				t.Fatal(err)
			}
			for k, w := range want.Values {
				for i := range w {
					near(t, p.Outputs[k].Name, y[k].Data[i], w[i])
				}
			}
			g, err := ad.Graph(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, order := range [][]int{elim.Forward(g), elim.Reverse(g), elim.Markowitz(g)} {
				jac, err := ad.Jacobian(p, order)
				if err != nil {
					t.Fatal(err)
				}
				blocks, err := interp.Eval(jac, at)
				if err != nil {
					t.Fatal(err)
				}
				for i, row := range want.JacobianSums {
					for j, w := range row {
						sum := 0.0
						for k, v := range blocks[i*len(at)+j].Data {
							sum += v * math.Cos(float64(k))
						}
						near(t, jac.Outputs[i*len(at)+j].Name, sum, w)
					}
				}
			}
		})
	}
}

// TestArraysAreSound: names, domains and samples; Lookup finds them.
func TestArraysAreSound(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, task := range tasks.Arrays() {
		found, err := tasks.Lookup(task.Name)
		if err != nil || found != task || !task.IsArray() {
			t.Errorf("%s: %v, %v", task.Name, found, err)
		}
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		if p.Name != task.Name || len(p.Inputs) != len(task.Domain) {
			t.Errorf("%s: program %q with %d inputs, domain of %d", task.Name, p.Name, len(p.Inputs), len(task.Domain))
		}
		if _, err := task.Sample(rng); err != nil {
			t.Error(err)
		}
	}
}

// TestPublishedOrdersOfArrays: the published orders are orders of our graphs, vertex by vertex the same operation, and cost
// what they cost. The published counts of RoeFlux_3d come out of the authors' rules vertex by vertex.
func TestPublishedOrdersOfArrays(t *testing.T) {
	ours := map[string]string{
		"integer_pow": "powi", "dot_general": "einsum", "broadcast_in_dim": "broadcast", "concatenate": "concat",
	}
	for name, want := range map[string]struct{ forward, reverse, published int64 }{
		"RoeFlux_3d": {748, 620, 494}, "f": {10970, 5747, 5130}, "Perceptron": {5028, 200, 215}, "Encoder": {92160, 3648, 4082},
	} {
		p, err := tasks.ProgramOf(name)
		if err != nil {
			t.Fatal(err)
		}
		g, ref, vertices := graph(t, name), tasks.Reference(name), tasks.ReferenceVertices(name)
		same := 0
		list := p.Vertices()
		for k, op := range vertices.Ops {
			n := p.Nodes[list[tasks.Renumbered(name, k+1)-1]]
			if o, ok := ours[op]; ok {
				op = o
			}
			if n.Op.Name == op {
				same++
			} else if n.Op.Class != ir.IndexMap && n.Op != ir.OpStopGradient { // copies go by several names
				t.Errorf("%s: vertex %d is %s, published %s", name, k+1, n.Op, op)
			}
		}
		if same*5 < len(vertices.Ops)*4 {
			t.Errorf("%s: %d of %d vertices have the published operation", name, same, len(vertices.Ops))
		}
		for _, c := range []struct {
			what  string
			order []int
			want  int64
		}{{"forward", elim.Forward(g), want.forward}, {"reverse", elim.Reverse(g), want.reverse}, {"published", ref.Order, want.published}} {
			if got, err := g.Muls(c.order); err != nil || got != c.want {
				t.Errorf("%s %s: %d multiplications (%v), pinned %d", name, c.what, got, err, c.want)
			}
		}
		if _, err := g.Muls(ref.MarkowitzOrder); err != nil {
			t.Error(err)
		}
	}
	v, ref := tasks.ReferenceVertices("RoeFlux_3d"), tasks.Reference("RoeFlux_3d")
	for _, c := range []struct {
		list []int64
		want int64
	}{{v.Forward, ref.Forward}, {v.Reverse, ref.Reverse}, {v.Order, ref.OrderMultiplications}} {
		sum := int64(0)
		for _, m := range c.list {
			sum += m
		}
		if sum != c.want {
			t.Errorf("RoeFlux_3d: the published counts by vertex sum to %d, published %d", sum, c.want)
		}
	}
}
