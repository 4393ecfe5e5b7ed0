package experiments

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// FrontName is the file of a run directory with the rules that no other one dominates, as far as the search has come.
const FrontName = "front.json"

// BestName is the file of a run directory with the best rule of all searches.
const BestName = "best.json"

// archive writes what no rule met so far dominates.
func (s *ruleSearch) archive() error {
	return writeJSON(filepath.Join(s.env.Dir, FrontName), rules.Pareto(append(slices.Clone(s.ladder), s.judge.Archive()...)))
}

// free are the settings that no evaluation depends on.
var free = []string{"title", "objective", "space", "methods", "searches", "evaluations", "simulations", "enumerate", "target", "confirm", "reuse"}

// Resume goes on from an earlier search, interrupted or not. A search is decided by its seed and by what it is told of rules, so
// one that finds every evaluation made before repeats those steps in no time and ends as if it had never been interrupted. What
// an evaluation depends on must be the same; methods, budgets, the space and the objective may differ.
func (c *Rules) Resume(dir string) error {
	path := filepath.Join(dir, runs.ConfigName)
	old := DefaultRules()
	if err := runs.Load(path, old); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	before, now := reflect.ValueOf(*old), reflect.ValueOf(*c)
	for i := range now.NumField() {
		key := now.Type().Field(i).Tag.Get("yaml")
		if a, b := before.Field(i).Interface(), now.Field(i).Interface(); !slices.Contains(free, key) && !reflect.DeepEqual(a, b) {
			return fmt.Errorf("resume: %s is of another search: its %s is %v, here %v", dir, key, a, b)
		}
	}
	evaluations := filepath.Join(dir, EvaluationsName)
	switch _, err := os.Stat(evaluations); {
	case err == nil:
		c.Reuse = evaluations
	case !errors.Is(err, fs.ErrNotExist): // else it was interrupted before the first one
		return fmt.Errorf("resume: %w", err)
	}
	return nil
}
