package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/nir"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/learn"
)

// nirRow is what nir prints about a file.
type nirRow struct {
	Version    string         `json:"version"`
	Nodes      []nirNode      `json:"nodes"`
	Edges      [][2]string    `json:"edges"`
	Layers     []nirLayer     `json:"layers"`            // of the network that the graph is
	Refused    string         `json:"refused,omitempty"` // why it is none
	Simulation *nirSimulation `json:"simulation,omitempty"`
}

type nirNode struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Parameters []nir.Parameter `json:"parameters"`
}

type nirLayer struct {
	Name      string `json:"name"`
	Model     string `json:"model"`
	Size      int    `json:"size"`
	Recurrent bool   `json:"recurrent"`
}

type nirSimulation struct {
	Steps  int                  `json:"steps"`
	Spikes map[string]float64   `json:"spikes"` // of all neurons of a node that spikes
	Last   map[string][]float64 `json:"last"`   // what the outputs put out in the last step
}

// nirFlags say how time in a file and steps belong together.
type nirFlags struct {
	dt, unit float64
	euler    bool
}

func (f *nirFlags) flags(cmd *cobra.Command) {
	cmd.Flags().Float64Var(&f.dt, "dt", 1, "length of a time step in ms")
	cmd.Flags().Float64Var(&f.unit, "time-unit", 1000, "ms in one unit of the file's time constants; 1000: they are in seconds")
	cmd.Flags().BoolVar(&f.euler, "euler", false, "carry equations over a step by Euler's method, as most simulators do, instead of exactly")
}

func (f *nirFlags) options() (nir.Options, error) {
	o := nir.Options{TimeUnit: f.unit}
	if f.euler {
		o.Method = nir.Euler
	}
	if !(f.unit > 0) || !(f.dt > 0) {
		return o, errors.New("--dt and --time-unit: expected positive numbers")
	}
	return o, nil
}

func newNIR() *cobra.Command {
	var f nirFlags
	var steps int
	var rate float64
	var seed uint64
	cmd := &cobra.Command{
		Use:   "nir FILE",
		Short: "Look at a network in the Neuromorphic Intermediate Representation",
		Long: `Read and check a NIR file, the format in which simulators and chips exchange spiking networks: its nodes with their
parameters, its edges, and the layers of the network that it is here, or why it is none. --simulate runs the graph straight
from its equations on random spikes. "nir export" writes a trained network.`,
		Example: `  alphagrad nir network.nir --json
  alphagrad nir network.nir --simulate 1000 --rate 40
  alphagrad nir export runs/mine/network.json -o mine.nir`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.options()
			if err != nil {
				return err
			}
			if p := rate * f.dt / 1000; steps < 0 || rate < 0 || p > 1 {
				return fmt.Errorf("--simulate %d --rate %g: steps are not negative, and a rate is from 0 to one spike a step", steps, rate)
			}
			g, err := nir.Read(args[0])
			if err != nil {
				return err
			}
			row := describeNIR(g, f.dt, o)
			if steps > 0 {
				if row.Simulation, err = simulateNIR(g, f.dt, o, steps, rate*f.dt/1000, runs.Seed(seed)); err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
			}
			if wantsJSON(cmd) {
				return printJSON(cmd, row)
			}
			return row.print(cmd.OutOrStdout(), float64(steps)*f.dt/1000)
		},
	}
	f.flags(cmd)
	cmd.Flags().IntVar(&steps, "simulate", 0, "number of steps to simulate")
	cmd.Flags().Float64Var(&rate, "rate", 40, "spikes per second of each input in the simulation")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the input spikes")
	cmd.AddCommand(newNIRExport())
	return cmd
}

func describeNIR(g *nir.Graph, dt float64, o nir.Options) *nirRow {
	row := &nirRow{Version: g.Version, Nodes: []nirNode{}, Edges: [][2]string{}, Layers: []nirLayer{}}
	for _, name := range g.Names() {
		row.Nodes = append(row.Nodes, nirNode{name, g.Nodes[name].Type(), nir.Parameters(g.Nodes[name])})
	}
	for _, e := range g.Edges {
		row.Edges = append(row.Edges, [2]string{e.From, e.To})
	}
	n, _, err := g.Network(dt, o)
	if err != nil {
		row.Refused = err.Error()
		return row
	}
	for _, l := range n.Layers {
		row.Layers = append(row.Layers, nirLayer{l.Name, l.Model, l.Size, l.Recurrent})
	}
	return row
}

