package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// save writes a checkpoint, which appears under its name only when it is complete, and drops old ones. If it cannot be
// written, those before stay as they are.
func (t *Trainer) save() error {
	t.state.Seconds = t.seconds()
	dst := runs.CheckpointsOf(t.env.Dir).Path(t.state.Iteration, "")
	if err := t.saveTo(dst); err != nil {
		kept := "there is none before it"
		if t.kept != "" {
			kept = "the one before it, " + t.kept + ", is as it was"
		}
		return fmt.Errorf("checkpoint of iteration %d: %w; %s", t.state.Iteration, err, kept)
	}
	t.kept = dst
	if err := runs.CheckpointsOf(t.env.Dir).Prune(); err != nil {
		return err
	}
	return t.write()
}

func (t *Trainer) saveTo(dst string) error {
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
	sum := sha256.New()
	if err := t.replay.save(io.MultiWriter(f, sum)); err != nil {
		return err
	}
	if err := f.Commit(); err != nil {
		return err
	}
	t.state.ReplaySum = hex.EncodeToString(sum.Sum(nil))
	data, err := json.Marshal(t.state)
	if err != nil {
		return err
	}
	if err := runs.WriteFile(filepath.Join(staged, "state.json"), data); err != nil {
		return err
	}
	return runs.Publish(staged, dst)
}

// restore continues from the newest checkpoint of a run that can be read.
func (t *Trainer) restore(dir string) (err error) {
	if t.kept, err = runs.CheckpointsOf(dir).Restore(t.read, t.env.warn); err != nil {
		return err
	}
	return t.carryOver(dir)
}

// carryOver copies the incumbent, which may be older than the checkpoint. Without it the next network evaluated is the
// incumbent.
func (t *Trainer) carryOver(dir string) error {
	if !t.state.Scored {
		return nil
	}
	n, err := net.Load(filepath.Join(dir, ModelName))
	if err != nil {
		t.env.warn("%v; the next network that is evaluated takes its place", err)
		t.state.Scored = false
		return nil
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
	if s.Iteration < 0 || s.Best == nil {
		return errors.New("state.json: it does not say what was trained")
	}
	if s.Objective == "" { // written before there were others
		s.Objective = game.Muls.Name()
		for _, b := range s.Best {
			b.Cost = b.Muls
		}
	}
	if s.Objective != t.config.Objective {
		return fmt.Errorf("%w: its objective is %s, the configuration asks for %s", runs.ErrOtherTraining, s.Objective, t.config.Objective)
	}
	for name, b := range t.state.Best {
		if s.Best[name] == nil {
			s.Best[name] = b // a task that the configuration has gained
		}
	}
	replay, err := os.ReadFile(filepath.Join(path, "replay"))
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(replay); s.ReplaySum != "" && s.ReplaySum != hex.EncodeToString(sum[:]) {
		return errors.New("replay memory: truncated or damaged, it does not match its checksum")
	}
	if err := t.replay.load(bytes.NewReader(replay), t.board); err != nil {
		return err
	}
	learner, err := net.LoadTrainer(filepath.Join(path, "trainer"), t.config.trainer())
	if err != nil {
		return err
	}
	if got, want := learner.Network().Spec(), t.config.spec(); got != want {
		learner.Close()
		return fmt.Errorf("%w: it holds a network %+v, the configuration asks for %+v", runs.ErrOtherTraining, got, want)
	}
	t.state, t.learner, t.before = s, learner, s.Seconds
	return nil
}
