package net

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// The transformer model (Vaswani et al. 2017, normalised before each part as in Xiong et al. 2020) has one attention
// head per relation between nodes: three look along edges, one at the whole graph. One round is
//
//	h' = h + [head₁ … head₄]·W,         over norm(h)
//	h" = h' + relu(norm(h')·W₁)·W₂
//
// and the last is followed by a normalisation.

// A relation says which nodes a head looks at; each also looks at its own node.
type relation struct {
	preds, succs, all bool
}

var relations = []relation{{preds: true}, {succs: true}, {preds: true, succs: true}, {all: true}}

func transformerParams(s Spec) (all []param) {
	d := s.Width
	for r := range s.Rounds {
		name := func(tail string) string { return fmt.Sprintf("round%d/%s", r, tail) }
		all = append(all,
			param{name("norm/gain"), 1, d, one},
			param{name("norm/offset"), 1, d, zero},
			param{name("attend"), d, 3 * d, he}, // columns: queries, keys, values, each with one head after the other
			param{name("merge"), d, d, he},
			param{name("feed/gain"), 1, d, one},
			param{name("feed/offset"), 1, d, zero},
			param{name("feed/in"), d, 2 * d, he},
			param{name("feed/out"), 2 * d, d, he})
	}
	return append(all, param{"last/gain", 1, d, one}, param{"last/offset", 1, d, zero})
}

func transformerBuild(t *tape, h *graph.Node) *graph.Node {
	d, size := t.spec.Width, t.spec.Width/len(relations)
	scale := 1 / math.Sqrt(float64(size))
	masks := t.relationMasks()
	for r := range t.spec.Rounds {
		x := layerNorm(h, t.tensor("round%d/norm/gain", r), t.tensor("round%d/norm/offset", r))
		w := t.tensor("round%d/attend", r)
		var heads []*graph.Node
		for i, mask := range masks {
			part := func(which int) *graph.Node {
				at := which*d + i*size
				return dense(x, graph.Slice(w, graph.AxisRange(), graph.AxisRange(at, at+size)))
			}
			scores := graph.DotGeneral(part(0), []int{2}, []int{0}, part(1), []int{2}, []int{0})
			heads = append(heads, product(graph.Softmax(graph.Add(graph.MulScalar(scores, scale), mask)), part(2)))
		}
		h = graph.Add(h, dense(graph.Concatenate(heads, -1), t.tensor("round%d/merge", r)))
		x = layerNorm(h, t.tensor("round%d/feed/gain", r), t.tensor("round%d/feed/offset", r))
		h = graph.Add(h, dense(relu(dense(x, t.tensor("round%d/feed/in", r))), t.tensor("round%d/feed/out", r)))
	}
	return layerNorm(h, t.tensor("last/gain"), t.tensor("last/offset"))
}

// relationMasks returns for every relation what to add to its scores [batch][nodes][nodes]: 0 or nearly −∞.
func (t *tape) relationMasks() (masks []*graph.Node) {
	b, n, g := t.batch(), t.nodes(), t.x.Graph()
	pairs := graph.Reshape(t.edges, b, n, 2, n)
	side := func(i int) *graph.Node {
		return graph.Reshape(graph.Slice(pairs, graph.AxisRange(), graph.AxisRange(), graph.AxisElem(i), graph.AxisRange()), b, n, n)
	}
	square := shapes.Make(dtypes.Int32, b, n, n)
	self := graph.ConvertDType(graph.Equal(graph.Iota(g, square, 1), graph.Iota(g, square, 2)), dtypes.Float32)
	for _, r := range relations {
		seen := self
		if r.preds {
			seen = graph.Add(seen, side(0))
		}
		if r.succs {
			seen = graph.Add(seen, side(1))
		}
		if r.all {
			seen = graph.BroadcastToDims(graph.Reshape(t.live, b, 1, n), b, n, n)
		}
		nothing := graph.ZerosLike(seen)
		masks = append(masks, graph.Where(graph.GreaterThan(seen, nothing), nothing, graph.AddScalar(nothing, -1e9)))
	}
	return masks
}

