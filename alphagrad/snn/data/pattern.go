package data

import (
	"math"
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// PatternGeneration: every sequence has the same frozen Poisson spikes, but for a share drawn anew where there is noise, and
// the outputs are to follow sums of sines with random amplitudes and phases, shifted to start at 0 and scaled to a greatest
// magnitude of 1. Source: Bellec et al., "A solution to the learning dilemma for recurrent networks of spiking neurons",
// Nature Communications 2020, and the authors' sum_of_sines_target.
type PatternGeneration struct {
	DT       float64   `yaml:"dt"`       // ms a step
	Inputs   int       `yaml:"inputs"`   // neurons
	Outputs  int       `yaml:"outputs"`  // signals
	Duration float64   `yaml:"duration"` // ms
	Rate     float64   `yaml:"rate"`     // Hz of every input
	Periods  []float64 `yaml:"periods"`  // ms of the sines; each runs for the whole number of periods that fit
	Low      float64   `yaml:"low"`      // least amplitude before scaling
	High     float64   `yaml:"high"`     // greatest amplitude before scaling
	// Noise is the share of the spikes that every sequence draws anew, at the same rate: sequences that were not trained on
	// differ from those that were. 0, as published: all are the same.
	Noise float64 `yaml:"noise"`
}

// DefaultPatternGeneration returns the published setting: 100 inputs at 50 Hz, one second, four sines.
func DefaultPatternGeneration() *PatternGeneration {
	return &PatternGeneration{DT: 1, Inputs: 100, Outputs: 1, Duration: 1000, Rate: 50, Periods: []float64{1000, 500, 333, 200}, Low: 0.5, High: 2}
}

// Validate implements [Config].
func (c *PatternGeneration) Validate() error {
	var k checks
	k.positive("dt", "ms", c.DT)
	k.count("inputs", c.Inputs, 1)
	k.count("outputs", c.Outputs, 1)
	k.steps("duration", c.Duration, c.DT, 2)
	k.rate("rate", c.Rate, c.DT)
	k.require(len(c.Periods) > 0, "periods is empty; want at least one, in ms")
	for _, p := range c.Periods {
		k.require(p > 0 && p <= c.Duration, "periods has %g ms; want above 0 and at most the duration of %g ms", p, c.Duration)
	}
	k.require(c.Low > 0 && c.Low <= c.High && !math.IsInf(c.High, 0), "amplitudes are from low %g to high %g; want 0 < low ≤ high", c.Low, c.High)
	k.require(c.Noise >= 0 && c.Noise < 1, "noise is %g; want 0 to below 1, the share of spikes drawn anew", c.Noise)
	return k.err
}

// Open implements [Config].
func (c *PatternGeneration) Open(seed runs.Seed) (Task, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	steps := int(math.Round(c.Duration / c.DT))
	d := Dims{Steps: steps, Inputs: c.Inputs, Outputs: c.Outputs, DT: c.DT, Groups: []Group{{"input", c.Inputs}}}
	frozen := newBatch(d, 1)
	frozen.fire(seed.Sub("input").Rand(), 0, 0, steps, 0, c.Inputs, poisson(c.Rate, c.DT))
	for o := range c.Outputs {
		for t, v := range c.sines(seed.Sub("target").At(o).Rand(), steps) {
			frozen.Target[t*c.Outputs+o] = v
		}
	}
	spike, anew := poisson(c.Rate, c.DT), probability(c.Noise)
	return &endless{d, seed, func(r *rand.Rand, b *Batch, i int) int {
		for t := range steps {
			spikes := b.Input[(t*b.Size+i)*d.Inputs:][:d.Inputs]
			copy(spikes, frozen.Input[t*d.Inputs:][:d.Inputs])
			for k := range spikes { // the rate stays
				if c.Noise > 0 && anew.happens(r) {
					if spikes[k] = 0; spike.happens(r) {
						spikes[k] = 1
					}
				}
			}
			copy(b.Target[(t*b.Size+i)*d.Outputs:], frozen.Target[t*d.Outputs:][:d.Outputs])
			b.Mask[t*b.Size+i] = 1
		}
		return -1
	}}, nil
}

// sines draws a target signal.
func (c *PatternGeneration) sines(r *rand.Rand, steps int) []float64 {
	y := make([]float64, steps)
	for _, period := range c.Periods {
		amplitude := c.Low + float64((c.High-c.Low)*r.Float64())
		phase := r.Float64()
		turns := math.Floor(c.Duration / period)
		for t := range y {
			y[t] += float64(amplitude * sinTurns(phase+turns*float64(t)/float64(steps-1)))
		}
	}
	first, greatest := y[0], 0.0
	for t := range y {
		y[t] -= first
		greatest = math.Max(greatest, math.Abs(y[t]))
	}
	for t := range y {
		y[t] /= math.Max(greatest, 1e-6)
	}
	return y
}
