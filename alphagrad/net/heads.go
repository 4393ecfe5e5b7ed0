package net

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// What all models share: the embedding of the features before the model's rounds, and the two heads behind them.
//
//	h      = norm(relu(x·W))                          per node, x with the features of the game appended
//	…the model's rounds…
//	pooled = [mean of h over the nodes, maximum of h over the nodes]
//	c      = relu(pooled·W + b)                       the position as a whole
//	logit  = relu(h·W + c·W' + b)·w                   per node, used for vertices that can be eliminated
//	value  = valueUnit·(relu(c·W + b)·w + b')

// valueUnit is the value at which the network's raw output is 1. Improvements over the cheap completion are mostly a
// few per cent to a few tens of per cent.
const valueUnit = 0.1

func embedParams(s Spec) []param {
	return []param{
		{"embed/weights", NodeFeatures + GameFeatures, s.Width, he},
		{"embed/gain", 1, s.Width, one},
		{"embed/offset", 1, s.Width, zero},
	}
}

func headParams(s Spec) []param {
	d := s.Width
	return []param{
		{"pool/weights", 2 * d, d, he},
		{"pool/bias", 1, d, zero},
		{"policy/node", d, d, he},
		{"policy/pool", d, d, he},
		{"policy/bias", 1, d, zero},
		{"policy/out", d, 1, zero},
		{"value/weights", d, d, he},
		{"value/bias", 1, d, zero},
		{"value/out", d, 1, zero},
		{"value/shift", 1, 1, zero},
	}
}

// buildNetwork is the whole network in GoMLX: logits [batch][nodes], of which only those of t.masked mean anything,
// and raw values [batch] in units of valueUnit.
func buildNetwork(n *Network, t *tape) (logits, value *graph.Node) {
	batch, nodes, d := t.batch(), t.nodes(), t.spec.Width
	h := layerNorm(relu(dense(t.x, t.tensor("embed/weights"))), t.tensor("embed/gain"), t.tensor("embed/offset"))
	h = n.arch.build(t, h)

	count := graph.MaxScalar(graph.ReduceAndKeep(t.live, graph.ReduceSum, 1), 1)
	weight := graph.Reshape(graph.Div(t.live, count), batch, 1, nodes)
	mean := graph.Reshape(product(weight, h), batch, d)
	top := maximum(h, t.live)
	c := relu(graph.Add(dense(graph.Concatenate([]*graph.Node{mean, top}, -1), t.tensor("pool/weights")), t.tensor("pool/bias")))

	shared := graph.Add(dense(c, t.tensor("policy/pool")), t.tensor("policy/bias"))
	shared = graph.BroadcastToDims(graph.Reshape(shared, batch, 1, d), batch, nodes, d)
	logits = graph.Reshape(dense(relu(graph.Add(dense(h, t.tensor("policy/node")), shared)), t.tensor("policy/out")), batch, nodes)

	v := relu(graph.Add(dense(c, t.tensor("value/weights")), t.tensor("value/bias")))
	value = graph.Reshape(graph.Add(dense(v, t.tensor("value/out")), t.tensor("value/shift")), batch)
	return logits, value
}

// maximum is the maximum of h [batch][nodes][width] over the nodes that are live. Its gradient is shared by all nodes at
// the maximum: that of GoMLX's ReduceMax goes to each of them in full, which is wrong for the many graphs with nodes
// that cannot be told apart.
func maximum(h, live *graph.Node) *graph.Node {
	padding := graph.MulScalar(graph.AddScalar(graph.Reshape(live, live.Shape().Dimensions[0], -1, 1), -1), 1e9)
	padded := graph.StopGradient(graph.Add(h, graph.BroadcastToDims(padding, h.Shape().Dimensions...)))
	top := graph.BroadcastToDims(graph.ReduceAndKeep(padded, graph.ReduceMax, 1), h.Shape().Dimensions...)
	there := graph.ConvertDType(graph.GreaterOrEqual(padded, top), h.DType())
	return graph.Div(graph.ReduceSum(graph.Mul(h, there), 1), graph.ReduceSum(there, 1))
}

// A pass is the memory of one hand-written forward pass and the position it works on. Matrices have their rows padded
// to a multiple of rowBlock.
type pass struct {
	position *Position
	width    int
	rows     int       // padded
	stride   int       // of h
	h        []float32 // [rows][stride]: embeddings of the nodes in the first width columns
	temp     []float32 // [rows][width]
	pooled   []float32 // [2·width]; before the pooling, memory for the model
	context  []float32 // [width]
	scratch  []float32 // for the model
	everyone []int32   // for the model: all rows
	seen     []int32   // for the model: some rows
	features []float32 // [rows][NodeFeatures]
}

