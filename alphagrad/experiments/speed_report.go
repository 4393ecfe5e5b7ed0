package experiments

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/peers"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// contenders groups methods into what a user chooses between: of each, the fastest method counts. One row adds a column.
var contenders = []struct {
	Name    string
	methods []string
}{
	{"ours", []string{oursMethod}},
	{"ours, compact", []string{oursCompact}},
	{"ours, scalar Go", []string{"ours-scalar"}},
	{"C", []string{"c"}},
	{"C, fast math", []string{"c-fast"}},
	{"CasADi C", []string{"casadi"}},
	{"CasADi C, all", []string{"casadi-dense"}},
	{"CppADCodeGen", []string{"cppad"}},
	{"Enzyme", []string{"enzyme-forward", "enzyme-reverse"}},
	{"JAX", []string{"jax-forward", "jax-reverse"}},
	{"CasADi VM", []string{"casadi-vm"}},
	{"gonum fd", []string{"gonum-fd"}},
	{"GoMLX rows", []string{gomlxMethod}},
}

// place is where methods are compared.
type place struct {
	Type    peers.Type
	Threads int
	Batch   int
}

func (p place) String() string {
	return fmt.Sprintf("%s, %d thread%s, batch %d", p.Type, p.Threads, map[bool]string{true: "s"}[p.Threads > 1], p.Batch)
}

// places lists where there are measurements, in the order of the series, batches ascending.
func (c *Speed) places() []place {
	var all []place
	for _, s := range c.Series {
		for _, b := range slices.Sorted(slices.Values(s.Batches)) {
			all = append(all, place{s.Type, s.Threads, b})
		}
	}
	return all
}

// fastest is the fastest method of a contender for a task at a place, nil if there is none.
func (r *SpeedResult) fastest(task string, at place, methods []string) *SpeedRow {
	var best *SpeedRow
	for _, row := range r.Rows {
		if row.Task == task && (place{row.Type, row.Threads, row.Batch}) == at && slices.Contains(methods, row.Method) &&
			(best == nil || row.Time.Median < best.Time.Median) {
			best = row
		}
	}
	return best
}

