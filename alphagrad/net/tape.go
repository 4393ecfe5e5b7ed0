package net

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/nn"
)

// A tape is one GoMLX graph under construction. Following GoMLX's convention, the functions that build it panic, and
// the executor turns that into an error.
type tape struct {
	spec    Spec
	params  []param
	flat    *graph.Node // [weights]: all of them, one after the other
	tensors map[string]*graph.Node

	x      *graph.Node // [batch][nodes][NodeFeatures+GameFeatures]: features, those of the game repeated in every row
	edges  *graph.Node // [batch][2·nodes][nodes]: for node i, row 2i has 1/√|pred| at its predecessors, row 2i+1 1/√|succ| at its successors
	live   *graph.Node // [batch][nodes]: 1 for a node, 0 for padding
	masked *graph.Node // [batch][nodes]: 1 for a vertex that can be eliminated
}

// batchInputs is the number of leading inputs of every graph: the weights and the fields of a tape.
const batchInputs = 5

func newTape(n *Network, in []*graph.Node) *tape {
	t := &tape{spec: n.spec, params: n.params, flat: in[0], tensors: map[string]*graph.Node{},
		x: in[1], edges: in[2], live: in[3], masked: in[4]}
	at := 0
	for _, p := range n.params {
		w := graph.Slice(t.flat, graph.AxisRange(at, at+p.size()))
		t.tensors[p.name] = graph.Reshape(w, p.rows, p.cols)
		at += p.size()
	}
	return t
}

// tensor is a weight tensor as a matrix [rows][cols].
func (t *tape) tensor(name string, args ...any) *graph.Node {
	w, ok := t.tensors[fmt.Sprintf(name, args...)]
	if !ok {
		panic(fmt.Errorf("no tensor %s", fmt.Sprintf(name, args...)))
	}
	return w
}

func (t *tape) batch() int { return t.x.Shape().Dimensions[0] }
func (t *tape) nodes() int { return t.x.Shape().Dimensions[1] }

// dense is x·w for x of any rank and a matrix w.
func dense(x, w *graph.Node) *graph.Node {
	return graph.DotGeneral(x, []int{x.Rank() - 1}, nil, w, []int{0}, nil)
}

// product is the matrix product of the last two axes, batched over the first.
func product(a, b *graph.Node) *graph.Node {
	return graph.DotGeneral(a, []int{2}, []int{0}, b, []int{1}, []int{0})
}

func relu(x *graph.Node) *graph.Node { return graph.MaxScalar(x, 0) }

// normEpsilon keeps layer normalisation finite where a node has all numbers equal.
const normEpsilon = 1e-5

// layerNorm normalises the last axis to mean 0 and variance 1 and then scales and shifts it (Ba et al. 2016).
func layerNorm(x, gain, offset *graph.Node) *graph.Node {
	d := x.Shape().Dimensions[x.Rank()-1]
	return nn.LayerNorm(x, []int{-1}, normEpsilon, graph.Reshape(gain, d), graph.Reshape(offset, d), nil)
}
