package optimize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// A Clock says how candidates are timed: in two rounds, each a binary of its own in which the candidates take turns. The
// first compares those that the model picks. Chance helps the one that does best there, so the best two are measured again,
// and only that round decides. There, every program is compiled several times over, because the same code at another place
// in memory may run faster or slower; and forward and reverse take part twice, so that the baseline is compared with itself.
type Clock struct {
	Candidates   int     // in the first round, at most; at least 3
	Batch        int     // samples a call; 1 for the single-sample form
	Repetitions  int     // turns of each candidate in the second round; the first has half
	Milliseconds float64 // of a turn
	Copies       int     // of each program in the second round
	Confidence   float64 // level of the intervals
	// Measure times a case; nil for [bench.Run].
	Measure func(context.Context, bench.Case, bench.Settings) ([]bench.Timing, error)
}

// DefaultClock takes some ten seconds for a program of a thousand operations, half of them to compile.
func DefaultClock() Clock {
	return Clock{Candidates: 8, Batch: 1, Repetitions: 61, Milliseconds: 1, Copies: 3, Confidence: 0.95}
}

// A Timing is what was measured. The baseline is the faster of the forward and the reverse order.
type Timing struct {
	Baseline string `json:"baseline"`
	Batch    int    `json:"batch"` // samples a call
	// Ratio is the time of the order chosen to that of the baseline. Its interval has been widened by the most that forward or
	// reverse differ from themselves, compiled again; Null is the baseline against itself. Ratio is exactly 1 if the baseline
	// was chosen.
	Ratio bench.Interval `json:"ratio"`
	Null  bench.Interval `json:"null"`
	// Faster says that the interval excludes 1. Where no candidate reaches that, the baseline is chosen.
	Faster bool       `json:"faster"`
	Round1 []Measured `json:"round1"`
	Round2 []Measured `json:"round2"`
}

// Measured is a candidate in a round.
type Measured struct {
	Name        string         `json:"name"`
	Order       []int          `json:"order"`
	Nanoseconds float64        `json:"ns"`    // median, a sample
	Ratio       bench.Interval `json:"ratio"` // to the baseline; in the second round widened by the null
}

// check refuses what cannot be timed, before any search.
func (k Clock) check(p Problem) error {
	if ok, first := p.Program.IsScalar(); !ok {
		return fmt.Errorf("objective time: node %q of %s is an array, and only programs of scalars are compiled; use muls, ops or memory", p.Program.DisplayNames()[first], p.Program.Name)
	}
	if len(p.Points) == 0 {
		return errors.New("objective time: no points to time the program at")
	}
	if err := k.Check(); err != nil {
		return fmt.Errorf("objective time: %w", err)
	}
	return nil
}

// Check refuses settings by which nothing can be measured, and a missing toolchain.
func (k Clock) Check() error {
	switch {
	case k.Candidates < 3 || k.Batch < 1 || k.Repetitions < 10 || k.Milliseconds <= 0 || k.Copies < 1 || k.Confidence <= 0 || k.Confidence >= 1:
		return fmt.Errorf("%d candidates, batches of %d, %d repetitions of %v ms, %d copies, confidence %v: at least 3, 1, 10, more than 0, 1, between 0 and 1",
			k.Candidates, k.Batch, k.Repetitions, k.Milliseconds, k.Copies, k.Confidence)
	case k.Measure != nil:
		return nil
	}
	_, err := bench.Toolchain()
	return err
}

// pick chooses what is measured: forward and reverse, which may be the same program, what is best by each count, and what
// the model thinks is fastest.
func (k Clock) pick(compared []Candidate) []*Candidate {
	var picked []*Candidate
	add := func(c *Candidate) {
		if !slices.Contains(picked, c) && len(picked) < k.Candidates {
			picked = append(picked, c)
		}
	}
	sorted := make([]*Candidate, len(compared))
	for i := range compared {
		sorted[i] = &compared[i]
		if isPlain(sorted[i]) {
			add(sorted[i])
		}
	}
	by := func(cost func(c *Candidate) int64) {
		slices.SortStableFunc(sorted, func(a, b *Candidate) int { return cmp.Compare(cost(a), cost(b)) })
	}
	by(func(c *Candidate) int64 { return c.predicted })
	add(sorted[0])
	for _, cost := range []func(c *Candidate) int64{
		func(c *Candidate) int64 { return c.Muls }, func(c *Candidate) int64 { return c.Ops.Total() }, func(c *Candidate) int64 { return c.Memory },
	} {
		by(cost)
		add(sorted[0])
	}
	by(func(c *Candidate) int64 { return c.predicted })
	for _, c := range sorted {
		add(c)
	}
	return picked
}

