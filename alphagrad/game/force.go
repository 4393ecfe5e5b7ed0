package game

import "github.com/alphagrad/alphagrad-go/alphagrad/elim"

// A reducer is memory for the reductions to work in; nothing is kept in it between calls.
type reducer struct {
	cuts  *elim.Bounder
	stamp uint64   // the last one given out
	mark  []uint64 // [nodes]: a stamp where the node is in the set being built
	skip  []uint64 // [nodes]: a stamp where a twin of the node is offered in its place
	part  []uint64 // [nodes]: a stamp where the node is in the component offered
	lists [2][]int // nodes, by side
	queue []int    // nodes
	twins []int    // vertex numbers
	legal []int32  // actions, for Mask
}

func (r *reducer) init(g *elim.Graph) {
	r.cuts = elim.NewBounder(g)
	stamps := make([]uint64, 3*g.Nodes())
	r.mark, r.skip, r.part = stamps[:g.Nodes()], stamps[g.Nodes():2*g.Nodes()], stamps[2*g.Nodes():]
}

// fresh gives out two stamps that nothing bears, the one returned and the next.
func (r *reducer) fresh() uint64 {
	r.stamp += 2
	return r.stamp
}

// side lists the predecessors or, forward, the successors of a node. The list lives until the same side is asked for
// again. Ranging over an iterator chosen at run time would allocate.
func (g *Game) side(node int, forward bool) []int {
	i := 0
	if forward {
		i = 1
	}
	list := g.lists[i][:0]
	if forward {
		for w := range g.state.Succ(node) {
			list = append(list, w)
		}
	} else {
		for w := range g.state.Pred(node) {
			list = append(list, w)
		}
	}
	g.lists[i] = list
	return list
}

// opening plays what is forced at the start. Only there can vertices be dead: elimination keeps every path.
func (g *Game) opening() {
	if g.options.Reduce&Dead != 0 {
		g.sweep((*Game).dead)
	}
	g.force()
}

// play eliminates a vertex and what that forces.
func (g *Game) play(v int) {
	g.twins = g.twins[:0]
	if g.options.Reduce&Twins != 0 {
		g.findTwins(v)
	}
	g.eliminate(v, false)
	for _, t := range g.twins {
		g.eliminate(t, true)
	}
	g.force()
}

// force eliminates border vertices until there are none.
func (g *Game) force() {
	if g.options.Reduce&Border != 0 {
		g.sweep((*Game).atBorder)
	}
}

// sweep eliminates the vertices that a rule takes, ascending, again and again until it takes none.
func (g *Game) sweep(takes func(g *Game, v int) bool) {
	for swept := true; swept; {
		swept = false
		for _, v := range g.vertices {
			if !g.state.Eliminated(v) && takes(g, v) {
				g.eliminate(v, true)
				swept = true
			}
		}
	}
}

// dead reports whether the rule Dead takes a vertex.
func (g *Game) dead(v int) bool {
	u := g.graph.Node(v)
	return g.state.PredCount(u) == 0 || g.state.SuccCount(u) == 0
}

// atBorder reports whether the rule Border takes a vertex.
func (g *Game) atBorder(v int) bool {
	u := g.graph.Node(v)
	afterInputs, beforeEnds := true, true // condition (1) and its mirror image
	for p := range g.state.Pred(u) {
		if p >= g.graph.Inputs() {
			afterInputs = false
			break
		}
	}
	for s := range g.state.Succ(u) {
		if !g.graph.IsEnd(s) {
			beforeEnds = false
			break
		}
	}
	if afterInputs && beforeEnds {
		return true
	}
	return afterInputs && g.cheapest(v, true) || beforeEnds && g.cheapest(v, false)
}

// cheapest checks the conditions (2) and (3) of Border for a vertex all of whose near neighbours are inputs, if
// forward, or ends.
func (g *Game) cheapest(v int, forward bool) bool {
	u := g.graph.Node(v)
	near, far := g.state.PredCount(u), g.state.SuccCount(u)
	if !forward {
		near, far = far, near
	}
	if near > 1 && (g.options.Objective.units || !g.absorbed(u, near, forward)) {
		return false
	}
	if g.options.Objective.units && g.hasUnits(v) {
		return false
	}
	if far == 1 {
		return true // no cut is smaller, because the vertex is on a path
	}
	in, out := g.cuts.Cuts(g.state, v)
	if forward {
		return far == out
	}
	return far == in
}