// simulateNIR runs a graph with inputs that spike with a probability in every step.
func simulateNIR(g *nir.Graph, dt float64, o nir.Options, steps int, likely float64, seed runs.Seed) (*nirSimulation, error) {
	flat, err := g.Inline()
	if err != nil {
		return nil, err
	}
	s, err := flat.Simulate(dt/o.TimeUnit, o.Method)
	if err != nil {
		return nil, err
	}
	result := &nirSimulation{Steps: steps, Spikes: map[string]float64{}, Last: map[string][]float64{}}
	rnd, in := seed.Sub("inputs").Rand(), map[string][]float64{}
	for _, name := range flat.Names() {
		switch n := flat.Nodes[name].(type) {
		case *nir.Input:
			size := 1
			for _, d := range n.Shape {
				size *= d
			}
			in[name] = make([]float64, size)
		case *nir.LIF, *nir.CubaLIF:
			result.Spikes[name] = 0
		}
	}
	for range steps {
		for _, name := range slices.Sorted(maps.Keys(in)) {
			for i := range in[name] {
				in[name][i] = 0
				if rnd.Float64() < likely {
					in[name][i] = 1
				}
			}
		}
		out, err := s.Step(in)
		if err != nil {
			return nil, err
		}
		for name := range result.Spikes {
			for _, z := range out[name] {
				result.Spikes[name] += z
			}
		}
		for name, n := range flat.Nodes {
			if n.Type() == "Output" {
				result.Last[name] = out[name]
			}
		}
	}
	return result, nil
}

// print writes what nir prints for people; seconds is how long the simulation lasted.
func (r *nirRow) print(to io.Writer, seconds float64) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "NIR %s\nnode\ttype\tparameters\n", r.Version)
	for _, n := range r.Nodes {
		var list []string
		for _, p := range n.Parameters {
			switch {
			case p.Min == nil:
				list = append(list, fmt.Sprintf("%s %v", p.Name, p.Shape))
			case *p.Min == *p.Max:
				list = append(list, fmt.Sprintf("%s %v = %.4g", p.Name, p.Shape, *p.Min))
			default:
				list = append(list, fmt.Sprintf("%s %v %.4g…%.4g", p.Name, p.Shape, *p.Min, *p.Max))
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", n.Name, n.Type, strings.Join(list, ", "))
	}
	for _, e := range r.Edges {
		fmt.Fprintf(w, "%s → %s\n", e[0], e[1])
	}
	for _, l := range r.Layers {
		fmt.Fprintf(w, "layer %s: %d %s neurons%s\n", l.Name, l.Size, l.Model, map[bool]string{true: ", recurrent"}[l.Recurrent])
	}
	if r.Refused != "" {
		fmt.Fprintf(w, "no network of this program: %s\n", r.Refused)
	}
	if s := r.Simulation; s != nil {
		for _, name := range slices.Sorted(maps.Keys(s.Spikes)) {
			fmt.Fprintf(w, "%s: %.0f spikes in %g s\n", name, s.Spikes[name], seconds)
		}
		for _, name := range slices.Sorted(maps.Keys(s.Last)) {
			fmt.Fprintf(w, "%s: %.4g in the last step\n", name, s.Last[name])
		}
	}
	return w.Flush()
}

func newNIRExport() *cobra.Command {
	var f nirFlags
	var out string
	var anyReset bool
	cmd := &cobra.Command{
		Use:   "export " + learn.NetworkName,
		Short: "Write a trained network as a NIR file",
		Long: `Write the network of a training's run directory (` + learn.NetworkName + `) as a NIR file. NIR has lif, cuba_lif and leaky neurons that
reset to a value; what it has no words for is refused by the name of the layer.`,
		Example: "  alphagrad nir export runs/mine/" + learn.NetworkName + " -o mine.nir",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.options()
			if err != nil {
				return err
			}
			if out == "" {
				return errors.New("--output: a file is needed")
			}
			o.AnyReset = anyReset
			var n *snn.Network
			var params snn.Values
			if n, params, err = learn.ReadNetwork(args[0]); err != nil {
				return err
			}
			g, err := nir.FromNetwork(n, params, o)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := nir.Write(out, g); err != nil {
				return failure{err}
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "written", out)
			return nil
		},
	}
	cmd.Flags().Float64Var(&f.unit, "time-unit", 1000, "ms in one unit of the file's time constants; 1000: they are in seconds")
	cmd.Flags().BoolVar(&f.euler, "euler", false, "choose time constants for simulators that use Euler's method")
	cmd.Flags().BoolVar(&anyReset, "any-reset", false, "export neurons that reset by subtraction too; others will simulate a reset to 0")
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write")
	f.dt = 1
	return cmd
}
