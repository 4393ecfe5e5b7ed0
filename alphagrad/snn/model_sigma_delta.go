package snn

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// sigmaDelta: s' = αs + I is what is to be told, q' = αq + ϑz what the events so far have told of it; an event z = ±1 goes out
// when they differ by the threshold.
var sigmaDelta = Model{
	Name:   "sigma_delta",
	Doc:    "asynchronous sigma-delta modulator with signed events (Yoon 2017, section II)",
	States: []string{"s", "q", "z"},
	Params: map[string]float64{"tau_m": 20, "threshold": 0.6},
	Step: func(c *Cell) {
		threshold, decay := c.Param("threshold"), c.Decay("tau_m")
		s := ir.Add(c.Name("leak", ir.Mul(decay, c.State("s"))), c.Input)
		q := ir.Mul(decay, c.State("q"))
		if c.layer.Reset != ResetNone {
			q = ir.Add(q, c.Name("reset", ir.Mul(threshold, c.State("z"))))
		}
		c.Set("s", s)
		c.Set("q", q)
		lag, scale := ir.Sub(s, q), c.Number("threshold")
		c.Set("z", ir.Sub(c.Spike(ir.Sub(lag, threshold), scale), c.Spike(ir.Neg(ir.Add(lag, threshold)), scale)))
	},
}
