// Package optimize looks for elimination orders by what the derivative program they emit costs: its operations, its memory
// or its measured time. Package search, which counts edges, does the searching; a [Problem] adds the program.
//
// A search for operations or memory goes through three stages, and keeps orders from all of them: for few multiplications,
// because that is nearly right; by a count of edges that is closer to the objective; and by annealing on the emitted program
// itself, of which a ledger of value numbers knows the costs within microseconds. At the end every order kept, and the
// forward, reverse and Markowitz orders, are priced on the programs that package ad emits, and the cheapest wins: so that no
// result is worse than any of these by the cost that is reported.
//
// For time, a model picks a few of these orders, which are compiled and measured; see [Timing].
package optimize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// The objectives.
const (
	Muls   = "muls"
	Ops    = "ops"
	Memory = "memory"
	Time   = "time"
)

// An objective is a row of the table of objectives. To add one, add a row.
type objective struct {
	name, about string
	guide       search.Objective // the count of edges that is nearest to it
	// price is the objective on a book, in the search.
	price func(*book) int64
	// rough is a faster price for a first walk; may be nil.
	rough func(*book) int64
	// cost is the objective on the emitted program; ties go to the fewer operations. Nil if it is counted on the graph.
	cost func(c *Candidate) int64
	// measured says that cost only chooses what is measured.
	measured bool
}

var objectives = []objective{
	{name: Muls, about: "multiplications, every product of two edges counted: the published measure", guide: search.Muls},
	{name: Ops, about: "multiplications and additions of the emitted value-and-Jacobian program", guide: search.Ops,
		price: func(b *book) int64 { c := b.count(); return c.Mul + c.Add },
		cost:  func(c *Candidate) int64 { return c.Ops.Mul + c.Ops.Add }},
	{name: Memory, about: "numbers held at once by the emitted program in its schedule", guide: search.Ops,
		price: (*book).memory, rough: (*book).peak,
		cost: func(c *Candidate) int64 { return c.Memory }},
	{name: Time, about: "time of the emitted program, compiled and measured against the better of forward and reverse", guide: search.Ops, measured: true,
		price: func(b *book) int64 { return weigh(b.count()) },
		cost:  func(c *Candidate) int64 { return c.predicted }},
}

// Objectives lists the objectives by name, and a line about each.
func Objectives() (names, about []string) {
	for _, o := range objectives {
		names, about = append(names, o.name), append(about, o.about)
	}
	return names, about
}

func lookup(name string) (*objective, error) {
	for i := range objectives {
		if objectives[i].name == name {
			return &objectives[i], nil
		}
	}
	names, _ := Objectives()
	return nil, fmt.Errorf("unknown objective %q%s; known: %s", name, ir.Suggest(name, names), strings.Join(names, ", "))
}

// A Problem is a program and what to minimise over the orders of its elimination.
type Problem struct {
	Program   *ir.Program
	Graph     *elim.Graph // of the program
	Objective string
	Points    [][]float64 // inputs to time the program at; only for [Time]
}

// Merge computes equal subexpressions of a program once, before it is differentiated, and drops what no output needs: so that
// equal values are one vertex, whose partial derivatives add up before they are multiplied. Sharing them afterwards, in the
// emitted program, does not find that. Vertices are numbered anew, so that orders are those of the merged program.
func Merge(p *ir.Program) (*ir.Program, error) {
	q, err := ir.CSE(p)
	if err != nil {
		return nil, err
	}
	return ir.DCE(q)
}

// Settings limit and steer a search. Its budget is that of all stages together, measuring aside: annealing on programs
// gets half, and of a budget in evaluations a price of an order there takes one for each of its vertices.
type Settings struct {
	search.Settings
	Method string // of package search
	Clock  Clock  // only for [Time]
}

// A Candidate is an order with what it costs, all of it recomputed from the order.
type Candidate struct {
	Name      string // of the order, or the stage that found it
	Order     []int
	Muls      int64      // on the graph
	Ops       ir.OpCount // of the emitted program
	Memory    int64      // of the emitted program
	Program   *ir.Program
	predicted int64
	seconds   float64 // since the search began
	used      int64   // evaluations so far
}

// A Result is what [Run] found. Cost, and the costs in Trace, are the objective: multiplications; multiplications and
// additions; numbers held at once; or the measured time in thousandths of that of the better of forward and reverse.
// Only multiplications have a lower bound.
type Result struct {
	search.Result
	Best     Candidate
	Compared []Candidate // what was priced: the named orders first, then what the stages found
	Timing   *Timing     // only for Time
}

