package gomlx_test

import (
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	frontend "github.com/alphagrad/alphagrad-go/alphagrad/frontend/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/nn"
	"pgregory.net/rapid"
)

// A step of a random function takes matrices to one; k and l choose variants. Everything in it has a gradient in GoMLX.
var steps = []func(x, y *Node, k, l int) *Node{
	func(x, _ *Node, _, _ int) *Node { return Sin(x) },
	func(x, _ *Node, k, _ int) *Node { return Softmax(x, k%2) },
	func(x, _ *Node, k, _ int) *Node { return nn.LayerNorm(x, []int{k % 2}, 0.1, nil, nil, nil) },
	func(x, _ *Node, k, _ int) *Node { return Sub(x, ReduceAndKeep(x, ReduceMean, k%2)) },
	func(x, y *Node, k, l int) *Node { return Mul(x, fit(y, x, k, l)) },
	func(x, y *Node, k, l int) *Node { return Add(Square(x), fit(y, x, k, l)) },
	func(x, y *Node, k, l int) *Node { return Div(x, OnePlus(Square(fit(y, x, k, l)))) },
	func(x, y *Node, k, l int) *Node {
		return Where(GreaterThan(x, MulScalar(fit(y, x, k, l), 0.7)), x, Tanh(x))
	},
	func(x, y *Node, k, l int) *Node { return Einsum("ij,ik->jk", x, fit(y, x, k, l)) },
	func(x, y *Node, k, l int) *Node { return Einsum("ij,kj->ik", fit(y, x, k, l), x) },
	func(x, y *Node, k, l int) *Node { return Concatenate([]*Node{x, fit(y, x, k, l)}, k%2) },
	func(x, _ *Node, _, _ int) *Node { return Transpose(x, 0, 1) },
	func(x, _ *Node, _, _ int) *Node {
		return Reshape(Cos(x), x.Shape().Dimensions[1], x.Shape().Dimensions[0])
	},
	func(x, _ *Node, k, l int) *Node {
		rows := int32(x.Shape().Dimensions[0])
		return Gather(x, Const(x.Graph(), [][]int32{{int32(k) % rows}, {int32(l) % rows}, {0}}))
	},
	func(x, _ *Node, k, _ int) *Node { return Slice(x, AxisRange(), AxisRange(k%x.Shape().Dimensions[1])) },
}

// fit is a row, a column or one element of y where that stretches to the shape of x, otherwise y's sum.
func fit(y, x *Node, k, l int) *Node {
	a, b := y.Shape().Dimensions, x.Shape().Dimensions
	switch {
	case a[0] == b[0] && a[1] == b[1]:
		return y
	case a[1] == b[1]:
		return Add(Slice(y, AxisElem(k%a[0])), ZerosLike(x))
	case a[0] == b[0]:
		return Add(Slice(y, AxisRange(), AxisElem(l%a[1])), ZerosLike(x))
	}
	return BroadcastToDims(ReduceAllSum(y), b...)
}

// TestRandomFunctions: Jacobians of random GoMLX functions in random orders are what GoMLX's Gradient gives row by row.
func TestRandomFunctions(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type choice struct{ step, x, y, k, l int }
		var choices []choice
		for k := range rapid.IntRange(1, 8).Draw(r, "steps") {
			arg := func() int { return rapid.IntRange(0, k+1).Draw(r, "arg") }
			choices = append(choices, choice{rapid.IntRange(0, len(steps)-1).Draw(r, "step"), arg(), arg(), rapid.IntRange(0, 5).Draw(r, "k"), rapid.IntRange(0, 5).Draw(r, "l")})
		}
		dims := func() ir.Shape { return rapid.SampledFrom([]ir.Shape{{2, 3}, {3, 2}, {1, 3}, {2, 2}}).Draw(r, "shape") }
		f := function{"random", func(x []*Node) []*Node {
			all := append([]*Node{}, x...)
			for _, c := range choices {
				y := steps[c.step](all[c.x], all[c.y], c.k, c.l)
				if y.Shape().Size() > 24 {
					y = ReduceAndKeep(y, ReduceSum, -1)
				}
				all = append(all, y)
			}
			return all[len(all)-1:]
		}, []ir.Shape{dims(), dims()}, -1, true}
		seed := rapid.Uint64().Draw(r, "seed")
		d, err := frontend.Jacobian(backend(t), f.fn, frontend.Options{Find: func(g *elim.Graph) ([]int, error) {
			order := g.Eliminable()
			rand.New(rand.NewPCG(seed, 2)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			return order, nil
		}})
		if err != nil {
			r.Fatal(err)
		}
		in := tensorsOf(f.point(rand.New(rand.NewPCG(seed, 1))), dtypes.Float64)
		values, jac, err := d.Call(in...)
		if err != nil {
			r.Fatal(err)
		}
		for j, want := range f.rowwise(t, 0).jacobian(in, values[0]) {
			near(r, "jacobian", floats(t, jac[0][j]), want, 1e-10)
		}
	})
}
