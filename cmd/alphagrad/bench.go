package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/experiments"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// benchRow is one row of the speed-up table; times in nanoseconds per value and Jacobian, with quartiles.
type benchRow struct {
	Task          string     `json:"task"`
	Order         string     `json:"order"`
	Muls          int64      `json:"muls"`
	Ops           opsRow     `json:"ops"`
	Single        [3]float64 `json:"single_ns"`      // quartiles
	Batch         [3]float64 `json:"batch_ns"`       // per sample
	SpeedupSingle [3]float64 `json:"speedup_single"` // over the better of forward and reverse
	SpeedupBatch  [3]float64 `json:"speedup_batch"`
}

func newBench() *cobra.Command {
	c := experiments.DefaultPoster()
	c.Search.Seeds = []uint64{1}
	c.Search.Budget = time.Second
	var own source
	var at string
	var peers, install bool
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Time the Jacobians of different elimination orders on this machine",
		Long: `Generate, compile and time the value-and-Jacobian programs of the forward, reverse, Markowitz and published orders and of
the best order of a short search. Candidates take turns; medians and quartiles are reported, speed-ups over the better of
forward and reverse pair by pair. Needs the Go toolchain.

With --peers our code of the order with the fewest operations is timed beside compiled C, CasADi, CppADCodeGen, Enzyme, JAX,
gonum's finite differences and GoMLX's gradients. The Python libraries are installed into .cache/peers of the checkout the
first time; what is missing or fails is named and left out. Ctrl-C prints what was measured so far.`,
		Example: "  alphagrad bench --task RoeFlux_1d\n  alphagrad bench --task g --task RobotArm_6DOF --batch 4096 --json\n  alphagrad bench --go flux.go:Flux --at point.json\n  alphagrad bench --peers --task RoeFlux_1d",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.Validate(); err != nil {
				return err
			}
			if peers {
				return benchPeers(cmd, c, install)
			}
			measure := c.Measure
			if own.function != "" {
				task, err := own.taskAt(cmd, at)
				if err != nil {
					return err
				}
				measure = func(ctx context.Context, env experiments.Env) ([]*experiments.TaskResult, error) {
					return c.MeasureTasks(ctx, env, []*tasks.Task{task})
				}
			}
			b := newBar(cmd, 0)
			results, err := measure(cmd.Context(), experiments.Env{Progress: b.step})
			b.finish()
			if err != nil {
				return failure{err}
			}
			if !wantsJSON(cmd) {
				text, err := c.SpeedupTable(results).Text()
				if err != nil {
					return failure{err}
				}
				_, err = cmd.OutOrStdout().Write([]byte(text))
				return err
			}
			rows := []benchRow{}
			for _, r := range results {
				for i, s := range r.Speedups() {
					o := r.Orders[i]
					rows = append(rows, benchRow{r.Task.Name, s.Method, o.Muls, rowOf(o.Ops),
						triple(s.Single), triple(s.Batch), triple(s.FasterSingle), triple(s.FasterBatch)})
				}
			}
			return printJSON(cmd, rows)
		},
	}
	cmd.Flags().StringArrayVar(&c.Tasks, "task", c.Tasks, "a task to time, may be repeated (default: all)")
	cmd.Flags().DurationVar(&c.Search.Budget, "budget", c.Search.Budget, "search time for each task")
	cmd.Flags().Uint64Var(&c.Search.Seeds[0], "seed", 1, "seed of the search")
	cmd.Flags().IntVar(&c.Bench.Repetitions, "repetitions", c.Bench.Repetitions, "turns taken by every candidate")
	cmd.Flags().Float64Var(&c.Bench.Milliseconds, "milliseconds", c.Bench.Milliseconds, "length of a turn")
	cmd.Flags().IntVar(&c.Bench.Batch, "batch", c.Bench.Batch, "samples of the batched form")
	cmd.Flags().BoolVar(&peers, "peers", false, "time other libraries too")
	cmd.Flags().BoolVar(&install, "install", true, "with --peers: install the Python libraries if they are not there")
	own.goFlags(cmd)
	cmd.Flags().StringVar(&at, "at", "", "JSON file with the point at which the function given by --go is timed, - for standard input")
	cmd.MarkFlagsMutuallyExclusive("task", "go")
	cmd.MarkFlagsMutuallyExclusive("peers", "go")
	cmd.MarkFlagsRequiredTogether("go", "at")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("task", completeTasks))
	return cmd
}

func triple(q bench.Quartiles) [3]float64 { return [3]float64{q.Q1, q.Median, q.Q3} }

// taskAt makes a task of an ordinary Go function, sampled at one point.
func (s *source) taskAt(cmd *cobra.Command, at string) (*tasks.Task, error) {
	sub, err := s.load()
	if err != nil {
		return nil, err
	}
	x, err := readPoint(sub, at, cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	if _, err := evaluate(sub, nil, x); err != nil { // not finite there
		return nil, err
	}
	var numbers []float64
	for _, v := range x {
		numbers = append(numbers, v.Data...)
	}
	return tasks.At(sub.program, numbers), nil
}
