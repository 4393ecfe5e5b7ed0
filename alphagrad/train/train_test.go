package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// small is a training of seconds.
func small() *Config {
	c := Default()
	c.Tasks, c.Generated = []string{"KerrSenn_metric"}, Generated{Share: 0.5, Low: 20, High: 30, Grow: 2}
	c.Reduce = nil
	c.Model.Width, c.Model.Rounds = 16, 1
	c.Search.Simulations, c.Search.Considered = 4, 4
	c.Games, c.Replay, c.Steps, c.Batch = 4, 10, 2, 8
	c.Priority, c.Reanalyse = true, 3
	c.Iterations, c.Evaluate = 4, 2
	return c
}

// smallTaught is the same with a teacher.
func smallTaught() *Config {
	c := small()
	c.Taught.Share = 0.3
	return c
}

// openBoard makes the board of a source.
func openBoard(t testing.TB, objective string, reduce game.Reduction, source string) *board {
	t.Helper()
	o, err := lookupObjective(objective)
	if err != nil {
		t.Fatal(err)
	}
	b, err := (&set{context.Background(), o, reduce}).open(source)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// trainOnce runs a configuration and returns its metrics without the times.
func trainOnce(t *testing.T, c *Config, env Env) []map[string]any {
	t.Helper()
	var records []map[string]any
	env.Metrics = func(r map[string]any) error {
		delete(r, "seconds")
		records = append(records, r)
		return nil
	}
	if err := c.Run(context.Background(), env); err != nil {
		t.Fatal(err)
	}
	return records
}

// TestResumeIsExact: two iterations and two more after a resume give the metrics and the network of four at once, on any
// number of workers.
func TestResumeIsExact(t *testing.T) {
	whole := t.TempDir()
	want := trainOnce(t, smallTaught(), Env{Dir: whole})

	first, second := t.TempDir(), t.TempDir()
	c := smallTaught()
	c.Iterations, c.Workers = 2, 1
	got := trainOnce(t, c, Env{Dir: first})
	c = smallTaught()
	c.Workers = 3
	got = append(got, trainOnce(t, c, Env{Dir: second, Resume: first})...)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("resumed: %v\nat once: %v", got, want)
	}
	a, err := os.ReadFile(filepath.Join(whole, ModelName))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(second, ModelName))
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Error("the models differ")
	}
}

// TestInterruptedAnywhereIsExact: a training interrupted after any of its records, in self-play and before an evaluation,
// and resumed gives the metrics of one that was left alone.
func TestInterruptedAnywhereIsExact(t *testing.T) {
	want := trainOnce(t, small(), Env{Dir: t.TempDir()})
	for k := 1; k < len(want); k++ {
		ctx, cancel := context.WithCancel(context.Background())
		dir := t.TempDir()
		var got []map[string]any
		err := small().Run(ctx, Env{Dir: dir, Metrics: func(r map[string]any) error {
			delete(r, "seconds")
			if got = append(got, r); len(got) == k {
				cancel()
			}
			return nil
		}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted after record %d: %v", k, err)
		}
		got = append(got, trainOnce(t, small(), Env{Dir: t.TempDir(), Resume: dir})...)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("interrupted after record %d: %v\nleft alone: %v", k, got, want)
		}
	}
}

func TestResumeWithAnotherNetwork(t *testing.T) {
	dir := t.TempDir()
	trainOnce(t, small(), Env{Dir: dir})
	c := small()
	c.Model.Width = 32
	err := c.Run(context.Background(), Env{Dir: t.TempDir(), Resume: dir})
	if err == nil || !strings.Contains(err.Error(), "the configuration asks for") {
		t.Errorf("error %v", err)
	}
	// Played with other reductions, the positions are of another game.
	c = small()
	c.Reduce = game.All.Names()
	err = c.Run(context.Background(), Env{Dir: t.TempDir(), Resume: dir})
	if err == nil || !strings.Contains(err.Error(), "of a game with other reductions") {
		t.Errorf("error %v", err)
	}
}

func readBest(t *testing.T, dir string) (best map[string]Best) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "best.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &best); err != nil {
		t.Fatal(err)
	}
	return best
}

