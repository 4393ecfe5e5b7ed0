package experiments

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// page writes README.md: what was found in words, then every table and figure of the directory.
func (c *Poster) page(dir string, results []*TaskResult) error {
	var b strings.Builder
	b.WriteString("# Elimination orders: counts and times\n\nWritten by `alphagrad run experiments/poster.yaml`; [manifest.json](manifest.json) names the program, the machine and the settings.\n\n")
	b.WriteString("## In words\n\n")
	b.WriteString("What the cheapest order found makes of each task, against the better of forward and reverse:\n\n")
	none := 0
	for _, r := range results {
		base, ours := min(r.Cost(Forward).Muls, r.Cost(Reverse).Muls), r.Cost(Ours)
		row := r.Speedups()[len(r.Orders)-1]
		single, batch := verdict(row.FasterSingle), verdict(row.FasterBatch)
		proof := ""
		if r.Searches[r.Best].Optimal {
			proof = ", proved optimal"
		}
		if single == noDifference && batch == noDifference {
			none++
		}
		fmt.Fprintf(&b, "- **%s**: %d multiplications in place of %d%s; measured: single calls, %s; batches, %s.\n", r.Task.Name, ours.Muls, base, proof, single, batch)
	}
	fmt.Fprintf(&b, "\nOn %d of %d tasks the cheapest order makes no measurable difference to the time.\n", none, len(results))
	for _, t := range []report.Table{c.CountsTable(results), OpsTable(results), c.SpeedupTable(results)} {
		text, err := t.Markdown()
		if err != nil {
			return err
		}
		b.WriteString("\n## " + t.Title + "\n\n" + strings.TrimPrefix(text, "**"+t.Title+"**\n\n"))
		b.WriteString("\n")
	}
	b.WriteString("\n## Figures\n")
	for _, f := range []string{"counts", "speedup_single", "speedup_batch"} {
		fmt.Fprintf(&b, "\n![%s](%s.svg)\n", f, f)
	}
	for _, r := range results {
		if _, ok, err := TraceFigure(r); err != nil {
			return err
		} else if ok {
			fmt.Fprintf(&b, "\n![%s](trace_%s.svg)\n", r.Task.Name, r.Task.Name)
		}
	}
	b.WriteString("\nThe orders themselves are in [orders](orders), one file a task, ready for `alphagrad count --order @FILE`.\n")
	return runs.WriteFile(filepath.Join(dir, "README.md"), []byte(b.String()))
}
