package experiments

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// report writes the table, a curve for each task and a page. Tasks that were not annealed have no such column.
func (c *Trainings) report(dir string, done []*Trained, annealings map[string]*Annealed) error {
	table := report.Table{
		Title: c.Title,
		Caption: fmt.Sprintf("Multiplications of the cheapest order met: median [lowest–highest] over the seeds, of which %v were asked for. Settings: %s. "+
			"Bare policy: the order that the network of the training plays without search and without reductions. Annealing: seed %d, on one core for as long as a training took in the median%s; kept in annealed/. "+
			"Published: the best over seeds (Lohoff & Neftci, arXiv 2406.05027); joint: one agent for all tasks.",
			c.Seeds, strings.Join(c.Set, ", "), c.Seeds[0], map[bool]string{true: ", divided by the number of tasks"}[c.Joint]),
		Columns: []report.Column{{Name: "task"}, {Name: "variant"}, {Name: "seeds"}, {Name: "cheapest", Format: "%.0f"}, {Name: "bare policy", Format: "%.0f"}, {Name: "time to best", Unit: "s", Format: "%.1f"},
			{Name: "published AlphaZero"}, {Name: "published PPO"}, {Name: "published joint"}, {Name: "annealing"}, {Name: "annealing, time", Unit: "s", Format: "%.1f"}, {Name: "annealing, time to best", Unit: "s", Format: "%.2f"}, {Name: "lower bound"}},
	}
	var page strings.Builder
	page.WriteString("# " + c.Title + "\n\n[manifest.json](manifest.json) names the program, the machine and the settings; trainings/ holds every training with its order.\n" + noted(c.Note) + "\n")
	var figures strings.Builder
	bars := report.BarChart{Title: c.Title, Subtitle: "excess over the cheapest known order, median over the seeds", Y: report.Axis{Label: "excess", Unit: "%"}, Groups: c.Tasks}
	for _, v := range c.Variants {
		bars.Series = append(bars.Series, report.BarSeries{Name: v.Name})
	}
	for _, task := range c.Tasks {
		f := report.LinePlot{Title: task + ": cheapest order met", Subtitle: "median and quartiles over the seeds", X: report.Axis{Label: "time", Unit: "s", Log: true}, Y: report.Axis{Label: "multiplications"}}
		beside, known := []any{nil, nil, nil, nil}, math.Inf(1)
		if a := annealings[task]; a != nil {
			beside, known = []any{a.Muls, a.Seconds, a.Reached, a.LowerBound}, float64(a.Muls)
			f.References = append(f.References, report.Line{Value: known, Label: "annealing"})
		}
		if ref := tasks.Reference(task); ref != nil && ref.BestAlphaZero > 0 {
			f.References = append(f.References, report.Line{Value: float64(ref.BestAlphaZero), Label: "published AlphaZero"})
		}
		for _, t := range done {
			if t.Task == task {
				known = min(known, float64(t.Best.Muls))
			}
		}
		for k, v := range c.Variants {
			var muls, policy, seconds []float64
			var traces [][]report.TracePoint
			for _, t := range done {
				if t.Task != task || t.Variant != v.Name {
					continue
				}
				muls, seconds = append(muls, float64(t.Best.Muls)), append(seconds, t.Best.Seconds)
				if t.Policy > 0 {
					policy = append(policy, float64(t.Policy))
				}
				var trace []report.TracePoint
				for _, p := range t.Curve {
					trace = append(trace, report.TracePoint{Seconds: max(p[0], 1e-2), Cost: p[1]})
				}
				traces = append(traces, trace)
			}
			if len(muls) == 0 {
				bars.Series[k].Values = append(bars.Series[k].Values, 0)
				continue
			}
			seeds := fmt.Sprint(len(muls))
			if len(muls) < len(c.Seeds) {
				seeds += fmt.Sprintf(" of %d", len(c.Seeds))
			}
			var bare any
			if len(policy) > 0 {
				bare = span(policy)
			}
			table.Rows = append(table.Rows, slices.Concat([]any{task, v.Name, seeds, span(muls), bare, bench.Summarize(seconds).Median}, published(task), beside))
			bars.Series[k].Values = append(bars.Series[k].Values, 100*(bench.Summarize(muls).Median/known-1))
			series, err := report.AnytimeSeries(v.Name, traces...)
			if err != nil {
				return err
			}
			f.Series = append(f.Series, series)
		}
		if err := report.SaveFigure(dir, "curve_"+task, f); err != nil {
			return err
		}
		fmt.Fprintf(&figures, "\n![%s](curve_%s.svg)\n", task, task)
	}
	if err := report.SaveTable(dir, "trainings", table); err != nil {
		return err
	}
	if len(c.Variants) > 1 {
		if err := report.SaveFigure(dir, "variants", bars); err != nil {
			return err
		}
		figures.WriteString("\n![variants](variants.svg)\n")
	}
	text, err := table.Markdown()
	if err != nil {
		return err
	}
	page.WriteString(strings.TrimPrefix(text, "**"+table.Title+"**\n\n") + figures.String())
	return runs.WriteFile(filepath.Join(dir, "README.md"), []byte(page.String()))
}
