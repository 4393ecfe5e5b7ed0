package gosrc_test

import (
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// TestCompact: what is left is where it is said to be, and what is left out is zero at random points.
func TestCompact(t *testing.T) {
	left := 0
	for _, name := range []string{"CloudSchemes", "RobotArm_6DOF", "Lighthouse"} {
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
		d, err := ad.ValueAndJacobian(p, elim.Forward(g))
		if err != nil {
			t.Fatal(err)
		}
		m := len(p.Outputs)
		compact, at, err := gosrc.Compact(d, m)
		if err != nil {
			t.Fatal(err)
		}
		left += len(d.Outputs) - m - len(at)
		rng := rand.New(rand.NewPCG(1, 2))
		for range 3 {
			x, err := task.Point(rng)
			if err != nil {
				t.Fatal(err)
			}
			want, err := interp.EvalScalar(d, x)
			if err != nil {
				t.Fatal(err)
			}
			y, err := interp.EvalScalar(compact, x)
			if err != nil {
				t.Fatal(err)
			}
			got := append(y[:m:m], make([]float64, len(want)-m)...)
			for i, k := range at {
				got[m+k] = y[m+i]
			}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s, result %d: %v, want %v", name, i, got[i], want[i])
				}
			}
		}
	}
	if left < 20 { // CloudSchemes has 17 zeros, the arm 8
		t.Errorf("%d entries are left out", left)
	}
}
