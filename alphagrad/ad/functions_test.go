package ad_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"pgregory.net/rapid"
)

// centralDifferences compares a Jacobian, by an order drawn at random, with central differences of the interpreter.
func centralDifferences(t *rapid.T, p *ir.Program, at []ir.Tensor) {
	t.Helper()
	g, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	jac, err := ad.Jacobian(p, rapid.Permutation(g.Eliminable()).Draw(t, "order"))
	if err != nil {
		t.Fatal(err)
	}
	eval := func(p *ir.Program, at []ir.Tensor) []ir.Tensor {
		y, err := interp.Eval(p, at)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	got := eval(jac, at)
	const step = 1e-5
	for j := range at {
		n := len(at[j].Data)
		for c := range at[j].Data {
			moved := slices.Clone(at)
			shift := func(d float64) []ir.Tensor {
				moved[j].Data = slices.Clone(at[j].Data)
				moved[j].Data[c] += d
				return eval(p, moved)
			}
			up, down := shift(step), shift(-step)
			for i := range up {
				for r := range up[i].Data {
					want := (up[i].Data[r] - down[i].Data[r]) / (2 * step)
					if d := got[i*len(at)+j].Data[r*n+c]; !(math.Abs(d-want) <= 1e-6*(1+math.Abs(want))) {
						t.Fatalf("%s[%d] by input %d[%d] is %v, differences give %v\n%s", p.Outputs[i].Name, r, j, c, d, want, p)
					}
				}
			}
		}
	}
}

// TestEinsumArrangements: contractions of two or three operands with batch, free, summed and repeated labels in any order
// of the axes.
func TestEinsumArrangements(t *testing.T) {
	kinds := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		sizes := map[byte]int{'a': 2, 'b': 3, 'c': 2, 'd': 1, 'e': 2}
		b := ir.NewBuilder("einsum")
		var specs []string
		var args []*ir.Value
		var used []byte
		for k := range rapid.IntRange(1, 3).Draw(t, "operands") {
			labels := rapid.SliceOfN(rapid.SampledFrom([]byte("abcde")), 0, 3).Draw(t, "labels")
			shape := make(ir.Shape, len(labels))
			for i, l := range labels {
				shape[i] = sizes[l]
				if !slices.Contains(used, l) {
					used = append(used, l)
				}
			}
			specs, args = append(specs, string(labels)), append(args, ir.Sin(b.Input(fmt.Sprintf("x%d", k), shape...)))
			switch sorted := slices.Sorted(slices.Values(labels)); {
			case len(slices.Compact(sorted)) < len(labels):
				kinds["diagonal"] = true
			case k > 0 && len(labels) > 0 && strings.ContainsAny(specs[0], string(labels)):
				kinds["shared"] = true
			}
		}
		var result []byte
		for _, l := range used {
			if rapid.Bool().Draw(t, "kept") {
				result = append(result, l)
			}
		}
		if len(result) > 1 {
			result = rapid.Permutation(result).Draw(t, "result")
		}
		if len(result) < len(used) {
			kinds["summed"] = true
		}
		b.Output("y", ir.Square(ir.Einsum(strings.Join(specs, ",")+"->"+string(result), args...)))
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		centralDifferences(t, p, randomPoint(p, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 5))))
	})
	for _, k := range []string{"diagonal", "shared", "summed"} {
		if !kinds[k] {
			t.Errorf("no contraction had %s labels", k)
		}
	}
}

// TestOpsOverArrays: each function over arrays, between two smooth ones, against central differences.
func TestOpsOverArrays(t *testing.T) {
	type function struct {
		name string
		f    func(x, y *ir.Value) *ir.Value
	}
	functions := []function{
		{"softmax", func(x, _ *ir.Value) *ir.Value { return ir.Softmax(x) }},
		{"layer norm", func(x, y *ir.Value) *ir.Value {
			return ir.LayerNorm(x, ir.ReduceSum(ir.Cos(y), 0), ir.ReduceMean(y, 0), 0.1)
		}},
		{"cross entropy", func(x, y *ir.Value) *ir.Value { return ir.CrossEntropy(ir.Softmax(y), x) }},
		{"where", func(x, y *ir.Value) *ir.Value { return ir.Select(ir.Heaviside(y, nil), x, ir.Mul(x, y)) }},
		{"silu", func(x, _ *ir.Value) *ir.Value { return ir.Silu(x) }},
		{"gelu", func(x, _ *ir.Value) *ir.Value { return ir.Gelu(x) }},
	}
	for _, axes := range [][]int{{0}, {1}, {0, 1}} {
		for name, reduce := range map[string]func(x *ir.Value, axes ...int) *ir.Value{
			"sum": ir.ReduceSum, "mean": ir.ReduceMean, "max": ir.ReduceMax, "min": ir.ReduceMin, "product": ir.ReduceMultiply,
		} {
			functions = append(functions, function{fmt.Sprint(name, axes), func(x, _ *ir.Value) *ir.Value { return reduce(x, axes...) }})
		}
	}
	for _, c := range functions {
		t.Run(c.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				b := ir.NewBuilder("p")
				x, y := b.Input("x", 2, 3), b.Input("y", 2, 3)
				b.Output("z", ir.Square(c.f(ir.Add(ir.Sin(x), ir.Mul(x, y)), y)))
				p, err := b.Build()
				if err != nil {
					t.Fatal(err)
				}
				at := randomPoint(p, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 6)))
				for _, v := range slices.Concat(at[0].Data, at[1].Data) {
					if math.Abs(v) < 1e-3 { // a kink of where is near
						t.Skip("near a kink")
					}
				}
				for i, v := range at[0].Data {
					for k, w := range at[0].Data[:i] {
						if math.Abs(math.Sin(v)+v*at[1].Data[i]-math.Sin(w)-w*at[1].Data[k]) < 1e-3 { // two extremes are near
							t.Skip("near a kink")
						}
					}
				}
				centralDifferences(t, p, at)
			})
		})
	}
}

