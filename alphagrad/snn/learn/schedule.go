package learn

import (
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// rate is the learning rate of iteration i, from 0, of all.
func (o *Optimizer) rate(i, all int) float64 {
	r := o.Rate * schedules[o.Schedule](o, i, all)
	if i < o.Warmup {
		r *= float64(i+1) / float64(o.Warmup)
	}
	return r
}

func (o *Optimizer) every(all int) float64 {
	if o.Every == 0 {
		return float64(all)
	}
	return float64(o.Every)
}

func stepped(o *Optimizer, i, all int) float64 {
	return math.Pow(o.Factor, math.Floor(float64(i)/o.every(all)))
}

func exponential(o *Optimizer, i, all int) float64 {
	return math.Pow(o.Factor, float64(i)/o.every(all))
}

func cosine(o *Optimizer, i, all int) float64 {
	return o.Factor + (1-o.Factor)*(1+math.Cos(math.Pi*float64(i)/float64(all)))/2
}

// make is the optimiser at the start.
func (o *Optimizer) make() snn.Optimizer {
	if o.Name == "sgd" {
		return &snn.SGD{Rate: o.Rate}
	}
	return snn.NewAdam(o.Rate)
}

// clip scales a gradient down to a largest norm and returns the norm it had.
func clip(g snn.Values, largest float64) float64 {
	sum := 0.0
	for _, p := range sortedNames(g) {
		for _, x := range g[p] {
			sum += x * x
		}
	}
	norm := math.Sqrt(sum)
	if largest > 0 && norm > largest {
		for _, d := range g {
			for i := range d {
				d[i] *= largest / norm
			}
		}
	}
	return norm
}
