package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// Print writes a program as text, one node a line; [Parse] reads it back.
//
//	program lighthouse
//	input nu []
//	input gamma []
//	input omega []
//	input t []
//	a = mul(omega, t)
//	b = tan(a)
//	y1 = powi(b) {"n": 2}
//	output y1
//	output z = a
//
// Scalar constants stand where they are used; array constants have a line of their own, c = const [2] {1, 2}. Names that
// are no identifiers are quoted.
func Print(p *Program) string {
	var b strings.Builder
	names := p.DisplayNames()
	used := usedAsOutput(p)
	fmt.Fprintf(&b, "program %s\n", quoteName(p.Name))
	for i := range p.Nodes {
		n := &p.Nodes[i]
		switch {
		case n.Op == OpInput:
			fmt.Fprintf(&b, "input %s %v\n", quoteName(names[i]), n.Shape)
		case n.Op == OpConst:
			if inlineConst(n) && !used[i] {
				continue
			}
			nums := make([]string, len(n.Value))
			for k, x := range n.Value {
				nums[k] = strconv.FormatFloat(x, 'g', -1, 64)
			}
			fmt.Fprintf(&b, "%s = const %v {%s}\n", quoteName(names[i]), n.Shape, strings.Join(nums, ", "))
		default:
			args := make([]string, len(n.Args))
			for k, a := range n.Args {
				if m := &p.Nodes[a]; m.Op == OpConst && inlineConst(m) && !used[a] {
					args[k] = strconv.FormatFloat(m.Value[0], 'g', -1, 64)
				} else {
					args[k] = quoteName(names[a])
				}
			}
			fmt.Fprintf(&b, "%s = %s(%s)", quoteName(names[i]), n.Op.Name, strings.Join(args, ", "))
			if attrs := encodeAttrs(n.Op, n.Attrs); attrs != "" {
				b.WriteString(" " + attrs)
			}
			b.WriteByte('\n')
		}
	}
	for _, o := range p.Outputs {
		if o.Name == names[o.Node] {
			fmt.Fprintf(&b, "output %s\n", quoteName(o.Name))
		} else {
			fmt.Fprintf(&b, "output %s = %s\n", quoteName(o.Name), quoteName(names[o.Node]))
		}
	}
	return b.String()
}

// String prints the program as text.
func (p *Program) String() string { return Print(p) }

// quoteName leaves identifiers bare and quotes every other name.
func quoteName(s string) string {
	if isIdent(s) {
		return s
	}
	return strconv.Quote(s)
}

func isIdent(s string) bool {
	for i, r := range s {
		letter := r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z')
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	// A bare name must not read as a number or a keyword.
	_, err := strconv.ParseFloat(s, 64)
	return s != "" && err != nil && s != "program" && s != "input" && s != "output" && s != "const"
}
