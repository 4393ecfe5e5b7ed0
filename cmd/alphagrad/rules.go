package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/experiments"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

func newRules() *cobra.Command {
	var resume string
	cmd := &cobra.Command{
		Use:   "rules EXPERIMENT.yaml [key=value …]",
		Short: "Search for learning rules between skill, cost, memory and locality",
		Long: `Search for learning rules as the file says (kind: rules), or compare given ones, in a run directory under runs/. A rule says what
becomes of the Jacobian on each edge of one time step and how states carry time. While it runs, the directory holds every
evaluation made (` + experiments.EvaluationsName + `), the rules that no other one dominates (` + experiments.FrontName + `) and their plot (pareto.svg); at the
end also the best rule (` + experiments.BestName + `) and the tables. Ctrl-C saves and ends; --resume continues an earlier search in a run
directory of its own and ends as if it had not been interrupted. alphagrad run publishes in results/ besides.`,
		Example: `  alphagrad rules experiments/rules_pareto.yaml
  alphagrad rules experiments/rules_pareto.yaml evaluations=100 --resume runs/rules_pareto-20260101-120000
  alphagrad rules show "e-prop symmetric"
  alphagrad rules show my_rule.json --task delayed_match -o my_rule.svg`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			exp, err := rulesExperiment(args[0], args[1:], resume)
			if err != nil {
				return err
			}
			run, err := inRun(runName(args[0]), exp.RootSeed(), exp, func(run *runs.Run) error {
				b := newBar(cmd, 0)
				defer b.finish()
				return exp.Run(cmd.Context(), experiments.Env{Dir: run.Dir(), Progress: b.step})
			})
			if err != nil {
				return err
			}
			return printFound(cmd, run.Dir())
		},
	}
	cmd.Flags().StringVar(&resume, "resume", "", "run directory to continue")
	cmd.AddCommand(newRulesShow())
	return cmd
}

// rulesExperiment loads an experiment on learning rules, ready to go on from an earlier run if there is one.
func rulesExperiment(path string, overrides []string, resume string) (experiments.Experiment, error) {
	kind, err := runs.Peek(path, "kind")
	if err != nil {
		return nil, err
	}
	if kind != "rules" && !strings.HasPrefix(kind, "rules_") {
		return nil, fmt.Errorf("%s: kind is %q, expected one on learning rules: rules, rules_compare", path, kind)
	}
	exp, err := experiments.New(kind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := runs.Load(path, exp, overrides...); err != nil {
		return nil, err
	}
	if resume == "" {
		return exp, nil
	}
	r, ok := exp.(experiments.Resumable)
	if !ok {
		return nil, fmt.Errorf("--resume: an experiment of kind %s starts anew", kind)
	}
	return exp, r.Resume(resume)
}

// printFound prints where a run lies and the best rule, if there is one.
func printFound(cmd *cobra.Command, dir string) error {
	out := struct {
		Run     string          `json:"run"`
		Formula string          `json:"formula,omitempty"`
		Best    *rules.Rule     `json:"best,omitempty"`
		Front   json.RawMessage `json:"front,omitempty"` // rules that no other one dominates, with their costs and qualities
	}{Run: dir}
	best, err := rules.Read(filepath.Join(dir, experiments.BestName))
	switch {
	case err == nil:
		out.Formula, out.Best = best.Formula(), best
		if out.Front, err = os.ReadFile(filepath.Join(dir, experiments.FrontName)); err != nil {
			return failure{err}
		}
	case !errors.Is(err, fs.ErrNotExist):
		return failure{err}
	}
	if wantsJSON(cmd) {
		return printJSON(cmd, out)
	}
	fmt.Fprintln(cmd.OutOrStdout(), dir)
	if best != nil {
		fmt.Fprintln(cmd.OutOrStdout(), out.Formula)
	}
	return nil
}
