package rules

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// A Judge evaluates rules, each gradient once: it remembers, in memory and in a file, what it has measured.
type Judge struct {
	Evaluator *Evaluator
	Objective Objective
	// Log is told of trainings that diverge; it may be nil.
	Log func(text string)

	bptt     *Meaning
	measured map[string]*Quality
	metrics  *runs.Metrics
	archive  []*Point // every rule met
	byKey    map[string]*Point
	Measured int     // evaluations made here, not remembered
	Seconds  float64 // that they took
}

// NewJudge opens a judge that keeps what it measures in a file, and starts with what is there already.
func NewJudge(e *Evaluator, o Objective, path string) (*Judge, error) {
	j := &Judge{Evaluator: e, Objective: o, measured: map[string]*Quality{}, byKey: map[string]*Point{}}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<24)
	for n := 1; lines.Scan(); n++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			if !bytes.HasSuffix(data, []byte("\n")) && bytes.HasSuffix(data, lines.Bytes()) {
				break // torn by an interruption
			}
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if r.Key == "" || r.Quality == nil {
			return nil, fmt.Errorf("%s:%d: expected a key and a quality", path, n)
		}
		j.measured[r.Key] = r.Quality
	}
	if j.metrics, err = runs.OpenMetrics(path); err != nil {
		return nil, err
	}
	bptt, err := LadderRule(e.Problems[0].Recurrence, "bptt")
	if err != nil {
		return nil, err
	}
	b, err := bptt.Build(e.Problems[0].Recurrence)
	if err != nil {
		return nil, err
	}
	j.bptt, err = b.Meaning(e.Problems[0].Recurrence, e.Problems[0].Steps())
	return j, err
}

// record is a line of the file.
type record struct {
	Key     string   `json:"key"`
	Quality *Quality `json:"quality"`
}

// Close closes the file.
func (j *Judge) Close() error { return j.metrics.Close() }

// Judge evaluates a rule on the first problem's network for its meaning, and on all problems for its quality.
func (j *Judge) Judge(ctx context.Context, r *Rule) (*Point, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p := j.Evaluator.Problems[0]
	key := r.Key(p.Recurrence)
	if known := j.byKey[key]; known != nil {
		return known, nil
	}
	b, err := r.Build(p.Recurrence)
	if err != nil {
		return nil, err
	}
	// The canonical form drops what is dead anyway, so that nothing is carried in vain.
	c, err := r.Canonical(p.Recurrence).Build(p.Recurrence)
	if err != nil {
		return nil, err
	}
	b.Rule.Format = Format
	m, err := c.Meaning(p.Recurrence, p.Steps())
	if err != nil {
		return nil, err
	}
	gradient := r.GradientKey(p.Recurrence)
	q := j.measured[gradient]
	if q == nil {
		start := time.Now()
		if q, err = j.Evaluator.Evaluate(ctx, r); err != nil {
			return nil, err
		}
		j.Seconds += time.Since(start).Seconds()
		j.Measured++
		j.measured[gradient] = q
		if err := j.metrics.Append(map[string]any{"key": gradient, "quality": q}); err != nil {
			return nil, err
		}
		for _, t := range q.Tasks {
			for _, d := range t.Diverged {
				if j.Log != nil {
					j.Log(fmt.Sprintf("%s: %s: %s", r.Formula(), t.Task, d))
				}
			}
		}
	}
	point := &Point{Rule: r, Formula: r.Formula(), Key: key, Meaning: m, Quality: q, Score: j.Objective.Score(m, j.bptt, q)}
	j.byKey[key] = point
	j.archive = append(j.archive, point)
	return point, nil
}

// Archive is every rule met so far, in the order of meeting.
func (j *Judge) Archive() []*Point { return j.archive }

// Total is the number of gradients measured, here or before, and the time that took.
func (j *Judge) Total() (gradients int, seconds float64) {
	for _, q := range j.measured {
		seconds += q.Seconds
	}
	return len(j.measured), seconds
}

// Best is the best of some rules by another objective, with its score; nil if there are none.
func (j *Judge) Best(o Objective, points []*Point) (best *Point, score float64) {
	for _, p := range points {
		if x := o.Score(p.Meaning, j.bptt, p.Quality); best == nil || x > score {
			best, score = p, x
		}
	}
	return best, score
}