func isPlain(c *Candidate) bool { return c.Name == "forward" || c.Name == "reverse" }

// A race is a round: programs and the times of each, one for every repetition.
type race struct {
	runners []*Candidate
	times   [][]float64
	null    bench.Interval // of the baseline against its second self
	spread  float64        // the most that forward or reverse differ from their second selves, as a factor
	base    int            // index of the baseline
	level   float64
}

// run times the candidates, each compiled several times over. With nulls, forward and reverse take part twice.
func (k Clock) run(ctx context.Context, p Problem, runners []*Candidate, nulls bool, copies, repetitions int) (*race, error) {
	all := slices.Clone(runners)
	twin := map[int]int{} // index of a plain runner's second self
	for i, c := range runners {
		if nulls && isPlain(c) {
			twin[i] = len(all)
			all = append(all, c)
		}
	}
	cs := bench.Case{Name: p.Program.Name, Values: len(p.Program.Outputs), Points: p.Points}
	for range copies { // the copies of a program apart from each other
		for _, c := range all {
			cs.Candidates = append(cs.Candidates, bench.Candidate{Name: c.Name, Program: c.Program})
		}
	}
	measure := k.Measure
	if measure == nil {
		measure = bench.Run
	}
	timings, err := measure(ctx, cs, bench.Settings{Repetitions: repetitions, Milliseconds: k.Milliseconds, Batch: k.Batch})
	if err != nil {
		return nil, fmt.Errorf("objective time: %w", err)
	}
	times := make([][]float64, len(all))
	for i := range all {
		times[i] = make([]float64, repetitions)
		for r := range repetitions {
			for n := range copies {
				t := timings[n*len(all)+i].Single
				if k.Batch > 1 {
					t = timings[n*len(all)+i].Batch
				}
				times[i][r] += t[r] / float64(copies)
			}
		}
	}
	x := &race{runners: runners, times: times[:len(runners)], base: -1, level: k.Confidence}
	for i, c := range runners {
		if isPlain(c) && (x.base < 0 || bench.Summarize(times[i]).Median < bench.Summarize(times[x.base]).Median) {
			x.base = i
		}
	}
	if x.base < 0 {
		return nil, errors.New("objective time: neither the forward nor the reverse order is among the candidates")
	}
	x.spread = 1
	for i, k := range twin {
		null := bench.RatioInterval(times[k], times[i], x.level)
		x.spread = max(x.spread, null.Median, 1/null.Median)
		if i == x.base {
			x.null = null
		}
	}
	return x, nil
}

// against is the ratio of a runner to another.
func (x *race) against(i, j int) bench.Interval {
	if i == j {
		return bench.Interval{Low: 1, Median: 1, High: 1}
	}
	return bench.RatioInterval(x.times[i], x.times[j], x.level)
}

// results lists the runners, their intervals widened by a factor.
func (x *race) results(factor float64) []Measured {
	var all []Measured
	for i, c := range x.runners {
		m := Measured{Name: c.Name, Order: c.Order, Nanoseconds: bench.Summarize(x.times[i]).Median, Ratio: x.against(i, x.base)}
		if i != x.base {
			m.Ratio = m.Ratio.Widen(factor)
		}
		all = append(all, m)
	}
	return all
}

