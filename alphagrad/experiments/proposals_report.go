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
)

// report writes the tables, the curves and a page that shows them.
func (c *Proposals) report(dir string, contests []*Contest) error {
	page := fmt.Sprintf("# Does the learned policy help search?\n\n[manifest.json](manifest.json) names the program, the machine and the settings; searches.json holds every search.\n"+
		"Every search has %v on one core, on every graph with each of the seeds %v.\n", c.Budget, c.Seeds) + noted(c.Note)
	for _, t := range []struct {
		name string
		t    report.Table
	}{{"methods", c.methodsTable(contests)}, {"graphs", c.graphsTable(contests)}} {
		if err := report.SaveTable(dir, t.name, t.t); err != nil {
			return err
		}
		text, err := t.t.Markdown()
		if err != nil {
			return err
		}
		page += "\n## " + t.t.Title + "\n\n" + strings.TrimPrefix(text, "**"+t.t.Title+"**\n\n")
		if t.name != "methods" {
			continue
		}
		page += "\n" + c.verdict(contests) + "\n"
		for _, set := range sets(contests) {
			name := "near_" + strings.Fields(set.name)[0]
			if err := report.SaveFigure(dir, name, c.nearFigure(set)); err != nil {
				return err
			}
			page += fmt.Sprintf("\n![%s](%s.svg)\n", set.name, name)
		}
	}
	return runs.WriteFile(filepath.Join(dir, "README.md"), []byte(page))
}

// verdict says in words how the portfolio does with the network and without it.
func (c *Proposals) verdict(contests []*Contest) string {
	var says []string
	for _, set := range sets(contests) {
		without, with := c.meanTime(plain, set.contests), c.meanTime(assisted, set.contests)
		word := "more"
		if with <= without {
			word = "less"
		}
		says = append(says, fmt.Sprintf("on %s %.0f %% %s", set.name, 100*math.Abs(with/without-1), word))
	}
	return "In the geometric mean, the time that the portfolio needs is with the network " + strings.Join(says, ", ") + "."
}

// meanTime is the geometric mean of the times at which the searches of a method come near, in seconds; those that never do
// count as twice the budget.
func (c *Proposals) meanTime(method string, contests []*Contest) float64 {
	times := c.times(method, contests)
	for i, v := range times {
		times[i] = max(1e-6, min(v, 2*c.Budget.Seconds()))
	}
	return geometricMean(times)
}

// contestSet is graphs of one kind.
type contestSet struct {
	name     string
	contests []*Contest
}

func sets(contests []*Contest) (all []contestSet) {
	for _, set := range []contestSet{{name: "tasks"}, {name: "large generated programs"}} {
		for _, x := range contests {
			if x.Large == (set.name != "tasks") {
				set.contests = append(set.contests, x)
			}
		}
		if len(set.contests) > 0 {
			all = append(all, set)
		}
	}
	return all
}

// times are the moments at which the searches of a method came near, ascending, +Inf for those that did not.
func (c *Proposals) times(method string, contests []*Contest) (all []float64) {
	for _, x := range contests {
		for _, trace := range x.Traces[method] {
			all = append(all, x.near(trace, c.Within))
		}
	}
	slices.Sort(all)
	return all
}

// quantile is a time that a share of the searches needs, nil if they need longer than there is.
func quantile(sorted []float64, share float64) any {
	if t := sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]; !math.IsInf(t, 1) {
		return 1000 * t
	}
	return nil
}

// methodsTable compares the methods over all graphs.
func (c *Proposals) methodsTable(contests []*Contest) report.Table {
	t := report.Table{
		Title: fmt.Sprintf("Time to come within %v %% of the cheapest order known", c.Within),
		Caption: "Times in which half and nine tenths of the searches are there, their geometric mean (searches that are never there count as twice the budget), the share that is there in the end, and by how much the last order is dearer than the cheapest known in the mean. " +
			"The time of the network's first evaluations is included, that of reading its file is not.",
		Columns: []report.Column{{Name: "graphs"}, {Name: "number"}, {Name: "method"}, {Name: "half", Unit: "ms", Format: "%.2f"}, {Name: "nine tenths", Unit: "ms", Format: "%.2f"},
			{Name: "geometric mean", Unit: "ms", Format: "%.2f"}, {Name: "in the end", Unit: "%", Format: "%.0f"}, {Name: "last excess", Unit: "%", Format: "%.2f"}},
	}
	for _, set := range sets(contests) {
		for _, s := range searchers {
			times := c.times(s.name, set.contests)
			there, excess := 0, 0.0
			for _, v := range times {
				if !math.IsInf(v, 1) {
					there++
				}
			}
			for _, x := range set.contests {
				for _, trace := range x.Traces[s.name] {
					excess += 100 * (float64(trace[len(trace)-1].Cost)/float64(max(1, x.Known)) - 1)
				}
			}
			n := float64(len(times))
			t.Rows = append(t.Rows, []any{set.name, len(set.contests), s.name, quantile(times, 0.5), quantile(times, 0.9), 1000 * c.meanTime(s.name, set.contests), 100 * float64(there) / n, excess / n})
		}
	}
	return t
}

// graphsTable shows the median time of every method on every graph.
func (c *Proposals) graphsTable(contests []*Contest) report.Table {
	t := report.Table{Title: "Graph by graph", Caption: "Median over the seeds of the time to come near, in milliseconds; empty if half of the searches do not.",
		Columns: []report.Column{{Name: "graph"}, {Name: "vertices"}, {Name: "cheapest known"}}, Best: []report.Best{{}}}
	for _, s := range searchers {
		t.Columns = append(t.Columns, report.Column{Name: s.name, Unit: "ms", Format: "%.2f"})
		t.Best[0].Columns = append(t.Best[0].Columns, s.name)
	}
	for _, x := range contests {
		row := []any{x.Graph, x.Vertices, x.Known}
		for _, s := range searchers {
			var times []float64
			for _, trace := range x.Traces[s.name] {
				times = append(times, min(x.near(trace, c.Within), math.MaxFloat64))
			}
			if m := bench.Summarize(times).Median; m < math.MaxFloat64/4 {
				row = append(row, 1000*m)
			} else {
				row = append(row, nil)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// nearFigure draws the share of the searches that are near over time.
func (c *Proposals) nearFigure(set contestSet) report.Figure {
	f := report.LinePlot{
		Title: fmt.Sprintf("Searches within %v %% of the cheapest order known: %s", c.Within, set.name), Subtitle: fmt.Sprintf("%d graphs, %d seeds", len(set.contests), len(c.Seeds)),
		X: report.Axis{Label: "time", Unit: "s", Log: true}, Y: report.Axis{Label: "share of the searches", Unit: "%"},
	}
	for _, s := range searchers {
		times := c.times(s.name, set.contests)
		const points = 120
		from := 2e-5
		curve := report.Series{Name: s.name}
		for k := range points + 1 {
			at := from * math.Pow(c.Budget.Seconds()/from, float64(k)/points)
			there := 0
			for there < len(times) && times[there] <= at {
				there++
			}
			curve.X, curve.Y = append(curve.X, at), append(curve.Y, 100*float64(there)/float64(len(times)))
		}
		f.Series = append(f.Series, curve)
	}
	return f
}
