package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/train"
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
	var method, objective, model string
	var simulations int
	var settings search.Settings
	names := methodNames()
	var about strings.Builder
	for _, m := range search.Methods() {
		fmt.Fprintf(&about, "\n  %-10s %s", m.Name, m.About)
	}
	fmt.Fprintf(&about, "\n  %-10s %s", train.Method, "a trained network plays the elimination game (--model, --simulations)")
	about.WriteString("\n\nWith --model, portfolio lets that network propose orders to improve on.")
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
			sub, err := src.load()
			if err != nil {
				return err
			}
			bar := newBar(cmd, settings.Budget)
			settings.Progress = func(p search.Progress) { bar.best(p.Cost, p.LowerBound) }
			r, err := find(cmd.Context(), sub, method, objective, model, simulations, settings)
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
	cmd.Flags().StringVar(&model, "model", "", "model file or run directory for portfolio (default: none) or alphazero (default: the model that comes with the repository)")
	cmd.Flags().IntVar(&simulations, "simulations", 16, "simulations a move for alphazero")
	complete := func(values []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values, cobra.ShellCompDirectiveNoFileComp
		}
	}
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("method", complete(names)))
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("objective", complete([]string{string(search.Muls), string(search.Ops)})))
	return cmd
}

// methodNames are the methods of package search and the one that plays with a network.
func methodNames() []string {
	var names []string
	for _, m := range search.Methods() {
		names = append(names, m.Name)
	}
	return append(names, train.Method)
}

// find runs a search method; the one that needs a network is not of package search.
func find(ctx context.Context, sub *subject, method, objective, model string, simulations int, settings search.Settings) (search.Result, error) {
	if method != train.Method {
		if !slices.Contains(methodNames(), method) {
			return search.Result{}, fmt.Errorf("unknown search method %q%s; known: %s", method, ir.Suggest(method, methodNames()), strings.Join(methodNames(), ", "))
		}
		if model != "" {
			if method != "portfolio" {
				return search.Result{}, fmt.Errorf("--model: method %s uses no network; portfolio and %s do", method, train.Method)
			}
			network, err := loadModel(model)
			if err != nil {
				return search.Result{}, err
			}
			if settings.Propose, err = train.NewProposer(network, sub.name, sub.graph, settings.Seed); err != nil {
				return search.Result{}, err
			}
		}
		return search.Run(ctx, method, search.Problem{Graph: sub.graph, Objective: search.Objective(objective)}, settings)
	}
	if objective != string(search.Muls) {
		return search.Result{}, fmt.Errorf("--objective %s: %s plays for muls only", objective, method)
	}
	if simulations < 0 {
		return search.Result{}, fmt.Errorf("--simulations %d: must not be negative", simulations)
	}
	if err := train.Playable(sub.name, sub.graph); err != nil {
		return search.Result{}, err
	}
	network, err := loadModel(model)
	if err != nil {
		return search.Result{}, err
	}
	return train.FindOrder(ctx, network, sub.graph, simulations, settings)
}
