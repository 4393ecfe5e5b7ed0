package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
)

// confirmed is how rules do on fresh seeds.
type confirmed struct {
	Tasks []string    `json:"tasks"` // those of the search, then those it never saw
	Known int         `json:"known"` // how many are of the search
	Rules []*measured `json:"rules"`
}

// measured is a rule on fresh seeds.
type measured struct {
	Name     string       `json:"name"`
	Found    bool         `json:"found"` // by a search, not published
	Control  bool         `json:"control,omitempty"`
	Point    *rules.Point `json:"point"`
	Rates    []float64    `json:"rates"`  // by task
	Losses   [][]float64  `json:"losses"` // [task][seed]; NaN is written as null
	Skill    [][]float64  `json:"-"`
	Verdicts []string     `json:"verdicts,omitempty"`
}

// confirm measures the published rules and the best that were found on fresh seeds, each at its tuned rates. On tasks that
// the search never saw, rates are tuned on other seeds first.
func (s *ruleSearch) confirm(ctx context.Context, found []*rules.Point) (*confirmed, error) {
	e := s.judge.Evaluator
	c := &confirmed{Tasks: slices.Concat(s.Tasks, s.Confirm.Transfer), Known: len(s.Tasks)}
	rec := e.Problems[0].Recurrence
	keys := map[string]bool{}
	add := func(name string, p *rules.Point, found, control bool) {
		if key := p.Rule.GradientKey(rec) + fmt.Sprint(p.Meaning.Cost); !keys[key] {
			keys[key] = true
			c.Rules = append(c.Rules, &measured{Name: name, Point: p, Found: found, Control: control})
		}
	}
	for _, p := range s.ladder {
		add(p.Rule.Name, p, false, false)
	}
	if k := s.Confirm.Control; k > 0 {
		r, err := rules.LadderRule(rec, "e-prop symmetric")
		if err != nil {
			return nil, err
		}
		for i := range r.Edits {
			if r.Edits[i].To == "rec.recurrent" {
				r.Edits[i].Kind, r.Edits[i].K = "random_k", k
			}
		}
		r.Name = fmt.Sprintf("random-%d", k)
		p, err := s.judge.Judge(ctx, r)
		if err != nil {
			return nil, err
		}
		add(r.Name, p, false, true)
	}
	// Finalists: the best local ones by score, then others of the Pareto set.
	var local []*rules.Point
	for _, p := range found {
		if p.Meaning.Synaptic() {
			local = append(local, p)
		}
	}
	byScore := func(a, b *rules.Point) int { return -compareFloat(a.Score, b.Score) }
	slices.SortStableFunc(local, byScore)
	front := rules.Pareto(append(slices.Clone(found), s.ladder...))
	slices.SortStableFunc(front, byScore)
	for _, p := range slices.Concat(local[:min(len(local), (s.Confirm.Finalists+1)/2)], front) {
		n := 0
		for _, m := range c.Rules {
			if m.Found {
				n++
			}
		}
		if n < s.Confirm.Finalists {
			add(fmt.Sprintf("found %d", n+1), p, true, false)
		}
	}
	fresh := seedsOf(runs.Seed(s.Seed).Sub("fresh"), s.Confirm.Seeds)
	problems, err := problemsOf(c.Tasks, s.Size)
	if err != nil {
		return nil, err
	}
	done := 0
	for t, p := range problems {
		for _, m := range c.Rules {
			s.env.progress("confirming "+m.Name, done, len(problems)*len(c.Rules))
			done++
			var rate float64
			if t < c.Known {
				rate = m.Point.Quality.Tasks[t].Rate
			} else {
				tuner := &rules.Evaluator{Problems: []*rules.Problem{p}, Rates: s.Rates, Seeds: seedsOf(runs.Seed(s.Seed).Sub("networks"), s.Networks), Split: data.Validation}
				q, err := tuner.Tune(ctx, p, m.Point.Rule)
				if err != nil {
					return nil, err
				}
				rate = q.Rate
			}
			if rate == 0 {
				rate = s.Rates[0] // every rate diverged; the fresh seeds will say so
			}
			list, err := rules.On(ctx, p, m.Point.Rule, rate, fresh, data.Test)
			if err != nil {
				return nil, err
			}
			var losses []float64
			for _, x := range list {
				losses = append(losses, x.Loss)
			}
			m.Rates, m.Losses = append(m.Rates, rate), append(m.Losses, losses)
		}
	}
	c.judge()
	return c, nil
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (c *confirmed) named(name string) *measured {
	for _, m := range c.Rules {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// judge computes skills by seed and says which found rules no published one dominates.
func (c *confirmed) judge() {
	bptt, readout := c.named("bptt"), c.named("readout only")
	for _, m := range c.Rules {
		m.Skill = nil
		for t := range c.Tasks {
			top, _ := rules.Interval(bptt.Losses[t])
			floor, _ := rules.Interval(readout.Losses[t])
			var skill []float64
			for _, l := range m.Losses[t] {
				x := (floor - l) / (floor - top)
				if math.IsNaN(l) {
					x = 0 // diverged
				}
				skill = append(skill, x)
			}
			m.Skill = append(m.Skill, skill)
		}
	}
	for _, m := range c.Rules {
		if !m.Found {
			continue
		}
		for _, l := range c.Rules {
			if l.Found || l.Point.Meaning.Cost > m.Point.Meaning.Cost || l.Point.Meaning.Memory > m.Point.Meaning.Memory || l.Point.Meaning.Hops > m.Point.Meaning.Hops {
				continue // it costs more in something: it cannot dominate
			}
			mean, half := rules.Interval(difference(m.over(c.Known), l.over(c.Known)))
			if !(mean-half > 0) {
				m.Verdicts = append(m.Verdicts, fmt.Sprintf("not better than %s by more than chance (%.3f ± %.3f)", l.Name, mean, half))
			}
		}
	}
}

// over is the skill by seed, averaged over the first tasks.
func (m *measured) over(tasks int) []float64 {
	mean := make([]float64, len(m.Skill[0]))
	for t := range tasks {
		for i, x := range m.Skill[t] {
			mean[i] += x / float64(tasks)
		}
	}
	return mean
}

func difference(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	return d
}

// table shows skills with confidence intervals.
func (c *confirmed) table(title string, seeds int) report.Table {
	t := report.Table{Title: title, Caption: fmt.Sprintf("Skill on %d fresh seeds at tuned rates on held-out sequences: mean (95 %% confidence interval); the interval is over seeds with the references' means fixed. "+
		"A found rule is not dominated where it is significantly better (paired, 95 %%) than every published rule and control that costs no more in multiplications, memory and hops.", seeds),
		Columns: []report.Column{{Name: "rule"}, {Name: "formula"}, {Name: "multiplications"}, {Name: "memory"}, {Name: "hops"}, {Name: "local"}}}
	for k, task := range c.Tasks {
		name := task
		if k >= c.Known {
			name += " (never searched)"
		}
		t.Columns = append(t.Columns, report.Column{Name: name, Format: "%.2f"})
	}
	t.Columns = append(t.Columns, report.Column{Name: "mean of searched", Format: "%.3f"}, report.Column{Name: "not dominated"})
	for _, m := range c.Rules {
		row := []any{m.Name, m.Point.Formula, m.Point.Meaning.Cost, m.Point.Meaning.Memory, m.Point.Meaning.Hops, m.Point.Meaning.Synaptic()}
		if !m.Found {
			row[1] = m.Point.Rule.Formula()
		}
		for _, skill := range m.Skill {
			mean, half := rules.Interval(skill)
			row = append(row, report.Range{Value: mean, Low: mean - half, High: mean + half})
		}
		mean, half := rules.Interval(m.over(c.Known))
		row = append(row, report.Range{Value: mean, Low: mean - half, High: mean + half})
		switch {
		case !m.Found:
			row = append(row, nil)
		case len(m.Verdicts) == 0:
			row = append(row, "yes")
		default:
			row = append(row, "no: "+m.Verdicts[0])
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