// Named lists the orders that every search compares with, in the order of their names' use.
func Named(g *elim.Graph) []Candidate {
	return []Candidate{{Name: "forward", Order: elim.Forward(g)}, {Name: "reverse", Order: elim.Reverse(g)}, {Name: "markowitz", Order: elim.Markowitz(g)}}
}

// kept is how many orders of a stage are priced on emitted programs: its best and those before it.
const kept = 6

// Run searches. Like [search.Run] it has an order whatever the budget.
func Run(ctx context.Context, p Problem, s Settings) (*Result, error) {
	o, err := lookup(p.Objective)
	if err != nil {
		return nil, err
	}
	if p.Program == nil || p.Graph == nil {
		return nil, errors.New("optimize without a program or its graph")
	}
	if o.measured {
		if err := s.Clock.check(p); err != nil {
			return nil, err
		}
	}
	if o.cost == nil {
		r, err := search.Run(ctx, s.Method, search.Problem{Graph: p.Graph, Objective: o.guide}, s.Settings)
		if err != nil {
			return nil, err
		}
		best := Candidate{Name: s.Method, Order: r.Order}
		if err := best.Price(p); err != nil {
			return nil, err
		}
		return &Result{Result: r, Best: best, Compared: []Candidate{best}}, nil
	}
	c := &course{Problem: p, objective: o, settings: s, start: time.Now()}
	if s.Budget == 0 && s.Evaluations == 0 {
		c.settings.Evaluations = search.DefaultEvaluations
	}
	if err := c.stages(ctx); err != nil {
		return nil, err
	}
	r, err := c.rank()
	if err != nil || !o.measured || ctx.Err() != nil {
		return r, err
	}
	return r, c.measure(ctx, r)
}

// Price fills in the costs of the order.
func (c *Candidate) Price(p Problem) (err error) {
	if c.Muls, err = p.Graph.Muls(c.Order); err != nil {
		return fmt.Errorf("%s order: %w", c.Name, err)
	}
	if c.Program, err = ad.Emitted(p.Program, c.Order); err != nil {
		return err
	}
	if c.Ops, err = ir.Count(c.Program); err != nil {
		return err
	}
	c.Memory = ir.PeakLive(c.Program)
	c.predicted = weigh(c.Ops) + reloadWeight*reloads(c.Program)
	return nil
}

// A course is a search under way.
type course struct {
	Problem
	objective  *objective
	settings   Settings
	start      time.Time
	used       int64
	status     search.Status
	candidates []Candidate
}

// fixed are methods that make an order without a search.
var fixed = []string{"forward", "reverse", "markowitz"}

// stages runs the searches and collects candidates. Each stage gets a share of what the ones before it have left.
func (c *course) stages(ctx context.Context) error {
	g := c.Graph
	if slices.Contains(fixed, c.settings.Method) {
		_, err := c.stage(ctx, c.settings.Method, c.settings.Method, search.Problem{Graph: g}, 1, 1)
		return err
	}
	c.candidates = Named(g)
	for k, order := range c.settings.Start {
		c.candidates = append(c.candidates, Candidate{Name: fmt.Sprintf("start %d", k+1), Order: order})
	}
	starts := slices.Clone(c.settings.Start)
	for _, named := range Named(g) {
		starts = append(starts, named.Order)
	}
	best, err := c.stage(ctx, Muls, c.settings.Method, search.Problem{Graph: g, Objective: search.Muls}, 4, 1)
	if err != nil {
		return err
	}
	starts = append(starts, best)
	if !g.IsStructured() {
		if best, err = c.stage(ctx, "edges", c.settings.Method, search.Problem{Graph: g, Objective: c.objective.guide}, 4, 1); err != nil {
			return err
		}
		starts = append(starts, best)
	}
	n := int64(max(1, len(g.Eliminable())))
	walks := []walk{{ledger: func() search.Ledger { return &emission{course: c} }, share: 1, price: emissionPrice * n}}
	if !g.IsStructured() && g.Nodes() <= mostNodes {
		b, err := newBook(c.Program, g)
		if err != nil {
			return err
		}
		onBooks := func() search.Ledger { return pricedBook{b.clone(), c.objective.price} }
		roughly := onBooks
		if c.objective.rough != nil {
			roughly = func() search.Ledger { return pricedBook{b.clone(), c.objective.rough} }
		}
		// A second walk may end elsewhere; the last one sees to what books do not know.
		walks = []walk{{roughly, 3, n}, {onBooks, 2, n}, walks[0]}
		if c.objective.measured {
			walks = []walk{{roughly, 2, n}, {onBooks, 1, n}}
		}
	}
	for _, w := range walks {
		c.settings.Start = starts
		if best, err = c.stage(ctx, "program", "anneal", search.Problem{Graph: g, Ledger: w.ledger}, w.share, w.price); err != nil {
			return err
		}
		starts = append(starts, best)
		c.settings.Seed++
	}
	return nil
}

