package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// EpropScaling measures memory and time of a step of gradients through time against the length of sequences and the size of
// the network, beside what is counted in the programs; and e-prop beside the same algorithm written in GoMLX.
type EpropScaling struct {
	Kind    string  `yaml:"kind"`
	Seed    uint64  `yaml:"seed"`
	Neurons int     `yaml:"neurons"` // of the network whose sequences grow; it has as many inputs
	Steps   []int   `yaml:"steps"`   // lengths of sequences
	Sizes   []int   `yaml:"sizes"`   // neurons of the networks that grow
	Exact   int     `yaml:"exact"`   // largest network for RTRL
	Length  int     `yaml:"length"`  // steps of the sequences of networks that grow
	Rate    float64 `yaml:"rate"`    // probability of a spike of an input in a step
	Repeats int     `yaml:"repeats"` // of every measurement at least; short ones go on for 0.2 s times as many
	Batch   int     `yaml:"batch"`   // of the comparison with GoMLX
}

// DefaultEpropScaling goes to sequences of 10⁵ steps and networks of 400 neurons.
func DefaultEpropScaling() *EpropScaling {
	return &EpropScaling{Kind: "eprop_scaling", Seed: 1, Neurons: 16, Steps: []int{100, 1000, 10_000, 100_000}, Sizes: []int{8, 16, 25, 50, 100, 200, 400}, Exact: 25,
		Length: 200, Rate: 0.04, Repeats: 5, Batch: 32}
}

// RootSeed is the seed of weights and inputs.
func (c *EpropScaling) RootSeed() uint64 { return c.Seed }

// Validate reports settings that cannot be run.
func (c *EpropScaling) Validate() error {
	switch {
	case len(c.Steps) == 0 || len(c.Sizes) == 0:
		return errors.New("steps or sizes: the list is empty")
	case c.Neurons < 1 || c.Length < 1 || c.Repeats < 1 || c.Batch < 1 || c.Exact < 0:
		return errors.New("neurons, length, repeats and batch: at least 1; exact: at least 0")
	case c.Rate < 0 || c.Rate > 1:
		return fmt.Errorf("rate is %g; a probability is from 0 to 1", c.Rate)
	}
	for _, n := range append(append([]int(nil), c.Steps...), c.Sizes...) {
		if n < 1 {
			return fmt.Errorf("steps and sizes: %d; at least 1", n)
		}
	}
	return nil
}

// scaled is one measurement.
type scaled struct {
	Method    string  `json:"method"`
	Neurons   int     `json:"neurons"`
	Steps     int     `json:"steps"`
	Carried   int64   `json:"carried"`          // numbers carried from step to step, counted in the program; of BPTT: stored of the sequence
	Bytes     int64   `json:"bytes"`            // of buffers, as allocated
	Muls      int64   `json:"muls"`             // multiplications of a step, counted in the programs that run
	Seconds   float64 `json:"seconds_per_step"` // of the shortest turn: other work on the machine only makes turns longer
	spread    bench.Quartiles
	operation int64 // multiplications and additions of a step
}

// methods are those compared, and whether they are tried on a network of so many neurons.
func (c *EpropScaling) methods(r *ad.Recurrence, neurons int) []snn.Method {
	list := []snn.Method{snn.BPTT(), snn.Eprop(r, snn.Random, true), snn.Eprop(r, snn.Random, false)}
	list[1].Name, list[2].Name = "e-prop, forward", "e-prop, reverse"
	list[0].Name = "BPTT"
	if neurons <= c.Exact {
		m := snn.RTRL()
		m.Name = "RTRL"
		list = append(list, m)
	}
	return list
}

// adaptive is a recurrent network of adaptive neurons with as many inputs, and its parameters.
func (c *EpropScaling) adaptive(inputs, neurons int) (*ad.Recurrence, snn.Values, error) {
	n := snn.Network{Inputs: inputs, Layers: []snn.Layer{{Name: "rec", Model: "alif", Size: neurons, Recurrent: true}}, Readout: snn.Readout{Size: 2, Tau: 20}, Loss: snn.CrossEntropy}
	r, err := n.Recurrence()
	if err != nil {
		return nil, nil, err
	}
	return r, n.Draw(r, runs.Seed(c.Seed).Sub("weights").Rand(), snn.Spread{}), nil
}

