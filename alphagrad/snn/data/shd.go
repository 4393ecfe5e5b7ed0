package data

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"

	"github.com/alphagrad/alphagrad-go/alphagrad/hdf5"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// SHD: Spiking Heidelberg Digits, spoken digits in German and English that a model of the cochlea turned into spikes of 700
// channels. The input counts the spikes of a channel in a step; spikes later than Duration are left out. The data set has
// no validation samples of its own: a part of the training file is held back, chosen by the seed. Other data sets in the
// same layout, such as Spiking Speech Commands, are read with their numbers of channels and classes. Source: Cramer,
// Stradmann, Schemmel & Zenke, "The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking Neural Networks",
// IEEE TNNLS 2020.
type SHD struct {
	Directory string  `yaml:"directory"` // of the two files
	Training  string  `yaml:"training"`  // name of the training file
	Test      string  `yaml:"test"`      // name of the test file
	Channels  int     `yaml:"channels"`  // inputs
	Classes   int     `yaml:"classes"`   // outputs
	Steps     int     `yaml:"steps"`     // of a sequence
	Duration  float64 `yaml:"duration"`  // ms of a sequence
	Held      float64 `yaml:"held"`      // fraction of the training file that is for validation
	Binary    bool    `yaml:"binary"`    // several spikes in a step become one
}

// DefaultSHD returns the usual setting: 100 steps of 14 ms. The directory is to be filled in.
func DefaultSHD() *SHD {
	return &SHD{Training: "shd_train.h5", Test: "shd_test.h5", Channels: 700, Classes: 20, Steps: 100, Duration: 1400, Held: 0.1}
}

// Validate implements [Config].
func (c *SHD) Validate() error {
	var k checks
	k.require(c.Directory != "", "directory is empty; want the one that holds %s and %s. %s", c.Training, c.Test, c.source())
	k.require(c.Training != "" && c.Test != "", "training is %q and test is %q; want the names of two files", c.Training, c.Test)
	k.require(c.Channels >= 1 && c.Channels <= 1<<16, "channels is %d; want 1 to %d", c.Channels, 1<<16)
	k.count("classes", c.Classes, 2)
	k.require(c.Steps >= 1 && c.Steps <= 1<<16, "steps is %d; want 1 to %d", c.Steps, 1<<16)
	k.positive("duration", "ms", c.Duration)
	k.require(c.Held >= 0 && c.Held < 1, "held is %g; want a fraction from 0 to below 1", c.Held)
	return k.err
}

// source says where the data are and what they look like.
func (c *SHD) source() string {
	return fmt.Sprintf("Download shd_train.h5.gz and shd_test.h5.gz from https://zenkelab.org/datasets/ (described at "+
		"https://zenkelab.org/resources/spiking-heidelberg-datasets-shd/, licence CC BY 4.0) and decompress them with gunzip. "+
		"Expected are HDF5 files with /spikes/times (for every sample a sequence of seconds), /spikes/units (a sequence of channels, 0 to %d) "+
		"and /labels (0 to %d)", c.Channels-1, c.Classes-1)
}

// Open implements [Config]. Both files are read completely.
func (c *SHD) Open(seed runs.Seed) (Task, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	training, err := c.read(c.Training)
	if err != nil {
		return nil, err
	}
	test, err := c.read(c.Test)
	if err != nil {
		return nil, err
	}
	order := seed.Sub("held").Rand().Perm(len(training))
	held := int(math.Round(c.Held * float64(len(training))))
	var files [len(splitNames)][]recording
	for i, k := range order {
		split := Training
		if i < held {
			split = Validation
		}
		files[split] = append(files[split], training[k])
	}
	files[Test] = test
	if len(files[Training]) == 0 {
		return nil, fmt.Errorf("held is %g; no sample of %d is left to train with", c.Held, len(training))
	}
	d := Dims{Steps: c.Steps, Inputs: c.Channels, Outputs: c.Classes, DT: c.Duration / float64(c.Steps), Kind: Classification, Groups: []Group{{"channel", c.Channels}}}
	f := &finite{dims: d, seed: seed}
	for split := range files {
		f.sizes[split] = len(files[split])
	}
	f.load = func(split Split, sample int, b *Batch, i int) int {
		r := files[split][sample]
		for _, s := range r.spikes {
			at := &b.Input[(int(s>>16)*b.Size+i)*b.Inputs+int(s&0xFFFF)]
			if *at++; c.Binary {
				*at = 1
			}
		}
		b.answer(i, 0, b.Steps, r.label)
		return r.label
	}
	return f, nil
}

