package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/experiments"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

func newRun() *cobra.Command {
	var results string
	cmd := &cobra.Command{
		Use:   "run EXPERIMENT.yaml [key=value …]",
		Short: "Run an experiment and publish its results",
		Long: `Run an experiment: a YAML file whose key "kind" says which. It works in a directory of its own under runs/ and, when it
has finished, replaces results/NAME, NAME being the file's, or results/eprop/NAME for those of spiking networks. Settings are overridden by key=value, nested keys joined by dots.
An interrupted run leaves its directory with the status "interrupted" and publishes nothing.`,
		Example: `  alphagrad run experiments/poster.yaml
  alphagrad run experiments/poster.yaml search.budget=500ms tasks=[g] --results /tmp/results`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			path, overrides := args[0], args[1:]
			kind, err := runs.Peek(path, "kind")
			if err != nil {
				return err
			}
			exp, err := experiments.New(kind)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if err := runs.Load(path, exp, overrides...); err != nil {
				return err
			}
			name := runName(path)
			dir, err := inRun(name, exp.RootSeed(), exp, func(run *runs.Run) error {
				b := newBar(cmd, 0)
				defer b.finish()
				return exp.Run(cmd.Context(), experiments.Env{Dir: run.Dir(), Progress: b.step})
			})
			if err != nil {
				return err
			}
			if results != "" {
				dst := filepath.Join(results, experiments.Group(kind), name)
				if err := dir.Publish(dst); err != nil {
					return failure{err}
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "published in", dst)
			}
			if wantsJSON(cmd) {
				return printJSON(cmd, map[string]string{"run": dir.Dir()})
			}
			fmt.Fprintln(cmd.OutOrStdout(), dir.Dir())
			return nil
		},
	}
	cmd.Flags().StringVar(&results, "results", "results", "directory that receives the finished results; empty: none")
	return cmd
}

// runName is the name of the runs of a configuration file.
func runName(path string) string { return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) }

// inRun does work in a fresh run directory and records how it ended.
func inRun(name string, seed uint64, config any, work func(*runs.Run) error) (*runs.Run, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, failure{err}
	}
	run, err := runs.Start(runs.Spec{Root: root, Parent: filepath.Join(root, "runs"), Experiment: name, Seed: runs.Seed(seed), Config: config})
	if err != nil {
		return nil, failure{err}
	}
	err = work(run)
	if ferr := run.Finish(err); ferr != nil {
		return nil, failure{errors.Join(err, ferr)}
	}
	if errors.Is(err, context.Canceled) {
		return nil, failure{fmt.Errorf("interrupted; what there is lies in %s", run.Dir())}
	}
	if err != nil {
		return nil, failure{err}
	}
	return run, nil
}

// moduleRoot is the directory that holds runs/: the nearest one upwards with a go.mod, else the current one.
func moduleRoot() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return here, nil
		}
	}
}
