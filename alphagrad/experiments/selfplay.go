package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"github.com/alphagrad/alphagrad-go/alphagrad/train"
)

// SelfPlay trains agents from scratch on single tasks, with and without the safe reductions of the game, and one general
// agent on generated graphs, and sets them beside the published results and beside annealing.
type SelfPlay struct {
	Kind    string        `yaml:"kind"`
	Tasks   []string      `yaml:"tasks"`
	Seeds   []uint64      `yaml:"seeds"`
	Budget  time.Duration `yaml:"budget"` // wall time of one training on a task, all cores
	Search  train.Search  `yaml:"search"`
	From    string        `yaml:"from"`    // directory of an earlier result whose trainings on tasks are taken; empty: train
	General string        `yaml:"general"` // settings of the general training, a file
	Set     []string      `yaml:"set"`     // assignments to these settings
	Model   string        `yaml:"model"`   // run directory of a finished general training; empty: train
	Unseen  []string      `yaml:"unseen"`  // tasks the general agent plays
	Anneal  int64         `yaml:"anneal"`  // evaluations of the annealing beside it
	Note    string        `yaml:"note"`    // on the circumstances, for the page; may be empty
}

// DefaultSelfPlay is the published comparison at a small budget.
func DefaultSelfPlay() *SelfPlay {
	return &SelfPlay{
		Kind:  "selfplay",
		Tasks: []string{"RoeFlux_1d", "RobotArm_6DOF", "HumanHeartDipole", "PropaneCombustion", "g"},
		Seeds: []uint64{1, 2, 3}, Budget: 45 * time.Second,
		Search:  train.Search{Algorithm: "gumbel", Simulations: 16, Considered: 8},
		General: filepath.Join("experiments", "train_general.yaml"),
		Unseen:  slices.Concat(tasks.UnseenNames(), tasks.Names()), Anneal: 5_000_000,
	}
}

// RootSeed is the seed of the general agent; the trainings on tasks have one each.
func (c *SelfPlay) RootSeed() uint64 { return c.Seeds[0] }

// Validate reports settings that cannot be run.
func (c *SelfPlay) Validate() error {
	for _, name := range append(slices.Clone(c.Tasks), c.Unseen...) {
		if _, err := tasks.Lookup(name); err != nil {
			return fmt.Errorf("tasks and unseen: %w", err)
		}
	}
	switch {
	case len(c.Tasks) == 0 || len(c.Unseen) == 0:
		return errors.New("tasks and unseen: a list is empty")
	case len(c.Seeds) == 0:
		return errors.New("seeds: the list is empty")
	case c.Budget <= 0:
		return errors.New("budget: must be positive")
	case c.Anneal <= 0:
		return errors.New("anneal: must be positive")
	case c.General == "" && c.Model == "":
		return errors.New("general and model: one must be given")
	}
	return c.training(c.Tasks[0], 1, true).Validate()
}

// training is the configuration of one task, from scratch.
func (c *SelfPlay) training(task string, seed uint64, reduced bool) *train.Config {
	t := train.Default()
	t.Seed, t.Tasks, t.Generated = seed, []string{task}, train.Generated{}
	if !reduced {
		t.Reduce = nil
	}
	t.Search = c.Search
	t.Games, t.Steps, t.Replay = 16, 8, 200
	t.Iterations, t.Budget = 0, c.Budget
	return t
}

// general trains the agent for every graph, or takes it from a finished training, and says how it came about.
func (c *SelfPlay) general(ctx context.Context, dir string) (about string, err error) {
	take := func(from string) error {
		data, err := os.ReadFile(filepath.Join(from, train.ModelName))
		if err != nil {
			return err
		}
		return runs.WriteFile(filepath.Join(dir, train.ModelName), data)
	}
	if c.Model != "" {
		m, err := runs.ReadManifest(c.Model)
		if err != nil {
			return "", fmt.Errorf("model: %w", err)
		}
		t := train.Default()
		if err := runs.Load(filepath.Join(c.Model, "config.yaml"), t); err != nil {
			return "", fmt.Errorf("model: %w", err)
		}
		if m.Status != runs.StatusFinished {
			return "", fmt.Errorf("model: the training in %s is %s", c.Model, m.Status)
		}
		return aboutTraining(t), take(c.Model)
	}
	t := train.Default()
	if err := runs.Load(c.General, t, c.Set...); err != nil {
		return "", err
	}
	return aboutTraining(t), inScratch(func(scratch string) error {
		if err := t.Run(ctx, train.Env{Dir: scratch}); err != nil {
			return err
		}
		return take(scratch)
	})
}

