package peers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// Environment is where the peers live on this machine.
type Environment struct {
	Root   string // of the checkout; experiments/peers holds the sources of the workers
	Python string // interpreter of the environment with the Python peers; empty if there is none
	CC     string // C compiler; empty if there is none
	CXX    string // C++ compiler, which CppADCodeGen needs; empty if there is none
	Pin    string // taskset, which binds a worker to one processor; empty if there is none
	// Missing says in words what is not there, why, and what to do.
	Missing []string
}

func (e *Environment) source(name string) string {
	return filepath.Join(e.Root, "experiments", "peers", name)
}

// venv is the directory of the Python environment.
func (e *Environment) venv() string { return filepath.Join(e.Root, ".cache", "peers") }

// Find looks for the compilers and for the Python environment at root, the directory of a checkout. With install, a missing
// environment is created in .cache/peers; pip's progress is not shown.
func Find(ctx context.Context, root string, install bool) (*Environment, error) {
	root, err := filepath.Abs(root) // workers and compilers run elsewhere
	if err != nil {
		return nil, err
	}
	e := &Environment{Root: root}
	if _, err := os.Stat(e.source("driver.c")); err != nil {
		return nil, fmt.Errorf("the peers' workers are in experiments/peers of a checkout, and %s has none", root)
	}
	look := func(what string, names ...string) string {
		for _, n := range names {
			if n == "" {
				continue
			}
			if path, err := exec.LookPath(n); err == nil {
				return path
			}
		}
		e.Missing = append(e.Missing, what)
		return ""
	}
	e.CC = look("no C compiler: gcc is not on the PATH, so compiled C, CasADi's C and CppADCodeGen are left out", os.Getenv("CC"), "gcc")
	e.CXX = look("no C++ compiler: g++ is not on the PATH, so CppADCodeGen is left out", os.Getenv("CXX"), "g++")
	e.Pin = look("no taskset on the PATH: workers of one thread are not bound to a processor", "taskset")
	if err := e.python(ctx, install); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		e.Missing = append(e.Missing, fmt.Sprintf("no Python peers (JAX, CasADi, Enzyme, CppADCodeGen): %v", err))
	}
	return e, nil
}

// python makes the environment, unless it is there and was made from the present requirements.
func (e *Environment) python(ctx context.Context, install bool) error {
	requirements, err := os.ReadFile(e.source("requirements.txt"))
	if err != nil {
		return err
	}
	// The environment's files hold its path, so it is made again after the checkout has moved. Checkouts can share one by a
	// symbolic link.
	path := e.venv()
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	sum := sha256.Sum256(append([]byte(path+"\n"), requirements...))
	want := hex.EncodeToString(sum[:])
	python, stamp := filepath.Join(e.venv(), "bin", "python"), filepath.Join(e.venv(), "made-from")
	state := "is not made"
	if have, err := os.ReadFile(stamp); err == nil {
		_, broken := exec.LookPath(python)
		if string(have) == want && broken == nil {
			e.Python = python
			return nil
		}
		state = "is out of date"
		if broken != nil {
			state = "has no python"
		}
	}
	if !install {
		return fmt.Errorf("the environment .cache/peers %s; alphagrad bench --peers makes it", state)
	}
	host := "python3"
	if p := os.Getenv("PYTHON"); p != "" {
		host = p
	}
	if _, err := exec.LookPath(host); err != nil {
		return fmt.Errorf("no %s on the PATH; install Python 3.11 or newer, or set PYTHON", host)
	}
	if err := os.RemoveAll(e.venv()); err != nil {
		return err
	}
	for _, step := range [][]string{
		{host, "-c", "import sys; sys.exit(None if sys.version_info >= (3, 11) else 'Python 3.11 or newer is needed')"},
		{host, "-m", "venv", e.venv()},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r", e.source("requirements.txt")},
	} {
		if out, err := exec.CommandContext(ctx, step[0], step[1:]...).CombinedOutput(); err != nil {
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			return fmt.Errorf("cannot be installed into .cache/peers: %s: %s", err, lines[len(lines)-1])
		}
	}
	if err := runs.WriteFile(stamp, []byte(want)); err != nil {
		return err
	}
	e.Python = python
	return nil
}

// command is a worker's command line, bound to one processor if it has one thread.
func (e *Environment) command(threads int, words ...string) []string {
	if threads == 1 && e.Pin != "" {
		return append([]string{e.Pin, "--cpu-list", "0"}, words...)
	}
	return words
}

// PythonPeers are the workers that need the Python environment, each a process of its own.
var PythonPeers = []string{"jax", "casadi", "enzyme"}

// StartPython starts one of the [PythonPeers].
func (b *Build) StartPython(ctx context.Context, peer string, threads int) (*Process, error) {
	return start(ctx, "the worker of "+peer, b.env.command(threads, b.env.Python, b.env.source("server.py"), b.work(), fmt.Sprint(threads), peer)...)
}

// Warm lets JAX compile for the places on all processors, which is most of the time of a first run, and find its fastest
// forms; without it the worker does so when asked.
func (b *Build) Warm(ctx context.Context, threads int, places []At) error {
	if b.env.Python == "" {
		return nil
	}
	parts := min(runtime.NumCPU(), len(b.problems))
	errs := make(chan error, parts)
	for part := range parts {
		words := []string{b.env.Python, b.env.source("jax_peer.py"), b.work(), fmt.Sprint(threads), fmt.Sprint(part), fmt.Sprint(parts)}
		if threads == 1 && b.env.Pin != "" {
			words = append([]string{b.env.Pin, "--cpu-list", fmt.Sprint(part)}, words...)
		}
		for _, at := range places {
			words = append(words, fmt.Sprintf("%s:%d", at.Type, at.Batch))
		}
		go func() {
			_, err := run(ctx, "", words...)
			errs <- err
		}()
	}
	var err error
	for range parts {
		err = errors.Join(err, <-errs)
	}
	return err
}

// StartC starts the worker of everything that a C compiler made.
func (b *Build) StartC(ctx context.Context, threads int) (*Process, error) {
	return start(ctx, "the C worker", b.env.command(threads, b.c, fmt.Sprint(threads))...)
}

// StartGo starts the worker of our generated Go and of gonum's finite differences.
func (b *Build) StartGo(ctx context.Context, threads int) (*Process, error) {
	return start(ctx, "the Go worker", b.env.command(threads, b.golang, fmt.Sprint(threads))...)
}

// Versions names the compilers.
func (e *Environment) Versions(ctx context.Context) map[string]string {
	v := map[string]string{}
	if e.CC != "" {
		if out, err := run(ctx, "", e.CC, "--version"); err == nil {
			v["C compiler"], _, _ = strings.Cut(out, "\n")
		}
	}
	return v
}
