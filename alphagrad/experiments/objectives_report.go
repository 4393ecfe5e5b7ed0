package experiments

import (
	"fmt"

	"github.com/alphagrad/alphagrad-go/alphagrad/optimize"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
)

// report writes the tables, a figure for every batch and the page.
func (c *Objectives) report(dir string, all []*ObjectiveTask) error {
	p := newPage(dir, "One order for every objective", "objectives.yaml")
	p.printf("\nobjectives.json holds the orders and all measurements. Every search has %v, measuring aside. All counts are of the program emitted for the order.\n%s\n", c.Budget, noted(c.Note))
	p.printf("%s", c.verdict(all))
	p.table("goals", c.goalsTable(all))
	for k, batch := range c.Batches {
		p.figure(fmt.Sprintf("time_batch_%d", batch), fmt.Sprintf("Time by objective, batches of %d", batch), c.figure(all, k))
	}
	p.table("orders", c.ordersTable(all))
	return p.save()
}

// sum is the operations that objective ops counts.
func (r *ObjectiveRow) sum() int64 { return r.Ops.Mul + r.Ops.Add }

// chosen is the time of the order found for time at a batch, as measured afterwards.
func (t *ObjectiveTask) chosen(k int, batches []int) optimize.Measured {
	return t.row(optimize.Time, batches[k]).Times[k]
}

// verdict says in words what came out.
func (c *Objectives) verdict(all []*ObjectiveTask) string {
	atMost, fewer, least, merged := 0, 0, 0, 0
	for _, t := range all {
		muls, ops, memory := t.row(optimize.Muls, 0), t.row(optimize.Ops, 0), t.row(optimize.Memory, 0)
		if ops.sum() <= muls.sum() {
			atMost++
		}
		if ops.sum() < muls.sum() {
			fewer++
		}
		if t.row(mergedOps, 0).sum() < ops.sum() {
			merged++
		}
		lowest := true
		for _, name := range []string{"forward", "reverse", "markowitz", optimize.Muls} {
			lowest = lowest && memory.Memory <= t.row(name, 0).Memory
		}
		if lowest {
			least++
		}
	}
	text := fmt.Sprintf("The order for `ops` has at most the operations of the order for `muls` on %d of %d tasks, and fewer on %d; if equal subexpressions are merged before elimination, it has still fewer on %d. The order for `memory` holds no more numbers than forward, reverse, Markowitz and the order for `muls` on %d.\n", atMost, len(all), fewer, merged, least)
	for k, batch := range c.Batches {
		declared, wins, losses, mergedWins, mergedLosses := 0, 0, 0, 0, 0
		var ratios, opsRatios []float64
		for _, t := range all {
			m := t.chosen(k, c.Batches)
			if t.Chosen[k].Faster {
				declared++
			}
			if m.Ratio.High < 1 {
				wins++
			}
			if m.Ratio.Low > 1 {
				losses++
			}
			if m := t.row(mergedTime, 0).Times[k]; m.Ratio.High < 1 {
				mergedWins++
			} else if m.Ratio.Low > 1 {
				mergedLosses++
			}
			ratios = append(ratios, m.Ratio.Median)
			opsRatios = append(opsRatios, t.row(optimize.Ops, 0).Times[k].Nanoseconds/t.row(optimize.Muls, 0).Times[k].Nanoseconds)
		}
		text += fmt.Sprintf("\n%s: the search for `time` declared a winner on %d of %d tasks. Measured once more, its orders are faster than the better of forward and reverse beyond doubt on %d and slower on %d; in the geometric mean they take %.3f of its time. "+
			"The orders for `ops` take %.3f of the time of those for `muls`. With equal subexpressions merged first, the orders for `time` are faster on %d and slower on %d.\n", form(batch), declared, len(all), wins, losses, geometricMean(ratios), geometricMean(opsRatios), mergedWins, mergedLosses)
	}
	return text
}

func form(batch int) string {
	if batch == 1 {
		return "One sample a call"
	}
	return fmt.Sprintf("%d samples a call", batch)
}

