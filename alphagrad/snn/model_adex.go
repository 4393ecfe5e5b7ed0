package snn

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// adEx: C dV/dt = −g(V − E) + gΔ·exp((V − V_T)/Δ) − w + I, τ_w dw/dt = a(V − E) − w; at the peak a spike, after which V = E
// and w grows by b. Units are pF, nS, mV, pA, ms; the state v is V − E.
var adEx = Model{
	Name:   "adex",
	Doc:    "adaptive exponential integrate-and-fire neuron (Brette & Gerstner 2005, equations 1 and 2, parameters of section 4)",
	States: []string{"v", "w", "z"},
	Params: map[string]float64{"capacity": 281, "leak": 30, "rest": -70.6, "onset": -50.4, "slope": 2, "tau_w": 144, "a": 4, "b": 80.5,
		"peak": -40, "gain": 1000, "scale": 20},
	refracts: true,
	Step: func(c *Cell) {
		rest, leak, slope := c.Param("rest"), c.Param("leak"), c.Param("slope")
		peak := ir.Sub(c.Param("peak"), rest)
		z, from := c.State("z"), c.State("v")
		if c.layer.Reset != ResetNone {
			from = ir.Sub(from, c.Name("reset", ir.Mul(z, from)))
		}
		w := ir.Add(c.State("w"), c.Name("jump", ir.Mul(c.Param("b"), z)))
		rise := ir.Mul(ir.Mul(leak, slope), ir.Exp(ir.Div(ir.Sub(from, ir.Sub(c.Param("onset"), rest)), slope)))
		current := ir.Add(ir.Sub(ir.Sub(rise, ir.Mul(leak, from)), w), ir.Mul(c.Param("gain"), c.Input))
		v := ir.Min(ir.Add(from, ir.Div(ir.MulScalar(current, c.Step), c.Param("capacity"))), peak)
		w = ir.Add(w, ir.Div(ir.MulScalar(ir.Sub(ir.Mul(c.Param("a"), from), w), c.Step), c.Param("tau_w")))
		c.Set("v", v)
		c.Set("w", w)
		c.Fire(ir.Sub(v, peak), c.Number("scale"))
	},
}
