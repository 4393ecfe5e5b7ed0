package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/optimize"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/train"
)

// searchRow is what search prints. muls, ops and memory are recomputed from the order and the program emitted for it, not
// taken from the searcher.
type searchRow struct {
	Task        string        `json:"task"`
	Method      string        `json:"method"`
	Objective   string        `json:"objective"`
	Order       []int         `json:"order"`
	Cost        int64         `json:"cost"`
	Muls        int64         `json:"muls"`
	Ops         opsRow        `json:"ops"`
	Memory      int64         `json:"memory"`
	LowerBound  int64         `json:"lower_bound"`
	Optimal     bool          `json:"optimal"`
	Status      string        `json:"status"`
	Seconds     float64       `json:"seconds"`
	Evaluations int64         `json:"evaluations"`
	Trace       [][2]float64  `json:"trace"`
	Compared    []comparedRow `json:"compared,omitempty"`
	Time        *timeRow      `json:"time,omitempty"`
}

// comparedRow is an order that was a candidate.
type comparedRow struct {
	Name   string `json:"name"`
	Muls   int64  `json:"muls"`
	Ops    opsRow `json:"ops"`
	Memory int64  `json:"memory"`
}

// timeRow is what was measured for objective time.
type timeRow struct {
	*optimize.Timing
	CPU string `json:"cpu"`
}

type opsRow struct {
	Mul int64 `json:"mul"`
	Add int64 `json:"add"`
}

