package graphgen

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A Profile describes the shape of a program as elimination sees it. Constants are no nodes of the graph and a value
// used twice by one operation has one edge to it, as in the elimination graph; the node ids are those of the program.
type Profile struct {
	Inputs, Vertices, Outputs int
	Edges                     int
	Depth                     int            // vertices on the longest path
	MaxFanOut                 int            // most vertices that use one input or vertex
	InputFanOut               float64        // mean number of vertices that use an input
	Single                    float64        // share of the vertices that exactly one vertex uses
	Dead                      int            // vertices that no output depends on
	Ops                       map[string]int // vertices by the name in the operator mix
}

// InDegree is the mean number of predecessors of a vertex.
func (f Profile) InDegree() float64 { return ratio(f.Edges, f.Vertices) }

// OutDegree is the mean number of successors of an input or vertex.
func (f Profile) OutDegree() float64 { return ratio(f.Edges, f.Inputs+f.Vertices) }

// RelativeDepth is the depth as a share of the vertices: 1 for a chain.
func (f Profile) RelativeDepth() float64 { return ratio(f.Depth, f.Vertices) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Describe measures a program of scalars.
func Describe(p *ir.Program) Profile {
	f := Profile{Inputs: len(p.Inputs), Outputs: len(p.Outputs), Ops: map[string]int{}}
	varies := p.Varies()
	depth, uses := make([]int, len(p.Nodes)), make([]int, len(p.Nodes))
	var args []ir.ID
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if !varies[i] || n.Op == ir.OpInput {
			continue
		}
		f.Vertices++
		f.Ops[mixName(n, varies)]++
		args = append(args[:0], n.Args...)
		slices.Sort(args)
		for _, a := range slices.Compact(args) {
			if varies[a] {
				f.Edges++
				uses[a]++
				depth[i] = max(depth[i], depth[a]+1)
			}
		}
		f.Depth = max(f.Depth, depth[i])
	}
	live := make([]bool, len(p.Nodes))
	for _, o := range p.Outputs {
		live[o.Node] = true
	}
	single := 0
	for i := len(p.Nodes) - 1; i >= 0; i-- {
		n := &p.Nodes[i]
		if live[i] {
			for _, a := range n.Args {
				live[a] = true
			}
		}
		f.MaxFanOut = max(f.MaxFanOut, uses[i])
		switch {
		case n.Op == ir.OpInput:
			f.InputFanOut += float64(uses[i]) / float64(max(1, f.Inputs))
		case varies[i]:
			if !live[i] {
				f.Dead++
			}
			if uses[i] == 1 {
				single++
			}
		}
	}
	f.Single = ratio(single, f.Vertices)
	return f
}

// mixName is how the operator mix names a vertex: the op, and where a constant stands if there is one.
func mixName(n *ir.Node, varies []bool) string {
	if len(n.Args) == 2 {
		switch {
		case !varies[n.Args[0]]:
			return "c " + n.Op.Name + " x"
		case !varies[n.Args[1]]:
			return "x " + n.Op.Name + " c"
		}
	}
	return n.Op.Name
}

// String is a summary of one line.
func (f Profile) String() string {
	return fmt.Sprintf("%d inputs, %d vertices, %d outputs, %d edges, in-degree %.2f, depth %d, fan-out up to %d, %.0f%% used once, ops %s",
		f.Inputs, f.Vertices, f.Outputs, f.Edges, f.InDegree(), f.Depth, f.MaxFanOut, 100*f.Single, f.opList())
}

// opList names the ops with their numbers, the most frequent first.
func (f Profile) opList() string {
	names := slices.SortedFunc(maps.Keys(f.Ops), func(a, b string) int {
		if f.Ops[a] != f.Ops[b] {
			return f.Ops[b] - f.Ops[a]
		}
		return strings.Compare(a, b)
	})
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("%s %d", name, f.Ops[name]))
	}
	return strings.Join(list, ", ")
}