// aboutTraining is a sentence on a general training.
func aboutTraining(t *train.Config) string {
	s := "Trained"
	if t.Iterations > 0 {
		s += fmt.Sprintf(" for %d iterations of %d games", t.Iterations, t.Games)
	}
	if t.Budget > 0 {
		s += fmt.Sprintf(" for %v", t.Budget)
	}
	s += fmt.Sprintf(" on generated programs of %d to %d vertices, %.0f %% of the games finished by annealing and the others self-play", t.Generated.Low, t.Generated.High, 100*t.Taught.Share)
	return s + "."
}

// Learned is one training on a task.
type Learned struct {
	Task    string        `json:"task"`
	Seed    uint64        `json:"seed"`
	Reduced bool          `json:"reduced"` // with the safe reductions
	Best    train.Best    `json:"best"`
	Curve   [][2]float64  `json:"curve"` // seconds of training, best cost so far
	Spent   float64       `json:"spent"` // seconds of training in all
	anneal  search.Result // annealing for the same wall time on one core
}

// ZeroShot is play of the general agent on a task it never saw.
type ZeroShot struct {
	Task            string
	Unseen          bool  // of a kind kept for tests, see tasks.Unseen
	Vertices        int   // to eliminate
	Cheap           int64 // the best of forward, reverse and Markowitz
	Policy          int64 // as played by the bare policy
	PolicySeconds   float64
	Searched        map[int]int64 // cheapest order met, by simulations a move
	SearchedSeconds map[int]float64
	Annealed        int64 // annealing with two million evaluations
}

// zeroShotSimulations are the searches that the general agent is tried with.
var zeroShotSimulations = []int{16, 64}

// Run trains, plays and reports.
func (c *SelfPlay) Run(ctx context.Context, env Env) error {
	var learned []*Learned
	total := len(c.Tasks)*len(c.Seeds)*2 + 2
	if c.From != "" {
		var err error
		if learned, err = c.earlier(ctx); err != nil {
			return fmt.Errorf("from: %w", err)
		}
	}
	for _, reduced := range []bool{true, false} {
		for _, task := range c.Tasks {
			for _, seed := range c.Seeds {
				if c.From != "" {
					continue
				}
				env.progress(fmt.Sprintf("%s, seed %d", task, seed), len(learned), total)
				l, err := c.learn(ctx, task, seed, reduced)
				if err != nil {
					return err
				}
				learned = append(learned, l)
			}
		}
	}
	env.progress("general agent", len(learned), total)
	about, err := c.general(ctx, env.Dir)
	if err != nil {
		return err
	}
	env.progress("zero-shot play", total-1, total)
	var zero []*ZeroShot
	for _, name := range c.Unseen {
		z, err := c.zeroShot(ctx, name, filepath.Join(env.Dir, train.ModelName))
		if err != nil {
			return err
		}
		zero = append(zero, z)
	}
	data, err := json.Marshal(learned)
	if err != nil {
		return err
	}
	if err := runs.WriteFile(filepath.Join(env.Dir, "trainings.json"), append(data, '\n')); err != nil {
		return err
	}
	env.progress("done", total, total)
	return c.report(env.Dir, learned, zero, about)
}

// annealingMost bounds the annealing beside a training. It finds its best order of every task in well below a second.
const annealingMost = 10 * time.Second

