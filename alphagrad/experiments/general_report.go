package experiments

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// report writes the table and a page that shows it.
func (c *General) report(dir string, zero []*ZeroShot, about string) error {
	t := c.zeroShotTable(zero, about)
	if err := report.SaveTable(dir, "zero_shot", t); err != nil {
		return err
	}
	text, err := t.Markdown()
	if err != nil {
		return err
	}
	page := "# AlphaZero plays the elimination game\n\n[best.model](best.model) is the general agent, the default of `alphagrad play`; [manifest.json](manifest.json) names the program, the machine and the settings.\n" +
		noted(c.Note) + "\n## " + t.Title + "\n\n" + strings.TrimPrefix(text, "**"+t.Title+"**\n\n")
	return runs.WriteFile(filepath.Join(dir, "README.md"), []byte(page))
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
func (c *General) zeroShotTable(zero []*ZeroShot, about string) report.Table {
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
	t.Caption = about + "Every move is the agent's own, without reductions. The bare policy is as played; with simulations, the cheapest order met. " +
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
