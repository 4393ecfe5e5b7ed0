package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Flags say how the workers are compiled.
type Flags struct {
	C    []string `yaml:"c"`    // of the C compiler, for everything
	Fast []string `yaml:"fast"` // more of them, for the method "c-fast"
}

// Build is a set of compiled workers in a directory.
type Build struct {
	env       *Environment
	dir       string
	flags     Flags
	problems  []Problem
	c, golang string
	// Left out says which peers could not be built, and why.
	LeftOut map[string]string
}

func (b *Build) work() string { return filepath.Join(b.dir, "work.json") }

var identifier = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,99}$`)

// Make compiles the workers into dir: C if there is a compiler, Go always. A peer that cannot be built is left out by
// name; our own code must compile.
func (e *Environment) Make(ctx context.Context, dir string, problems []Problem, flags Flags) (*Build, error) {
	b := &Build{env: e, dir: dir, flags: flags, problems: problems, LeftOut: map[string]string{}}
	for _, p := range problems {
		switch {
		case !identifier.MatchString(p.Name):
			return nil, fmt.Errorf("problem %q: the name is no identifier", p.Name)
		case len(p.Points) != Points:
			return nil, fmt.Errorf("problem %s has %d points, expected %d", p.Name, len(p.Points), Points)
		case len(p.Derivative.Outputs) != len(p.Value.Outputs)*(1+len(p.Value.Inputs)):
			return nil, fmt.Errorf("problem %s: the derivative program has %d outputs, expected values and Jacobian, %d", p.Name, len(p.Derivative.Outputs), len(p.Value.Outputs)*(1+len(p.Value.Inputs)))
		}
	}
	if err := b.writeWork(); err != nil {
		return nil, err
	}
	errs := make(chan error, 1)
	go func() { errs <- b.makeGo(ctx) }()
	err := b.makeC(ctx)
	return b, errors.Join(err, <-errs)
}

// writeWork writes the problems for the Python worker and the generators.
func (b *Build) writeWork() error {
	type problem struct {
		Name   string          `json:"name"`
		Graph  json.RawMessage `json:"graph"`
		Source string          `json:"source"` // the function as C statements
		Points [][]float64     `json:"points"`
	}
	var file struct {
		Problems []problem `json:"problems"`
	}
	for _, p := range b.problems {
		lowered, err := ir.Lower(p.Value)
		if err != nil {
			return err
		}
		var graph bytes.Buffer
		if err := ir.WriteGraph(&graph, lowered); err != nil {
			return err
		}
		source, err := cValue(p.Value)
		if err != nil {
			return fmt.Errorf("problem %s: %w", p.Name, err)
		}
		file.Problems = append(file.Problems, problem{p.Name, graph.Bytes(), source, p.Points})
	}
	data, err := json.Marshal(file)
	if err != nil {
		return err
	}
	return os.WriteFile(b.work(), data, 0o644)
}

// run executes a command and returns what it prints.
func run(ctx context.Context, stdin string, words ...string) (string, error) {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	var errs tail
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(words[0]), err, errs.last())
	}
	return string(out), nil
}

// Problems are what the workers compute.
func (b *Build) Problems() []Problem { return b.problems }

// HasC reports whether there is a C worker.
func (b *Build) HasC() bool { return b.c != "" }

// HasPython reports whether there are the [PythonPeers].
func (b *Build) HasPython() bool { return b.env.Python != "" }
