package game_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
)

func TestPlaythroughsAreReadBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	g := taskGraph(t, "RoeFlux_1d")
	for _, o := range kinds {
		o.Name = "RoeFlux_1d"
		e := mustGame(t, g, o)
		for again := true; again; {
			data, err := json.Marshal(e.Playthrough())
			if err != nil {
				t.Fatal(err)
			}
			p, err := game.ParsePlaythrough(data)
			if err != nil {
				t.Fatal(err)
			}
			f, err := p.Replay(g, o.Objective)
			if err != nil {
				t.Fatal(err)
			}
			if f.Hash() != e.Hash() || f.Return() != e.Return() || !slices.Equal(f.Steps(), e.Steps()) {
				t.Fatalf("played %v, read back %v", e.Playthrough(), f.Playthrough())
			}
			if order, err := elim.ParseOrder(string(data)); err != nil || !slices.Equal(order, e.Order()) {
				t.Fatalf("as a file of an order it holds %v (%v)", order, err)
			}
			again = !e.Done()
			for range 9 {
				if legal := e.Legal(nil); len(legal) > 0 {
					e.Apply(legal[rng.IntN(len(legal))])
				}
			}
		}
	}
}

func TestBadPlaythroughs(t *testing.T) {
	g := linkGraph(t)
	e := mustGame(t, g, game.Options{Name: "links", Reduce: game.Border})
	for !e.Done() {
		e.Apply(e.Legal(nil)[0])
	}
	good := e.Playthrough()
	if !slices.Equal(good.Order, []int{1, 2, 3, 4, 5, 6}) || !e.Steps()[5].Forced || e.Steps()[4].Forced {
		t.Fatalf("the game is %+v", good)
	}
	for _, c := range []struct {
		change func(p *game.Playthrough)
		want   string
	}{
		{func(p *game.Playthrough) { p.Fingerprint = "00" }, "recorded on the graph with fingerprint 00, replayed on " + good.Fingerprint},
		{func(p *game.Playthrough) { p.Objective = "ops" }, "recorded under the objective ops, replayed under muls"},
		{func(p *game.Playthrough) { p.Reductions = []string{"luck"} }, `unknown reduction "luck"`},
		{func(p *game.Playthrough) { p.Cost++ }, "recorded are"},
		{func(p *game.Playthrough) { p.Order = []int{1, 2, 3, 4, 5} }, "ends before vertex 6, which the move before forces"},
		{func(p *game.Playthrough) { p.Order = []int{1, 2, 3, 4, 5, 5} }, "move 6 eliminates vertex 5, where vertex 6 is forced"},
		{func(p *game.Playthrough) { p.Order = []int{1, 2, 1} }, "move 3 is illegal: 1 is eliminated already"},
		{func(p *game.Playthrough) { p.Order = []int{1, 9} }, "move 2 is illegal: 9 is not an eliminable vertex of this graph"},
	} {
		p := good
		c.change(&p)
		if _, err := p.Replay(g, game.Muls); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `playthrough of "links"`) {
			t.Errorf("error %v, expected %s", err, c.want)
		}
	}
	if _, err := good.Replay(nil, game.Muls); err == nil {
		t.Error("replayed without a graph")
	}
	for text, want := range map[string]string{
		``:                               "EOF",
		`[]`:                             "cannot unmarshal",
		`{"format": "alphagrad-game/9"}`: `format "alphagrad-game/9", expected "alphagrad-game/1"`,
		`{"format": "alphagrad-game/1", "moves": []}`:                                          `unknown field "moves"`,
		`{"format": "alphagrad-game/1", "order": []}`:                                          "no objective",
		`{"format": "alphagrad-game/1", "objective": "muls"}`:                                  `no list "order"`,
		`{"format": "alphagrad-game/1", "objective": "muls", "order": []} 7`:                   "something follows",
		`{"format": "alphagrad-game/1", "objective": "muls", "order": [], "reductions": [""]}`: `unknown reduction ""`,
	} {
		if _, err := game.ParsePlaythrough([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, expected %s", text, err, want)
		}
	}
}

// FuzzParsePlaythrough: no input makes reading or replaying panic, and what replays is written as it was read.
func FuzzParsePlaythrough(f *testing.F) {
	g := randomGraph(f, rand.New(rand.NewPCG(1, 1)), 6)
	for _, o := range []game.Options{{Name: "x"}, {Objective: game.Ops, Reduce: game.All}} {
		e := mustGame(f, g, o)
		for !e.Done() {
			e.Apply(e.Legal(nil)[0])
		}
		data, err := json.Marshal(e.Playthrough())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := game.ParsePlaythrough(data)
		if err != nil {
			return
		}
		o, err := game.LookupObjective(p.Objective)
		if err != nil {
			return
		}
		e, err := p.Replay(g, o)
		if err != nil {
			return
		}
		if q := e.Playthrough(); !slices.Equal(p.Order, q.Order) || p.Cost != q.Cost || p.Name != q.Name {
			t.Errorf("read %+v, replayed %+v", p, q)
		}
	})
}

func TestRender(t *testing.T) {
	e := mustGame(t, linkGraph(t), game.Options{Name: "links", Reduce: game.All})
	for !e.Done() {
		e.Apply(e.Legal(nil)[0])
	}
	ops := []string{"mul", "tan", "sub", "mul", "div", "mul"}
	var b strings.Builder
	if err := e.Render(&b, func(v int) string { return ops[v-1] }); err != nil {
		t.Fatal(err)
	}
	const want = `links: 6 of 6 vertices eliminated, objective muls, reductions dead+border+twins+components
  move  vertex   op  in×out  cost  total
     1       1  mul     6×2    12     12
     2       2  tan     2×5    10     22
     3       3  sub     6×2    12     34
     4       4  mul     6×1     6     40
     5       5  div     5×4    20     60
             6  mul     6×3    18     78
`
	if b.String() != want {
		t.Errorf("rendered\n%s", b.String())
	}

	// Without labels, and with a cost known at the end only.
	b.Reset()
	m := mustGame(t, taskGraph(t, "Simple"), game.Options{Objective: memory})
	for !m.Done() {
		m.Apply(m.Legal(nil)[0])
	}
	if err := m.Render(&b, nil); err != nil {
		t.Fatal(err)
	}
	const simple = `a graph: 2 of 2 vertices eliminated, objective memory, reductions none
  move  vertex  in×out  cost  total
     1       1     2×2     0      0
     2       2     2×2     0      0
memory of the order: 2
`
	if b.String() != simple {
		t.Errorf("rendered\n%s", b.String())
	}
}
