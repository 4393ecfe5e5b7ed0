package ir

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxNodes bounds the length of a program.
const MaxNodes = 1 << 21

// Verify states what a legal program is; it returns the first breach:
//   - arguments come before the nodes that use them, so there are no cycles;
//   - every node has the arity, the attributes and the shape that its table row demands;
//   - a constant holds as many numbers as its shape has elements, other nodes hold none;
//   - names are unique, inputs have one, Inputs lists the input nodes once each in order;
//   - outputs exist and have unique names.
func Verify(p *Program) error {
	if p == nil {
		return errors.New("no program")
	}
	if len(p.Nodes) > MaxNodes {
		return fmt.Errorf("program %q has %d nodes; at most %d", p.Name, len(p.Nodes), MaxNodes)
	}
	names := make(map[string]bool, len(p.Nodes))
	var inputs []ID
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if err := verifyNode(p, ID(i), names); err != nil {
			e := &NodeError{Node: n.Name, Err: err}
			if n.Name == "" {
				e.Node = fmt.Sprintf("_%d", i)
			}
			if n.Op != nil {
				e.Op = n.Op.Name
			}
			return fmt.Errorf("program %q: %w", p.Name, e)
		}
		if n.Op == OpInput {
			inputs = append(inputs, ID(i))
		}
	}
	if !slices.Equal(inputs, p.Inputs) {
		return fmt.Errorf("program %q: the input list does not name the input nodes in order", p.Name)
	}
	if len(p.Outputs) == 0 {
		return fmt.Errorf("program %q has no outputs", p.Name)
	}
	outs := make(map[string]bool, len(p.Outputs))
	for _, o := range p.Outputs {
		switch {
		case o.Name == "":
			return fmt.Errorf("program %q: an output has no name", p.Name)
		case outs[o.Name]:
			return fmt.Errorf("program %q: output %q is declared twice", p.Name, o.Name)
		case o.Node < 0 || int(o.Node) >= len(p.Nodes):
			return fmt.Errorf("program %q: output %q is no node", p.Name, o.Name)
		}
		outs[o.Name] = true
	}
	return nil
}

func verifyNode(p *Program, id ID, names map[string]bool) error {
	n := &p.Nodes[id]
	if n.Op == nil {
		return errors.New("has no op")
	}
	if n.Name != "" {
		if names[n.Name] {
			return errors.New("the name is used twice")
		}
		names[n.Name] = true
	}
	shapes := make([]Shape, len(n.Args))
	for k, a := range n.Args {
		if a < 0 || a >= id {
			return fmt.Errorf("argument %d is node %d, which does not come before it", k, a)
		}
		shapes[k] = p.Nodes[a].Shape
	}
	if n.Op.Class == Leaf {
		switch {
		case len(n.Args) > 0:
			return errors.New("a leaf takes no arguments")
		case n.Op == OpInput && n.Name == "":
			return errors.New("an input needs a name")
		case n.Op == OpConst && len(n.Value) != n.Shape.Size():
			return fmt.Errorf("shape %v needs %d numbers, has %d", n.Shape, n.Shape.Size(), len(n.Value))
		case n.Op == OpInput && n.Value != nil:
			return errors.New("an input holds no value")
		}
		return checkSize(n.Shape)
	}
	if n.Value != nil {
		return errors.New("only constants hold a value")
	}
	if err := checkAttrs(n.Op, n.Attrs); err != nil {
		return err
	}
	shape, err := n.Op.resultShape(n.Attrs, shapes)
	if err != nil {
		return err
	}
	if !shape.Equal(n.Shape) {
		return fmt.Errorf("has shape %v, its arguments give %v", n.Shape, shape)
	}
	return nil
}

// maxPower bounds the exponent of powi: beyond it a double over- or underflows anyway.
const maxPower = 1 << 20

// checkAttrs reports attributes that the op does not take or whose values are out of range.
func checkAttrs(op *OpInfo, a *Attrs) error {
	if a == nil {
		if len(op.Attrs) > 0 && !strings.HasSuffix(op.Attrs[0], "?") {
			return fmt.Errorf("needs the attribute(s) %s", strings.Join(op.Attrs, ", "))
		}
		return nil
	}
	for _, f := range attrFields {
		if !f.isZero(a) && !slices.Contains(op.Attrs, f.name) && !slices.Contains(op.Attrs, f.name+"?") {
			return fmt.Errorf("takes no attribute %q", f.name)
		}
	}
	switch {
	case op == OpPowi && (a.N > maxPower || a.N < -maxPower):
		return fmt.Errorf("exponent n = %d lies outside ±%d", a.N, maxPower)
	case op == OpHeaviside && a.Surrogate != "" && !slices.Contains(Surrogates, a.Surrogate):
		return fmt.Errorf("unknown surrogate %q; known: %s", a.Surrogate, strings.Join(Surrogates, ", "))
	}
	return nil
}

// Surrogates names the derivatives that may stand in for that of the Heaviside step; with slope parameter w (attribute
// width), x the distance from threshold, and all of it times the attribute height:
//
//	piecewise_linear  w·max(0, 1 − |w·x|)     (Bellec et al. 2020)
//	fast_sigmoid      w/(1 + |w·x|)²           (Zenke & Ganguli 2018)
//	exponential       w·exp(−|w·x|)            (Shrestha & Orchard 2018)
//	arctan            w/(1 + (w·x)²)           (Fang et al. 2021, up to scale)
//	sigmoid           w·σ(w·x)·(1 − σ(w·x))    (Zenke & Vogels 2021)
var Surrogates = []string{"piecewise_linear", "fast_sigmoid", "exponential", "arctan", "sigmoid"}