func TestInterruptedTrainingIsSaved(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	dir := t.TempDir()
	c := small()
	c.Iterations = 1000
	err := c.Run(ctx, Env{Dir: dir, Metrics: func(r map[string]any) error {
		if r["iteration"] == 3 {
			cancel()
		}
		return nil
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	names, err := checkpoints(dir)
	if err != nil || len(names) == 0 || names[len(names)-1] != "00000003" {
		t.Errorf("checkpoints %v (%v), want the interrupted iteration", names, err)
	}
}

// TestSolvedTaskEndsAtItsCertificate: with the reductions a task that they decide alone needs no iteration to be proved.
func TestSolvedTaskEndsAtItsCertificate(t *testing.T) {
	c := small()
	c.Tasks, c.Generated, c.Reduce = []string{"HumanHeartDipole"}, Generated{}, game.All.Names()
	c.Iterations = 50
	dir := t.TempDir()
	records := trainOnce(t, c, Env{Dir: dir})
	if best := records[0]["best_HumanHeartDipole"]; best != int64(148) {
		t.Errorf("best %v, want 148", best)
	}
	if last := records[len(records)-1]; last["iteration"] != 1 || !strings.Contains(fmt.Sprint(last["stopped"]), "every task is solved") {
		t.Errorf("ends with %v, want iteration 1", last)
	}
}

// TestPlayReportsWhatItPlayed recounts a game by replay, for all ways to search.
func TestPlayReportsWhatItPlayed(t *testing.T) {
	n, err := net.New(net.Spec{Model: "gnn", Width: 16, Rounds: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	g := openBoard(t, "muls", game.None, taskSource("RoeFlux_1d")).graph
	for _, reduce := range []game.Reduction{game.None, game.All} {
		for _, simulations := range []int{0, 8} {
			for _, algorithm := range []mcts.Algorithm{mcts.Gumbel, mcts.PUCT} {
				o := Default().PlayOptions(simulations)
				o.Algorithm = algorithm
				a, err := NewAgent(n, o)
				if err != nil {
					t.Fatal(err)
				}
				gm, err := NewGame("g", g, reduce)
				if err != nil {
					t.Fatal(err)
				}
				p, err := a.Play(gm, 1)
				if err != nil {
					t.Fatal(err)
				}
				played, err := g.Muls(gm.Order())
				if err != nil {
					t.Fatal(err)
				}
				muls, err := g.Muls(p.Order)
				if err != nil {
					t.Fatal(err)
				}
				cheap := min(cost(t, g, elim.Reverse(g)), cost(t, g, elim.Markowitz(g)))
				if played != p.Played || muls != p.Muls || p.Muls > p.Played || p.Muls > cheap || len(p.moves) == 0 {
					t.Errorf("%v, %d simulations, %s: played %d, reported %d; order %d, reported %d; cheap %d", reduce, simulations, algorithm, played, p.Played, muls, p.Muls, cheap)
				}
				// What is left at each position is what was played from there on.
				for i := 1; i < len(p.moves); i++ {
					if p.moves[i].left > p.moves[i-1].left {
						t.Errorf("position %d costs %d, the one before %d", i, p.moves[i].left, p.moves[i-1].left)
					}
				}
			}
		}
	}
}

func cost(t *testing.T, g *elim.Graph, order []int) int64 {
	t.Helper()
	c, err := g.Muls(order)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSamplesAreTheGame: a drawn position is the position of the game, with the search's policy on the right vertices.
func TestSamplesAreTheGame(t *testing.T) {
	n, err := net.New(net.Spec{Model: "gnn", Width: 16, Rounds: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	b := openBoard(t, "muls", game.All, randomSource(30, 40, 3))
	a, err := NewAgent(n, Default().PlayOptions(8))
	if err != nil {
		t.Fatal(err)
	}
	gm, err := b.game()
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.Play(gm, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := newReplay(10)
	r.add([]*episode{newEpisode(b, p)})
	for _, priority := range []bool{false, true} {
		samples, tickets, err := r.draw(20, priority, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		for k, s := range samples {
			sum := float32(0)
			for _, q := range s.Target {
				sum += q
			}
			left := tickets[k].episode.Left[tickets[k].position]
			if sum < 0.999 || sum > 1.001 || s.Value != float32(net.Value(s.Position.Cheap, left)) || len(s.Position.Vertices) != len(s.Target) {
				t.Errorf("sample %d: target sums to %v, value %v of %d left and %d cheap", k, sum, s.Value, left, s.Position.Cheap)
			}
		}
	}
	for i := range r.episodes[0].Weight { // drawn by priority, the only one with weight is drawn
		r.episodes[0].Weight[i] = 1e-12
	}
	r.episodes[0].Weight[2] = 1
	_, tickets, err := r.draw(20, true, rand.New(rand.NewPCG(1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	for _, ticket := range tickets {
		if ticket.position != 2 {
			t.Errorf("position %d is drawn", ticket.position)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(c *Config){
		"unknown task": func(c *Config) { c.Tasks = []string{"Roe"} },
		"reduce":       func(c *Config) { c.Reduce = []string{"magic"} },
		"model":        func(c *Config) { c.Model.Name = "lstm" },
		"search":       func(c *Config) { c.Search.Algorithm = "minimax" },
		`objective: unknown objective "memry"; did you mean "memory"?`:                                       func(c *Config) { c.Objective = "memry" },
		"reduce: dead+border+twins+components may lose the optimum of objective memory; proved for it: none": func(c *Config) { c.Objective = "memory" },
		"generated.share: objective time":                                                                    func(c *Config) { c.Objective, c.Reduce, c.Tasks = "time", nil, []string{"g"} },
		"annealed: annealing needs":                                                                          func(c *Config) { c.Objective, c.Reduce, c.Annealed = "memory", nil, 1 },
		"reanalyse":                                                                                          func(c *Config) { c.Reanalyse = -1 },
		"patience":                                                                                           func(c *Config) { c.Patience = -1 },
		"learning":                                                                                           func(c *Config) { c.Learning.Rate = -1 },
		"generated.share":                                                                                    func(c *Config) { c.Generated.Share = 2 },
		"tasks: there are none":                                                                              func(c *Config) { c.Generated.Share = 0 },
		"generated: sizes 20…2000; they lie in 8…1024":                                                       func(c *Config) { c.Generated.High = 2000 },
		"generated: sizes":                                                                                   func(c *Config) { c.Generated.Low = 1 },
		"search.simulations":                                                                                 func(c *Config) { c.Search.Simulations = 0 },
		"games":                                                                                              func(c *Config) { c.Games = 0 },
		"replay":                                                                                             func(c *Config) { c.Replay = 1 },
		"steps and batch":                                                                                    func(c *Config) { c.Batch = 0 },
		"iterations and budget":                                                                              func(c *Config) { c.Iterations = 0 },
		"evaluate":                                                                                           func(c *Config) { c.Evaluate = 0 },
		"workers":                                                                                            func(c *Config) { c.Workers = -1 },
	} {
		c := Default()
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want it to say %q", err, want)
		}
	}
}

// TestAnnealedGames: they follow the orders of annealing, and are there once, also if the first iteration is interrupted and
// resumed.
func TestAnnealedGames(t *testing.T) {
	for _, objective := range []string{"muls", "ops"} {
		c := small()
		c.Objective, c.Annealed, c.Generated = objective, 2, Generated{}
		ctx, cancel := context.WithCancel(context.Background())
		dir := t.TempDir()
		tr, err := newTrainer(ctx, c, Env{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.anneal(ctx); err != nil {
			t.Fatal(err)
		}
		for _, e := range tr.replay.episodes {
			var order []int
			g := mustAt(t, e, 0)
			for _, a := range e.Moves {
				order = append(order, g.Vertex(a))
			}
			cheap := min(recount(t, e.board, elim.Reverse(e.board.graph)), recount(t, e.board, elim.Markowitz(e.board.graph)))
			if cost := recount(t, e.board, order); e.Left[0] != cost || cost > cheap {
				t.Errorf("%s: an annealed game costs %d, recorded are %d; the cheap completion costs %d", objective, cost, e.Left[0], cheap)
			}
			for i, policy := range e.Policy {
				if at := slices.Index(e.Legal[i], e.Moves[e.At[i]]); policy[at] != 1 {
					t.Errorf("%s: position %d, policy %v", objective, i, policy)
				}
			}
		}
		tr.learner.Close()

		cancel()
		if tr, err = newTrainer(ctx, c, Env{Dir: dir}); err != nil {
			t.Fatal(err)
		}
		if err := tr.anneal(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(tr.iterate(ctx), tr.save()); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		tr.learner.Close()
		c.Iterations = 1
		records := trainOnce(t, c, Env{Dir: t.TempDir(), Resume: dir})
		want := trainOnce(t, c, Env{Dir: t.TempDir()})
		if !reflect.DeepEqual(records, want) {
			t.Errorf("%s: resumed %v, at once %v", objective, records, want)
		}
	}
}

// checkpoints are the names of a run's checkpoints, oldest first.
func checkpoints(run string) (names []string, err error) {
	paths, err := runs.CheckpointsOf(run).List()
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names, err
}
