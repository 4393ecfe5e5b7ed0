package gomlx_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	exec "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	frontend "github.com/alphagrad/alphagrad-go/alphagrad/frontend/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/nn"
)

// perceptron is a two-layer perceptron with a cross entropy: x [batch, in], targets [batch, out], then weights and biases.
func perceptron(in []*Node) []*Node {
	x, target, w1, b1, w2, b2 := in[0], in[1], in[2], in[3], in[4], in[5]
	hidden := activation.Relu(nn.Dense(x, w1, b1, compute.DenseLayoutInputOutputs))
	logits := Add(DotProduct(hidden, w2), ExpandLeftToRank(b2, 2))
	loss := Neg(ReduceSum(Mul(Softmax(target), LogSoftmax(logits)), -1))
	return []*Node{logits, loss}
}

var perceptronShapes = []ir.Shape{{3, 4}, {3, 2}, {4, 5}, {5}, {5, 2}, {2}}

// encoder is a transformer encoder block for x [tokens, width]: two-headed attention, residuals, one layer norm from the
// library and one written out, and a gelu network.
func encoder(in []*Node) []*Node {
	x, wq, wk, wv, wo := in[0], in[1], in[2], in[3], in[4]
	gain, offset, w1, b1, w2 := in[5], in[6], in[7], in[8], in[9]
	const heads = 2
	tokens, width := x.Shape().Dimensions[0], x.Shape().Dimensions[1]
	split := func(w *Node) *Node { return Reshape(DotProduct(x, w), tokens, heads, width/heads) }
	scores := MulScalar(Einsum("ihd,jhd->hij", split(wq), split(wk)), 1/math.Sqrt(float64(width/heads)))
	mixed := Reshape(Einsum("hij,jhd->ihd", Softmax(scores, -1), split(wv)), tokens, width)
	y := nn.LayerNorm(Add(x, DotProduct(mixed, wo)), []int{-1}, 1e-6, gain, offset, nil)
	z := Add(y, DotProduct(activation.Gelu(Add(DotProduct(y, w1), ExpandLeftToRank(b1, 2))), w2))
	centred := Sub(z, ReduceAndKeep(z, ReduceMean, -1))
	return []*Node{Div(centred, Sqrt(AddScalar(ReduceAndKeep(Square(centred), ReduceMean, -1), 1e-6)))}
}

var encoderShapes = []ir.Shape{{3, 4}, {4, 4}, {4, 4}, {4, 4}, {4, 4}, {4}, {4}, {4, 6}, {6}, {6, 4}}

func TestModels(t *testing.T) {
	for _, f := range []function{
		{"perceptron", perceptron, perceptronShapes, -1, true},
		{"encoder", encoder, encoderShapes, -1, true},
	} {
		t.Run(f.name, func(t *testing.T) { f.check(t, rand.New(rand.NewPCG(5, 6))) })
	}
}

// layered is an attention block whose variables live in a store, as GoMLX's layers keep them.
func layered(store *model.Store) func(x []*Node) []*Node {
	return func(in []*Node) []*Node {
		x := in[0]
		width := x.Shape().Dimensions[1]
		weights := func(name string, dims ...int) *Node {
			return store.RootScope().In("%s", name).VariableWithShape("weights", shapes.Make(x.DType(), dims...)).NodeValue(x.Graph())
		}
		scores := Einsum("id,jd->ij", DotProduct(x, weights("query", width, width)), DotProduct(x, weights("key", width, width)))
		y := Add(x, DotProduct(Softmax(scores), DotProduct(x, weights("value", width, width))))
		y = nn.LayerNorm(y, []int{-1}, 1e-5, OnePlus(weights("gain", width)), nil, nil)
		return []*Node{ReduceSum(nn.Dense(y, weights("out", width, 2), nil, compute.DenseLayoutInputOutputs, activation.TypeGelu), 0)}
	}
}

