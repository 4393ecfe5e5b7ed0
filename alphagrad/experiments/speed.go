package experiments

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/peers"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// Speed times our generated code against other ways to get the same Jacobians: compiled C, CasADi, CppADCodeGen, Enzyme,
// JAX, gonum's finite differences and GoMLX's gradients.
type Speed struct {
	Kind         string        `yaml:"kind"`
	Seed         uint64        `yaml:"seed"` // of points and searches
	Tasks        []string      `yaml:"tasks"`
	Search       time.Duration `yaml:"search"`       // for each task's order
	Repetitions  int           `yaml:"repetitions"`  // turns taken by every method
	Milliseconds float64       `yaml:"milliseconds"` // length of a turn
	Slow         time.Duration `yaml:"slow"`         // a method with a longer call takes 3 turns of one call
	Limit        time.Duration `yaml:"limit"`        // a method with a longer call is left out
	Peers        []string      `yaml:"peers"`        // which take part: c, python, gomlx; the Go worker always does
	Install      bool          `yaml:"install"`      // make the peers' Python environment if it is missing
	Flags        peers.Flags   `yaml:"flags"`
	Series       []SpeedSeries `yaml:"series"`

	root string // of the checkout; tests set it
}

// SpeedSeries is a type of numbers and a number of threads with the batches that are timed. JAX's form for batches is
// chosen at the first of them that is larger than one.
type SpeedSeries struct {
	Type    peers.Type `yaml:"type"`
	Threads int        `yaml:"threads"`
	Batches []int      `yaml:"batches"`
}

var peerKinds = []string{"c", "python", "gomlx"}

// DefaultSpeed covers all tasks at three batches.
func DefaultSpeed() *Speed {
	return &Speed{
		Kind: "speed", Seed: 1, Tasks: tasks.Names(), Search: time.Second, Repetitions: 9, Milliseconds: 2, Slow: 100 * time.Millisecond, Limit: 2 * time.Second, Peers: peerKinds, Install: true,
		Flags:  peers.Flags{C: []string{"-O3", "-march=native"}, Fast: []string{"-ffast-math"}},
		Series: []SpeedSeries{{Type: peers.Float64, Threads: 1, Batches: []int{4096, 1, 65536}}},
	}
}

// RootSeed is the seed of the points and the searches.
func (c *Speed) RootSeed() uint64 { return c.Seed }

// Validate reports settings that cannot be run.
func (c *Speed) Validate() error {
	for _, name := range c.Tasks {
		t, err := tasks.Lookup(name)
		if err == nil && t.IsArray() {
			err = fmt.Errorf("%s works on arrays; the peers are given functions of scalars", name)
		}
		if err != nil {
			return fmt.Errorf("tasks: %w", err)
		}
	}
	for _, p := range c.Peers {
		if !slices.Contains(peerKinds, p) {
			return fmt.Errorf("peers: unknown %q; known: %s", p, strings.Join(peerKinds, ", "))
		}
	}
	switch {
	case len(c.Tasks) == 0:
		return errors.New("tasks: the list is empty")
	case c.Search <= 0:
		return fmt.Errorf("search: %v must be positive", c.Search)
	case c.Repetitions < 3:
		return fmt.Errorf("repetitions: %d; a median with quartiles needs at least 3", c.Repetitions)
	case c.Milliseconds <= 0:
		return fmt.Errorf("milliseconds: %v must be positive", c.Milliseconds)
	case c.Slow <= 0 || c.Limit <= 0:
		return errors.New("slow and limit must be positive")
	case len(c.Series) == 0:
		return errors.New("series: the list is empty")
	}
	for i, s := range c.Series {
		switch {
		case s.Type != peers.Float64 && s.Type != peers.Float32:
			return fmt.Errorf("series %d: type %q; known: float64, float32", i+1, s.Type)
		case s.Threads < 1 || s.Threads > 64:
			return fmt.Errorf("series %d: %d threads; from 1 to 64", i+1, s.Threads)
		case len(s.Batches) == 0:
			return fmt.Errorf("series %d: batches: the list is empty", i+1)
		case slices.Min(s.Batches) < 1 || slices.Max(s.Batches) > 1<<20:
			return fmt.Errorf("series %d: a batch has from 1 to %d samples", i+1, 1<<20)
		}
	}
	return nil
}

