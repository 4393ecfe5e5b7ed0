package tasks

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// arrayInput declares an input of an array task.
type arrayInput struct {
	name      string
	low, high float64
	shape     ir.Shape
}

// tracedArrays makes an array task from a Go function over traced arrays.
func tracedArrays(name, doc string, inputs []arrayInput, outputs []string, fn func(x []value) []value) *Task {
	t := &Task{Name: name, Doc: doc}
	for _, in := range inputs {
		t.Domain = append(t.Domain, Interval{in.low, in.high})
	}
	t.build = func() (*ir.Program, error) {
		b := ir.NewBuilder(name)
		var x []value
		for _, in := range inputs {
			x = append(x, b.Input(in.name, in.shape...))
		}
		for k, y := range fn(x) {
			n := fmt.Sprintf("y%d", k+1)
			if outputs != nil {
				n = outputs[k]
			}
			b.Output(n, y)
		}
		return b.Build()
	}
	return t
}

// weights declares matrices or vectors of one shape.
func weights(low, high float64, shape ir.Shape, names ...string) (list []arrayInput) {
	for _, n := range names {
		list = append(list, arrayInput{n, low, high, shape})
	}
	return list
}

func join(lists ...[]arrayInput) (all []arrayInput) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// arrayTable lists every task on arrays: one row adds one. The sizes are those of the published runs.
var arrayTable = []*Task{
	tracedArrays("RoeFlux_3d", "Roe's approximate Riemann solver for the three-dimensional Euler equations (Roe 1981).",
		join(weights(0.5, 1, nil, "ul0"), weights(2, 3, ir.Shape{3}, "ul"), weights(0.5, 1, nil, "ul4", "ur0"), weights(2, 3, ir.Shape{3}, "ur"), weights(0.5, 1, nil, "ur4")),
		[]string{"phi0", "phi", "phi4"}, roeFlux3d),
	tracedArrays("Helmholtz_vector", "Helmholtz energy x·log(x/(1 − Σx)) of ten components as a vector (Griewank & Walther).",
		weights(0.01, 0.05, ir.Shape{10}, "x"), nil, func(x []value) []value { return []value{helmholtzVector(x[0])} }),
	tracedArrays("FreeEnergy", "Free energy of a mixture by the Peng–Robinson equation of state (Griewank 1989; constants of one isotherm).",
		join(weights(0.05, 0.2, ir.Shape{8}, "x"), weights(0.1, 1, ir.Shape{8}, "b"), weights(0.1, 1, ir.Shape{8, 8}, "A")), nil, freeEnergy),
	tracedArrays("f", "A random program of 80 operations on scalars, vectors and matrices (Lohoff & Neftci).",
		join(weights(0.1, 1, ir.Shape{4}, "a"), weights(0.1, 1, ir.Shape{2, 3}, "b"), weights(0.1, 0.5, ir.Shape{4, 4}, "c"), weights(0.1, 1, ir.Shape{4, 1}, "d")),
		nil, randomF),
	tracedArrays("Perceptron", "Two layers with a layer norm between them and a cross entropy (Lohoff & Neftci).",
		join(weights(-1, 1, ir.Shape{4}, "x", "y"), weights(-1, 1, ir.Shape{8, 4}, "W1"), weights(-1, 1, ir.Shape{8}, "b1"),
			weights(-1, 1, ir.Shape{4, 8}, "W2"), weights(-1, 1, ir.Shape{4}, "b2"), weights(0.5, 1, nil, "gamma", "beta")), nil, perceptron),
	tracedArrays("Encoder", "Two transformer encoder blocks and a cross entropy (Lohoff & Neftci).",
		join(weights(-1, 1, ir.Shape{4, 4}, "x"), weights(-1, 1, ir.Shape{2, 4}, "y"), weights(-1, 1, ir.Shape{4, 4}, "WQ1", "WQ2", "WK1", "WK2", "WV1", "WV2", "W1"),
			weights(-1, 1, ir.Shape{2, 4}, "W2"), weights(-1, 1, ir.Shape{4}, "b1"), weights(-1, 1, ir.Shape{2, 1}, "b2"), weights(0.5, 1, nil, "gamma1", "beta1", "gamma2", "beta2")), nil, encoder),
	tracedArrays("EncoderDecoder", "A transformer encoder block, a decoder block and a squared loss (Lohoff & Neftci).",
		join(weights(-1, 1, ir.Shape{4, 4}, "x"), weights(-1, 1, ir.Shape{2, 4}, "y"), weights(-1, 1, ir.Shape{4, 4}, "WQ1", "WQ2", "WQ3", "WK1", "WK2", "WK3", "WV1", "WV2", "WV3", "W1"),
			weights(-1, 1, ir.Shape{2, 4}, "W2"), weights(-1, 1, ir.Shape{4}, "b1"), weights(-1, 1, ir.Shape{2, 1}, "b2"), weights(0.5, 1, ir.Shape{3}, "gamma", "beta")), nil, encoderDecoder),
	tracedArrays("LIF_network", "One step of three layers of leaky integrate-and-fire neurons with a squared loss (Zenke & Neftci 2021).",
		join(weights(0, 1, ir.Shape{10}, "S_in"), weights(0, 1, ir.Shape{4}, "S_target"), spiking("U"), spiking("I"), spikingWeights, weights(0.5, 0.9, nil, "alpha", "beta"), weights(0.5, 1, nil, "threshold")),
		nil, lifNetwork),
	tracedArrays("ADALIF_network", "One step of three layers of adaptive leaky integrate-and-fire neurons with a squared loss (Bellec et al. 2020).",
		join(weights(0, 1, ir.Shape{10}, "S_in"), weights(0, 1, ir.Shape{4}, "S_target"), spiking("U"), spiking("a"), spikingWeights, weights(0.5, 0.9, nil, "alpha", "beta", "rho"), weights(0.5, 1, nil, "threshold")),
		nil, adalifNetwork),
	tracedArrays("GaussianDataFitting", "Residuals of a sum of four Gaussians on 65 points (Osborne's second problem, MINPACK-2, Averick et al. 1992).",
		weights(0.5, 2, ir.Shape{11}, "x"), nil, gaussianFit),
}

func spiking(prefix string) []arrayInput {
	return join(weights(-1, 1, ir.Shape{8}, prefix+"1"), weights(-1, 1, ir.Shape{6}, prefix+"2"), weights(-1, 1, ir.Shape{4}, prefix+"3"))
}

var spikingWeights = join(weights(-1, 1, ir.Shape{8, 10}, "W1"), weights(-1, 1, ir.Shape{6, 8}, "W2"), weights(-1, 1, ir.Shape{4, 6}, "W3"))

// Arrays lists the tasks whose inputs are arrays, in the order of the table.
func Arrays() []*Task { return arrayTable }
