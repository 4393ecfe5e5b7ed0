package data

import (
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// EvidenceAccumulation: a number of cues, each from the left or the right; after a delay, while the recall group fires,
// the network says which side had more. Four groups of inputs: left, right, recall and background noise that never
// stops. In half of the sequences a cue comes from the left with probability Bias, in the others with 1 − Bias. Source:
// Bellec et al., Nature Communications 2020, and the authors' generate_click_task_data.
type EvidenceAccumulation struct {
	DT         float64 `yaml:"dt"`          // ms a step
	GroupSize  int     `yaml:"group_size"`  // neurons of each of the four groups
	Cues       int     `yaml:"cues"`        // odd, so that there is a majority
	Cue        float64 `yaml:"cue"`         // ms that a cue lasts, at the end of its interval
	Interval   float64 `yaml:"interval"`    // ms from cue to cue
	Delay      float64 `yaml:"delay"`       // ms after the last cue
	Recall     float64 `yaml:"recall"`      // ms at the end in which the answer counts
	CueRate    float64 `yaml:"cue_rate"`    // Hz
	RecallRate float64 `yaml:"recall_rate"` // Hz
	NoiseRate  float64 `yaml:"noise_rate"`  // Hz
	Bias       float64 `yaml:"bias"`        // probability of the rarer side
}

// DefaultEvidenceAccumulation returns the published setting: 40 inputs, 7 cues of 100 ms every 150 ms, 2250 steps.
func DefaultEvidenceAccumulation() *EvidenceAccumulation {
	return &EvidenceAccumulation{DT: 1, GroupSize: 10, Cues: 7, Cue: 100, Interval: 150, Delay: 1050, Recall: 150, CueRate: 40, RecallRate: 40, NoiseRate: 10, Bias: 0.3}
}

// Validate implements [Config].
func (c *EvidenceAccumulation) Validate() error {
	_, err := c.timing()
	return err
}

// evidenceTiming holds durations in steps.
type evidenceTiming struct{ cue, interval, delay, recall, total int }

func (c *EvidenceAccumulation) timing() (t evidenceTiming, err error) {
	var k checks
	k.positive("dt", "ms", c.DT)
	k.count("group_size", c.GroupSize, 1)
	k.count("cues", c.Cues, 1)
	k.require(c.Cues%2 == 1, "cues is %d; want an odd number, so that one side has more", c.Cues)
	t.cue = k.steps("cue", c.Cue, c.DT, 1)
	t.interval = k.steps("interval", c.Interval, c.DT, t.cue)
	t.delay = k.steps("delay", c.Delay, c.DT, 0)
	t.recall = k.steps("recall", c.Recall, c.DT, 1)
	k.rate("cue_rate", c.CueRate, c.DT)
	k.rate("recall_rate", c.RecallRate, c.DT)
	k.rate("noise_rate", c.NoiseRate, c.DT)
	k.fraction("bias", c.Bias, 0, 0.5)
	t.total = c.Cues*t.interval + t.delay + t.recall
	return t, k.err
}

// Open implements [Config].
func (c *EvidenceAccumulation) Open(seed runs.Seed) (Task, error) {
	t, err := c.timing()
	if err != nil {
		return nil, err
	}
	g := c.GroupSize
	d := Dims{Steps: t.total, Inputs: 4 * g, Outputs: 2, DT: c.DT, Kind: Classification, Groups: []Group{{"left", g}, {"right", g}, {"recall", g}, {"noise", g}}}
	bias, cue, recall, noise := probability(c.Bias), poisson(c.CueRate, c.DT), poisson(c.RecallRate, c.DT), poisson(c.NoiseRate, c.DT)
	return &endless{d, seed, func(r *rand.Rand, b *Batch, i int) int {
		mostlyRight := r.Uint64()>>63 == 1
		right := 0
		for k := range c.Cues {
			side := 0
			if bias.happens(r) != mostlyRight {
				side = 1
			}
			right += side
			end := (k + 1) * t.interval
			b.fire(r, i, end-t.cue, end, side*g, (side+1)*g, cue)
		}
		b.fire(r, i, t.total-t.recall, t.total, 2*g, 3*g, recall)
		b.fire(r, i, 0, t.total, 3*g, 4*g, noise)
		class := 0
		if 2*right > c.Cues {
			class = 1
		}
		b.answer(i, t.total-t.recall, t.total, class)
		return class
	}}, nil
}