// net32 is a network ready for the hand-written pass.
type net32 struct {
	width, lanes                      int
	embedNode, embedGame              []float32 // [NodeFeatures][width], [GameFeatures][width]
	embedGain, embedOffset            []float32
	rounds                            func(*pass)
	poolWeights, poolBias             []float32
	policyNode, policyPool            []float32
	policyBias, policyOut             []float32
	valueWeights, valueBias, valueOut []float32
	valueShift                        float32
}

func (n *Network) prepare() *net32 {
	embed := n.tensor("embed/weights")
	split := NodeFeatures * n.spec.Width
	return &net32{
		width: n.spec.Width, lanes: n.arch.lanes,
		embedNode: embed[:split], embedGame: embed[split:],
		embedGain: n.tensor("embed/gain"), embedOffset: n.tensor("embed/offset"),
		rounds:      n.arch.prepare(n),
		poolWeights: n.tensor("pool/weights"), poolBias: n.tensor("pool/bias"),
		policyNode: n.tensor("policy/node"), policyPool: n.tensor("policy/pool"),
		policyBias: n.tensor("policy/bias"), policyOut: n.tensor("policy/out"),
		valueWeights: n.tensor("value/weights"), valueBias: n.tensor("value/bias"), valueOut: n.tensor("value/out"),
		valueShift: n.tensor("value/shift")[0],
	}
}

// run computes the raw value, in units of valueUnit, and the logits of the vertices that can be eliminated, in the
// order of p.Vertices.
func (n *net32) run(s *pass, p *Position, logits []float32) (value float32) {
	d := n.width
	s.position, s.width, s.stride = p, d, n.lanes*d
	s.rows = (p.Nodes + rowBlock - 1) / rowBlock * rowBlock
	s.h, s.temp = resize(s.h, s.rows*s.stride), resize(s.temp, s.rows*d)
	s.pooled, s.context = resize(s.pooled, 2*d), resize(s.context, d)
	s.features = resize(s.features, s.rows*NodeFeatures)
	clear(s.features[copy(s.features, p.Node):])

	// The features of the game are the same for all nodes: their part of the product is computed once.
	clear(s.context)
	addProduct(s.context, d, p.Game, 0, n.embedGame, 1, GameFeatures, d)
	repeatRow(s.temp, s.context)
	addProduct(s.temp, d, s.features, NodeFeatures, n.embedNode, s.rows, NodeFeatures, d)
	for i := range s.rows {
		row := s.h[i*s.stride : i*s.stride+d]
		clear(row)
		addNorm(row, s.temp[i*d:(i+1)*d], n.embedGain, n.embedOffset, true)
	}

	n.rounds(s)

	n.pool(s)
	copy(s.context, n.poolBias)
	addProduct(s.context, d, s.pooled, 2*d, n.poolWeights, 1, 2*d, d)
	rectify(s.context)
	n.policy(s, logits)
	hidden := s.temp[:d] // the policy is done with it
	copy(hidden, n.valueBias)
	addProduct(hidden, d, s.context, d, n.valueWeights, 1, d, d)
	rectify(hidden)
	return dot(hidden, n.valueOut) + n.valueShift
}

// pool summarises the nodes.
func (n *net32) pool(s *pass) {
	d := n.width
	mean, top := s.pooled[:d], s.pooled[d:2*d]
	clear(mean)
	for i := range top {
		top[i] = -math.MaxFloat32
	}
	for i := range s.position.Nodes {
		for k, x := range s.h[i*s.stride : i*s.stride+d] {
			mean[k] += x
			top[k] = max(top[k], x)
		}
	}
	if s.position.Nodes == 0 {
		clear(top)
	}
	inverse := 1 / float32(max(1, s.position.Nodes))
	for k := range mean {
		mean[k] *= inverse
	}
}

func (n *net32) policy(s *pass, logits []float32) {
	d := n.width
	shared := s.pooled[:d] // its contents have been used
	copy(shared, n.policyBias)
	addProduct(shared, d, s.context, d, n.policyPool, 1, d, d)
	repeatRow(s.temp, shared)
	addProduct(s.temp, d, s.h, s.stride, n.policyNode, s.rows, d, d)
	for i, row := range s.position.Rows {
		hidden := s.temp[int(row)*d : (int(row)+1)*d]
		rectify(hidden)
		logits[i] = dot(hidden, n.policyOut)
	}
}