func TestLayersWithVariables(t *testing.T) {
	for _, dtype := range []dtypes.DType{dtypes.Float64, dtypes.Float32} {
		store := model.NewStore()
		store.SetRNGStateFromSeed(7)
		f := function{"layers", layered(store), []ir.Shape{{3, 4}}, -1, true}
		warm, err := model.NewExec(backend(t), store, func(_ *model.Scope, x []*Node) []*Node { return f.fn(x) })
		if err != nil {
			t.Fatal(err)
		}
		at := f.point(rand.New(rand.NewPCG(8, 9)))
		if _, err = warm.Call(anys(tensorsOf(at, dtype))...); err != nil {
			t.Fatal(err)
		}
		p, err := frontend.Program(f.name, f.fn, f.shapes(dtype)...)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Inputs) < 2 {
			t.Fatalf("variables should be inputs: %v", p.InputNames())
		}
		if _, _, err := jacobian(t, f, tensorsOf(at, dtype)...); err == nil || !strings.Contains(err.Error(), "uses the variable") {
			t.Errorf("error %v, want it to name the variable", err)
		}
		store.WithVariableAsConst(true)
		if p, err = frontend.Program(f.name, f.fn, f.shapes(dtype)...); err != nil {
			t.Fatal(err)
		}
		got, err := interp.Eval(p, at)
		if err != nil {
			t.Fatal(err)
		}
		in := tensorsOf(at, dtype)
		values, jac, err := jacobian(t, f, in...)
		if err != nil {
			t.Fatal(err)
		}
		tolerance := map[dtypes.DType]float64{dtypes.Float64: 1e-10, dtypes.Float32: 1e-5}[dtype]
		near(t, "value", floats(t, values[0]), got[0].Data, tolerance)
		near(t, "jacobian", floats(t, jac[0][0]), f.rowwise(t, 0).jacobian(in, values[0])[0], tolerance)
	}
}

// TestRecurrent unrolls a spiking layer with a surrogate gradient.
func TestRecurrent(t *testing.T) {
	f := function{"spikes", func(in []*Node) []*Node {
		w, current := in[0], in[1]
		v := ZerosLike(current)
		var total *Node
		for range 4 {
			v = Add(MulScalar(v, 0.9), DotProduct(w, current))
			soft := IdentityWithCustomGradient(AddScalar(v, -0.5), func(x, adjoint *Node) *Node {
				return Div(adjoint, Square(OnePlus(MulScalar(Abs(x), 10))))
			})
			spike := ConvertDType(GreaterThan(soft, ScalarZero(soft.Graph(), soft.DType())), soft.DType())
			spike = Add(StopGradient(Sub(spike, soft)), soft)
			v = Sub(v, MulScalar(spike, 0.5))
			if total == nil {
				total = spike
			} else {
				total = Add(total, spike)
			}
		}
		return []*Node{total, v}
	}, []ir.Shape{{4, 4}, {4}}, -1, true}
	f.check(t, rand.New(rand.NewPCG(10, 11)))
}