// SpeedRow is what was measured of one method at one place.
type SpeedRow struct {
	Task       string          `json:"task"`
	Method     string          `json:"method"`
	Type       peers.Type      `json:"type"`
	Threads    int             `json:"threads"`
	Batch      int             `json:"batch"`
	Time       bench.Quartiles `json:"ns"`         // per value and Jacobian
	Ratio      bench.Quartiles `json:"ratio"`      // to ours, turn by turn; NaN where ours was not measured
	Difference float64         `json:"difference"` // from the interpreter, see [peers.Difference]
	Turns      int             `json:"turns"`
	Calls      int             `json:"calls"` // in a turn

	turns []float64
}

// SpeedResult is a comparison, a part of one if Done is less than Total.
type SpeedResult struct {
	Done     int // places of a task that were measured
	Total    int
	Rows     []*SpeedRow
	Orders   map[string]OrderCost // of our program, by task
	Versions map[string]string
	Missing  []string // what could not take part, and why
}

// Run measures and reports, whatever there is if it is interrupted.
func (c *Speed) Run(ctx context.Context, env Env) error {
	r, err := c.Measure(ctx, env)
	if r.Done > 0 {
		err = errors.Join(err, c.report(env.Dir, r))
	}
	return err
}

// oursMethod is the method that others are compared with, unless they leave out what is zero everywhere.
const (
	oursMethod  = "ours"
	oursCompact = "ours-compact"
)

// counterpart is our method that computes the same entries as a method.
func counterpart(method string) string {
	switch method {
	case "casadi", "casadi-vm", "cppad":
		return oursCompact
	}
	return oursMethod
}

// Measure builds the workers and times every series. With an error, the result holds what was measured before.
func (c *Speed) Measure(ctx context.Context, env Env) (*SpeedResult, error) {
	r := &SpeedResult{Orders: map[string]OrderCost{}, Versions: map[string]string{}}
	for _, s := range c.Series {
		r.Total += len(s.Batches) * len(c.Tasks)
	}
	err := c.measure(ctx, env, r)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		env.progress("done", r.Total, r.Total)
	}
	return r, err
}

func (c *Speed) measure(ctx context.Context, env Env, r *SpeedResult) error {
	root := c.root
	if root == "" {
		var err error
		if root, err = runs.Root("."); err != nil {
			return err
		}
	}
	env.progress("looking for the peers (installing them takes a minute, once)", 0, r.Total)
	e, err := peers.Find(ctx, root, c.Install && slices.Contains(c.Peers, "python"))
	if err != nil {
		return err
	}
	if !slices.Contains(c.Peers, "c") {
		e.CC, e.CXX = "", ""
	}
	if !slices.Contains(c.Peers, "python") {
		e.Python = ""
	}
	r.Missing = e.Missing
	env.progress("searching for orders", 0, r.Total)
	problems, err := c.problems(ctx, r)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "alphagrad-speed-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	env.progress("compiling", 0, r.Total)
	b, err := e.Make(ctx, dir, problems, c.Flags)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(b.LeftOut)) {
		r.Missing = append(r.Missing, fmt.Sprintf("%s: %s", name, b.LeftOut[name]))
	}
	maps.Copy(r.Versions, e.Versions(ctx))
	for _, s := range c.Series {
		if err := c.series(ctx, env, r, b, s); err != nil {
			return err
		}
	}
	return nil
}

