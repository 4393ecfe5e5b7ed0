package snn

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// alif: a leaky integrate-and-fire neuron whose threshold ϑ + βa rises with each spike, a' = ρa + z.
var alif = Model{
	Name:     "alif",
	Doc:      "leaky integrate-and-fire neuron with adaptive threshold (Bellec et al. 2020, equations 6 to 8)",
	States:   []string{"v", "z", "a"},
	Params:   map[string]float64{"tau_m": 20, "threshold": 0.6, "tau_a": 2000, "beta": 0.0174},
	refracts: true,
	Step: func(c *Cell) {
		threshold := c.Param("threshold")
		v := ir.Add(c.Membrane(c.State("v"), c.Decay("tau_m"), threshold), c.Input)
		a := ir.Add(c.Name("adaptation", ir.Mul(c.Decay("tau_a"), c.State("a"))), c.State("z"))
		c.Set("v", v)
		c.Set("a", a)
		distance := ir.Sub(ir.Sub(v, threshold), c.Name("raised", ir.Mul(c.Param("beta"), a)))
		c.Fire(distance, c.Number("threshold"))
	},
}
