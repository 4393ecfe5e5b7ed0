package rules

import (
	"context"
	"errors"
	"hash/fnv"
	"math"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/mcts"
	"github.com/alphagrad/alphagrad-go/alphagrad/mcts/mctstest"
)

// options is a space of three choices and compound moves.
var options = []Choice{
	{Edge: "recurrent", Options: []string{"keep", "drop", "sign"}},
	{Edge: "reset", Options: []string{"keep", "drop"}},
	{Edge: "feedback", Options: []string{"keep", "random"}},
	{Edge: "time", Options: []string{"reverse", "forward", "none"}},
}

// pretend judges without training: a number that depends on the canonical rule alone.
func pretend(s *Space) func(context.Context, *Rule) (*Point, error) {
	return func(_ context.Context, r *Rule) (*Point, error) {
		h := fnv.New32a()
		h.Write([]byte(r.Key(s.Recurrence)))
		return &Point{Rule: r, Key: r.Key(s.Recurrence), Quality: &Quality{}, Score: float64(h.Sum32()%1000) / 1000}, nil
	}
}

// started is a search that a board can ask, as Run prepares it.
func started(t *testing.T, s *Space, evaluations int) *Search {
	x := &Search{Space: s, Judge: pretend(s), Evaluations: evaluations, Seed: 1, Simulations: 8}
	x.ctx, x.rnd, x.known, x.result = context.Background(), x.Seed.Rand(), map[string]*Point{}, &Result{}
	return x
}

// TestGame: the search for rules is a game that keeps the contract of the tree search.
func TestGame(t *testing.T) {
	space, err := NewSpace(recurrence(t, "lif", 2, 3), options)
	if err != nil {
		t.Fatal(err)
	}
	s := started(t, space, 1000)
	if err := mctstest.Check(func() mcts.Game { return newBoard(s) }, 20, 3); err != nil {
		t.Error(err)
	}
	if n := len(s.result.Points); n < 10 {
		t.Errorf("%d rules met: the games are too short to show anything", n)
	}
	// Every assignment can be reached, and stopping pays what the judge says.
	for n := range space.Size() {
		want := space.At(n)
		b := newBoard(s)
		for c, o := range want {
			if o == 0 {
				continue
			}
			k := slices.IndexFunc(space.moves, func(m move) bool { return slices.Equal(m.choice, []int{c}) && m.option[0] == o })
			if k < 0 || !slices.Contains(b.Legal(nil), int32(k)) {
				t.Fatalf("no move to option %d of %s", o, options[c].Edge)
			}
			if r := b.Apply(int32(k)); r != 0 {
				t.Errorf("a move that does not stop is paid %v", r)
			}
		}
		p, err := s.Judge(context.Background(), space.Rule(want))
		if err != nil {
			t.Fatal(err)
		}
		if r := b.Apply(int32(space.Moves())); r != p.Score || !b.Done() {
			t.Errorf("stopping at %v is paid %v, done %v; the rule scores %v", want, r, b.Done(), p.Score)
		}
	}
}

// TestSearches: every method stays in its budget, reports a curve that never falls, finds the optimum when it may ask for
// everything, repeats itself by its seed, and hands back what it has when the judge fails.
func TestSearches(t *testing.T) {
	space, err := NewSpace(recurrence(t, "lif", 2, 3), options)
	if err != nil {
		t.Fatal(err)
	}
	judge := pretend(space)
	best, keys := math.Inf(-1), map[string]bool{}
	for n := range space.Size() {
		p, err := judge(context.Background(), space.Rule(space.At(n)))
		if err != nil {
			t.Fatal(err)
		}
		best = math.Max(best, p.Score)
		keys[p.Key] = true
	}
	for _, method := range Methods() {
		if method == "alphazero" {
			continue // its network is in another package, which tests it
		}
		run := func(evaluations int, judge func(context.Context, *Rule) (*Point, error)) (*Result, error) {
			s := &Search{Space: space, Judge: judge, Evaluations: evaluations, Seed: 5, Simulations: 8}
			return s.Run(context.Background(), method)
		}
		short, err := run(7, judge)
		if err != nil {
			t.Fatal(err)
		}
		again, err := run(7, judge)
		if err != nil {
			t.Fatal(err)
		}
		if len(short.Points) > 7 || len(short.Points) != len(short.Curve) || !slices.IsSorted(short.Curve) || short.Best.Score != short.Curve[len(short.Curve)-1] {
			t.Errorf("%s: %d evaluations of 7, curve %v, best %v", method, len(short.Points), short.Curve, short.Best.Score)
		}
		if !slices.Equal(short.Curve, again.Curve) {
			t.Errorf("%s: curves %v and %v by the same seed", method, short.Curve, again.Curve)
		}
		met := map[string]bool{}
		for _, p := range short.Points {
			if met[p.Key] {
				t.Errorf("%s: %s was evaluated twice", method, p.Key)
			}
			met[p.Key] = true
		}
		long, err := run(len(keys), judge)
		if err != nil {
			t.Fatal(err)
		}
		if method != "mcts" && long.Best.Score != best { // the tree may settle before
			t.Errorf("%s: the best of all %d rules scores %v, found %v", method, len(keys), best, long.Best.Score)
		}
		failure := errors.New("the judge is ill")
		asked := 0
		part, err := run(7, func(ctx context.Context, r *Rule) (*Point, error) {
			if asked++; asked > 3 {
				return nil, failure
			}
			return judge(ctx, r)
		})
		if !errors.Is(err, failure) || part == nil || len(part.Points) != 3 {
			t.Errorf("%s: a judge that fails: %v, %v", method, part, err)
		}
	}
}
