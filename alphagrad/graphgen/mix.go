package graphgen

import (
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A form is an operation as a vertex: an op and where, if at all, it takes a constant.
type form struct {
	op    *ir.OpInfo
	fixed int // 0: no constant; −1: the first of two arguments is constant; 1: the second
}

// arity is the number of arguments that are not constant.
func (f form) arity() int {
	if f.fixed != 0 {
		return 1
	}
	return f.op.Arity
}

// A share is how often a form is drawn.
type share struct {
	form
	count int
}

// taskMix counts the vertices of the benchmark tasks of AlphaGrad (Lohoff and Neftci, arXiv 2406.05027) by their form,
// leaving out those that occur fewer than three times. What pow and atan2 have comes mostly from the random task g.
var taskMix = []share{
	{form{ir.OpMul, 0}, 197}, {form{ir.OpMul, 1}, 75}, {form{ir.OpMul, -1}, 9},
	{form{ir.OpAdd, 0}, 119}, {form{ir.OpAdd, 1}, 5}, {form{ir.OpAdd, -1}, 6},
	{form{ir.OpSub, 0}, 108}, {form{ir.OpSub, 1}, 12}, {form{ir.OpSub, -1}, 4},
	{form{ir.OpDiv, 0}, 45}, {form{ir.OpDiv, 1}, 23}, {form{ir.OpDiv, -1}, 5},
	{form{ir.OpPow, 0}, 16}, {form{ir.OpPow, -1}, 11}, {form{ir.OpAtan2, 0}, 19},
	{form{ir.OpSquare, 0}, 44}, {form{ir.OpSqrt, 0}, 18}, {form{ir.OpNeg, 0}, 10}, {form{ir.OpAbs, 0}, 3},
	{form{ir.OpExp, 0}, 32}, {form{ir.OpLog, 0}, 8}, {form{ir.OpErf, 0}, 4},
	{form{ir.OpSin, 0}, 12}, {form{ir.OpCos, 0}, 13}, {form{ir.OpTan, 0}, 4},
	{form{ir.OpAtan, 0}, 3}, {form{ir.OpAtanh, 0}, 3},
}

// activations are the functions of one argument between the layers of a network, alike in likelihood.
var activations = []share{
	{form{ir.OpTanh, 0}, 1}, {form{ir.OpLogistic, 0}, 1}, {form{ir.OpExp, 0}, 1}, {form{ir.OpSquare, 0}, 1}, {form{ir.OpSin, 0}, 1},
}

// sums are the ways to join two terms.
var sums = []share{{form{ir.OpAdd, 0}, 3}, {form{ir.OpSub, 0}, 1}}

// anyArity lets draw return a form of any arity.
const anyArity = 0

// draw picks a form of the given arity by the shares.
func draw(rng *rand.Rand, mix []share, arity int) form {
	total := 0
	for _, s := range mix {
		if arity == anyArity || s.arity() == arity {
			total += s.count
		}
	}
	at := rng.IntN(total)
	for _, s := range mix {
		if arity == anyArity || s.arity() == arity {
			if at -= s.count; at < 0 {
				return s.form
			}
		}
	}
	panic("graphgen: a weighted draw fell through")
}

// constants are those of generated programs. None is 0 or ±1, which would change the kind of an edge.
var constants = []float64{0.25, 0.5, 1.5, 2, 3}
