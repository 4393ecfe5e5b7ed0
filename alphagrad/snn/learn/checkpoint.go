package learn

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// NetworkName is the file of a run with the network as it was last.
const NetworkName = "network.json"

// digest names what determines a training up to any iteration: a checkpoint of another one is refused.
func (c *Config) digest() string {
	same := *c
	same.Iterations, same.Evaluate, same.Validation, same.Until = 0, 0, 0, 0
	if c.Optimizer.Schedule == "cosine" || c.Optimizer.Schedule != "constant" && c.Optimizer.Every == 0 {
		same.Iterations = c.Iterations // the rate depends on it
	}
	data, err := runs.Encode(&same)
	if err != nil {
		return err.Error()
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// A sealed checkpoint carries the checksum of its contents.
type sealed struct {
	Sum   string          `json:"sha256"`
	State json.RawMessage `json:"state"`
}

// save writes a checkpoint, which appears under its name only when it is complete, and drops old ones.
func (t *Trainer) save() error {
	if t.env.Dir == "" {
		return nil
	}
	t.state.Optimizer, t.state.Outcome.Seconds = t.opt.State(), t.seconds()
	body, err := json.Marshal(t.state)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	data, err := json.Marshal(sealed{hex.EncodeToString(sum[:]), body})
	if err != nil {
		return err
	}
	all := runs.CheckpointsOf(t.env.Dir)
	if err := os.MkdirAll(string(all), 0o777); err != nil {
		return err
	}
	path := all.Path(t.state.Iteration, ".json")
	if err := runs.WriteFile(path, data); err != nil {
		return fmt.Errorf("checkpoint of iteration %d: %w%s", t.state.Iteration, err, t.lastKept())
	}
	t.kept = path
	if err := all.Prune(); err != nil {
		return err
	}
	return t.write()
}

// errOther marks a checkpoint of another training.
var errOther = fmt.Errorf("%w: task, network, rule, optimiser, batch or seed differ", runs.ErrOtherTraining)

// restore continues from the newest checkpoint that can be read.
func (t *Trainer) restore(dir string) (err error) {
	t.kept, err = runs.CheckpointsOf(dir).Restore(t.read, t.env.Warn)
	return err
}

func (t *Trainer) read(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var outer sealed
	if err := json.Unmarshal(data, &outer); err != nil {
		return fmt.Errorf("truncated or damaged: %w", err)
	}
	if sum := sha256.Sum256(outer.State); hex.EncodeToString(sum[:]) != outer.Sum {
		return errors.New("damaged: it does not match its checksum")
	}
	var s state
	if err := json.Unmarshal(outer.State, &s); err != nil {
		return err
	}
	if s.Config != t.state.Config {
		return errOther
	}
	for p, v := range t.state.Shared {
		if len(s.Shared[p]) != len(v) {
			return fmt.Errorf("%w: %s has %d values instead of %d", errOther, p, len(s.Shared[p]), len(v))
		}
	}
	if len(s.Optimizer["t"]) != 1 {
		return errors.New("it lacks the state of the optimiser")
	}
	t.opt.Restore(s.Optimizer)
	t.state, t.before = s, s.Outcome.Seconds
	return nil
}

// trained is what NetworkName holds.
type trained struct {
	Network    *snn.Network `json:"network"`
	Parameters snn.Values   `json:"parameters"`
}

// ReadNetwork reads a network and its parameters from the file that trainings write. Errors name the file.
func ReadNetwork(path string) (*snn.Network, snn.Values, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	var t trained
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return nil, nil, fmt.Errorf("%s: not a network that a training wrote: %w", path, err)
	}
	if t.Network == nil {
		return nil, nil, fmt.Errorf("%s: it has no network", path)
	}
	// Sizes first: a file may claim any, but has only so many weights.
	from := t.Network.Inputs
	fits := func(p string, to int) error {
		if n := len(t.Parameters[p]); to < 1 || from < 1 || n%to != 0 || n/to != from {
			return fmt.Errorf("%s: %q has %d values, expected %d for each of %d", path, p, n, from, to)
		}
		from = to
		return nil
	}
	for _, l := range t.Network.Layers {
		if err := fits(l.Name+".W_in", l.Size); err != nil {
			return nil, nil, err
		}
	}
	if err := fits(snn.ReadoutWeight, t.Network.Readout.Size); err != nil {
		return nil, nil, err
	}
	r, err := t.Network.Recurrence()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, p := range r.Params {
		if want := r.Shape(p).Size(); len(t.Parameters[p]) != want {
			return nil, nil, fmt.Errorf("%s: %q has %d values, expected %d", path, p, len(t.Parameters[p]), want)
		}
	}
	return t.Network, t.Parameters, nil
}

// write puts down the network and how the training stands.
func (t *Trainer) write() error {
	if t.env.Dir == "" {
		return nil
	}
	network, err := json.Marshal(trained{&t.network, t.state.Shared})
	if err != nil {
		return err
	}
	if err := runs.WriteFile(filepath.Join(t.env.Dir, NetworkName), append(network, '\n')); err != nil {
		return err
	}
	outcome, err := json.MarshalIndent(t.state.Outcome, "", "  ")
	if err != nil {
		return err
	}
	return runs.WriteFile(filepath.Join(t.env.Dir, "outcome.json"), append(outcome, '\n'))
}
