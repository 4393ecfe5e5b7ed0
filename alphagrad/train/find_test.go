package train

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

func TestFindOrder(t *testing.T) {
	n, err := net.New(net.Spec{Model: "gnn", Width: 16, Rounds: 1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	g := openBoard(t, "muls", game.None, taskSource("RoeFlux_1d")).graph
	s := search.Settings{Evaluations: 1500, Seed: 3}
	a, err := FindOrder(context.Background(), n, g, 4, s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := FindOrder(context.Background(), n, g, 4, s)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Order, b.Order) || a.Evaluations != b.Evaluations {
		t.Error("the same seed and evaluations give different answers")
	}
	if muls := cost(t, g, a.Order); muls != a.Cost || muls > 364 || muls < a.LowerBound || a.Optimal || a.Status != search.BudgetSpent || len(a.Trace) == 0 {
		t.Errorf("order costs %d: %+v", muls, a)
	}

	// A budget of time, a cancelled context, and a task that the reductions decide.
	if r, err := FindOrder(context.Background(), n, g, 0, search.Settings{Budget: 50 * time.Millisecond}); err != nil || r.Order == nil || r.Seconds > 10 {
		t.Errorf("%v, %+v", err, r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := FindOrder(ctx, n, g, 4, search.Settings{Budget: time.Hour}); err != nil || r.Status != search.Cancelled || g.CheckOrder(r.Order) != nil {
		t.Errorf("%v, %+v", err, r)
	}
	large := openBoard(t, "muls", game.None, randomSource(400, 400, 1)).graph
	if r, err := FindOrder(context.Background(), n, large, 64, search.Settings{Budget: 100 * time.Millisecond}); err != nil || r.Seconds > 5 || r.Cost != cost(t, large, r.Order) {
		t.Errorf("%v, %d in %.2f s", err, r.Cost, r.Seconds) // a game takes minutes
	}
	heart := openBoard(t, "muls", game.None, taskSource("HumanHeartDipole")).graph
	if r, err := FindOrder(context.Background(), n, heart, 4, search.Settings{Budget: time.Hour}); err != nil || !r.Optimal || r.Cost != 148 {
		t.Errorf("%v, %+v", err, r)
	}
}
