package tasks_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

func graph(t testing.TB, name string) *elim.Graph {
	t.Helper()
	p, err := tasks.ProgramOf(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestPublishedCounts pins the five published tasks: forward, reverse and Markowitz counts, and the cost of the published
// AlphaGrad and Markowitz orders.
func TestPublishedCounts(t *testing.T) {
	for _, name := range []string{"RoeFlux_1d", "RobotArm_6DOF", "HumanHeartDipole", "PropaneCombustion", "g"} {
		g, ref := graph(t, name), tasks.Reference(name)
		for _, c := range []struct {
			what  string
			order []int
			want  int64
		}{
			{"forward", elim.Forward(g), ref.Forward},
			{"reverse", elim.Reverse(g), ref.Reverse},
			{"Markowitz", elim.Markowitz(g), ref.Markowitz},
			{"published", ref.Order, ref.OrderMultiplications},
			{"published Markowitz", ref.MarkowitzOrder, ref.Markowitz},
		} {
			got, err := g.Muls(c.order)
			if err != nil || got != c.want {
				t.Errorf("%s %s: %d multiplications (%v), published %d", name, c.what, got, err, c.want)
			}
		}
	}
}

func TestTasksAreSound(t *testing.T) {
	for _, task := range slices.Concat(tasks.All(), tasks.Unseen()) {
		p, err := task.Program()
		if err != nil {
			t.Fatal(err)
		}
		if p.Name != task.Name || len(p.Inputs) != len(task.Domain) {
			t.Errorf("%s: program %q with %d inputs, domain of %d", task.Name, p.Name, len(p.Inputs), len(task.Domain))
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for range 5 {
			x, err := task.Point(rng)
			if err != nil {
				t.Fatal(err)
			}
			for i, d := range task.Domain {
				if x[i] < d.Low || x[i] > d.High {
					t.Errorf("%s: input %d = %v outside %v", task.Name, i, x[i], d)
				}
			}
			y, err := interp.EvalScalar(p, x)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range y {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%s: output %d is %v", task.Name, i, v)
				}
			}
		}
	}
	if _, err := tasks.Lookup("RoeFlux1d"); err == nil || err.Error() != `unknown task "RoeFlux1d"; did you mean "RoeFlux_1d"?; known tasks: `+sprint(append(tasks.Names(), arrayNames()...)) {
		t.Errorf("unknown task: %v", err)
	}
}

func arrayNames() (names []string) {
	for _, t := range tasks.Arrays() {
		names = append(names, t.Name)
	}
	return names
}

func sprint(names []string) string {
	s := "["
	for i, n := range names {
		if i > 0 {
			s += " "
		}
		s += n
	}
	return s + "]"
}
