package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/train"
)

func newTrain() *cobra.Command {
	var resume string
	var objectives strings.Builder
	names, about := train.Objectives()
	for i := range names {
		fmt.Fprintf(&objectives, "\n  %-7s %s", names[i], about[i])
	}
	cmd := &cobra.Command{
		Use:   "train EXPERIMENT.yaml [key=value …]",
		Short: "Train a network to play the elimination game by self-play",
		Long: `Train a network by self-play as the file says (kind: alphazero), in a run directory under runs/: metrics.jsonl, the same numbers for
TensorBoard (tensorboard --logdir runs), checkpoints, the best network (` + train.ModelName + `) and the cheapest orders found
(best.json). Ctrl-C saves and ends; --resume continues from the newest checkpoint of an earlier run, in a run directory of its
own, exactly as if it had not been interrupted.

What is made small is the key objective:` + objectives.String(),
		Example: `  alphagrad train experiments/train_roeflux.yaml
  alphagrad train experiments/train_roeflux.yaml objective=memory reduce=[]
  alphagrad train experiments/train_roeflux.yaml iterations=200 --resume runs/train_roeflux-20260101-120000`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := args[0]
			c := train.Default()
			if err := runs.Load(path, c, args[1:]...); err != nil {
				return err
			}
			if c.Kind != "alphazero" {
				return fmt.Errorf("%s: kind is %q, expected \"alphazero\"", path, c.Kind)
			}
			run, err := inRun(runName(path), c.Seed, c, func(run *runs.Run) error { return trainIn(cmd, run, c, resume) })
			if err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd, map[string]string{"run": run.Dir()})
			}
			fmt.Fprintln(cmd.OutOrStdout(), run.Dir())
			return nil
		},
	}
	cmd.Flags().StringVar(&resume, "resume", "", "run directory to continue")
	return cmd
}

func trainIn(cmd *cobra.Command, run *runs.Run, c *train.Config, resume string) error {
	record, err := recorder(run)
	if err != nil {
		return err
	}
	b := newBar(cmd, 0)
	defer b.finish()
	return c.Run(cmd.Context(), train.Env{Dir: run.Dir(), Progress: b.step, Resume: resume, Metrics: record, Warn: warner(cmd)})
}

// recorder puts records of a training into the metrics and the events of its run.
func recorder(run *runs.Run) (func(record map[string]any) error, error) {
	metrics, err := run.Metrics()
	if err != nil {
		return nil, err
	}
	events, err := run.Events()
	return func(record map[string]any) error {
		return errors.Join(metrics.Append(record), events.Append(int64(record["iteration"].(int)), record))
	}, err
}

// warner prints warnings to standard error.
func warner(cmd *cobra.Command) func(format string, args ...any) {
	return func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), "warning: "+format+"\n", args...) }
}