func newSearch() *cobra.Command {
	var src source
	var objective, model string
	var at string
	var simulations int
	settings := optimize.Settings{Clock: optimize.DefaultClock()}
	names := methodNames()
	var about strings.Builder
	for _, m := range search.Methods() {
		fmt.Fprintf(&about, "\n  %-10s %s", m.Name, m.About)
	}
	fmt.Fprintf(&about, "\n  %-10s %s", train.Method, "a trained network plays the elimination game (--model, --simulations)")
	goals, goalsAbout := optimize.Objectives()
	about.WriteString("\n\nObjectives:")
	for i, name := range goals {
		fmt.Fprintf(&about, "\n  %-10s %s", name, goalsAbout[i])
	}
	about.WriteString("\n\nWith --model, portfolio lets that network propose orders to improve on.")
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Search for the cheapest elimination order",
		Long: `Search for the cheapest elimination order within a budget. The result names a lower bound on every order; where the
order's cost meets it, the order is proved optimal. Ctrl-C ends the search with the best order so far.

With --evaluations instead of --budget the same seed gives the same answer on every machine, measured times aside.

Of ops, memory and time nothing is proved. Their orders are compared, on the programs emitted for them, with the forward,
reverse and Markowitz orders and the one with the fewest multiplications, and are never worse. For time, which needs the Go
toolchain and takes some seconds more than the budget, candidates are compiled and take turns; one is chosen only if it is
faster than the better of forward and reverse beyond doubt. A task is timed at points of its domain, other functions at the
point given by --at.

Methods:` + about.String(),
		Example: `  alphagrad search --task RoeFlux_1d --budget 5s
  alphagrad search --task g --method anneal --evaluations 1000000 --seed 3 --json
  alphagrad search --task RoeFlux_1d --objective time
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
			if objective != optimize.Time && (at != "" || cmd.Flags().Changed("batch")) {
				return fmt.Errorf("--at and --batch are for --objective %s", optimize.Time)
			}
			problem := optimize.Problem{Program: sub.program, Graph: sub.graph, Objective: objective}
			if objective == optimize.Time {
				if problem.Points, err = timingPoints(sub, at, cmd.InOrStdin()); err != nil {
					return err
				}
			}
			bar := newBar(cmd, settings.Budget)
			settings.Progress = func(p search.Progress) { bar.best(p.Cost, p.LowerBound) }
			r, err := find(cmd.Context(), sub, problem, model, simulations, settings)
			bar.finish()
			if err != nil {
				return err
			}
			best := r.Best
			row := searchRow{Task: sub.name, Method: r.Method, Objective: objective, Order: r.Order, Cost: r.Cost, Muls: best.Muls, Ops: rowOf(best.Ops), Memory: best.Memory,
				LowerBound: r.LowerBound, Optimal: r.Optimal, Status: string(r.Status), Seconds: r.Seconds, Evaluations: r.Evaluations, Trace: [][2]float64{}}
			for _, t := range r.Trace {
				row.Trace = append(row.Trace, [2]float64{t.Seconds, float64(t.Cost)})
			}
			if objective != optimize.Muls {
				for _, c := range r.Compared {
					row.Compared = append(row.Compared, comparedRow{c.Name, c.Muls, rowOf(c.Ops), c.Memory})
				}
			}
			if r.Timing != nil {
				row.Time = &timeRow{r.Timing, runs.Host().CPU}
			}
			if wantsJSON(cmd) {
				return printJSON(cmd, row)
			}
			printOrder(cmd.OutOrStdout(), &row, r)
			return nil
		},
	}
	src.flags(cmd)
	cmd.Flags().StringVar(&settings.Method, "method", "portfolio", strings.Join(names, ", "))
	cmd.Flags().StringVar(&objective, "objective", "muls", "what to minimise: "+strings.Join(goals, ", "))
	cmd.Flags().StringVar(&at, "at", "", "for time, unless of a task: JSON file with the point, - for standard input")
	cmd.Flags().IntVar(&settings.Clock.Batch, "batch", 1, "for time: samples a call")
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
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("objective", complete(goals)))
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
func find(ctx context.Context, sub *subject, p optimize.Problem, model string, simulations int, settings optimize.Settings) (*optimize.Result, error) {
	if method := settings.Method; method != train.Method {
		if !slices.Contains(methodNames(), method) {
			return nil, fmt.Errorf("unknown search method %q%s; known: %s", method, ir.Suggest(method, methodNames()), strings.Join(methodNames(), ", "))
		}
		if model != "" {
			if method != "portfolio" {
				return nil, fmt.Errorf("--model: method %s uses no network; portfolio and %s do", method, train.Method)
			}
			network, err := loadModel(model)
			if err != nil {
				return nil, err
			}
			if settings.Propose, err = train.NewProposer(network, sub.name, sub.graph, settings.Seed); err != nil {
				return nil, err
			}
		}
		return optimize.Run(ctx, p, settings)
	}
	if p.Objective != optimize.Muls {
		return nil, fmt.Errorf("--objective %s: %s plays for %s only", p.Objective, train.Method, optimize.Muls)
	}
	if simulations < 0 {
		return nil, fmt.Errorf("--simulations %d: must not be negative", simulations)
	}
	if err := train.Playable(sub.name, sub.graph); err != nil {
		return nil, err
	}
	network, err := loadModel(model)
	if err != nil {
		return nil, err
	}
	r, err := train.FindOrder(ctx, network, sub.graph, simulations, settings.Settings)
	if err != nil {
		return nil, err
	}
	best := optimize.Candidate{Name: r.Method, Order: r.Order}
	return &optimize.Result{Result: r, Best: best, Compared: []optimize.Candidate{best}}, best.Price(p)
}

func rowOf(c ir.OpCount) opsRow { return opsRow{c.Mul, c.Add} }

// timingPoints are where a program is timed: in the domain of a task, or at the point given.
func timingPoints(sub *subject, at string, stdin io.Reader) ([][]float64, error) {
	switch ok, _ := sub.program.IsScalar(); {
	case !ok:
		return nil, nil // which optimize refuses, naming the array
	case at != "":
		x, err := readPoint(sub, at, stdin)
		var point []float64
		for _, v := range x {
			point = append(point, v.Data...)
		}
		return [][]float64{point}, err
	case sub.task != nil:
		return sub.task.Points(rand.New(rand.NewPCG(1, 0)), 16)
	}
	return nil, fmt.Errorf("--objective %s: --at is needed, a JSON file with inputs to time the program at", optimize.Time)
}

// printOrder prints a result for people.
func printOrder(w io.Writer, row *searchRow, r *optimize.Result) {
	ops := r.Best.Ops
	how := fmt.Sprintf("found by %s in %.2f s, %d evaluations", row.Method, row.Seconds, row.Evaluations)
	switch row.Objective {
	case optimize.Muls:
		proof := fmt.Sprintf("lower bound %d", row.LowerBound)
		if row.Optimal {
			proof = "proved optimal"
		}
		fmt.Fprintf(w, "%s: %d multiplications (%s), %s\n", row.Task, row.Muls, proof, how)
	case optimize.Ops:
		fmt.Fprintf(w, "%s: %d multiplications and additions in the emitted program, %s\n", row.Task, ops.Mul+ops.Add, how)
	case optimize.Memory:
		fmt.Fprintf(w, "%s: %d numbers held at once by the emitted program, %s\n", row.Task, row.Memory, how)
	case optimize.Time:
		if r.Timing != nil {
			fmt.Fprintf(w, "%s: %v, %s\n", row.Task, r.Timing, how)
		} else {
			fmt.Fprintf(w, "%s: not measured, %s\n", row.Task, how)
		}
	}
	fmt.Fprintf(w, "emitted program: %v; %d numbers held at once; %d multiplications on the graph\n", ops, row.Memory, row.Muls)
	if len(row.Compared) > 0 {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, "candidate\tmuls\tmul\tadd\tmemory\t")
		for _, c := range row.Compared {
			fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t\n", c.Name, c.Muls, c.Ops.Mul, c.Ops.Add, c.Memory)
		}
		t.Flush()
	}
	fmt.Fprintf(w, "order: %s\n", strings.Trim(strings.Join(strings.Fields(fmt.Sprint(row.Order)), ","), "[]"))
}