// Compare times orders, among which are forward and reverse, in one round as the second of a search. Round2 has a row for
// each of them; the others stay empty. Orders that emit the same program are timed once.
func (k Clock) Compare(ctx context.Context, p Problem, candidates []Candidate) (*Timing, error) {
	if err := k.check(p); err != nil {
		return nil, err
	}
	var runners []*Candidate
	at := make([]int, len(candidates))
	for i := range candidates {
		c := &candidates[i]
		if c.Program == nil {
			if err := c.Price(p); err != nil {
				return nil, err
			}
		}
		if at[i] = slices.IndexFunc(runners, func(r *Candidate) bool { return ir.Equal(r.Program, c.Program) }); at[i] < 0 {
			at[i] = len(runners)
			runners = append(runners, c)
		} else if isPlain(c) && !isPlain(runners[at[i]]) {
			runners[at[i]] = c
		}
	}
	t, err := k.compare(ctx, p, runners)
	if err != nil {
		return nil, err
	}
	unique := t.Round2
	t.Round2 = nil
	for i, c := range candidates {
		m := unique[at[i]]
		m.Name, m.Order = c.Name, c.Order
		t.Round2 = append(t.Round2, m)
	}
	return t, nil
}

func (k Clock) compare(ctx context.Context, p Problem, runners []*Candidate) (*Timing, error) {
	x, err := k.run(ctx, p, runners, true, k.Copies, k.Repetitions)
	if err != nil {
		return nil, err
	}
	t := &Timing{Baseline: x.runners[x.base].Name, Batch: k.Batch, Null: x.null}
	t.Round2 = x.results(x.spread)
	return t, nil
}

// measure decides by the clock.
func (c *course) measure(ctx context.Context, r *Result) error {
	k := c.settings.Clock
	picked := k.pick(r.Compared)
	first, err := k.run(ctx, c.Problem, picked, false, 1, (k.Repetitions+1)/2)
	if err != nil {
		return c.interrupted(ctx, r, err)
	}
	order := make([]int, len(picked)) // indices, fastest first
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(first.against(i, first.base).Median, first.against(j, first.base).Median)
	})
	var finalists []*Candidate
	challengers := 0
	for _, i := range order {
		switch {
		case isPlain(picked[i]):
			finalists = append(finalists, picked[i])
		case challengers < 2:
			finalists = append(finalists, picked[i])
			challengers++
		}
	}
	k.Confidence = 1 - (1-k.Confidence)/float64(max(1, challengers)) // each of them may win by chance (Bonferroni)
	t, err := k.compare(ctx, c.Problem, finalists)
	if err != nil {
		return c.interrupted(ctx, r, err)
	}
	t.Round1 = first.results(1)
	chosen := slices.IndexFunc(t.Round2, func(m Measured) bool { return m.Name == t.Baseline })
	for i, m := range t.Round2 {
		if !isPlain(finalists[i]) && m.Ratio.High < 1 && m.Ratio.Median < t.Round2[chosen].Ratio.Median {
			chosen = i
		}
	}
	t.Ratio = t.Round2[chosen].Ratio
	t.Faster = t.Ratio.High < 1
	r.Timing, r.Best, r.Order = t, *finalists[chosen], finalists[chosen].Order
	r.Cost = int64(math.Round(1000 * t.Ratio.Median))
	r.Trace = []search.TracePoint{{Seconds: r.Best.seconds, Evaluations: r.Best.used, Cost: r.Cost}}
	return nil
}

// interrupted keeps what the counts chose if measuring was cancelled.
func (c *course) interrupted(ctx context.Context, r *Result, err error) error {
	if ctx.Err() == nil {
		return err
	}
	r.Status = search.Cancelled
	return nil
}

// String says what was measured in a sentence.
func (t *Timing) String() string {
	var b strings.Builder
	what := ""
	if t.Batch > 1 {
		what = fmt.Sprintf(" in batches of %d", t.Batch)
	}
	if t.Faster {
		fmt.Fprintf(&b, "%.3f of the time of the %s order%s, interval %.3f to %.3f", t.Ratio.Median, t.Baseline, what, t.Ratio.Low, t.Ratio.High)
	} else {
		fmt.Fprintf(&b, "1.000 of the time of the %s order%s: no other order is faster beyond doubt", t.Baseline, what)
		for _, m := range t.Round2 {
			if m.Name != t.Baseline {
				fmt.Fprintf(&b, "; %s %.3f, interval %.3f to %.3f", m.Name, m.Ratio.Median, m.Ratio.Low, m.Ratio.High)
			}
		}
	}
	fmt.Fprintf(&b, " (the %s order against itself: %.3f, %.3f to %.3f)", t.Baseline, t.Null.Median, t.Null.Low, t.Null.High)
	return b.String()
}
