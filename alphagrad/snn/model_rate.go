package snn

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// rate: h' = αh + (1 − α)·tanh(I), a neuron of rates.
var rate = Model{
	Name:   "rate",
	Doc:    "leaky rate neuron (Murray 2019, equation 1)",
	States: []string{"h"},
	Output: "h",
	Params: map[string]float64{"tau_m": 10},
	Step: func(c *Cell) {
		c.Set("h", ir.Add(c.Name("leak", ir.Mul(c.Decay("tau_m"), c.State("h"))), c.Name("drive", ir.Mul(c.Rest("tau_m"), c.Name("active", ir.Tanh(c.Input))))))
	},
}
