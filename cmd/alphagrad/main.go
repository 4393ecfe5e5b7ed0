// Command alphagrad finds cheap ways to compute a derivative: it counts and searches elimination orders, evaluates and
// generates Jacobians, times them, and runs the experiments and notebooks of this repository.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:])) }

// Exit codes: usage or input that the user can mend gives badInput, work that failed gives failed.
const (
	failed   = 1
	badInput = 2
)

// failure marks an error of the work itself, as opposed to one of its input.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func run(args []string) int {
	// The first Ctrl-C ends the work in good order, a second one kills it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop)

	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "alphagrad: "+strings.Join(strings.Fields(err.Error()), " "))
	var f failure
	if errors.As(err, &f) {
		return failed
	}
	return badInput
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "alphagrad",
		Short: "Find the cheapest way to compute a derivative",
		Long: `alphagrad treats a function as a computational graph and computes its Jacobian by eliminating vertices.
The order of elimination decides the cost: alphagrad counts it, searches for the cheapest order, proves
optimality where a lower bound is met, and generates Go code that computes the Jacobian in that order.

Every verb prints text for people, or JSON with --json; results go to standard output, progress to standard error.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().Bool("json", false, "print JSON")
	root.CompletionOptions.HiddenDefaultCmd = false
	for _, verb := range verbs {
		root.AddCommand(verb())
	}
	return root
}

// verbs lists the commands: one row adds one.
var verbs = []func() *cobra.Command{
	newTasks, newCount, newSearch, newJacobian, newGenerate, newBench, newTrain, newEprop, newNIR, newRules, newPlay, newRun, newNotebooks,
}