// A walk is an annealing on a ledger with a share of what is left.
type walk struct {
	ledger       func() search.Ledger
	share, price int64
}

// emissionPrice is how many evaluations a vertex takes where a program is emitted for every price.
const emissionPrice = 20

// stage searches with a share of what is left, where a price takes the given number of evaluations, and keeps the last orders
// it found.
func (c *course) stage(ctx context.Context, name, method string, p search.Problem, share, price int64) ([]int, error) {
	s := c.settings.Settings
	if s.Evaluations > 0 {
		s.Evaluations = max(1, (s.Evaluations-c.used)/share/price)
	}
	if s.Budget > 0 {
		s.Budget = max(1, (s.Budget-time.Since(c.start))/time.Duration(share))
		if p.Ledger != nil && s.Evaluations == 0 {
			s.Evaluations = affordable(p, s.Budget)
		}
	}
	var found []Candidate
	s.Improved = func(order []int) {
		found = append(found, Candidate{Name: name, Order: order, seconds: time.Since(c.start).Seconds()})
	}
	r, err := search.Run(ctx, method, p, s)
	if err != nil {
		return nil, err
	}
	c.used += r.Evaluations * price
	c.status = r.Status
	for i := range found {
		found[i].used = c.used
	}
	c.candidates = append(c.candidates, found[max(0, len(found)-kept):]...)
	return r.Order, nil
}

// affordable is how many prices of random changes of an order a ledger gives in a time, by a sample: annealing must know how
// many steps it has to cool down in.
func affordable(p search.Problem, budget time.Duration) int64 {
	l, order := p.Ledger(), elim.Reverse(p.Graph)
	start, n := time.Now(), int64(0)
	for ; n < 64 && time.Since(start) < budget/8; n++ {
		for _, v := range order {
			l.Eliminate(v)
		}
		l.Cost()
		for range order {
			l.Undo()
		}
	}
	return max(1, n*int64(budget)/max(1, int64(time.Since(start))))
}

// An emission is a ledger that emits the program for every price.
type emission struct {
	*course
	order []int
}

func (e *emission) Eliminate(vertex int) { e.order = append(e.order, vertex) }
func (e *emission) Undo()                { e.order = e.order[:len(e.order)-1] }

func (e *emission) Cost() int64 {
	c := Candidate{Order: e.order}
	if err := c.Price(e.Problem); err != nil {
		return math.MaxInt64 / 4 // an order that cannot be emitted is not what we look for; ranking says why
	}
	return e.objective.cost(&c)
}

// rank prices all candidates on emitted programs and makes the result of the cheapest. Candidates that emit the same program
// as an earlier one are left out.
func (c *course) rank() (*Result, error) {
	r := &Result{}
	slices.SortStableFunc(c.candidates, func(a, b Candidate) int { return cmp.Compare(a.seconds, b.seconds) })
	for _, k := range c.candidates {
		if slices.ContainsFunc(r.Compared, func(d Candidate) bool { return slices.Equal(k.Order, d.Order) }) {
			continue
		}
		if err := k.Price(c.Problem); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(r.Compared, func(d Candidate) bool { return ir.Equal(k.Program, d.Program) }) {
			continue
		}
		r.Compared = append(r.Compared, k)
		if cost := c.objective.cost(&k); r.Trace == nil || cost < r.Cost {
			r.Cost = cost
			r.Trace = append(r.Trace, search.TracePoint{Seconds: k.seconds, Evaluations: k.used, Cost: cost})
		}
	}
	r.Best = slices.MinFunc(r.Compared, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(c.objective.cost(&a), c.objective.cost(&b)), cmp.Compare(a.Ops.Total(), b.Ops.Total()), cmp.Compare(a.Memory, b.Memory), cmp.Compare(a.Muls, b.Muls))
	})
	r.Method, r.Order, r.Status, r.Evaluations = c.settings.Method, r.Best.Order, c.status, c.used
	r.Seconds = time.Since(c.start).Seconds()
	return r, nil
}
