package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/train"
)

// playRow is what play prints. muls is the cost of the cheapest complete order met, played that of the order as played;
// both are replayed from the root. The bare policy meets no other order than its own.
type playRow struct {
	Task        string  `json:"task"`
	Order       []int   `json:"order"`
	Muls        int64   `json:"muls"`
	Played      int64   `json:"played"`
	Ops         opsRow  `json:"ops"`
	Simulations int     `json:"simulations"`
	Seconds     float64 `json:"seconds"`
	Evaluations int64   `json:"evaluations"`
}

// shippedModel is the general model that comes with the repository.
var shippedModel = filepath.Join("results", "alphazero", train.ModelName)

func newPlay() *cobra.Command {
	var src source
	var model string
	var seed uint64
	var simulations int
	var plain bool
	cmd := &cobra.Command{
		Use:   "play",
		Short: "Let a trained network choose the elimination order",
		Long: `Play the elimination game with a trained network and tree search, without noise, and print the cheapest order met. --simulations 0
is the bare policy: the likeliest move, one evaluation each, and the order it makes. Vertices that a proof allows to eliminate at once are not searched for, unless --no-reductions is given.`,
		Example: `  alphagrad play --task RoeFlux_1d --simulations 64
  alphagrad play --graph my.json --model runs/train_general-20260101-120000 --simulations 0 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if simulations < 0 {
				return fmt.Errorf("--simulations %d: must not be negative", simulations)
			}
			sub, err := src.load()
			if err != nil {
				return err
			}
			if err := train.Playable(sub.name, sub.graph); err != nil {
				return err
			}
			network, err := loadModel(model)
			if err != nil {
				return err
			}
			reduce := game.All
			if plain {
				reduce = game.None
			}
			g, err := train.NewGame(sub.name, sub.graph, reduce)
			if err != nil {
				return err
			}
			options := train.Default().PlayOptions(simulations)
			options.Algorithm = mcts.Gumbel
			agent, err := train.NewAgent(network, options)
			if err != nil {
				return failure{err}
			}
			start := time.Now()
			var p *train.Play
			played := make(chan error, 1)
			go func() {
				var err error
				p, err = agent.Play(g, seed)
				played <- err
			}()
			select {
			case <-cmd.Context().Done(): // the game is given up: the program ends
				return failure{fmt.Errorf("interrupted after %.1f s; fewer --simulations take less", time.Since(start).Seconds())}
			case err := <-played:
				if err != nil {
					return failure{err}
				}
			}
			if simulations == 0 {
				p.Order = p.Line
				if p.Muls, err = sub.graph.Muls(p.Order); err != nil {
					return failure{err}
				}
			}
			row := playRow{Task: sub.name, Order: p.Order, Muls: p.Muls, Played: p.Played, Simulations: simulations, Seconds: time.Since(start).Seconds(), Evaluations: p.Evaluations}
			ops, err := ad.CountOps(sub.program, p.Order)
			if err != nil {
				return failure{err}
			}
			row.Ops = opsRow{ops.Mul, ops.Add}
			if wantsJSON(cmd) {
				return printJSON(cmd, row)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d multiplications (as played %d) with %d simulations a move, %d evaluations in %.2f s\n", row.Task, row.Muls, row.Played, simulations, row.Evaluations, row.Seconds)
			return nil
		},
	}
	src.flags(cmd)
	cmd.Flags().StringVar(&model, "model", "", "model file or run directory (default: the model that comes with the repository)")
	cmd.Flags().IntVar(&simulations, "simulations", 64, "simulations a move; 0: the bare policy")
	cmd.Flags().BoolVar(&plain, "no-reductions", false, "offer every vertex at every move")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the search")
	return cmd
}

// loadModel reads a model file, or the best model of a run directory.
func loadModel(path string) (*net.Network, error) {
	if path == "" {
		root, err := moduleRoot()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(root, shippedModel)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("--model is needed: the shipped model %s is not here", shippedModel)
		}
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, train.ModelName)
	}
	n, err := net.Load(path)
	if err != nil {
		return nil, fmt.Errorf("--model: %w", err)
	}
	return n, nil
}
