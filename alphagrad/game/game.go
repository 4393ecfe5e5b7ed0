package game

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// Options say which game is played on a graph.
type Options struct {
	Name      string    // of the graph, for playthroughs; may be empty
	Objective Objective // Muls if it is the zero value
	Reduce    Reduction // None to offer every vertex at every move
}

// A Game is one play of the elimination game. It is not safe for concurrent use; [Game.Fork] gives every goroutine its
// own. After the first plays have grown its buffers, playing allocates nothing.
type Game struct {
	graph   *elim.Graph
	options Options
	state   *elim.State

	vertices []int    // [actions]: vertex number of each action, ascending
	actions  []int32  // [vertices+1]: action of each vertex number, −1 if it is not eliminable
	keys     []uint64 // [actions]: Zobrist keys
	root     uint64   // hash before any move, from the fingerprint of the graph

	hash  uint64
	steps []step // every elimination so far, forced ones included
	moves []move // every Apply so far
	err   error

	known map[uint64]float64 // costs of complete orders by their hash, for objectives known at the end
	final float64            // of the current order if the game is over, for such objectives
	reducer
	completer
}

// A step is one elimination.
type step struct {
	vertex int
	cost   int64 // 0 for objectives known at the end
	forced bool
}

// A move is what Undo takes back at once.
type move struct {
	steps int    // eliminations before it
	hash  uint64 // before it
}

// New sets up a game and plays the forced opening, if the reductions make one. It fails without a graph and for a
// reduction that is not proved for the objective.
func New(g *elim.Graph, o Options) (*Game, error) {
	if g == nil {
		return nil, errors.New("a game needs a graph")
	}
	if o.Objective.spent == nil && o.Objective.final == nil {
		if o.Objective.name != "" {
			return nil, fmt.Errorf("objective %q has no cost function", o.Objective.name)
		}
		o.Objective = Muls
	}
	if unproved := o.Reduce &^ o.Objective.safe; unproved != 0 {
		return nil, fmt.Errorf("objective %s is not safe with the reductions %v: proved for it are %v", o.Objective.name, unproved, o.Objective.safe)
	}
	if o.Reduce != None {
		o.Reduce |= Dead
	}
	sum := fingerprint(g)
	n := &Game{
		graph: g, options: o, state: o.Objective.state(g),
		vertices: g.Eliminable(),
		actions:  make([]int32, g.Vertices()+1),
		root:     binary.BigEndian.Uint64(sum[:8]),
	}
	for v := range n.actions {
		n.actions[v] = -1
	}
	n.keys = make([]uint64, len(n.vertices))
	for a, v := range n.vertices {
		n.actions[v] = int32(a)
		n.keys[a] = mix(uint64(a))
	}
	if o.Objective.final != nil {
		n.known = map[uint64]float64{}
	}
	n.reducer.init(g)
	n.hash = n.root
	n.opening()
	n.finish()
	return n, nil
}

// mix is the output function of SplitMix64 (Steele, Lea and Flood 2014): a bijection that scatters its argument.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Fingerprint identifies a graph: 32 hexadecimal digits that depend on the numbers of inputs and vertices, the edges,
// which of them are units, and the outputs.
func Fingerprint(g *elim.Graph) string {
	sum := fingerprint(g)
	return hex.EncodeToString(sum[:16])
}

func fingerprint(g *elim.Graph) [sha256.Size]byte {
	data := []byte("alphagrad-graph-fingerprint/1")
	for _, n := range []int{g.Inputs(), g.Vertices(), g.Nodes()} {
		data = binary.AppendUvarint(data, uint64(n))
	}
	for u := range g.Nodes() {
		end := uint64(0)
		if g.IsEnd(u) {
			end = 1
		}
		data = binary.AppendUvarint(data, end)
		for w := range g.Succ(u) {
			unit := uint64(0)
			if g.IsUnit(u, w) {
				unit = 1
			}
			data = binary.AppendUvarint(data, uint64(w)<<1|unit)
		}
		data = append(data, 0) // an edge never leads to node 0
	}
	return sha256.Sum256(data)
}

// Fork returns a new game with the same graph and options, at its start.
func (g *Game) Fork() *Game {
	f, err := New(g.graph, g.options)
	if err != nil {
		panic("game: options accepted once are refused: " + err.Error())
	}
	return f
}

// Graph is the graph the game is played on.
func (g *Game) Graph() *elim.Graph { return g.graph }

// State is the graph as it is now, for features. It must not be changed.
func (g *Game) State() *elim.State { return g.state }

// Options are those of the game, defaults filled in.
func (g *Game) Options() Options { return g.options }

// Reset takes the game back to its start, after the forced opening, and returns the reward of the opening, 0 if there
// is none.
func (g *Game) Reset() float64 {
	for len(g.moves) > 0 {
		g.Undo()
	}
	const most = 1 << 16 // orders remembered; without a limit a game of measurements would grow for ever
	if len(g.known) > most {
		clear(g.known)
	}
	g.err = nil
	g.finish()
	return g.Return()
}

