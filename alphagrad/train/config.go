package train

import (
	"errors"
	"fmt"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/graphgen"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// Config says what is learned and how. Counts of games and steps are per iteration.
type Config struct {
	Kind string `yaml:"kind"`
	Seed uint64 `yaml:"seed"`

	Tasks     []string  `yaml:"tasks"`     // benchmark tasks to play; may be empty
	Generated Generated `yaml:"generated"` // random graphs to play; Share 0: none
	Objective string    `yaml:"objective"` // what to make small, see Objectives
	Reduce    []string  `yaml:"reduce"`    // safe reductions of the game, see game.Reduction

	Model  Model  `yaml:"model"`
	Search Search `yaml:"search"`

	Games     int      `yaml:"games"`     // self-play games
	Replay    int      `yaml:"replay"`    // games remembered
	Reanalyse int      `yaml:"reanalyse"` // remembered positions searched again with the newest network, which renews their targets
	Taught    Taught   `yaml:"taught"`    // games that annealing finishes
	Annealed  int      `yaml:"annealed"`  // games by annealing, on every task, remembered before the first iteration
	Priority  bool     `yaml:"priority"`  // draw positions by how wrong the network was about them
	Steps     int      `yaml:"steps"`     // training steps
	Batch     int      `yaml:"batch"`     // positions of a step
	Learning  Learning `yaml:"learning"`

	Iterations int           `yaml:"iterations"` // to train; 0: until Budget
	Budget     time.Duration `yaml:"budget"`     // wall time to train; 0: until Iterations
	Evaluate   int           `yaml:"evaluate"`   // iterations between evaluations and checkpoints
	Contest    int           `yaml:"contest"`    // generated graphs, the same every time, that an evaluation plays besides the tasks
	Patience   int           `yaml:"patience"`   // evaluations without an improvement, of the network or of an order, to end after; 0: never
	Workers    int           `yaml:"workers"`    // games at a time; 0: one per core
}

// Generated describes random graphs with a curriculum by size: the largest grows linearly from Low to High over Grow
// iterations.
type Generated struct {
	Share float64 `yaml:"share"` // of the games, 0…1
	Low   int     `yaml:"low"`   // vertices
	High  int     `yaml:"high"`
	Grow  int     `yaml:"grow"`
}

// Model is the shape of the network.
type Model struct {
	Name   string `yaml:"name"`
	Width  int    `yaml:"width"`
	Rounds int    `yaml:"rounds"`
}

// Search is how self-play looks ahead.
type Search struct {
	Algorithm   string `yaml:"algorithm"` // gumbel or puct
	Simulations int    `yaml:"simulations"`
	Considered  int    `yaml:"considered"`
}

// Learning is how the network follows the gradient.
type Learning struct {
	Rate        float64 `yaml:"rate"`
	Schedule    string  `yaml:"schedule"`
	Warmup      int     `yaml:"warmup"` // steps
	Decay       int     `yaml:"decay"`  // steps until the rate has fallen
	Floor       float64 `yaml:"floor"`
	WeightDecay float64 `yaml:"weight_decay"`
	ValueWeight float64 `yaml:"value_weight"`
}

// Default trains a general model on generated graphs.
func Default() *Config {
	l := net.DefaultTrainerConfig()
	return &Config{
		Kind: "alphazero", Seed: 1,
		Generated: Generated{Share: 1, Low: 20, High: 120, Grow: 30},
		Objective: game.Muls.Name(),
		Reduce:    game.All.Names(),
		Model:     Model{Name: "gnn", Width: 32, Rounds: 3},
		Search:    Search{Algorithm: string(mcts.Gumbel), Simulations: 16, Considered: 8},
		Taught:    Taught{Share: 0, Evaluations: 100_000, Positions: 12},
		Games:     16, Replay: 1000, Priority: false, Steps: 20, Batch: 64,
		Learning:   Learning{Rate: l.LearningRate, Schedule: l.Schedule, Warmup: l.Warmup, Decay: l.Steps, Floor: l.Floor, WeightDecay: l.WeightDecay, ValueWeight: l.ValueWeight},
		Iterations: 100, Evaluate: 5, Contest: 8,
	}
}

// RootSeed is the seed that the manifest names.
func (c *Config) RootSeed() uint64 { return c.Seed }

// maxGenerated bounds the vertices of generated graphs, so that with inputs and ends they are of a size to train on.
const maxGenerated = net.MaxTrainingNodes / 2

// Validate reports settings that cannot be trained with.
func (c *Config) Validate() error {
	for _, name := range c.Tasks {
		t, err := tasks.Lookup(name)
		if err != nil {
			return fmt.Errorf("tasks: %w", err)
		}
		if t.IsUnseen() {
			return fmt.Errorf("tasks: %s is kept to test agents on graphs of a kind never trained on", name)
		}
		if t.IsArray() {
			return fmt.Errorf("tasks: %s works on arrays; agents train on graphs of scalars", name)
		}
	}
	o, err := lookupObjective(c.Objective)
	if err != nil {
		return fmt.Errorf("objective: %w", err)
	}
	reduce, err := game.ParseReduction(c.Reduce...)
	if err != nil {
		return fmt.Errorf("reduce: %w", err)
	}
	dense, safe := o.dense()
	if unproved := reduce &^ safe; unproved != 0 {
		return fmt.Errorf("reduce: %v may lose the optimum of objective %s; proved for it: %v (reduce=[] leaves the game as it is)", unproved, o.name, safe)
	}
	if err := c.spec().Check(); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	if err := c.options().Validate(); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	lc := c.trainer()
	if err := lc.Check(); err != nil {
		return fmt.Errorf("learning: %w", err)
	}
	if err := c.Taught.check(); err != nil {
		return err
	}
	g := c.Generated
	for _, bad := range []struct {
		when bool
		says string
	}{
		{g.Share < 0 || g.Share > 1, fmt.Sprintf("generated.share: %v lies outside 0…1", g.Share)},
		{g.Share < 1 && len(c.Tasks) == 0, "tasks: there are none, and generated graphs are not all of the games"},
		{g.Share > 0 && (g.Low < graphgen.MinVertices || g.High < g.Low || g.High > maxGenerated), fmt.Sprintf("generated: sizes %d…%d; they lie in %d…%d", g.Low, g.High, graphgen.MinVertices, maxGenerated)},
		{o.tasks && g.Share > 0, fmt.Sprintf("generated.share: objective %s runs the program, and generated programs may not be defined anywhere; set it to 0", o.name)},
		{g.Grow < 0, "generated.grow: must not be negative"},
		{c.Search.Simulations < 1, "search.simulations: at least 1"},
		{c.Games < 1, "games: at least 1"},
		{c.Replay < c.Games, fmt.Sprintf("replay: %d games; at least those of an iteration, %d", c.Replay, c.Games)},
		{c.Steps < 1 || c.Batch < 1, "steps and batch: at least 1"},
		{c.Iterations < 0 || c.Budget < 0 || (c.Iterations == 0 && c.Budget == 0), "iterations and budget: one must be positive, none negative"},
		{c.Contest < 0 || c.Contest == 0 && len(c.Tasks) == 0, "contest: at least 1 where there are no tasks"},
		{c.Evaluate < 1, "evaluate: at least 1"},
		{c.Annealed < 0, "annealed: must not be negative"},
		{c.Annealed > 0 && !dense, fmt.Sprintf("annealed: annealing needs the cost of every move, which objective %s does not have", o.name)},
		{c.Taught.Share > 0 && o.name != game.Muls.Name(), fmt.Sprintf("taught: games are finished for muls, not %s", o.name)},
		{c.Reanalyse < 0, "reanalyse: must not be negative"},
		{c.Patience < 0, "patience: must not be negative"},
		{c.Workers < 0, "workers: must not be negative"},
	} {
		if bad.when {
			return errors.New(bad.says)
		}
	}
	return nil
}

func (c *Config) spec() net.Spec {
	return net.Spec{Model: c.Model.Name, Width: c.Model.Width, Rounds: c.Model.Rounds}
}

// options are those of self-play. Costs are whole numbers and unbounded, so values are normalised over the whole tree.
func (c *Config) options() mcts.Options {
	o := mcts.DefaultOptions()
	o.Algorithm, o.Simulations, o.Considered = mcts.Algorithm(c.Search.Algorithm), c.Search.Simulations, c.Search.Considered
	o.Normalisation, o.MinRange, o.Transpositions = mcts.ByTree, 1, true
	return o
}

// PlayOptions are those of play: as in self-play, with the given number of simulations and without noise.
func (c *Config) PlayOptions(simulations int) mcts.Options {
	o := c.options()
	o.Simulations, o.GumbelScale = simulations, 0
	return o
}

func (c *Config) trainer() net.TrainerConfig {
	t := net.DefaultTrainerConfig()
	l := c.Learning
	t.LearningRate, t.Schedule, t.Warmup, t.Steps, t.Floor, t.WeightDecay, t.ValueWeight = l.Rate, l.Schedule, l.Warmup, l.Decay, l.Floor, l.WeightDecay, l.ValueWeight
	return t
}
