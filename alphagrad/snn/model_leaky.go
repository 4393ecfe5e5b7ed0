package snn

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// leaky: v' = αv + I, without spikes: others see the potential. The readout of a network is one with its filter before the
// weights.
var leaky = Model{
	Name:   "leaky",
	Doc:    "leaky integrator without spikes",
	States: []string{"v"},
	Output: "v",
	Params: map[string]float64{"tau_m": 20},
	Step: func(c *Cell) {
		c.Set("v", ir.Add(c.Name("leak", ir.Mul(c.Decay("tau_m"), c.State("v"))), c.Input))
	},
}
