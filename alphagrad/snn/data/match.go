package data

import (
	"math"
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// DelayedMatch: delayed match to sample. A direction of motion is shown, and after a delay another one; during the second
// the network says whether they are the same (class 1) or not (class 0), which is equally likely. Every input neuron
// prefers a direction: it fires with Background + Rate·exp(κ(cos Δ − 1)), the von Mises tuning curve of the angle Δ
// between its direction and the one shown. Defaults are those of the long-term dependency tasks of braintrace.
type DelayedMatch struct {
	DT         float64 `yaml:"dt"`         // ms a step
	Inputs     int     `yaml:"inputs"`     // neurons, their preferred directions evenly spaced
	Directions int     `yaml:"directions"` // that can be shown, evenly spaced
	Fixation   float64 `yaml:"fixation"`   // ms before the sample
	Sample     float64 `yaml:"sample"`     // ms
	Delay      float64 `yaml:"delay"`      // ms
	Test       float64 `yaml:"test"`       // ms, in which the answer counts
	Rate       float64 `yaml:"rate"`       // Hz at the preferred direction
	Background float64 `yaml:"background"` // Hz of every neuron at any time
	Kappa      float64 `yaml:"kappa"`      // concentration κ of the tuning curves
}

// DefaultDelayedMatch returns 100 inputs, eight directions and a delay of one second in 2500 steps.
func DefaultDelayedMatch() *DelayedMatch {
	return &DelayedMatch{DT: 1, Inputs: 100, Directions: 8, Fixation: 500, Sample: 500, Delay: 1000, Test: 500, Rate: 100, Background: 1, Kappa: 8}
}

// Validate implements [Config].
func (c *DelayedMatch) Validate() error {
	_, err := c.timing()
	return err
}

// matchTiming holds the steps at which a phase begins.
type matchTiming struct{ sample, delay, test, total int }

func (c *DelayedMatch) timing() (t matchTiming, err error) {
	var k checks
	k.positive("dt", "ms", c.DT)
	k.count("inputs", c.Inputs, 1)
	k.count("directions", c.Directions, 2)
	t.sample = k.steps("fixation", c.Fixation, c.DT, 0)
	t.delay = t.sample + k.steps("sample", c.Sample, c.DT, 1)
	t.test = t.delay + k.steps("delay", c.Delay, c.DT, 0)
	t.total = t.test + k.steps("test", c.Test, c.DT, 1)
	k.rate("rate", c.Rate, c.DT)
	k.rate("background", c.Background, c.DT)
	k.rate("rate + background", c.Rate+c.Background, c.DT)
	k.fraction("kappa", c.Kappa, 0, 32)
	return t, k.err
}

// Open implements [Config].
func (c *DelayedMatch) Open(seed runs.Seed) (Task, error) {
	t, err := c.timing()
	if err != nil {
		return nil, err
	}
	d := Dims{Steps: t.total, Inputs: c.Inputs, Outputs: 2, DT: c.DT, Kind: Classification, Groups: []Group{{"motion", c.Inputs}}}
	background := poisson(c.Background, c.DT)
	tuned := make([]chance, c.Directions*c.Inputs) // [directions, inputs]
	for s := range c.Directions {
		for n := range c.Inputs {
			// cos Δ − 1 = −2 sin²(Δ/2), which is at most 0 also when rounded.
			half := sinTurns((float64(s)/float64(c.Directions) - float64(n)/float64(c.Inputs)) / 2)
			rate := c.Background + float64(c.Rate*expStep(-2*c.Kappa*half*half))
			tuned[s*c.Inputs+n] = poisson(math.Min(rate, 1000/c.DT), c.DT)
		}
	}
	show := func(r *rand.Rand, b *Batch, i, from, to, direction int) {
		for step := from; step < to; step++ {
			for n := range c.Inputs {
				b.fire(r, i, step, step+1, n, n+1, tuned[direction*c.Inputs+n])
			}
		}
	}
	return &endless{d, seed, func(r *rand.Rand, b *Batch, i int) int {
		class := int(r.Uint64() >> 63)
		first := r.IntN(c.Directions)
		second := first
		if class == 0 {
			second = (first + 1 + r.IntN(c.Directions-1)) % c.Directions
		}
		b.fire(r, i, 0, t.sample, 0, c.Inputs, background)
		show(r, b, i, t.sample, t.delay, first)
		b.fire(r, i, t.delay, t.test, 0, c.Inputs, background)
		show(r, b, i, t.test, t.total, second)
		b.answer(i, t.test, t.total, class)
		return class
	}}, nil
}