// goalsTable compares the objectives task by task.
func (c *Objectives) goalsTable(all []*ObjectiveTask) report.Table {
	t := report.Table{Title: "Task by task",
		Caption: fmt.Sprintf("Operations are multiplications and additions of the emitted program, memory the numbers it holds at once; merged: equal subexpressions of the function are one vertex before elimination. Ratios of time to the better of forward and reverse, from the last measurement: medians of %d turns with %v %% intervals, widened by what forward and reverse differ from themselves; the null is the better of them against itself.", c.Clock.Repetitions, 100*c.Clock.Confidence),
		Columns: []report.Column{{Name: "task"}, {Name: "operations: reverse"}, {Name: "for muls"}, {Name: "for ops"}, {Name: "for ops, merged"}, {Name: "memory: reverse"}, {Name: "for muls "}, {Name: "for memory"}}}
	for _, batch := range c.Batches {
		for _, name := range []string{"better of two", "time for time", "time for ops", "time for ops, merged", "time for time, merged", "time for muls", "null"} {
			t.Columns = append(t.Columns, report.Column{Name: fmt.Sprintf("%s (%d)", name, batch), Format: "%.3f"})
		}
	}
	for _, x := range all {
		row := []any{x.Task, x.row("reverse", 0).sum(), x.row(optimize.Muls, 0).sum(), x.row(optimize.Ops, 0).sum(), x.row(mergedOps, 0).sum(), x.row("reverse", 0).Memory, x.row(optimize.Muls, 0).Memory, x.row(optimize.Memory, 0).Memory}
		for k := range c.Batches {
			null := x.Timings[k].Null
			row = append(row, x.Timings[k].Baseline, ratioRange(x.chosen(k, c.Batches)), ratioRange(x.row(optimize.Ops, 0).Times[k]), ratioRange(x.row(mergedOps, 0).Times[k]), ratioRange(x.row(mergedTime, 0).Times[k]), ratioRange(x.row(optimize.Muls, 0).Times[k]), report.Range{Value: null.Median, Low: null.Low, High: null.High})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// ratioRange is a ratio with its interval, in bold if that says faster.
func ratioRange(m optimize.Measured) report.Cell {
	return report.Cell{Value: report.Range{Value: m.Ratio.Median, Low: m.Ratio.Low, High: m.Ratio.High}, Bold: m.Ratio.High < 1}
}

// ordersTable lists every order with all its costs.
func (c *Objectives) ordersTable(all []*ObjectiveTask) report.Table {
	t := report.Table{Title: "Every order", Caption: "Multiplications on the graph; operations of the emitted program; numbers it holds at once; time of a sample and its ratio to the better of forward and reverse.",
		Columns: []report.Column{{Name: "task"}, {Name: "order"}, {Name: "muls"}, {Name: "mul"}, {Name: "add"}, {Name: "div"}, {Name: "neg"}, {Name: "calls"}, {Name: "memory"}}}
	for _, batch := range c.Batches {
		t.Columns = append(t.Columns, report.Column{Name: fmt.Sprintf("time (%d)", batch), Unit: "ns", Format: "%.4g"}, report.Column{Name: fmt.Sprintf("ratio (%d)", batch), Format: "%.3f"})
	}
	for _, x := range all {
		for _, r := range x.Rows {
			row := []any{x.Task, r.Method, r.Muls, r.Ops.Mul, r.Ops.Add, r.Ops.Div, r.Ops.Neg, r.Ops.Call, r.Memory}
			for _, m := range r.Times {
				row = append(row, m.Nanoseconds, ratioRange(m))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// figure draws the ratios of time with their intervals.
func (c *Objectives) figure(all []*ObjectiveTask, k int) report.Figure {
	f := report.BarChart{Title: "Time against the better of forward and reverse", Subtitle: form(c.Batches[k]),
		Y: report.Axis{Label: "ratio of times"}, References: []report.Line{{Label: "better of forward and reverse", Value: 1}}}
	for _, objective := range []string{optimize.Muls, optimize.Ops, optimize.Memory, optimize.Time, mergedTime} {
		s := report.BarSeries{Name: "order for " + objective}
		for _, t := range all {
			m := t.row(objective, c.Batches[k]).Times[k]
			s.Values, s.Low, s.High = append(s.Values, m.Ratio.Median), append(s.Low, m.Ratio.Low), append(s.High, m.Ratio.High)
		}
		f.Series = append(f.Series, s)
	}
	for _, t := range all {
		f.Groups = append(f.Groups, t.Task)
	}
	return f
}