// absorbed checks condition (2) of Border for node u with the given number of near neighbours.
func (g *Game) absorbed(u, near int, forward bool) bool {
	stamp := g.fresh()
	for _, p := range g.side(u, !forward) {
		g.mark[p] = stamp
	}
	for _, s := range g.side(u, forward) {
		if !g.graph.IsEliminable(g.graph.Vertex(s)) {
			continue
		}
		missing := near
		for _, p := range g.side(s, !forward) {
			if g.mark[p] == stamp {
				missing--
			}
		}
		if missing > 1 {
			return false
		}
	}
	return true
}

// hasUnits reports whether some edge at a vertex is a unit, in a state that tracks operations.
func (g *Game) hasUnits(v int) bool { return g.state.OpsCost(v).Mul != int64(g.state.Cost(v)) }

// findTwins puts the twins of a vertex, without itself, into g.twins, ascending.
func (g *Game) findTwins(v int) {
	g.twins = g.twins[:0]
	if g.options.Objective.units && g.hasUnits(v) {
		return
	}
	u, stamp := g.graph.Node(v), g.fresh()
	// Twins share all neighbours, so those of the least popular neighbour are the candidates.
	hub, popularity, forward := -1, 1<<62, false
	for p := range g.state.Pred(u) {
		g.mark[p] = stamp
		if n := g.state.SuccCount(p); n < popularity {
			hub, popularity, forward = p, n, true
		}
	}
	for s := range g.state.Succ(u) {
		g.mark[s] = stamp + 1
		if n := g.state.PredCount(s); n < popularity {
			hub, popularity, forward = s, n, false
		}
	}
	if popularity == 1 || hub < 0 {
		return
	}
	for _, t := range g.side(hub, forward) {
		if t != u && g.twin(t, u, stamp) {
			g.twins = append(g.twins, g.graph.Vertex(t))
		}
	}
}

// twin reports whether node t is a twin of node u, whose predecessors are marked with a stamp and whose successors
// with the next one.
func (g *Game) twin(t, u int, stamp uint64) bool {
	k := g.graph.Vertex(t)
	if !g.graph.IsEliminable(k) ||
		g.state.PredCount(t) != g.state.PredCount(u) || g.state.SuccCount(t) != g.state.SuccCount(u) ||
		g.options.Objective.units && g.hasUnits(k) {
		return false
	}
	for p := range g.state.Pred(t) {
		if g.mark[p] != stamp {
			return false
		}
	}
	for s := range g.state.Succ(t) {
		if g.mark[s] != stamp+1 {
			return false
		}
	}
	return true
}

// reduced appends the actions that Twins and Components leave.
func (g *Game) reduced(buf []int32) []int32 {
	stamp := g.fresh()
	if g.options.Reduce&Components != 0 {
		g.markComponent(stamp)
	}
	for v := range g.state.Remaining() {
		u := g.graph.Node(v)
		if g.options.Reduce&Components != 0 && g.part[u] != stamp || g.skip[u] == stamp {
			continue
		}
		buf = append(buf, g.actions[v])
		if g.options.Reduce&Twins != 0 {
			g.findTwins(v)
			for _, t := range g.twins {
				g.skip[g.graph.Node(t)] = stamp
			}
		}
	}
	return buf
}

// markComponent puts a stamp on the nodes of the lowest remaining vertex and of all that edges between eliminable
// vertices connect with it.
func (g *Game) markComponent(stamp uint64) {
	g.queue = g.queue[:0]
	for v := range g.state.Remaining() {
		g.queue = append(g.queue, g.graph.Node(v))
		g.part[g.graph.Node(v)] = stamp
		break
	}
	for head := 0; head < len(g.queue); head++ {
		for _, forward := range []bool{false, true} {
			for _, w := range g.side(g.queue[head], forward) {
				if g.part[w] != stamp && g.graph.IsEliminable(g.graph.Vertex(w)) {
					g.part[w] = stamp
					g.queue = append(g.queue, w)
				}
			}
		}
	}
}
