package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// keep is how many checkpoints stay: the newest, and one to fall back to.
const keep = 2

const checkpointDir = "checkpoints"

// save writes a checkpoint, which appears under its name only when it is complete, and drops old ones.
func (t *Trainer) save() error {
	t.state.Seconds = t.seconds()
	dst := filepath.Join(t.env.Dir, checkpointDir, fmt.Sprintf("%08d", t.state.Iteration))
	staged, err := runs.Stage(dst)
	if err != nil {
		return err
	}
	defer os.RemoveAll(staged)
	if err := t.learner.Save(filepath.Join(staged, "trainer")); err != nil {
		return err
	}
	f, err := runs.Create(filepath.Join(staged, "replay"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := errors.Join(t.replay.save(f), f.Commit()); err != nil {
		return err
	}
	data, err := json.Marshal(t.state)
	if err != nil {
		return err
	}
	if err := runs.WriteFile(filepath.Join(staged, "state.json"), data); err != nil {
		return err
	}
	if err := runs.Publish(staged, dst); err != nil {
		return err
	}
	names, err := checkpoints(t.env.Dir)
	if err != nil {
		return err
	}
	for len(names) > keep {
		if err := os.RemoveAll(filepath.Join(t.env.Dir, checkpointDir, names[0])); err != nil {
			return err
		}
		names = names[1:]
	}
	return t.write()
}

// checkpoints lists the checkpoints of a run, oldest first.
func checkpoints(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, checkpointDir))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// restore continues from the newest checkpoint of a run that can be read; older ones are tried with a warning.
func (t *Trainer) restore(dir string) error {
	names, err := checkpoints(dir)
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	var failed error
	for i := len(names) - 1; i >= 0; i-- {
		path := filepath.Join(dir, checkpointDir, names[i])
		if err := t.read(path); err != nil {
			failed = errors.Join(failed, fmt.Errorf("checkpoint %s: %w", path, err))
			if t.env.Warn != nil {
				t.env.Warn("checkpoint %s cannot be read (%v); trying the one before", path, err)
			}
			continue
		}
		return t.carryOver(dir)
	}
	if failed == nil {
		failed = errors.New("there is none")
	}
	return fmt.Errorf("resume %s: no checkpoint to continue from: %w", dir, failed)
}

// carryOver copies the incumbent, which may be older than the checkpoint.
func (t *Trainer) carryOver(dir string) error {
	n, err := net.Load(filepath.Join(dir, ModelName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return n.Save(filepath.Join(t.env.Dir, ModelName))
}

func (t *Trainer) read(path string) error {
	data, err := os.ReadFile(filepath.Join(path, "state.json"))
	if err != nil {
		return err
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("state.json: %w", err)
	}
	for name, b := range t.state.Best {
		if s.Best[name] == nil {
			s.Best[name] = b // a task that the configuration has gained
		}
	}
	f, err := os.Open(filepath.Join(path, "replay"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := t.replay.load(f); err != nil {
		return err
	}
	learner, err := net.LoadTrainer(filepath.Join(path, "trainer"), t.config.trainer())
	if err != nil {
		return err
	}
	if got, want := learner.Network().Spec(), t.config.spec(); got != want {
		learner.Close()
		return fmt.Errorf("holds a network %+v, the configuration asks for %+v", got, want)
	}
	t.state, t.learner, t.before = s, learner, s.Seconds
	return nil
}
