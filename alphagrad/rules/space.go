package rules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/snn"
)

// Choice offers the edits of one kind of edge, the same in all layers, how time is carried, or in what order the step is
// eliminated. Options are kinds of edits, with their number in parentheses, carriers, or orders; the first one is where a
// search starts.
type Choice struct {
	Edge    string   `yaml:"edge"` // end of the edge without its layer, such as recurrent; "feedback" for the readout's, "time", "order"
	Options []string `yaml:"options"`
}

// A Space is the rules that choices span. A rule in it is an assignment: the number of the option of every choice.
type Space struct {
	Recurrence *ad.Recurrence
	Choices    []Choice
	options    [][]option
	moves      []move
}

type option struct {
	edits []Edit
	time  Carrier
	order Order
}

// A move sets some choices that are still at their first option.
type move struct{ choice, option []int }

// NewSpace spans the space of choices for a network.
func NewSpace(rec *ad.Recurrence, choices []Choice) (*Space, error) {
	if len(choices) == 0 {
		return nil, errors.New("space: there is nothing to choose")
	}
	s := &Space{Recurrence: rec, Choices: choices}
	size := 1
	for k, c := range choices {
		if len(c.Options) < 1 || slices.ContainsFunc(choices[:k], func(o Choice) bool { return o.Edge == c.Edge }) {
			return nil, fmt.Errorf("space: %s: every edge once, with options", c.Edge)
		}
		edges, err := tied(rec, c.Edge)
		if err != nil {
			return nil, err
		}
		var list []option
		for _, text := range c.Options {
			o, err := parseOption(c.Edge, text, edges)
			if err != nil {
				return nil, fmt.Errorf("space: %s: %w", c.Edge, err)
			}
			if _, err := (&Rule{Time: Carrier{Mode: Reverse}, Edits: o.edits}).Build(rec); err != nil {
				return nil, fmt.Errorf("space: %s: %w", c.Edge, err)
			}
			list = append(list, o)
		}
		s.options = append(s.options, list)
		if size *= len(list); size > 1<<30 {
			return nil, errors.New("space: more than 2³⁰ rules")
		}
	}
	s.span()
	return s, nil
}

// tied lists the edges that a choice edits together.
func tied(rec *ad.Recurrence, name string) (edges []ad.Edge, err error) {
	if name == "time" || name == "order" {
		return nil, nil
	}
	var known []string
	for _, e := range rec.Edges() {
		_, port, _ := strings.Cut(e.To, ".")
		if e.To == snn.ReadoutValue {
			port = "feedback"
		} else if strings.HasPrefix(e.To, "out.") {
			port = e.To
		}
		if !slices.Contains(rec.States, e.From) && port != "raised" && port != "feedback" || slices.Contains(rec.Params, e.From) {
			continue
		}
		if port == name {
			edges = append(edges, e)
		}
		if !slices.Contains(known, port) {
			known = append(known, port)
		}
	}
	if edges == nil {
		return nil, fmt.Errorf("space: no edge to %q; edges lead to %s, and there are time and order", name, strings.Join(known, ", "))
	}
	return edges, nil
}

func parseOption(edge, text string, edges []ad.Edge) (option, error) {
	if edge == "order" {
		o, err := ParseOrder(text)
		return option{order: o}, err
	}
	if edge == "time" {
		var c Carrier
		err := c.UnmarshalText([]byte(text))
		return option{time: c}, err
	}
	name, number, numbered := strings.Cut(text, "(")
	k, known := kinds[name]
	e := Edit{Kind: name}
	if numbered {
		x, err := strconv.ParseFloat(strings.TrimSuffix(number, ")"), 64)
		if err != nil || !strings.HasSuffix(number, ")") {
			return option{}, fmt.Errorf("option %q: expected a number in parentheses", text)
		}
		if e.Factor = x; k.k {
			e.Factor, e.K = 0, int(x)
		}
	}
	if !known || numbered != (k.factor || k.k) {
		return option{}, fmt.Errorf("option %q; expected a kind of edit, with a number in parentheses where it takes one: %v", text, Kinds())
	}
	var o option
	for _, at := range edges {
		e.From, e.To = at.From, at.To
		o.edits = append(o.edits, e)
	}
	return o, nil
}

// span lists the moves: every option but the first of every choice, and pairs of options of two choices, since what is
// worse alone may be better together.
func (s *Space) span() {
	for a, list := range s.options {
		for i := 1; i < len(list); i++ {
			s.moves = append(s.moves, move{[]int{a}, []int{i}})
		}
	}
	single := slices.Clone(s.moves)
	for i, x := range single {
		for _, y := range single[i+1:] {
			// Pairs of edits of the same sort keep their number in bounds.
			if a, b := x.choice[0], y.choice[0]; a != b && s.Choices[a].Options[x.option[0]] == s.Choices[b].Options[y.option[0]] {
				s.moves = append(s.moves, move{[]int{a, b}, []int{x.option[0], y.option[0]}})
			}
		}
	}
}

// Size is the number of assignments.
func (s *Space) Size() int {
	n := 1
	for _, list := range s.options {
		n *= len(list)
	}
	return n
}

// At is the assignment of a number below Size, in mixed radix.
func (s *Space) At(n int) []int {
	a := make([]int, len(s.options))
	for k, list := range s.options {
		a[k], n = n%len(list), n/len(list)
	}
	return a
}

// Rule is the rule of an assignment.
func (s *Space) Rule(assignment []int) *Rule {
	r := &Rule{Format: Format, Time: Carrier{Mode: Reverse}}
	for k, i := range assignment {
		o := s.options[k][i]
		r.Edits = append(r.Edits, o.edits...)
		switch s.Choices[k].Edge {
		case "time":
			r.Time = o.time
		case "order":
			r.Order = o.order
		}
	}
	r.Edits = slices.DeleteFunc(r.Edits, func(e Edit) bool { return e.Kind == "keep" })
	r.Edits = append(r.Edits, withoutSides(s.Recurrence, r.Edits)...)
	return r
}

// Moves is the number of moves; the one after them is to stop.
func (s *Space) Moves() int { return len(s.moves) }

// open reports whether a move applies to an assignment.
func (m move) open(assignment []int) bool {
	for _, c := range m.choice {
		if assignment[c] != 0 {
			return false
		}
	}
	return true
}

// Features is the assignment with a place for every option.
func (s *Space) Features(assignment []int) (x []float32) {
	for k, list := range s.options {
		row := make([]float32, len(list))
		row[assignment[k]] = 1
		x = append(x, row...)
	}
	return x
}
