package runs

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Override applies one assignment of the form key=value to config, a pointer to a struct. The key is a dotted path of
// mapping keys and list indices ("methods.0.budget"); the value is YAML ("[1, 2]", "10s", "{a: 1}"), except that a
// string needs no quotes. Unknown keys and values of the wrong type are errors, and leave config as it was.
func Override(config any, assignment string) error {
	root, err := target(config)
	if err != nil {
		return err
	}
	path, text, ok := strings.Cut(assignment, "=")
	path = strings.TrimSpace(path)
	if !ok || path == "" {
		return fmt.Errorf("override %q: expected key=value, such as seed=7 or search.budget=10s", assignment)
	}
	o := override{assignment: assignment, text: text}
	// Work on a copy of every level from the root down and store it only at the end: an error changes nothing.
	updated, err := o.set(root, strings.Split(path, "."), "")
	if err != nil {
		return err
	}
	root.Set(updated)
	return nil
}

// override is one assignment on its way down the configuration.
type override struct {
	assignment, text string
}

// set returns a copy of v in which the value at the remaining path is replaced; at is the path walked so far.
func (o override) set(v reflect.Value, path []string, at string) (reflect.Value, error) {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	if len(path) == 0 {
		return out, o.parse(out, at)
	}
	key, rest := path[0], path[1:]
	here := join(at, key)
	switch v.Kind() {
	case reflect.Pointer:
		element := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			element.Elem().Set(v.Elem())
		}
		inner, err := o.set(element.Elem(), path, at)
		if err != nil {
			return out, err
		}
		element.Elem().Set(inner)
		out.Set(element)
		return out, nil

	case reflect.Struct:
		fields := fieldsOf(v.Type())
		index, ok := fields.index[key]
		if !ok {
			return out, o.fail("%s", unknownKey(here, key, fields.names))
		}
		inner, err := o.set(v.FieldByIndex(index), rest, here)
		if err != nil {
			return out, err
		}
		out.FieldByIndex(index).Set(inner)
		return out, nil

	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return out, o.fail("%s: its keys are not text, set the whole mapping instead", at)
		}
		name := reflect.ValueOf(key).Convert(v.Type().Key())
		element := reflect.New(v.Type().Elem()).Elem()
		if old := v.MapIndex(name); old.IsValid() {
			element.Set(old)
		}
		inner, err := o.set(element, rest, here)
		if err != nil {
			return out, err
		}
		out.Set(reflect.MakeMap(v.Type()))
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(it.Key(), it.Value())
		}
		out.SetMapIndex(name, inner)
		return out, nil

	case reflect.Slice, reflect.Array:
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= v.Len() {
			return out, o.fail("%s has %d entries, %q is not one of their indices", at, v.Len(), key)
		}
		inner, err := o.set(v.Index(i), rest, here)
		if err != nil {
			return out, err
		}
		if v.Kind() == reflect.Slice {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			reflect.Copy(out, v)
		}
		out.Index(i).Set(inner)
		return out, nil

	default:
		return out, o.fail("%s is %s and has no key %q", at, expected(v.Type()), key)
	}
}

// parse stores the value of the assignment in v.
func (o override) parse(v reflect.Value, path string) error {
	element := v.Type()
	if element.Kind() == reflect.Pointer {
		element = element.Elem()
	}
	if element.Kind() == reflect.String && !strings.HasPrefix(o.text, `"`) && !strings.HasPrefix(o.text, `'`) {
		// On a command line quotes are the shell's, so a string is taken as it is, even if it looks like a number.
		target := v
		if v.Kind() == reflect.Pointer {
			target = reflect.New(element)
			v.Set(target)
			target = target.Elem()
		}
		target.SetString(o.text)
		return nil
	}
	name := fmt.Sprintf("override %q", o.assignment)
	node, err := parse(name, []byte(o.text))
	if err != nil {
		return err
	}
	return decoder{name: name}.decode(node, v, path)
}

func (o override) fail(format string, args ...any) error {
	return fmt.Errorf("override %q: %s", o.assignment, fmt.Sprintf(format, args...))
}

// unknownKey describes a key that does not exist among its siblings: with the one that was probably meant, or else with
// all of them.
func unknownKey(path, key string, known []string) string {
	best, distance := "", len(key)/3+2
	for _, name := range known {
		if d := editDistance(strings.ToLower(key), strings.ToLower(name)); d < distance {
			best, distance = name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("unknown key %q, did you mean %q?", path, strings.TrimSuffix(path, key)+best)
	}
	if len(known) == 0 {
		return fmt.Sprintf("unknown key %q, no keys are possible here", path)
	}
	names := slices.Sorted(slices.Values(known))
	return fmt.Sprintf("unknown key %q, expected one of %s", path, strings.Join(names, ", "))
}

// editDistance is the Levenshtein distance between a and b in bytes: insertions, deletions and substitutions.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitution := diagonal
			if a[i] != b[j] {
				substitution++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitution, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
