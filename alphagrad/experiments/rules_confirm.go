package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
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
	Edge     []bool       `json:"edge"`   // by task: the best rate is at an end of those tried
	Losses   [][]float64  `json:"losses"` // [task][seed]; NaN is written as null
	Skill    [][]float64  `json:"-"`
	Verdicts []string     `json:"verdicts,omitempty"` // published rules and controls that it does not beat at its price
	Beats    []string     `json:"beats,omitempty"`    // published rules and controls that it dominates

	trained [][]*rules.Trained // [task][seed]
}

// confirm measures the published rules, controls and the best that were found on fresh seeds, all at rates tuned anew in the
// same way, on seeds that neither the search nor the confirmation uses.
func (s *ruleSearch) confirm(ctx context.Context, found []*rules.Point) (*confirmed, error) {
	c := &confirmed{Tasks: slices.Concat(s.Tasks, s.Confirm.Transfer), Known: len(s.Tasks)}
	if err := s.finalists(ctx, c, found); err != nil {
		return nil, err
	}
	tuning, rates := s.Confirm.Tuning, s.Confirm.Rates
	if tuning == 0 {
		tuning = s.Networks
	}
	if len(rates) == 0 {
		rates = s.Rates
	}
	fresh := seedsOf(runs.Seed(s.Seed).Sub("fresh"), s.Confirm.Seeds)
	size := s.Size
	if s.Confirm.Iterations > 0 {
		size.Iterations = s.Confirm.Iterations
	}
	problems, err := problemsOf(c.Tasks, size)
	if err != nil {
		return nil, err
	}
	done := 0
	for _, p := range problems {
		tuner := &rules.Evaluator{Problems: []*rules.Problem{p}, Rates: rates, Widen: s.Confirm.Widen, Seeds: seedsOf(runs.Seed(s.Seed).Sub("tuning"), tuning), Split: data.Validation}
		met := map[string]int{} // gradients, by what they are of
		for i, m := range c.Rules {
			s.env.progress("confirming "+m.Name, done, len(problems)*len(c.Rules))
			done++
			key := m.Point.Rule.GradientKey(p.Recurrence)
			if k, same := met[key]; same {
				n := len(m.trained)
				m.take(c.Rules[k].trained[n], c.Rules[k].Rates[n], c.Rules[k].Edge[n])
				continue
			}
			met[key] = i
			q, err := tuner.Tune(ctx, p, m.Point.Rule)
			if err != nil {
				return nil, err
			}
			rate := q.Rate
			if q.Failed != "" {
				rate = rates[0] // every rate diverged; the fresh seeds will say so
			}
			list, err := rules.On(ctx, p, m.Point.Rule, rate, fresh, data.Test)
			if err != nil {
				return nil, err
			}
			m.take(list, rate, q.Edge)
		}
	}
	c.judge()
	return c, nil
}

// take adds the trainings of the next task.
func (m *measured) take(list []*rules.Trained, rate float64, edge bool) {
	m.trained = append(m.trained, list)
	m.Rates, m.Edge, m.Losses = append(m.Rates, rate), append(m.Edge, edge), append(m.Losses, lossesOf(list))
}