// timesTable has the time per Jacobian of every contender at one place.
func (c *Speed) timesTable(r *SpeedResult, at place) report.Table {
	t := report.Table{
		Title: "Time of one value and Jacobian: " + at.String(),
		Caption: fmt.Sprintf("Nanoseconds, medians of %d interleaved turns. Of forward and reverse mode of Enzyme and JAX the faster one counts, JAX in the fastest of its forms. "+
			"CasADi and CppADCodeGen leave out entries that are zero everywhere, unless it says all; so does ours, compact, to which they are compared. The last columns are ratios to ours, with quartiles over neighbouring turns.", c.Repetitions),
		Columns: []report.Column{{Name: "task"}, {Name: "order"}},
	}
	if at.Type == peers.Float32 {
		t.Caption += " Ours and gonum have no single precision: ours takes part in double precision."
	}
	var present []int
	for k, m := range contenders {
		if slices.ContainsFunc(c.Tasks, func(task string) bool { return r.fastest(task, at, m.methods) != nil }) {
			present = append(present, k)
			t.Columns = append(t.Columns, report.Column{Name: m.Name, Format: "%.4g"})
		}
	}
	ratios := []string{"JAX", "CasADi C", "CasADi C, all", "C"}
	for _, m := range ratios {
		t.Columns = append(t.Columns, report.Column{Name: m + " / ours", Format: "%.2f"})
	}
	var names []string
	for _, k := range present {
		names = append(names, contenders[k].Name)
	}
	t.Best = []report.Best{{Columns: names}}
	for _, task := range c.Tasks {
		row := []any{task, r.Orders[task].Method}
		measured := false
		for _, k := range present {
			if f := r.fastest(task, at, contenders[k].methods); f != nil {
				measured = true
				row = append(row, f.Time.Median)
			} else {
				row = append(row, nil)
			}
		}
		if !measured { // in an interrupted run
			continue
		}
		for _, m := range ratios {
			row = append(row, ratioCell(r.fastest(task, at, methodsOf(m))))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// Tables are the times at every place.
func (c *Speed) Tables(r *SpeedResult) []report.Table {
	var tables []report.Table
	for _, at := range c.places() {
		tables = append(tables, c.timesTable(r, at))
	}
	return tables
}

func methodsOf(contender string) []string {
	for _, c := range contenders {
		if c.Name == contender {
			return c.methods
		}
	}
	return nil
}

func ratioCell(row *SpeedRow) any {
	if row == nil || math.IsNaN(row.Ratio.Median) {
		return nil
	}
	return interval(row.Ratio)
}

// ratiosTable has the geometric mean over the tasks of every contender's ratio to ours, with the range over the tasks.
func (c *Speed) ratiosTable(r *SpeedResult) report.Table {
	t := report.Table{
		Title:   "How many times as long as ours",
		Caption: "Geometric mean over the tasks of the ratio of times (to ours, compact, where entries that are zero everywhere are left out: CasADi without all, CppADCodeGen), in brackets the tasks with the lowest and the highest ratio; above 1, ours is faster. Where a contender cannot do all tasks, the number of those it can follows.",
		Columns: []report.Column{{Name: "type"}, {Name: "threads"}, {Name: "batch"}},
	}
	for _, m := range contenders[1:] {
		t.Columns = append(t.Columns, report.Column{Name: m.Name, Format: "%.3g"})
	}
	for _, at := range c.places() {
		ours := c.ratios(r, at, []string{oursMethod})
		if len(ours) == 0 { // of an interrupted run
			continue
		}
		row := []any{string(at.Type), at.Threads, at.Batch}
		for _, m := range contenders[1:] {
			row = append(row, meanCell(c.ratios(r, at, m.methods), len(ours)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// meanCell is the geometric mean of ratios with their range, and their number if it is not all.
func meanCell(v []float64, all int) any {
	if len(v) == 0 {
		return nil
	}
	mean, low, high := geometricMean(v), slices.Min(v), slices.Max(v)
	if len(v) < all {
		return fmt.Sprintf("%.3g (%.3g–%.3g), %d tasks", mean, low, high, len(v))
	}
	return report.Range{Value: mean, Low: low, High: high}
}

// ratiosOf are a contender's ratios to ours at a place, with their tasks: those where both were measured.
func (c *Speed) ratiosOf(r *SpeedResult, at place, methods []string) (v []float64, tasks []string) {
	for _, task := range c.Tasks {
		if f := r.fastest(task, at, methods); f != nil && !math.IsNaN(f.Ratio.Median) {
			v, tasks = append(v, f.Ratio.Median), append(tasks, task)
		}
	}
	return v, tasks
}

func (c *Speed) ratios(r *SpeedResult, at place, methods []string) []float64 {
	v, _ := c.ratiosOf(r, at, methods)
	return v
}

// goal is a number to be reached: the lowest or the mean ratio over tasks at a place.
type goal struct {
	what, contender string
	at              place
	mean            bool   // the geometric mean must reach it, otherwise every task
	task            string // only this one, if set
	least           float64
}

var goals = []goal{
	{what: "50 times JAX's speed on every task", contender: "JAX", at: place{peers.Float64, 1, 1}, least: 50},
	{what: "CasADi C's speed on every task", contender: "CasADi C", at: place{peers.Float64, 1, 1}, least: 1},
	{what: "CasADi C's speed on every task, all entries", contender: "CasADi C, all", at: place{peers.Float64, 1, 1}, least: 1},
	{what: "3 times JAX's speed on the geometric mean", contender: "JAX", at: place{peers.Float64, 1, 4096}, mean: true, least: 3},
	{what: "3 times JAX's speed on the geometric mean", contender: "JAX", at: place{peers.Float64, 1, 65536}, mean: true, least: 3},
	{what: "CasADi C's speed on every task", contender: "CasADi C", at: place{peers.Float64, 1, 4096}, least: 1},
	{what: "CasADi C's speed on every task, all entries", contender: "CasADi C, all", at: place{peers.Float64, 1, 4096}, least: 1},
	{what: "CasADi C's speed on every task", contender: "CasADi C", at: place{peers.Float64, 1, 65536}, least: 1},
	{what: "CasADi C's speed on every task, all entries", contender: "CasADi C, all", at: place{peers.Float64, 1, 65536}, least: 1},
	{what: "at most 1.3 times the time of C from the same program, RoeFlux_1d", contender: "C", at: place{peers.Float64, 1, 1}, task: "RoeFlux_1d", least: 1 / 1.3},
}

// goalsTable sets what was to be reached beside what was measured.
func (c *Speed) goalsTable(r *SpeedResult) report.Table {
	t := report.Table{
		Title:   "Goals",
		Caption: "Ratio of times, the contender's to ours; where every task counts, the lowest ratio and its task.",
		Columns: []report.Column{{Name: "goal"}, {Name: "at"}, {Name: "ratio", Format: "%.2f"}, {Name: "needed", Format: "%.2f"}, {Name: "reached"}, {Name: "task"}, {Name: "tasks that reach it"}},
	}
	for _, g := range goals {
		v, measured := c.ratiosOf(r, g.at, methodsOf(g.contender))
		if len(v) == 0 {
			continue
		}
		lowest := 0
		reach := 0
		for i, x := range v {
			if x < v[lowest] {
				lowest = i
			}
			if x >= g.least {
				reach++
			}
		}
		value, task := v[lowest], measured[lowest]
		tasks := fmt.Sprintf("%d of %d", reach, len(v))
		if g.mean {
			value, task = geometricMean(v), ""
		}
		if g.task != "" {
			i := slices.Index(measured, g.task)
			if i < 0 {
				continue
			}
			value, task, tasks = v[i], g.task, ""
		}
		t.Rows = append(t.Rows, []any{g.what, g.at.String(), value, g.least, value >= g.least, task, tasks})
	}
	return t
}

// allTable is everything measured, one row for each method and place.
func (c *Speed) allTable(r *SpeedResult) report.Table {
	t := report.Table{Title: "All measurements", Columns: []report.Column{{Name: "task"}, {Name: "type"}, {Name: "threads"}, {Name: "batch"}, {Name: "method"},
		{Name: "time", Unit: "ns", Format: "%.6g"}, {Name: "ratio to ours", Format: "%.4g"}, {Name: "difference", Format: "%.1e"}, {Name: "turns"}, {Name: "calls"}}}
	for _, row := range r.Rows {
		t.Rows = append(t.Rows, []any{row.Task, string(row.Type), row.Threads, row.Batch, row.Method, interval(row.Time), ratioCell(row), row.Difference, row.Turns, row.Calls})
	}
	return t
}

// TimeFigure draws the time per Jacobian over the batch.
func (c *Speed) TimeFigure(r *SpeedResult, task string, s SpeedSeries) report.LinePlot {
	f := report.LinePlot{
		Title: task + ": time of one value and Jacobian", Subtitle: fmt.Sprintf("%s, %d thread(s), medians with quartiles", s.Type, s.Threads),
		X: report.Axis{Label: "batch", Log: true}, Y: report.Axis{Label: "time", Unit: "ns", Log: true},
	}
	for _, m := range contenders {
		line := report.Series{Name: m.Name, Style: report.LinesMarkers}
		for _, b := range slices.Sorted(slices.Values(s.Batches)) {
			if row := r.fastest(task, place{s.Type, s.Threads, b}, m.methods); row != nil {
				line.X, line.Y = append(line.X, float64(b)), append(line.Y, row.Time.Median)
				line.Low, line.High = append(line.Low, row.Time.Q1), append(line.High, row.Time.Q3)
			}
		}
		if len(line.X) > 0 {
			f.Series = append(f.Series, line)
		}
	}
	return f
}

// ratioFigure draws the geometric means of the ratios over the batch.
func (c *Speed) ratioFigure(r *SpeedResult, s SpeedSeries) (report.LinePlot, bool) {
	f := report.LinePlot{
		Title: "How many times as long as ours", Subtitle: fmt.Sprintf("geometric mean over %d tasks; %s, %d thread(s)", len(c.Tasks), s.Type, s.Threads),
		X: report.Axis{Label: "batch", Log: true}, Y: report.Axis{Label: "ratio of times", Log: true}, References: []report.Line{{Value: 1, Label: "ours"}},
	}
	for _, m := range contenders[1:] {
		line := report.Series{Name: m.Name, Style: report.LinesMarkers}
		for _, b := range slices.Sorted(slices.Values(s.Batches)) {
			at := place{s.Type, s.Threads, b}
			if v := c.ratios(r, at, m.methods); len(v) > 0 && len(v) == len(c.ratios(r, at, []string{oursMethod})) {
				line.X, line.Y = append(line.X, float64(b)), append(line.Y, geometricMean(v))
			}
		}
		if len(line.X) > 0 {
			f.Series = append(f.Series, line)
		}
	}
	return f, len(f.Series) > 0
}

func (c *Speed) saveMeasurements(dir string, r *SpeedResult) error {
	all, err := c.allTable(r).CSV()
	if err != nil {
		return err
	}
	return runs.WriteFile(filepath.Join(dir, "measurements.csv"), []byte(all))
}

// Partial says how much of an interrupted comparison there is; it is empty for a whole one.
func (r *SpeedResult) Partial() string {
	if r.Done == r.Total {
		return ""
	}
	return fmt.Sprintf("partial: interrupted after %d of %d places", r.Done, r.Total)
}

// report writes tables, figures and the page.
func (c *Speed) report(dir string, r *SpeedResult) error {
	p := newPage(dir, "Speed: our generated Go beside its peers", "speed.yaml")
	p.printf("\nEvery contender computes value and Jacobian at the same points; results are compared with the interpreter's before anything is timed (to %g; single precision to %g, finite differences to %g; what they were is in [measurements.csv](measurements.csv)). "+
		"Workers stay alive and take turns. Times include what a user pays: one call of JAX includes its dispatch, which is nearly all of its time for one sample; compiled code is called in a loop of its own language. "+
		"GoMLX's time is for the Jacobian alone. C is gcc's of our own derivative program (`%s`), fast math adds `%s`.\n\n", peers.Tolerance("c", peers.Float64), peers.Tolerance("c", peers.Float32), peers.Tolerance("gonum-fd", peers.Float64), strings.Join(c.Flags.C, " "), strings.Join(c.Flags.Fast, " "))
	if partial := r.Partial(); partial != "" {
		p.printf("**These results are %s.** Means are over the tasks that were measured.\n\n", partial)
	}
	var versions []string
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		versions = append(versions, name+" "+r.Versions[name])
	}
	p.printf("Versions: %s.\n", strings.Join(versions, "; "))
	if len(r.Missing) > 0 {
		p.printf("\nNot measured:\n\n%s", r.describeMissing())
	}
	table := func(name string, t report.Table) {
		if len(t.Rows) > 0 {
			p.table(name, t)
		}
	}
	table("goals", c.goalsTable(r))
	table("ratios", c.ratiosTable(r))
	for _, at := range c.places() {
		table(fmt.Sprintf("times_%s_%dt_%d", at.Type, at.Threads, at.Batch), c.timesTable(r, at))
	}
	if err := c.saveMeasurements(dir, r); err != nil {
		return err
	}
	p.printf("\n## Figures\n")
	for _, s := range c.Series {
		if len(s.Batches) < 2 {
			continue
		}
		if f, some := c.ratioFigure(r, s); some {
			name := fmt.Sprintf("ratios_%s_%dt", s.Type, s.Threads)
			p.figure(name, name, f)
		}
	}
	// One figure a task, of the series with the most batches.
	longest := slices.MaxFunc(c.Series, func(a, b SpeedSeries) int { return len(a.Batches) - len(b.Batches) })
	for _, task := range c.Tasks {
		if len(longest.Batches) > 1 {
			p.figure("time_"+task, task, c.TimeFigure(r, task, longest))
		}
	}
	return p.save()
}