// poisson is a batch of random spikes.
func (c *EpropScaling) poisson(inputs, steps, size int) *snn.Batch {
	rnd := rand.New(rand.NewPCG(c.Seed, uint64(steps)))
	b := &snn.Batch{Steps: steps, Size: size, Input: make([]float64, steps*size*inputs), Target: make([]float64, steps*size*2), Weight: make([]float64, steps*size)}
	for i := range b.Input {
		if rnd.Float64() < c.Rate {
			b.Input[i] = 1
		}
	}
	for i := range b.Weight {
		b.Weight[i], b.Target[2*i+rnd.IntN(2)] = 1, 1
	}
	return b
}

// measure times the methods on one sequence, in turns.
func (c *EpropScaling) measure(ctx context.Context, neurons, steps int) ([]*scaled, error) {
	r, shared, err := c.adaptive(neurons, neurons)
	if err != nil {
		return nil, err
	}
	b := c.poisson(neurons, steps, 1)
	var list []*scaled
	var gradients []*snn.Gradient
	for _, m := range c.methods(r, neurons) {
		g, err := snn.NewGradient(r, m)
		if err != nil {
			return nil, err
		}
		s := &scaled{Method: m.Name, Neurons: neurons, Steps: steps}
		programs := []*ir.Program{}
		if m.Forward {
			s.Carried = g.Carrier.Elements()
			programs = append(programs, g.Carrier.Step)
		} else {
			for _, state := range r.States {
				s.Carried += int64(steps * r.Shape(state).Size())
			}
			primal, err := r.Primal()
			if err != nil {
				return nil, err
			}
			back, err := r.Reverse(m.Edits...)
			if err != nil {
				return nil, err
			}
			programs = append(programs, primal, back)
		}
		for _, p := range programs {
			n, err := ir.Count(p)
			if err != nil {
				return nil, err
			}
			s.Muls += n.Mul
			s.operation += n.Mul + n.Add
		}
		list, gradients = append(list, s), append(gradients, g)
	}
	times := make([][]float64, len(list))
	enough := time.Now().Add(time.Duration(c.Repeats) * 200 * time.Millisecond)
	for k := 0; k <= c.Repeats || time.Now().Before(enough); k++ { // the first turn warms up
		for i, g := range gradients {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			start := time.Now()
			if _, err := g.Compute(shared, b); err != nil {
				return nil, err
			}
			if k > 0 {
				times[i] = append(times[i], time.Since(start).Seconds()/float64(steps))
			}
		}
	}
	for i, s := range list {
		s.Bytes, s.spread = gradients[i].Bytes(), bench.Summarize(times[i])
		s.Seconds = slices.Min(times[i])
	}
	return list, nil
}

// Run measures and reports.
func (c *EpropScaling) Run(ctx context.Context, env Env) error {
	total := len(c.Steps) + len(c.Sizes) + 1
	var byLength, bySize []*scaled
	for k, steps := range c.Steps {
		env.progress(fmt.Sprintf("%d steps", steps), k, total)
		list, err := c.measure(ctx, c.Neurons, steps)
		if err != nil {
			return err
		}
		byLength = append(byLength, list...)
	}
	for k, n := range c.Sizes {
		env.progress(fmt.Sprintf("%d neurons", n), len(c.Steps)+k, total)
		list, err := c.measure(ctx, n, c.Length)
		if err != nil {
			return err
		}
		bySize = append(bySize, list...)
	}
	env.progress("beside GoMLX", total-1, total)
	rival, err := c.besideGoMLX(ctx, 100, 100)
	if err != nil {
		return err
	}
	env.progress("done", total, total)
	data, err := json.MarshalIndent(map[string]any{"by_length": byLength, "by_size": bySize, "gomlx": rival}, "", " ")
	if err != nil {
		return err
	}
	if err := runs.WriteFile(filepath.Join(env.Dir, "scaling.json"), append(data, '\n')); err != nil {
		return err
	}
	p := newPage(env.Dir, "Gradients through time: memory and time", "eprop_scaling.yaml")
	p.printf("\nRecurrent networks of adaptive neurons with as many inputs as neurons, whose inputs fire in %g %% of the steps; one sequence on one core, float64. "+
		"E-prop in reverse is the same gradient as e-prop forward, by adjoints of the edited step.\n", 100*c.Rate)
	p.table("length", c.lengthTable(byLength))
	p.figure("memory_by_length", "memory by length", scalingFigure(byLength, "Memory by length of the sequence", "steps", "memory", "MB", func(s *scaled) (float64, float64) { return float64(s.Steps), float64(s.Bytes) / 1e6 }))
	p.table("size", c.sizeTable(bySize))
	p.figure("time_by_size", "time by size", scalingFigure(bySize, "Time of a step by size of the network", "neurons", "time a step", "µs", func(s *scaled) (float64, float64) { return float64(s.Neurons), 1e6 * s.Seconds }))
	p.figure("memory_by_size", "memory by size", scalingFigure(bySize, "Numbers carried by size of the network", "neurons", "numbers carried", "", func(s *scaled) (float64, float64) { return float64(s.Neurons), float64(s.Carried) }))
	p.table("gomlx", rival.table(c))
	return p.save()
}

