// Package policy is the network that plays the search for learning rules: one hidden layer from the options that a rule has
// taken to a logit for every move and the score to expect. It learns with GoMLX, whose graph gives the gradient, and answers
// through hand-written code that is tested equal, since one position at a time is what tree search asks for.
package policy

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// Sizes of the network and of its training.
const (
	hidden = 32
	batch  = 64
	steps  = 10 // after every game
	rate   = 5e-3
)

// A Network is a policy for one space. It is not safe for concurrent use.
type Network struct {
	inputs, moves int
	weights       []float64 // W1 [inputs][hidden], b1, W2 [hidden][moves+1], b2; the last column is the value
	adam          *snn.Adam
	exec          *graph.Exec
	rnd           *rand.Rand
}

// New is an untrained network: its policy is uniform and its value 0.
func New(inputs, moves int, seed runs.Seed) (*Network, error) {
	backend, err := gomlx.Backend()
	if err != nil {
		return nil, err
	}
	n := &Network{inputs: inputs, moves: moves, adam: snn.NewAdam(rate), rnd: seed.Rand()}
	n.weights = make([]float64, inputs*hidden+hidden+(hidden+1)*(moves+1))
	for i := range inputs * hidden {
		n.weights[i] = n.rnd.NormFloat64() * math.Sqrt(2/float64(inputs))
	}
	if n.exec, err = graph.NewExec(backend, n.build); err != nil {
		return nil, fmt.Errorf("policy network: %w", err)
	}
	return n, nil
}

// For makes the policy of a search.
func For(s *rules.Search) (rules.Policy, error) {
	return New(len(s.Space.Features(s.Space.At(0))), s.Space.Moves()+1, s.Seed.Sub("policy"))
}

// parts splits the flat weights.
func (n *Network) parts() (w1, b1, w2, b2 int) {
	w1 = n.inputs * hidden
	b1 = w1 + hidden
	w2 = b1 + hidden*(n.moves+1)
	return w1, b1, w2, w2 + n.moves + 1
}

// forward is the network in GoMLX: logits [batch][moves] and values [batch].
func (n *Network) forward(flat, x *graph.Node) (logits, value *graph.Node) {
	w1, b1, w2, b2 := n.parts()
	part := func(from, to int, dims ...int) *graph.Node {
		return graph.Reshape(graph.Slice(flat, graph.AxisRange(from, to)), dims...)
	}
	h := graph.MaxScalar(graph.Add(graph.Dot(x, part(0, w1, n.inputs, hidden)).Product(), part(w1, b1, 1, hidden)), 0)
	y := graph.Add(graph.Dot(h, part(b1, w2, hidden, n.moves+1)).Product(), part(w2, b2, 1, n.moves+1))
	logits = graph.Slice(y, graph.AxisRange(), graph.AxisRange(0, n.moves))
	return logits, graph.Squeeze(graph.Slice(y, graph.AxisRange(), graph.AxisRange(n.moves, n.moves+1)), -1)
}

// build makes the loss and its gradient by the weights; inputs are weights, features, policy targets, legality and values.
func (n *Network) build(in []*graph.Node) []*graph.Node {
	logits, value := n.forward(in[0], in[1])
	// Not minus infinity, whose product with a target of 0 is no number.
	logits = graph.Add(logits, graph.MulScalar(graph.OneMinus(in[3]), -1e9))
	policy := graph.Neg(graph.ReduceAllMean(graph.ReduceSum(graph.Mul(in[2], graph.LogSoftmax(logits)), -1)))
	miss := graph.ReduceAllMean(graph.Square(graph.Sub(value, in[4])))
	loss := graph.Add(policy, miss)
	return []*graph.Node{loss, graph.Gradient(loss, in[0])[0], logits, value}
}

// run evaluates the training graph on samples.
func (n *Network) run(samples []rules.Sample) (loss float64, gradient, logits, values []float64, err error) {
	x, policy, legal, value := [][]float64{}, [][]float64{}, [][]float64{}, []float64{}
	for _, s := range samples {
		row, target, open := make([]float64, n.inputs), make([]float64, n.moves), make([]float64, n.moves)
		for i, v := range s.Features {
			row[i] = float64(v)
		}
		for i := range target {
			target[i] = float64(s.Policy[i])
			if s.Legal[i] {
				open[i] = 1
			}
		}
		x, policy, legal, value = append(x, row), append(policy, target), append(legal, open), append(value, s.Value)
	}
	out, err := gomlx.Call(n.exec, tensors.FromValue(n.weights), tensors.FromValue(x), tensors.FromValue(policy), tensors.FromValue(legal), tensors.FromValue(value))
	if err != nil {
		return 0, nil, nil, nil, err
	}
	var first []float64
	for k, to := range []*[]float64{&first, &gradient, &logits, &values} {
		if e := tensors.ConstFlatData(out[k], func(v []float64) { *to = append(*to, v...) }); e != nil {
			err = e
		}
		out[k].FinalizeAll()
	}
	if err != nil {
		return 0, nil, nil, nil, err
	}
	return first[0], gradient, logits, values, nil
}

// Learn takes some steps on samples drawn from the memory of all games so far.
func (n *Network) Learn(memory []rules.Sample) error {
	for range steps {
		chosen := make([]rules.Sample, batch) // of one size, so that the graph is compiled once
		for i := range chosen {
			chosen[i] = memory[n.rnd.IntN(len(memory))]
		}
		loss, gradient, _, _, err := n.run(chosen)
		if err != nil {
			return fmt.Errorf("policy network: %w", err)
		}
		if loss-loss != 0 {
			return fmt.Errorf("policy network: its loss is %v", loss)
		}
		n.adam.Advance()
		n.adam.Step("weights", n.weights, gradient)
	}
	return nil
}

// Predict implements [rules.Policy].
func (n *Network) Predict(features []float32) ([]float32, float64) {
	w1, b1, w2, _ := n.parts()
	var h [hidden]float64
	copy(h[:], n.weights[w1:b1])
	for i, v := range features {
		if v != 0 {
			for j := range h {
				h[j] += float64(v) * n.weights[i*hidden+j]
			}
		}
	}
	y := append([]float64(nil), n.weights[w2:]...)
	for j, v := range h {
		if v > 0 {
			for k := range y {
				y[k] += v * n.weights[b1+j*(n.moves+1)+k]
			}
		}
	}
	logits := make([]float32, n.moves)
	for k := range logits {
		logits[k] = float32(y[k])
	}
	return logits, y[n.moves]
}
