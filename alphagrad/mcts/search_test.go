package mcts_test

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"pgregory.net/rapid"
)

// TestResultsAreSound checks what holds of every search, first and continued: visits sum to the budget and fall on legal
// actions, the policy is a distribution, counts fit the tree, the game is as before, and everything repeats with the seed.
func TestResultsAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGame(t)
		o := drawOptions(t)
		o.Transpositions = rapid.Bool().Draw(t, "transpositions")
		seed := rapid.Uint64().Draw(t, "seed")
		e, reuse := noisy(seed, 1), rapid.Bool().Draw(t, "reuse")
		s, twin := search(t, e, o, seed), search(t, e, o, seed)
		var r, again mcts.Result
		for !g.Done() {
			legal, hash := g.Legal(nil), g.Hash()
			if err := s.Run(g, &r); err != nil {
				t.Fatal(err)
			}
			if err := twin.Run(g, &again); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(r, again) || !reflect.DeepEqual(s.Tree(), twin.Tree()) || !reflect.DeepEqual(s.Phases(), twin.Phases()) {
				t.Fatalf("equal seeds, different results:\n%+v\n%+v", r, again)
			}
			if !slices.Equal(g.Legal(nil), legal) || g.Hash() != hash {
				t.Fatal("the search did not restore the game")
			}
			check(t, s, o, &r, legal)
			g.Apply(r.Action)
			if reuse {
				if s.Advance(r.Action) != twin.Advance(r.Action) {
					t.Fatal("equal searches keep different trees")
				}
			}
		}
	})
}

func check(t *rapid.T, s *mcts.Search, o mcts.Options, r *mcts.Result, legal []int32) {
	if !slices.Equal(r.Legal, legal) || !slices.Contains(legal, r.Action) {
		t.Fatalf("action %d of %v, legal are %v", r.Action, r.Legal, legal)
	}
	ones := slices.Repeat([]float64{1}, len(legal))
	if p := expect(r.Policy, ones); math.Abs(p-1) > 1e-9 || slices.Min(r.Policy) < 0 {
		t.Fatalf("the policy %v sums to %v", r.Policy, p)
	}
	if p := expect(r.Prior, ones); math.Abs(p-1) > 1e-9 {
		t.Fatalf("the prior %v sums to %v", r.Prior, p)
	}
	if r.Forced != (len(legal) == 1) {
		t.Fatalf("forced is %v with %d legal actions", r.Forced, len(legal))
	}
	if r.Forced {
		if r.Simulations != 0 || r.Evaluations != 0 || r.Policy[0] != 1 {
			t.Fatalf("forced move was searched: %+v", r)
		}
		return
	}
	visits, tried := 0, 0
	for _, v := range r.Visits {
		visits += int(v)
		if v > 0 {
			tried++
		}
	}
	if visits != o.Simulations || r.Simulations != o.Simulations {
		t.Fatalf("%d visits in %d simulations, the budget is %d", visits, r.Simulations, o.Simulations)
	}
	if o.Algorithm == mcts.Gumbel && tried != min(o.Considered, len(legal), o.Simulations) {
		t.Fatalf("%d actions tried of %d, %d considered, %d simulations", tried, len(legal), o.Considered, o.Simulations)
	}
	if r.Evaluations > o.Simulations+1 {
		t.Fatalf("%d evaluations in %d simulations", r.Evaluations, o.Simulations)
	}
	tree := s.Tree()
	if n := tree.Nodes[0]; n.Value != r.Value || n.Raw != r.Raw || len(tree.Nodes) > r.Nodes || !o.Transpositions && len(tree.Nodes) != r.Nodes {
		t.Fatalf("a tree of %d nodes with the root %+v, reported %+v", len(tree.Nodes), n, r)
	}
	root := tree.Nodes[0]
	total := root.Raw
	for i, e := range root.Edges {
		total += float64(e.Visits) * e.Q
		if int(r.Visits[i]) > e.Visits || e.Q != r.Q[i] {
			t.Fatalf("action %d: %d visits and Q %v, in the tree %+v", legal[i], r.Visits[i], r.Q[i], e)
		}
	}
	if !near(total/float64(root.Visits), r.Value) {
		t.Fatalf("value %v, by the edges %v", r.Value, total/float64(root.Visits))
	}
	if line := tree.Line(); (len(line) == 0) != (root.Visits == 1) || len(line) > 0 && !slices.Contains(legal, line[0]) {
		t.Fatalf("main line %v of %+v", line, root)
	}
}

