package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules"
	"github.com/alphagrad/alphagrad-go/alphagrad/rules/policy"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn/data"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

// Rules searches a space of learning rules by several methods at equal numbers of evaluations, keeps what no other rule
// dominates, and measures it again on fresh seeds and on tasks that the search never saw.
type Rules struct {
	Kind        string          `yaml:"kind"`
	Title       string          `yaml:"title"`
	Seed        uint64          `yaml:"seed"`
	Tasks       []string        `yaml:"tasks"`
	Size        rules.Size      `yaml:"size"`
	Rates       []float64       `yaml:"rates"`    // each rule is tuned over
	Networks    int             `yaml:"networks"` // seeds of an evaluation
	Objective   rules.Objective `yaml:"objective"`
	Space       []rules.Choice  `yaml:"space"`
	Methods     []string        `yaml:"methods"`
	Searches    int             `yaml:"searches"`    // seeds of each method
	Evaluations int             `yaml:"evaluations"` // of a search
	Simulations int             `yaml:"simulations"` // of a move of tree search
	Enumerate   bool            `yaml:"enumerate"`   // evaluate the whole space afterwards, to know its optimum
	Target      string          `yaml:"target"`      // a published rule that searches may find again; empty: none
	Confirm     Confirm         `yaml:"confirm"`
	Reuse       string          `yaml:"reuse"` // file of evaluations to start with
}

// Confirm measures finalists again.
type Confirm struct {
	Finalists int       `yaml:"finalists"` // at most; 0: no confirmation
	Rates     []float64 `yaml:"rates"`     // that all rules are tuned over anew; empty: those of the search
	Widen     int       `yaml:"widen"`     // rates more that may be tried beyond an end where the best one is
	Tuning    int       `yaml:"tuning"`    // seeds of tuning, neither those of the search nor the fresh ones; 0: as many as the search has
	Seeds     int       `yaml:"seeds"`     // fresh ones
	// Iterations of training, more than those of the search, so that rules are not judged by their first steps; 0: as many.
	Iterations int      `yaml:"iterations"`
	Transfer   []string `yaml:"transfer"` // tasks that the search does not use
	Controls   []int    `yaml:"controls"` // k of random-k: e-prop with k recurrent edges a unit, drawn at random
}

// DefaultRules is a search of moments.
func DefaultRules() *Rules {
	return &Rules{Kind: "rules", Title: "Search for learning rules", Seed: 1, Tasks: []string{"pattern_generation"}, Size: rules.DefaultSize(),
		Rates: []float64{2e-2}, Networks: 1, Objective: rules.Objective{Align: 0.5, Synaptic: true},
		Space:   []rules.Choice{{Edge: "recurrent", Options: []string{"keep", "drop"}}, {Edge: "reset", Options: []string{"keep", "drop"}}, {Edge: "time", Options: []string{"reverse", "forward"}}},
		Methods: []string{"random"}, Searches: 1, Evaluations: 8, Simulations: 16}
}

// RootSeed is the seed that the manifest names.
func (c *Rules) RootSeed() uint64 { return c.Seed }

