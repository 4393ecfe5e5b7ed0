package experiments

import (
	"context"
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

// General trains one agent on generated graphs, lets it play tasks that it never saw, and sets it beside annealing.
type General struct {
	Kind     string   `yaml:"kind"`
	Seed     uint64   `yaml:"seed"`     // of play and annealing
	Training string   `yaml:"training"` // settings of the training, a file
	Set      []string `yaml:"set"`      // assignments to these settings
	Model    string   `yaml:"model"`    // run directory of a finished training, or a model file; empty: train
	Unseen   []string `yaml:"unseen"`   // tasks that the agent plays
	Anneal   int64    `yaml:"anneal"`   // evaluations of the annealing beside it
	Note     string   `yaml:"note"`     // on the circumstances, for the page; may be empty
}

// DefaultGeneral is the shipped agent on all tasks.
func DefaultGeneral() *General {
	return &General{Kind: "general", Seed: 1, Training: filepath.Join("experiments", "train_general.yaml"),
		Unseen: slices.Concat(tasks.UnseenNames(), tasks.Names()), Anneal: 5_000_000}
}

// RootSeed is the seed of play and annealing; the training names its own.
func (c *General) RootSeed() uint64 { return c.Seed }

// Validate reports settings that cannot be run.
func (c *General) Validate() error {
	for _, name := range c.Unseen {
		if _, err := tasks.Lookup(name); err != nil {
			return fmt.Errorf("unseen: %w", err)
		}
	}
	switch {
	case len(c.Unseen) == 0:
		return errors.New("unseen: the list is empty")
	case c.Anneal <= 0:
		return errors.New("anneal: must be positive")
	case c.Training == "" && c.Model == "":
		return errors.New("training and model: one must be given")
	}
	return nil
}

// agent trains the agent, or takes it from a finished training or a file, and says how it came about.
func (c *General) agent(ctx context.Context, dir string) (about string, err error) {
	take := func(file string) error {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return runs.WriteFile(filepath.Join(dir, train.ModelName), data)
	}
	if info, err := os.Stat(c.Model); err == nil && info.Mode().IsRegular() {
		return "", take(c.Model)
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
		return aboutTraining(t), take(filepath.Join(c.Model, train.ModelName))
	}
	t := train.Default()
	if err := runs.Load(c.Training, t, c.Set...); err != nil {
		return "", err
	}
	return aboutTraining(t), inScratch(func(scratch string) error {
		if err := t.Run(ctx, train.Env{Dir: scratch}); err != nil {
			return err
		}
		return take(filepath.Join(scratch, train.ModelName))
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
	return s + ". "
}

// ZeroShot is play of the general agent on a task it never saw.
type ZeroShot struct {
	Task            string
	Unseen          bool          // of a kind kept for tests, see tasks.Unseen
	Vertices        int           // to eliminate
	Cheap           int64         // the best of forward, reverse and Markowitz
	Policy          int64         // as played by the bare policy
	Searched        map[int]int64 // cheapest order met, by simulations a move
	SearchedSeconds map[int]float64
	Annealed        int64 // annealing, with the evaluations of the configuration
}

// zeroShotSimulations are the searches that the general agent is tried with.
var zeroShotSimulations = []int{16, 64}

// Run trains, plays and reports.
func (c *General) Run(ctx context.Context, env Env) error {
	total := len(c.Unseen) + 1
	env.progress("the general agent", 0, total)
	about, err := c.agent(ctx, env.Dir)
	if err != nil {
		return err
	}
	network, err := net.Load(filepath.Join(env.Dir, train.ModelName))
	if err != nil {
		return err
	}
	var zero []*ZeroShot
	for i, name := range c.Unseen {
		env.progress(name, i+1, total)
		z, err := c.zeroShot(ctx, name, network)
		if err != nil {
			return err
		}
		zero = append(zero, z)
	}
	env.progress("done", total, total)
	return c.report(env.Dir, zero, about)
}

// inScratch gives f a directory that does not stay: checkpoints are not results.
func inScratch(f func(dir string) error) error {
	dir, err := os.MkdirTemp("", "alphagrad-train-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return f(dir)
}

// zeroShot plays a task with the general agent.
func (c *General) zeroShot(ctx context.Context, task string, network *net.Network) (*ZeroShot, error) {
	s, err := Prepare(task)
	if err != nil {
		return nil, err
	}
	z := &ZeroShot{Task: task, Unseen: s.Task.IsUnseen(), Vertices: len(s.Graph.Eliminable()), Cheap: math.MaxInt64, Searched: map[int]int64{}, SearchedSeconds: map[int]float64{}}
	for _, m := range []string{Forward, Reverse, Markowitz} {
		z.Cheap = min(z.Cheap, s.Cost(m).Muls)
	}
	for _, n := range append([]int{0}, zeroShotSimulations...) {
		p, seconds, err := playOnce(network, s.Graph, n, c.Seed)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			z.Policy = p.Played
		} else {
			z.Searched[n], z.SearchedSeconds[n] = p.Muls, seconds
		}
	}
	r, err := search.Run(ctx, "anneal", search.Problem{Graph: s.Graph}, search.Settings{Evaluations: c.Anneal, Seed: c.Seed})
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
