package data

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// endless is a task whose samples are drawn one by one.
type endless struct {
	dims Dims
	seed runs.Seed
	// sample fills sequence i of a batch and returns its class, or −1 if it has none.
	sample func(r *rand.Rand, b *Batch, i int) int
}

func (e *endless) Dims() Dims             { return e.dims }
func (e *endless) Batches(Split, int) int { return 0 }

func (e *endless) Batch(split Split, index, size int) (*Batch, error) {
	if err := checkBatch(e.dims, split, index, size); err != nil {
		return nil, err
	}
	b := newBatch(e.dims, size)
	seed := e.seed.Sub(split.String())
	for i := range size {
		// The number of a sample does not depend on the size of batches, other than through their boundaries.
		if class := e.sample(seed.At(index*size+i).Rand(), b, i); class >= 0 {
			b.Labels = append(b.Labels, class)
		}
	}
	return b, nil
}

// finite is a task with a fixed number of samples.
type finite struct {
	dims  Dims
	seed  runs.Seed
	sizes [len(splitNames)]int // samples of every split
	// load fills sequence i of a batch with a sample of the split and returns its class.
	load func(split Split, sample int, b *Batch, i int) int
}

func (f *finite) Dims() Dims { return f.dims }

func (f *finite) Batches(split Split, size int) int {
	if split < 0 || int(split) >= len(f.sizes) || size < 1 {
		return 0
	}
	n := f.sizes[split]
	if split == Training {
		return n / min(size, n) // what does not fill a batch is left out of the epoch; the next one has another order
	}
	return (n + size - 1) / size
}

func (f *finite) Batch(split Split, index, size int) (*Batch, error) {
	if err := checkBatch(f.dims, split, index, size); err != nil {
		return nil, err
	}
	n := f.sizes[split]
	batches := f.Batches(split, size)
	var picked []int
	if split == Training {
		size = min(size, n)
		order := f.seed.Sub("order").At(index / batches).Rand().Perm(n)
		picked = order[index%batches*size:][:size]
	} else {
		if index >= batches {
			return nil, fmt.Errorf("%s batch %d: the %d samples make %d batches of %d", split, index, n, batches, size)
		}
		for k := index * size; k < min(n, (index+1)*size); k++ {
			picked = append(picked, k)
		}
	}
	b := newBatch(f.dims, len(picked))
	for i, k := range picked {
		b.Labels = append(b.Labels, f.load(split, k, b, i))
	}
	return b, nil
}

// maxBatch bounds the elements of a batch's input, so that a mistyped size is an error and not a machine out of memory.
const maxBatch = 1 << 31

func checkBatch(d Dims, split Split, index, size int) error {
	if split < 0 || int(split) >= len(splitNames) {
		return fmt.Errorf("%v is no split; want training, validation or test", split)
	}
	if index < 0 || size < 1 || index > math.MaxInt/size-1 {
		return fmt.Errorf("batch %d of %d sequences: want a number from 0 and at least one sequence", index, size)
	}
	if size > maxBatch/(d.Steps*d.Inputs) {
		return fmt.Errorf("a batch of %d sequences of %d × %d inputs is too large", size, d.Steps, d.Inputs)
	}
	return nil
}

// chance is a probability as a threshold of 53 random bits.
type chance uint64

// poisson is the probability that a Poisson process of the given rate in Hz is taken to fire in a step of dt ms: the
// Bernoulli approximation rate·dt of the published tasks.
func poisson(rate, dt float64) chance { return probability(rate * dt / 1000) }

func probability(p float64) chance { return chance(p * (1 << 53)) }

func (c chance) happens(r *rand.Rand) bool { return chance(r.Uint64()>>11) < c }

// fire lets the inputs [first, last) of a sequence spike in the steps [from, to) with a probability.
func (b *Batch) fire(r *rand.Rand, sample, from, to, first, last int, p chance) {
	for t := from; t < to; t++ {
		row := b.Input[(t*b.Size+sample)*b.Inputs:][:b.Inputs]
		for n := first; n < last; n++ {
			if p.happens(r) {
				row[n] = 1
			}
		}
	}
}

// checks collects the first thing that is wrong with a configuration.
type checks struct{ err error }

func (c *checks) require(ok bool, format string, args ...any) {
	if c.err == nil && !ok {
		c.err = fmt.Errorf(format, args...)
	}
}

// count requires a whole number of things, within what fits into memory.
func (c *checks) count(name string, n, least int) {
	c.require(n >= least && n <= 1<<20, "%s is %d; want %d to %d", name, n, least, 1<<20)
}

// positive requires a finite number above zero.
func (c *checks) positive(name, unit string, x float64) {
	c.require(x > 0 && !math.IsInf(x, 0), "%s is %g %s; want a number above 0", name, x, unit)
}

// steps requires a duration in ms that is a whole number of steps, and returns that number.
func (c *checks) steps(name string, duration, dt float64, least int) int {
	n := math.Round(duration / dt)
	c.require(n >= float64(least) && n <= 1<<24 && math.Abs(n*dt-duration) <= 1e-6*dt, "%s is %g ms; want a whole number of steps of %g ms, at least %d", name, duration, dt, least)
	if c.err != nil {
		return 0
	}
	return int(n)
}

// rate requires a rate at which a step of dt ms holds at most one spike.
func (c *checks) rate(name string, rate, dt float64) {
	c.require(rate >= 0 && rate*dt/1000 <= 1, "%s is %g Hz; with steps of %g ms want 0 to %g", name, rate, dt, 1000/dt)
}

// fraction requires a probability.
func (c *checks) fraction(name string, p, low, high float64) {
	c.require(p >= low && p <= high, "%s is %g; want %g to %g", name, p, low, high)
}
