package net

import (
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// An Evaluator asks a network about states of the game. It computes the network by hand-written code, several times
// faster than GoMLX, and once it has seen a graph it allocates nothing. It is not safe for concurrent use: a goroutine
// takes its own.
type Evaluator struct {
	network  *net32
	encoder  *Encoder
	position Position
	pass     pass
	logits   []float32 // [left]
}

// NewEvaluator returns an evaluator of the network.
func (n *Network) NewEvaluator() *Evaluator {
	return &Evaluator{network: n.prepare(), encoder: NewEncoder()}
}

// Use makes the evaluator ask another network from now on. It keeps what it knows of graphs.
func (e *Evaluator) Use(n *Network) { e.network = n.prepare() }

// Evaluate writes the policy's logits of the given vertices, as many as logits holds, and returns the value of the
// state, the expected improvement over the cheap completion relative to its cost; CheapCost has the definition. A
// vertex that cannot be eliminated now gets −∞. The state is left as it is.
func (e *Evaluator) Evaluate(s *elim.State, vertices []int32, logits []float32) (value float64) {
	e.encoder.Encode(s, &e.position)
	p := &e.position
	e.logits = resize(e.logits, len(p.Vertices))
	value = e.EvaluatePosition(p, e.logits)
	row := 0
	for i, v := range vertices[:min(len(vertices), len(logits))] {
		row = find(p.Vertices, v, row)
		if row == len(p.Vertices) || p.Vertices[row] != v {
			logits[i] = float32(math.Inf(-1))
			continue
		}
		logits[i] = e.logits[row]
	}
	return value
}

// EvaluatePosition is Evaluate for a position of an Encoder and all its vertices: logits has an element for each of
// p.Vertices. Where the cheap completion is free there is nothing to improve, and the value is 0.
func (e *Evaluator) EvaluatePosition(p *Position, logits []float32) (value float64) {
	raw := e.network.run(&e.pass, p, logits)
	if p.Cheap == 0 {
		return 0
	}
	return float64(raw) * valueUnit
}

// Cheap is the CheapCost of the state last evaluated, in multiplications: its value is relative to this number.
func (e *Evaluator) Cheap() int64 { return e.position.Cheap }

// find is the first index at which sorted has an element of at least v. It tries the given index and the next before
// it searches: callers mostly ask in ascending order.
func find(sorted []int32, v int32, guess int) int {
	for k := guess; k < min(guess+2, len(sorted)); k++ {
		if sorted[k] == v {
			return k
		}
	}
	low, high := 0, len(sorted)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if sorted[middle] < v {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
