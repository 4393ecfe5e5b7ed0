package runs

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

var (
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decoder stores a YAML syntax tree in a Go value. The general decoder of the YAML library is not used because it knows
// neither which key a value belongs to nor which keys would have been right, and both belong in the error.
type decoder struct {
	name string // file, or the override being applied
}

// decode stores node in v, which is settable; path is v's key, "" for the whole configuration. Struct fields that node
// does not mention keep their value; lists and maps are replaced.
func (d decoder) decode(node ast.Node, v reflect.Value, path string) error {
	switch n := node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return d.fail(node, path, "anchors, aliases and merge keys are not supported: write the value out")
	case *ast.TagNode:
		return d.fail(node, path, "the tag %s is not supported: write a plain value", n.Start.Value)
	case nil, *ast.NullNode:
		switch v.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			v.SetZero()
			return nil
		}
		return d.fail(node, path, "the value is empty, expected %s", expected(v.Type()))
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			p.Elem().Set(v.Elem())
		}
		if err := d.decode(node, p.Elem(), path); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	if v.Type() == durationType {
		return d.duration(node, v, path)
	}
	if v.CanAddr() && v.Addr().Type().Implements(textType) {
		text, ok := scalarText(node)
		if !ok {
			return d.mismatch(node, v, path)
		}
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
			return d.fail(node, path, "%v", err)
		}
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return d.structure(node, v, path)
	case reflect.Map:
		return d.mapping(node, v, path)
	case reflect.Slice, reflect.Array:
		return d.list(node, v, path)
	default:
		return d.scalar(node, v, path)
	}
}

func (d decoder) structure(node ast.Node, v reflect.Value, path string) error {
	m, ok := node.(ast.MapNode)
	if !ok {
		return d.mismatch(node, v, path)
	}
	fields := fieldsOf(v.Type())
	for it := m.MapRange(); it.Next(); {
		key := keyText(it.Key())
		index, ok := fields.index[key]
		if !ok {
			return d.fail(it.Key(), "", "%s", unknownKey(join(path, key), key, fields.names))
		}
		if err := d.decode(it.Value(), v.FieldByIndex(index), join(path, key)); err != nil {
			return err
		}
	}
	return nil
}

func (d decoder) mapping(node ast.Node, v reflect.Value, path string) error {
	m, ok := node.(ast.MapNode)
	if !ok || v.Type().Key().Kind() != reflect.String {
		return d.mismatch(node, v, path)
	}
	out := reflect.MakeMap(v.Type())
	for it := m.MapRange(); it.Next(); {
		key := keyText(it.Key())
		element := reflect.New(v.Type().Elem()).Elem()
		if err := d.decode(it.Value(), element, join(path, key)); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
	}
	v.Set(out)
	return nil
}