func scalingFigure(list []*scaled, title, x, y, unit string, of func(s *scaled) (x, y float64)) report.Figure {
	f := report.LinePlot{Title: title, X: report.Axis{Label: x, Log: true}, Y: report.Axis{Label: y, Unit: unit, Log: true}}
	at := map[string]int{}
	for _, s := range list {
		k, known := at[s.Method]
		if !known {
			k = len(f.Series)
			at[s.Method] = k
			f.Series = append(f.Series, report.Series{Name: s.Method, Style: report.LinesMarkers})
		}
		px, py := of(s)
		f.Series[k].X, f.Series[k].Y = append(f.Series[k].X, px), append(f.Series[k].Y, py)
	}
	return f
}

func (c *EpropScaling) lengthTable(list []*scaled) report.Table {
	t := report.Table{Title: "By length of the sequence", Caption: fmt.Sprintf("%d neurons. Memory: buffers as allocated for one sequence, without parameters and data. Times: median and quartiles of at least %d turns.", c.Neurons, c.Repeats),
		Columns: []report.Column{{Name: "method"}, {Name: "steps"}, {Name: "numbers carried or stored"}, {Name: "memory", Unit: "MB", Format: "%.3f"}, {Name: "time a step", Unit: "µs", Format: "%.1f"}}}
	for _, s := range list {
		t.Rows = append(t.Rows, []any{s.Method, s.Steps, s.Carried, float64(s.Bytes) / 1e6, micro(s.spread)})
	}
	return t
}

func micro(q bench.Quartiles) report.Range {
	return report.Range{Value: 1e6 * q.Median, Low: 1e6 * q.Q1, High: 1e6 * q.Q3}
}

func (c *EpropScaling) sizeTable(list []*scaled) report.Table {
	t := report.Table{Title: "By size of the network",
		Caption: fmt.Sprintf("Sequences of %d steps. Time: median and quartiles; growth and GFLOP/s by the shortest turn. Growth: factor from the size before, of the multiplications counted in the programs and of the time; of an ideal algorithm both are equal. "+
			"Counts take no account of zeros: matrices times spikes are cheaper than counted, which is why the time of the reverse methods grows less. %s", c.Length, growth(list, "e-prop, forward")),
		Columns: []report.Column{{Name: "method"}, {Name: "neurons"}, {Name: "numbers carried or stored"}, {Name: "multiplications a step"}, {Name: "time a step", Unit: "µs", Format: "%.1f"}, {Name: "growth counted", Format: "%.2f"},
			{Name: "growth measured", Format: "%.2f"}, {Name: "GFLOP/s", Format: "%.2f"}}}
	before := map[string]*scaled{}
	for _, s := range list {
		row := []any{s.Method, s.Neurons, s.Carried, s.Muls, micro(s.spread), nil, nil, float64(s.operation) / s.Seconds / 1e9}
		if b := before[s.Method]; b != nil {
			row[5], row[6] = float64(s.Muls)/float64(b.Muls), s.Seconds/b.Seconds
		}
		before[s.Method] = s
		t.Rows = append(t.Rows, row)
	}
	return t
}

// growth says how the growth of the time of a method from size to size compares with what is counted.
func growth(list []*scaled, method string) string {
	var before *scaled
	var ratios []float64
	near := 0
	for _, s := range list {
		if s.Method != method {
			continue
		}
		if before != nil {
			r := s.Seconds / before.Seconds / (float64(s.Muls) / float64(before.Muls))
			if ratios = append(ratios, r); r <= 2 && r >= 0.5 {
				near++
			}
		}
		before = s
	}
	if len(ratios) == 0 {
		return ""
	}
	return fmt.Sprintf("Of %s, measured growth is %.2f to %.2f times the counted one, and within a factor 2 of it in %d of %d.", method, slices.Min(ratios), slices.Max(ratios), near, len(ratios))
}
