package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/graphgen"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"github.com/alphagrad/alphagrad-go/alphagrad/train"
)

// Proposals measures what a learned policy is worth to search: how long annealing, the portfolio, the portfolio with a network
// that proposes orders, and the network by itself take to come near the cheapest order known, at equal wall time. All
// searches run on one core, one after the other, the methods in turns.
type Proposals struct {
	Kind     string        `yaml:"kind"`
	Model    string        `yaml:"model"`    // file of the network, trained on none of the tasks
	Tasks    []string      `yaml:"tasks"`    // functions to search orders for
	Smallest int           `yaml:"smallest"` // tasks with fewer vertices to eliminate are left out: there is nothing to measure
	Large    Large         `yaml:"large"`    // generated programs besides
	Seeds    []uint64      `yaml:"seeds"`
	Budget   time.Duration `yaml:"budget"` // wall time of a search
	Within   float64       `yaml:"within"` // how near is near, in percent
	Note     string        `yaml:"note"`   // on the circumstances, for the page; may be empty
}

// Large describes generated programs that are larger than those the network was trained on.
type Large struct {
	Count int `yaml:"count"`
	Low   int `yaml:"low"` // vertices
	High  int `yaml:"high"`
}

// DefaultProposals takes a quarter of an hour.
func DefaultProposals() *Proposals {
	return &Proposals{Kind: "proposals", Model: filepath.Join("results", "alphazero", train.ModelName), Tasks: slices.Concat(tasks.UnseenNames(), tasks.Names()),
		Smallest: 40, Large: Large{Count: 10, Low: 200, High: 400}, Seeds: []uint64{1, 2, 3}, Budget: time.Second, Within: 2}
}

// RootSeed is the seed of the first searches.
func (c *Proposals) RootSeed() uint64 { return c.Seeds[0] }

// Validate reports settings that cannot be run.
func (c *Proposals) Validate() error {
	for _, name := range c.Tasks {
		t, err := tasks.Lookup(name)
		if err != nil {
			return fmt.Errorf("tasks: %w", err)
		}
		if t.IsArray() {
			return fmt.Errorf("tasks: %s works on arrays; the network proposes orders for graphs of scalars", name)
		}
	}
	switch l := c.Large; {
	case len(c.Tasks) == 0 && l.Count == 0:
		return errors.New("tasks and large: there is nothing to search")
	case l.Count < 0 || l.Count > 0 && (l.Low < graphgen.MinVertices || l.High < l.Low || l.High > graphgen.MaxVertices):
		return fmt.Errorf("large: %d programs of %d to %d vertices; sizes go from %d to %d", l.Count, l.Low, l.High, graphgen.MinVertices, graphgen.MaxVertices)
	case len(c.Seeds) == 0:
		return errors.New("seeds: the list is empty")
	case c.Budget <= 0 || c.Within <= 0:
		return errors.New("budget and within: must be positive")
	case c.Model == "":
		return errors.New("model: none is given")
	}
	return nil
}

// searcher is a row of the table of methods that are compared.
type searcher struct {
	name string
	run  func(ctx context.Context, n *net.Network, name string, g *elim.Graph, s search.Settings) (search.Result, error)
}

func plainly(method string) func(context.Context, *net.Network, string, *elim.Graph, search.Settings) (search.Result, error) {
	return func(ctx context.Context, _ *net.Network, _ string, g *elim.Graph, s search.Settings) (search.Result, error) {
		return search.Run(ctx, method, search.Problem{Graph: g}, s)
	}
}

// The two methods that the verdict is about.
const (
	plain    = "portfolio"
	assisted = "portfolio with the network"
)

var searchers = []searcher{
	{"annealing", plainly("anneal")},
	{plain, plainly("portfolio")},
	{assisted, func(ctx context.Context, n *net.Network, name string, g *elim.Graph, s search.Settings) (search.Result, error) {
		var err error
		if s.Propose, err = train.NewProposer(n, name, g, s.Seed); err != nil {
			return search.Result{}, err
		}
		return search.Run(ctx, "portfolio", search.Problem{Graph: g}, s)
	}},
	{"network and tree search alone", func(ctx context.Context, n *net.Network, _ string, g *elim.Graph, s search.Settings) (search.Result, error) {
		return train.FindOrder(ctx, n, g, 4, s)
	}},
}

