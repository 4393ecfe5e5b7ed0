package notebook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// VenvEnv names the directory of the Python environment with Jupyter and the kernel.
const VenvEnv = "ALPHAGRAD_VENV"

// ErrNoEnvironment is wrapped by the error that a missing Python environment causes.
var ErrNoEnvironment = errors.New("the notebook environment is missing")

// FindVenv returns the Python environment to use: explicit if not empty, else $ALPHAGRAD_VENV, else .venv below root. The
// error for a missing or incomplete one wraps ErrNoEnvironment and says how to make it.
func FindVenv(explicit, root string) (string, error) {
	venv := explicit
	if venv == "" {
		venv = os.Getenv(VenvEnv)
	}
	if venv == "" {
		venv = filepath.Join(root, ".venv")
	}
	venv, err := filepath.Abs(venv)
	if err != nil {
		return "", fmt.Errorf("find the notebook environment: %w", err)
	}
	for _, part := range []string{"bin/python", "bin/gonb", "bin/gonb-kernel", "bin/goimports", "share/jupyter/kernels/" + kernelName + "/kernel.json"} {
		if _, err := os.Stat(filepath.Join(venv, part)); err != nil {
			return "", fmt.Errorf("%w: %s has no %s; make setup installs it, and so do make run, make test and make lab",
				ErrNoEnvironment, venv, part)
		}
	}
	return venv, nil
}

const (
	// startLimit is how long the kernel may take to answer first.
	startLimit = 2 * time.Minute
	// stopDelay is how long a kernel that was starting when it was cancelled gets to say which process it is.
	stopDelay = time.Second
	// kernelPidEnv names the file to which the kernel's start script writes its process group.
	kernelPidEnv = "ALPHAGRAD_KERNEL_PID"
)

// executor runs notebooks in one environment.
type executor struct {
	venv    string
	scratch string        // directory for temporary files, removed by the caller
	state   string        // value of runs.RunDirEnv for the cells
	limit   time.Duration // per cell
	quick   bool
}

// execute runs the notebook at path and returns it with its outputs. The file itself is not touched.
func (x executor) execute(ctx context.Context, path string) (*Notebook, error) {
	name := filepath.Base(path)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("execute notebook: %w", err)
	}
	nb, err := Parse(name, data)
	if err != nil {
		return nil, err
	}
	executed := filepath.Join(x.scratch, name)
	cmd := exec.CommandContext(ctx, filepath.Join(x.venv, "bin", "python"), "-m", "nbconvert",
		"--to=notebook", "--execute", "--output-dir="+x.scratch, "--output="+name,
		"--ExecutePreprocessor.kernel_name="+kernelName,
		"--ExecutePreprocessor.timeout="+strconv.Itoa(int(max(1, x.limit.Seconds()))),
		"--ExecutePreprocessor.startup_timeout="+strconv.Itoa(int(startLimit.Seconds())),
		"--ExecutePreprocessor.extra_arguments=-raw_error", // errors as text, not as HTML
		path)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = x.environment()
	// Ctrl-C in a terminal must arrive only here: nbconvert ignores an interrupt, and when it is terminated it leaves its
	// kernel and the running cell behind. So both are ended by hand. A kernel that is just starting holds on to the log,
	// hence Run waits stopDelay for it, and by then it has left its process group.
	separateGroup(cmd)
	cmd.Cancel = func() error {
		x.endKernel()
		return cmd.Process.Kill()
	}
	cmd.WaitDelay = stopDelay
	err = cmd.Run()
	if ctx.Err() != nil {
		x.endKernel()
		return nil, fmt.Errorf("%s: %w", name, context.Cause(ctx))
	}
	if err != nil {
		return nil, failure(name, nb, log.String())
	}
	if data, err = os.ReadFile(executed); err != nil {
		return nil, fmt.Errorf("%s: nbconvert left no result: %w", name, err)
	}
	if nb, err = Parse(name, data); err != nil {
		return nil, err
	}
	return nb, shellFailure(name, nb)
}

// kernelPid is the file with the process group of the kernel.
func (x executor) kernelPid() string { return filepath.Join(x.scratch, "kernel.pid") }

// endKernel ends the kernel and the cell it is executing, if there is one.
func (x executor) endKernel() {
	data, err := os.ReadFile(x.kernelPid())
	if err != nil {
		return
	}
	if group, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && group > 1 {
		killGroup(group)
	}
	os.Remove(x.kernelPid())
}

// environment returns the variables for nbconvert, which hands them to the kernel and through it to the cells.
func (x executor) environment() []string {
	jupyter := filepath.Join(x.venv, "jupyter")
	set := map[string]string{
		// Nothing of the user's own Jupyter takes part, and nothing is written to it.
		"JUPYTER_CONFIG_DIR":      filepath.Join(jupyter, "config"),
		"JUPYTER_DATA_DIR":        filepath.Join(jupyter, "data"),
		"JUPYTER_RUNTIME_DIR":     filepath.Join(jupyter, "runtime"),
		"IPYTHONDIR":              filepath.Join(jupyter, "ipython"),
		"JUPYTER_PREFER_ENV_PATH": "1",
		"JUPYTER_PATH":            "",
		// The kernel's module lives here, so nothing survives a kernel that had to be killed.
		"TMPDIR":       x.scratch,
		kernelPidEnv:   x.kernelPid(),
		runs.RunDirEnv: x.state,
		runs.QuickEnv:  "",
		// The cells form a workspace of their own.
		"GOWORK":      "",
		"GO111MODULE": "",
	}
	if x.quick {
		set[runs.QuickEnv] = "1"
	}
	// Every cell is linked anew. Without debug information that is markedly faster; stack traces keep their lines.
	if flags := os.Getenv("GOFLAGS"); !strings.Contains(flags, "-ldflags") {
		set["GOFLAGS"] = strings.TrimSpace(flags + " -ldflags=-w")
	}
	if _, chosen := os.LookupEnv("CGO_ENABLED"); !chosen {
		set["CGO_ENABLED"] = "0" // as in the Makefile: one build cache, no C compiler
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		_, replaced := set[name]
		return replaced
	})
	for name, value := range set {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}
