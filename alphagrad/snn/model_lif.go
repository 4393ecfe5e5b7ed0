package snn

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// lif: v' = αv + I − ϑz, z' = H(v' − ϑ) with α = exp(−Δt/τ).
var lif = Model{
	Name:     "lif",
	Doc:      "leaky integrate-and-fire neuron (Bellec et al. 2020, equation 6)",
	States:   []string{"v", "z"},
	Params:   map[string]float64{"tau_m": 20, "threshold": 0.6},
	refracts: true,
	Step: func(c *Cell) {
		threshold := c.Param("threshold")
		v := ir.Add(c.Membrane(c.State("v"), c.Decay("tau_m"), threshold), c.Input)
		c.Set("v", v)
		c.Fire(ir.Sub(v, threshold), c.Number("threshold"))
	},
}
