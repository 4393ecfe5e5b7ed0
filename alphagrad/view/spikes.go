package view

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// Spikes are rows of a raster: z are recorded spikes, [steps][neurons], of steps of dt ms.
func Spikes(name string, z []float64, neurons int, dt float64) report.RasterGroup {
	g := report.RasterGroup{Name: name, Neurons: neurons}
	for i, s := range z {
		if s != 0 {
			g.Times, g.Units = append(g.Times, float64(i/neurons)*dt), append(g.Units, i%neurons)
		}
	}
	return g
}

// InputSpikes are rows of a raster for the groups of inputs of a task: what goes in, in one sequence of a batch.
func InputSpikes(b *data.Batch, sequence int) (groups []report.RasterGroup) {
	times, units := b.Spikes(sequence)
	first := 0
	for _, d := range b.Groups {
		g := report.RasterGroup{Name: d.Name, Neurons: d.Size}
		for i, u := range units {
			if u >= first && u < first+d.Size {
				g.Times, g.Units = append(g.Times, times[i]), append(g.Units, u-first)
			}
		}
		groups, first = append(groups, g), first+d.Size
	}
	return groups
}

// Course is how element k of a recorded value of n elements, [steps][n], goes over time, in steps of dt ms.
func Course(name string, x []float64, n, k int, dt float64) report.Series {
	s := report.Series{Name: name}
	for i := k; i < len(x); i += n {
		s.X, s.Y = append(s.X, float64(i/n)*dt), append(s.Y, x[i])
	}
	return s
}

// Carried lists what a forward method carries from step to step: the structure of the influence of every parameter on every
// state and its numbers, beside those of a dense matrix.
func Carried(r *ad.Recurrence, c *ad.Carrier) report.Table {
	t := report.Table{Columns: []report.Column{{Name: "state"}, {Name: "parameter"}, {Name: "structure"}, {Name: "numbers"}, {Name: "of a dense matrix"}}}
	for _, i := range c.Carried {
		for _, term := range i.Terms {
			t.Rows = append(t.Rows, []any{i.State, i.Param, term.String(), term.Elements(), r.Shape(i.State).Size() * r.Shape(i.Param).Size()})
		}
	}
	return t
}

// Influence pictures the influence of a parameter on a state as the matrix that it is, [elements of state][elements of
// parameter], after a step of a recording that has all its terms.
func Influence(r *ad.Recurrence, c *ad.Carrier, recorded map[string][]float64, state, param string, step int) (report.Matrix, error) {
	m := report.Matrix{Rows: r.Shape(state).Size(), Cols: r.Shape(param).Size(), RowTitle: state, ColTitle: param, Colors: report.Magnitudes}
	m.Data = make([]float64, m.Rows*m.Cols)
	for _, i := range c.Carried {
		if i.State != state || i.Param != param {
			continue
		}
		for k, term := range i.Terms {
			name := ad.InfluenceName(state, param, k)
			n := int(term.Elements())
			if x := recorded[name]; term.Unit || step < 0 || len(x) < (step+1)*n {
				return m, fmt.Errorf("view: step %d of %s is not in the recording", step, name)
			}
			v := recorded[name][step*n:]
			term.Each(func(out, in, value int) { m.Data[out*m.Cols+in] += v[value] })
		}
	}
	return m, nil
}