// TestJacobianInsideAGraph uses a Jacobian in a graph function: the squared norm of its entries.
func TestJacobianInsideAGraph(t *testing.T) {
	fn := func(x *Node) *Node { return Mul(x, Sin(x)) }
	e, err := NewExec(backend(t), func(x *Node) *Node {
		return ReduceAllSum(Square(frontend.JacobianNodes(fn, frontend.Options{}, x)[0][0]))
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(e, []float64{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for _, x := range []float64{1, 2} {
		want += math.Pow(math.Sin(x)+x*math.Cos(x), 2)
	}
	near(t, "norm", floats(t, out[0]), []float64{want}, 1e-14)
}

// TestShapes: one Jacobian serves several shapes.
func TestShapes(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 13))
	fn := func(x, y *Node) (*Node, *Node) {
		z := Tanh(DotProduct(x, y))
		return z, Mul(z, ReduceSum(x, 1))
	}
	f := function{"two", func(x []*Node) []*Node { a, b := fn(x[0], x[1]); return []*Node{a, b} }, []ir.Shape{{2, 3}, {3}}, -1, true}
	d, err := frontend.Jacobian(backend(t), fn, frontend.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, 5, 2} {
		f.inputs = []ir.Shape{{n, 3}, {3}}
		in := tensorsOf(f.point(rng), dtypes.Float64)
		values, jac, err := d.Call(in...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range jac {
			want := f.rowwise(t, i).jacobian(in, values[i])
			for j := range jac[i] {
				near(t, "jacobian", floats(t, jac[i][j]), want[j], 1e-12)
			}
		}
	}
}

func jacobian(t *testing.T, f function, in ...*tensors.Tensor) ([]*tensors.Tensor, [][]*tensors.Tensor, error) {
	t.Helper()
	d, err := frontend.Jacobian(backend(t), f.fn, frontend.Options{Name: f.name})
	if err != nil {
		t.Fatal(err)
	}
	return d.Call(in...)
}

// TestOrders: every order of elimination gives the same Jacobian.
func TestOrders(t *testing.T) {
	f := function{"encoder", encoder, encoderShapes, -1, true}
	rng := rand.New(rand.NewPCG(14, 15))
	in := tensorsOf(f.point(rng), dtypes.Float64)
	_, want, err := jacobian(t, f, in...)
	if err != nil {
		t.Fatal(err)
	}
	for name, find := range map[string]func(g *elim.Graph) ([]int, error){
		"forward": func(g *elim.Graph) ([]int, error) { return elim.Forward(g), nil },
		"random": func(g *elim.Graph) ([]int, error) {
			order := g.Eliminable()
			rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			return order, nil
		},
	} {
		d, err := frontend.Jacobian(backend(t), f.fn, frontend.Options{Find: find})
		if err != nil {
			t.Fatal(err)
		}
		_, got, err := d.Call(in...)
		if err != nil {
			t.Fatal(err)
		}
		for j := range want[0] {
			near(t, name, floats(t, got[0][j]), floats(t, want[0][j]), 1e-11)
		}
	}
	d, err := frontend.Jacobian(backend(t), f.fn, frontend.Options{Inputs: []int{7, 0}})
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := d.Call(in...)
	if err != nil {
		t.Fatal(err)
	}
	for j, k := range []int{7, 0} {
		near(t, "chosen input", floats(t, got[0][j]), floats(t, want[0][k]), 1e-11)
	}
	if d, err = frontend.Jacobian(backend(t), f.fn, frontend.Options{Inputs: []int{10}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Call(in...); err == nil || !strings.Contains(err.Error(), "from 0 to 9") {
		t.Errorf("a wrong position gives error %v", err)
	}
	d, err = frontend.Jacobian(backend(t), f.fn, frontend.Options{Order: []int{1, 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Call(in...); err == nil || !strings.Contains(err.Error(), `graph function program "f": the order is not`) {
		t.Errorf("a wrong order gives error %v", err)
	}
}

func TestErrors(t *testing.T) {
	s := shapes.Make(dtypes.Float64, 3)
	program := func(fn any, in ...shapes.Shape) error {
		_, err := frontend.Program("f", fn, in...)
		return err
	}
	for want, err := range map[string]error{
		"int is no graph function; expected func":                               program(3, s),
		"func(float64) float64 is no graph function":                            program(math.Sin, s),
		"takes 2 inputs, given 1 shapes":                                        program(Add, s),
		"has no inputs":                                                         program(Sin),
		"input 1 is (Int32)[3]; expected Float32 or Float64":                    program(Sin, shapes.Make(dtypes.Int32, 3)),
		"inputs have types Float64 and Float32":                                 program(Add, s, shapes.Make(dtypes.Float32, 3)),
		"static shape":                                                          program(Sin, shapes.MakeDynamic(dtypes.Float64, []int{-1}, []string{"n"})),
		"node type Floor has no rule; those with one are Abs, Add":              program(Floor, s),
		"node type If has no rule":                                              program(func(x *Node) *Node { return branch(x) }, s),
		"its indices depend on an input":                                        program(func(x *Node) *Node { return Gather(x, ConvertDType(ExpandDims(Sign(x), -1), dtypes.Int32)) }, s),
		"ConvertDType (Float16)[3]): depends on an input and has dtype Float16": program(func(x *Node) *Node { return ConvertDType(x, dtypes.Float16) }, s),
		"output 1 has dtype Bool":                                               program(func(x *Node) *Node { return GreaterThan(x, x) }, s),
		"output 1 is no node":                                                   program(func(x *Node) *Node { return nil }, s),
		"returns no node":                                                       program(func(x []*Node) []*Node { return nil }, s),
		"its custom gradient is not understood":                                 program(func(x *Node) *Node { return IdentityWithCustomGradient(x, func(_, v *Node) *Node { return Square(v) }) }, s),
		"got shapes (Float64)[3] and (Float64)[2]":                              program(Add, s, shapes.Make(dtypes.Float64, 2)),
		"total requested size 2":                                                program(func(x *Node) *Node { return Reshape(x, 2) }, s),
		"my own mistake":                                                        program(func(x *Node) *Node { panic("my own mistake") }, s),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "graph function f: ") {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
	if _, err := frontend.Jacobian(nil, 3, frontend.Options{}); err == nil {
		t.Error("a number is no graph function")
	}
}

func branch(x *Node) *Node {
	g := x.Graph()
	return If(GreaterThan(ReduceAllSum(x), ScalarZero(g, x.DType())),
		NewClosure(g, func(g *Graph) []*Node { return []*Node{Sin(x)} }),
		NewClosure(g, func(g *Graph) []*Node { return []*Node{Neg(x)} }))[0]
}
