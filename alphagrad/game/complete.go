package game

import (
	"slices"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// A completer is memory for cheap completions.
type completer struct {
	ahead  *elim.State // plays them; nil before the first
	prices []int       // [vertices+1]: multiplications of each remaining vertex
	left   []int       // vertex numbers remaining
	orders [2][]int    // completions: reverse, Markowitz
}

// Completion returns, in buf if it is large enough, the cheaper of two quick ways to eliminate what is left, the
// reverse order if they tie, and its cost: all remaining vertices in descending order, as reverse accumulation does;
// or always the one with the fewest multiplications, the lowest where several have (Markowitz 1957). For an objective
// known at the end the cost is that of the whole order, NaN if it cannot be had (see [Game.Err]).
//
// At the start of a game without reductions these are elim.Reverse and elim.Markowitz.
func (g *Game) Completion(buf []int) (order []int, cost float64) {
	order, cost = g.complete()
	return append(buf[:0], order...), cost
}

// Baseline is the return a cheap completion earns from the current state: minus the cost of Completion, 0 when the
// game is over.
func (g *Game) Baseline() float64 {
	if g.Done() {
		return 0
	}
	_, cost := g.complete()
	return 0 - cost
}

// complete is Completion; its order lives until the next call.
func (g *Game) complete() (order []int, cost float64) {
	if g.ahead == nil {
		g.ahead = g.options.Objective.state(g.graph)
		g.prices = make([]int, g.graph.Vertices()+1)
	}
	for i, play := range []func(*Game, []int) []int{(*Game).reverse, (*Game).markowitz} {
		g.ahead.CopyFrom(g.state)
		g.orders[i] = play(g, g.orders[i][:0])
		if c := g.aheadCost(g.orders[i]); i == 0 || c < cost {
			order, cost = g.orders[i], c
		}
	}
	return order, cost
}

// reverse plays the remaining vertices in descending order on g.ahead.
func (g *Game) reverse(order []int) []int {
	for _, v := range slices.Backward(g.vertices) {
		if !g.state.Eliminated(v) {
			g.ahead.Apply(v)
			order = append(order, v)
		}
	}
	return order
}

// markowitz plays the remaining vertices, the cheapest first, on g.ahead.
func (g *Game) markowitz(order []int) []int {
	g.left = g.left[:0]
	for v := range g.ahead.Remaining() {
		g.left = append(g.left, v)
		g.prices[v] = g.ahead.Cost(v)
	}
	for len(g.left) > 0 {
		best := 0
		for i, v := range g.left {
			if g.prices[v] < g.prices[g.left[best]] {
				best = i
			}
		}
		v := g.left[best]
		g.left = slices.Delete(g.left, best, best+1)
		order = append(order, v)
		g.ahead.Apply(v)
		for u := range g.ahead.Pred(g.graph.Node(v)) { // only its neighbours change their price
			g.reprice(u)
		}
		for u := range g.ahead.Succ(g.graph.Node(v)) {
			g.reprice(u)
		}
	}
	return order
}

func (g *Game) reprice(node int) {
	if v := g.graph.Vertex(node); v > 0 {
		g.prices[v] = g.ahead.Cost(v)
	}
}

// aheadCost is what the completion just played on g.ahead costs.
func (g *Game) aheadCost(order []int) float64 {
	if g.options.Objective.Dense() {
		return float64(g.options.Objective.spent(g.ahead) - g.spent())
	}
	hash := g.hash
	for _, v := range order {
		hash = g.extend(hash, v)
	}
	return g.orderCost(hash, func() []int { return append(g.Order(), order...) })
}
