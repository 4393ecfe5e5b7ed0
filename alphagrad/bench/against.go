package bench

import (
	"context"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// Against is the time of one sample of a derivative program relative to that of a baseline, as quartiles over pairs of
// turns: below 1 it is faster. Both have the same inputs and the same outputs, values first; values says how many.
func Against(ctx context.Context, baseline, p *ir.Program, values int, points [][]float64, s Settings) (Quartiles, error) {
	t, err := Run(ctx, Case{Name: p.Name, Values: values, Points: points, Candidates: []Candidate{{"baseline", baseline}, {"candidate", p}}}, s)
	if err != nil {
		return Quartiles{}, err
	}
	return Ratio(t[1].Single, t[0].Single), nil
}
