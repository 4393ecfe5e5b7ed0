package data

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// Randman: every class is a smooth random manifold in the space of spike times. Each unit fires exactly once, so that
// rates and counts tell nothing and only the relative timing of spikes does. With latent coordinates x uniform in
// [0,1]^Manifold, the spike time of a unit is, before it is scaled to [0, 1] over the training samples of its class,
//
//	f(x) = Π_d Σ_i θ0 (i+1)^−α sin(2π(i θ1 x_d + θ2)),   i = 0 … K−1,   K = min(⌈1000^(1/α)⌉, 1000),
//
// with every θ uniform in [0, 1), and θ0 of i = 0 equal to 0. Source: Zenke & Vogels, "The remarkable robustness of
// surrogate gradient learning", Neural Computation 2021, and fzenke/randman.
type Randman struct {
	DT       float64 `yaml:"dt"`       // ms a step
	Classes  int     `yaml:"classes"`  // manifolds
	Units    int     `yaml:"units"`    // inputs
	Steps    int     `yaml:"steps"`    // of a sequence
	Manifold int     `yaml:"manifold"` // dimensions of the manifolds
	Alpha    float64 `yaml:"alpha"`    // smoothness: the exponent of the power spectrum
	Samples  int     `yaml:"samples"`  // for training, of each class
	Held     int     `yaml:"held"`     // for validation, and again for test, of each class
}

// DefaultRandman returns the published setting: 10 classes, 100 units, 100 steps, α = 2, 1000 samples of each class.
func DefaultRandman() *Randman {
	return &Randman{DT: 1, Classes: 10, Units: 100, Steps: 100, Manifold: 2, Alpha: 2, Samples: 1000, Held: 200}
}

// Validate implements [Config].
func (c *Randman) Validate() error {
	var k checks
	k.positive("dt", "ms", c.DT)
	k.count("classes", c.Classes, 2)
	k.count("units", c.Units, 1)
	k.require(c.Steps >= 2 && c.Steps <= math.MaxUint16, "steps is %d; want 2 to %d", c.Steps, math.MaxUint16)
	k.require(c.Manifold >= 1 && c.Manifold <= 100, "manifold is %d; want 1 to 100 dimensions", c.Manifold)
	k.require(c.Alpha > 0 && c.Alpha <= 100, "alpha is %g; want above 0 and at most 100", c.Alpha)
	k.count("samples", c.Samples, 2)
	k.count("held", c.Held, 1)
	k.require(k.err != nil || c.Classes*c.Units <= 1<<28/(c.Samples+2*c.Held), "randman of %d classes, %d units and %d samples is too large", c.Classes, c.Units, c.Samples)
	return k.err
}

// Open implements [Config].
func (c *Randman) Open(seed runs.Seed) (Task, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	d := Dims{Steps: c.Steps, Inputs: c.Units, Outputs: c.Classes, DT: c.DT, Kind: Classification, Groups: []Group{{"unit", c.Units}}}
	sizes := [len(splitNames)]int{c.Samples, c.Held, c.Held}
	var when [len(splitNames)][]uint16 // [classes, samples, units] the step of every spike
	for split, n := range sizes {
		when[split] = make([]uint16, c.Classes*n*c.Units)
	}
	var wait sync.WaitGroup
	for class := range c.Classes {
		wait.Go(func() { c.times(seed, class, sizes, when) })
	}
	wait.Wait()
	f := &finite{dims: d, seed: seed}
	for split, n := range sizes {
		f.sizes[split] = c.Classes * n
	}
	f.load = func(split Split, sample int, b *Batch, i int) int {
		// Neighbouring samples are of different classes, so that every validation batch has all of them.
		n := sizes[split]
		class, s := sample%c.Classes, sample/c.Classes
		for u, t := range when[split][(class*n+s)*c.Units:][:c.Units] {
			b.Input[(int(t)*b.Size+i)*c.Units+u] = 1
		}
		b.answer(i, 0, c.Steps, class)
		return class
	}
	return f, nil
}

// times fills the steps in which the units fire in every sample of a class.
func (c *Randman) times(seed runs.Seed, class int, sizes [len(splitNames)]int, when [len(splitNames)][]uint16) {
	m := newManifold(seed.Sub("manifold").At(class).Rand(), c.Units, c.Manifold, c.Alpha)
	low, high := make([]float64, c.Units), make([]float64, c.Units)
	for split, n := range sizes {
		y := make([]float64, n*c.Units)
		latents := seed.Sub(Split(split).String()).At(class)
		for s := range n {
			m.at(y[s*c.Units:][:c.Units], latent(latents.At(s), c.Manifold))
		}
		if Split(split) == Training {
			for u := range c.Units {
				low[u], high[u] = math.Inf(1), math.Inf(-1)
				for s := range n {
					low[u], high[u] = math.Min(low[u], y[s*c.Units+u]), math.Max(high[u], y[s*c.Units+u])
				}
			}
		}
		for j, v := range y {
			u := j % c.Units
			scaled := (v - low[u]) / (high[u] - low[u] + 1e-7) * float64(c.Steps)
			// A held sample may lie outside the range of the training samples.
			when[split][class*n*c.Units+j] = uint16(math.Max(0, math.Min(float64(c.Steps-1), math.Floor(scaled))))
		}
	}
}

// latent draws the coordinates of a sample on its manifold.
func latent(seed runs.Seed, dims int) []float64 {
	r := seed.Rand()
	x := make([]float64, dims)
	for d := range x {
		x[d] = r.Float64()
	}
	return x
}

// manifold is a smooth random function from [0,1]^dims to the spike times of units.
type manifold struct {
	units, dims, modes int
	theta              []float64 // [units, dims, modes, 3] amplitude over (i+1)^α, frequency times i, phase in turns
}

func newManifold(r *rand.Rand, units, dims int, alpha float64) *manifold {
	// The two powers, and only they, come from package math: both are rounded so that a last bit that differs between
	// machines does not matter.
	modes := int(math.Min(math.Ceil(math.Pow(1e-3, -1/alpha)-1e-9), 1000))
	m := &manifold{units, dims, modes, make([]float64, units*dims*modes*3)}
	for j := range units * dims * modes {
		i := float64(j % modes)
		m.theta[3*j] = r.Float64() * float64(float32(math.Pow(i+1, -alpha)))
		m.theta[3*j+1] = r.Float64() * i
		m.theta[3*j+2] = r.Float64()
		if i == 0 {
			m.theta[3*j] = 0
		}
	}
	return m
}

// at writes f(x) into y, [units].
func (m *manifold) at(y, x []float64) {
	for u := range y {
		y[u] = 1
		for d, v := range x {
			sum := 0.0
			theta := m.theta[(u*m.dims+d)*m.modes*3:]
			for i := range m.modes {
				sum += float64(theta[3*i] * sinTurns(float64(theta[3*i+1]*v)+theta[3*i+2]))
			}
			y[u] *= sum
		}
	}
}