// TestChosenDerivatives: where a derivative is not that of the function, it is the one that was chosen: none through a
// stopped gradient, a surrogate's through a step, half each where two elements attain an extreme.
func TestChosenDerivatives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.Float64Range(0.5, 3).Draw(t, "width")
		b := ir.NewBuilder("p")
		x := b.Input("x", 4)
		spike := ir.Heaviside(x, &ir.Attrs{Surrogate: "fast_sigmoid", Width: &width})
		b.Output("y", ir.Add(ir.Mul(ir.StopGradient(ir.Sin(x)), x), ir.Mul(spike, x)))
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		jac, err := ad.Jacobian(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		at := randomPoint(p, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7)))
		got, err := interp.Eval(jac, at)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range at[0].Data {
			step := 0.0
			if v > 0 {
				step = 1
			}
			for j := range at[0].Data {
				want := 0.0
				if i == j {
					want = math.Sin(v) + step + v*width/math.Pow(1+width*math.Abs(v), 2)
				}
				if math.Abs(got[0].Data[i*4+j]-want) > 1e-12 {
					t.Fatalf("entry (%d, %d) at %v is %v, want %v", i, j, v, got[0].Data[i*4+j], want)
				}
			}
		}
	})
	b := ir.NewBuilder("ties")
	x := b.Input("x", 3)
	b.Output("high", ir.ReduceMax(x))
	b.Output("low", ir.ReduceMin(x))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	jac, err := ad.Jacobian(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := interp.Eval(jac, []ir.Tensor{{Shape: ir.Shape{3}, Data: []float64{2, 1, 2}}})
	if err != nil || !slices.Equal(got[0].Data, []float64{0.5, 0, 0.5}) || !slices.Equal(got[1].Data, []float64{0, 1, 0}) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestRandomProgramsAgainstDifferences: random array programs in random orders, without kinks, against central differences.
func TestRandomProgramsAgainstDifferences(t *testing.T) {
	smooth := 0
	rapid.Check(t, func(t *rapid.T) {
		p := drawArrayProgram(t)
		for i := range p.Nodes {
			if op := p.Nodes[i].Op; op == ir.OpMax || op == ir.OpReduceMax {
				return
			}
		}
		smooth++
		at := randomPoint(p, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 8)))
		values, err := interp.Eval(p, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, y := range values {
			for _, v := range y.Data {
				if math.Abs(v) > 100 { // differences of large numbers say little
					return
				}
			}
		}
		centralDifferences(t, p, at)
	})
	if smooth < 30 {
		t.Errorf("only %d programs were smooth", smooth)
	}
}

// TestLongProducts: the derivative of a product of many elements takes memory and time for each element, not for each pair
// of them, and zeros are exact.
func TestLongProducts(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 8, 100_001} {
		b := ir.NewBuilder("product")
		x := b.Input("x", n)
		b.Output("y", ir.ReduceMultiply(x))
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		jac, err := ad.Jacobian(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range jac.Nodes {
			if size := jac.Nodes[i].Shape.Size(); size > n+1 {
				t.Errorf("%d elements make an array of %d", n, size)
			}
		}
		for _, zeros := range [][]int{nil, {n / 2}, {0, n - 1}} {
			at := ir.Tensor{Shape: ir.Shape{n}, Data: make([]float64, n)}
			rng := rand.New(rand.NewPCG(9, uint64(n)))
			product := 1.0 // of the elements other than 0
			for i := range at.Data {
				at.Data[i] = 1 + (rng.Float64()-0.5)/100
			}
			for _, k := range zeros {
				at.Data[k] = 0
			}
			missing := 0
			for _, v := range at.Data {
				if v == 0 {
					missing++
				} else {
					product *= v
				}
			}
			got, err := interp.Eval(jac, []ir.Tensor{at})
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range at.Data {
				want := 0.0
				switch {
				case missing == 0:
					want = product / v
				case missing == 1 && v == 0:
					want = product
				}
				if d := math.Abs(got[0].Data[i] - want); !(d <= 1e-11*math.Abs(want)) {
					t.Fatalf("%d elements, %d zeros: entry %d is %v, want %v", n, missing, i, got[0].Data[i], want)
				}
			}
		}
	}
}
