// Package nb shows tables, plots and drawings of package report in a GoNB notebook.
//
// Figures are sent as SVG and tables as HTML, so that a notebook executed headless keeps them as files of its own.
// Show one thing per cell: text and rich output of one cell arrive in random order. Outside a notebook figures show
// nothing, tables and progress are written as plain text.
package nb

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
)

// output and progressOutput take the plain text written outside a notebook.
var (
	output         io.Writer = os.Stdout
	progressOutput io.Writer = os.Stderr
)

// Must ends the cell with a message and exit status 1 if err is not nil, so that a notebook executed headless fails.
func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Table shows a table.
func Table(t report.Table) error {
	if !gonbui.IsNotebook {
		text, err := t.Text()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(output, text)
		return err
	}
	html, err := t.HTML()
	if err != nil {
		return err
	}
	return send("", protocol.MIMETextHTML, html)
}

// Plot shows any figure. The description is checked outside a notebook, too.
func Plot(f report.Figure) error {
	return showFigure("", f)
}

// Graph shows a computational graph.
func Graph(g report.Graph, o report.GraphOptions) error {
	return Plot(report.GraphFigure{Graph: g, Options: o})
}

// Step shows the elimination of one vertex of g, before and after.
func Step(g report.Graph, vertex string) error {
	return Plot(report.Step{Title: g.Name, Before: g, Vertex: vertex})
}

// Film shows the elimination of vertices of g in the given order, one picture per step.
func Film(g report.Graph, order []string) error {
	strip, err := report.Film(g, order)
	if err != nil {
		return err
	}
	return Plot(strip)
}

func showFigure(id string, f report.Figure) error {
	svg, err := report.SVG(f)
	if err != nil || !gonbui.IsNotebook {
		return err
	}
	return send(id, protocol.MIMEImageSVG, string(svg))
}

// flushTimeout bounds the wait for the kernel, so that a lost connection ends in an error instead of a hang.
const flushTimeout = 30 * time.Second

// send passes content to the kernel, into the block of the given id if there is one, and waits until it has arrived: the
// kernel stops reading when the cell's program ends, and would lose what is still on its way.
func send(id string, kind protocol.MIMEType, content string) error {
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		gonbui.SendData(&protocol.DisplayData{Data: map[protocol.MIMEType]any{kind: content}, DisplayID: id})
		gonbui.Sync()
	}()
	select {
	case <-arrived:
	case <-time.After(flushTimeout):
		return fmt.Errorf("nb: the notebook kernel did not take the output within %v", flushTimeout)
	}
	if err := gonbui.Error(); err != nil {
		return fmt.Errorf("nb: showing output: %w", err)
	}
	return nil
}
