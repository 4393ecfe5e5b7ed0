package runs

import (
	"fmt"
	"os"
	"path/filepath"
)

// Environment variables that programs and notebooks of this project understand.
const (
	// QuickEnv, when "1", asks for budgets so small that everything runs in minutes; see Quick.
	QuickEnv = "ALPHAGRAD_QUICK"
	// RunDirEnv names the directory below which NotebookDir works, so that two executions do not share it.
	RunDirEnv = "ALPHAGRAD_RUN_DIR"
)

// Quick reports whether budgets should be shrunk: the numbers are then examples, not results.
func Quick() bool { return os.Getenv(QuickEnv) == "1" }

// NotebookDir returns the directory in which the cells of a notebook leave what later cells need, because every cell is
// a process of its own. It is created if needed: runs/notebooks/NAME below the module root, or $ALPHAGRAD_RUN_DIR/NAME.
func NotebookDir(name string) (string, error) {
	if !experimentName.MatchString(name) {
		return "", fmt.Errorf("notebook name %q: expected letters, digits, '-', '_' and '.'", name)
	}
	parent := os.Getenv(RunDirEnv)
	if parent == "" {
		root, err := Root(".")
		if err != nil {
			return "", err
		}
		parent = filepath.Join(root, "runs", "notebooks")
	}
	dir := filepath.Join(parent, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("notebook directory: %w", err)
	}
	return dir, nil
}
