package gomlx_test

import (
	"math"
	"math/rand/v2"
	"testing"

	exec "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/layers/attention"
	"github.com/gomlx/gomlx/ml/layers/lstm"
	"github.com/gomlx/gomlx/ml/nn"
	"github.com/gomlx/gomlx/ml/train/loss"
)

// Functions as users of GoMLX write them, with its layers and losses, and nothing from this project.
var outsiders = []function{
	{"causal attention, mask by where", func(in []*Node) []*Node {
		x, wq, wk, wv := in[0], in[1], in[2], in[3]
		g := x.Graph()
		n := x.Shape().Dimensions[1]
		project := func(w *Node) *Node { return Einsum("bid,de->bie", x, w) }
		scores := Einsum("bid,bjd->bij", project(wq), project(wk))
		causal := BroadcastToDims(ExpandDims(LowerTriangular(g, n), 0), 2, n, n)
		scores = Where(causal, MulScalar(scores, 1/math.Sqrt(3)), MulScalar(OnesLike(scores), -1e9))
		return []*Node{Einsum("bij,bjd->bid", Softmax(scores, -1), project(wv))}
	}, []ir.Shape{{2, 3, 3}, {3, 3}, {3, 3}, {3, 3}}, -1, true},
	{"attention core with a causal mask", func(in []*Node) []*Node {
		y, coefficients := attention.Core(in[0], in[1], in[2], attention.LayoutBHSD, attention.CoreOptions{UseCausalMask: true, WantCoefficients: true})
		return []*Node{y, coefficients}
	}, []ir.Shape{{1, 2, 3, 2}, {1, 2, 3, 2}, {1, 2, 3, 2}}, -1, true},
	{"recurrent steps", func(in []*Node) []*Node {
		x, w, u, b := in[0], in[1], in[2], in[3]
		h := Zeros(x.Graph(), shapes.Make(x.DType(), 2, 3))
		for t := range 3 {
			now := Squeeze(Slice(x, AxisElem(t)), 0)
			h = Tanh(Add(Add(DotProduct(now, w), DotProduct(h, u)), ExpandLeftToRank(b, 2)))
		}
		return []*Node{h, ReduceAllSum(Square(h))}
	}, []ir.Shape{{3, 2, 2}, {2, 3}, {3, 3}, {3}}, -1, true},
	{"lstm layer", func(in []*Node) []*Node {
		all, last, cell := lstm.NewWithWeights(in[0], in[1], in[2], in[3], nil).Done()
		return []*Node{all, last, cell}
	}, []ir.Shape{{2, 3, 2}, {1, 4, 2, 2}, {1, 4, 2, 2}, {1, 8, 2}}, -1, false},
	{"gated unit by hand", func(in []*Node) []*Node {
		x, h, wz, wr, wh := in[0], in[1], in[2], in[3], in[4]
		join := func(a, b *Node) *Node { return Concatenate([]*Node{a, b}, -1) }
		z, r := Sigmoid(DotProduct(join(x, h), wz)), Sigmoid(DotProduct(join(x, h), wr))
		candidate := Tanh(DotProduct(join(x, Mul(r, h)), wh))
		return []*Node{Add(Mul(OneMinus(z), h), Mul(z, candidate))}
	}, []ir.Shape{{2, 2}, {2, 3}, {5, 3}, {5, 3}, {5, 3}}, -1, true},
	f2("batched matrix products", true, func(x, y *Node) *Node { return MatMul(x, Softplus(Transpose(y, -1, -2))) }, ir.Shape{2, 2, 3}, ir.Shape{2, 4, 3}),
	f1("activations", -1, true, func(x *Node) *Node {
		return Concatenate([]*Node{activation.Selu(x), activation.LeakyRelu(x), activation.HardSwish(x), activation.Swish(x), activation.GeluApproximate(x), activation.Gelu(x), Softplus(x)}, 0)
	}, 2, 3),
	f1("gated linear unit", -1, true, activation.SwiGLU, 2, 4),
	f1("soft cap", -1, true, func(x *Node) *Node { return nn.SoftCap(x, 0.7) }, 2, 3),
	f2("root mean square norm", true, func(x, gain *Node) *Node {
		return Mul(Div(x, Sqrt(AddScalar(ReduceAndKeep(Square(x), ReduceMean, -1), 1e-6))), ExpandLeftToRank(gain, 2))
	}, ir.Shape{2, 4}, s4),
	{"batch norm for training by hand", func(in []*Node) []*Node {
		x, gain, offset := in[0], in[1], in[2]
		mean := ReduceAndKeep(x, ReduceMean, 0)
		variance := ReduceAndKeep(Square(Sub(x, mean)), ReduceMean, 0)
		y := Mul(Sub(x, mean), Reciprocal(Sqrt(AddScalar(variance, 1e-3))))
		return []*Node{Add(Mul(y, ExpandLeftToRank(gain, 2)), ExpandLeftToRank(offset, 2))}
	}, []ir.Shape{{4, 3}, {3}, {3}}, -1, true},
	f1("variance and norms", -1, true, func(x *Node) *Node {
		return Stack([]*Node{ReduceVariance(x, -1), Squeeze(L2Norm(x, -1), -1), Squeeze(L1Norm(x, -1), -1), ReduceSkewness(x, -1)}, 0)
	}, 3, 4),
	f1("normalised vectors", -1, true, func(x *Node) *Node { return L2Normalize(x, -1) }, 3, 4),
	f2("cosine similarity", true, func(x, y *Node) *Node { return CosineSimilarity(x, y, -1) }, ir.Shape{3, 4}, ir.Shape{3, 4}),
	f2("distance", true, func(x, y *Node) *Node { return loss.EuclideanDistance([]*Node{y}, []*Node{x}) }, ir.Shape{3, 4}, ir.Shape{3, 4}),
	f1("log of a sum of exponentials", -1, true, func(x *Node) *Node {
		most := ReduceAndKeep(x, ReduceMax, -1)
		return Add(Log(ReduceSum(Exp(Sub(x, most)), -1)), Squeeze(most, -1))
	}, 3, 4),
	f2("log add exp", true, LogAddExp, s23, s23),
	f1("convolution from slices", -1, true, func(x *Node) *Node {
		var taps []*Node
		for k, w := range []float64{0.25, 0.5, -1} {
			taps = append(taps, MulScalar(Slice(x, AxisRange(), AxisRange(k, k+4)), w))
		}
		return Add(Add(taps[0], taps[1]), taps[2])
	}, 2, 6),
	f1("differences and shifts", -1, true, func(x *Node) *Node {
		return Concatenate([]*Node{Sub(SliceAxis(x, 1, AxisRange(1)), SliceAxis(x, 1, AxisRange(0, 4))), Shift(x, 1, ShiftDirRight, 2)}, 1)
	}, 2, 5),
	f1("triangles", -1, true, func(x *Node) *Node { return Add(TakeLowerTriangular(x, 0), Square(TakeUpperTriangular(x, 1))) }, 3, 3),
	f1("splits", -1, true, func(x *Node) *Node {
		parts := Split(x, 1, 3)
		return Mul(Add(parts[0], Sin(parts[1])), parts[2])
	}, 2, 6),
	f1("gathered slices", -1, true, func(x *Node) *Node {
		return GatherSlices(Square(x), []int{0}, Const(x.Graph(), [][]int32{{0}, {2}, {2}}), []int{2}, false)
	}, 4, 3),
	f1("powers by scalars", 0.2, true, func(x *Node) *Node { return Add(PowScalar(x, 2.5), PowScalar(x, -1)) }, 2, 3),
	f1("masked mean", -1, true, func(x *Node) *Node {
		return MaskedReduceMean(x, Const(x.Graph(), [][]bool{{true, true, false}, {true, false, true}}), -1)
	}, 2, 3),
	f1("rotary positions", -1, true, func(x *Node) *Node {
		g := x.Graph()
		half := Split(x, -1, 2)
		angle := MulScalar(IotaFull(g, shapes.Make(x.DType(), 3, 2)), 0.3)
		c, s := Cos(angle), Sin(angle)
		return Concatenate([]*Node{Sub(Mul(half[0], c), Mul(half[1], s)), Add(Mul(half[0], s), Mul(half[1], c))}, -1)
	}, 3, 4),
	f2("mean squared error", true, func(x, y *Node) *Node { return loss.MeanSquaredError([]*Node{y}, []*Node{x}) }, ir.Shape{3, 2}, ir.Shape{3, 2}),
	f2("mean absolute error", true, func(x, y *Node) *Node { return loss.MeanAbsoluteError([]*Node{y}, []*Node{x}) }, ir.Shape{3, 2}, ir.Shape{3, 2}),
	f2("huber loss", true, func(x, y *Node) *Node { return loss.MakeHuberLoss(0.3)([]*Node{y}, []*Node{x}) }, ir.Shape{3, 2}, ir.Shape{3, 2}),
	f1("binary cross entropy of logits", -1, true, func(x *Node) *Node {
		return loss.BinaryCrossentropyLogits([]*Node{ConstAs(x, [][]float64{{1, 0}, {0, 1}, {1, 1}})}, []*Node{x})
	}, 3, 2),
	f1("sparse categorical cross entropy", -1, true, func(x *Node) *Node {
		return loss.SparseCategoricalCrossEntropyLogits([]*Node{Const(x.Graph(), [][]int32{{2}, {0}})}, []*Node{x})
	}, 2, 3),
	f2("categorical cross entropy", true, func(x, y *Node) *Node {
		return loss.CategoricalCrossEntropyLogits([]*Node{Softmax(y)}, []*Node{x})
	}, s23, s23),
	f1("a gradient's Jacobian is a Hessian", -1, true, func(x *Node) *Node {
		return Gradient(ReduceAllSum(Mul(Softmax(x), Tanh(DotProduct(x, Transpose(x, 0, 1))))), x)[0]
	}, 3, 3),
	// GoMLX's gradient by this input is not that of the function: central differences are the oracle.
	f2("convolution", false, func(x, k *Node) *Node { return Convolve(x, k).NoPadding().Done() }, ir.Shape{2, 4, 4, 2}, ir.Shape{2, 3, 2, 2}),
	f2("padded convolution with strides", true, func(x, k *Node) *Node { return Convolve(Sin(x), k).Strides(2).PadSame().Done() }, ir.Shape{1, 5, 4, 1}, ir.Shape{3, 3, 1, 2}),
	f2("dilated convolution", true, func(x, k *Node) *Node { return Convolve(x, k).Dilations(2).NoPadding().Done() }, ir.Shape{1, 6, 2}, ir.Shape{2, 2, 2}),
	f2("spread convolution", false, func(x, k *Node) *Node { return Convolve(x, k).InputDilationPerAxis(2).NoPadding().Done() }, ir.Shape{1, 4, 1}, ir.Shape{2, 1, 1}),
	f2("grouped convolution", false, func(x, k *Node) *Node { return Convolve(x, k).ChannelGroupCount(2).NoPadding().Done() }, ir.Shape{1, 4, 4}, ir.Shape{2, 2, 6}),
	f2("convolution in groups of the batch", false, func(x, k *Node) *Node { return Convolve(x, k).BatchGroupCount(2).NoPadding().Done() }, ir.Shape{4, 4, 1}, ir.Shape{2, 1, 6}),
	f1("mean pool", -1, false, func(x *Node) *Node { return MeanPool(Square(x)).Window(2).Done() }, 1, 4, 4, 2),
	f1("padded sum pool", -1, false, func(x *Node) *Node { return SumPool(x).Window(3).Strides(1).PadSame().Done() }, 1, 4, 1),
	f1("max pool", -1, false, func(x *Node) *Node { return MaxPool(Sin(x)).Window(2).Strides(1).PadSame().Done() }, 1, 3, 4, 2),
	f1("min pool", -1, false, func(x *Node) *Node { return MinPool(x).Window(2).Done() }, 1, 4, 1),
	f1("running sums", -1, false, func(x *Node) *Node { return CumSum(Square(x), 1) }, 2, 4),
	{"two heads and a residual network", func(in []*Node) []*Node {
		x := in[0]
		for k := 1; k < len(in); k += 2 {
			y := nn.LayerNorm(x, []int{-1}, 1e-5, nil, nil, nil)
			x = Add(x, DotProduct(activation.Gelu(DotProduct(y, in[k])), in[k+1]))
		}
		return []*Node{ReduceMean(x, 0), ReduceAllMax(x)}
	}, []ir.Shape{{3, 4}, {4, 5}, {5, 4}, {4, 5}, {5, 4}}, -1, true},
	f1("detour through integers", -1, true, func(x *Node) *Node {
		best := OneHot(Const(x.Graph(), []int32{1, 0}), 3, dtypes.Float32)
		return Mul(x, ConvertDType(best, x.DType()))
	}, 2, 3),
}

