package experiments

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// ours is the time of this project's fastest method.
func (r *Timing) ours() float64 {
	best := math.Inf(1)
	for _, m := range []string{byStructure, byDense, byColors} {
		if s, measured := r.Seconds[m]; measured {
			best = min(best, s)
		}
	}
	return best
}

// ratio is how much longer a method takes than our fastest, nil if it was not measured.
func (r *Timing) ratio(method string) any {
	if s, measured := r.Seconds[method]; measured {
		return s / r.ours()
	}
	return nil
}

// verdictOf says in words where our fastest method is ahead of both baselines and where it is not. Within a tenth is level.
func verdictOf(rows []*Timing) string {
	var behind, level []string
	for _, r := range rows {
		name := fmt.Sprintf("%s, batch %d", r.Function, r.Batch)
		if r.Size > 0 {
			name = fmt.Sprintf("%s of %d", r.Function, r.Size)
		}
		least := math.Inf(1)
		for _, m := range []string{byGradient, byFD} {
			if s, measured := r.Seconds[m]; measured {
				least = min(least, s/r.ours())
			}
		}
		switch {
		case least < 1/1.1:
			behind = append(behind, name)
		case least < 1.1:
			level = append(level, name)
		}
	}
	text := fmt.Sprintf("Our fastest method is ahead of GoMLX's gradients by row and of gonum's differences in %d of %d cases", len(rows)-len(behind)-len(level), len(rows))
	if len(level) > 0 {
		text += fmt.Sprintf("; level (within a tenth): %s", strings.Join(level, "; "))
	}
	if len(behind) > 0 {
		text += fmt.Sprintf("; behind: %s", strings.Join(behind, "; "))
	}
	return text + ". A scalar function such as the loss of Perceptron has one row: its Jacobian is one gradient, and there is no structure to gain from."
}

// report writes the table, a plot for each function and a page.
func (c *Jacobians) report(dir string, rows []*Timing) error {
	t := report.Table{
		Title: "Time of one Jacobian",
		Caption: fmt.Sprintf("Microseconds for value and Jacobian of a whole batch, float64, GoMLX's Go backend on one core; medians of %d interleaved repetitions. "+
			"Elimination follows the cheapest order of a %v search; structured leaves the values of the structures, dense writes every entry. Gradients by row: one compiled GoMLX gradient, called for every output element. "+
			"gonum: forward differences on the compiled function, one input of all samples at a time. Where all rows or columns would take longer than %v, a method is timed on %d of them and scaled: see the column “scaled”. Empty: larger than %d elements, or not defined for a batch. "+
			"Difference: the largest between elimination and GoMLX's gradients on up to 40 rows, relative to 1 + |entry|.", c.Repetitions, c.Search, c.Limit, sample, mostDense),
		Columns: []report.Column{{Name: "function"}, {Name: "size"}, {Name: "batch"}, {Name: "entries"}, {Name: "elements"}, {Name: "muls"}},
	}
	for _, m := range jacobianMethods {
		t.Columns = append(t.Columns, report.Column{Name: m, Unit: "µs", Format: "%.4g"})
	}
	t.Columns = append(t.Columns, report.Column{Name: "gradients / ours", Format: "%.1f"}, report.Column{Name: "differences / ours", Format: "%.1f"}, report.Column{Name: "scaled"}, report.Column{Name: "difference", Format: "%.1g"})
	t.Best = []report.Best{{Columns: jacobianMethods}}
	var figures strings.Builder
	byFunction := map[string]*report.LinePlot{}
	var functions []string
	for _, r := range rows {
		row := []any{r.Function, nil, r.Batch, r.Entries, r.Dense, r.Muls}
		if r.Size > 0 {
			row[1] = r.Size
		}
		for _, m := range jacobianMethods {
			if s, measured := r.Seconds[m]; measured {
				row = append(row, s*1e6)
			} else {
				row = append(row, nil)
			}
		}
		var scaled []string
		for _, m := range jacobianMethods {
			if r.Scaled[m] {
				scaled = append(scaled, m)
			}
		}
		t.Rows = append(t.Rows, append(row, r.ratio(byGradient), r.ratio(byFD), strings.Join(scaled, ", "), r.Difference))
		f := byFunction[r.Function]
		if f == nil {
			functions = append(functions, r.Function)
			label := "batch"
			if r.Size > 0 {
				label = "size"
			}
			f = &report.LinePlot{Title: r.Function + ": time of the Jacobian", X: report.Axis{Label: label, Log: true}, Y: report.Axis{Label: "time", Unit: "µs", Log: true}}
			for _, m := range jacobianMethods {
				f.Series = append(f.Series, report.Series{Name: m})
			}
			byFunction[r.Function] = f
		}
		for k, m := range jacobianMethods {
			if s, measured := r.Seconds[m]; measured {
				x := float64(r.Batch)
				if r.Size > 0 {
					x = float64(r.Size)
				}
				f.Series[k].X, f.Series[k].Y = append(f.Series[k].X, x), append(f.Series[k].Y, s*1e6)
			}
		}
	}
	for _, name := range functions {
		f := byFunction[name]
		var drawn []report.Series
		for _, s := range f.Series {
			if len(s.X) > 0 {
				drawn = append(drawn, s)
			}
		}
		f.Series = drawn
		if err := report.SaveFigure(dir, "time_"+name, *f); err != nil {
			return err
		}
		fmt.Fprintf(&figures, "\n![%s](time_%s.svg)\n", name, name)
	}
	if err := report.SaveTable(dir, "jacobians", t); err != nil {
		return err
	}
	text, err := t.Markdown()
	if err != nil {
		return err
	}
	return runs.WriteFile(filepath.Join(dir, "README.md"), []byte("# Jacobians of functions of arrays\n\nWritten by `alphagrad run experiments/jacobians.yaml`; [manifest.json](manifest.json) names the program, the machine and the settings.\n\n"+verdictOf(rows)+"\n\n"+
		strings.TrimPrefix(text, "**"+t.Title+"**\n\n")+figures.String()))
}
