package ir

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parse reads a program in the textual form of [Print]; errors name the line.
func Parse(text string) (*Program, error) {
	ps := &parser{at: map[string]*Value{}}
	for i, line := range strings.Split(text, "\n") {
		if err := ps.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	if ps.b == nil {
		return nil, errors.New(`no program: the first line is "program NAME"`)
	}
	return ps.b.Build()
}

type parser struct {
	b    *Builder
	at   map[string]*Value
	rest string // what is left of the current line
}

// line reads one statement.
func (ps *parser) line(text string) error {
	ps.rest = text
	if ps.skip(); ps.rest == "" || ps.rest[0] == '#' {
		return nil
	}
	quoted := ps.rest[0] == '"' // the name of a node, whatever it says
	keyword, bare := ps.word()
	if !bare && !quoted {
		return fmt.Errorf("expected a statement, found %s", abbreviate(text))
	}
	var err error
	switch {
	case ps.b == nil && (keyword != "program" || !bare):
		return errors.New(`the first line is "program NAME"`)
	case keyword == "program" && bare:
		err = ps.program()
	case keyword == "input" && bare:
		err = ps.input()
	case keyword == "output" && bare:
		err = ps.output()
	default:
		ps.rest = text
		err = ps.node()
	}
	if err == nil {
		if ps.skip(); ps.rest != "" && ps.rest[0] != '#' {
			err = fmt.Errorf("unexpected %s", abbreviate(ps.rest))
		}
	}
	if err == nil {
		err = ps.b.err
	}
	return err
}

func (ps *parser) program() error {
	if ps.b != nil {
		return errors.New("a second program")
	}
	name, err := ps.name()
	ps.b = NewBuilder(name)
	return err
}

func (ps *parser) input() error {
	name, err := ps.name()
	if err != nil {
		return err
	}
	shape, err := ps.shape()
	if err != nil {
		return err
	}
	ps.at[name] = ps.b.Input(name, shape...)
	return nil
}

func (ps *parser) output() error {
	name, err := ps.name()
	if err != nil {
		return err
	}
	node := name
	if ps.eat("=") {
		if node, err = ps.name(); err != nil {
			return err
		}
	}
	v := ps.at[node]
	if v == nil {
		return fmt.Errorf("output %q: there is no node %q", name, node)
	}
	ps.b.p.Outputs = append(ps.b.p.Outputs, Output{Name: name, Node: v.id})
	return nil
}

func (ps *parser) node() error {
	name, err := ps.name()
	if err != nil {
		return err
	}
	if !ps.eat("=") {
		return fmt.Errorf("expected = after %q", name)
	}
	opName, bare := ps.word()
	if !bare {
		return fmt.Errorf("expected an op after %q =", name)
	}
	op, ok := Op(opName)
	if !ok || op == OpInput {
		return &NodeError{Node: name, Err: fmt.Errorf("unknown op %q%s", opName, Suggest(opName, opNames()))}
	}
	var v *Value
	if op == OpConst {
		v, err = ps.constant()
	} else {
		v, err = ps.apply(op)
	}
	if err != nil {
		return &NodeError{Node: name, Op: opName, Err: err}
	}
	ps.at[name] = v.Named(name)
	return nil
}

func (ps *parser) apply(op *OpInfo) (*Value, error) {
	var args []*Value
	if !ps.eat("(") {
		return nil, errors.New("expected (")
	}
	for !ps.eat(")") {
		if len(args) > 0 && !ps.eat(",") {
			return nil, errors.New("expected , or ) between arguments")
		}
		if x, ok := ps.number(); ok {
			args = append(args, Const(ps.b, x))
			continue
		}
		name, err := ps.name()
		if err != nil {
			return nil, err
		}
		v := ps.at[name]
		if v == nil {
			return nil, fmt.Errorf("argument %q is no earlier node", name)
		}
		args = append(args, v)
	}
	if len(args) == 0 {
		return nil, errors.New("takes arguments, has none")
	}
	raw := map[string]json.RawMessage{}
	if ps.skip(); strings.HasPrefix(ps.rest, "{") {
		dec := json.NewDecoder(strings.NewReader(ps.rest))
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("attributes: %w", err)
		}
		ps.rest = ps.rest[dec.InputOffset():]
	}
	attrs, err := decodeAttrs(op, raw)
	if err != nil {
		return nil, err
	}
	if err := checkAttrs(op, attrs); err != nil {
		return nil, err
	}
	return Apply(op, attrs, args...), nil
}

func (ps *parser) constant() (*Value, error) {
	shape, err := ps.shape()
	if err != nil {
		return nil, err
	}
	if !ps.eat("{") {
		return nil, errors.New("expected { before the numbers")
	}
	var data []float64
	for !ps.eat("}") {
		if len(data) > 0 && !ps.eat(",") {
			return nil, errors.New("expected , or } between numbers")
		}
		x, ok := ps.number()
		if !ok {
			return nil, fmt.Errorf("expected a number, found %s", abbreviate(ps.rest))
		}
		data = append(data, x)
	}
	return ConstTensor(ps.b, shape, data), nil
}

func (ps *parser) shape() ([]int, error) {
	shape := []int{}
	if !ps.eat("[") {
		return nil, errors.New("expected a shape such as [2,3]")
	}
	for !ps.eat("]") {
		if len(shape) > 0 && !ps.eat(",") {
			return nil, errors.New("expected , or ] in a shape")
		}
		w, _ := ps.word()
		d, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("expected an axis size, found %q", w)
		}
		shape = append(shape, d)
	}
	return shape, nil
}

func (ps *parser) skip() { ps.rest = strings.TrimLeft(ps.rest, " \t\r") }

func (ps *parser) eat(token string) bool {
	ps.skip()
	if !strings.HasPrefix(ps.rest, token) {
		return false
	}
	ps.rest = ps.rest[len(token):]
	return true
}

// word takes a run of letters, digits and the signs of numbers; or a quoted string (bare is false then).
func (ps *parser) word() (w string, bare bool) {
	ps.skip()
	if strings.HasPrefix(ps.rest, `"`) {
		q, err := strconv.QuotedPrefix(ps.rest)
		if err != nil {
			return "", false
		}
		ps.rest = ps.rest[len(q):]
		w, _ = strconv.Unquote(q)
		return w, false
	}
	end := strings.IndexFunc(ps.rest, func(r rune) bool {
		return r != '_' && r != '.' && r != '+' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end < 0 {
		end = len(ps.rest)
	}
	w, ps.rest = ps.rest[:end], ps.rest[end:]
	return w, w != ""
}

func (ps *parser) name() (string, error) {
	ps.skip()
	before := ps.rest
	quoted := strings.HasPrefix(before, `"`)
	w, bare := ps.word()
	if !utf8.ValidString(before) || (!quoted && (!bare || !isIdent(w))) || (quoted && ps.rest == before) {
		return "", fmt.Errorf("expected a name, found %s", abbreviate(before))
	}
	return w, nil
}

func (ps *parser) number() (float64, bool) {
	ps.skip()
	before := ps.rest
	w, bare := ps.word()
	x, err := strconv.ParseFloat(w, 64)
	if !bare || err != nil {
		ps.rest = before
		return 0, false
	}
	return x, true
}
