package data

import (
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// StoreRecall: a stream of symbols, each a random bit shown by one of two groups of inputs. Now and then the store group
// fires along with the bit; later the recall group fires alone and the network says which bit was stored. Stores and
// recalls alternate, at least one symbol lies between them, and every store is recalled. Source: Bellec et al., "Biologically
// inspired alternatives to backpropagation through time for learning in recurrent neural nets", 2019, and the authors'
// generate_storerecall_data.
type StoreRecall struct {
	DT        float64 `yaml:"dt"`         // ms a step
	GroupSize int     `yaml:"group_size"` // neurons of each of the four groups
	Symbols   int     `yaml:"symbols"`    // of a sequence
	Symbol    float64 `yaml:"symbol"`     // ms that each lasts
	Rate      float64 `yaml:"rate"`       // Hz of a group that fires
	Command   float64 `yaml:"command"`    // probability of the next store or recall at a symbol where it may come
}

// DefaultStoreRecall returns the published setting: 100 inputs at 50 Hz, 12 symbols of 200 ms, a delay of 6 on average.
func DefaultStoreRecall() *StoreRecall {
	return &StoreRecall{DT: 1, GroupSize: 25, Symbols: 12, Symbol: 200, Rate: 50, Command: 1.0 / 6}
}

// Validate implements [Config].
func (c *StoreRecall) Validate() error {
	var k checks
	k.positive("dt", "ms", c.DT)
	k.count("group_size", c.GroupSize, 1)
	k.require(c.Symbols >= 3 && c.Symbols <= 10_000, "symbols is %d; a store, another symbol and a recall need 3 to 10000", c.Symbols)
	k.steps("symbol", c.Symbol, c.DT, 1)
	k.rate("rate", c.Rate, c.DT)
	k.require(c.Command > 0 && c.Command <= 1, "command is %g; want a probability above 0", c.Command)
	return k.err
}

// command is what a symbol asks for.
type command int

const (
	idle command = iota
	store
	recall
)

// maxTries bounds how often a sequence without a complete store and recall is drawn again.
const maxTries = 1000

// Open implements [Config].
func (c *StoreRecall) Open(seed runs.Seed) (Task, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var k checks
	duration, g := k.steps("symbol", c.Symbol, c.DT, 1), c.GroupSize
	d := Dims{Steps: c.Symbols * duration, Inputs: 4 * g, Outputs: 2, DT: c.DT, Kind: Classification, Groups: []Group{{"0", g}, {"1", g}, {"store", g}, {"recall", g}}}
	rate := poisson(c.Rate, c.DT)
	return &endless{d, seed, func(r *rand.Rand, b *Batch, i int) int {
		stored := 0
		for s, what := range c.commands(r) {
			from, to := s*duration, (s+1)*duration
			if what == recall {
				b.fire(r, i, from, to, 3*g, 4*g, rate)
				b.answer(i, from, to, stored)
				continue
			}
			bit := int(r.Uint64() >> 63)
			b.fire(r, i, from, to, bit*g, (bit+1)*g, rate)
			if what == store {
				stored = bit
				b.fire(r, i, from, to, 2*g, 3*g, rate)
			}
		}
		return -1
	}}, nil
}

// commands draws the commands of a sequence.
func (c *StoreRecall) commands(r *rand.Rand) []command {
	p := probability(c.Command)
	seq := make([]command, c.Symbols)
	for range maxTries {
		last, at := recall, -2 // the command to come is a store
		recalls := 0
		for s := range seq {
			seq[s] = idle
			if !p.happens(r) || last == store && at == s-1 {
				continue
			}
			last, at = store+recall-last, s
			seq[s] = last
			if last == recall {
				recalls++
			}
		}
		if recalls > 0 && last == recall {
			return seq
		}
	}
	// A rare command in a short sequence: the longest delay there is.
	clear(seq)
	seq[0], seq[len(seq)-1] = store, recall
	return seq
}
