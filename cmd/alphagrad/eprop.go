package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/learn"
	golden "github.com/alphagrad/alphagrad-go/alphagrad/snn/nest"
)

func newEprop() *cobra.Command {
	var resume string
	cmd := &cobra.Command{
		Use:   "eprop TASK.yaml [key=value …]",
		Short: "Train spiking networks by e-prop and its relatives",
		Long: `Train a spiking network as the file says (kind: eprop), in a run directory under runs/: metrics.jsonl, checkpoints, the network
(` + learn.NetworkName + `) and how it ended (outcome.json). Gradients through time are derived from one step: backpropagation through time,
real-time recurrent learning and, by dropping edges of the step's graph, e-prop and whatever else rule.edits says. Ctrl-C saves
and ends; --resume continues from the newest checkpoint of an earlier run, in a run directory of its own, exactly as if it had not
been interrupted.`,
		Example: `  alphagrad eprop experiments/eprop_evidence.yaml
  alphagrad eprop experiments/eprop_pattern.yaml rule.feedback=adaptive iterations=200
  alphagrad eprop verify`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := learn.Load(args[0], args[1:]...)
			if err != nil {
				return err
			}
			var outcome *learn.Outcome
			run, err := inRun(runName(args[0]), c.Seed, c, func(run *runs.Run) error {
				record, err := recorder(run)
				if err != nil {
					return err
				}
				b := newBar(cmd, 0)
				defer b.finish()
				outcome, err = c.Run(cmd.Context(), learn.Env{Dir: run.Dir(), Metrics: record, Progress: b.step, Resume: resume, Warn: warner(cmd)})
				return err
			})
			if err != nil {
				return err
			}
			if wantsJSON(cmd) {
				return printJSON(cmd, struct {
					Run string `json:"run"`
					*learn.Outcome
				}{run.Dir(), outcome})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d iterations in %.0f s, test loss %.4g", run.Dir(), outcome.Iterations, outcome.Seconds, outcome.Test.Loss)
			if e := outcome.Test.Error; e == e {
				fmt.Fprintf(cmd.OutOrStdout(), ", error %.1f %%", 100*e)
			}
			fmt.Fprintln(cmd.OutOrStdout())
			return nil
		},
	}
	cmd.Flags().StringVar(&resume, "resume", "", "run directory to continue")
	cmd.AddCommand(newEpropVerify())
	return cmd
}

// tolerance is that of NEST's own test.
const tolerance = 1e-8

func newEpropVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Compute the losses that the simulator NEST keeps of e-prop",
		Long: `Train the three networks of NEST's e-prop test for five iterations each, with eligibility traces that come from the automatic
differentiation of one time step, and compare the losses with those that NEST keeps. Fails where they differ by more than
a relative 1e-8.`,
		Example: "  alphagrad eprop verify --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := golden.Compute()
			if err != nil {
				return failure{err}
			}
			if wantsJSON(cmd) {
				err = printJSON(cmd, l)
			} else {
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "experiment\titeration\tloss\tNEST")
				for _, e := range []struct {
					name      string
					ours, ref []float64
				}{{"regression", l.Regression, golden.Regression}, {"classification, batch 1", l.Classification1, golden.Classification1}, {"classification, batch 2", l.Classification2, golden.Classification2}} {
					for i := range e.ours {
						fmt.Fprintf(w, "%s\t%d\t%.12f\t%.12f\n", e.name, i+1, e.ours[i], e.ref[i])
					}
				}
				fmt.Fprintf(w, "worst relative error %.1g\n", l.WorstError())
				err = w.Flush()
			}
			if err == nil && !(l.WorstError() <= tolerance) {
				err = failure{fmt.Errorf("losses differ from NEST's by a relative %.1g; expected at most %g", l.WorstError(), tolerance)}
			}
			return err
		},
	}
}
