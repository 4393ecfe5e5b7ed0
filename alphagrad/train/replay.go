package train

import (
	"encoding/gob"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"sort"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
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

	graph *elim.Graph
}

func newEpisode(source string, g *elim.Graph, p *Play) *episode {
	e := &episode{Source: source, graph: g}
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

// replay remembers the latest games.
type replay struct {
	episodes []*episode
	capacity int
	reduce   game.Reduction
}

func newReplay(capacity int, reduce game.Reduction) *replay {
	return &replay{capacity: capacity, reduce: reduce}
}

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

// sample plays a game up to a position and encodes it with its targets.
func (r *replay) sample(t ticket) (net.Sample, error) {
	e := t.episode
	g, err := NewGame(e.Source, e.graph, r.reduce)
	if err != nil {
		return net.Sample{}, err
	}
	for _, action := range e.Moves[:e.At[t.position]] {
		g.Apply(action)
	}
	p := &net.Position{}
	net.NewEncoder().Encode(g.State(), p)
	target := make([]float32, len(p.Vertices))
	at := make(map[int32]int, len(p.Vertices))
	for i, v := range p.Vertices {
		at[v] = i
	}
	for i, action := range e.Legal[t.position] {
		target[at[int32(g.Vertex(action))]] = e.Policy[t.position][i]
	}
	return net.Sample{Position: p, Target: target, Value: float32(net.Value(p.Cheap, e.Left[t.position])), Weight: 1}, nil
}

// learned notes how wrong the network was about the positions of a batch.
func (r *replay) learned(tickets []ticket, losses []net.SampleLoss) {
	for k, t := range tickets {
		t.episode.Weight[t.position] = 1e-3 + math.Abs(float64(losses[k].Policy)) + math.Abs(float64(losses[k].Value))
	}
}

// save writes the games; load reads them back with their graphs.
func (r *replay) save(w io.Writer) error { return gob.NewEncoder(w).Encode(r.episodes) }

func (r *replay) load(in io.Reader) error {
	var es []*episode
	if err := gob.NewDecoder(in).Decode(&es); err != nil {
		return fmt.Errorf("replay memory: %w", err)
	}
	graphs := map[string]*elim.Graph{}
	for _, e := range es {
		if graphs[e.Source] == nil {
			g, err := loadGraph(e.Source)
			if err != nil {
				return err
			}
			graphs[e.Source] = g
		}
		e.graph = graphs[e.Source]
	}
	r.episodes = es
	return nil
}