// Validate reports settings that cannot be run.
func (c *Rules) Validate() error {
	if err := validTraining(c.Tasks, c.Size, c.Rates); err != nil {
		return err
	}
	for _, t := range c.Confirm.Transfer {
		if slices.Contains(c.Tasks, t) {
			return fmt.Errorf("confirm.transfer: the search uses %s", t)
		}
		if _, err := rules.NewProblem(t, c.Size); err != nil {
			return fmt.Errorf("confirm.transfer: %w", err)
		}
	}
	for _, k := range c.Confirm.Controls {
		if k < 1 || k >= c.Size.Neurons {
			return fmt.Errorf("confirm.controls: k = %d; expected 1 to %d, a unit's neighbours", k, c.Size.Neurons-1)
		}
	}
	if len(c.Confirm.Rates) > 0 {
		if err := validTraining(c.Tasks, c.Size, c.Confirm.Rates); err != nil {
			return fmt.Errorf("confirm: %w", err)
		}
	}
	for _, m := range c.Methods {
		if !slices.Contains(rules.Methods(), m) {
			return fmt.Errorf("methods: unknown %q; known: %s", m, strings.Join(rules.Methods(), ", "))
		}
	}
	switch {
	case c.Networks < 1 || c.Searches < 1 || c.Evaluations < 1 || c.Simulations < 1:
		return errors.New("networks, searches, evaluations and simulations are at least 1")
	case len(c.Methods) == 0:
		return errors.New("methods: there is none")
	case c.Confirm.Widen < 0 || c.Confirm.Tuning < 0 || c.Confirm.Iterations < 0:
		return errors.New("confirm: widen, tuning and iterations are numbers from 0")
	case c.Confirm.Finalists < 0 || c.Confirm.Finalists > 0 && c.Confirm.Seeds < 2:
		return errors.New("confirm: finalists need at least 2 seeds")
	case !(c.Objective.Align >= 0 && c.Objective.Align <= 1):
		return fmt.Errorf("objective.align is %g; expected 0 to 1", c.Objective.Align)
	}
	p, err := rules.NewProblem(c.Tasks[0], c.Size)
	if err != nil {
		return err
	}
	if c.Target != "" {
		if _, err := rules.LadderRule(p.Recurrence, c.Target); err != nil {
			return fmt.Errorf("target: %w", err)
		}
	}
	_, err = rules.NewSpace(p.Recurrence, c.Space)
	return err
}

func validTraining(tasks []string, size rules.Size, rates []float64) error {
	if len(tasks) == 0 || len(rates) == 0 {
		return errors.New("tasks and rates: a list is empty")
	}
	for _, r := range rates {
		if !(r > 0 && r < 10) {
			return fmt.Errorf("rates: %g; expected numbers above 0 and below 10", r)
		}
	}
	for _, t := range tasks {
		if _, err := rules.NewProblem(t, size); err != nil {
			return fmt.Errorf("tasks: %w", err)
		}
	}
	return nil
}

