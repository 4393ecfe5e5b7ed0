// Package numpy draws the numbers of NumPy's legacy generator, numpy.random.seed and the functions beside it, so that
// results stored elsewhere can be computed again: the Mersenne Twister MT19937 (Matsumoto & Nishimura 1998) and normal
// numbers by Marsaglia's polar method.
package numpy

import "math"

const (
	length = 624
	period = 397
)

// A Random is the state of the generator.
type Random struct {
	key   [length]uint32
	pos   int
	spare float64 // second number of a pair of normal ones
	has   bool
}

// Seed is numpy.random.seed for a number.
func Seed(seed uint32) *Random {
	r := &Random{pos: length}
	for i := range r.key {
		r.key[i] = seed
		seed = 1812433253*(seed^seed>>30) + uint32(i) + 1
	}
	return r
}

func (r *Random) twist() {
	for i := range r.key {
		y := r.key[i]&0x80000000 | r.key[(i+1)%length]&0x7fffffff
		r.key[i] = r.key[(i+period)%length] ^ y>>1
		if y&1 != 0 {
			r.key[i] ^= 0x9908b0df
		}
	}
	r.pos = 0
}

// Uint32 is the next word of the twister.
func (r *Random) Uint32() uint32 {
	if r.pos == length {
		r.twist()
	}
	y := r.key[r.pos]
	r.pos++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// Rand is a number from [0, 1) with 53 bits: random_sample, rand.
func (r *Random) Rand() float64 {
	a, b := r.Uint32()>>5, r.Uint32()>>6
	return (float64(a)*67108864 + float64(b)) / 9007199254740992
}

// Uniform is a number from [low, high).
func (r *Random) Uniform(low, high float64) float64 { return low + (high-low)*r.Rand() }

// Randn is a standard normal number.
func (r *Random) Randn() float64 {
	if r.has {
		r.has = false
		return r.spare
	}
	for {
		x := 2*r.Rand() - 1
		y := 2*r.Rand() - 1
		s := x*x + y*y
		if s >= 1 || s == 0 {
			continue
		}
		f := math.Sqrt(-2 * math.Log(s) / s)
		r.spare, r.has = f*x, true
		return f * y
	}
}

// Coin is 0 or 1: choice([0, 1]).
func (r *Random) Coin() int { return int(r.Uint32() & 1) }

// Choice is an index drawn with the given probabilities: choice(n, p=…).
func (r *Random) Choice(p ...float64) int {
	cumulated := make([]float64, len(p))
	sum := 0.0
	for i, x := range p {
		sum += x
		cumulated[i] = sum
	}
	u := r.Rand()
	for i, c := range cumulated {
		if u < c/sum {
			return i
		}
	}
	return len(p) - 1
}
