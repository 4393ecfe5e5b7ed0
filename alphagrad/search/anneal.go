package search

import (
	"math"
	"math/rand/v2"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// An annealer walks through orders by exchanges (see sequence), accepting an increase of cost d with
// probability exp(−d/T) while the temperature T falls (Kirkpatrick, Gelatt and Vecchi 1983).
//
// On a graph of scalars, a single exchange moves a vertex past its nearest neighbour in the order: it is the smallest change that
// makes a difference, and long moves and swaps are sequences of such exchanges. Exchanges that change nothing
// are accepted too, so that the walk spreads over plateaus, of which there are many.
type annealer struct {
	r       *run
	rng     *rand.Rand
	q       walker
	best    []int32 // nodes: the best order of the walk
	total   int64   // its sum of prices
	offered bool    // whether the run knows it
	made    int     // cycles so far, polishing aside
	scale   float64 // mean increase among exchanges of the first order that increase the cost
}

const (
	// The last temperature: at 1/4 an increase by one is accepted twice in a hundred times. Costs being whole
	// numbers, this does not depend on the graph.
	coldest = 0.25
	// Steps between two looks at the budget, with one temperature.
	batch = 1024
	// The first cycle takes this many steps per vertex, and not more than longestFirst in all.
	stepsPerVertex = 2000
	longestFirst   = 400_000
)

// heats are the first temperatures of successive cycles, as multiples of the scale of the graph: gentle ones
// improve on the order at hand, hot ones look elsewhere.
var heats = []float64{0.6, 1, 0.4, 2}

// newAnnealer starts from the best order of the run, or the better of two plain ones if there is none yet. It
// returns nil if there is nothing to exchange or the run is to end.
func newAnnealer(r *run, rng *rand.Rand) *annealer {
	n := len(r.graph.Eliminable())
	if r.best == nil {
		plain(r, rng)
	}
	if n < 2 || r.stop != "" {
		return nil
	}
	a := &annealer{r: r, rng: rng, q: newWalker(r, rng), offered: true}
	a.restart()
	a.scale = a.calibrate()
	return a
}

// plain offers the two orders to start from when there is none.
func plain(r *run, rng *rand.Rand) {
	r.offer(elim.Reverse(r.graph))
	if order := build(r, rules[0], lowest, rng); order != nil {
		r.offer(order)
	}
}

// restart returns to the best order of the run.
func (a *annealer) restart() { a.start(a.r.best) }

// start goes on from an order that the run knows.
func (a *annealer) start(order []int) {
	a.best = nodesOf(a.r.graph, order)
	a.q.load(a.best)
	_, a.total = a.q.current()
}

func nodesOf(g *elim.Graph, order []int) []int32 {
	nodes := make([]int32, len(order))
	for i, v := range order {
		nodes[i] = int32(g.Node(v))
	}
	return nodes
}

// calibrate measures the scale of the graph's increases, at least 1 to be above the coldest temperature.
func (a *annealer) calibrate() float64 {
	sum, increases := 0.0, 0
	for range a.r.grant(min(batch, 64*a.r.steps())) {
		if d, ok := a.q.propose(a.draw()); ok && d > 0 {
			sum += float64(d)
			increases++
		}
	}
	return max(1, sum/float64(max(1, increases)))
}

// draw picks a vertex and a direction.
func (a *annealer) draw() (v int32, later bool) {
	x := a.rng.Uint64()
	order, _ := a.q.current()
	return order[x>>32*uint64(len(order))>>32], x&1 == 0
}

// cycle makes the given number of steps while the temperature falls geometrically from hot to coldest, and
// reports false if the run is to end. The best order is offered to the run now and then, and at the end.
func (a *annealer) cycle(steps int64, hot float64) bool {
	replay := int64(16 * len(a.best)) // evaluations between offers, to keep replays in the background
	next := a.r.used + replay
	for done := int64(0); done < steps; {
		granted := a.r.grant(min(a.r.steps(), steps-done))
		if granted == 0 {
			break
		}
		a.walk(granted, hot*math.Pow(coldest/hot, float64(done)/float64(steps)))
		done += granted
		if !a.offered && a.r.used >= next {
			a.offer()
			next = a.r.used + replay
		}
	}
	if !a.offered {
		a.offer()
	}
	return a.r.stop == ""
}

// walk makes steps at one temperature.
func (a *annealer) walk(steps int64, temperature float64) {
	var odds [64]uint64 // of accepting an increase, times 2⁶³
	for d := range odds {
		odds[d] = uint64(math.Exp(-float64(d)/temperature) * (1 << 63))
	}
	for range steps {
		d, ok := a.q.propose(a.draw())
		if !ok {
			continue
		}
		if d > 0 {
			p := uint64(0)
			if d < int64(len(odds)) {
				p = odds[d]
			} else {
				p = uint64(math.Exp(-float64(d)/temperature) * (1 << 63))
			}
			if a.rng.Uint64()>>1 >= p {
				continue
			}
		}
		a.q.accept()
		if order, total := a.q.current(); total < a.total {
			a.total, a.offered = total, false
			copy(a.best, order)
		}
	}
}

func (a *annealer) offer() {
	order := make([]int, len(a.best))
	for i, v := range a.best {
		order[i] = a.r.graph.Vertex(int(v))
	}
	a.r.offer(order)
	a.offered = true
}

// annealing runs cycles of growing length until the budget is spent. Their lengths and temperatures follow
// from the graph and the evaluations left, never from time: a cycle that would leave too few evaluations for
// the next one is given them all.
func annealing(r *run, rng *rand.Rand) {
	a := newAnnealer(r, rng)
	if a == nil {
		return
	}
	a.cycles(1 << 62)
}

// steps is the length of the first cycle.
func (a *annealer) steps() int64 { return int64(min(stepsPerVertex*len(a.best), longestFirst)) }

// polish anneals a good order at temperatures that leave most of it as it is.
func (a *annealer) polish() bool { return a.cycle(a.steps()/2, 2*coldest) }

// cycles runs up to n more cycles and reports false if the run is to end.
func (a *annealer) cycles(n int) bool {
	for range n {
		length := a.steps() << min(a.made/2, 30)
		if left := a.r.left(); left < 3*length {
			length = max(left, 1) // of nothing left, one is asked for, and that ends the run
		}
		hot := max(2*coldest, a.scale*heats[a.made%len(heats)])
		a.made++
		if !a.cycle(length, hot) {
			return false
		}
		a.restart()
	}
	return true
}
