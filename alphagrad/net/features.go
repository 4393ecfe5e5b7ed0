package net

import "math"

// FeatureVersion identifies what the rows of the feature tables mean. It changes whenever a row is added, removed or
// computed differently, because a network trained on other numbers would read these as nonsense: Load refuses its file.
const FeatureVersion = 1

// A Feature describes one number the network sees.
type Feature struct {
	Name    string
	Scale   string // how the quantity becomes a number of size about one; slog is sign(x)·ln(1+|x|)
	Meaning string
	Ties    bool // depends on which of several equally cheap vertices Markowitz takes first, that is, on their numbers
}

// NodeFeatures and GameFeatures are the widths of a row of Position.Node and of Position.Game.
var (
	NodeFeatures = len(nodeTable)
	GameFeatures = len(gameTable)
)

// Features returns the two feature tables, in the order of the columns.
func Features() (node, game []Feature) {
	for _, row := range nodeTable {
		node = append(node, row.Feature)
	}
	for _, row := range gameTable {
		game = append(game, row.Feature)
	}
	return node, game
}

// nodeFacts is what the encoder finds out about one node of the current graph.
type nodeFacts struct {
	kind              kind
	pred, succ        int32 // neighbours
	cutIn, cutOut     int32 // minimum vertex cuts to the inputs and to the outputs in the untouched graph
	depthIn, depthOut int32 // edges on the longest path from a source and to a node without successors
	unitIn, unitOut   int32 // edges of the untouched graph still there whose partial is ±1
	turn              int32 // how many vertices Markowitz eliminates before this one
	price             int64 // multiplications of eliminating it now
	merged            int64 // of these products, how many meet an existing edge
	ripple            int64 // by how much eliminating it changes the summed prices of its neighbours
	forward           int64 // what it would cost if the vertices before it in the trace went first
	reverse           int64 // what it would cost if the vertices after it in the trace went first
	markowitz         int64 // what it would cost at its turn
}

// bound is a number of multiplications the vertex costs in any order.
func (n *nodeFacts) bound() int64 { return int64(n.cutIn) * int64(n.cutOut) }

// gameFacts is what the encoder finds out about the current graph as a whole.
type gameFacts struct {
	left, eliminable            int   // vertices still to be eliminated, and in the untouched graph
	inputs, ends, nodes, edges  int   // of the current graph
	longest                     int32 // edges on its longest path
	bound                       int64 // sum of the bounds of the vertices left
	forward, reverse, markowitz int64 // cost of completing the game that way
	cheap                       int64 // CheapCost
}

type kind uint8

const (
	input kind = iota
	vertex
	end // an output without later use, or a sink
)

type nodeRow struct {
	Feature
	of func(*nodeFacts, *gameFacts) float32
}

type gameRow struct {
	Feature
	of func(*gameFacts) float32
}

// nodeTable has one row per feature of a node. To add one, add a row and raise FeatureVersion. Rows about
// elimination are zero for nodes that are not eliminated.
var nodeTable = []nodeRow{
	{Feature{"input", "0 or 1", "the node is an input", false}, func(n *nodeFacts, _ *gameFacts) float32 { return is(n.kind == input) }},
	{Feature{"vertex", "0 or 1", "the node is a vertex still to be eliminated", false}, func(n *nodeFacts, _ *gameFacts) float32 { return is(n.kind == vertex) }},
	{Feature{"end", "0 or 1", "accumulation ends at the node", false}, func(n *nodeFacts, _ *gameFacts) float32 { return is(n.kind == end) }},
	{Feature{"in-degree", "ln(1+x)/3", "predecessors", false}, func(n *nodeFacts, _ *gameFacts) float32 { return ln1(int64(n.pred)) / 3 }},
	{Feature{"out-degree", "ln(1+x)/3", "successors", false}, func(n *nodeFacts, _ *gameFacts) float32 { return ln1(int64(n.succ)) / 3 }},
	{Feature{"price", "ln(1+x)/5", "multiplications of eliminating it now (Markowitz cost)", false}, func(n *nodeFacts, _ *gameFacts) float32 { return ln1(n.price) / 5 }},
	{Feature{"excess", "ln((1+price)/(1+bound))/2", "price over the product of its cuts, which it costs in any order", false}, func(n *nodeFacts, _ *gameFacts) float32 { return (ln1(n.price) - ln1(n.bound())) / 2 }},
	{Feature{"cut in", "ln(1+x)/3", "minimum vertex cut between the inputs and the vertex in the untouched graph", false}, func(n *nodeFacts, _ *gameFacts) float32 { return ln1(int64(n.cutIn)) / 3 }},
	{Feature{"cut out", "ln(1+x)/3", "minimum vertex cut between the vertex and the outputs in the untouched graph", false}, func(n *nodeFacts, _ *gameFacts) float32 { return ln1(int64(n.cutOut)) / 3 }},
	{Feature{"fill share", "x/price", "share of its products that create an edge", false}, func(n *nodeFacts, _ *gameFacts) float32 { return share(n.price-n.merged, n.price) }},
	{Feature{"merged", "ln(1+x)/4", "products that meet an existing edge", false}, func(n *nodeFacts, _ *gameFacts) float32 { return ln1(n.merged) / 4 }},
	{Feature{"growth", "slog(x)/3", "edges created minus edges removed", false}, func(n *nodeFacts, _ *gameFacts) float32 {
		if n.kind != vertex {
			return 0
		}
		return slog(n.price-n.merged-int64(n.pred)-int64(n.succ)) / 3
	}},
	{Feature{"ripple", "slog(x)/5", "change of the summed prices of its neighbours if it is eliminated", false}, func(n *nodeFacts, _ *gameFacts) float32 { return slog(n.ripple) / 5 }},
	{Feature{"depth in", "x/longest path", "longest path that ends at it", false}, func(n *nodeFacts, g *gameFacts) float32 { return share(int64(n.depthIn), int64(g.longest)) }},
	{Feature{"depth out", "x/longest path", "longest path that starts at it", false}, func(n *nodeFacts, g *gameFacts) float32 { return share(int64(n.depthOut), int64(g.longest)) }},
	{Feature{"unit in", "x/in-degree", "share of edges from predecessors that are ±1 since the untouched graph", false}, func(n *nodeFacts, _ *gameFacts) float32 { return share(int64(n.unitIn), int64(n.pred)) }},
	{Feature{"unit out", "x/out-degree", "share of edges to successors that are ±1 since the untouched graph", false}, func(n *nodeFacts, _ *gameFacts) float32 { return share(int64(n.unitOut), int64(n.succ)) }},
	{Feature{"forward price", "ln((1+x)/(1+price))/2", "what it costs in forward order from here, over its price", false}, func(n *nodeFacts, _ *gameFacts) float32 { return (ln1(n.forward) - ln1(n.price)) / 2 }},
	{Feature{"reverse price", "ln((1+x)/(1+price))/2", "what it costs in reverse order from here, over its price", false}, func(n *nodeFacts, _ *gameFacts) float32 { return (ln1(n.reverse) - ln1(n.price)) / 2 }},
	{Feature{"markowitz price", "ln((1+x)/(1+price))/2", "what it costs in Markowitz order from here, over its price", true}, func(n *nodeFacts, _ *gameFacts) float32 { return (ln1(n.markowitz) - ln1(n.price)) / 2 }},
	{Feature{"markowitz turn", "1 − x/left", "how soon Markowitz eliminates it, 1 being next", true}, func(n *nodeFacts, g *gameFacts) float32 {
		if n.kind != vertex {
			return 0
		}
		return 1 - float32(n.turn)/float32(g.left)
	}},
}

