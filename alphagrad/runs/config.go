package runs

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// The YAML parser needs time and memory quadratic in the number of keys and in the depth of nesting. These bounds, far
// beyond any configuration, keep hostile or mistaken input at about a second.
const (
	maxConfigBytes = 64 << 10
	maxConfigDepth = 64 // open brackets and braces
)

// Validator is implemented by configurations that check what types cannot express: ranges, known names, combinations.
// The error names the key and what is expected.
type Validator interface{ Validate() error }

// Load fills config, a pointer to a struct that already holds its defaults, from the YAML file at path, applies the
// overrides ("search.budget=10s") in order, and calls Validate if config has it. Keys are the struct's yaml tags.
//
// Loading is strict. An unknown key, a value of the wrong type, an overflow, a second document, an anchor: each is one
// error with file, line and column, the full key, and the nearest known key. After an error config is unspecified.
func Load(path string, config any, overrides ...string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if info.Size() > maxConfigBytes {
		return fmt.Errorf("%s: %d bytes, a configuration has at most %d", path, info.Size(), maxConfigBytes)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if err := Decode(path, data, config); err != nil {
		return err
	}
	for _, assignment := range overrides {
		if err := Override(config, assignment); err != nil {
			return err
		}
	}
	if v, ok := config.(Validator); ok {
		if err := v.Validate(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// Decode is Load for bytes, without overrides and validation; name stands for the file in errors.
func Decode(name string, data []byte, config any) error {
	v, err := target(config)
	if err != nil {
		return err
	}
	root, err := parse(name, data)
	if err != nil || root == nil {
		return err
	}
	return decoder{name: name}.decode(root, v, "")
}

// Peek returns the value of the top-level string key of a YAML file, so that a program can choose the configuration
// struct by it before loading the whole file.
func Peek(path, key string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("configuration: %w", err)
	}
	root, err := parse(path, data)
	if err != nil {
		return "", err
	}
	if m, ok := root.(ast.MapNode); ok {
		for it := m.MapRange(); it.Next(); {
			if keyText(it.Key()) == key {
				var value string
				err := decoder{name: path}.decode(it.Value(), reflect.ValueOf(&value).Elem(), key)
				return value, err
			}
		}
	}
	return "", fmt.Errorf("%s: the key %q is missing", path, key)
}

// target checks that config is what Decode and Override can fill.
func target(config any) (reflect.Value, error) {
	v := reflect.ValueOf(config)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return reflect.Value{}, fmt.Errorf("configuration is a %T, expected a pointer to a struct", config)
	}
	return v.Elem(), nil
}

// parse returns the body of the only document in data, or nil if it is empty. The YAML parser is third-party code over
// untrusted text, so its panics, if any, stop here.
func parse(name string, data []byte) (root ast.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("%s: not valid YAML: %v", name, r)
		}
	}()
	if len(data) > maxConfigBytes {
		return nil, fmt.Errorf("%s: %d bytes, a configuration has at most %d", name, len(data), maxConfigBytes)
	}
	depth := 0
	for _, c := range data {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth > maxConfigDepth {
			return nil, fmt.Errorf("%s: more than %d brackets are open at once", name, maxConfigDepth)
		}
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		var yamlErr yaml.Error
		if errors.As(err, &yamlErr) {
			if tok := yamlErr.GetToken(); tok != nil && tok.Position != nil {
				return nil, fmt.Errorf("%s:%d:%d: %s", name, tok.Position.Line, tok.Position.Column, yamlErr.GetMessage())
			}
		}
		return nil, fmt.Errorf("%s: not valid YAML: %s", name, firstLine(err.Error()))
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); comment {
			continue
		}
		if root != nil {
			return nil, fmt.Errorf("%s: more than one YAML document, expected one", name)
		}
		root = doc.Body
	}
	return root, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
