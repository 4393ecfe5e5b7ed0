package train

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts/mctstest"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// TestObjectivesKeepTheContract plays every objective's games at random. Lighthouse has a few thousand orders, of which a
// measurement could try only some; Simple has two.
func TestObjectivesKeepTheContract(t *testing.T) {
	names, about := Objectives()
	for i, name := range names {
		task := "Lighthouse"
		if name == "time" {
			task = "Simple"
		}
		if about[i] == "" {
			t.Errorf("objective %s is not described", name)
		}
		b := openBoard(t, name, game.None, taskSource(task))
		if err := mctstest.Check(func() mcts.Game {
			g, err := b.game()
			if err != nil {
				t.Fatal(err)
			}
			return g
		}, 2, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// recount is the cost of an order, from what the packages below say about the program and the graph.
func recount(t *testing.T, b *board, order []int) int64 {
	t.Helper()
	p, err := loadProgram(b.source)
	if err != nil {
		t.Fatal(err)
	}
	var cost int64
	switch b.rules.Objective.Name() {
	case "muls":
		cost, err = b.graph.Muls(order)
	case "ops":
		ops, opsErr := b.graph.Ops(order)
		cost, err = ops.Total(), opsErr
	case "memory":
		cost, err = ad.Memory(p, order)
	}
	if err != nil {
		t.Fatal(err)
	}
	return cost
}

// TestTrainOnEveryObjective trains for moments and recounts the orders that are reported.
func TestTrainOnEveryObjective(t *testing.T) {
	for _, name := range []string{"ops", "memory"} {
		c := small()
		c.Objective, c.Iterations = name, 2
		c.Reanalyse = 3
		dir := t.TempDir()
		records := trainOnce(t, c, Env{Dir: dir})
		b := openBoard(t, name, game.None, taskSource("KerrSenn_metric"))
		best := readBest(t, dir)["KerrSenn_metric"]
		if want := recount(t, b, best.Order); best.Cost != want || records[0]["best_KerrSenn_metric"].(int64) < want || best.LowerBound != 0 {
			t.Errorf("%s: best %+v costs %d", name, best, want)
		}
		if muls := recount(t, openBoard(t, "muls", game.None, b.source), best.Order); muls != best.Muls {
			t.Errorf("%s: best %+v needs %d multiplications", name, best, muls)
		}
		c = small()
		if err := c.Run(context.Background(), Env{Dir: t.TempDir(), Resume: dir}); err == nil || !strings.Contains(err.Error(), "its objective is "+name) {
			t.Errorf("resumed for muls: %v", err)
		}
	}
}

// TestTargetsAreCosts: under every objective the value targets of a game say what was paid from each position on, relative
// to the yardstick there.
func TestTargetsAreCosts(t *testing.T) {
	n, err := net.New(net.Spec{Model: "gnn", Width: 16, Rounds: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"muls", "ops", "memory"} {
		b := openBoard(t, name, game.None, taskSource("Lighthouse"))
		for _, network := range []*net.Network{n, nil} {
			a, err := NewAgent(network, Default().PlayOptions(6))
			if err != nil {
				t.Fatal(err)
			}
			g, err := b.game()
			if err != nil {
				t.Fatal(err)
			}
			p, err := a.Play(g, 3)
			if err != nil {
				t.Fatal(err)
			}
			played := g.Order()
			if want := recount(t, b, played); p.Played != want || p.Cost > p.Played || p.Cost > p.Cheap || p.Cost != recount(t, b, p.Order) {
				t.Errorf("%s: %+v, played order costs %d", name, p, want)
			}
			e, r := newEpisode(b, p), newReplay(1)
			r.add([]*episode{e})
			for i, at := range e.At {
				s, err := r.sample(ticket{e, i})
				if err != nil {
					t.Fatal(err)
				}
				// From the position on the game costs the whole less what is paid; the cheap completion likewise.
				rest, _ := mustAt(t, e, i).Completion(nil)
				paid := int64(0)
				if name != "memory" {
					full, err := b.game()
					if err != nil {
						t.Fatal(err)
					}
					for _, v := range played[:at] {
						full.Apply(full.Action(v))
					}
					paid = -int64(full.Return())
				} else {
					start, err := b.game()
					if err != nil {
						t.Fatal(err)
					}
					rest, _ = start.Completion(nil)
					at = 0
				}
				cheap := recount(t, b, append(append([]int(nil), played[:at]...), rest...)) - paid
				want := float64(cheap-(p.Played-paid)) / float64(cheap)
				if cheap == 0 {
					want = 0
				}
				if math.Abs(float64(s.Value)-want) > 1e-6 {
					t.Errorf("%s, position %d: target %v, want %v", name, i, s.Value, want)
				}
			}
		}
	}
}

func mustAt(t *testing.T, e *episode, position int) *game.Game {
	t.Helper()
	g, err := e.at(position)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestMeasuredTraining trains for time on a task of two orders, and without a compiler.
func TestMeasuredTraining(t *testing.T) {
	c := small()
	c.Objective, c.Tasks, c.Generated = "time", []string{"Simple"}, Generated{}
	c.Iterations = 1
	dir := t.TempDir()
	trainOnce(t, c, Env{Dir: dir})
	if best := readBest(t, dir)["Simple"]; best.Cost < 100 || best.Cost > 10000 || len(best.Order) != 2 || best.Muls == 0 {
		t.Errorf("best %+v, in thousandths of the time of reverse order", best)
	}

	t.Setenv("PATH", "")
	err := c.Run(context.Background(), Env{Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "task:Simple: objective time: timing compiles generated code and needs the Go toolchain") {
		t.Errorf("without a compiler: %v", err)
	}
}