// Actions is the number of actions, one for each eliminable vertex.
func (g *Game) Actions() int { return len(g.vertices) }

// Vertex is the vertex number of an action, or 0 if there is no such action.
func (g *Game) Vertex(action int32) int {
	if action < 0 || int(action) >= len(g.vertices) {
		return 0
	}
	return g.vertices[action]
}

// Action is the action that eliminates a vertex, or −1 for a vertex that is never eliminated.
func (g *Game) Action(vertex int) int32 {
	if vertex < 0 || vertex >= len(g.actions) {
		return -1
	}
	return g.actions[vertex]
}

// Legal returns the legal actions, ascending, appended to buf[:0].
func (g *Game) Legal(buf []int32) []int32 {
	buf = buf[:0]
	if g.options.Reduce&(Twins|Components) != 0 {
		return g.reduced(buf)
	}
	for v := range g.state.Remaining() {
		buf = append(buf, g.actions[v])
	}
	return buf
}

// Mask returns which actions are legal, in buf if it is large enough: [actions].
func (g *Game) Mask(buf []bool) []bool {
	n := len(g.vertices)
	if cap(buf) < n {
		buf = make([]bool, n)
	}
	buf = buf[:n]
	clear(buf)
	g.legal = g.Legal(g.legal)
	for _, a := range g.legal {
		buf[a] = true
	}
	return buf
}

// Apply eliminates the vertex of an action, and whatever that forces, and returns minus the cost. It accepts every
// vertex that is left, also one that a reduction keeps from Legal. For any other action it returns NaN and changes
// nothing.
func (g *Game) Apply(action int32) float64 {
	v := g.Vertex(action)
	if v == 0 || g.state.Eliminated(v) {
		return math.NaN()
	}
	g.moves = append(g.moves, move{len(g.steps), g.hash})
	before := g.spent()
	g.play(v)
	if g.finish() && !g.options.Objective.Dense() {
		return -g.final
	}
	return float64(before - g.spent())
}

// spent is the cost so far, 0 for objectives known at the end.
func (g *Game) spent() int64 {
	if !g.options.Objective.Dense() {
		return 0
	}
	return g.options.Objective.spent(g.state)
}

// eliminate removes one vertex.
func (g *Game) eliminate(v int, forced bool) {
	before := g.spent()
	g.state.Eliminate(v)
	g.steps = append(g.steps, step{v, g.spent() - before, forced})
	g.hash = g.extend(g.hash, v)
}

// extend is the hash after one more vertex.
func (g *Game) extend(hash uint64, v int) uint64 {
	key := g.keys[g.actions[v]]
	if g.options.Objective.Dense() {
		return hash ^ key
	}
	return mix(hash ^ key)
}

// finish asks for the cost of the order if the game is over, which it reports, and the objective waits for that.
func (g *Game) finish() bool {
	if !g.Done() {
		return false
	}
	if !g.options.Objective.Dense() {
		g.final = g.orderCost(g.hash, g.Order)
	}
	return true
}

// orderCost is the cost of a complete order with a given hash under an objective known at the end.
func (g *Game) orderCost(hash uint64, order func() []int) float64 {
	if cost, ok := g.known[hash]; ok {
		return cost
	}
	cost, err := g.options.Objective.final(order())
	if err == nil && (math.IsNaN(cost) || math.IsInf(cost, 0)) {
		err = fmt.Errorf("the cost is %v, not a number to compare", cost)
	}
	if err != nil {
		if g.err == nil {
			g.err = fmt.Errorf("objective %s: %w", g.options.Objective.name, err)
		}
		return math.NaN()
	}
	g.known[hash] = cost
	return cost
}

// Undo takes back the last Apply, forced moves included. At the start of the game it does nothing.
func (g *Game) Undo() {
	if len(g.moves) == 0 {
		return
	}
	last := g.moves[len(g.moves)-1]
	g.moves = g.moves[:len(g.moves)-1]
	for range len(g.steps) - last.steps {
		g.state.Undo()
	}
	g.steps, g.hash = g.steps[:last.steps], last.hash
}

// Done reports whether every vertex is eliminated.
func (g *Game) Done() bool { return g.state.Left() == 0 }

// Hash identifies the state: by the set of eliminated vertices, or by their order for an objective known at the end.
// It differs between graphs, is the same on every machine and is never 0.
func (g *Game) Hash() uint64 { return max(g.hash, 1) }

// Err is why an objective known at the end has failed since the last Reset, or nil.
func (g *Game) Err() error { return g.err }

// Order returns the vertex numbers eliminated so far, forced ones included; at the end of the game, a complete order.
func (g *Game) Order() []int {
	order := make([]int, len(g.steps))
	for i, s := range g.steps {
		order[i] = s.vertex
	}
	return order
}

// Return is the sum of all rewards so far, that of the opening included: minus the cost.
func (g *Game) Return() float64 {
	if !g.options.Objective.Dense() && g.Done() {
		return -g.final
	}
	return float64(0 - g.spent())
}