// TestWindowsAgainstDifferences: GoMLX has no gradient of every pooling and convolution; central differences of the
// function on GoMLX are the oracle there.
func TestWindowsAgainstDifferences(t *testing.T) {
	for _, f := range outsiders {
		if f.smooth || f.name == "lstm layer" {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			at := f.point(rand.New(rand.NewPCG(23, 24)))
			values, jac, err := jacobian(t, f, tensorsOf(at, dtypes.Float64)...)
			if err != nil {
				t.Fatal(err)
			}
			run, err := NewExec(backend(t), f.fn)
			if err != nil {
				t.Fatal(err)
			}
			eval := func() []float64 {
				out, err := exec.Call(run, anys(tensorsOf(at, dtypes.Float64))...)
				if err != nil {
					t.Fatal(err)
				}
				return floats(t, out[0])
			}
			const step = 1e-5
			for j := range at {
				got, n := floats(t, jac[0][j]), len(at[j].Data)
				for c := range at[j].Data {
					x := at[j].Data[c]
					at[j].Data[c] = x + step
					up := eval()
					at[j].Data[c] = x - step
					down := eval()
					at[j].Data[c] = x
					for r := range values[0].Size() {
						if want := (up[r] - down[r]) / (2 * step); math.Abs(got[r*n+c]-want) > 1e-6 {
							t.Fatalf("element %d by x%d[%d] is %v, differences give %v", r, j+1, c, got[r*n+c], want)
						}
					}
				}
			}
		})
	}
}

func TestOutsiders(t *testing.T) {
	for _, f := range outsiders {
		t.Run(f.name, func(t *testing.T) { f.check(t, rand.New(rand.NewPCG(21, 22))) })
	}
}
