package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
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
	Muls       int64   `json:"muls"`
	LowerBound int64   `json:"lower_bound"`
	Order      []int   `json:"order"`
	Seconds    float64 `json:"seconds"` // of training after which it was found
	Games      int     `json:"games"`   // played by then, over all graphs
}

// state is what a checkpoint holds besides the network and the replay memory.
type state struct {
	Iteration int              `json:"iteration"` // iterations done
	Games     int              `json:"games"`
	Score     float64          `json:"score"` // best evaluation so far
	Scored    bool             `json:"scored"`
	Seconds   float64          `json:"seconds"`
	Best      map[string]*Best `json:"best"`
}

// Env is where a training runs.
type Env struct {
	Dir      string // existing directory for checkpoints, models and the orders found
	Metrics  func(record map[string]any) error
	Progress func(what string, done, total int)
	Warn     func(format string, args ...any)
	Resume   string // directory of an earlier training to continue; its checkpoints are read, never written
}

// Trainer is a training under way.
type Trainer struct {
	config  *Config
	env     Env
	state   state
	learner *net.Trainer
	replay  *replay
	reduce  game.Reduction
	seed    runs.Seed
	graphs  map[string]*elim.Graph // of the tasks
	began   time.Time
	before  float64 // seconds trained before began
}

// Run trains as configured until the iterations or the time are spent, every task is solved to its lower bound, or ctx
// ends; in all these cases the last state is saved. Losses that are not finite end it with an error, the last good
// checkpoint kept.
func (c *Config) Run(ctx context.Context, env Env) error {
	t, err := newTrainer(c, env)
	if err != nil {
		return err
	}
	defer t.learner.Close()
	if t.state.Iteration == 0 && c.Annealed > 0 {
		if err := t.anneal(ctx); err != nil {
			return err
		}
	}
	for !t.finished() {
		if err := t.iterate(ctx); err != nil {
			if ctx.Err() != nil {
				return errors.Join(ctx.Err(), t.save())
			}
			return err
		}
		if t.state.Iteration%c.Evaluate == 0 || t.finished() {
			if err := t.evaluate(ctx); err != nil {
				return err
			}
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	return t.write()
}

func newTrainer(c *Config, env Env) (*Trainer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	reduce, err := game.ParseReduction(c.Reduce...)
	if err != nil {
		return nil, err
	}
	t := &Trainer{config: c, env: env, reduce: reduce, seed: runs.Seed(c.Seed), replay: newReplay(c.Replay, reduce), graphs: map[string]*elim.Graph{}, began: time.Now(),
		state: state{Best: map[string]*Best{}}}
	for _, name := range c.Tasks {
		g, err := loadGraph(taskSource(name))
		if err != nil {
			return nil, err
		}
		bound, _ := elim.LowerBound(context.Background(), elim.NewState(g))
		t.graphs[name] = g
		t.state.Best[name] = &Best{LowerBound: bound}
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

// finished reports whether there is nothing left to do.
func (t *Trainer) finished() bool {
	c := t.config
	if (c.Iterations > 0 && t.state.Iteration >= c.Iterations) || (c.Budget > 0 && t.seconds() >= c.Budget.Seconds()) {
		return true
	}
	if len(c.Tasks) == 0 || c.Generated.Share > 0 {
		return false
	}
	for _, b := range t.state.Best {
		if b.Order == nil || b.Muls > b.LowerBound {
			return false
		}
	}
	return true
}

func (t *Trainer) seconds() float64 { return t.before + time.Since(t.began).Seconds() }

// iterate plays games and learns from them.
func (t *Trainer) iterate(ctx context.Context) error {
	c, i := t.config, t.state.Iteration
	seed := t.seed.Sub("iteration").At(i)
	sources := make([]string, c.Games)
	rng := seed.Sub("graphs").Rand()
	for k := range sources {
		if g := c.Generated; rng.Float64() < g.Share {
			high := g.High
			if i < g.Grow {
				high = g.Low + (g.High-g.Low)*(i+1)/(g.Grow+1)
			}
			sources[k] = randomSource(g.Low, high, rng.Uint64()>>1)
		} else {
			sources[k] = taskSource(c.Tasks[rng.IntN(len(c.Tasks))])
		}
	}
	episodes, plays, err := t.play(ctx, sources, seed.Sub("play"), true)
	if err != nil {
		return err
	}
	t.replay.add(episodes)
	t.state.Games += len(plays)
	improvement, evaluations := 0.0, int64(0)
	for k, p := range plays {
		improvement += net.Value(p.Cheap, p.Played) / float64(len(plays))
		evaluations += p.Evaluations
		t.record(sources[k], p)
	}
	var policy, value, rate float64
	draws := seed.Sub("learn").Rand()
	steps := c.Steps
	if t.replay.positions() == 0 {
		steps = 0 // the reductions decide these games alone
	}
	for range steps {
		samples, tickets, err := t.replay.draw(c.Batch, c.Priority, draws)
		if err != nil {
			return err
		}
		losses, err := t.learner.Train(samples)
		if err != nil {
			return fmt.Errorf("iteration %d, training step %d: %w; the last checkpoint is kept", i+1, t.learner.Step()+1, err)
		}
		t.replay.learned(tickets, losses.Each)
		policy, value, rate = policy+losses.Policy/float64(c.Steps), value+losses.Value/float64(c.Steps), losses.Rate
	}
	t.state.Iteration++
	record := map[string]any{"iteration": t.state.Iteration, "games": t.state.Games, "positions": t.replay.positions(), "evaluations": evaluations,
		"improvement": improvement, "policy_loss": policy, "value_loss": value, "rate": rate, "seconds": t.seconds()}
	for _, name := range c.Tasks {
		if b := t.state.Best[name]; b.Order != nil {
			record["best_"+name] = b.Muls
		}
	}
	if t.env.Progress != nil {
		total := c.Iterations
		if total == 0 {
			total = int(c.Budget.Seconds())
			t.env.Progress(fmt.Sprintf("improvement %.3f", improvement), min(int(t.seconds()), total), total)
		} else {
			t.env.Progress(fmt.Sprintf("improvement %.3f", improvement), t.state.Iteration, total)
		}
	}
	return t.metric(record)
}

func (t *Trainer) metric(record map[string]any) error {
	if t.env.Metrics == nil {
		return nil
	}
	return t.env.Metrics(record)
}

// play plays a game on each of the sources, as many at a time as there are workers.
func (t *Trainer) play(ctx context.Context, sources []string, seed runs.Seed, explore bool) ([]*episode, []*Play, error) {
	episodes, plays := make([]*episode, len(sources)), make([]*Play, len(sources))
	errs := make([]error, len(sources))
	workers := t.config.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	network := t.learner.Network()
	options := t.config.options()
	if !explore {
		options = t.config.PlayOptions(t.config.Search.Simulations)
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(workers, len(sources)) {
		wg.Go(func() {
			agent, err := NewAgent(network, options)
			for k := range next {
				if err != nil {
					errs[k] = err
					continue
				}
				episodes[k], plays[k], errs[k] = t.playOne(agent, sources[k], uint64(seed.At(k)))
			}
		})
	}
	for k := range sources {
		if ctx.Err() != nil {
			break
		}
		next <- k
	}
	close(next)
	wg.Wait()
	return episodes, plays, errors.Join(append(errs, ctx.Err())...)
}

func (t *Trainer) playOne(a *Agent, source string, seed uint64) (*episode, *Play, error) {
	g := t.graphs[taskName(source)]
	if g == nil {
		var err error
		if g, err = loadGraph(source); err != nil {
			return nil, nil, err
		}
	}
	gm, err := NewGame(source, g, t.reduce)
	if err != nil {
		return nil, nil, err
	}
	p, err := a.Play(gm, seed)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", source, err)
	}
	return newEpisode(source, g, p), p, nil
}

// taskName is the task of a source, empty for a random graph.
func taskName(source string) string {
	if len(source) > 5 && source[:5] == "task:" {
		return source[5:]
	}
	return ""
}

// record keeps the cheapest order of each task.
func (t *Trainer) record(source string, p *Play) {
	b := t.state.Best[taskName(source)]
	if b != nil && (b.Order == nil || p.Muls < b.Muls) {
		b.Muls, b.Order, b.Seconds, b.Games = p.Muls, p.Order, t.seconds(), t.state.Games
	}
}

// evaluationGraphs is how many generated graphs, the same every time, an evaluation plays besides the tasks.
const evaluationGraphs = 8

// evaluate plays without noise and keeps the network if it plays better than the incumbent.
func (t *Trainer) evaluate(ctx context.Context) error {
	var sources []string
	for _, name := range t.config.Tasks {
		sources = append(sources, taskSource(name))
	}
	if g := t.config.Generated; g.Share > 0 {
		for k := range evaluationGraphs {
			sources = append(sources, randomSource(g.Low, g.High, uint64(t.seed.Sub("evaluation").At(k))>>1))
		}
	}
	_, plays, err := t.play(ctx, sources, t.seed.Sub("evaluate"), false)
	if err != nil {
		return err
	}
	score := 0.0
	for k, p := range plays {
		score += net.Value(p.Cheap, p.Played) / float64(len(plays))
		t.record(sources[k], p)
	}
	better := !t.state.Scored || score > t.state.Score
	if better {
		t.state.Score, t.state.Scored = score, true
		if err := t.learner.Network().Save(filepath.Join(t.env.Dir, ModelName)); err != nil {
			return err
		}
	}
	return t.metric(map[string]any{"iteration": t.state.Iteration, "evaluation": score, "incumbent": better, "seconds": t.seconds()})
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
