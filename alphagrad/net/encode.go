package net

import (
	"math/bits"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// A Position is a state of the game as the network sees it: the current graph with a row of features per node.
// Rows are the inputs, the vertices not yet eliminated and the ends, in the order of their node ids, so that edges lead
// from lower to higher rows.
type Position struct {
	Nodes     int
	Node      []float32 // [Nodes][NodeFeatures]
	Game      []float32 // [GameFeatures]
	PredStart []int32   // [Nodes+1]: the predecessors of row i are Preds[PredStart[i]:PredStart[i+1]], ascending
	Preds     []int32   // [edges]
	SuccStart []int32   // [Nodes+1]: likewise its successors
	Succs     []int32   // [edges]
	Vertices  []int32   // [left]: the vertex numbers that can be eliminated, ascending
	Rows      []int32   // [left]: their rows
	Cheap     int64     // CheapCost of the state, in multiplications
}

// An Encoder turns states into positions. It remembers what does not change during a game of a graph, and owns the
// memory of its computations: once it has seen a graph it allocates nothing. It is not safe for concurrent use.
type Encoder struct {
	known map[*elim.Graph]*origin
	graph *elim.Graph // of the last state
	from  *origin     // what is known of it

	completion         Completion
	forward, reverse   []int64 // [vertices+1]: prices in these completions
	markowitz          []int64 // [vertices+1]
	turn               []int32 // [vertices+1]
	row                []int32 // [graph nodes]: row of a node, −1 once it is eliminated
	node               []int32 // [rows]: its node
	facts              []nodeFacts
	predBits, succBits []uint64 // [rows][words]: neighbours
	words              int
	game               gameFacts
}

// origin is what the untouched graph has to say.
type origin struct {
	cutIn, cutOut []int32 // [vertices+1]
}

// maxKnown bounds the memory of an encoder that sees an endless stream of generated graphs.
const maxKnown = 4096

// NewEncoder returns an encoder for states of any graph.
func NewEncoder() *Encoder { return &Encoder{known: map[*elim.Graph]*origin{}} }

// visit prepares for a graph.
func (e *Encoder) visit(g *elim.Graph) {
	if e.graph == g {
		return
	}
	from := e.known[g]
	if from == nil {
		if len(e.known) >= maxKnown {
			clear(e.known)
		}
		n := g.Vertices() + 1
		from = &origin{cutIn: make([]int32, n), cutOut: make([]int32, n)}
		bounder, start := elim.NewBounder(g), elim.NewState(g)
		for v := range start.Remaining() {
			in, out := bounder.Cuts(start, v)
			from.cutIn[v], from.cutOut[v] = int32(in), int32(out)
		}
		e.known[g] = from
	}
	e.graph, e.from = g, from
	n := g.Vertices() + 1
	e.forward, e.reverse, e.markowitz = resize(e.forward, n), resize(e.reverse, n), resize(e.markowitz, n)
	e.turn = resize(e.turn, n)
	e.row = resize(e.row, g.Nodes())
}

// Encode writes the position of a state, reusing the memory of p.
func (e *Encoder) Encode(s *elim.State, p *Position) {
	g := s.Graph()
	e.visit(g)
	e.game = gameFacts{left: s.Left(), inputs: g.Inputs()}
	e.listNodes(s, p)
	e.listEdges(s, p)
	e.measureDepths(p)
	e.game.forward = e.completion.forward(s, e.forward)
	e.game.reverse = e.completion.reverse(s, e.reverse)
	e.game.markowitz = e.completion.markowitz(s, e.markowitz, e.turn)
	e.game.cheap = min(e.game.reverse, e.game.markowitz)
	for i, v := range p.Vertices {
		e.measureVertex(p, int(p.Rows[i]), v)
	}
	p.Cheap = e.game.cheap

	p.Node = resize(p.Node, p.Nodes*NodeFeatures)
	p.Game = resize(p.Game, GameFeatures)
	for i := range e.facts {
		row, facts := p.Node[i*NodeFeatures:(i+1)*NodeFeatures], &e.facts[i]
		for k := range nodeTable {
			row[k] = nodeTable[k].of(facts, &e.game)
		}
	}
	for k := range gameTable {
		p.Game[k] = gameTable[k].of(&e.game)
	}
}

// listNodes gives every node that is still there a row.
func (e *Encoder) listNodes(s *elim.State, p *Position) {
	g := e.graph
	e.node = resize(e.node, g.Nodes())[:0]
	e.facts = resize(e.facts, g.Nodes())[:0]
	p.Vertices, p.Rows = p.Vertices[:0], p.Rows[:0]
	for id := range g.Nodes() {
		v := g.Vertex(id)
		k := end
		switch {
		case id < g.Inputs():
			k = input
		case g.IsEliminable(v):
			e.game.eliminable++
			if s.Eliminated(v) {
				e.row[id] = -1
				continue
			}
			k = vertex
			p.Vertices = append(p.Vertices, int32(v))
			p.Rows = append(p.Rows, int32(len(e.node)))
		default:
			e.game.ends++
		}
		e.row[id] = int32(len(e.node))
		e.node = append(e.node, int32(id))
		e.facts = append(e.facts, nodeFacts{kind: k})
	}
	p.Nodes = len(e.node)
	e.game.nodes = p.Nodes
}

// listEdges lists the neighbours of every row, as lists and as bits.
func (e *Encoder) listEdges(s *elim.State, p *Position) {
	n := p.Nodes
	e.words = (n + 63) / 64
	e.predBits, e.succBits = resize(e.predBits, n*e.words), resize(e.succBits, n*e.words)
	clear(e.predBits)
	clear(e.succBits)
	p.PredStart, p.SuccStart = resize(p.PredStart, n+1), resize(p.SuccStart, n+1)
	p.Preds, p.Succs = p.Preds[:0], p.Succs[:0]
	for i, id := range e.node {
		p.PredStart[i], p.SuccStart[i] = int32(len(p.Preds)), int32(len(p.Succs))
		for u := range s.Pred(int(id)) {
			j := e.row[u]
			p.Preds = append(p.Preds, j)
			e.predBits[i*e.words+int(j>>6)] |= 1 << (j & 63)
			if e.graph.IsUnit(u, int(id)) {
				e.facts[i].unitIn++
				e.facts[j].unitOut++
			}
		}
		for w := range s.Succ(int(id)) {
			j := e.row[w]
			p.Succs = append(p.Succs, j)
			e.succBits[i*e.words+int(j>>6)] |= 1 << (j & 63)
		}
		e.facts[i].pred = int32(len(p.Preds)) - p.PredStart[i]
		e.facts[i].succ = int32(len(p.Succs)) - p.SuccStart[i]
	}
	p.PredStart[n], p.SuccStart[n] = int32(len(p.Preds)), int32(len(p.Succs))
	e.game.edges = len(p.Preds)
}

// measureDepths finds the longest paths; rows are in topological order.
func (e *Encoder) measureDepths(p *Position) {
	for i := range e.facts {
		for _, u := range p.Preds[p.PredStart[i]:p.PredStart[i+1]] {
			e.facts[i].depthIn = max(e.facts[i].depthIn, e.facts[u].depthIn+1)
		}
		e.game.longest = max(e.game.longest, e.facts[i].depthIn)
	}
	for i := len(e.facts) - 1; i >= 0; i-- {
		for _, w := range p.Succs[p.SuccStart[i]:p.SuccStart[i+1]] {
			e.facts[i].depthOut = max(e.facts[i].depthOut, e.facts[w].depthOut+1)
		}
	}
}

// measureVertex fills in what only a vertex that can be eliminated has.
func (e *Encoder) measureVertex(p *Position, i int, v int32) {
	f := &e.facts[i]
	f.price = int64(f.pred) * int64(f.succ)
	f.cutIn, f.cutOut = e.from.cutIn[v], e.from.cutOut[v]
	f.forward, f.reverse = e.forward[v], e.reverse[v]
	f.markowitz, f.turn = e.markowitz[v], e.turn[v]
	e.game.bound += f.bound()

	// Afterwards a predecessor has the successors of v that it does not have yet, and v no longer.
	mine := e.succBits[i*e.words : (i+1)*e.words]
	for _, u := range p.Preds[p.PredStart[i]:p.PredStart[i+1]] {
		common := int32(0)
		for k, word := range e.succBits[int(u)*e.words : (int(u)+1)*e.words] {
			common += int32(bits.OnesCount64(word & mine[k]))
		}
		f.merged += int64(common)
		if neighbour := &e.facts[u]; neighbour.kind == vertex {
			f.ripple += int64(neighbour.pred) * int64(f.succ-common-1)
		}
	}
	mine = e.predBits[i*e.words : (i+1)*e.words]
	for _, w := range p.Succs[p.SuccStart[i]:p.SuccStart[i+1]] {
		neighbour := &e.facts[w]
		if neighbour.kind != vertex {
			continue
		}
		common := int32(0)
		for k, word := range e.predBits[int(w)*e.words : (int(w)+1)*e.words] {
			common += int32(bits.OnesCount64(word & mine[k]))
		}
		f.ripple += int64(neighbour.succ) * int64(f.pred-common-1)
	}
}