// Contest is the searches on one graph.
type Contest struct {
	Graph    string                `json:"graph"`
	Large    bool                  `json:"large"` // a generated program
	Vertices int                   `json:"vertices"`
	Known    int64                 `json:"known"`  // the cheapest order of all searches and of a longer annealing
	Traces   map[string][][]Better `json:"traces"` // by method, one for each seed
}

// Better is a moment at which a search found a better order.
type Better struct {
	Seconds float64 `json:"seconds"`
	Cost    int64   `json:"cost"`
}

// near is the moment at which a search came near the cheapest order known, +Inf if it did not.
func (c *Contest) near(trace []Better, within float64) float64 {
	for _, b := range trace {
		if float64(b.Cost) <= float64(c.Known)*(1+within/100) {
			return b.Seconds
		}
	}
	return math.Inf(1)
}

// Run searches and reports.
func (c *Proposals) Run(ctx context.Context, env Env) error {
	network, err := net.Load(c.Model)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	var contests []*Contest
	var graphs []*elim.Graph
	add := func(name string, g *elim.Graph, large bool) {
		contests = append(contests, &Contest{Graph: name, Large: large, Vertices: len(g.Eliminable()), Traces: map[string][][]Better{}})
		graphs = append(graphs, g)
	}
	for _, name := range c.Tasks {
		s, err := Prepare(name)
		if err != nil {
			return err
		}
		if len(s.Graph.Eliminable()) >= c.Smallest {
			add(name, s.Graph, false)
		}
	}
	for k := range c.Large.Count {
		p, err := graphgen.Draw(uint64(runs.Seed(c.Seeds[0]).Sub("large").At(k)), c.Large.Low, c.Large.High)
		if err != nil {
			return err
		}
		g, err := ad.Graph(p)
		if err != nil {
			return err
		}
		family, _, _ := strings.Cut(p.Name, "-")
		add(fmt.Sprintf("%s %d", family, k+1), g, true)
	}
	for i, contest := range contests {
		env.progress(contest.Graph, i, len(contests))
		if err := c.compete(ctx, network, graphs[i], contest); err != nil {
			return fmt.Errorf("%s: %w", contest.Graph, err)
		}
	}
	data, err := json.Marshal(contests)
	if err != nil {
		return err
	}
	if err := runs.WriteFile(filepath.Join(env.Dir, "searches.json"), append(data, '\n')); err != nil {
		return err
	}
	env.progress("done", len(contests), len(contests))
	return c.report(env.Dir, contests)
}

// compete lets all methods search with every seed, and anneals once for longer.
func (c *Proposals) compete(ctx context.Context, n *net.Network, g *elim.Graph, contest *Contest) error {
	contest.Known = math.MaxInt64
	learn := func(r search.Result) error { // every cost is replayed
		cost, err := g.Muls(r.Order)
		if err == nil && cost != r.Cost {
			err = fmt.Errorf("method %s: the order costs %d, not %d", r.Method, cost, r.Cost)
		}
		contest.Known = min(contest.Known, cost)
		return err
	}
	for _, seed := range c.Seeds {
		for _, s := range searchers {
			r, err := s.run(ctx, n, contest.Graph, g, search.Settings{Budget: c.Budget, Seed: seed})
			if err == nil {
				err = learn(r)
			}
			if err != nil {
				return err
			}
			var trace []Better
			for _, p := range r.Trace {
				trace = append(trace, Better{p.Seconds, p.Cost})
			}
			contest.Traces[s.name] = append(contest.Traces[s.name], trace)
		}
	}
	r, err := search.Run(ctx, "anneal", search.Problem{Graph: g}, search.Settings{Budget: 4 * c.Budget, Seed: ^c.Seeds[0]})
	if err != nil {
		return err
	}
	return errors.Join(learn(r), ctx.Err())
}
