package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/alphagrad/alphagrad-go/alphagrad/experiments"
)

// peerRow is one method at one batch; times in nanoseconds per value and Jacobian, with quartiles.
type peerRow struct {
	Task       string      `json:"task"`
	Method     string      `json:"method"`
	Batch      int         `json:"batch"`
	Time       [3]float64  `json:"ns"`
	Ratio      *[3]float64 `json:"ratio"` // to ours, turn by turn
	Difference float64     `json:"difference"`
}

// benchPeers times our code beside other libraries with the settings that the verb's flags share with it.
func benchPeers(cmd *cobra.Command, p *experiments.Poster, install bool) error {
	c := experiments.DefaultSpeed()
	c.Tasks, c.Seed, c.Search, c.Install = p.Tasks, p.Search.Seeds[0], p.Search.Budget, install
	if cmd.Flags().Changed("repetitions") {
		c.Repetitions = p.Bench.Repetitions
	}
	if cmd.Flags().Changed("milliseconds") {
		c.Milliseconds = p.Bench.Milliseconds
	}
	if cmd.Flags().Changed("batch") {
		c.Series[0].Batches = []int{p.Bench.Batch}
	}
	if err := c.Validate(); err != nil {
		return err
	}
	b := newBar(cmd, 0)
	r, err := c.Measure(cmd.Context(), experiments.Env{Progress: b.step})
	b.finish()
	if err != nil && (r.Done == 0 || cmd.Context().Err() == nil) {
		return failure{err}
	}
	for _, m := range r.Missing {
		fmt.Fprintln(cmd.ErrOrStderr(), "left out:", m)
	}
	if perr := printPeers(cmd, c, r); perr != nil || err == nil {
		return perr
	}
	return failure{errors.New(r.Partial())}
}

// printPeers prints what was measured, also of an interrupted run.
func printPeers(cmd *cobra.Command, c *experiments.Speed, r *experiments.SpeedResult) error {
	if !wantsJSON(cmd) {
		for _, t := range c.Tables(r) {
			text, err := t.Text()
			if err != nil {
				return failure{err}
			}
			fmt.Fprintln(cmd.OutOrStdout(), text)
		}
		return nil
	}
	rows := []peerRow{}
	for _, m := range r.Rows {
		row := peerRow{m.Task, m.Method, m.Batch, triple(m.Time), nil, m.Difference}
		if !math.IsNaN(m.Ratio.Median) {
			ratio := triple(m.Ratio)
			row.Ratio = &ratio
		}
		rows = append(rows, row)
	}
	return printJSON(cmd, rows)
}
