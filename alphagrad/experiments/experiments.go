// Package experiments holds the runnable experiments: each takes a configuration, works in a directory of its own and
// leaves tables, figures and raw results there.
package experiments

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Env is where an experiment runs.
type Env struct {
	Dir string // existing directory for its results
	// Progress is told what is being done and how much of the work is done, both in any unit; it may be nil.
	Progress func(what string, done, total int)
}

func (e Env) progress(what string, done, total int) {
	if e.Progress != nil {
		e.Progress(what, done, total)
	}
}

// Experiment is a configuration that can be run.
type Experiment interface {
	Validate() error
	RootSeed() uint64 // the seed that the manifest names
	Run(ctx context.Context, env Env) error
}

// Resumable is an experiment that can go on from the directory of an earlier run, which it leaves as it is. Resume is called
// before Run and says what hinders it.
type Resumable interface {
	Experiment
	Resume(dir string) error
}

// kinds lists the experiments with their default configurations: one row adds one.
var kinds = []struct {
	name  string
	group string // directory within results/ that holds the results of this kind; empty: results/ itself
	make  func() Experiment
}{
	{"poster", "", func() Experiment { return DefaultPoster() }},
	{"general", "", func() Experiment { return DefaultGeneral() }},
	{"trainings", "", func() Experiment { return DefaultTrainings() }},
	{"proposals", "", func() Experiment { return DefaultProposals() }},
	{"jacobians", "", func() Experiment { return DefaultJacobians() }},
	{"tensors", "", func() Experiment { return DefaultTensors() }},
	{"eprop_curves", "eprop", func() Experiment { return DefaultEpropCurves() }},
	{"eprop_scaling", "eprop", func() Experiment { return DefaultEpropScaling() }},
	{"rules", "rules", func() Experiment { return DefaultRules() }},
	{"rules_compare", "rules", func() Experiment { return DefaultRulesCompare() }},
	{"speed", "", func() Experiment { return DefaultSpeed() }},
	{"objectives", "", func() Experiment { return DefaultObjectives() }},
}

// Group is the directory within results/ that holds the results of a kind of experiment.
func Group(kind string) string {
	for _, k := range kinds {
		if k.name == kind {
			return k.group
		}
	}
	return ""
}

// New returns the default configuration of a kind of experiment, to be filled from a file.
func New(kind string) (Experiment, error) {
	var known []string
	for _, k := range kinds {
		if k.name == kind {
			return k.make(), nil
		}
		known = append(known, k.name)
	}
	slices.Sort(known)
	return nil, fmt.Errorf("unknown kind of experiment %q; known: %s", kind, strings.Join(known, ", "))
}
