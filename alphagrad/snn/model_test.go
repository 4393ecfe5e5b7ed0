package snn

import (
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// TestBadModels: what a step function forgets or gets wrong is an error that names the model.
func TestBadModels(t *testing.T) {
	known := models
	t.Cleanup(func() { models = known })
	for want, m := range map[string]Model{
		`neuron model "dumb": its step writes no spike`:                        {States: []string{"v", "z"}, Step: func(c *Cell) { c.Set("v", c.Input) }},
		`neuron model "dumb": its step does not say what becomes of state "w"`: {States: []string{"v", "w", "z"}, Step: func(c *Cell) { c.Set("v", c.Input); c.Fire(c.Input, 1) }},
		`neuron model "dumb": state "u" is not declared`:                       {States: []string{"z"}, Step: func(c *Cell) { c.Set("u", c.Input); c.Fire(c.Input, 1) }},
		`neuron model "dumb": state "q" is not declared`:                       {States: []string{"z"}, Step: func(c *Cell) { c.Fire(ir.Add(c.Input, c.State("q")), 1) }},
		`neuron model "dumb": parameter "strength" is not declared`:            {States: []string{"z"}, Step: func(c *Cell) { c.Fire(ir.Mul(c.Input, c.Param("strength")), 1) }},
	} {
		m.Name = "dumb"
		models = append(known[:len(known):len(known)], &m)
		n := Network{Inputs: 2, Layers: []Layer{{Name: "rec", Model: "dumb", Size: 3}}, Readout: Readout{Size: 1}, Loss: SquaredError}
		if _, err := n.Recurrence(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