// finalists collects what is confirmed: the published rules, the controls, then the best local rules found, by score, and
// of the Pareto set those of the most skill.
func (s *ruleSearch) finalists(ctx context.Context, c *confirmed, found []*rules.Point) error {
	rec := s.judge.Evaluator.Problems[0].Recurrence
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
	for _, k := range s.Confirm.Controls {
		r, err := rules.LadderRule(rec, "e-prop symmetric")
		if err != nil {
			return err
		}
		for i := range r.Edits {
			if strings.HasSuffix(r.Edits[i].To, ".recurrent") {
				r.Edits[i].Kind, r.Edits[i].K = "random_k", k
			}
		}
		r.Name = fmt.Sprintf("random-%d", k)
		p, err := s.judge.Judge(ctx, r)
		if err != nil {
			return err
		}
		add(r.Name, p, false, true)
	}
	var local []*rules.Point
	for _, p := range found {
		if p.Meaning.Synaptic() {
			local = append(local, p)
		}
	}
	byScore := func(a, b *rules.Point) int { return -compareFloat(a.Score, b.Score) }
	slices.SortStableFunc(local, byScore)
	front := rules.Pareto(append(slices.Clone(found), s.ladder...))
	slices.SortStableFunc(front, func(a, b *rules.Point) int { return -compareFloat(a.Quality.Skill, b.Quality.Skill) })
	given := len(c.Rules)
	for _, p := range slices.Concat(local[:min(len(local), (s.Confirm.Finalists+1)/2)], front, local) {
		if n := len(c.Rules) - given; n < s.Confirm.Finalists {
			add(fmt.Sprintf("found %d", n+1), p, true, false)
		}
	}
	return nil
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
		for _, l := range c.Rules {
			a, b := m.Point.Meaning, l.Point.Meaning
			if l.Found || a.Cost > b.Cost || a.Memory > b.Memory || a.Hops > b.Hops {
				continue
			}
			if mean, half := rules.Interval(difference(m.over(c.Known), l.over(c.Known))); mean-half > 0 {
				m.Beats = append(m.Beats, l.Name)
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

// verdict says in words how many found rules hold up.
func (c *confirmed) verdict() string {
	found, free, beating := 0, 0, 0
	for _, m := range c.Rules {
		if m.Found {
			found++
			if len(m.Verdicts) == 0 {
				free++
			}
			if len(m.Beats) > 0 {
				beating++
			}
		}
	}
	return fmt.Sprintf("Of %d found rules that were confirmed, %d escape domination by all published rules and controls on fresh seeds; %d dominate one of those or more.", found, free, beating)
}

// table shows skills with confidence intervals.
func (c *confirmed) table(title string, o Confirm) report.Table {
	t := report.Table{Title: title, Caption: fmt.Sprintf("Skill on %d fresh seeds at tuned rates on sequences that were not trained on: mean (95 %% confidence interval); the interval is over seeds with the references' means fixed. "+
		"A training that diverges has skill 0. A found rule is not dominated where it is significantly better (paired over seeds, 95 %%, each comparison by itself) than every published rule and control that costs no more in multiplications, memory and hops; "+
		"it dominates those that cost no less in any of them and than which it is significantly better. Interior: on how many tasks the tuned rate is at neither end of those tried, from %v and up to %d more beyond an end.", o.Seeds, o.Rates, o.Widen),
		Columns: []report.Column{{Name: "rule"}, {Name: "formula"}, {Name: "multiplications"}, {Name: "memory"}, {Name: "hops"}, {Name: "local"}}}
	for k, task := range c.Tasks {
		name := task
		if k >= c.Known {
			name += " (never searched)"
		}
		t.Columns = append(t.Columns, report.Column{Name: name, Format: "%.2f"})
	}
	t.Columns = append(t.Columns, report.Column{Name: "mean of searched", Format: "%.3f"}, report.Column{Name: "interior"}, report.Column{Name: "not dominated"}, report.Column{Name: "dominates"})
	for _, m := range c.Rules {
		row := []any{m.Name, m.Point.Formula, m.Point.Meaning.Cost, m.Point.Meaning.Memory, m.Point.Meaning.Hops, m.Point.Meaning.Synaptic()}
		if !m.Found {
			row[1] = m.Point.Rule.Formula()
		}
		for _, skill := range m.Skill {
			row = append(row, meanInterval(skill))
		}
		interior := 0
		for _, edge := range m.Edge {
			if !edge {
				interior++
			}
		}
		row = append(row, meanInterval(m.over(c.Known)), fmt.Sprintf("%d of %d", interior, len(m.Edge)))
		switch {
		case !m.Found:
			row = append(row, nil, nil)
		case len(m.Verdicts) == 0:
			row = append(row, "yes", strings.Join(m.Beats, ", "))
		default:
			row = append(row, "no: "+m.Verdicts[0], strings.Join(m.Beats, ", "))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// alignment shows how each rule's gradient lies to the exact one along its training.
func (c *confirmed) alignment() report.Table {
	t := alignmentTable()
	for _, m := range c.Rules {
		for k, task := range c.Tasks {
			t.Rows = append(t.Rows, alignmentRow(m.Name, task, m.trained[k]))
		}
	}
	return t
}

// figure draws skill on fresh seeds by multiplications.
func (c *confirmed) figure(axis view.Price) report.LinePlot {
	f := report.LinePlot{Title: "Skill on fresh seeds", Subtitle: "mean of the searched tasks; 0 readout only, 1 backpropagation through time", X: report.Axis{Label: axis.Label, Log: true}, Y: report.Axis{Label: "skill"}}
	for _, kind := range []string{"published", "random-k", "found"} {
		x := report.Series{Name: kind, Style: report.Points}
		for _, m := range c.Rules {
			if of := map[bool]string{true: "found", false: "published"}[m.Found]; (m.Control && kind == "random-k") || (!m.Control && kind == of) {
				mean, _ := rules.Interval(m.over(c.Known))
				x.X, x.Y = append(x.X, axis.Of(m.Point.Meaning)), append(x.Y, max(-0.5, mean))
			}
		}
		if len(x.X) > 0 {
			f.Series = append(f.Series, x)
		}
	}
	return f
}
