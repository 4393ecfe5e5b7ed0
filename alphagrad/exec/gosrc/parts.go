package gosrc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A function of more statements than maxStatements is split into parts of partSize: the time of the Go compiler grows
// faster than the length of a function.
const (
	maxStatements = 3000
	partSize      = 1000
)

func (e *emitter) statements() int {
	n := 0
	for i := range e.p.Nodes {
		if e.p.Nodes[i].Op.Class != ir.Leaf {
			n++
		}
	}
	return n
}

// parts prints the body of the function for one sample as calls, its end, and the functions called. Values that more than
// one part needs travel in an array, whose places are used again when the last part has read them.
func (e *emitter) parts() error {
	part := make([]int, len(e.p.Nodes)) // that computes a node
	last := make([]int, len(e.p.Nodes)) // part that reads a node
	count := 0
	for i, at := 0, 0; i < len(e.p.Nodes); i++ {
		n := &e.p.Nodes[i]
		if n.Op.Class != ir.Leaf {
			part[i] = at / partSize
			at++
			count = part[i] + 1
			for _, a := range n.Args {
				last[a] = part[i]
			}
		}
	}
	place := map[ir.ID]int{}
	var free []int
	places := 0
	ends := make([][]ir.ID, count) // nodes whose places are free after a part
	bodies := make([]strings.Builder, count)
	input := map[ir.ID]int{}
	for j, id := range e.p.Inputs {
		input[id] = j
	}
	outputs := map[ir.ID][]string{}
	e.eachOutput(func(r string, i int, node ir.ID) { outputs[node] = append(outputs[node], fmt.Sprintf("%s[%d]", r, i)) })
	e.eachOutput(func(r string, i int, node ir.ID) {
		if c := &e.p.Nodes[node]; c.Op.Class == ir.Leaf {
			value := e.operand(node)
			if j, ok := input[node]; ok {
				value = fmt.Sprintf("x[%d]", j)
			}
			fmt.Fprintf(&bodies[0], "%s[%d] = %s\n", r, i, value)
		}
	})
	known := map[ir.ID]bool{} // in the part at hand
	for i, at := 0, -1; i < len(e.p.Nodes); i++ {
		id, n := ir.ID(i), &e.p.Nodes[i]
		if n.Op.Class == ir.Leaf {
			continue
		}
		if part[i] != at {
			if at >= 0 {
				for _, done := range ends[at] {
					free = append(free, place[done])
				}
			}
			at = part[i]
			clear(known)
		}
		for _, a := range n.Args {
			if known[a] || e.p.Nodes[a].Op == ir.OpConst {
				continue
			}
			known[a] = true
			from := "carry[" + strconv.Itoa(place[a]) + "]"
			if j, ok := input[a]; ok {
				from = fmt.Sprintf("x[%d]", j)
			}
			fmt.Fprintf(&bodies[at], "v%d := %s\n", a, from)
		}
		known[id] = true
		expr, err := e.expression(n)
		if err != nil {
			return &ir.NodeError{Node: e.p.DisplayNames()[i], Op: n.Op.Name, Err: err}
		}
		fmt.Fprintf(&bodies[at], "v%d := %s\n", i, expr)
		for _, o := range outputs[id] {
			fmt.Fprintf(&bodies[at], "%s = v%d\n", o, i)
		}
		if last[i] > at {
			if len(free) > 0 {
				place[id], free = free[len(free)-1], free[:len(free)-1]
			} else {
				place[id] = places
				places++
			}
			ends[last[i]] = append(ends[last[i]], id)
			fmt.Fprintf(&bodies[at], "carry[%d] = v%d\n", place[id], i)
		}
	}
	fmt.Fprintf(e.w, "var carry [%d]float64\n", places)
	for k := range bodies {
		fmt.Fprintf(e.w, "%sPart%d(&carry, %s)\n", e.local, k, e.arguments())
	}
	e.w.WriteString("}\n")
	for k := range bodies {
		fmt.Fprintf(e.w, "\nfunc %sPart%d(carry *[%d]float64, %s) {\n%s}\n", e.local, k, places, e.single(), &bodies[k])
	}
	return nil
}

// gather prints a loop that evaluates the samples from first to end one by one.
func (e *emitter) gather(first, end string) {
	fmt.Fprintf(e.w, "var xs [%d]float64\n", len(e.p.Inputs))
	for _, r := range e.results {
		fmt.Fprintf(e.w, "var %ss [%d]float64\n", r.Name, r.Len)
	}
	call := e.sample + "(&xs"
	for _, r := range e.results {
		call += fmt.Sprintf(", &%ss", r.Name)
	}
	fmt.Fprintf(e.w, "for k := %s; k < %s; k++ {\nfor j := range xs {\nxs[j] = x[j*n+k]\n}\n%s)\n", first, end, call)
	for _, r := range e.results {
		fmt.Fprintf(e.w, "for i := range %ss {\n%s[i*n+k] = %ss[i]\n}\n", r.Name, r.Name, r.Name)
	}
	e.w.WriteString("}\n")
}
