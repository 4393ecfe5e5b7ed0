package game

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A Step is one elimination of a playthrough.
type Step struct {
	Move    int   // number of the player's move it belongs to, from 1; 0 in the forced opening
	Vertex  int   // vertex number
	Forced  bool  // made by a reduction
	In, Out int   // predecessors and successors at that moment
	Cost    int64 // in units of the objective; 0 for one known at the end
	Total   int64 // sum of Cost so far
}

// Steps lists the eliminations so far.
func (g *Game) Steps() []Step {
	steps := make([]Step, len(g.steps))
	move, total := 0, int64(0)
	for i, s := range g.steps {
		for move < len(g.moves) && g.moves[move].steps <= i {
			move++
		}
		total += s.cost
		u := g.graph.Node(s.vertex) // an eliminated vertex keeps the neighbours of its last moment
		steps[i] = Step{move, s.vertex, s.forced, g.state.PredCount(u), g.state.SuccCount(u), s.cost, total}
	}
	return steps
}

// Render writes the game so far as a table with one row for each elimination: the number of the move, nothing for one
// that is forced, the vertex, its label if labels are given, predecessors × successors, cost and running total.
func (g *Game) Render(w io.Writer, label func(vertex int) string) error {
	buffered := bufio.NewWriter(w)
	o := g.options
	name := o.Name
	if name == "" {
		name = "a graph"
	}
	fmt.Fprintf(buffered, "%s: %d of %d vertices eliminated, objective %s, reductions %v\n",
		name, len(g.steps), len(g.vertices), o.Objective.name, o.Reduce)
	table := tabwriter.NewWriter(buffered, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for i, c := range cells {
			if label != nil || i != 2 {
				fmt.Fprintf(table, "%v\t", c)
			}
		}
		fmt.Fprintln(table)
	}
	row("move", "vertex", "op", "in×out", "cost", "total")
	for _, s := range g.Steps() {
		move, op := "", ""
		if !s.Forced {
			move = fmt.Sprint(s.Move)
		}
		if label != nil {
			op = strings.Map(printable, label(s.Vertex))
		}
		row(move, s.Vertex, op, fmt.Sprintf("%d×%d", s.In, s.Out), s.Cost, s.Total)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if !o.Objective.Dense() && g.Done() {
		fmt.Fprintf(buffered, "%s of the order: %v\n", o.Objective.name, g.final)
	}
	return buffered.Flush()
}

// printable keeps a label from breaking the table.
func printable(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}
