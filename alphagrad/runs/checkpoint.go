package runs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Checkpoints is the directory with the checkpoints of a run: files or directories named by the iteration after which they
// were written. The newest stays, and one to fall back to.
type Checkpoints string

// keptCheckpoints is how many stay.
const keptCheckpoints = 2

// CheckpointsOf is where the run in a directory has its checkpoints.
func CheckpointsOf(run string) Checkpoints { return Checkpoints(filepath.Join(run, "checkpoints")) }

// Path is where the checkpoint after an iteration goes; suffix is ".json" or the like, or empty for a directory.
func (c Checkpoints) Path(iteration int, suffix string) string {
	return filepath.Join(string(c), fmt.Sprintf("%08d%s", iteration, suffix))
}

// List returns the paths of the checkpoints, oldest first. What is still being written, or is named otherwise, is none.
func (c Checkpoints) List() ([]string, error) {
	entries, err := os.ReadDir(string(c))
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), ".")
		if len(number) >= 8 && strings.Trim(number, "0123456789") == "" {
			paths = append(paths, filepath.Join(string(c), e.Name()))
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// Prune removes all but the newest checkpoints.
func (c Checkpoints) Prune() error {
	paths, err := c.List()
	if err != nil {
		return err
	}
	for _, path := range paths[:max(0, len(paths)-keptCheckpoints)] {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// ErrOtherTraining is wrapped by the error of a checkpoint that can be read but is of another training than the
// configuration says: older ones would be too.
var ErrOtherTraining = errors.New("it is of another training")

// Restore hands read the path of the newest checkpoint, and the one before with a warning as long as it fails, but for
// ErrOtherTraining. It returns the path that was read.
func (c Checkpoints) Restore(read func(path string) error, warn func(format string, args ...any)) (string, error) {
	paths, err := c.List()
	if err != nil {
		return "", fmt.Errorf("resume: %w", err)
	}
	failed := errors.New("there is none")
	for i, path := range slices.Backward(paths) {
		err := read(path)
		if err == nil {
			return path, nil
		}
		failed = fmt.Errorf("checkpoint %s: %w", path, err)
		if errors.Is(err, ErrOtherTraining) {
			break
		}
		if i > 0 && warn != nil {
			warn("checkpoint %s cannot be read (%v); trying the one before", path, err)
		}
	}
	return "", fmt.Errorf("resume %s: no checkpoint to continue from: %w", filepath.Dir(string(c)), failed)
}
