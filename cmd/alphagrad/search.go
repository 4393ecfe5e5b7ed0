package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// searchRow is what search prints. muls and ops are recomputed from the order, not taken from the searcher.
type searchRow struct {
	Task        string       `json:"task"`
	Method      string       `json:"method"`
	Objective   string       `json:"objective"`
	Order       []int        `json:"order"`
	Muls        int64        `json:"muls"`
	Ops         opsRow       `json:"ops"`
	LowerBound  int64        `json:"lower_bound"`
	Optimal     bool         `json:"optimal"`
	Status      string       `json:"status"`
	Seconds     float64      `json:"seconds"`
	Evaluations int64        `json:"evaluations"`
	Trace       [][2]float64 `json:"trace"`
}

type opsRow struct {
	Mul int64 `json:"mul"`
	Add int64 `json:"add"`
}

func newSearch() *cobra.Command {
	var src source
	var method, objective string
	var settings search.Settings
	methods := search.Methods()
	var names []string
	var about strings.Builder
	for _, m := range methods {
		names = append(names, m.Name)
		fmt.Fprintf(&about, "\n  %-10s %s", m.Name, m.About)
	}
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Search for the cheapest elimination order",
		Long: `Search for the cheapest elimination order within a budget. The result names a lower bound on every order; where the
order's cost meets it, the order is proved optimal. Ctrl-C ends the search with the best order so far.

With --evaluations instead of --budget the same seed gives the same answer on every machine.

Methods:` + about.String(),
		Example: `  alphagrad search --task RoeFlux_1d --budget 5s
  alphagrad search --task g --method anneal --evaluations 1000000 --seed 3 --json
  alphagrad search --graph my.json --json > best.json && alphagrad count --graph my.json --order @best.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if settings.Evaluations > 0 && !cmd.Flags().Changed("budget") {
				settings.Budget = 0
			}
			if settings.Budget < 0 || settings.Evaluations < 0 || (settings.Budget == 0 && settings.Evaluations == 0) {
				return fmt.Errorf("--budget and --evaluations: one must be positive, none negative")
			}
			sub, err := src.load(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			bar := newBar(cmd, settings.Budget)
			settings.Progress = func(p search.Progress) { bar.best(p.Cost, p.LowerBound) }
			r, err := search.Run(cmd.Context(), method, search.Problem{Graph: sub.graph, Objective: search.Objective(objective)}, settings)
			bar.finish()
			if err != nil {
				return err
			}
			row := searchRow{Task: sub.name, Method: r.Method, Objective: objective, Order: r.Order, LowerBound: r.LowerBound, Optimal: r.Optimal,
				Status: string(r.Status), Seconds: r.Seconds, Evaluations: r.Evaluations, Trace: [][2]float64{}}
			if row.Muls, err = sub.graph.Muls(r.Order); err != nil {
				return failure{err}
			}
			ops, err := ad.CountOps(sub.program, r.Order)
			if err != nil {
				return failure{err}
			}
			row.Ops = opsRow{ops.Mul, ops.Add}
			for _, t := range r.Trace {
				row.Trace = append(row.Trace, [2]float64{t.Seconds, float64(t.Cost)})
			}
			if wantsJSON(cmd) {
				return printJSON(cmd, row)
			}
			proof := fmt.Sprintf("lower bound %d", row.LowerBound)
			if row.Optimal {
				proof = "proved optimal"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d multiplications (%s), found by %s in %.2f s, %d evaluations\nemitted program: %v\norder: %s\n",
				row.Task, row.Muls, proof, row.Method, row.Seconds, row.Evaluations, ops, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(row.Order)), ","), "[]"))
			return nil
		},
	}
	src.flags(cmd)
	cmd.Flags().StringVar(&method, "method", "portfolio", strings.Join(names, ", "))
	cmd.Flags().StringVar(&objective, "objective", "muls", "what to minimise: muls or ops")
	cmd.Flags().DurationVar(&settings.Budget, "budget", 10*time.Second, "wall time")
	cmd.Flags().Int64Var(&settings.Evaluations, "evaluations", 0, "number of evaluations (0: no limit)")
	cmd.Flags().Uint64Var(&settings.Seed, "seed", 1, "seed")
	complete := func(values []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values, cobra.ShellCompDirectiveNoFileComp
		}
	}
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("method", complete(names)))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("objective", complete([]string{string(search.Muls), string(search.Ops)})))
	return cmd
}
