package runs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckpoints(t *testing.T) {
	dir := t.TempDir()
	c := CheckpointsOf(dir)
	if _, err := c.Restore(nil, nil); err == nil || !strings.Contains(err.Error(), "resume") {
		t.Errorf("no directory: %v", err)
	}
	if err := os.MkdirAll(c.Path(9, ""), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{c.Path(8, ".json"), c.Path(10, ".json"), c.Path(100, ".json"), filepath.Join(string(c), ".00000200.json"), filepath.Join(string(c), "notes.json")} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	base := func(paths []string) string {
		var names []string
		for _, p := range paths {
			names = append(names, filepath.Base(p))
		}
		return strings.Join(names, " ")
	}
	if paths, err := c.List(); err != nil || base(paths) != "00000008.json 00000009 00000010.json 00000100.json" {
		t.Errorf("list: %q, %v", base(paths), err)
	}
	if err := c.Prune(); err != nil {
		t.Fatal(err)
	}
	if paths, err := c.List(); err != nil || base(paths) != "00000010.json 00000100.json" {
		t.Errorf("after pruning: %q, %v", base(paths), err)
	}

	var tried, warned []string
	failing := func(err error, times int) func(string) error {
		tried, warned = nil, nil
		return func(path string) error {
			if tried = append(tried, path); len(tried) <= times {
				return err
			}
			return nil
		}
	}
	warn := func(format string, args ...any) { warned = append(warned, fmt.Sprintf(format, args...)) }
	broken := errors.New("broken")
	if path, err := c.Restore(failing(broken, 1), warn); err != nil || path != c.Path(10, ".json") || len(warned) != 1 || !strings.Contains(warned[0], "00000100.json cannot be read (broken); trying the one before") {
		t.Errorf("newest broken: %s, %v, warned %q", path, err, warned)
	}
	if _, err := c.Restore(failing(broken, 2), warn); !errors.Is(err, broken) || !strings.Contains(err.Error(), "no checkpoint to continue from") || len(warned) != 1 {
		t.Errorf("all broken: %v, warned %q", err, warned)
	}
	if _, err := c.Restore(failing(fmt.Errorf("%w: its seed differs", ErrOtherTraining), 2), warn); !errors.Is(err, ErrOtherTraining) || len(tried) != 1 || len(warned) != 0 {
		t.Errorf("another training: %v, tried %q, warned %q", err, tried, warned)
	}
}