// gameTable has one row per feature of the whole position; every node sees them.
var gameTable = []gameRow{
	{Feature{"bias", "1", "constant", false}, func(*gameFacts) float32 { return 1 }},
	{Feature{"left", "x/eliminable", "vertices still to be eliminated", false}, func(g *gameFacts) float32 { return share(int64(g.left), int64(g.eliminable)) }},
	{Feature{"size", "ln(1+x)/5", "vertices still to be eliminated", false}, func(g *gameFacts) float32 { return ln1(int64(g.left)) / 5 }},
	{Feature{"inputs", "ln(1+x)/4", "inputs", false}, func(g *gameFacts) float32 { return ln1(int64(g.inputs)) / 4 }},
	{Feature{"ends", "ln(1+x)/4", "nodes at which accumulation ends", false}, func(g *gameFacts) float32 { return ln1(int64(g.ends)) / 4 }},
	{Feature{"density", "ln((1+edges)/(1+nodes))/2", "edges per node", false}, func(g *gameFacts) float32 { return (ln1(int64(g.edges)) - ln1(int64(g.nodes))) / 2 }},
	{Feature{"cost per vertex", "ln((1+cheap)/(1+left))/4", "cheap completion cost per vertex left", true}, func(g *gameFacts) float32 { return (ln1(g.cheap) - ln1(int64(g.left))) / 4 }},
	{Feature{"room", "1 − x/cheap", "how far the cheap completion is above the sum of the bounds of the vertices left", true}, func(g *gameFacts) float32 { return 1 - share(min(g.bound, g.cheap), g.cheap) }},
	{Feature{"forward", "ln((1+x)/(1+cheap))/2", "forward completion over the cheap one", true}, func(g *gameFacts) float32 { return (ln1(g.forward) - ln1(g.cheap)) / 2 }},
	{Feature{"reverse", "1 − (1+cheap)/(1+x)", "reverse completion over the cheap one", true}, func(g *gameFacts) float32 { return 1 - share(1+g.cheap, 1+g.reverse) }},
	{Feature{"markowitz", "1 − (1+cheap)/(1+x)", "Markowitz completion over the cheap one", true}, func(g *gameFacts) float32 { return 1 - share(1+g.cheap, 1+g.markowitz) }},
}

func is(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// share is part/whole, and 0 of nothing.
func share(part, whole int64) float32 {
	if whole == 0 {
		return 0
	}
	return float32(part) / float32(whole)
}

// logs holds ln(1+x) for the small x that nearly all features are made of: a table is ten times faster.
var logs = func() (t [4096]float32) {
	for x := range t {
		t[x] = float32(math.Log1p(float64(x)))
	}
	return t
}()

// ln1 is ln(1+x) for x ≥ 0.
func ln1(x int64) float32 {
	if uint64(x) < uint64(len(logs)) {
		return logs[x]
	}
	return float32(math.Log1p(float64(x)))
}

// slog is sign(x)·ln(1+|x|).
func slog(x int64) float32 {
	if x < 0 {
		return -ln1(-x)
	}
	return ln1(x)
}
