package interp_test

import (
	"math"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// TestRoundingByHand: sums that cancel keep the errors of their terms; exact operations still count as rounded.
func TestRoundingByHand(t *testing.T) {
	p, err := ir.Parse("program p\ninput x []\ninput y []\np = mul(x, y)\nq = sub(p, 3)\ns = mul(x, x)\noutput q\noutput s\n")
	if err != nil {
		t.Fatal(err)
	}
	y, bound, err := interp.Rounding(p, []float64{3, 1 + 0x1p-30}, 1)
	if err != nil {
		t.Fatal(err)
	}
	const ulp = 0x1p-51 // of 3
	if y[0] != 3*0x1p-30 {
		t.Errorf("value %v", y[0])
	}
	if want := 2 * ulp; bound[0] < ulp || bound[0] > want*1.01 {
		t.Errorf("the difference errs by up to %g, want between %g and %g", bound[0], ulp, want)
	}
	if want := 0x1p-49; bound[1] != want { // of 9
		t.Errorf("the square errs by up to %g, want %g", bound[1], want)
	}
}

func TestRoundingRefusals(t *testing.T) {
	p, err := ir.Parse("program p\ninput x [2]\ny = sin(x)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := interp.Rounding(p, []float64{1}, 1); err == nil {
		t.Error("an array has no scalar bound")
	}
	q, err := ir.Parse("program p\ninput x []\ny = sin(x)\noutput y\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := interp.Rounding(q, []float64{1, 2}, 1); err == nil {
		t.Error("two numbers for one input")
	}
	if y, _, err := interp.Rounding(q, []float64{1}, 1); err != nil || y[0] != math.Sin(1) {
		t.Errorf("%v, %v", y, err)
	}
}
