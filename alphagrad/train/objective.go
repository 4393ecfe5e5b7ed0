package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/bench"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
)

// An objective is a row of the table of what agents learn to make small. To add one, add a row.
type objective struct {
	name, about string
	// on makes the objective for a program, which has the given source. Costs are whole numbers.
	on func(ctx context.Context, source string, p *ir.Program) (game.Objective, error)
	// tasks says that it needs points at which a program is defined, which only tasks promise.
	tasks bool
}

var objectives = []objective{
	{name: "muls", about: "multiplications, every product of two edges counted", on: everyMove(game.Muls)},
	{name: "ops", about: "multiplications and additions, factors ±1 free", on: everyMove(game.Ops)},
	{name: "memory", about: "elements held at once by the derivative program; known at the end of a game", on: memory},
	{name: "time", about: "measured time of the compiled derivative program, in thousandths of that of reverse order; known at the end of a game", on: measured, tasks: true},
}

// Objectives lists the objectives by name, and a line about each.
func Objectives() (names, about []string) {
	for _, o := range objectives {
		names, about = append(names, o.name), append(about, o.about)
	}
	return names, about
}

func lookupObjective(name string) (*objective, error) {
	for i := range objectives {
		if objectives[i].name == name {
			return &objectives[i], nil
		}
	}
	names, _ := Objectives()
	return nil, fmt.Errorf("unknown objective %q%s; known: %s", name, ir.Suggest(name, names), strings.Join(names, ", "))
}

// dense says whether every move has its own cost, and which reductions are proved for the objective.
func (o *objective) dense() (bool, game.Reduction) {
	g, err := game.LookupObjective(o.name)
	return err == nil, g.Safe()
}

func everyMove(o game.Objective) func(context.Context, string, *ir.Program) (game.Objective, error) {
	return func(context.Context, string, *ir.Program) (game.Objective, error) { return o, nil }
}

func memory(_ context.Context, _ string, p *ir.Program) (game.Objective, error) {
	return game.AtEnd("memory", remembered(func(order []int) (float64, error) {
		elements, err := ad.Memory(p, order)
		return float64(elements), err
	})), nil
}

// The measurement of one order takes about a second, nearly all of it to compile.
var (
	timing       = bench.Settings{Repetitions: 21, Milliseconds: 1, Batch: 1}
	timingPoints = 16
)

// stopwatch lets one measurement run at a time.
var stopwatch sync.Mutex

// measured is the objective time. It is one for which a training cannot be repeated exactly.
func measured(ctx context.Context, source string, p *ir.Program) (game.Objective, error) {
	task, err := tasks.Lookup(taskName(source))
	if err != nil {
		return game.Objective{}, fmt.Errorf("objective time: %w", err)
	}
	points, err := task.Points(rand.New(rand.NewPCG(1, 0)), timingPoints)
	if err != nil {
		return game.Objective{}, err
	}
	reverse, err := ad.ValueAndJacobian(p, nil)
	if err != nil {
		return game.Objective{}, err
	}
	return game.AtEnd("time", remembered(func(order []int) (float64, error) {
		d, err := ad.ValueAndJacobian(p, order)
		if err != nil {
			return 0, err
		}
		if ir.Equal(d, reverse) {
			return 1000, nil
		}
		stopwatch.Lock()
		defer stopwatch.Unlock()
		ratio, err := bench.Against(ctx, reverse, d, len(p.Outputs), points, timing)
		return math.Round(1000 * ratio.Median), err
	})), nil
}

// remembered asks once for each order, whichever game wants to know.
func remembered(cost func(order []int) (float64, error)) func(order []int) (float64, error) {
	const most = 1 << 16
	var mu sync.Mutex
	known := map[string]func() (float64, error){}
	return func(order []int) (float64, error) {
		key := fmt.Sprint(order)
		mu.Lock()
		once, ok := known[key]
		if !ok {
			if len(known) >= most {
				clear(known)
			}
			once = sync.OnceValues(func() (float64, error) { return cost(order) })
			known[key] = once
		}
		mu.Unlock()
		return once()
	}
}
