package train

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// cheapestRest is the optimum from the current state of a game, by trying everything.
func cheapestRest(g *game.Game, known map[uint64]float64) float64 {
	if g.Done() {
		return 0
	}
	h := g.Hash()
	if c, ok := known[h]; ok {
		return c
	}
	best := math.Inf(1)
	for _, a := range g.Legal(nil) {
		r := g.Apply(a)
		best = min(best, cheapestRest(g, known)-r)
		g.Undo()
	}
	known[h] = best
	return best
}

// randomEpisode plays without any skill.
func randomEpisode(t testing.TB, b *board, rng *rand.Rand) *episode {
	g, err := b.game()
	if err != nil {
		t.Fatal(err)
	}
	p := &Play{}
	for !g.Done() {
		legal := g.Legal(nil)
		m := move{action: legal[rng.IntN(len(legal))], left: int64(g.Return())}
		if len(legal) > 1 {
			m.legal, m.policy = legal, make([]float32, len(legal))
			m.policy[slices.Index(legal, m.action)] = 1
		}
		p.moves = append(p.moves, m)
		g.Apply(m.action)
	}
	for i := range p.moves {
		p.moves[i].left -= int64(g.Return())
	}
	return newEpisode(b, p)
}

// TestReanalysisFindsBetterTargets: games played at random have bad targets. Searched again with many simulations the
// expected costs come close to the optimum by exhaustion, and the policy prefers optimal moves.
func TestReanalysisFindsBetterTargets(t *testing.T) {
	c := small()
	c.Tasks, c.Generated = []string{"Helmholtz"}, Generated{}
	c.Search.Simulations, c.Search.Considered, c.Reanalyse = 200, 16, 20
	tr, err := newTrainer(context.Background(), c, Env{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.learner.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	b := tr.boards[taskSource("Helmholtz")]
	for range 4 {
		tr.replay.add([]*episode{randomEpisode(t, b, rng)})
	}
	found, err := tr.reanalyse(context.Background(), tr.seed.Sub("test"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != c.Reanalyse {
		t.Fatalf("%d positions, want %d", len(found), c.Reanalyse)
	}
	before := make([]float64, len(found))
	for i, f := range found {
		before[i] = f.episode.left(f.position)
	}
	if shift := tr.renew(found); shift < 0.1 || shift > 1 {
		t.Errorf("the policies move by %v", shift)
	}
	known, seen := map[uint64]float64{}, map[ticket]bool{}
	var excess, played float64
	good := 0
	for i, f := range found {
		if seen[f.ticket] {
			t.Fatalf("position %d of a game is searched twice", f.position)
		}
		seen[f.ticket] = true
		g := mustAt(t, f.episode, f.position)
		optimum := cheapestRest(g, known)
		now := f.episode.left(f.position)
		if now < optimum-1e-9 {
			t.Errorf("position %d: expected cost %v, the optimum is %v", i, now, optimum)
		}
		excess, played = excess+now-optimum, played+before[i]-optimum
		policy := f.episode.Policy[f.position]
		likeliest := f.episode.Legal[f.position][slices.Index(policy, slices.Max(policy))]
		r := g.Apply(likeliest)
		if cheapestRest(g, known)-r == optimum {
			good++
		}
		if f.play.Order == nil || f.play.Cost != recount(t, b, f.play.Order) {
			t.Errorf("position %d: %+v", i, f.play)
		}
	}
	t.Logf("above the optimum: %.2f a position as played, %.2f as searched again; the likeliest move is optimal in %d of %d", played/20, excess/20, good, len(found))
	if excess > played/2 || good < len(found)*3/4 {
		t.Errorf("above the optimum: %v as played, %v as searched again; %d optimal moves", played, excess, good)
	}
	if best := tr.state.Best["Helmholtz"]; best.Order == nil || best.Cost != recount(t, b, best.Order) {
		t.Errorf("best %+v", best)
	}
}

// TestReanalysisUsesTheNewestNetwork: the new targets are those of a search by the network as it is, done apart.
func TestReanalysisUsesTheNewestNetwork(t *testing.T) {
	c := small()
	c.Reanalyse = 5
	dir := t.TempDir()
	trainOnce(t, c, Env{Dir: dir})
	tr, err := newTrainer(context.Background(), c, Env{Dir: t.TempDir(), Resume: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.learner.Close()
	seed := tr.seed.Sub("test")
	found, err := tr.reanalyse(context.Background(), seed)
	if err != nil {
		t.Fatal(err)
	}
	again, err := tr.reanalyse(context.Background(), seed)
	if err != nil || !reflect.DeepEqual(found, again) {
		t.Errorf("a reanalysis changes the next (%v)", err)
	}
	network, err := net.New(c.spec(), 99) // another one
	if err != nil {
		t.Fatal(err)
	}
	differ := 0
	for k, f := range found {
		for _, n := range []*net.Network{tr.learner.Network(), network} {
			a, err := NewAgent(n, c.options())
			if err != nil {
				t.Fatal(err)
			}
			r, err := a.Look(mustAt(t, f.episode, f.position), uint64(seed.At(k)))
			if err != nil {
				t.Fatal(err)
			}
			if same := slices.Equal(policy(r), f.policy) && f.left == max(0, -r.Value); n != network && !same {
				t.Errorf("position %d: %v and %v, searched apart %v and %v", k, f.policy, f.left, policy(r), -r.Value)
			} else if n == network && !same {
				differ++
			}
		}
	}
	if differ == 0 {
		t.Error("another network finds the same")
	}
	tr.renew(found)
	s, err := tr.replay.sample(found[0].ticket)
	if err != nil {
		t.Fatal(err)
	}
	if want := relative(s.Position.Cheap, found[0].left); s.Value != float32(want) {
		t.Errorf("value target %v, want %v", s.Value, want)
	}
}

func TestChoose(t *testing.T) {
	r := newReplay(10)
	for range 3 {
		r.add([]*episode{{At: make([]int32, 4)}})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	times := map[ticket]int{}
	for range 1200 {
		chosen := r.choose(5, rng)
		seen := map[ticket]bool{}
		for _, c := range chosen {
			seen[c] = true
			times[c]++
		}
		if len(seen) != 5 {
			t.Fatalf("chose %v", chosen)
		}
	}
	for c, n := range times { // each 500 times, give or take 17
		if n < 400 || n > 600 {
			t.Errorf("%v is chosen %d times of 1200, expected 500", c, n)
		}
	}
	if n := len(r.choose(100, rng)); n != 12 {
		t.Errorf("%d positions of 12", n)
	}
}
