package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/notebook"
)

// notebookRow is an executed notebook.
type notebookRow struct {
	Name    string  `json:"name"`
	Page    string  `json:"page"` // relative to the results of the notebooks
	Cells   int     `json:"cells"`
	Figures int     `json:"figures"`
	Seconds float64 `json:"seconds"`
}

func newNotebooks() *cobra.Command {
	var opts notebook.Options
	var results string
	cmd := &cobra.Command{
		Use:   "notebooks",
		Short: "Execute all notebooks and keep what they show",
		Long: `Execute the notebooks of this repository in order, headless, and replace results/notebooks by what they showed: Markdown
with figures as files. The committed notebooks stay without outputs. Needs the environment that make setup installs.`,
		Example: "  alphagrad notebooks\n  alphagrad notebooks --quick --results /tmp/results",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			root, err := moduleRoot()
			if err != nil {
				return failure{err}
			}
			opts.Dir = filepath.Join(root, "notebooks")
			if results != "" {
				opts.Out = filepath.Join(results, "notebooks")
			}
			b := newBar(cmd, 0)
			opts.Progress = func(e notebook.Event) {
				done := e.Index
				if e.Result != nil {
					done++
				}
				b.step(e.Name, done, e.Total)
			}
			done, err := notebook.Run(cmd.Context(), opts)
			b.finish()
			if errors.Is(err, notebook.ErrNoEnvironment) {
				return err
			}
			if err != nil {
				return failure{err}
			}
			if wantsJSON(cmd) {
				rows := []notebookRow{}
				for _, r := range done {
					rows = append(rows, notebookRow{r.Name, r.Page, r.Cells, r.Figures, r.Elapsed.Seconds()})
				}
				return printJSON(cmd, rows)
			}
			for _, r := range done {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %d cells in %.1f s\n", r.Name, r.Cells, r.Elapsed.Seconds())
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&opts.Quick, "quick", false, "shrink budgets, to check that the notebooks work")
	cmd.Flags().StringVar(&results, "results", "results", "directory that receives the pages; empty: none")
	return cmd
}