func problemsOf(tasks []string, size rules.Size) (list []*rules.Problem, err error) {
	for _, t := range tasks {
		p, err := rules.NewProblem(t, size)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func seedsOf(root runs.Seed, n int) (list []runs.Seed) {
	for i := range n {
		list = append(list, root.At(i))
	}
	return list
}

// EvaluationsName is the file of a run directory with every quality measured, from which an interrupted search goes on.
const EvaluationsName = "evaluations.jsonl"

// ruleSearch is a run of [Rules].
type ruleSearch struct {
	*Rules
	env       Env
	judge     *rules.Judge
	space     *rules.Space
	ladder    []*rules.Point
	results   []*rules.Result
	optimum   *rules.Point // of the space, where it was enumerated
	all       int          // rules of the space, canonical ones
	target    *rules.Point
	confirmed *confirmed
	drawn     time.Time
	started   time.Time
	loaded    int
}

// Run searches and reports.
func (c *Rules) Run(ctx context.Context, env Env) error {
	problems, err := problemsOf(c.Tasks, c.Size)
	if err != nil {
		return err
	}
	root := runs.Seed(c.Seed)
	path := filepath.Join(env.Dir, EvaluationsName)
	if c.Reuse != "" {
		data, err := os.ReadFile(c.Reuse)
		if err != nil {
			return err
		}
		if err := runs.WriteFile(path, data); err != nil {
			return err
		}
	}
	env.progress("references", 0, 1)
	e, err := rules.NewEvaluator(ctx, problems, c.Rates, seedsOf(root.Sub("networks"), c.Networks), data.Validation)
	if err != nil {
		return err
	}
	s := &ruleSearch{Rules: c, env: env, started: time.Now()}
	if s.judge, err = rules.NewJudge(e, c.Objective, path); err != nil {
		return err
	}
	defer s.judge.Close()
	failures, err := runs.OpenMetrics(filepath.Join(env.Dir, "failed.jsonl"))
	if err != nil {
		return err
	}
	defer failures.Close()
	s.judge.Log = func(text string) { _ = failures.Append(map[string]any{"failed": text}) }
	if s.space, err = rules.NewSpace(problems[0].Recurrence, c.Space); err != nil {
		return err
	}
	err = s.search(ctx)
	if err == nil {
		err = s.compare(ctx)
	}
	if err != nil && (ctx.Err() == nil || len(s.judge.Archive()) == 0) {
		return err
	}
	return errors.Join(err, s.report()) // an interrupted search shows what it has
}

// search runs all methods, then what is compared with them.
func (s *ruleSearch) search(ctx context.Context) error {
	total := len(s.Methods) * s.Searches * s.Evaluations
	done := 0
	for _, method := range s.Methods {
		for k := range s.Searches {
			if method == "exhaustive" && k > 0 {
				done += s.Evaluations
				continue // it has no seed
			}
			x := &rules.Search{Space: s.space, Judge: s.met(method, &done, total), Evaluations: s.Evaluations, Simulations: s.Simulations,
				Seed: runs.Seed(s.Seed).Sub("search").At(k), Policy: policy.For}
			start := done
			r, err := x.Run(ctx, method)
			if r != nil && r.Best != nil { // also of a search that is interrupted
				s.results = append(s.results, r)
			}
			if err != nil {
				return err
			}
			done = start + s.Evaluations
		}
	}
	if s.Enumerate {
		n := s.space.Size()
		at := 0
		x := &rules.Search{Space: s.space, Judge: s.met("enumerating", &at, n), Evaluations: n, Seed: 1}
		r, err := x.Run(ctx, "exhaustive")
		if err != nil {
			return err
		}
		s.optimum, s.all = r.Best, len(r.Points)
	}
	return nil
}

// met judges a rule and shows how far the search is.
func (s *ruleSearch) met(what string, done *int, total int) func(ctx context.Context, r *rules.Rule) (*rules.Point, error) {
	return func(ctx context.Context, r *rules.Rule) (*rules.Point, error) {
		p, err := s.judge.Judge(ctx, r)
		*done++
		s.env.progress(fmt.Sprintf("%s, %d rules", what, len(s.judge.Archive())), min(*done, total), total)
		if time.Since(s.drawn) > 5*time.Second && err == nil {
			s.drawn = time.Now()
			err = errors.Join(s.archive(), report.SaveFigure(s.env.Dir, "pareto", s.pareto(view.ByCost))) // the live plot
		}
		return p, err
	}
}

// compare judges the ladder and confirms finalists.
func (s *ruleSearch) compare(ctx context.Context) error {
	rec := s.judge.Evaluator.Problems[0].Recurrence
	found := slices.Clone(s.judge.Archive())
	for _, r := range rules.Ladder(rec) {
		p, err := s.judge.Judge(ctx, r)
		if err != nil {
			return err
		}
		named := *p
		named.Rule = r
		s.ladder = append(s.ladder, &named)
		if r.Name == s.Target {
			s.target = &named
		}
	}
	if s.Confirm.Finalists == 0 {
		return nil
	}
	var err error
	s.confirmed, err = s.confirm(ctx, found)
	return err
}

// pareto draws all rules met, with the published ones once they are judged.
func (s *ruleSearch) pareto(axis view.Price) report.LinePlot {
	return view.Pareto(s.Title, axis, s.judge.Archive(), s.ladder)
}

// shares are the parts of the time of a method's searches.
func shares(results []*rules.Result, method string) (seconds, judging, network float64) {
	for _, r := range results {
		if r.Method == method {
			seconds, judging, network = seconds+r.Seconds, judging+r.Judging, network+r.Network
		}
	}
	return seconds, judging, network
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return runs.WriteFile(path, append(data, '\n'))
}
