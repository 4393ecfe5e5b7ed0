package sparse

import (
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"pgregory.net/rapid"
)

// TestHostileColorings: whatever numbers a colouring has, it is used correctly or refused.
func TestHostileColorings(t *testing.T) {
	p := burgers(t, 6)
	pattern, err := Detect(p)
	if err != nil {
		t.Fatal(err)
	}
	at := []ir.Tensor{{Shape: ir.Shape{6}, Data: []float64{1, 2, 3, 4, 5, 6}}}
	want, err := NewPlan(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, reference, err := want.Jacobian(at, nil)
	if err != nil {
		t.Fatal(err)
	}
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		list := func(n int) []int32 {
			switch rapid.IntRange(0, 3).Draw(t, "length") {
			case 0:
				return nil
			case 1:
				n = rapid.IntRange(0, 8).Draw(t, "n")
			}
			return rapid.SliceOfN(rapid.Int32Range(-2, 7), n, n).Draw(t, "colours")
		}
		c := &Coloring{Column: list(6), Row: list(6), Columns: rapid.IntRange(-2, 8).Draw(t, "columns"), Rows: rapid.IntRange(-2, 8).Draw(t, "rows")}
		if color := rapid.IntRange(0, 3).Draw(t, "start"); color < 3 { // a good one, one number changed
			c = []func(*Pattern) *Coloring{ColorColumns, ColorRows, ColorBoth}[color](pattern)
			change := rapid.Int32Range(-2, 7).Draw(t, "change")
			switch i := rapid.IntRange(0, 5).Draw(t, "at"); {
			case change == 7: // none
			case change == 6:
				c.Columns, c.Rows = c.Columns+i-2, c.Rows+i/2-1
			case c.Column != nil:
				c.Column[i] = change
			default:
				c.Row[i] = change
			}
		}
		_ = c.Check(pattern)
		if _, err := c.Groups(pattern); (err == nil) != (c.Check(pattern) == nil) {
			t.Fatalf("%+v: Groups says %v, Check %v", c, err, c.Check(pattern))
		}
		plan, err := NewPlan(p, Options{Strategy: Both, Coloring: c})
		if err != nil {
			return
		}
		accepted++
		_, m, err := plan.Jacobian(at, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 6 {
			for j := range 6 {
				if d := m.At(i, j) - reference.At(i, j); d > 1e-14 || d < -1e-14 {
					t.Fatalf("%+v: entry (%d, %d) is %v, want %v", c, i, j, m.At(i, j), reference.At(i, j))
				}
			}
		}
	})
	if accepted < 5 {
		t.Errorf("only %d were accepted", accepted)
	}
}

// TestHostilePatterns: rows that name columns which do not exist are refused, everything else is coloured.
func TestHostilePatterns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.IntRange(-2, 6).Draw(t, "columns")
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.Int32Range(-2, 7), 0, 4), 0, 5).Draw(t, "rows")
		p, err := NewPattern(columns, rows)
		if err != nil {
			return
		}
		for _, color := range []func(*Pattern) *Coloring{ColorColumns, ColorRows, ColorBoth} {
			recovers(t, p, color(p))
		}
		if d, err := (&Matrix{p, make([]float64, p.Entries())}).Dense(); err == nil {
			if r, c := d.Dims(); p.Rows > 0 && p.Columns > 0 && (r != p.Rows || c != p.Columns) {
				t.Fatalf("%d × %d", r, c)
			}
		}
	})
}

func TestHostilePlans(t *testing.T) {
	p := burgers(t, 5)
	bad := p.Clone()
	bad.Nodes[2].Args = []ir.ID{77}
	for name, f := range map[string]func() error{
		"no program":      func() error { _, err := NewPlan(nil, Options{}); return err },
		"illegal program": func() error { _, err := NewPlan(bad, Options{}); return err },
		"wrong order":     func() error { _, err := NewPlan(p, Options{Strategy: Eliminate, Order: []int{1, 1}}); return err },
		"nothing to detect": func() error {
			_, err := Detect(nil)
			return err
		},
	} {
		if err := f(); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Log(err)
		}
	}
	for _, s := range []Strategy{Eliminate, Columns, Rows} {
		plan, err := NewPlan(p, Options{Strategy: s})
		if err != nil {
			t.Fatal(err)
		}
		for name, x := range map[string][]ir.Tensor{
			"none": nil, "two": make([]ir.Tensor, 2), "empty": {{}}, "short": {{Shape: ir.Shape{5}, Data: []float64{1}}}, "long": {{Shape: ir.Shape{6}, Data: make([]float64, 6)}},
		} {
			if _, _, err := plan.Jacobian(x, nil); err == nil {
				t.Errorf("%s, %s: no error", s, name)
			}
		}
		if _, m, err := plan.Jacobian([]ir.Tensor{{Shape: ir.Shape{5}, Data: make([]float64, 5)}}, &Matrix{Pattern: plan.Pattern}); err != nil || len(m.Value) != plan.Pattern.Entries() {
			t.Errorf("into an empty matrix: %v", err)
		}
	}
}
