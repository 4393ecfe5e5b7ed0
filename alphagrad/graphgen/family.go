package graphgen

import (
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A family is a kind of program. One row of the table adds one.
type family struct {
	name, about     string
	inputs, outputs amount
	habits          habits
	build           func(s *sketch) // takes first steps; the rest grows by the habits. nil for none
}

// An amount is drawn uniformly from low to high, plus a share of the vertices drawn from 0 to share.
type amount struct {
	low, high int
	share     float64
}

func (a amount) draw(rng *rand.Rand, vertices int) int {
	n := a.low + rng.IntN(a.high-a.low+1)
	return min(n+rng.IntN(1+int(a.share*float64(vertices))), vertices/2)
}

var families = []family{
	{name: "chain", about: "long chains of dependent operations, few of them shared: formulas in one piece, like an option price",
		inputs: amount{2, 6, 0}, outputs: amount{1, 2, 0},
		habits: habits{open: 4, recent: 5, hub: 0.5, input: 2, window: 3}},
	{name: "shared", about: "sub-expressions that many later ones use: flux and metric computations",
		inputs: amount{3, 8, 0}, outputs: amount{3, 6, 0},
		habits: habits{open: 6, recent: 1, hub: 2.5, input: 2, window: 16}},
	{name: "funnel", about: "many inputs, few outputs: energies and losses",
		inputs: amount{8, 12, 0.15}, outputs: amount{1, 3, 0},
		habits: habits{open: 6, recent: 1, hub: 0.5, input: 2, window: 12}},
	{name: "fan", about: "few inputs, many outputs: curves, kinematics and residuals in few unknowns",
		inputs: amount{2, 4, 0}, outputs: amount{6, 8, 0.12},
		habits: habits{open: 5, recent: 1.5, hub: 1, input: 1, any: 1.5, window: 24}},
	{name: "random", about: "arguments from anywhere, inputs and outputs in number: the task g",
		inputs: amount{4, 6, 0.12}, outputs: amount{4, 6, 0.16},
		habits: habits{recent: 0.5, any: 4, window: 10}},
	{name: "stencil", about: "layers of cells, each the same small program of its neighbours: discretised equations",
		inputs: amount{4, 8, 0.02}, outputs: amount{1, 8, 0},
		habits: habits{open: 6, recent: 1, any: 0.5, window: 8}, build: stencil},
	{name: "blocks", about: "a few small programs repeated on different values: left and right states, moments, links of an arm",
		inputs: amount{4, 10, 0}, outputs: amount{2, 8, 0},
		habits: habits{open: 2, hub: 1, input: 4, any: 1}, build: blocks},
	{name: "residuals", about: "many shallow expressions of the same inputs, small programs repeated in them: systems of equations",
		inputs: amount{6, 11, 0}, outputs: amount{6, 11, 0},
		habits: habits{open: 0.5, hub: 0.5, input: 6}, build: blocks},
	{name: "layers", about: "layers of weighted sums under a function: small networks with some of their weights as inputs",
		inputs: amount{5, 10, 0.06}, outputs: amount{1, 5, 0},
		habits: habits{open: 6, recent: 1, input: 1, window: 8}, build: layers},
}

// stencil updates a ring of cells, which start as the inputs, by templates of each cell and its neighbours, a new
// template now and then.
func stencil(s *sketch) {
	cells := make([]int, s.inputs)
	for i := range cells {
		cells[i] = i
	}
	reach := 2 + s.rng.IntN(2) // neighbours that a template sees, the cell included
	for {
		t := s.template(reach, reach+s.rng.IntN(4))
		next := make([]int, len(cells))
		for i := range cells {
			args := make([]int, reach)
			for k := range args {
				args[k] = cells[(i+k)%len(cells)]
			}
			result, ok := s.place(t, args)
			if !ok {
				return
			}
			next[i] = result
		}
		cells = next
	}
}

// blocks places templates on arguments drawn by the habits, with single steps in between.
func blocks(s *sketch) {
	var templates []*sketch
	for range 2 + s.rng.IntN(3) {
		args := 2 + s.rng.IntN(3)
		templates = append(templates, s.template(args, args+s.rng.IntN(2+min(10, s.want/10))))
	}
	for refused := 0; refused < 4; {
		if s.rng.IntN(4) == 0 && s.left() > 0 {
			s.grow(taskMix)
			continue
		}
		t := templates[s.rng.IntN(len(templates))]
		if _, ok := s.place(t, s.pickDifferent(t.inputs)); !ok {
			refused++
		}
	}
}

// layers builds layers of neurons, each a function of a sum of two to four weighted values of the layer before. A weight
// is an input or a constant, half and half.
func layers(s *sketch) {
	width := max(2, s.inputs/3)
	weights := s.inputs - width // the inputs behind the first width ones
	layer := make([]int, width)
	for i := range layer {
		layer[i] = i
	}
	activation := draw(s.rng, activations, 1)
	for {
		next := make([]int, width)
		for i := range next {
			terms := min(width, 2+s.rng.IntN(3))
			t := newSketch(s.rng, habits{}, 2*terms, 0, 1) // arguments: the values, then the weights
			args := make([]int, 2*terms)
			sum := -1
			for k := range terms {
				args[k], args[terms+k] = layer[(i+k)%width], width+s.rng.IntN(weights)
				term := 0
				if s.rng.IntN(2) == 0 {
					term = t.add(form{ir.OpMul, 0}, k, terms+k)
				} else {
					args[terms+k] = args[k] // no weight to take an interest in
					term = t.add(form{ir.OpMul, 1}, k)
				}
				if sum >= 0 {
					term = t.add(draw(s.rng, sums, 2), sum, term)
				}
				sum = term
			}
			t.add(activation, sum)
			result, ok := s.place(t, args)
			if !ok {
				return
			}
			next[i] = result
		}
		layer = next
	}
}