// TestAdvanceKeepsSubtree compares the kept tree with that part of the tree before.
func TestAdvanceKeepsSubtree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGame(t)
		o := drawOptions(t)
		o.Discount = 1
		o.Transpositions = rapid.Bool().Draw(t, "transpositions")
		s, r := search(t, noisy(1, 1), o, 1), mcts.Result{}
		if err := s.Run(g, &r); err != nil {
			t.Fatal(err)
		}
		a := rapid.SampledFrom(r.Legal).Draw(t, "action")
		before := s.Tree()
		kept := s.Advance(a)
		after := s.Tree()
		if len(before.Nodes) == 0 { // forced
			if kept {
				t.Fatal("something was kept of nothing")
			}
			return
		}
		i := slices.IndexFunc(before.Nodes[0].Edges, func(e mcts.Edge) bool { return e.Action == a })
		child := before.Nodes[0].Edges[i].Child
		if want := child >= 0 && !before.Nodes[child].Terminal; kept != want || (len(after.Nodes) > 0) != want {
			t.Fatalf("kept %v, expected %v", kept, want)
		}
		if !kept {
			return
		}
		if err := equalBelow(before, child, after, 0, o.Normalisation != mcts.ByTree); err != nil {
			t.Fatal(err)
		}
	})
}

// equalBelow compares what two trees hold from two nodes on.
func equalBelow(a mcts.Tree, i int, b mcts.Tree, k int, policy bool) error {
	x, y := a.Nodes[i], b.Nodes[k]
	if x.Visits != y.Visits || x.Value != y.Value || x.Raw != y.Raw || x.Terminal != y.Terminal || len(x.Edges) != len(y.Edges) {
		return errors.New("nodes differ")
	}
	for n := range x.Edges {
		p, q := x.Edges[n], y.Edges[n]
		if (p.Child < 0) != (q.Child < 0) {
			return errors.New("edges lead to different nodes")
		}
		if p.Child >= 0 {
			if err := equalBelow(a, p.Child, b, q.Child, policy); err != nil {
				return err
			}
		}
		if p.Child, q.Child = 0, 0; !policy { // the range of the tree is rounded when it is counted from the new root
			if !near(p.Policy, q.Policy) {
				return errors.New("policies differ")
			}
			p.Policy, q.Policy = 0, 0
		}
		if p != q {
			return errors.New("edges differ")
		}
	}
	return nil
}

// TestKeptTreeSavesEvaluations: going on from a kept tree is not starting over.
func TestKeptTreeSavesEvaluations(t *testing.T) {
	g := newJobs(3, 6)
	o := mcts.DefaultOptions()
	o.Simulations, o.Transpositions = 400, true
	s, r := search(t, noisy(1, 1), o, 1), mcts.Result{}
	if err := s.Run(g, &r); err != nil {
		t.Fatal(err)
	}
	g.Apply(r.Action)
	if !s.Advance(r.Action) {
		t.Fatal("nothing was kept")
	}
	before := s.Tree().Nodes[0].Visits
	if err := s.Run(g, &r); err != nil {
		t.Fatal(err)
	}
	if after := s.Tree().Nodes[0].Visits; after != before+400 || before < 2 {
		t.Errorf("%d visits of the root, expected 400 more than %d", after, before)
	}
	if r.Evaluations > 31 { // of the 31 states with a job left, many were known
		t.Errorf("%d evaluations", r.Evaluations)
	}
}

