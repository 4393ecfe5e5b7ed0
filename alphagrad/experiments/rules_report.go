package experiments

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

// report writes tables, figures, the best rules and a page.
func (s *ruleSearch) report() error {
	dir := s.env.Dir
	var page strings.Builder
	fmt.Fprintf(&page, "# %s\n\n[manifest.json](manifest.json) names the program, the machine and the settings; [evaluations.jsonl](evaluations.jsonl) has every quality measured, [failed.jsonl](failed.jsonl) the trainings that diverged.\n\n", s.Title)
	section := func(t report.Table, name string) error {
		if err := report.SaveTable(dir, name, t); err != nil {
			return err
		}
		text, err := t.Markdown()
		page.WriteString(text + "\n")
		return err
	}
	figure := func(f report.Figure, name, caption string) error {
		fmt.Fprintf(&page, "![%s](%s.svg)\n\n", caption, name)
		return report.SaveFigure(dir, name, f)
	}
	var errs error
	if s.optimum != nil {
		fmt.Fprintf(&page, "The space has %d assignments, which are %d different rules. Its optimum, by evaluating all of them: score %.4f, `%s`.\n\n", s.space.Size(), s.all, s.optimum.Score, s.optimum.Formula)
	}
	if len(s.results) > 0 {
		errs = errors.Join(errs, section(s.searchTable(), "search"))
		if curves := s.curves(); len(curves.Series) > 0 {
			errs = errors.Join(errs, figure(curves, "curves", "best score by evaluations"))
		}
	}
	if len(s.judge.Archive()) > 0 {
		errs = errors.Join(errs, s.archive(), figure(s.pareto(view.ByCost), "pareto", "skill and multiplications"), figure(s.pareto(view.ByMemory), "pareto_memory", "skill and memory"),
			section(s.paretoTable(), "rules"), section(s.weightsTable(), "weights"))
		best, err := s.best()
		errs = errors.Join(errs, err)
		if best != nil {
			fmt.Fprintf(&page, "The best rule by score: `%s`; %s. It is in [best.json](best.json).\n\n", best.Formula, best.Meaning.Update())
			errs = errors.Join(errs, figure(view.Rule(s.judge.Evaluator.Problems[0].Recurrence, best.Rule), "best", "the best rule on the graph of a step"))
		}
	}
	if s.confirmed != nil {
		page.WriteString(s.confirmed.verdict() + "\n\n")
		errs = errors.Join(errs, section(s.confirmed.table("Confirmation on fresh seeds", s.Confirm), "confirmed"),
			figure(s.confirmed.figure(view.ByCost), "confirmed_cost", "skill on fresh seeds and multiplications"), figure(s.confirmed.figure(view.ByMemory), "confirmed_memory", "skill on fresh seeds and memory"),
			section(s.confirmed.alignment(), "alignment"), writeJSON(filepath.Join(dir, "confirmed.json"), s.confirmed))
	}
	if n, seconds := s.judge.Total(); n > 0 {
		fmt.Fprintf(&page, "%d gradients were measured in %.1f s, %.2f a second, each with %d trainings, %d of the gradients in this run; rules that share one, or a canonical form, are evaluated once.\n", n, seconds, float64(n)/seconds,
			len(s.Tasks)*len(s.Rates)*s.Networks, s.judge.Measured)
	}
	return errors.Join(errs, runs.WriteFile(filepath.Join(dir, "README.md"), []byte(page.String())))
}

// hits counts the searches of a method whose best rule passes a test.
func hits(results []*rules.Result, method string, test func(*rules.Result) bool) (n, all int) {
	for _, r := range results {
		if r.Method == method {
			all++
			if test(r) {
				n++
			}
		}
	}
	return n, all
}

