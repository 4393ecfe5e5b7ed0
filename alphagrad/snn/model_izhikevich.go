package snn

import "github.com/alphagrad/alphagrad-go/alphagrad/ir"

// izhikevich: dv/dt = 0.04v² + 5v + 140 − u + I, du/dt = a(bv − u); at v ≥ 30 mV a spike, after which v = c and u grows by
// d. As in the paper's program, v takes two half steps. The states v and u are kept relative to (c, bc), where a sequence
// starts.
var izhikevich = Model{
	Name:     "izhikevich",
	Doc:      "simple model of spiking neurons with recovery variable (Izhikevich 2003, equations 1 to 3)",
	States:   []string{"v", "u", "z"},
	Params:   map[string]float64{"a": 0.02, "b": 0.2, "c": -65, "d": 8, "peak": 30, "gain": 10, "scale": 30},
	refracts: true,
	Step: func(c *Cell) {
		rest, b, peak := c.Param("c"), c.Param("b"), c.Param("peak")
		z := c.State("z")
		from := c.State("v") // after a spike v starts from c, which is 0 here
		if c.layer.Reset != ResetNone {
			from = ir.Sub(from, c.Name("reset", ir.Mul(z, from)))
		}
		v := ir.Add(rest, from)
		u := ir.Add(ir.Add(ir.Mul(b, rest), c.State("u")), c.Name("jump", ir.Mul(c.Param("d"), z)))
		drive := ir.AddScalar(ir.Sub(ir.Mul(c.Param("gain"), c.Input), u), 140)
		for range 2 {
			slope := ir.Add(ir.Add(ir.MulScalar(ir.Square(v), 0.04), ir.MulScalar(v, 5)), drive)
			v = ir.Min(ir.Add(v, ir.MulScalar(slope, c.Step/2)), peak)
		}
		u = ir.Add(u, ir.Mul(ir.MulScalar(c.Param("a"), c.Step), ir.Sub(ir.Mul(b, v), u)))
		c.Set("v", ir.Sub(v, rest))
		c.Set("u", ir.Sub(u, ir.Mul(b, rest)))
		c.Fire(ir.Sub(v, peak), c.Number("scale"))
	},
}
