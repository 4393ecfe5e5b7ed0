package net

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// The gnn model passes messages along the edges in both directions. One round is
//
//	h' = h + norm(relu(h·W₃ + p·W₁ + s·W₂)),   p = Σ h[u]/√|pred|,   s = Σ h[w]/√|succ|
//
// with sums over the predecessors u and the successors w of a node. Dividing by the square root of the degree lets a
// node feel how many neighbours it has and keeps large neighbourhoods in scale.
//
// The three matrices are stored as one, over the row [h, p, s].

func gnnParams(s Spec) (all []param) {
	for r := range s.Rounds {
		all = append(all,
			param{fmt.Sprintf("round%d/weights", r), 3 * s.Width, s.Width, he},
			param{fmt.Sprintf("round%d/gain", r), 1, s.Width, one},
			param{fmt.Sprintf("round%d/offset", r), 1, s.Width, zero})
	}
	return all
}

func gnnBuild(t *tape, h *graph.Node) *graph.Node {
	d := t.spec.Width
	for r := range t.spec.Rounds {
		w := t.tensor("round%d/weights", r)
		own := graph.Slice(w, graph.AxisRange(0, d))
		neighbours := graph.Slice(w, graph.AxisRange(d, 3*d))
		// Rows 2i and 2i+1 are the messages of node i, so that putting them side by side moves no memory.
		messages := graph.Reshape(product(t.edges, h), t.batch(), t.nodes(), 2*d)
		next := relu(graph.Add(dense(h, own), dense(messages, neighbours)))
		h = graph.Add(h, layerNorm(next, t.tensor("round%d/gain", r), t.tensor("round%d/offset", r)))
	}
	return h
}

func gnnPrepare(n *Network) func(*pass) {
	type round struct{ weights, gain, offset []float32 }
	var rounds []round
	for r := range n.spec.Rounds {
		rounds = append(rounds, round{n.tensor(fmt.Sprintf("round%d/weights", r)),
			n.tensor(fmt.Sprintf("round%d/gain", r)), n.tensor(fmt.Sprintf("round%d/offset", r))})
	}
	return func(s *pass) {
		d, p := s.width, s.position
		for i := p.Nodes; i < s.rows; i++ { // nothing is sent to padding
			clear(s.h[i*s.stride+d : (i+1)*s.stride])
		}
		for _, w := range rounds {
			for i := range p.Nodes {
				row := s.h[i*s.stride : (i+1)*s.stride]
				gather(row[d:2*d], s, p.Preds[p.PredStart[i]:p.PredStart[i+1]])
				gather(row[2*d:3*d], s, p.Succs[p.SuccStart[i]:p.SuccStart[i+1]])
			}
			clear(s.temp)
			addProduct(s.temp, d, s.h, s.stride, w.weights, s.rows, 3*d, d)
			for i := range s.rows {
				addNorm(s.h[i*s.stride:i*s.stride+d], s.temp[i*d:(i+1)*d], w.gain, w.offset, true)
			}
		}
	}
}

// gather writes the sum of the embeddings of some nodes over the square root of their number.
func gather(to []float32, s *pass, nodes []int32) {
	clear(to)
	for _, u := range nodes {
		for k, x := range s.h[int(u)*s.stride:][:len(to)] {
			to[k] += x
		}
	}
	if len(nodes) > 1 {
		scale := float32(1 / math.Sqrt(float64(len(nodes))))
		for k := range to {
			to[k] *= scale
		}
	}
}
