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

// report writes the tables, the learning curves and a page that shows them.
func (c *SelfPlay) report(dir string, learned []*Learned, zero []*ZeroShot, about string) error {
	tables := []struct {
		name string
		t    report.Table
	}{{"trainings", c.trainingsTable(learned)}, {"zero_shot", c.zeroShotTable(zero, about)}}
	var page strings.Builder
	page.WriteString("# AlphaZero plays the elimination game\n\nWritten by `alphagrad run experiments/alphazero.yaml`; [manifest.json](manifest.json) names the program, the machine and the settings.\n" +
		"[best.model](best.model) is the general agent, the default of `alphagrad play`.\n" + noted(c.Note))
	for _, t := range tables {
		if err := report.SaveTable(dir, t.name, t.t); err != nil {
			return err
		}
		text, err := t.t.Markdown()
		if err != nil {
			return err
		}
		page.WriteString("\n## " + t.t.Title + "\n\n" + strings.TrimPrefix(text, "**"+t.t.Title+"**\n\n") + "\n")
	}
	page.WriteString("\n## Learning curves\n")
	for _, task := range c.Tasks {
		f, err := curveFigure(task, learned)
		if err != nil {
			return err
		}
		name := "curve_" + task
		if err := report.SaveFigure(dir, name, f); err != nil {
			return err
		}
		fmt.Fprintf(&page, "\n![%s](%s.svg)\n", task, name)
	}
	return runs.WriteFile(filepath.Join(dir, "README.md"), []byte(page.String()))
}

// trainingsTable compares trainings from scratch with the published results and with annealing at equal wall time.
func (c *SelfPlay) trainingsTable(learned []*Learned) report.Table {
	t := report.Table{
		Title: "Trained from scratch, one task at a time",
		Caption: fmt.Sprintf("Multiplications of the cheapest order met in self-play: median [lowest–highest] over seeds %v, at most %v of training each on all cores, ending early at a proof. "+
			"With reductions, vertices whose elimination at once is proved safe are no moves; they alone decide HumanHeartDipole and PropaneCombustion, so the rows without them are the agent's own. "+
			"Annealing: the same wall time, at most %v, on one core. Published: the best over seeds (Lohoff & Neftci, arXiv 2406.05027); joint: one agent for all tasks.", c.Seeds, c.Budget, annealingMost),
		Columns: []report.Column{{Name: "task"}, {Name: "reductions"}, {Name: "published AlphaZero"}, {Name: "published PPO"}, {Name: "published joint"}, {Name: "agent", Format: "%.0f"}, {Name: "time to best", Unit: "s", Format: "%.1f"}, {Name: "games to best", Format: "%.0f"},
			{Name: "annealing", Format: "%.0f"}, {Name: "lower bound"}, {Name: "seeds"}},
	}
	for _, task := range c.Tasks {
		for _, reduced := range []bool{true, false} {
			var muls, seconds, games, annealed []float64
			bound := int64(0)
			for _, l := range of(learned, task, reduced) {
				muls, seconds, games = append(muls, float64(l.Best.Muls)), append(seconds, l.Best.Seconds), append(games, float64(l.Best.Games))
				annealed, bound = append(annealed, float64(l.anneal.Cost)), l.Best.LowerBound
			}
			with := "with"
			if !reduced {
				with = "without"
			}
			t.Rows = append(t.Rows, slices.Concat([]any{task, with}, published(task), []any{span(muls), bench.Summarize(seconds).Median, bench.Summarize(games).Median, span(annealed), bound, len(muls)}))
		}
	}
	return t
}

// noted is a remark on the circumstances of a run as a paragraph.
func noted(note string) string {
	if note == "" {
		return ""
	}
	return "\n" + note + "\n"
}

// published are the counts of AlphaZero, PPO and the joint run that the authors report for a task, nil where there are none.
func published(task string) []any {
	ref := tasks.Reference(task)
	if ref == nil {
		return []any{nil, nil, nil}
	}
	return []any{count(ref.BestAlphaZero), count(ref.BestPPO), count(ref.BestJoint)}
}

// span is a median with the extremes.
func span(v []float64) report.Range {
	r := report.Range{Value: bench.Summarize(v).Median, Low: math.Inf(1), High: math.Inf(-1)}
	for _, x := range v {
		r.Low, r.High = math.Min(r.Low, x), math.Max(r.High, x)
	}
	return r
}

