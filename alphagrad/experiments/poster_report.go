package experiments

import (
	"fmt"
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

// report writes the tables and figures of the poster.
func (c *Poster) report(dir string, results []*TaskResult) error {
	for name, t := range map[string]report.Table{
		"counts":  c.CountsTable(results),
		"ops":     OpsTable(results),
		"speedup": c.SpeedupTable(results),
	} {
		if err := report.SaveTable(dir, name, t); err != nil {
			return err
		}
	}
	figures := map[string]report.Figure{
		"counts":         CountsFigure(results),
		"speedup_single": c.SpeedupFigure(results, false),
		"speedup_batch":  c.SpeedupFigure(results, true),
	}
	for _, r := range results {
		if t, ok, err := TraceFigure(r); err != nil {
			return err
		} else if ok {
			figures["trace_"+r.Task.Name] = t
		}
	}
	for name, f := range figures {
		if err := report.SaveFigure(dir, name, f); err != nil {
			return fmt.Errorf("figure %s: %w", name, err)
		}
	}
	return c.page(dir, results)
}

// count is a table value: zero counts are not published.
func count(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

// CountsTable compares multiplication counts: fixed orders, published results, ours with its bound.
func (c *Poster) CountsTable(results []*TaskResult) report.Table {
	t := report.Table{
		Title: "Multiplications of the Jacobian accumulation",
		Caption: fmt.Sprintf("Every pair of in- and out-edge of an eliminated vertex counts as one multiplication, also with factors ±1. "+
			"Published: the best of AlphaZero, PPO and joint training over all seeds (Lohoff & Neftci, arXiv 2406.05027), shown where the published graph is reproduced. "+
			"Ours: %s search, the best and the worst of %d seeds, %v each on one core. An order whose count meets the lower bound is proved optimal.",
			c.Search.Method, len(c.Search.Seeds), c.Search.Budget),
		Columns: []report.Column{{Name: "task"}, {Name: "vertices"}, {Name: "forward"}, {Name: "reverse"}, {Name: "Markowitz"}, {Name: "AlphaZero"}, {Name: "PPO"}, {Name: "joint"},
			{Name: "ours"}, {Name: "worst seed"}, {Name: "lower bound"}, {Name: "proved optimal"}},
		Best: []report.Best{{Columns: []string{"forward", "reverse", "Markowitz", "AlphaZero", "PPO", "joint", "ours"}}},
	}
	for _, r := range results {
		var az, ppo, joint any
		if p := r.Published; p != nil {
			az, ppo, joint = count(p.BestAlphaZero), count(p.BestPPO), count(p.BestJoint)
		}
		best := r.Searches[r.Best]
		worst := best.Cost
		proved := "no"
		for _, s := range r.Searches {
			worst = max(worst, s.Cost)
			if s.Optimal && s.Cost == best.Cost {
				proved = "yes"
			}
		}
		t.Rows = append(t.Rows, []any{r.Task.Name, r.Graph.Vertices(), r.Cost(Forward).Muls, r.Cost(Reverse).Muls, r.Cost(Markowitz).Muls,
			az, ppo, joint, r.Cost(Ours).Muls, worst, best.LowerBound, proved})
	}
	return t
}

// OpsTable lists what is left in the emitted programs.
func OpsTable(results []*TaskResult) report.Table {
	t := report.Table{
		Title: "Operations of the emitted value-and-Jacobian programs",
		Caption: "Counted in the generated code after folding factors ±1, sharing common subexpressions and dropping dead code; " +
			"the function's own operations are included. Orders were chosen by the multiplications of elimination, so the fewest operations may belong to another order.",
		Columns: []report.Column{{Name: "task"}, {Name: "order"}, {Name: "elimination muls"}, {Name: "mul"}, {Name: "add"}, {Name: "div"}, {Name: "neg"}, {Name: "calls"}, {Name: "mul + add"}},
	}
	for _, r := range results {
		least := int64(math.MaxInt64)
		for _, o := range r.Orders {
			least = min(least, o.Ops.Mul+o.Ops.Add)
		}
		for _, o := range r.Orders {
			n := o.Ops.Mul + o.Ops.Add
			t.Rows = append(t.Rows, []any{r.Task.Name, o.Method, o.Muls, o.Ops.Mul, o.Ops.Add, o.Ops.Div, o.Ops.Neg, o.Ops.Call, report.Cell{Value: n, Bold: n == least}})
		}
	}
	return t
}

// SpeedupRow holds the times of one order and its speed-ups over the better of forward and reverse.
type SpeedupRow struct {
	Method                    string
	Single, Batch             bench.Quartiles // nanoseconds per Jacobian
	FasterSingle, FasterBatch bench.Quartiles // ratio baseline/order, pair by pair; above 1 is faster
}

// Speedups relates every order's times to the better of forward and reverse in the same run.
func (r *TaskResult) Speedups() []SpeedupRow {
	baseline := func(times func(t bench.Timing) []float64) []float64 {
		var best []float64
		for i, o := range r.Orders {
			if v := times(r.Timings[i]); (o.Method == Forward || o.Method == Reverse) && (best == nil || bench.Summarize(v).Median < bench.Summarize(best).Median) {
				best = v
			}
		}
		return best
	}
	single := func(t bench.Timing) []float64 { return t.Single }
	batch := func(t bench.Timing) []float64 { return t.Batch }
	bs, bb := baseline(single), baseline(batch)
	rows := make([]SpeedupRow, len(r.Orders))
	for i, o := range r.Orders {
		t := r.Timings[i]
		rows[i] = SpeedupRow{o.Method, bench.Summarize(t.Single), bench.Summarize(t.Batch), bench.Ratio(bs, t.Single), bench.Ratio(bb, t.Batch)}
	}
	return rows
}

// noise is the difference that the placing of equal code in memory can make: a smaller one is called none.
const noise = 0.03

const noDifference = "no difference"

// verdict says in words what a speed-up amounts to.
func verdict(q bench.Quartiles) string {
	switch {
	case q.Q1 > 1 && q.Median > 1+noise:
		return fmt.Sprintf("%.0f %% faster", 100*(q.Median-1))
	case q.Q3 < 1 && q.Median < 1-noise:
		return fmt.Sprintf("%.0f %% slower", 100*(1/q.Median-1))
	}
	return noDifference
}

func interval(q bench.Quartiles) report.Range {
	return report.Range{Value: q.Median, Low: q.Q1, High: q.Q3}
}

// SpeedupTable shows measured times.
func (c *Poster) SpeedupTable(results []*TaskResult) report.Table {
	t := report.Table{
		Title: "Time of one value and Jacobian",
		Caption: fmt.Sprintf("Generated Go, one core; single: one sample a call, batch: %d samples a call in structure-of-arrays layout, per sample. Median [quartiles] of %d interleaved turns. "+
			"Speed-up: time of the better of forward and reverse divided by the order's, pair by pair. "+
			"A difference is called none when the quartiles include 1 or the median is within %.0f %%.", c.Bench.Batch, c.Bench.Repetitions, 100*noise),
		Columns: []report.Column{{Name: "task"}, {Name: "order"}, {Name: "muls"}, {Name: "ops"},
			{Name: "single", Unit: "ns", Format: "%.1f"}, {Name: "batch", Unit: "ns", Format: "%.1f"},
			{Name: "speed-up single", Format: "%.2f"}, {Name: "speed-up batch", Format: "%.2f"}, {Name: "effect, single"}, {Name: "effect, batch"}},
	}
	for _, r := range results {
		for i, s := range r.Speedups() {
			o := r.Orders[i]
			t.Rows = append(t.Rows, []any{r.Task.Name, s.Method, o.Muls, o.Ops.Mul + o.Ops.Add, interval(s.Single), interval(s.Batch),
				interval(s.FasterSingle), interval(s.FasterBatch), verdict(s.FasterSingle), verdict(s.FasterBatch)})
		}
	}
	return t
}

// methods lists the orders in the order of the figures.
var methods = []string{Forward, Reverse, Markowitz, Published, Ours}

// CountsFigure draws the multiplication counts relative to the better of forward and reverse.
func CountsFigure(results []*TaskResult) report.Figure {
	f := report.BarChart{
		Title:       "Multiplications by elimination order",
		Subtitle:    "relative to the better of forward and reverse; lower is better",
		Y:           report.Axis{Label: "relative multiplications"},
		References:  []report.Line{{Value: 1, Label: "baseline"}},
		Format:      "%.2f",
		ValueLabels: false,
	}
	for _, m := range methods {
		f.Series = append(f.Series, report.BarSeries{Name: m})
	}
	for _, r := range results {
		f.Groups = append(f.Groups, r.Task.Name)
		base := float64(min(r.Cost(Forward).Muls, r.Cost(Reverse).Muls))
		for k, m := range methods {
			v := math.NaN()
			if o := r.Cost(m); o != nil {
				v = float64(o.Muls) / base
			}
			f.Series[k].Values = append(f.Series[k].Values, v)
		}
	}
	return f
}

// SpeedupFigure draws the measured speed-ups with their quartiles.
func (c *Poster) SpeedupFigure(results []*TaskResult, batch bool) report.Figure {
	what := "one sample a call"
	if batch {
		what = fmt.Sprintf("batches of %d", c.Bench.Batch)
	}
	f := report.BarChart{
		Title:      "Measured speed-up, " + what,
		Subtitle:   "over the better of forward and reverse, with quartiles; higher is better",
		Y:          report.Axis{Label: "speed-up"},
		References: []report.Line{{Value: 1, Label: "baseline"}},
	}
	for _, m := range methods {
		f.Series = append(f.Series, report.BarSeries{Name: m})
	}
	for _, r := range results {
		f.Groups = append(f.Groups, r.Task.Name)
		rows := map[string]bench.Quartiles{}
		for _, s := range r.Speedups() {
			rows[s.Method] = s.FasterSingle
			if batch {
				rows[s.Method] = s.FasterBatch
			}
		}
		for k, m := range methods {
			q, ok := rows[m]
			if !ok {
				q = bench.Quartiles{Q1: math.NaN(), Median: math.NaN(), Q3: math.NaN()}
			}
			s := &f.Series[k]
			s.Values, s.Low, s.High = append(s.Values, q.Median), append(s.Low, q.Q1), append(s.High, q.Q3)
		}
	}
	return f
}

// TraceFigure draws the best cost against time over the seeds; there is none for a task that is solved at once.
func TraceFigure(r *TaskResult) (f report.Figure, ok bool, err error) {
	for _, s := range r.Searches {
		ok = ok || len(s.Trace) > 2
	}
	if !ok {
		return nil, false, nil
	}
	series, err := view.Trace("ours", r.Searches)
	if err != nil {
		return nil, false, err
	}
	p := report.LinePlot{
		Title:    r.Task.Name + ": best order found",
		Subtitle: fmt.Sprintf("median and quartiles of %d seeds", len(r.Searches)),
		X:        report.Axis{Label: "time", Unit: "s", Log: true},
		Y:        report.Axis{Label: "multiplications"},
		Series:   []report.Series{series},
	}
	if r.Published != nil {
		p.References = append(p.References, report.Line{Value: float64(r.Published.Best()), Label: "best published"})
	}
	p.References = append(p.References, report.Line{Value: float64(r.Searches[r.Best].LowerBound), Label: "lower bound"})
	return p, true, nil
}