// recording is a sample: spikes as step << 16 | channel.
type recording struct {
	spikes []uint32
	label  int
}

// read reads one of the files.
func (c *SHD) read(name string) ([]recording, error) {
	path := filepath.Join(c.Directory, name)
	f, err := hdf5.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there. %s", path, c.source())
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	times, units, labels, err := c.datasets(f)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, c.source())
	}
	if len(times) != len(units) || len(times) != len(labels) || len(times) == 0 {
		return nil, fmt.Errorf("%s: %d samples in /spikes/times, %d in /spikes/units and %d in /labels; want equally many, at least one", path, len(times), len(units), len(labels))
	}
	all := make([]recording, len(labels))
	var seconds, channels []float64
	for i := range all {
		if seconds, err = times[i].kind.Floats(seconds[:0], times[i].raw); err == nil {
			channels, err = units[i].kind.Floats(channels[:0], units[i].raw)
		}
		if err == nil {
			all[i], err = c.sort(seconds, channels, labels[i])
		}
		if err != nil {
			return nil, fmt.Errorf("%s: sample %d: %w", path, i, err)
		}
	}
	return all, nil
}

// numbers are the elements of a sequence as they lie in the file.
type numbers struct {
	kind hdf5.Type
	raw  []byte
}

// datasets reads what a file must hold.
func (c *SHD) datasets(f *hdf5.File) (times, units []numbers, labels []int, err error) {
	root, err := f.Root()
	if err != nil {
		return nil, nil, nil, err
	}
	spikes, err := root.Group("spikes")
	if err != nil {
		return nil, nil, nil, err
	}
	for _, part := range []struct {
		name string
		to   *[]numbers
	}{{"times", &times}, {"units", &units}} {
		d, err := spikes.Dataset(part.name)
		if err != nil {
			return nil, nil, nil, err
		}
		raw, err := d.Sequences()
		if err != nil {
			return nil, nil, nil, err
		}
		for _, r := range raw {
			*part.to = append(*part.to, numbers{*d.Type.Base, r})
		}
	}
	d, err := root.Dataset("labels")
	if err != nil {
		return nil, nil, nil, err
	}
	labels, err = d.Ints()
	return times, units, labels, err
}

// sort puts the spikes of a sample into steps.
func (c *SHD) sort(seconds, channels []float64, label int) (r recording, err error) {
	if label < 0 || label >= c.Classes {
		return r, fmt.Errorf("label %d; want 0 to %d", label, c.Classes-1)
	}
	r = recording{make([]uint32, 0, len(seconds)), label}
	if len(seconds) != len(channels) {
		return r, fmt.Errorf("%d times and %d units; want equally many", len(seconds), len(channels))
	}
	for i, s := range seconds {
		u := channels[i]
		if !(s >= 0) || math.IsInf(s, 0) {
			return r, fmt.Errorf("spike %d is at %g s", i, s)
		}
		if u != math.Trunc(u) || u < 0 || u >= float64(c.Channels) {
			return r, fmt.Errorf("spike %d is of unit %g; want 0 to %d", i, u, c.Channels-1)
		}
		if step := math.Floor(s * 1000 * float64(c.Steps) / c.Duration); step < float64(c.Steps) {
			r.spikes = append(r.spikes, uint32(step)<<16|uint32(u))
		}
	}
	return r, nil
}
