package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// TestRemainderCostsTheSame: whatever order finishes a game costs the same in the remainder as in the whole graph.
func TestRemainderCostsTheSame(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		g := openBoard(t, "muls", game.None, randomSource(20, 60, seed)).graph
		order := g.Eliminable()
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		s := elim.NewState(g)
		cut := rng.IntN(len(order) + 1)
		for _, v := range order[:cut] {
			s.Apply(v)
		}
		rest, vertices, err := remainder(s)
		if err != nil {
			t.Fatal(err)
		}
		renamed := make([]int, 0, len(order)-cut)
		for _, v := range order[cut:] {
			renamed = append(renamed, slices.Index(vertices, v))
		}
		got, err := rest.Muls(renamed)
		if err != nil {
			t.Fatal(err)
		}
		if whole := cost(t, g, order); got != whole-s.Muls() {
			t.Errorf("seed %d: %d in the remainder, %d in the graph", seed, got, whole-s.Muls())
		}
	}
}

// TestTaughtGames recounts taught games from the orders alone: what they cost, what is left in every position to learn from,
// and that the moves with the largest weight are those with which the rest of the order costs least.
func TestTaughtGames(t *testing.T) {
	c := small()
	c.Tasks, c.Taught = nil, Taught{Share: 1, Evaluations: 3000, Positions: 6}
	c.Generated = Generated{Share: 1, Low: 20, High: 40}
	for _, reduce := range [][]string{nil, game.All.Names()} {
		c.Reduce = reduce
		tr, err := newTrainer(context.Background(), c, Env{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		a, err := NewAgent(tr.learner.Network(), c.options())
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(10) {
			b, err := tr.set.open(randomSource(20, 40, seed))
			if err != nil {
				t.Fatal(err)
			}
			e, p, err := tr.teach(context.Background(), a, b, seed)
			if err != nil {
				t.Fatal(err)
			}
			if muls := cost(t, b.graph, p.Order); muls != p.Muls || muls != p.Played {
				t.Errorf("seed %d: the order costs %d, reported %d and %d", seed, muls, p.Muls, p.Played)
			}
			gm, err := b.game()
			if err != nil {
				t.Fatal(err)
			}
			if len(e.At) > c.Taught.Positions {
				t.Errorf("%d positions", len(e.At))
			}
			for k, at := range e.At {
				gm.Reset()
				for _, action := range e.Moves[:at] {
					gm.Apply(action)
				}
				before := gm.Order()
				rest := p.Order[len(before):]
				least, sum := int64(math.MaxInt64), 0.0
				costs := make([]int64, len(e.Legal[k]))
				for i, action := range e.Legal[k] {
					v := gm.Vertex(action)
					order := slices.Concat(before, []int{v}, slices.DeleteFunc(slices.Clone(rest), func(u int) bool { return u == v }))
					costs[i] = cost(t, b.graph, order)
					least = min(least, costs[i])
					sum += float64(e.Policy[k][i])
				}
				if math.Abs(sum-1) > 1e-5 || e.Left[k] != min(least, p.Muls)+int64(gm.Return()) {
					t.Errorf("seed %d, move %d: weights add up to %v, %d left of %d", seed, at, sum, e.Left[k], least)
				}
				top := slices.Max(e.Policy[k])
				for i := range costs {
					if want := float64(top) * math.Exp(-float64(costs[i]-least)/tolerance); math.Abs(float64(e.Policy[k][i])-want) > 1e-5 {
						t.Errorf("seed %d, move %d: weight %v at cost %d, %v at cost %d", seed, at, e.Policy[k][i], costs[i], top, least)
					}
				}
			}
		}
		tr.learner.Close()
	}
}

// TestTaughtTrainingImproves: a network taught for moments plays better than the untrained one it was.
func TestTaughtTrainingImproves(t *testing.T) {
	c := small()
	c.Tasks, c.Generated = nil, Generated{Share: 1, Low: 20, High: 30}
	c.Taught = Taught{Share: 1, Evaluations: 5000, Positions: 8}
	c.Games, c.Replay, c.Steps, c.Batch, c.Iterations, c.Evaluate, c.Priority, c.Contest = 16, 200, 10, 16, 4, 4, false, 1
	dir := t.TempDir()
	trainOnce(t, c, Env{Dir: dir})
	taught, err := net.Load(dir + "/" + ModelName)
	if err != nil {
		t.Fatal(err)
	}
	untrained, err := net.New(c.spec(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var total [2]int64
	for seed := range uint64(20) {
		g := openBoard(t, "muls", game.None, randomSource(20, 40, 1000+seed)).graph
		for i, n := range []*net.Network{untrained, taught} {
			a, err := NewAgent(n, c.PlayOptions(0))
			if err != nil {
				t.Fatal(err)
			}
			gm, err := NewGame("", g, game.None)
			if err != nil {
				t.Fatal(err)
			}
			p, err := a.Play(gm, 1)
			if err != nil {
				t.Fatal(err)
			}
			if muls := cost(t, g, p.Line); muls != p.Played {
				t.Errorf("the line costs %d, reported %d", muls, p.Played)
			}
			total[i] += p.Played
		}
	}
	if float64(total[1]) > 0.9*float64(total[0]) {
		t.Errorf("taught %d, untrained %d multiplications", total[1], total[0])
	}
}

func TestProposer(t *testing.T) {
	n, err := net.New(net.Spec{Model: "gnn", Width: 16, Rounds: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	g := openBoard(t, "muls", game.None, taskSource("RoeFlux_1d")).graph
	propose, err := NewProposer(n, "RoeFlux_1d", g, 5)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewProposer(n, "RoeFlux_1d", g, 5)
	if err != nil {
		t.Fatal(err)
	}
	best := elim.Reverse(g)
	seen := map[int64]bool{}
	for k := range 4 {
		order := propose(context.Background(), k, best)
		if err := g.CheckOrder(order); err != nil {
			t.Errorf("proposal %d: %v", k, err)
			continue
		}
		seen[cost(t, g, order)] = true
		if !slices.Equal(order, again(context.Background(), k, best)) {
			t.Errorf("proposal %d differs the second time", k)
		}
	}
	if len(seen) < 2 {
		t.Error("all proposals cost the same")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if propose(ctx, 0, best) != nil {
		t.Error("a cancelled proposal is an order")
	}
	// In the portfolio: same seed and evaluations, same answer; and never worse than what was proposed first.
	s := search.Settings{Evaluations: 40_000, Seed: 2, Propose: propose}
	a, err := search.Run(context.Background(), "portfolio", search.Problem{Graph: g}, s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := search.Run(context.Background(), "portfolio", search.Problem{Graph: g}, s)
	if err != nil || !slices.Equal(a.Order, b.Order) || a.Evaluations != b.Evaluations || a.Evaluations > s.Evaluations {
		t.Errorf("%v: %d and %d evaluations", err, a.Evaluations, b.Evaluations)
	}
	if first := cost(t, g, propose(context.Background(), 0, nil)); a.Cost > first || a.Cost != cost(t, g, a.Order) {
		t.Errorf("the portfolio ends at %d, the first proposal costs %d", a.Cost, first)
	}
}

// TestUnseenTasksAreNotTrainedOn: the settings of a training refuse them.
func TestUnseenTasksAreNotTrainedOn(t *testing.T) {
	c := Default()
	if err := runs.Override(c, "tasks=[HodgkinHuxley]"); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "HodgkinHuxley is kept to test agents") {
		t.Errorf("error %v", err)
	}
	c = Default()
	c.Taught = Taught{Share: 2}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "taught.share") {
		t.Errorf("error %v", err)
	}
}
