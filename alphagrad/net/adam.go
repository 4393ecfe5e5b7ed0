package net

import (
	"fmt"
	"math"
	"strings"
)

// Adam (Kingma and Ba 2015) with weight decay apart from the gradient (Loshchilov and Hutter 2019). It is done here
// and not in the GoMLX graph so that gradients can be summed over several runs of the network on several cores, and
// inspected before they change anything: a batch that yields NaN leaves the weights as they were.
const (
	adamMean     = 0.9
	adamVariance = 0.999
	adamEpsilon  = 1e-7
)

// adam is the state of the optimiser.
type adam struct {
	step           int       // steps taken
	mean, variance []float32 // [weights]: decaying averages of the gradient and of its square
}

// update takes one step along a gradient. Weights for which decays is true shrink by rate·decay of themselves.
func (a *adam) update(weights, gradient []float32, decays []bool, rate, decay float64) {
	a.step++
	correctMean := 1 / (1 - math.Pow(adamMean, float64(a.step)))
	correctVariance := 1 / (1 - math.Pow(adamVariance, float64(a.step)))
	for i, g := range gradient {
		a.mean[i] += (1 - adamMean) * (g - a.mean[i])
		a.variance[i] += (1 - adamVariance) * (g*g - a.variance[i])
		step := float64(a.mean[i]) * correctMean / (math.Sqrt(float64(a.variance[i])*correctVariance) + adamEpsilon)
		if decays[i] {
			step += decay * float64(weights[i])
		}
		weights[i] -= float32(rate * step)
	}
}

// schedules maps the fraction of training done, 0 to 1, to the learning rate relative to its peak, from 1 to 0. To
// add one, add a row.
var schedules = []struct {
	name string
	rate func(done float64) float64
}{
	{"constant", func(float64) float64 { return 1 }},
	{"linear", func(done float64) float64 { return 1 - done }},
	{"cosine", func(done float64) float64 { return (1 + math.Cos(math.Pi*done)) / 2 }},
}

// Schedules returns the names TrainerConfig.Schedule may have.
func Schedules() []string {
	var names []string
	for _, s := range schedules {
		names = append(names, s.name)
	}
	return names
}

// rate is the learning rate of the step with a number, counted from 1.
func (c *TrainerConfig) rate(step int) float64 {
	if step <= c.Warmup {
		return c.LearningRate * float64(step) / float64(c.Warmup)
	}
	done := min(1, float64(step-c.Warmup)/float64(max(1, c.Steps-c.Warmup)))
	for _, s := range schedules {
		if s.name == c.Schedule {
			return c.LearningRate * (c.Floor + (1-c.Floor)*s.rate(done))
		}
	}
	return c.LearningRate
}

// Check returns an error that says what is wrong with a configuration, or nil.
func (c *TrainerConfig) Check() error {
	known := false
	for _, s := range schedules {
		known = known || s.name == c.Schedule
	}
	positive := func(x float64) bool { return x > 0 && x <= math.MaxFloat64 }
	switch {
	case !known:
		return fmt.Errorf("unknown learning rate schedule %q: expected one of %s", c.Schedule, strings.Join(Schedules(), ", "))
	case !positive(c.LearningRate):
		return fmt.Errorf("learning rate %v: expected a positive number", c.LearningRate)
	case c.Warmup < 0 || c.Steps < 0:
		return fmt.Errorf("schedule of %d steps with %d of warm-up: neither can be negative", c.Steps, c.Warmup)
	case c.Steps == 0 && c.Schedule != "constant":
		return fmt.Errorf("the %s schedule needs the number of steps it spans", c.Schedule)
	case !(c.Floor >= 0 && c.Floor <= 1):
		return fmt.Errorf("final learning rate %v of the peak: expected 0 to 1", c.Floor)
	case c.WeightDecay != 0 && !positive(c.WeightDecay):
		return fmt.Errorf("weight decay %v: expected a number that is not negative", c.WeightDecay)
	case c.ClipNorm != 0 && !positive(c.ClipNorm):
		return fmt.Errorf("gradient clipped to norm %v: expected a positive number, or 0 for no limit", c.ClipNorm)
	case c.ValueWeight != 0 && !positive(c.ValueWeight):
		return fmt.Errorf("value loss of weight %v: expected a number that is not negative", c.ValueWeight)
	case c.Workers < 0:
		return fmt.Errorf("%d training workers: expected a positive number, or 0 for one per core", c.Workers)
	}
	return nil
}
