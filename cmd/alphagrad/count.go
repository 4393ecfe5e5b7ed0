package main

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

type taskRow struct {
	Name       string `json:"name"`
	Inputs     int    `json:"inputs"`
	Vertices   int    `json:"vertices"`
	Eliminable int    `json:"eliminable"`
	Outputs    int    `json:"outputs"`
}

func newTasks() *cobra.Command {
	return &cobra.Command{
		Use:     "tasks",
		Short:   "List the benchmark tasks",
		Example: "  alphagrad tasks\n  alphagrad tasks --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var rows []taskRow
			all := slices.Concat(tasks.All(), tasks.Arrays())
			for _, t := range all {
				p, err := t.Program()
				if err != nil {
					return err
				}
				g, err := ad.Graph(p)
				if err != nil {
					return err
				}
				rows = append(rows, taskRow{t.Name, len(p.Inputs), g.Vertices(), len(g.Eliminable()), len(p.Outputs)})
			}
			if wantsJSON(cmd) {
				return printJSON(cmd, rows)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "task\tinputs\tvertices\teliminable\toutputs\tfunction")
			for i, r := range rows {
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", r.Name, r.Inputs, r.Vertices, r.Eliminable, r.Outputs, all[i].Doc)
			}
			return w.Flush()
		},
	}
}

// countRow is what count prints; ops are those of the emitted value-and-Jacobian program.
type countRow struct {
	Task      string `json:"task"`
	OrderName string `json:"order_name"`
	Order     []int  `json:"order"`
	Muls      int64  `json:"muls"`
	Ops       struct {
		Mul int64 `json:"mul"`
		Add int64 `json:"add"`
	} `json:"ops"`
}

func newCount() *cobra.Command {
	var src source
	var order orderFlag
	cmd := &cobra.Command{
		Use:   "count",
		Short: "Count the multiplications of an elimination order",
		Long: `Count what accumulating the Jacobian in an order costs: muls is the published metric (one multiplication for every
pair of in- and out-edge of every eliminated vertex, factors ±1 included; on arrays what the structures of the edges
demand, factors ±1 free), ops are the multiplications and additions
left in the generated value-and-Jacobian program after folding ±1, sharing common subexpressions and dropping dead code.`,
		Example: `  alphagrad count --task RoeFlux_1d --order markowitz
  alphagrad count --task Lighthouse --order 1,2,3,4,5,6 --json
  alphagrad count --graph my.json --order @order.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			sub, err := src.load()
			if err != nil {
				return err
			}
			row := countRow{Task: sub.name}
			if row.OrderName, row.Order, err = order.resolve(sub); err != nil {
				return err
			}
			if row.Muls, err = sub.graph.Muls(row.Order); err != nil {
				return err
			}
			ops, err := ad.CountOps(sub.program, row.Order)
			if err != nil {
				return err
			}
			row.Ops.Mul, row.Ops.Add = ops.Mul, ops.Add
			if wantsJSON(cmd) {
				return printJSON(cmd, row)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s, %s order: %d multiplications by elimination; the program: %v\n", row.Task, row.OrderName, row.Muls, ops)
			return nil
		},
	}
	src.flags(cmd)
	order.flags(cmd, "reverse")
	return cmd
}
