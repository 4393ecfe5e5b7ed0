package rules

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/search"
)

// An Order is in what order the vertices of the step are eliminated where influences are carried forward, by a name or one
// vertex after the other. It changes the multiplications of a rule only: the way back is reverse order always. The zero value
// is the cheapest order that a local search finds, "searched" what the portfolio of searches does. In JSON it is "markowitz" or [3,1,2].
type Order struct {
	Name     string
	Vertices []int
}

// orders holds one row a named order.
var orders = map[string]func(*elim.Graph) []int{
	"cheapest":  nil, // that a short search finds
	"forward":   elim.Forward,
	"reverse":   elim.Reverse,
	"markowitz": elim.Markowitz,
	"searched":  searched,
}

// OrderNames lists the named orders.
func OrderNames() []string { return slices.Sorted(maps.Keys(orders)) }

// IsZero reports whether it is the cheapest.
func (o Order) IsZero() bool { return len(o.Vertices) == 0 && (o.Name == "" || o.Name == "cheapest") }

// String prints the order: "cheapest", "markowitz", "3 1 2".
func (o Order) String() string {
	switch {
	case len(o.Vertices) > 0:
		return strings.Trim(fmt.Sprint(o.Vertices), "[]")
	case o.Name == "":
		return "cheapest"
	}
	return o.Name
}

// MarshalJSON writes a name or a list.
func (o Order) MarshalJSON() ([]byte, error) {
	if len(o.Vertices) > 0 {
		return json.Marshal(o.Vertices)
	}
	return json.Marshal(o.String())
}

// UnmarshalJSON reads a name or a list.
func (o *Order) UnmarshalJSON(data []byte) error {
	*o = Order{}
	if json.Unmarshal(data, &o.Name) == nil {
		return o.check()
	}
	if err := json.Unmarshal(data, &o.Vertices); err != nil {
		return fmt.Errorf("order %.40s: expected %s, or a list of vertices", data, strings.Join(OrderNames(), ", "))
	}
	return nil
}

func (o Order) check() error {
	if _, known := orders[o.String()]; !known && len(o.Vertices) == 0 {
		return fmt.Errorf("order %q%s; known: %s, or a list of vertices", o.Name, ir.Suggest(o.Name, OrderNames()), strings.Join(OrderNames(), ", "))
	}
	return nil
}

// pick is the order for the graph of a step.
func (o Order) pick() func(*elim.Graph) []int {
	if len(o.Vertices) > 0 {
		return func(*elim.Graph) []int { return o.Vertices }
	}
	return orders[o.String()]
}

// ParseOrder reads a name, or vertices with spaces between them: what String prints.
func ParseOrder(text string) (o Order, err error) {
	if _, known := orders[text]; known {
		return Order{Name: text}, nil
	}
	for _, f := range strings.Fields(text) {
		v, err := strconv.Atoi(f)
		if err != nil {
			return o, fmt.Errorf("order %q; known: %s, or vertices with spaces between them", text, strings.Join(OrderNames(), ", "))
		}
		o.Vertices = append(o.Vertices, v)
	}
	return o, nil
}

// searched is the order of fewest multiplications that the portfolio of package search finds within so many evaluations: the
// same one every time. A graph that it cannot search keeps the order of its trace.
func searched(g *elim.Graph) []int {
	r, err := search.Run(context.Background(), "portfolio", search.Problem{Graph: g}, search.Settings{Evaluations: orderEvaluations, Seed: 1})
	if err != nil {
		return elim.Forward(g)
	}
	return r.Order
}

const orderEvaluations = 20000
