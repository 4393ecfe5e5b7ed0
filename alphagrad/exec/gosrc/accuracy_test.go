package gosrc_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/vasm"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// accuracyCase is a function with its exact value and where to try it. Points are spread evenly over the range, and
// evenly in their logarithms down to 10⁻³⁰.
type accuracyCase struct {
	op        *ir.OpInfo
	exact     func(x, y *big.Float) *big.Float
	low, high float64
	positive  bool       // no negative small numbers
	second    [2]float64 // range of the second argument
}

func exactUnary(f func(x *big.Float) *big.Float) func(x, y *big.Float) *big.Float {
	return func(x, _ *big.Float) *big.Float { return f(x) }
}

var accuracyCases = []accuracyCase{
	{op: ir.OpExp, exact: exactUnary(bigExp), low: -700, high: 709},
	{op: ir.OpExpm1, exact: exactUnary(bigExpm1), low: -30, high: 709},
	{op: ir.OpLog, exact: exactUnary(bigLog), low: 0, high: 3, positive: true},
	{op: ir.OpLog, exact: exactUnary(bigLog), low: 0, high: 1e300, positive: true},
	{op: ir.OpLog1p, exact: exactUnary(bigLog1p), low: -1, high: 3},
	{op: ir.OpErf, exact: exactUnary(bigErf), low: -5.5, high: 5.5},
	{op: ir.OpSin, exact: exactUnary(func(x *big.Float) *big.Float { s, _ := bigSinCos(x); return s }), low: -30, high: 30},
	{op: ir.OpSin, exact: exactUnary(func(x *big.Float) *big.Float { s, _ := bigSinCos(x); return s }), low: -1e9, high: 1e9},
	{op: ir.OpCos, exact: exactUnary(func(x *big.Float) *big.Float { _, c := bigSinCos(x); return c }), low: -30, high: 30},
	{op: ir.OpCos, exact: exactUnary(func(x *big.Float) *big.Float { _, c := bigSinCos(x); return c }), low: -1e9, high: 1e9},
	{op: ir.OpTan, exact: exactUnary(func(x *big.Float) *big.Float { s, c := bigSinCos(x); return bigQuo(s, c) }), low: -30, high: 30},
	{op: ir.OpAsin, exact: exactUnary(bigAsin), low: -1, high: 1},
	{op: ir.OpAcos, exact: exactUnary(bigAcos), low: -1, high: 1},
	{op: ir.OpAtan, exact: exactUnary(bigAtan), low: -5, high: 5},
	{op: ir.OpAtan, exact: exactUnary(bigAtan), low: -1e6, high: 1e6},
	{op: ir.OpSinh, exact: exactUnary(bigSinh), low: -710, high: 710},
	{op: ir.OpSinh, exact: exactUnary(bigSinh), low: -3, high: 3},
	{op: ir.OpCosh, exact: exactUnary(bigCosh), low: -5, high: 710},
	{op: ir.OpTanh, exact: exactUnary(bigTanh), low: -20, high: 20},
	{op: ir.OpTanh, exact: exactUnary(bigTanh), low: -1, high: 1},
	{op: ir.OpAsinh, exact: exactUnary(bigAsinh), low: -10, high: 10},
	{op: ir.OpAcosh, exact: exactUnary(bigAcosh), low: 1, high: 10},
	{op: ir.OpAtanh, exact: exactUnary(bigAtanh), low: -1, high: 1},
	{op: ir.OpAtan2, exact: bigAtan2, low: -3, high: 3, second: [2]float64{-3, 3}},
	{op: ir.OpPow, exact: bigPow, low: 0, high: 5, positive: true, second: [2]float64{-10, 10}},
	{op: ir.OpPow, exact: bigPow, low: 0, high: 1e9, positive: true, second: [2]float64{-10, 10}}, // no overflow, else all is left to math.Pow, which errs by 20 units
}

func bigPow(x, y *big.Float) *big.Float { return bigExp(bigMul(y, bigLog(x))) }

func (c *accuracyCase) points(rng *rand.Rand, n int) [][]float64 {
	var pts [][]float64
	for i := 0; len(pts) < n; i++ {
		x := c.low + (c.high-c.low)*rng.Float64()
		if i%3 == 0 {
			x = math.Pow(10, -30*rng.Float64())
			if !c.positive && rng.IntN(2) == 0 {
				x = -x
			}
		}
		if x <= c.low || x >= c.high {
			continue
		}
		p := []float64{x}
		if c.op.Arity == 2 {
			p = append(p, c.second[0]+(c.second[1]-c.second[0])*rng.Float64())
		}
		pts = append(pts, p)
	}
	return pts
}

// units is the distance of a result from the exact value in units in the last place of that.
func units(got float64, exact *big.Float) float64 {
	want, _ := exact.Float64()
	if math.IsInf(want, 0) || math.IsNaN(got) || math.IsInf(got, 0) {
		if got == want {
			return 0
		}
		return math.Inf(1)
	}
	ulp := math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want)
	d, _ := bigQuo(bigSub(bigf(got), exact), bigf(ulp)).Float64()
	return math.Abs(d)
}

// wrap is a function of one op for the harness, which wants a Jacobian: a constant one.
func wrap(t *testing.T, name string, op *ir.OpInfo) gosrc.Function {
	t.Helper()
	b := ir.NewBuilder(name)
	args := make([]*ir.Value, op.Arity)
	for k := range args {
		args[k] = b.Input(string(rune('a' + k)))
	}
	b.Output("y", ir.Apply(op, nil, args...))
	for k := range args {
		b.Output("d"+string(rune('a'+k)), ir.Const(b, 0))
	}
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return gosrc.Function{Name: name, Program: p, Results: []gosrc.Result{{Name: "y", Len: 1}, {Name: "jac", Len: op.Arity}}}
}

func caseName(i int) string { return "case" + string(rune('a'+i)) }

// TestAccuracy compares the vector functions with exact values, in vectors and for one sample.
func TestAccuracy(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	points := map[string][][]float64{}
	for i, c := range accuracyCases {
		points[gosrc.Identifier(caseName(i))] = c.points(rng, 600)
	}
	program := vectorProgram(t)
	for _, v := range variants[1:3] {
		results := evaluate(t, program, v.debug, points)
		for i, c := range accuracyCases {
			name := gosrc.Identifier(caseName(i))
			worst, at := 0.0, []float64(nil)
			for k, p := range points[name] {
				y := bigf(0)
				if len(p) > 1 {
					y = bigf(p[1])
				}
				exact := c.exact(bigf(p[0]), y)
				for _, got := range []float64{results[name].Single[k][0], results[name].Batch[k][0]} {
					if u := units(got, exact); u > worst || at == nil {
						worst, at = u, p
					}
				}
			}
			bound := vasm.Units(c.op)
			t.Logf("%-6s [%g, %g]: %.3f units at %v", c.op, c.low, c.high, worst, at)
			if worst > bound {
				t.Errorf("%s of %v errs by %.3f units in the last place, bound %v", c.op, at, worst, bound)
			}
		}
	}
}