// series measures one series with workers of its own.
func (c *Speed) series(ctx context.Context, env Env, r *SpeedResult, b *peers.Build, s SpeedSeries) error {
	var places []peers.At
	for _, batch := range s.Batches {
		places = append(places, peers.At{Type: s.Type, Batch: batch})
	}
	env.progress(fmt.Sprintf("JAX compiles for %s, %d thread(s)", s.Type, s.Threads), r.Done, r.Total)
	if err := b.Warm(ctx, s.Threads, places); err != nil {
		r.leftOut("jax", "", err)
	}
	teams, err := c.teams(ctx, r, b, s.Threads)
	defer func() {
		for _, t := range teams {
			t.worker.Close() // its results are in; how it ends does not matter
		}
	}()
	if err != nil {
		return err
	}
	for _, p := range b.Problems() {
		for _, batch := range s.Batches {
			env.progress(fmt.Sprintf("%s, %s, %d thread(s), batch %d", p.Name, s.Type, s.Threads, batch), r.Done, r.Total)
			rows, err := c.turns(ctx, r, teams, p, s, batch)
			if err != nil {
				return err
			}
			r.Rows = append(r.Rows, rows...)
			r.Done++
			if env.Dir != "" { // whatever ends the run, this is there
				if err := c.saveMeasurements(env.Dir, r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// leftOut notes what could not take part; the tasks with the same reason share a line.
func (r *SpeedResult) leftOut(what, task string, why error) {
	line := fmt.Sprintf("%s: %v", what, why)
	for i, m := range r.Missing {
		if rest, same := strings.CutPrefix(m, line); same && (rest == "" || strings.HasPrefix(rest, " [")) {
			if tasks := strings.Split(strings.Trim(rest, " []"), ", "); task != "" && !slices.Contains(tasks, task) {
				r.Missing[i] = fmt.Sprintf("%s [%s]", line, strings.Join(append(tasks, task), ", "))
			}
			return
		}
	}
	if task != "" {
		line += " [" + task + "]"
	}
	r.Missing = append(r.Missing, line)
}

// problems makes the derivative programs: of the fixed orders and the best of a search, the one with the fewest operations.
func (c *Speed) problems(ctx context.Context, r *SpeedResult) ([]peers.Problem, error) {
	var problems []peers.Problem
	for _, name := range c.Tasks {
		s, err := Prepare(name)
		if err != nil {
			return nil, err
		}
		found, err := search.Run(ctx, "portfolio", search.Problem{Graph: s.Graph, Objective: search.Muls}, search.Settings{Budget: c.Search, Seed: c.Seed})
		if err != nil {
			return nil, err
		}
		if err := s.Add(Ours, found.Order); err != nil {
			return nil, err
		}
		best := slices.MinFunc(s.Orders, func(a, b OrderCost) int {
			return int(a.Ops.Mul+a.Ops.Add+a.Ops.Div) - int(b.Ops.Mul+b.Ops.Add+b.Ops.Div)
		})
		r.Orders[name] = best
		d, err := ad.ValueAndJacobian(s.Program, best.Order)
		if err != nil {
			return nil, err
		}
		p := peers.Problem{Name: name, Value: s.Program, Derivative: d}
		if p.Points, err = s.Task.Points(rand.New(rand.NewPCG(c.Seed, 0)), peers.Points); err != nil {
			return nil, err
		}
		problems = append(problems, p)
	}
	return problems, ctx.Err()
}

// A team is a worker that can be lost, unless it is ours.
type team struct {
	name   string
	worker peers.Worker
	ours   bool
	gone   bool // its process ended
}

// teams starts what there is for a number of threads.
func (c *Speed) teams(ctx context.Context, r *SpeedResult, b *peers.Build, threads int) ([]*team, error) {
	goWorker, err := b.StartGo(ctx, threads)
	if err != nil {
		return nil, err
	}
	teams := []*team{{name: oursMethod, worker: goWorker, ours: true}}
	if b.HasC() {
		w, err := b.StartC(ctx, threads)
		if err != nil {
			return teams, err
		}
		teams = append(teams, &team{name: "c", worker: w})
	}
	if b.HasPython() {
		for _, peer := range peers.PythonPeers {
			w, err := b.StartPython(ctx, peer, threads)
			if err != nil {
				r.leftOut(peer, "", err)
				continue
			}
			teams = append(teams, &team{name: peer, worker: w})
			v, err := w.Versions()
			if err != nil {
				teams[len(teams)-1].gone = true
				r.leftOut(peer, "", err)
			}
			maps.Copy(r.Versions, v)
		}
	}
	if threads == 1 && slices.Contains(c.Peers, "gomlx") {
		teams = append(teams, &team{name: "gomlx", worker: &gradientWorker{problems: b.Problems()}})
	}
	return teams, ctx.Err()
}

// A racer is a method of a team that takes part at one place.
type racer struct {
	*SpeedRow
	team *team
	reps int
}

// turns compares the results of all methods at one place and then lets them take turns. A peer that fails is left out and
// noted; ours must not fail.
func (c *Speed) turns(ctx context.Context, r *SpeedResult, teams []*team, p peers.Problem, s SpeedSeries, batch int) ([]*SpeedRow, error) {
	at := peers.At{Problem: p.Name, Type: s.Type, Batch: batch}
	want, err := reference(p, batch)
	if err != nil {
		return nil, err
	}
	lost := func(t *team, what string, err error) error {
		if t.ours || ctx.Err() != nil {
			return err
		}
		t.gone = t.gone || errors.Is(err, peers.ErrEnded)
		r.leftOut(what, p.Name, err)
		return nil
	}
	var racers []*racer
	for _, t := range teams {
		if t.gone {
			continue
		}
		methods, refused, err := t.worker.Methods(at)
		if err != nil {
			if err := lost(t, t.name, err); err != nil {
				return nil, err
			}
			continue
		}
		for m, why := range refused {
			r.leftOut(m, p.Name, errors.New(why))
		}
		for _, m := range methods {
			n := &racer{SpeedRow: &SpeedRow{Task: p.Name, Method: m, Type: s.Type, Threads: s.Threads, Batch: batch}, team: t, reps: c.Repetitions}
			err := n.compare(at, want)
			fits := false
			if err == nil {
				fits, err = c.calibrate(n, at)
			}
			if err != nil {
				if err := lost(t, m, err); err != nil {
					return nil, err
				}
			} else if fits {
				racers = append(racers, n)
			}
		}
	}
	for turn := range c.Repetitions {
		for k := range racers {
			n := racers[(k+turn)%len(racers)]
			if turn >= n.reps || n.team.gone {
				continue
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			took, err := n.team.worker.Time(n.Method, at, n.Calls)
			if err != nil {
				if err := lost(n.team, n.Method, err); err != nil {
					return nil, err
				}
				continue
			}
			n.turns = append(n.turns, float64(took.Nanoseconds())/float64(n.Calls)/float64(batch))
		}
	}
	racers = slices.DeleteFunc(racers, func(n *racer) bool { return len(n.turns) < n.reps })
	ours := map[string][]float64{}
	for _, n := range racers {
		ours[n.Method] = n.turns
	}
	rows := make([]*SpeedRow, len(racers))
	for i, n := range racers {
		n.Turns, n.Time, n.Ratio = len(n.turns), bench.Summarize(n.turns), bench.Ratio(n.turns, ours[counterpart(n.Method)])
		rows[i] = n.SpeedRow
	}
	return rows, nil
}

// compare refuses results that are not the interpreter's.
func (n *racer) compare(at peers.At, want [][]float64) error {
	got, err := n.team.worker.Results(n.Method, at)
	if err != nil {
		return err
	}
	if n.Difference, err = peers.Difference(got, want); err != nil {
		return err
	}
	if allowed := peers.Tolerance(n.Method, at.Type); !(n.Difference <= allowed) {
		return fmt.Errorf("the results in %s differ from the interpreter's by more than %g", at.Type, allowed)
	}
	return nil
}

// calibrate finds how many calls fill a turn, warming up; it reports false if a call takes too long. What a turn costs
// besides its calls is in the first guesses, so that the number is measured again until it fills most of a turn. The shorter
// of two measurements counts, since one that was interrupted would end this too early.
func (c *Speed) calibrate(r *racer, at peers.At) (bool, error) {
	turn := time.Duration(c.Milliseconds * float64(time.Millisecond))
	r.Calls = 1
	for {
		took, err := r.team.worker.Time(r.Method, at, r.Calls)
		if err == nil && took >= turn*3/4 && took <= c.Slow {
			var again time.Duration
			again, err = r.team.worker.Time(r.Method, at, r.Calls)
			took = min(took, again)
		}
		switch {
		case err != nil:
			return false, err
		case r.Calls == 1 && took > c.Limit:
			return false, nil
		case r.Calls == 1 && took > c.Slow:
			r.reps = min(r.reps, 3)
			return true, nil
		case took >= turn*3/4:
			return true, nil
		}
		r.Calls = int(float64(r.Calls)*min(8, float64(turn)/float64(max(took, 1)))) + 1
	}
}

// reference evaluates the derivative in forward order by the interpreter.
func reference(p peers.Problem, batch int) ([][]float64, error) {
	g, err := ad.Graph(p.Value)
	if err != nil {
		return nil, err
	}
	d, err := ad.ValueAndJacobian(p.Value, elim.Forward(g))
	if err != nil {
		return nil, err
	}
	var rows [][]float64
	for _, k := range peers.Shown(batch) {
		y, err := interp.EvalScalar(d, p.Points[k%peers.Points])
		if err != nil {
			return nil, err
		}
		rows = append(rows, y)
	}
	return rows, nil
}

// geometricMean is NaN without values.
func geometricMean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += math.Log(x)
	}
	return math.Exp(sum / float64(len(v)))
}

// describeMissing is one line for every peer that could not take part.
func (r *SpeedResult) describeMissing() string {
	var b strings.Builder
	for _, m := range r.Missing {
		b.WriteString("- " + m + "\n")
	}
	return b.String()
}