// zeroShotTable shows the general agent on tasks it never saw.
func (c *SelfPlay) zeroShotTable(zero []*ZeroShot, about string) report.Table {
	t := report.Table{
		Title:   "One general agent on tasks it never saw",
		Columns: []report.Column{{Name: "task"}, {Name: "vertices"}, {Name: "best of forward, reverse, Markowitz"}, {Name: "bare policy"}},
		Best:    []report.Best{{Columns: []string{"best of forward, reverse, Markowitz", "bare policy", "annealing"}}},
	}
	for _, n := range zeroShotSimulations {
		name := fmt.Sprintf("%d simulations", n)
		t.Columns = append(t.Columns, report.Column{Name: name}, report.Column{Name: name + ", time", Unit: "s", Format: "%.2f"})
		t.Best[0].Columns = append(t.Best[0].Columns, name)
	}
	t.Columns = append(t.Columns, report.Column{Name: "annealing"})
	most := zeroShotSimulations[len(zeroShotSimulations)-1]
	var kept, benchmark standing
	for _, z := range zero {
		row := []any{z.Task, z.Vertices, z.Cheap, z.Policy}
		for _, n := range zeroShotSimulations {
			row = append(row, z.Searched[n], z.SearchedSeconds[n])
		}
		t.Rows = append(t.Rows, append(row, z.Annealed))
		if z.Unseen {
			kept.add(z, most)
		} else {
			benchmark.add(z, most)
		}
	}
	t.Caption = about + " Every move is the agent's own, without reductions. The bare policy is as played; with simulations, the cheapest order met. " +
		fmt.Sprintf("Annealing: %g million evaluations.", float64(c.Anneal)/1e6)
	if kept.all > 0 {
		t.Caption += " Functions kept for this test, of kinds never trained on: " + kept.sentence(most)
	}
	if benchmark.all > 0 {
		t.Caption += " Benchmark tasks: " + benchmark.sentence(most)
	}
	return t
}

// standing is how the general agent does on a number of tasks.
type standing struct {
	all, notWorse    int
	policy, searched []float64 // over the cost of annealing, in percent
}

func (s *standing) add(z *ZeroShot, simulations int) {
	s.all++
	if z.Policy <= z.Cheap {
		s.notWorse++
	}
	excess := func(cost int64) float64 { return 100 * (float64(cost)/float64(max(1, z.Annealed)) - 1) }
	s.policy, s.searched = append(s.policy, excess(z.Policy)), append(s.searched, excess(z.Searched[simulations]))
}

func (s *standing) sentence(simulations int) string {
	text := fmt.Sprintf("the bare policy is at least as good as the best named order on %d of %d and lies", s.notWorse, s.all)
	for i, v := range [][]float64{s.policy, s.searched} {
		if i == 1 {
			text += fmt.Sprintf("; with %d simulations a move it is", simulations)
		}
		r := span(v)
		text += fmt.Sprintf(" %.1f %% over annealing in the median, %.1f %% at worst", r.Value, r.High)
	}
	return text + "."
}

// curveFigure draws the best cost over training time, with and without reductions.
func curveFigure(task string, learned []*Learned) (report.Figure, error) {
	f := report.LinePlot{
		Title: task + ": cheapest order met in self-play", Subtitle: "median and quartiles over the seeds",
		X: report.Axis{Label: "training time", Unit: "s", Log: true}, Y: report.Axis{Label: "multiplications"},
	}
	for _, reduced := range []bool{true, false} {
		var traces [][]report.TracePoint
		for _, l := range of(learned, task, reduced) {
			var trace []report.TracePoint
			for _, p := range l.Curve {
				trace = append(trace, report.TracePoint{Seconds: math.Max(p[0], 1e-2), Cost: p[1]})
			}
			traces = append(traces, trace)
		}
		name := "with reductions"
		if !reduced {
			name = "without reductions"
		}
		s, err := report.AnytimeSeries(name, traces...)
		if err != nil {
			return nil, err
		}
		f.Series = append(f.Series, s)
	}
	if ref := tasks.Reference(task); ref != nil && ref.BestAlphaZero > 0 {
		f.References = append(f.References, report.Line{Value: float64(ref.BestAlphaZero), Label: "published AlphaZero"})
	}
	return f, nil
}
