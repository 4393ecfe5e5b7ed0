package ir_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// TestSchedulesChangeNoBit: another order of evaluation is legal and gives the same results, of which the one chosen holds
// no more than the program did.
func TestSchedulesChangeNoBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := programs(t)
		x := point(t, p)
		want, err := interp.EvalScalar(p, x)
		if err != nil {
			t.Fatal(err)
		}
		for k, q := range ir.Schedules(p) {
			if err := ir.Verify(q); err != nil {
				t.Fatalf("schedule %d: %v", k, err)
			}
			got, err := interp.EvalScalar(q, x)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
					t.Fatalf("schedule %d: output %d is %v, was %v", k, i, got[i], want[i])
				}
			}
		}
		s, err := ir.Schedule(p)
		if err != nil {
			t.Fatal(err)
		}
		if before, after := ir.PeakLive(p), ir.PeakLive(s); after > before {
			t.Fatalf("holds %d elements, %d before", after, before)
		}
	})
}

// TestScheduleHelps: a derivative as elimination writes it holds more than it needs to.
func TestScheduleHelps(t *testing.T) {
	p, err := tasks.ProgramOf("RobotArm_6DOF")
	if err != nil {
		t.Fatal(err)
	}
	d, err := ad.ValueAndJacobian(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ir.Schedule(d)
	if err != nil {
		t.Fatal(err)
	}
	if before, after := ir.PeakLive(d), ir.PeakLive(s); after >= before {
		t.Errorf("holds %d elements, %d before", after, before)
	}
}

// TestReciprocals: quotients by the same number share a division, a single one is left alone, and numbers divided by a
// constant are multiplied; values keep their quotients.
func TestReciprocals(t *testing.T) {
	p, err := ir.Parse(`program p
input a []
input b []
input c []
input d []
q = div(a, c)
r = div(b, c)
i = div(1, c)
s = div(a, d)
k = div(b, 3)
output q
output r
output i
output s
output k
`)
	if err != nil {
		t.Fatal(err)
	}
	for derivatives, want := range map[int]ir.OpCount{5: {Mul: 3, Div: 2}, 3: {Mul: 1, Div: 4}, 0: {Div: 5}} {
		q, err := ir.Reciprocals(p, derivatives)
		if err != nil {
			t.Fatal(err)
		}
		n, err := ir.Count(q)
		if err != nil {
			t.Fatal(err)
		}
		if n.Mul != want.Mul || n.Div != want.Div {
			t.Errorf("%d derivatives: %v, want %v\n%s", derivatives, n, want, q)
		}
		x := []float64{1.7, -2.3, 7.1, 0.3}
		want, err := interp.EvalScalar(p, x)
		if err != nil {
			t.Fatal(err)
		}
		got, err := interp.EvalScalar(q, x)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			tolerance := 0x1p-52 * math.Abs(want[i])
			if i < len(want)-derivatives {
				tolerance = 0
			}
			if math.Abs(got[i]-want[i]) > tolerance {
				t.Errorf("%d derivatives, output %d: %v, was %v", derivatives, i, got[i], want[i])
			}
		}
	}
}

// TestPowersFold: 1ˣ and x⁰ are 1 for every x, as in package math.
func TestPowersFold(t *testing.T) {
	p, err := ir.Parse("program p\ninput x []\na = pow(1, x)\nb = pow(x, 0)\noutput a\noutput b\n")
	if err != nil {
		t.Fatal(err)
	}
	q, err := ir.Simplify(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range q.Outputs {
		if c, ok := q.ConstScalar(o.Node); !ok || c != 1 {
			t.Errorf("%s is not the constant 1:\n%s", o.Name, q)
		}
	}
	for _, x := range []float64{-2, 0, math.Inf(1), math.NaN()} {
		y, err := interp.EvalScalar(p, []float64{x})
		if err != nil || y[0] != 1 || y[1] != 1 {
			t.Errorf("the interpreter has %v, %v for %v", y, err, x)
		}
	}
}