// inScratch gives f a directory that does not stay: checkpoints are not results.
func inScratch(f func(dir string) error) error {
	dir, err := os.MkdirTemp("", "alphagrad-train-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return f(dir)
}

// learn trains on one task and anneals for as long, or for annealingMost if that is less.
func (c *SelfPlay) learn(ctx context.Context, task string, seed uint64, reduced bool) (*Learned, error) {
	l := &Learned{Task: task, Seed: seed, Reduced: reduced}
	err := inScratch(func(dir string) error {
		metrics := func(r map[string]any) error {
			if best, ok := r["best_"+task].(int64); ok {
				l.Spent = r["seconds"].(float64)
				l.Curve = append(l.Curve, [2]float64{l.Spent, float64(best)})
			}
			return nil
		}
		if err := c.training(task, seed, reduced).Run(ctx, train.Env{Dir: dir, Metrics: metrics}); err != nil {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, "best.json"))
		if err != nil {
			return err
		}
		var best map[string]train.Best
		if err := json.Unmarshal(data, &best); err != nil {
			return err
		}
		l.Best = best[task]
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, l.check(ctx)
}

// check recounts the order from the root, so that nothing is taken from the trainer, and anneals for the same wall time.
func (l *Learned) check(ctx context.Context) error {
	s, err := Prepare(l.Task)
	if err != nil {
		return err
	}
	if l.Best.Muls, err = s.Graph.Muls(l.Best.Order); err != nil {
		return err
	}
	wall := min(time.Duration(l.Spent*float64(time.Second)), annealingMost)
	l.anneal, err = search.Run(ctx, "anneal", search.Problem{Graph: s.Graph}, search.Settings{Budget: wall, Seed: l.Seed})
	return err
}

// earlier takes the trainings of an earlier result.
func (c *SelfPlay) earlier(ctx context.Context) ([]*Learned, error) {
	data, err := os.ReadFile(filepath.Join(c.From, "trainings.json"))
	if err != nil {
		return nil, err
	}
	var learned []*Learned
	if err := json.Unmarshal(data, &learned); err != nil {
		return nil, err
	}
	for _, l := range learned {
		if err := l.check(ctx); err != nil {
			return nil, err
		}
	}
	return learned, nil
}

// zeroShot plays a task with the general model.
func (c *SelfPlay) zeroShot(ctx context.Context, task, model string) (*ZeroShot, error) {
	network, err := net.Load(model)
	if err != nil {
		return nil, err
	}
	s, err := Prepare(task)
	if err != nil {
		return nil, err
	}
	z := &ZeroShot{Task: task, Unseen: s.Task.IsUnseen(), Vertices: len(s.Graph.Eliminable()), Cheap: math.MaxInt64, Searched: map[int]int64{}, SearchedSeconds: map[int]float64{}}
	for _, m := range []string{Forward, Reverse, Markowitz} {
		z.Cheap = min(z.Cheap, s.Cost(m).Muls)
	}
	for _, n := range append([]int{0}, zeroShotSimulations...) {
		p, seconds, err := playOnce(network, s.Graph, n, c.Seeds[0])
		if err != nil {
			return nil, err
		}
		if n == 0 {
			z.Policy, z.PolicySeconds = p.Played, seconds
		} else {
			z.Searched[n], z.SearchedSeconds[n] = p.Muls, seconds
		}
	}
	r, err := search.Run(ctx, "anneal", search.Problem{Graph: s.Graph}, search.Settings{Evaluations: c.Anneal, Seed: c.Seeds[0]})
	z.Annealed = r.Cost
	return z, err
}

// playOnce plays one graph without the reductions, so that every move is the agent's own.
func playOnce(network *net.Network, g *elim.Graph, simulations int, seed uint64) (*train.Play, float64, error) {
	a, err := train.NewAgent(network, train.Default().PlayOptions(simulations))
	if err != nil {
		return nil, 0, err
	}
	gm, err := train.NewGame("", g, game.None)
	if err != nil {
		return nil, 0, err
	}
	start := time.Now()
	p, err := a.Play(gm, seed)
	return p, time.Since(start).Seconds(), err
}

// of picks the trainings of a task.
func of(learned []*Learned, task string, reduced bool) []*Learned {
	var out []*Learned
	for _, l := range learned {
		if l.Task == task && l.Reduced == reduced {
			out = append(out, l)
		}
	}
	return out
}
