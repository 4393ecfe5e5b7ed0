// Package data holds spiking tasks: seeded sources of input spikes together with what a network is to answer.
//
// A [Config] with the published sizes, rates and time constants as defaults opens a [Task]; a task makes batches for
// training, validation and test. Times are in milliseconds, rates in hertz (spikes per second of one neuron). A sample
// depends on the root seed, the split and its own number only, so batch 17 is the same whether or not batch 16 was ever
// asked for, which is what makes a resumed training exact. All random draws and all arithmetic are written so that a
// seed gives the same batch, to the last bit, on every machine.
package data

import (
	"fmt"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// Split says what a batch is for. The samples of different splits are drawn independently.
type Split int

// Splits of a task.
const (
	Training Split = iota
	Validation
	Test
)

var splitNames = [...]string{"training", "validation", "test"}

// String returns the name of the split in lower case.
func (s Split) String() string {
	if s < 0 || int(s) >= len(splitNames) {
		return fmt.Sprintf("Split(%d)", int(s))
	}
	return splitNames[s]
}

// Kind is how the output of a network is compared with the target.
type Kind int

// Kinds of tasks.
const (
	Regression     Kind = iota // the target is a signal for every output
	Classification             // the target is one-hot
)

// Group is a population of neighbouring input neurons.
type Group struct {
	Name string
	Size int
}

// Dims are the sizes of a task's batches.
type Dims struct {
	Steps, Inputs, Outputs int
	DT                     float64 // ms a step
	Kind                   Kind
	Groups                 []Group // of the inputs, in order; their sizes add up to Inputs
}

// Batch holds sequences in time-major order.
type Batch struct {
	Dims
	Size   int       // B, the number of sequences
	Input  []float64 // [T,B,N_in] spikes in the step: 0 or 1, unless the task says that it counts them
	Target []float64 // [T,B,N_out] the signal, or the class one-hot; zero in steps that do not count
	Mask   []float64 // [T,B] 1 in steps that count for the loss and 0 elsewhere
	Labels []int     // [B] the class of each sequence; nil for a regression and where the class changes in a sequence
}

// Task makes batches. It is safe for concurrent use.
type Task interface {
	Dims() Dims
	// Batches is the number of batches of the given size that make up the split (for training: an epoch), or 0 if
	// samples are drawn without end.
	Batches(split Split, size int) int
	// Batch makes batch number index, from 0. The last batch of a finite validation or test set may be smaller.
	Batch(split Split, index, size int) (*Batch, error)
}

// Config describes a task with its parameters.
type Config interface {
	Validate() error // names the parameter and what is expected
	Open(seed runs.Seed) (Task, error)
}

// Row is a kind of task.
type Row struct {
	Name, Doc string
	New       func() Config // returns the published defaults
}

// table lists the tasks: one row adds one.
var table = []Row{
	{"pattern_generation", "Frozen Poisson spikes are to be turned into a sum of sines (Bellec et al. 2020, e-prop).",
		func() Config { return DefaultPatternGeneration() }},
	{"evidence_accumulation", "Cues from the left and the right; after a delay say which were more (Bellec et al. 2020, e-prop).",
		func() Config { return DefaultEvidenceAccumulation() }},
	{"delayed_match", "Two directions of motion with a delay between them; say whether they were the same.",
		func() Config { return DefaultDelayedMatch() }},
	{"store_recall", "A stream of bits with commands to store one and to recall it later (Bellec et al. 2019).",
		func() Config { return DefaultStoreRecall() }},
	{"randman", "Classes are smooth random manifolds in the spike times of units that fire once each (Zenke & Vogels 2021).",
		func() Config { return DefaultRandman() }},
	{"shd", "Spiking Heidelberg Digits: spoken digits through a model of the cochlea (Cramer et al. 2020); needs the data set.",
		func() Config { return DefaultSHD() }},
}

// Table returns all kinds of tasks.
func Table() []Row { return append([]Row(nil), table...) }

// New returns the default configuration of the named task, to be filled from a file.
func New(name string) (Config, error) {
	var known []string
	for _, r := range table {
		if r.Name == name {
			return r.New(), nil
		}
		known = append(known, r.Name)
	}
	return nil, fmt.Errorf("unknown spiking task %q; known: %s", name, strings.Join(known, ", "))
}

// Spikes returns the input spikes of one sequence in the order of time: when each step begins, in ms, and the input
// neuron. A step with a count of several spikes gives several.
func (b *Batch) Spikes(sample int) (times []float64, units []int) {
	for t := range b.Steps {
		row := b.Input[(t*b.Size+sample)*b.Inputs:][:b.Inputs]
		for n, count := range row {
			for range int(count) {
				times, units = append(times, float64(t)*b.DT), append(units, n)
			}
		}
	}
	return times, units
}

// Packed returns the input with one bit a neuron: word w of [T,B,⌈N_in/64⌉] holds neurons 64w … 64w+63, the lowest
// first. It fails where a step has another number of spikes than 0 or 1.
func (b *Batch) Packed() ([]uint64, error) {
	words := (b.Inputs + 63) / 64
	bits := make([]uint64, b.Steps*b.Size*words)
	for r := range b.Steps * b.Size {
		for n, v := range b.Input[r*b.Inputs:][:b.Inputs] {
			switch v {
			case 0:
			case 1:
				bits[r*words+n/64] |= 1 << (n % 64)
			default:
				return nil, fmt.Errorf("input %d has %g spikes in step %d; only 0 or 1 fit into a bit", n, v, r/b.Size)
			}
		}
	}
	return bits, nil
}

// newBatch allocates a batch without spikes and targets in which no step counts.
func newBatch(d Dims, size int) *Batch {
	return &Batch{Dims: d, Size: size, Input: make([]float64, d.Steps*size*d.Inputs),
		Target: make([]float64, d.Steps*size*d.Outputs), Mask: make([]float64, d.Steps*size)}
}

// answer makes the steps [from, to) of a sequence count and sets their class.
func (b *Batch) answer(sample, from, to, class int) {
	for t := from; t < to; t++ {
		b.Mask[t*b.Size+sample] = 1
		b.Target[(t*b.Size+sample)*b.Outputs+class] = 1
	}
}
