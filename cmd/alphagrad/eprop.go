package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	golden "github.com/alphagrad/alphagrad-go/alphagrad/snn/nest"
)

func newEprop() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "eprop",
		Short: "Train spiking networks by e-prop and its relatives",
		Long: `Spiking networks whose gradients through time are derived from one step: backpropagation through time, real-time recurrent
learning and, by dropping edges of the step's graph, e-prop and its relatives.`,
		Example: "  alphagrad eprop verify",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
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
