package gomlx_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	exec "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	frontend "github.com/alphagrad/alphagrad-go/alphagrad/frontend/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"
)

func f1(name string, low float64, smooth bool, f func(x *Node) *Node, shape ...int) function {
	return function{name, func(x []*Node) []*Node { return []*Node{f(x[0])} }, []ir.Shape{shape}, low, smooth}
}

func f2(name string, smooth bool, f func(x, y *Node) *Node, a, b ir.Shape) function {
	return function{name, func(x []*Node) []*Node { return []*Node{f(x[0], x[1])} }, []ir.Shape{a, b}, -1, smooth}
}

func masked(f func(x, y *Node) *Node) func(x, y *Node) *Node {
	return func(x, y *Node) *Node { return Where(f(x, y), Mul(x, y), Sin(x)) }
}

var (
	s23 = ir.Shape{2, 3}
	s4  = ir.Shape{4}
)

// functions uses every rule at least once.
var functions = []function{
	f1("abs", -1, true, Abs, 2, 3),
	f1("cos", -1, true, Cos, 2, 3),
	f1("erf", -1, true, Erf, 2, 3),
	f1("exp", -1, true, Exp, 2, 3),
	f1("expm1", -1, false, Expm1, 2, 3),
	f1("log", 0.1, true, Log, 2, 3),
	f1("log1p", -0.9, true, Log1p, 2, 3),
	f1("logistic", -1, true, Logistic, 2, 3),
	f1("neg", -1, true, Neg, 2, 3),
	f1("rsqrt", 0.1, false, Rsqrt, 2, 3),
	f1("sign", -1, true, func(x *Node) *Node { return Mul(Sign(x), x) }, 2, 3),
	f1("sin", -1, true, Sin, 2, 3),
	f1("sqrt", 0.1, true, Sqrt, 2, 3),
	f1("tanh", -1, true, Tanh, 2, 3),
	f1("square", -1, true, Square, 2, 3),
	f2("add", true, Add, s23, s23),
	f2("sub row", true, Sub, s23, ir.Shape{1, 3}),
	f2("mul outer", true, Mul, ir.Shape{2, 1}, ir.Shape{1, 3}),
	f2("mul scalar", true, Mul, s23, ir.Shape{}),
	f2("div", true, func(x, y *Node) *Node { return Div(x, OnePlus(Square(y))) }, s23, ir.Shape{2, 1}),
	f2("pow", true, func(x, y *Node) *Node { return Pow(AddScalar(x, 2), y) }, s23, s23),
	f2("atan2", false, Atan2, s23, s23),
	f2("max", true, Max, s23, s23),
	f2("min", true, Min, s23, ir.Shape{}),
	f1("clip", -1, false, func(x *Node) *Node { return ClipScalar(x, -0.5, 0.5) }, 2, 3),
	f1("clamp", -1, false, func(x *Node) *Node {
		return Clamp(Scalar(x.Graph(), x.DType(), -0.5), x, Scalar(x.Graph(), x.DType(), 0.5))
	}, 2, 3),
	f2("greater", true, masked(GreaterThan), s23, s23),
	f2("greater or equal", true, masked(GreaterOrEqual), s23, s23),
	f2("less", true, masked(LessThan), s23, s23),
	f2("less or equal", true, masked(LessOrEqual), s23, s23),
	f2("equal", true, masked(func(x, y *Node) *Node { return Equal(Sign(x), Sign(y)) }), s23, s23),
	f2("not equal", true, masked(func(x, y *Node) *Node { return NotEqual(Sign(x), Sign(y)) }), s23, s23),
	f2("and", true, masked(func(x, y *Node) *Node {
		zero := ScalarZero(x.Graph(), x.DType())
		return LogicalAnd(GreaterThan(x, zero), LogicalNot(GreaterThan(y, zero)))
	}), s23, s23),
	f2("or", true, masked(func(x, y *Node) *Node {
		zero := ScalarZero(x.Graph(), x.DType())
		return LogicalOr(LogicalXor(GreaterThan(x, zero), LessThan(y, zero)), GreaterThan(x, y))
	}), s23, s23),
	f2("all and any", false, func(x, y *Node) *Node {
		m := GreaterThan(x, y)
		return Add(ConvertDType(LogicalAll(m, 0), x.DType()), ConvertDType(LogicalAny(m, 0), x.DType()))
	}, s23, s23),
	f1("finite", -1, false, func(x *Node) *Node {
		y := Div(OnesLike(x), ReduceAndKeep(ConvertDType(GreaterThan(x, ZerosLike(x)), x.DType()), ReduceSum, -1)) // infinite for negative numbers
		return Add(Where(IsFinite(y), x, Neg(x)), Where(IsNaN(Sub(y, y)), ZerosLike(x), x))
	}, 5, 1),
	// GoMLX's gradient passes a truth value as if it were the number it came from.
	f1("truth value", -1, false, func(x *Node) *Node {
		return Mul(x, ConvertDType(ConvertDType(activation.Relu(x), dtypes.Bool), x.DType()))
	}, 5),
	f1("barrier", -1, false, func(x *Node) *Node { return Mul(x, OptimizationBarrier(Sin(x))) }, 2, 3),
	f1("relu", -1, true, activation.Relu, 2, 3),
	f1("stop gradient", -1, true, func(x *Node) *Node { return Mul(x, StopGradient(Sin(x))) }, 2, 3),
	f1("float32 within", -1, false, func(x *Node) *Node { return Mul(ConvertDType(ConvertDType(x, dtypes.Float32), x.DType()), x) }, 3),
	f1("reduce sum", -1, true, func(x *Node) *Node { return ReduceSum(Square(x), 1) }, 2, 3),
	f1("reduce all", -1, true, func(x *Node) *Node { return ReduceAllSum(Square(x)) }, 2, 3),
	f1("reduce mean", -1, true, func(x *Node) *Node { return ReduceMean(Square(x), 0, 2) }, 2, 3, 2),
	f1("reduce keep", -1, true, func(x *Node) *Node { return Div(x, ReduceAndKeep(Exp(x), ReduceSum, -1)) }, 2, 3),
	f1("reduce max", -1, true, func(x *Node) *Node { return ReduceMax(x, 1) }, 2, 3),
	f1("reduce min", -1, true, func(x *Node) *Node { return ReduceMin(x, 0) }, 2, 3),
	f1("reduce product", -1, false, func(x *Node) *Node { return ReduceMultiply(x, 0) }, 2, 3),
	f2("dot", true, DotProduct, s4, s4),
	f2("matrix times vector", true, DotProduct, ir.Shape{3, 4}, s4),
	f2("matmul", true, MatMul, ir.Shape{2, 3, 4}, ir.Shape{2, 4, 2}),
	f2("einsum", true, func(x, y *Node) *Node { return Einsum("bij,bkj->bik", x, y) }, ir.Shape{2, 2, 3}, ir.Shape{2, 3, 3}),
	f2("dot general", true, func(x, y *Node) *Node { return DotGeneral(x, []int{2}, []int{0}, y, []int{0}, []int{1}) }, ir.Shape{2, 2, 3}, ir.Shape{3, 2, 2}),
	f2("outer product", true, func(x, y *Node) *Node { return Einsum("i,j->ij", x, y) }, s4, s23[1:]),
	f1("reshape", -1, true, func(x *Node) *Node { return Reshape(Sin(x), 3, -1) }, 2, 3),
	f1("transpose", -1, true, func(x *Node) *Node { return TransposeAllDims(Sin(x), 2, 0, 1) }, 2, 3, 2),
	f1("broadcast", -1, true, func(x *Node) *Node {
		return Mul(BroadcastPrefix(Sin(x), 2), Iota(x.Graph(), shapes.Make(x.DType(), 2, 3), 0))
	}, 3),
	f1("broadcast scalar", -1, true, func(x *Node) *Node { return BroadcastToDims(Sin(x), 2, 3) }),
	f1("expand", -1, true, func(x *Node) *Node { return ExpandAndBroadcast(Sin(x), []int{3, 2}, []int{0}) }, 2),
	f1("slice", -1, true, func(x *Node) *Node { return Slice(Square(x), AxisRange(1), AxisRange(0, 4).Stride(2)) }, 3, 4),
	f2("concatenate", true, func(x, y *Node) *Node { return Concatenate([]*Node{Square(x), y}, -1) }, s23, ir.Shape{2, 1}),
	f2("stack", true, func(x, y *Node) *Node { return Stack([]*Node{Square(x), y}, 1) }, s23, s23),
	f1("pad", -1, false, func(x *Node) *Node {
		return Pad(Square(x), ScalarZero(x.Graph(), x.DType()), compute.PadAxis{Start: 1, End: 2}, compute.PadAxis{})
	}, 2, 3),
	f1("pad with ones", -1, false, func(x *Node) *Node {
		return Pad(x, ScalarOne(x.Graph(), x.DType()), compute.PadAxis{End: 1, Interior: 2}, compute.PadAxis{Start: 1})
	}, 2, 3),
	f1("reverse", -1, false, func(x *Node) *Node { return Reverse(Square(x), 0, 1) }, 2, 3),
	f1("gather rows", -1, true, func(x *Node) *Node { return Gather(Square(x), Const(x.Graph(), [][]int32{{2}, {0}, {2}})) }, 3, 2),
	f1("gather matrix of rows", -1, true, func(x *Node) *Node {
		return Gather(Square(x), Const(x.Graph(), [][][]int32{{{2}, {0}}, {{1}, {1}}}))
	}, 3, 2),
	f1("gather elements", -1, true, func(x *Node) *Node { return Gather(Square(x), Const(x.Graph(), [][]int32{{2, 1}, {0, 0}})) }, 3, 2),
	f1("gather one row", -1, true, func(x *Node) *Node { return Gather(Square(x), Const(x.Graph(), []int32{1})) }, 3, 2),
	f1("gather slices", -1, false, func(x *Node) *Node {
		return BackendGather(Square(x), Const(x.Graph(), [][]int32{{0, 2}}), 0, []int{0, 1}, nil, []int{0}, []int{2, 2}, false)
	}, 4, 2),
	f1("large constants", -1, true, func(x *Node) *Node {
		g := x.Graph()
		lower := ConvertDType(GreaterOrEqual(Iota(g, shapes.Make(dtypes.Int32, 8, 8), 0), Iota(g, shapes.Make(dtypes.Int32, 8, 8), 1)), x.DType())
		return DotProduct(Mul(lower, MulScalar(IotaFull(g, shapes.Make(x.DType(), 8, 8)), 0.01)), x)
	}, 8),
	f1("one hot", -1, true, func(x *Node) *Node {
		return ReduceSum(Mul(x, OneHot(Const(x.Graph(), []int32{2, 0}), 3, x.DType())), -1)
	}, 2, 3),
	f1("softmax", -1, true, func(x *Node) *Node { return Softmax(x) }, 2, 3),
	f1("softmax of two axes", -1, true, func(x *Node) *Node { return Softmax(x, 0, 1) }, 2, 3),
	f1("masked softmax", -1, true, func(x *Node) *Node {
		return MaskedSoftmax(x, Const(x.Graph(), [][]bool{{true, true, false}, {true, false, true}}), -1)
	}, 2, 3),
	f1("log softmax", -1, true, func(x *Node) *Node { return LogSoftmax(x, -1) }, 2, 3),
	f1("gelu", -1, true, activation.Gelu, 2, 3),
	f1("gelu approximated", -1, true, activation.GeluApproximate, 2, 3),
	f1("silu", -1, true, activation.Swish, 2, 3),
	f1("layer norm", -1, true, func(x *Node) *Node { return nn.LayerNorm(x, []int{-1}, 1e-5, nil, nil, nil) }, 2, 4),
	f2("layer norm with gain", true, func(x, y *Node) *Node { return nn.LayerNorm(x, []int{-1}, 1e-5, y, Sin(y), nil) }, ir.Shape{2, 4}, s4),
	f2("dense", true, func(x, y *Node) *Node {
		return nn.Dense(x, y, nil, compute.DenseLayoutInputOutputs, activation.TypeTanh)
	}, ir.Shape{2, 2, 3}, ir.Shape{3, 2}),
	f1("surrogate spike", -1, true, func(v *Node) *Node {
		hard := ConvertDType(GreaterThan(v, ScalarZero(v.Graph(), v.DType())), v.DType())
		soft := IdentityWithCustomGradient(v, func(x, adjoint *Node) *Node { return Div(adjoint, Square(OnePlus(Abs(x)))) })
		return Mul(Add(StopGradient(Sub(hard, soft)), soft), Abs(soft))
	}, 5),
	f1("window surrogate", -1, true, func(v *Node) *Node {
		return Sin(IdentityWithCustomGradient(v, func(x, adjoint *Node) *Node {
			return Where(LessThan(Abs(x), Scalar(x.Graph(), x.DType(), 0.5)), MulScalar(Neg(adjoint), 3), ZerosLike(adjoint))
		}))
	}, 5),
	f1("no gradient", -1, true, func(v *Node) *Node {
		return Mul(v, IdentityWithCustomGradient(v, func(x, adjoint *Node) *Node { return ZerosLike(x) }))
	}, 3),
	{"several outputs", func(x []*Node) []*Node { return []*Node{Mul(x[0], x[1]), x[0], Sin(x[1])} }, []ir.Shape{{2}, {2}}, -1, true},
	{"constant output", func(x []*Node) []*Node { return []*Node{x[0], IotaFull(x[0].Graph(), shapes.Make(x[0].DType(), 2, 2))} }, []ir.Shape{{2}}, -1, false},
}

func TestFunctions(t *testing.T) {
	for _, f := range functions {
		t.Run(f.name, func(t *testing.T) { f.check(t, rand.New(rand.NewPCG(3, 4))) })
	}
}

// TestEveryRuleIsUsed: private fields of GoMLX's nodes are read, so that each rule has to be pinned by a function above.
func TestEveryRuleIsUsed(t *testing.T) {
	b, err := exec.Backend()
	if err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, f := range slices.Concat(functions, outsiders) {
		g := NewGraph(b, f.name)
		var x []*Node
		for k, s := range f.shapes(dtypes.Float64) {
			x = append(x, Parameter(g, string(rune('a'+k)), s))
		}
		f.fn(x)
		for _, n := range g.Nodes() {
			used = append(used, n.Type().String())
		}
		g.Finalize()
	}
	for _, name := range append(frontend.NodeTypes(), "FusedSoftmax", "FusedLayerNorm", "FusedDense", "FusedGelu") {
		if !slices.Contains(used, name) {
			t.Errorf("no function under test has a %s node", name)
		}
	}
}
