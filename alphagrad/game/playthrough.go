package game

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

// playthroughFormat names the file format and its version.
const playthroughFormat = "alphagrad-game/1"

// A Playthrough is a game as a file holds it, over or not. Its JSON is one object; where a file of an elimination
// order is wanted (elim.ParseOrder), a finished playthrough is one.
type Playthrough struct {
	Format      string   `json:"format"`               // "alphagrad-game/1"
	Name        string   `json:"name,omitempty"`       // of the graph
	Fingerprint string   `json:"fingerprint"`          // of the graph, see Fingerprint
	Objective   string   `json:"objective"`            // its name
	Reductions  []string `json:"reductions,omitempty"` // their names
	Order       []int    `json:"order"`                // vertex numbers in order of elimination, forced ones included
	Cost        float64  `json:"cost"`                 // of Order under the objective; 0 while one known at the end is not
}

// Playthrough records the game so far.
func (g *Game) Playthrough() Playthrough {
	return Playthrough{
		Format: playthroughFormat, Name: g.options.Name, Fingerprint: Fingerprint(g.graph),
		Objective: g.options.Objective.name, Reductions: g.options.Reduce.Names(),
		Order: g.Order(), Cost: 0 - g.Return(),
	}
}

// ParsePlaythrough reads the JSON of a playthrough. It checks the form only; whether the moves are a game on some
// graph is for [Playthrough.Replay] to say.
func ParsePlaythrough(data []byte) (Playthrough, error) {
	var p Playthrough
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Playthrough{}, fmt.Errorf("no playthrough: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Playthrough{}, errors.New("no playthrough: something follows the JSON object")
	}
	switch {
	case p.Format != playthroughFormat:
		return Playthrough{}, fmt.Errorf("no playthrough: format %q, expected %q", p.Format, playthroughFormat)
	case p.Objective == "":
		return Playthrough{}, errors.New("no playthrough: no objective")
	case p.Order == nil:
		return Playthrough{}, errors.New(`no playthrough: no list "order"`)
	}
	if _, err := ParseReduction(p.Reductions...); err != nil {
		return Playthrough{}, fmt.Errorf("no playthrough: %w", err)
	}
	return p, nil
}

// Replay plays the moves of a playthrough on a graph and returns the game where they end. The objective is needed
// because a file only has its name; see [LookupObjective]. It fails if graph or objective are other ones, a move is
// not legal or not followed by the moves it forces, or a dense objective does not arrive at the recorded cost.
func (p Playthrough) Replay(graph *elim.Graph, objective Objective) (*Game, error) {
	fail := func(format string, args ...any) (*Game, error) {
		return nil, fmt.Errorf("playthrough of %q: %w", p.Name, fmt.Errorf(format, args...))
	}
	reduce, err := ParseReduction(p.Reductions...)
	if err != nil {
		return fail("%w", err)
	}
	if objective.name != p.Objective {
		return fail("recorded under the objective %s, replayed under %s", p.Objective, objective.name)
	}
	g, err := New(graph, Options{Name: p.Name, Objective: objective, Reduce: reduce})
	if err != nil {
		return fail("%w", err)
	}
	if print := Fingerprint(graph); print != p.Fingerprint {
		return fail("recorded on the graph with fingerprint %s, replayed on %s", p.Fingerprint, print)
	}
	if err := g.follow(p.Order); err != nil {
		return fail("%w", err)
	}
	if g.err != nil {
		return fail("%w", g.err)
	}
	if cost := 0 - g.Return(); objective.Dense() && cost != p.Cost {
		return fail("the moves cost %v %s, recorded are %v", cost, p.Objective, p.Cost)
	}
	return g, nil
}

// follow plays until the eliminations are those of an order.
func (g *Game) follow(order []int) error {
	for checked := 0; ; {
		for ; checked < len(g.steps); checked++ {
			if checked >= len(order) {
				return fmt.Errorf("ends before vertex %d, which the move before forces", g.steps[checked].vertex)
			}
			if forced := g.steps[checked].vertex; order[checked] != forced {
				return fmt.Errorf("move %d eliminates vertex %d, where vertex %d is forced", checked+1, order[checked], forced)
			}
		}
		if checked == len(order) {
			return nil
		}
		if v := order[checked]; math.IsNaN(g.Apply(g.Action(v))) && g.err == nil {
			why := "is eliminated already"
			if g.Action(v) < 0 {
				why = "is not an eliminable vertex of this graph"
			}
			return fmt.Errorf("move %d is illegal: %d %s", checked+1, v, why)
		}
	}
}
