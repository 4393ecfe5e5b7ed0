package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// ModelName is the file of a run that holds the network with the best evaluation, for play.
const ModelName = "best.model"

// Best is the cheapest order found for a task during training.
type Best struct {
	Cost       int64   `json:"cost"`        // under the objective
	Muls       int64   `json:"muls"`        // multiplications
	LowerBound int64   `json:"lower_bound"` // of Cost; 0 where none is known
	Order      []int   `json:"order"`
	Seconds    float64 `json:"seconds"` // of training after which it was found
	Games      int     `json:"games"`   // played by then, over all graphs
}

// state is what a checkpoint holds besides the network and the replay memory.
type state struct {
	Objective string           `json:"objective"`
	Iteration int              `json:"iteration"` // iterations done
	Evaluated int              `json:"evaluated"` // iterations done at the last evaluation
	Games     int              `json:"games"`
	Score     float64          `json:"score"` // of the incumbent
	Scored    bool             `json:"scored"`
	On        string           `json:"scored_on"` // what the incumbent was evaluated on
	Cheaper   bool             `json:"cheaper"`   // an order was found since the last evaluation that is cheaper than before
	Idle      int              `json:"idle"`      // evaluations since the last that improved anything
	Seconds   float64          `json:"seconds"`
	Best      map[string]*Best `json:"best"`
	ReplaySum string           `json:"replay_sha256"`
}

// Env is where a training runs.
type Env struct {
	Dir      string // existing directory for checkpoints, models and the orders found
	Metrics  func(record map[string]any) error
	Progress func(what string, done, total int)
	Warn     func(format string, args ...any)
	Resume   string // directory of an earlier training to continue; its checkpoints are read, never written
}

func (e *Env) warn(format string, args ...any) {
	if e.Warn != nil {
		e.Warn(format, args...)
	}
}

// Trainer is a training under way.
type Trainer struct {
	config  *Config
	env     Env
	state   state
	learner *net.Trainer
	replay  *replay
	set     set
	seed    runs.Seed
	boards  map[string]*board // of the tasks, by source
	began   time.Time
	before  float64 // seconds trained before began
	kept    string  // the last checkpoint written or read
}

// Run trains as configured until the iterations or the time are spent, every task is solved to its lower bound, nothing has
// improved for long enough, or ctx ends; in all these cases the last state is saved. Losses that are not finite end it with
// an error, the last good checkpoint kept.
func (c *Config) Run(ctx context.Context, env Env) error {
	t, err := newTrainer(ctx, c, env)
	if err != nil {
		return err
	}
	defer t.learner.Close()
	err = t.run(ctx)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return errors.Join(ctx.Err(), t.save())
	}
	return err
}

func (t *Trainer) run(ctx context.Context) error {
	if t.state.Iteration == 0 && len(t.replay.episodes) == 0 {
		if err := t.anneal(ctx); err != nil {
			return err
		}
	}
	for {
		done := t.finished()
		if i := t.state.Iteration; i > t.state.Evaluated && (done != "" || i%t.config.Evaluate == 0) {
			if err := t.evaluate(ctx); err != nil {
				return err
			}
			if err := t.save(); err != nil {
				return err
			}
			done = t.finished()
		}
		switch done {
		case "":
		case spent:
			return t.write()
		default:
			return errors.Join(t.metric(map[string]any{"iteration": t.state.Iteration, "stopped": done, "seconds": t.seconds()}), t.write())
		}
		if err := t.iterate(ctx); err != nil {
			return err
		}
	}
}

func newTrainer(ctx context.Context, c *Config, env Env) (*Trainer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	reduce, err := game.ParseReduction(c.Reduce...)
	if err != nil {
		return nil, err
	}
	o, err := lookupObjective(c.Objective)
	if err != nil {
		return nil, err
	}
	t := &Trainer{config: c, env: env, set: set{ctx, o, reduce}, seed: runs.Seed(c.Seed), replay: newReplay(c.Replay), boards: map[string]*board{}, began: time.Now(),
		state: state{Objective: c.Objective, Best: map[string]*Best{}}}
	for _, name := range c.Tasks {
		b, err := t.set.open(taskSource(name))
		if err != nil {
			return nil, err
		}
		t.boards[b.source] = b
		t.state.Best[name] = &Best{}
		if o.name == game.Muls.Name() {
			t.state.Best[name].LowerBound, _ = elim.LowerBound(context.Background(), elim.NewState(b.graph))
		}
	}
	if env.Resume != "" {
		return t, t.restore(env.Resume)
	}
	n, err := net.New(c.spec(), uint64(t.seed.Sub("network")))
	if err != nil {
		return nil, err
	}
	t.learner, err = net.NewTrainer(n, c.trainer())
	return t, err
}

// board is that of a source: a task's own, or one made for the occasion.
func (t *Trainer) board(source string) (*board, error) {
	if b := t.boards[source]; b != nil {
		return b, nil
	}
	return t.set.open(source)
}

// spent is why most trainings end.
const spent = "iterations or budget spent"

// finished says why there is nothing left to do; it is empty while there is.
func (t *Trainer) finished() string {
	c := t.config
	if (c.Iterations > 0 && t.state.Iteration >= c.Iterations) || (c.Budget > 0 && t.seconds() >= c.Budget.Seconds()) {
		return spent
	}
	if c.Patience > 0 && t.state.Idle >= c.Patience {
		return fmt.Sprintf("no improvement in %d evaluations", t.state.Idle)
	}
	if len(c.Tasks) == 0 || c.Generated.Share > 0 {
		return ""
	}
	for _, b := range t.state.Best {
		if b.Order == nil || b.Cost > b.LowerBound {
			return ""
		}
	}
	return "every task is solved: its order meets the lower bound"
}