func TestErrors(t *testing.T) {
	run := func(e mcts.Evaluator, g mcts.Game, change func(*mcts.Options)) error {
		o := mcts.DefaultOptions()
		o.Transpositions = true
		if change != nil {
			change(&o)
		}
		s, err := mcts.New(e, o, 1)
		if err != nil {
			return err
		}
		legal := g.Legal(nil)
		err = s.Run(g, &mcts.Result{})
		if !slices.Equal(g.Legal(nil), legal) {
			t.Errorf("after %v the game is not as it was", err)
		}
		return err
	}
	failing := errors.New("no network")
	calls := 0
	late := func(value float64, logit float32, err error) mcts.Evaluator {
		calls = 0
		return mcts.EvaluatorFunc(func(_ mcts.Game, _ []int32, logits []float32) (float64, error) {
			if calls++; calls < 20 {
				clear(logits)
				return 0, nil
			}
			logits[len(logits)-1] = logit
			return value, err
		})
	}
	nan := math.NaN()
	jobs := func() *jobs { return newJobs(1, 6) }
	last := mcts.EvaluatorFunc(func(_ mcts.Game, _ []int32, logits []float32) (float64, error) {
		clear(logits)
		logits[len(logits)-1] = 1
		return 0, nil
	})
	over := &bandit{rewards: []float64{1, 2}, done: true}
	for want, err := range map[string]error{
		"no network":        run(late(0, 0, failing), jobs(), nil),
		"value NaN":         run(late(nan, 0, nil), jobs(), nil),
		"logit +Inf":        run(late(0, float32(math.Inf(1)), nil), jobs(), nil),
		"game is over":      run(mcts.Uniform, over, nil),
		"no evaluator":      run(nil, jobs(), nil),
		"unknown algorithm": run(mcts.Uniform, jobs(), func(o *mcts.Options) { o.Algorithm = "alpha" }),
		"normalisation \"\"": run(mcts.Uniform, jobs(), func(o *mcts.Options) {
			o.Normalisation = ""
		}),
		"simulations is -1":                          run(mcts.Uniform, jobs(), func(o *mcts.Options) { o.Simulations = -1 }),
		"discount is 0, expected a number in (0, 1]": run(mcts.Uniform, jobs(), func(o *mcts.Options) { o.Discount = 0 }),
		"temperature is NaN":                         run(mcts.Uniform, jobs(), func(o *mcts.Options) { o.Temperature = nan }),
		"minimum range is 0":                         run(mcts.Uniform, jobs(), func(o *mcts.Options) { o.MinRange = 0 }),
		"reward NaN": run(mcts.Uniform, broken{Game: jobs(), apply: func(g mcts.Game, a int32) float64 {
			g.Apply(a)
			return nan
		}}, nil),
		"not done":                               run(mcts.Uniform, broken{Game: over, done: func(mcts.Game) bool { return false }}, nil),
		"legal actions have the same":            run(mcts.Uniform, broken{Game: jobs(), hash: func(mcts.Game) uint64 { return 7 }}, nil),
		"different actions, or not in ascending": run(last, broken{Game: jobs(), legal: duplicated}, nil),
		"returned different actions": run(mcts.Uniform, broken{Game: jobs(), legal: func(g mcts.Game, buf []int32) []int32 {
			if calls++; calls == 3 { // after the test's own call and that for the result
				return g.Legal(buf)[1:]
			}
			return g.Legal(buf)
		}}, func(*mcts.Options) { calls = 0 }),
		"came twice": run(mcts.Uniform, &loop{}, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected an error with %q, got %v", want, err)
		}
	}
	if !errors.Is(run(late(0, 0, failing), jobs(), nil), failing) {
		t.Error("the evaluator's error is not the one returned")
	}

	s, r, g := search(t, mcts.Uniform, mcts.DefaultOptions(), 1), mcts.Result{}, jobs()
	if err := s.Run(g, &r); err != nil {
		t.Fatal(err)
	}
	s.Advance(r.Action)
	if err := s.Run(g, &r); err == nil || !strings.Contains(err.Error(), "given to Advance") {
		t.Errorf("a kept tree was used for another state: %v", err)
	}
	if err := s.Run(g, &r); err != nil {
		t.Errorf("a failed search spoils the next: %v", err)
	}
	if err := s.SetSimulations(-1); err == nil {
		t.Error("a negative budget was accepted")
	}
}

// duplicated is a legal list with every action twice.
func duplicated(g mcts.Game, buf []int32) []int32 {
	buf = g.Legal(buf)
	buf = append(buf, buf...)
	slices.Sort(buf)
	return buf
}

// loop breaks the rule that a state does not return: its two states alternate.
type loop struct{ moves int }

func (l *loop) Actions() int              { return 2 }
func (l *loop) Legal(buf []int32) []int32 { return append(buf[:0], 0, 1) }
func (l *loop) Apply(int32) float64       { l.moves++; return 0 }
func (l *loop) Undo()                     { l.moves-- }
func (l *loop) Done() bool                { return false }
func (l *loop) Hash() uint64              { return uint64(1 + l.moves%2) }

// TestNoAllocationAfterWarmUp: a search that repeats itself takes no memory, nor does a game searched with a kept tree.
func TestNoAllocationAfterWarmUp(t *testing.T) {
	for _, algorithm := range []mcts.Algorithm{mcts.Gumbel, mcts.PUCT} {
		for _, transpositions := range []bool{false, true} {
			o := mcts.DefaultOptions()
			o.Algorithm, o.Transpositions, o.Simulations = algorithm, transpositions, 200
			s, r, g := search(t, mcts.Uniform, o, 1), mcts.Result{}, newLadder(40, 30)
			moves := 0
			game := func() {
				s.Seed(1)
				for moves = 0; moves < 10; moves++ {
					if err := s.Run(g, &r); err != nil {
						t.Fatal(err)
					}
					g.Apply(r.Action)
					s.Advance(r.Action)
				}
				s.Reset()
				for range moves {
					g.Undo()
				}
			}
			game()
			if n := testing.AllocsPerRun(5, game); n != 0 {
				t.Errorf("%s, transpositions %v: %v allocations per game of %d searches", algorithm, transpositions, n, moves)
			}
		}
	}
}