type transformerRound struct {
	gain, offset, attend, merge           []float32
	feedGain, feedOffset, feedIn, feedOut []float32
}

func transformerPrepare(n *Network) func(*pass) {
	var rounds []transformerRound
	for r := range n.spec.Rounds {
		w := func(tail string) []float32 { return n.tensor(fmt.Sprintf("round%d/%s", r, tail)) }
		rounds = append(rounds, transformerRound{w("norm/gain"), w("norm/offset"), w("attend"), w("merge"),
			w("feed/gain"), w("feed/offset"), w("feed/in"), w("feed/out")})
	}
	lastGain, lastOffset := n.tensor("last/gain"), n.tensor("last/offset")
	return func(s *pass) {
		d := s.width
		s.scratch = resize(s.scratch, s.rows*4*d+s.rows)
		three, x, scores := s.scratch[:s.rows*3*d], s.scratch[s.rows*3*d:s.rows*4*d], s.scratch[s.rows*4*d:]
		s.everyone = s.everyone[:0]
		for i := range s.position.Nodes {
			s.everyone = append(s.everyone, int32(i))
		}
		clear(x) // its padding
		for _, w := range rounds {
			normRows(s.temp, s.h, s.pooled[:d], w.gain, w.offset)
			clear(three)
			addProduct(three, 3*d, s.temp, d, w.attend, s.rows, d, 3*d)
			for i := range s.position.Nodes {
				for head, r := range relations {
					attend(s, x[i*d:(i+1)*d], three, scores, i, head, r.look(s, i))
				}
			}
			addProduct(s.h, d, x, d, w.merge, s.rows, d, d)
			normRows(s.temp, s.h, s.pooled[:d], w.feedGain, w.feedOffset)
			hidden := three[:s.rows*2*d]
			clear(hidden)
			addProduct(hidden, 2*d, s.temp, d, w.feedIn, s.rows, d, 2*d)
			rectify(hidden)
			addProduct(s.h, d, hidden, 2*d, w.feedOut, s.rows, 2*d, d)
		}
		copy(s.temp, s.h)
		clear(s.h)
		for i := range s.rows {
			addNorm(s.h[i*d:(i+1)*d], s.temp[i*d:(i+1)*d], lastGain, lastOffset, false)
		}
	}
}

// normRows writes the layer normalisation of every row of x to y, with a row of memory.
func normRows(y, x, row, gain, offset []float32) {
	clear(y)
	for d := len(row); len(y) > 0; y, x = y[d:], x[d:] {
		copy(row, x)
		addNorm(y[:d], row, gain, offset, false)
	}
}

// attend writes to a row of the output what one head of node i sees.
func attend(s *pass, to, three, scores []float32, i, head int, seen []int32) {
	d := s.width
	size := d / len(relations)
	part := func(node int32, which int) []float32 { return three[int(node)*3*d+which*d+head*size:][:size] }
	query := part(int32(i), 0)
	scale := float32(1 / math.Sqrt(float64(size)))
	top := float32(-math.MaxFloat32)
	scores = scores[:len(seen)]
	for k, node := range seen {
		scores[k] = dot(query, part(node, 1)) * scale
		top = max(top, scores[k])
	}
	var sum float32
	for k, x := range scores {
		scores[k] = float32(math.Exp(float64(x - top)))
		sum += scores[k]
	}
	inverse := 1 / sum
	to = to[head*size:][:size]
	clear(to)
	for k, node := range seen {
		weight := scores[k] * inverse
		for j, x := range part(node, 2) {
			to[j] += weight * x
		}
	}
}

// look lists the nodes that node i looks at.
func (r relation) look(s *pass, i int) []int32 {
	p := s.position
	if r.all {
		return s.everyone
	}
	s.seen = append(s.seen[:0], int32(i))
	if r.preds {
		s.seen = append(s.seen, p.Preds[p.PredStart[i]:p.PredStart[i+1]]...)
	}
	if r.succs {
		s.seen = append(s.seen, p.Succs[p.SuccStart[i]:p.SuccStart[i+1]]...)
	}
	return s.seen
}
