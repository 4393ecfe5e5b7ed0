package game_test

import (
	"math/rand/v2"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
)

// An oracle prices vertices from the paths of the original graph, without eliminating anything: after a set S is gone,
// the edge (u, w) exists if a path leads from u to w with its interior in S, and is a unit if there is one such path
// only and all its edges are units.
type oracle struct {
	graph *elim.Graph
	el    []int // eliminable vertices; bit i of a set stands for el[i]
	nodes int
	paths [][]path // [from][to], within the set of the last call of load
}

// A path says how many paths there are, 0, 1 or 2 for more, and whether the only one is made of units.
type path struct {
	count int
	unit  bool
}

func newOracle(g *elim.Graph) *oracle {
	o := &oracle{graph: g, el: g.Eliminable(), nodes: g.Nodes(), paths: make([][]path, g.Nodes())}
	for u := range o.paths {
		o.paths[u] = make([]path, g.Nodes())
	}
	return o
}

// load finds the paths whose interior is in a set.
func (o *oracle) load(set int) {
	gone := make([]bool, o.nodes)
	for i, v := range o.el {
		gone[o.graph.Node(v)] = set>>i&1 == 1
	}
	for u := range o.nodes {
		row := o.paths[u]
		clear(row)
		for m := u; m < o.nodes; m++ { // nodes are in topological order, sinks last
			if m != u && (!gone[m] || row[m].count == 0) {
				continue
			}
			for w := range o.graph.Succ(m) {
				unit := o.graph.IsUnit(m, w) && (m == u || row[m].unit)
				n := 1
				if m != u {
					n = row[m].count
				}
				row[w] = path{min(2, row[w].count+n), unit && row[w].count == 0 && n == 1}
			}
		}
	}
}

// price is what eliminating el[i] costs after the loaded set.
func (o *oracle) price(i int, set int, objective string) int64 {
	v := o.graph.Node(o.el[i])
	left := func(u int) bool {
		for j, k := range o.el {
			if o.graph.Node(k) == u {
				return set>>j&1 == 0
			}
		}
		return true
	}
	var in, out, workIn, workOut, merged int64
	for u := range o.nodes {
		if o.paths[u][v].count == 0 || !left(u) {
			continue
		}
		in++
		if !o.paths[u][v].unit {
			workIn++
		}
		for w := range o.nodes {
			if o.paths[v][w].count > 0 && left(w) && o.paths[u][w].count > 0 {
				merged++
			}
		}
	}
	for w := range o.nodes {
		if o.paths[v][w].count == 0 || !left(w) {
			continue
		}
		out++
		if !o.paths[v][w].unit {
			workOut++
		}
	}
	if objective == "muls" {
		return in * out
	}
	return workIn*workOut + merged
}

// prices tabulates what every vertex costs after every set: [set][i], −1 for i in the set.
func (o *oracle) prices(objective string) [][]int64 {
	table := make([][]int64, 1<<len(o.el))
	for set := range table {
		o.load(set)
		table[set] = make([]int64, len(o.el))
		for i := range o.el {
			table[set][i] = -1
			if set>>i&1 == 0 {
				table[set][i] = o.price(i, set, objective)
			}
		}
	}
	return table
}

// togo is the least cost of eliminating everything not in a set, for every set, if only the continuations that a
// rule admits may be taken; a nil rule admits all.
func togo(prices [][]int64, admits func(set, i int) bool) []int64 {
	best := make([]int64, len(prices))
	for set := len(prices) - 2; set >= 0; set-- {
		best[set] = 1 << 60
		for i, price := range prices[set] {
			if price >= 0 && (admits == nil || admits(set, i)) {
				best[set] = min(best[set], price+best[set|1<<i])
			}
		}
	}
	return best
}

// setOf is the set of vertices a game has eliminated.
func (o *oracle) setOf(e *game.Game) int {
	set := 0
	for i, v := range o.el {
		if e.State().Eliminated(v) {
			set |= 1 << i
		}
	}
	return set
}

// randomGraph draws a graph that is rich in what reductions look for: inputs and ends come in bundles that always go
// together, so that small graphs have large degrees; some vertices copy the neighbours of an earlier one, some have a
// single neighbour on a side, and some are dead.
func randomGraph(tb testing.TB, r *rand.Rand, vertices int) *elim.Graph {
	inputs, ends := 1+r.IntN(3), 1+r.IntN(3)
	bundle := func(n int) [][]int {
		var all [][]int
		next := 0
		for range n {
			var b []int
			for range 1 + r.IntN(1+r.IntN(5)) {
				b = append(b, next)
				next++
			}
			all = append(all, b)
		}
		return all
	}
	in, out := bundle(inputs), bundle(ends)
	width := in[len(in)-1][len(in[len(in)-1])-1] + 1
	outs := out[len(out)-1][len(out[len(out)-1])-1] + 1
	spec := elim.Spec{Inputs: width, Vertices: vertices + outs}
	edge := map[[2]int]bool{}
	density, units := 1+r.IntN(3), r.IntN(4)
	for v := range vertices {
		if v > 0 && r.IntN(5) == 0 { // a twin, as far as predecessors go
			u := r.IntN(v)
			for e := range edge {
				if e[1] == width+u {
					edge[[2]int{e[0], width + v}] = true
				}
			}
			for w := range outs {
				if edge[[2]int{width + u, width + vertices + w}] {
					edge[[2]int{width + v, width + vertices + w}] = true
				}
			}
			continue
		}
		for u := range v {
			if r.IntN(vertices) < density {
				edge[[2]int{width + u, width + v}] = true
			}
		}
		for _, b := range in {
			if r.IntN(3) == 0 {
				for _, u := range b {
					edge[[2]int{u, width + v}] = true
				}
			}
		}
		for _, b := range out {
			if r.IntN(3) == 0 {
				for _, w := range b {
					edge[[2]int{width + v, width + vertices + w}] = true
				}
			}
		}
	}
	used := make([]bool, width+vertices+outs)
	for to := range width + vertices + outs {
		for from := range to {
			if edge[[2]int{from, to}] {
				spec.Edges = append(spec.Edges, elim.Edge{From: from, To: to, Unit: r.IntN(4) < units})
				used[from] = true
			}
		}
	}
	for w := range outs {
		spec.Outputs = append(spec.Outputs, width+vertices+w)
	}
	for v := range vertices {
		if r.IntN(8) == 0 {
			spec.Outputs = append(spec.Outputs, width+v) // some outputs are used again
		}
	}
	g, err := elim.New(spec)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}