// searchTable compares the methods.
func (s *ruleSearch) searchTable() report.Table {
	t := report.Table{Title: "Searches", Caption: fmt.Sprintf("Equal budgets of %d evaluations of different rules; score: %+v.", s.Evaluations, s.Objective),
		Columns: []report.Column{{Name: "method"}, {Name: "searches"}, {Name: "best score", Format: "%.4f"}, {Name: "evaluations used"}, {Name: "time", Unit: "s", Format: "%.1f"}, {Name: "evaluating", Unit: "%", Format: "%.1f"}, {Name: "network", Unit: "%", Format: "%.1f"}, {Name: "searching", Unit: "%", Format: "%.1f"}}}
	if s.optimum != nil {
		t.Columns = append(t.Columns, report.Column{Name: "found the optimum"}, report.Column{Name: "evaluations to the optimum"})
	}
	if s.target != nil {
		t.Columns = append(t.Columns, report.Column{Name: "found " + s.Target + " or better"})
	}
	for _, method := range s.Methods {
		var scores, used, first []float64
		for _, r := range s.results {
			if r.Method != method || r.Best == nil {
				continue
			}
			scores, used = append(scores, r.Best.Score), append(used, float64(len(r.Points)))
			if s.optimum != nil {
				if k := slices.IndexFunc(r.Curve, func(x float64) bool { return x >= s.optimum.Score }); k >= 0 {
					first = append(first, float64(k+1))
				}
			}
		}
		if scores == nil {
			continue
		}
		seconds, judging, network := shares(s.results, method)
		part := func(x float64) float64 { return 100 * x / math.Max(seconds, 1e-9) }
		row := []any{method, len(scores), span(scores), span(used), seconds, part(judging), part(network), part(seconds - judging - network)}
		if s.optimum != nil {
			n, all := hits(s.results, method, func(r *rules.Result) bool { return r.Best != nil && r.Best.Score >= s.optimum.Score })
			row = append(row, fmt.Sprintf("%d of %d", n, all))
			if first == nil {
				row = append(row, nil)
			} else {
				row = append(row, span(first))
			}
		}
		if s.target != nil {
			n, all := hits(s.results, method, func(r *rules.Result) bool { return s.rediscovered(r) })
			row = append(row, fmt.Sprintf("%d of %d", n, all))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// rediscovered reports whether the best synaptic rule of a search is the target or dominates it.
func (s *ruleSearch) rediscovered(r *rules.Result) bool {
	return r.Best != nil && r.Best.Meaning.Synaptic() && (r.Best.Key == s.target.Key || rules.Dominates(r.Best, s.target))
}

// curves shows the best score by the number of evaluations, the median over the searches with quartiles.
func (s *ruleSearch) curves() report.LinePlot {
	f := report.LinePlot{Title: "Best score by evaluations", Subtitle: "median and quartiles over the searches", X: report.Axis{Label: "evaluations"}, Y: report.Axis{Label: "score"}}
	for _, method := range s.Methods {
		var traces [][]report.TracePoint
		for _, r := range s.results {
			if r.Method != method || len(r.Curve) == 0 {
				continue
			}
			var trace []report.TracePoint
			for k, x := range r.Curve {
				trace = append(trace, report.TracePoint{Seconds: float64(k + 1), Cost: x})
			}
			traces = append(traces, trace)
		}
		if len(traces) == 0 {
			continue
		}
		if x, err := report.AnytimeSeries(method, traces...); err == nil {
			f.Series = append(f.Series, x)
		}
	}
	if s.optimum != nil {
		f.References = append(f.References, report.Line{Value: s.optimum.Score, Label: "optimum"})
	}
	return f
}

// paretoTable lists the published rules and what no rule dominates.
func (s *ruleSearch) paretoTable() report.Table {
	t := report.Table{Title: "Rules", Caption: "Published rules, and found ones that none met here dominates in skill, multiplications, memory and hops. Cosine with the exact gradient and ratio of magnitudes at the start and after 10, 50 and 100 % of the rule's own training, mean over tasks.",
		Columns: []report.Column{{Name: "rule"}, {Name: "score", Format: "%.3f"}, {Name: "skill", Format: "%.3f"}, {Name: "align", Format: "%.3f"}, {Name: "cosine"}, {Name: "magnitude"}, {Name: "multiplications"}, {Name: "memory"}, {Name: "hops"}, {Name: "causal"}, {Name: "local"}, {Name: "weight transport"}, {Name: "update"}}}
	row := func(name string, p *rules.Point) {
		var cos, ratio []string
		for k := range rules.Checkpoints {
			c, r := 0.0, 0.0
			for _, q := range p.Quality.Tasks {
				c, r = c+q.Cos[k]/float64(len(p.Quality.Tasks)), r+q.Ratio[k]/float64(len(p.Quality.Tasks))
			}
			cos, ratio = append(cos, fmt.Sprintf("%.2f", c)), append(ratio, fmt.Sprintf("%.2g", r))
		}
		m := p.Meaning
		t.Rows = append(t.Rows, []any{name, p.Score, p.Quality.Skill, p.Quality.Align, strings.Join(cos, " → "), strings.Join(ratio, " → "), m.Cost, m.Memory, m.Hops, m.Causal, m.Local, m.Transport, m.Update()})
	}
	for _, p := range s.ladder {
		row(p.Rule.Name, p)
	}
	keys := map[string]bool{}
	for _, p := range s.ladder {
		keys[p.Key] = true
	}
	for _, p := range rules.Pareto(append(slices.Clone(s.ladder), s.judge.Archive()...)) {
		if !keys[p.Key] {
			row(p.Formula, p)
		}
	}
	return t
}

// weightsTable shows which rule is best under other weights of what a rule costs, among all that were met.
func (s *ruleSearch) weightsTable() report.Table {
	t := report.Table{Title: "Other weights", Caption: "The best of all rules met, published ones included, by scores with other weights: align, of alignment against skill; cost and memory, what a doubling loses; synaptic: rules that are not causal, local and without hops lose 1. The search was led by the first row.",
		Columns: []report.Column{{Name: "align"}, {Name: "cost"}, {Name: "memory"}, {Name: "synaptic"}, {Name: "best rule"}, {Name: "score", Format: "%.3f"}, {Name: "skill", Format: "%.3f"}, {Name: "multiplications"}, {Name: "memory kept"}, {Name: "hops"}}}
	met := append(slices.Clone(s.ladder), s.judge.Archive()...)
	var done []rules.Objective
	for _, change := range []func(o *rules.Objective){
		func(o *rules.Objective) {},
		func(o *rules.Objective) { o.Align = 0 },
		func(o *rules.Objective) { o.Align = 1 },
		func(o *rules.Objective) { o.Cost, o.Memory = 0, 0 },
		func(o *rules.Objective) { o.Cost, o.Memory = 0.1, 0 },
		func(o *rules.Objective) { o.Cost, o.Memory = 0, 0.1 },
		func(o *rules.Objective) { o.Synaptic = !o.Synaptic },
	} {
		o := s.Objective
		if change(&o); slices.Contains(done, o) {
			continue
		}
		done = append(done, o)
		best, score := s.judge.Best(o, met)
		t.Rows = append(t.Rows, []any{o.Align, o.Cost, o.Memory, o.Synaptic, nameOf(best, s.ladder), score, best.Quality.Skill, best.Meaning.Cost, best.Meaning.Memory, best.Meaning.Hops})
	}
	return t
}

// nameOf is the name of a published rule, the formula of another one.
func nameOf(p *rules.Point, ladder []*rules.Point) string {
	for _, l := range ladder {
		if l.Key == p.Key {
			return l.Rule.Name
		}
	}
	return p.Formula
}

// best keeps the rule of the highest score of all searches.
func (s *ruleSearch) best() (*rules.Point, error) {
	var best *rules.Point
	for _, r := range s.results {
		if r.Best != nil && (best == nil || r.Best.Score > best.Score) {
			best = r.Best
		}
	}
	if best == nil {
		return nil, nil
	}
	r := *best.Rule
	r.Name = "found"
	text, err := r.JSON()
	if err != nil {
		return best, err
	}
	return best, errors.Join(runs.WriteFile(filepath.Join(s.env.Dir, BestName), text),
		writeJSON(filepath.Join(s.env.Dir, "searches.json"), s.results))
}

// MarshalJSON writes losses that are no number as null.
func (m *measured) MarshalJSON() ([]byte, error) {
	type plain measured
	var losses [][]*float64
	for _, row := range m.Losses {
		var list []*float64
		for _, x := range row {
			if math.IsNaN(x) {
				list = append(list, nil)
			} else {
				list = append(list, &x)
			}
		}
		losses = append(losses, list)
	}
	return json.Marshal(struct {
		*plain
		Losses [][]*float64 `json:"losses"`
	}{(*plain)(m), losses})
}
