package interp_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

func parse(t *testing.T, text string) *ir.Program {
	t.Helper()
	p, err := ir.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEveryElementwiseOp evaluates each op at a point where its value is known in closed form.
func TestEveryElementwiseOp(t *testing.T) {
	want := map[string]float64{ // at x = 1 (y = 2, third argument 3), values from tables
		"add": 3, "sub": -1, "mul": 2, "div": 0.5, "neg": -1, "square": 1, "pow": 1, "powi": 1, "sqrt": 1, "rsqrt": 1,
		"exp": 2.718281828459045, "expm1": 1.718281828459045, "log": 0, "log1p": 0.6931471805599453, "logistic": 0.7310585786300049, "erf": 0.8427007929497149,
		"sin": 0.8414709848078965, "cos": 0.5403023058681398, "tan": 1.557407724654902, "asin": 1.5707963267948966, "acos": 0, "atan": 0.7853981633974483,
		"atan2": 0.4636476090008061, "sinh": 1.1752011936438014, "cosh": 1.543080634815244, "tanh": 0.7615941559557649, "asinh": 0.881373587019543, "acosh": 0,
		"abs": 1, "sign": 1, "max": 2, "min": 1, "relu": 1, "select": 2, "heaviside": 1, "stop_gradient": 1,
	}
	args := []float64{1, 2, 3}
	for _, op := range ir.Ops() {
		if op.Class != ir.Elementwise || op == ir.OpAtanh { // infinite at 1; tested below
			continue
		}
		b := ir.NewBuilder("p")
		var in []*ir.Value
		for k := range op.Arity {
			in = append(in, b.Input(string(rune('x'+k))))
		}
		b.Output("out", ir.Apply(op, &ir.Attrs{N: 3}, in...))
		var x []float64
		x = append(x, args[:op.Arity]...)
		p, err := b.Build()
		if op != ir.OpPowi { // the exponent is an attribute of powi alone
			if err == nil {
				t.Errorf("%s takes an exponent", op)
			}
			b = ir.NewBuilder("p")
			in = nil
			for k := range op.Arity {
				in = append(in, b.Input(string(rune('x'+k))))
			}
			b.Output("out", ir.Apply(op, nil, in...))
			p, err = b.Build()
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := interp.EvalScalar(p, x)
		if err != nil {
			t.Fatal(err)
		}
		w, ok := want[op.Name]
		if d := got[0] - w; !ok || d > 1e-15 || d < -1e-15 {
			t.Errorf("%s%v = %v, want %v (in the table: %v)", op, x, got[0], w, ok)
		}
	}
	got, err := interp.EvalScalar(parse(t, "program p\ninput x []\ny = atanh(x)\noutput y\n"), []float64{0.5})
	if err != nil || got[0] < 0.5493061443340547 || got[0] > 0.5493061443340549 {
		t.Errorf("atanh(0.5) = %v, %v", got, err)
	}
}

func TestWrongInputs(t *testing.T) {
	p := parse(t, "program p\ninput x [2]\ninput y []\nz = mul(x, y)\noutput z\n")
	x := ir.Tensor{Shape: ir.Shape{2}, Data: []float64{1, 2}}
	for want, in := range map[string][]ir.Tensor{
		"takes 2 inputs [x y], has 1":      {x},
		`input "x" has shape [2]`:          {ir.Scalar(1), ir.Scalar(2)},
		"given shape [2] with 1 numbers":   {{Shape: ir.Shape{2}, Data: []float64{1}}, ir.Scalar(1)},
		`input "y" has shape [], is given`: {x, x},
	} {
		if _, err := interp.Eval(p, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
	if _, err := interp.EvalScalar(parse(t, "program p\ninput x []\nz = broadcast(x) {\"shape\": [2], \"axes\": []}\noutput z\n"), []float64{1}); err == nil || !strings.Contains(err.Error(), "expected a scalar") {
		t.Errorf("an array output is no scalar: %v", err)
	}
}

func TestNonFinite(t *testing.T) {
	p := parse(t, "program p\ninput x []\na = log(x)\nb = sqrt(x)\nc = div(1, x)\noutput a\noutput b\noutput c\n")
	out, err := interp.Eval(p, []ir.Tensor{ir.Scalar(-1)})
	if err != nil {
		t.Fatal(err)
	}
	if got := interp.NonFinite(p, out); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("not finite: %v, want [a b]", got)
	}
}
