package experiments

import (
	"fmt"
	"strings"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/alphagrad/alphagrad-go/alphagrad/peers"
)

// gradientWorker is GoMLX's own way to a Jacobian: one compiled gradient of the whole batch, called for every output. It
// works in this process and leaves the values out.
type gradientWorker struct {
	problems []peers.Problem
	at       peers.At
	rows     int
	gradient func(row int) ([]*tensors.Tensor, error)
}

const gomlxMethod = "gomlx-rows"

// Methods implements [peers.Worker].
func (w *gradientWorker) Methods(at peers.At) (methods []string, refused map[string]string, err error) {
	if at.Type != peers.Float64 {
		return nil, nil, nil
	}
	for _, p := range w.problems {
		if p.Name != at.Problem {
			continue
		}
		x := make([][]float64, len(p.Value.Inputs))
		for k := range at.Batch {
			for j, v := range p.Points[k%peers.Points] {
				x[j] = append(x[j], v)
			}
		}
		g, err := gradients(p.Value, x, at.Batch)
		if err != nil {
			return nil, nil, err
		}
		if _, err := g(0); err != nil { // compiles; GoMLX has no gradient of some ops
			text := err.Error()
			if _, node, found := strings.Cut(text, "with type "); found { // the rest names a node by number and shape
				op, _, _ := strings.Cut(node, ",")
				text = fmt.Sprintf("GoMLX defines no gradient of %s", strings.Trim(op, `"`))
			}
			return nil, map[string]string{gomlxMethod: text}, nil
		}
		w.at, w.gradient, w.rows = at, g, len(p.Value.Outputs)
		return []string{gomlxMethod}, nil, nil
	}
	return nil, nil, fmt.Errorf("unknown problem %s", at.Problem)
}

// Results implements [peers.Worker]; the values are computed by our interpreter, since gradients have none.
func (w *gradientWorker) Results(_ string, at peers.At) ([][]float64, error) {
	shown := peers.Shown(at.Batch)
	var out [][]float64
	for _, p := range w.problems {
		if p.Name != at.Problem {
			continue
		}
		ref, err := reference(p, at.Batch)
		if err != nil {
			return nil, err
		}
		for _, row := range ref {
			out = append(out, row[:w.rows:w.rows])
		}
	}
	for i := range w.rows {
		g, err := w.gradient(i)
		if err != nil {
			return nil, err
		}
		for _, column := range g {
			if err := tensors.ConstFlatData(column, func(v []float64) {
				for r, k := range shown {
					out[r] = append(out[r], v[k])
				}
			}); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Time implements [peers.Worker].
func (w *gradientWorker) Time(_ string, _ peers.At, calls int) (time.Duration, error) {
	start := time.Now()
	for range calls {
		for i := range w.rows {
			if _, err := w.gradient(i); err != nil {
				return 0, err
			}
		}
	}
	return time.Since(start), nil
}

// Close implements [peers.Worker].
func (w *gradientWorker) Close() error { return nil }