func (d decoder) list(node ast.Node, v reflect.Value, path string) error {
	seq, ok := node.(*ast.SequenceNode)
	if !ok {
		return d.mismatch(node, v, path)
	}
	out := reflect.New(v.Type()).Elem()
	if v.Kind() == reflect.Slice {
		out.Set(reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values)))
	} else if v.Len() != len(seq.Values) {
		return d.fail(node, path, "%d values, expected %d", len(seq.Values), v.Len())
	}
	for i, value := range seq.Values {
		if err := d.decode(value, out.Index(i), join(path, strconv.Itoa(i))); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func (d decoder) duration(node ast.Node, v reflect.Value, path string) error {
	text, ok := scalarText(node)
	if !ok {
		return d.mismatch(node, v, path)
	}
	// A bare number has no unit, and guessing nanoseconds or seconds would be wrong for somebody.
	duration, err := time.ParseDuration(text)
	if err != nil {
		return d.mismatch(node, v, path)
	}
	v.SetInt(int64(duration))
	return nil
}

func (d decoder) scalar(node ast.Node, v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.String:
		switch n := node.(type) {
		case *ast.StringNode:
			v.SetString(n.Value)
			return nil
		case *ast.LiteralNode:
			v.SetString(n.Value.Value)
			return nil
		}
	case reflect.Bool:
		if n, ok := node.(*ast.BoolNode); ok {
			v.SetBool(n.Value)
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if i, ok := integer(node); ok && i <= math.MaxInt64 {
			if n := int64(i); !v.OverflowInt(n) {
				v.SetInt(n)
				return nil
			}
		} else if n, ok := negative(node); ok && !v.OverflowInt(n) {
			v.SetInt(n)
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if i, ok := integer(node); ok && !v.OverflowUint(i) {
			v.SetUint(i)
			return nil
		}
	case reflect.Float32, reflect.Float64:
		if f, ok := float(node); ok && (math.IsInf(f, 0) || !v.OverflowFloat(f)) {
			v.SetFloat(f)
			return nil
		}
	case reflect.Interface:
		return d.fail(node, path, "this key has no fixed type and cannot be configured")
	}
	return d.mismatch(node, v, path)
}

// integer returns a non-negative whole number. 1e6 counts as one where float64 is exact, because budgets are written so.
func integer(node ast.Node) (uint64, bool) {
	switch n := node.(type) {
	case *ast.IntegerNode:
		switch i := n.Value.(type) {
		case uint64:
			return i, true
		case int64:
			return uint64(i), i >= 0
		}
	default:
		if f, ok := float(node); ok && f >= 0 && f <= 1<<53 && f == math.Trunc(f) {
			return uint64(f), true
		}
	}
	return 0, false
}

// negative returns a whole number below zero.
func negative(node ast.Node) (int64, bool) {
	switch n := node.(type) {
	case *ast.IntegerNode:
		i, ok := n.Value.(int64)
		return i, ok && i < 0
	default:
		if f, ok := float(node); ok && f < 0 && f >= -1<<53 && f == math.Trunc(f) {
			return int64(f), true
		}
	}
	return 0, false
}

func float(node ast.Node) (float64, bool) {
	switch n := node.(type) {
	case *ast.FloatNode:
		return n.Value, true
	case *ast.IntegerNode:
		switch i := n.Value.(type) {
		case uint64:
			return float64(i), true
		case int64:
			return float64(i), true
		}
	case *ast.InfinityNode:
		return n.Value, true
	case *ast.NanNode:
		return math.NaN(), true
	case *ast.StringNode:
		// The parser takes 1e6, a number in YAML 1.2, for a string because it has no decimal point.
		if n.Token.Type == token.StringType && exponentNumber.MatchString(n.Value) {
			f, err := strconv.ParseFloat(n.Value, 64)
			return f, err == nil
		}
	}
	return 0, false
}

var exponentNumber = regexp.MustCompile(`^[-+]?[0-9]+[eE][-+]?[0-9]+$`)

// scalarText returns a scalar as written in the file, without quotes.
func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// mismatch reports a value of the wrong type.
func (d decoder) mismatch(node ast.Node, v reflect.Value, path string) error {
	got := "a list"
	switch n := node.(type) {
	case ast.MapNode:
		got = "a mapping"
	case *ast.SequenceNode:
	default:
		got = strconv.Quote(n.GetToken().Value)
	}
	return d.fail(node, path, "%s, expected %s", got, expected(v.Type()))
}

// fail returns an error located at node.
func (d decoder) fail(node ast.Node, path, format string, args ...any) error {
	where := d.name
	if node != nil {
		if tok := node.GetToken(); tok != nil && tok.Position != nil {
			where = fmt.Sprintf("%s:%d:%d", d.name, tok.Position.Line, tok.Position.Column)
		}
	}
	if path != "" {
		where += ": " + path
	}
	return fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
}

// expected says what a value of type t looks like in YAML.
func expected(t reflect.Type) string {
	if t == durationType {
		return "a duration with its unit, such as 10s or 5m"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return expected(t.Elem())
	case reflect.String:
		return "a string (quote it if it looks like something else)"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Sprintf("a whole number that fits in %d bits", t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number of at least 0 that fits in %d bits", t.Bits())
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Array:
		return fmt.Sprintf("a list of %d", t.Len())
	case reflect.Map:
		return "a mapping"
	case reflect.Struct:
		return "a mapping with the keys " + strings.Join(fieldsOf(t).names, ", ")
	default:
		return "a value of type " + t.String()
	}
}

// fieldSet is the configurable part of a struct: key to field index, and the keys in declaration order.
type fieldSet struct {
	index map[string][]int
	names []string
}

// fieldsOf lists the exported fields of struct type t under their YAML names, with inline structs flattened
// the way the encoder writes them.
func fieldsOf(t reflect.Type) fieldSet {
	set := fieldSet{index: map[string][]int{}}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if f.Type.Kind() == reflect.Struct && slices.Contains(strings.Split(options, ","), "inline") {
			inner := fieldsOf(f.Type)
			for _, key := range inner.names {
				set.add(key, append([]int{i}, inner.index[key]...))
			}
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		set.add(name, []int{i})
	}
	return set
}

func (s *fieldSet) add(key string, index []int) {
	if _, ok := s.index[key]; !ok {
		s.names = append(s.names, key)
	}
	s.index[key] = index
}

// keyText returns a mapping key as text.
func keyText(key ast.MapKeyNode) string {
	if s, ok := key.(*ast.StringNode); ok {
		return s.Value
	}
	return key.GetToken().Value
}

// join extends a dotted key.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
