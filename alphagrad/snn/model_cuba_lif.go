package snn

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// cubaLIF: spikes make a synaptic current that decays, and that current drives a leaky integrate-and-fire neuron:
// i' = γi + I, v' = αv + i' − ϑz.
var cubaLIF = Model{
	Name:     "cuba_lif",
	Doc:      "current-based leaky integrate-and-fire neuron (Zenke & Ganguli 2018; Neftci, Mostafa & Zenke 2019)",
	States:   []string{"i", "v", "z"},
	Params:   map[string]float64{"tau_syn": 5, "tau_m": 20, "threshold": 1},
	refracts: true,
	Step: func(c *Cell) {
		threshold := c.Param("threshold")
		i := ir.Add(c.Name("decay", ir.Mul(c.Decay("tau_syn"), c.State("i"))), c.Input)
		c.Set("i", i)
		v := ir.Add(c.Membrane(c.State("v"), c.Decay("tau_m"), threshold), i)
		c.Set("v", v)
		c.Fire(ir.Sub(v, threshold), c.Number("threshold"))
	},
}
