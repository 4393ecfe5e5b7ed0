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
)

// Encode returns config, a struct or a pointer to one, as YAML that Decode reads back to the same value. Keys are in
// declaration order, map keys sorted. Strings are quoted wherever a YAML reader could take them for something else.
func Encode(config any) ([]byte, error) {
	v := reflect.Indirect(reflect.ValueOf(config))
	if v.Kind() != reflect.Struct {
		return nil, fmt.Errorf("configuration is a %T, expected a struct or a pointer to one", config)
	}
	tree, err := plain(v)
	if err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	var b strings.Builder
	writeYAML(&b, tree, "")
	return []byte(strings.TrimPrefix(b.String(), "\n") + "\n"), nil
}

// entry is a key of a mapping with its value; an []entry is a mapping that keeps its order.
type entry struct {
	key   string
	value any
}

// plain reduces v to nil, bool, int64, uint64, float64, string, []any and []entry.
func plain(v reflect.Value) (any, error) {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil, nil
		}
		return plain(v.Elem())
	}
	if v.Type() == durationType {
		return time.Duration(v.Int()).String(), nil
	}
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		return string(text), err
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint(), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.String:
		return v.String(), nil
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return nil, nil
		}
		list := make([]any, v.Len())
		for i := range list {
			var err error
			if list[i], err = plain(v.Index(i)); err != nil {
				return nil, err
			}
		}
		return list, nil
	case reflect.Struct:
		mapping := []entry{}
		fields := fieldsOf(v.Type())
		for _, name := range fields.names {
			value, err := plain(v.FieldByIndex(fields.index[name]))
			if err != nil {
				return nil, err
			}
			mapping = append(mapping, entry{name, value})
		}
		return mapping, nil
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			break
		}
		if v.IsNil() {
			return nil, nil
		}
		mapping := []entry{}
		for it := v.MapRange(); it.Next(); {
			value, err := plain(it.Value())
			if err != nil {
				return nil, err
			}
			mapping = append(mapping, entry{it.Key().String(), value})
		}
		slices.SortFunc(mapping, func(a, b entry) int { return strings.Compare(a.key, b.key) })
		return mapping, nil
	}
	return nil, fmt.Errorf("a value of type %s has no YAML form", v.Type())
}

// writeYAML writes value after a key or list dash, in block style for mappings and flow style for lists of scalars.
func writeYAML(b *strings.Builder, value any, indent string) {
	switch v := value.(type) {
	case []entry:
		if len(v) == 0 {
			b.WriteString(" {}")
		}
		for _, e := range v {
			b.WriteString("\n" + indent + yamlString(e.key) + ":")
			writeYAML(b, e.value, indent+"  ")
		}
	case []any:
		if !slices.ContainsFunc(v, composite) {
			words := make([]string, len(v))
			for i, element := range v {
				words[i] = yamlScalar(element)
			}
			b.WriteString(" [" + strings.Join(words, ", ") + "]")
			return
		}
		for _, element := range v {
			var inner strings.Builder
			writeYAML(&inner, element, indent+"  ")
			// The first line of a mapping or list goes on the line of its dash.
			text := strings.TrimPrefix(inner.String(), "\n"+indent+" ")
			b.WriteString("\n" + indent + "-" + text)
		}
	default:
		b.WriteString(" " + yamlScalar(v))
	}
}

func composite(value any) bool {
	switch value.(type) {
	case []entry, []any:
		return true
	}
	return false
}

func yamlScalar(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return yamlString(v)
	case float64:
		switch {
		case math.IsNaN(v):
			return ".nan"
		case math.IsInf(v, 1):
			return ".inf"
		case math.IsInf(v, -1):
			return "-.inf"
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// A plain word, duration or relative path needs no quotes, unless it is one of the words that some YAML version reads as
// a boolean, a null or a number.
var (
	plainString    = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_./-]*|[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)[0-9a-z.]*)$`)
	reservedString = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null)$`)
)

func yamlString(s string) string {
	if plainString.MatchString(s) && !reservedString.MatchString(s) {
		return s
	}
	// Go's escapes are a subset of YAML's for every valid string.
	return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD"))
}
