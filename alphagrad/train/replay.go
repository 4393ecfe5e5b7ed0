package train

import (
	"encoding/gob"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// episode is a game to learn from. Positions are not kept but played again when they are drawn, which takes microseconds
// and a hundredth of the memory.
type episode struct {
	Source string
	Moves  []int32 // actions played
	At     []int32 // moves at which there was a choice: the positions to learn from
	Legal  [][]int32
	Policy [][]float32
	Left   []int64   // cost of what was played from each of these positions on
	Weight []float64 // priority of each of these positions
	Again  []float64 // what a later search expected of each of these positions in place of Left, NaN where there was none; or nil

	board *board
}

func newEpisode(b *board, p *Play) *episode {
	e := &episode{Source: b.source, board: b}
	for i, m := range p.moves {
		e.Moves = append(e.Moves, m.action)
		if m.legal != nil {
			e.At, e.Legal, e.Policy = append(e.At, int32(i)), append(e.Legal, m.legal), append(e.Policy, m.policy)
			e.Left, e.Weight = append(e.Left, m.left), append(e.Weight, fresh)
		}
	}
	return e
}

// fresh is the priority of a position never learned from: as if the network were badly wrong about it.
const fresh = 4

// left is the cost that a position is worth: what was played from there on, or what the latest search expected.
func (e *episode) left(position int) float64 {
	if e.Again != nil && !math.IsNaN(e.Again[position]) {
		return e.Again[position]
	}
	return float64(e.Left[position])
}

// renew replaces the targets of a position by those of a later search.
func (e *episode) renew(position int, policy []float32, left float64) {
	if e.Again == nil {
		e.Again = make([]float64, len(e.At))
		for i := range e.Again {
			e.Again[i] = math.NaN()
		}
	}
	e.Policy[position], e.Again[position] = policy, left
}

// at plays a game up to a position.
func (e *episode) at(position int) (*game.Game, error) {
	g, err := e.board.game()
	if err != nil {
		return nil, err
	}
	for _, action := range e.Moves[:e.At[position]] {
		g.Apply(action)
	}
	return g, nil
}

// replay remembers the latest games.
type replay struct {
	episodes []*episode
	capacity int
	encoder  *net.Encoder
}

func newReplay(capacity int) *replay { return &replay{capacity: capacity, encoder: net.NewEncoder()} }

func (r *replay) add(es []*episode) {
	r.episodes = append(r.episodes, es...)
	if drop := len(r.episodes) - r.capacity; drop > 0 {
		r.episodes = append([]*episode(nil), r.episodes[drop:]...)
	}
}

// positions is the number of positions to learn from.
func (r *replay) positions() int {
	n := 0
	for _, e := range r.episodes {
		n += len(e.At)
	}
	return n
}

// ticket is a position drawn.
type ticket struct {
	episode  *episode
	position int
}

// priorityExponent α and correction β are those of prioritised replay (Schaul et al. 2016, proportional variant): a
// position is drawn with probability ∝ priority^α and its gradient weighs (1/(n·probability))^β.
const (
	priorityExponent = 0.6
	correction       = 0.4
)

// draw picks positions, uniformly or by priority, and plays them up again.
func (r *replay) draw(n int, priority bool, rng *rand.Rand) ([]net.Sample, []ticket, error) {
	var all []ticket
	var upTo []float64 // running sums of the weights
	total := 0.0
	for _, e := range r.episodes {
		for i := range e.At {
			w := 1.0
			if priority {
				w = math.Pow(e.Weight[i], priorityExponent)
			}
			total += w
			all, upTo = append(all, ticket{e, i}), append(upTo, total)
		}
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("no position with a choice in %d games", len(r.episodes))
	}
	samples := make([]net.Sample, n)
	tickets := make([]ticket, n)
	heaviest := 0.0
	for k := range samples {
		i := min(sort.SearchFloat64s(upTo, rng.Float64()*total), len(all)-1)
		t := all[i]
		w := upTo[i]
		if i > 0 {
			w -= upTo[i-1]
		}
		s, err := r.sample(t)
		if err != nil {
			return nil, nil, err
		}
		s.Weight = float32(math.Pow(total/(float64(len(all))*w), correction))
		heaviest = math.Max(heaviest, float64(s.Weight))
		samples[k], tickets[k] = s, t
	}
	for k := range samples {
		samples[k].Weight /= float32(heaviest)
	}
	return samples, tickets, nil
}

// choose picks up to n different positions, all as likely.
func (r *replay) choose(n int, rng *rand.Rand) []ticket {
	var all []ticket
	for _, e := range r.episodes {
		for i := range e.At {
			all = append(all, ticket{e, i})
		}
	}
	n = min(n, len(all))
	for k := range n {
		other := k + rng.IntN(len(all)-k)
		all[k], all[other] = all[other], all[k]
	}
	return all[:n]
}

// sample plays a game up to a position and encodes it with its targets.
func (r *replay) sample(t ticket) (net.Sample, error) {
	e := t.episode
	g, err := e.at(t.position)
	if err != nil {
		return net.Sample{}, err
	}
	p := &net.Position{}
	r.encoder.Encode(g.State(), p)
	cheap := p.Cheap
	if e.board.rules.Objective.Name() != game.Muls.Name() {
		if cheap, err = yardstick(g); err != nil {
			return net.Sample{}, err
		}
	}
	target := make([]float32, len(p.Vertices))
	at := make(map[int32]int, len(p.Vertices))
	for i, v := range p.Vertices {
		at[v] = i
	}
	for i, action := range e.Legal[t.position] {
		target[at[int32(g.Vertex(action))]] = e.Policy[t.position][i]
	}
	return net.Sample{Position: p, Target: target, Value: float32(relative(cheap, e.left(t.position))), Weight: 1}, nil
}

// learned notes how wrong the network was about the positions of a batch.
func (r *replay) learned(tickets []ticket, losses []net.SampleLoss) {
	for k, t := range tickets {
		t.episode.Weight[t.position] = 1e-3 + math.Abs(float64(losses[k].Policy)) + math.Abs(float64(losses[k].Value))
	}
}

// save writes the games; load reads them back with their boards.
func (r *replay) save(w io.Writer) error { return gob.NewEncoder(w).Encode(r.episodes) }

func (r *replay) load(in io.Reader, open func(source string) (*board, error)) error {
	var es []*episode
	if err := gob.NewDecoder(in).Decode(&es); err != nil {
		return fmt.Errorf("replay memory: %w", err)
	}
	boards := map[string]*board{}
	for i, e := range es {
		b := boards[e.Source]
		if b == nil {
			var err error
			if b, err = open(e.Source); err != nil {
				return fmt.Errorf("replay memory: %w", err)
			}
			boards[e.Source] = b
		}
		e.board = b
		if err := e.check(); err != nil {
			return fmt.Errorf("replay memory: game %d, on %q: %w", i+1, e.Source, err)
		}
	}
	r.episodes = es
	return nil
}

// check reports a game that cannot be played or learned from.
func (e *episode) check() error {
	n := len(e.At)
	if len(e.Legal) != n || len(e.Policy) != n || len(e.Left) != n || len(e.Weight) != n || (e.Again != nil && len(e.Again) != n) {
		return fmt.Errorf("%d positions with %d lists of moves, %d policies, %d costs, %d weights and %d later costs", n, len(e.Legal), len(e.Policy), len(e.Left), len(e.Weight), len(e.Again))
	}
	g, err := e.board.game()
	if err != nil {
		return err
	}
	k := 0
	for i, action := range e.Moves {
		legal := g.Legal(nil)
		if k < n && int(e.At[k]) == i {
			if !slices.Equal(legal, e.Legal[k]) || len(e.Policy[k]) != len(legal) || !(e.Weight[k] > 0) {
				return fmt.Errorf("its position %d is not one of the game, or of a game with other reductions", k+1)
			}
			k++
		}
		if !slices.Contains(legal, action) {
			return fmt.Errorf("its move %d is illegal", i+1)
		}
		if i < len(e.Moves)-1 { // the last move may have to be measured
			g.Apply(action)
		}
	}
	if k < n {
		return fmt.Errorf("its position %d is not one of the game", k+1)
	}
	return nil
}