func (t *Trainer) seconds() float64 { return t.before + time.Since(t.began).Seconds() }

// iterate plays games and learns from them. Until it begins to learn it changes nothing, so that an interrupted iteration
// can be repeated.
func (t *Trainer) iterate(ctx context.Context) error {
	c, i := t.config, t.state.Iteration
	seed := t.seed.Sub("iteration").At(i)
	episodes, plays, err := t.play(ctx, t.learner.Network(), t.draw(seed), seed.Sub("play"), true)
	if err != nil {
		return fmt.Errorf("iteration %d, self-play: %w", i+1, err)
	}
	again, err := t.reanalyse(ctx, seed.Sub("reanalyse"))
	if err != nil {
		return fmt.Errorf("iteration %d, reanalysis: %w", i+1, err)
	}
	record := map[string]any{"iteration": i + 1}
	improvement, evaluations := meanImprovement(plays), int64(0)
	t.state.Games += len(plays)
	for k, p := range plays {
		evaluations += p.Evaluations
		if !p.taught {
			t.record(episodes[k].Source, p)
		}
	}
	if c.Reanalyse > 0 {
		record["reanalysed"], record["shift"] = len(again), t.renew(again)
		for _, a := range again {
			evaluations += a.play.Evaluations
		}
	}
	t.replay.add(episodes)
	if err := t.learn(seed, record); err != nil {
		return err
	}
	t.state.Iteration++
	record["games"], record["positions"], record["evaluations"] = t.state.Games, t.replay.positions(), evaluations
	record["improvement"], record["seconds"] = improvement, t.seconds()
	for _, name := range c.Tasks {
		if b := t.state.Best[name]; b.Order != nil {
			record["best_"+name] = b.Cost
		}
	}
	t.progress(improvement)
	return t.metric(record)
}

// progress shows how much of the iterations or of the time is over.
func (t *Trainer) progress(improvement float64) {
	if t.env.Progress == nil {
		return
	}
	what := fmt.Sprintf("improvement %.3f", improvement)
	if c := t.config; len(c.Tasks) == 1 && t.state.Best[c.Tasks[0]].Order != nil {
		what = fmt.Sprintf("best %d %s, %s", t.state.Best[c.Tasks[0]].Cost, c.Objective, what)
	}
	done, total := t.state.Iteration, t.config.Iterations
	if total == 0 {
		total = int(t.config.Budget.Milliseconds())
		done = min(int(1000*t.seconds()), total)
	}
	t.env.Progress(what, done, total)
}

// draw picks the graphs of an iteration.
func (t *Trainer) draw(seed runs.Seed) []string {
	c, rng := t.config, seed.Sub("graphs").Rand()
	sources := make([]string, c.Games)
	for k := range sources {
		if g := c.Generated; rng.Float64() < g.Share {
			high := g.High
			if i := t.state.Iteration; i < g.Grow {
				high = g.Low + (g.High-g.Low)*(i+1)/(g.Grow+1)
			}
			sources[k] = randomSource(g.Low, high, rng.Uint64()>>1)
		} else {
			sources[k] = taskSource(c.Tasks[rng.IntN(len(c.Tasks))])
		}
	}
	return sources
}

// learn takes the training steps of an iteration and adds the mean losses to its record.
func (t *Trainer) learn(seed runs.Seed, record map[string]any) error {
	c := t.config
	var policy, value, rate float64
	draws := seed.Sub("learn").Rand()
	steps := c.Steps
	if t.replay.positions() == 0 {
		steps = 0 // the reductions decide these games alone
	}
	for k := range steps {
		samples, tickets, err := t.replay.draw(c.Batch, c.Priority, draws)
		if err != nil {
			return err
		}
		losses, err := t.learner.Train(samples)
		if err != nil {
			kept := "there is no checkpoint yet"
			if t.kept != "" {
				kept = "the last good checkpoint is " + t.kept
			}
			return fmt.Errorf("iteration %d, batch %d of %d: %w; %s", t.state.Iteration+1, k+1, steps, err, kept)
		}
		t.replay.learned(tickets, losses.Each)
		policy, value, rate = policy+losses.Policy/float64(c.Steps), value+losses.Value/float64(c.Steps), losses.Rate
	}
	record["policy_loss"], record["value_loss"], record["rate"] = policy, value, rate
	return nil
}

func (t *Trainer) metric(record map[string]any) error {
	if t.env.Metrics == nil {
		return nil
	}
	return t.env.Metrics(record)
}

// record keeps the cheapest order of each task.
func (t *Trainer) record(source string, p *Play) {
	b := t.state.Best[taskName(source)]
	if b != nil && (b.Order == nil || p.Cost < b.Cost) {
		b.Cost, b.Muls, b.Order, b.Seconds, b.Games = p.Cost, p.Muls, p.Order, t.seconds(), t.state.Games
		t.state.Cheaper = true
	}
}

// write leaves the orders found.
func (t *Trainer) write() error {
	data, err := json.MarshalIndent(t.state.Best, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(t.env.Dir, 0o755); err != nil {
		return err
	}
	return runs.WriteFile(filepath.Join(t.env.Dir, "best.json"), append(data, '\n'))
}
