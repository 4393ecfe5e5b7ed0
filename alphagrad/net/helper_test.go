package net

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// randomSpec draws a program: vertices use up to three earlier values, mostly recent ones; some are linear, some
// outputs are used again.
func randomSpec(r *rand.Rand, inputs, vertices int) elim.Spec {
	spec := elim.Spec{Inputs: inputs, Vertices: vertices}
	used := make([]bool, inputs+vertices)
	for v := inputs; v < inputs+vertices; v++ {
		linear := r.IntN(3) == 0
		var args []int
		for range []int{0, 1, 1, 2, 2, 2, 2, 3}[r.IntN(8)] {
			if v == 0 {
				break
			}
			u := r.IntN(v)
			if r.IntN(2) == 0 {
				u = v - 1 - r.IntN(min(v, 6))
			}
			if !slices.Contains(args, u) {
				args = append(args, u)
			}
		}
		for _, u := range args {
			used[u] = true
			spec.Edges = append(spec.Edges, elim.Edge{From: u, To: v, Unit: linear})
		}
	}
	for n := range inputs + vertices {
		if !used[n] && r.IntN(5) > 0 || r.IntN(10) == 0 {
			spec.Outputs = append(spec.Outputs, n)
		}
	}
	return spec
}

func randomGraph(tb testing.TB, r *rand.Rand, inputs, vertices int) *elim.Graph {
	tb.Helper()
	g, err := elim.New(randomSpec(r, inputs, vertices))
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// randomState eliminates some random vertices of a graph.
func randomState(r *rand.Rand, g *elim.Graph, eliminated int) *elim.State {
	s := elim.NewState(g)
	order := g.Eliminable()
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for _, v := range order[:min(eliminated, len(order))] {
		s.Eliminate(v)
	}
	return s
}

// randomNetwork has no tensor of zeros or ones.
func randomNetwork(tb testing.TB, spec Spec, seed uint64) *Network {
	tb.Helper()
	n, err := New(spec, seed)
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range n.weights {
		n.weights[i] += float32(r.NormFloat64() * 0.1)
	}
	return n
}

// reference is the network as GoMLX computes it, padded to a bucket: logits of the vertices left and the raw value.
func reference(tb testing.TB, n *Network, b bucket, p *Position) (logits []float32, value float32) {
	tb.Helper()
	exec := referenceExec(tb, n)
	defer exec.Finalize()
	return runReference(tb, exec, n, newFrame(b), p)
}

func referenceExec(tb testing.TB, n *Network) *graph.Exec {
	tb.Helper()
	if backendError != nil {
		tb.Fatal(backendError)
	}
	exec, err := graph.NewExec(backend, func(in []*graph.Node) []*graph.Node {
		logits, value := buildNetwork(n, newTape(n, in))
		return []*graph.Node{logits, value}
	})
	if err != nil {
		tb.Fatal(err)
	}
	return exec
}

func runReference(tb testing.TB, exec *graph.Exec, n *Network, f *frame, p *Position) (logits []float32, value float32) {
	tb.Helper()
	sample := &Sample{Position: p, Target: make([]float32, len(p.Vertices))}
	if err := f.fill([]*Sample{sample}); err != nil {
		tb.Fatal(err)
	}
	weights := tensors.FromFlatDataAndDimensions(n.weights, n.Size())
	out, err := gomlx.Call(exec, append([]any{weights}, f.positions()...)...)
	if err != nil {
		tb.Fatal(err)
	}
	all := tensors.MustCopyFlatData[float32](out[0])
	for _, row := range p.Rows {
		logits = append(logits, all[row])
	}
	return logits, tensors.MustCopyFlatData[float32](out[1])[0]
}
