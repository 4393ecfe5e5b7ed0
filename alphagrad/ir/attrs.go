package ir

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// attrField binds one attribute's name in files to its field.
type attrField struct {
	name   string
	ptr    func(a *Attrs) any
	isZero func(a *Attrs) bool
}

func field(name string, ptr func(a *Attrs) any) attrField {
	return attrField{name, ptr, func(a *Attrs) bool { return reflect.ValueOf(ptr(a)).Elem().IsZero() }}
}

// attrFields lists the attributes in the order in which files show them.
var attrFields = []attrField{
	field("n", func(a *Attrs) any { return &a.N }),
	field("axis", func(a *Attrs) any { return &a.Axis }),
	field("axes", func(a *Attrs) any { return &a.Axes }),
	field("shape", func(a *Attrs) any { return &a.Shape }),
	field("start", func(a *Attrs) any { return &a.Start }),
	field("limit", func(a *Attrs) any { return &a.Limit }),
	field("stride", func(a *Attrs) any { return &a.Stride }),
	field("low", func(a *Attrs) any { return &a.Low }),
	field("high", func(a *Attrs) any { return &a.High }),
	field("indices", func(a *Attrs) any { return &a.Indices }),
	field("spec", func(a *Attrs) any { return &a.Spec }),
	field("surrogate", func(a *Attrs) any { return &a.Surrogate }),
	field("width", func(a *Attrs) any { return &a.Width }),
	field("height", func(a *Attrs) any { return &a.Height }),
	field("at_zero", func(a *Attrs) any { return &a.AtZero }),
}

// encodeAttrs writes the attributes an op takes as a JSON object; "" when there are none to write.
func encodeAttrs(op *OpInfo, a *Attrs) string {
	if a == nil {
		return ""
	}
	var b bytes.Buffer
	for _, f := range attrFields {
		required := slices.Contains(op.Attrs, f.name)
		if !required && (f.isZero(a) || !slices.Contains(op.Attrs, f.name+"?")) {
			continue
		}
		v, err := json.Marshal(f.ptr(a))
		if err != nil {
			panic("ir: attribute " + f.name + ": " + err.Error()) // ints, strings and finite floats always encode
		}
		if string(v) == "null" {
			v = []byte("[]")
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q: %s", f.name, v)
	}
	if b.Len() == 0 {
		return ""
	}
	return "{" + b.String() + "}"
}

// decodeAttrs reads a JSON object of attributes, refusing those that the op does not take and missing ones.
func decodeAttrs(op *OpInfo, raw map[string]json.RawMessage) (*Attrs, error) {
	if len(raw) == 0 && (len(op.Attrs) == 0 || strings.HasSuffix(op.Attrs[0], "?")) {
		return nil, nil
	}
	a := &Attrs{}
	for _, f := range attrFields {
		v, given := raw[f.name]
		switch {
		case !given && slices.Contains(op.Attrs, f.name):
			return nil, fmt.Errorf("needs the attribute %q", f.name)
		case given && !slices.Contains(op.Attrs, f.name) && !slices.Contains(op.Attrs, f.name+"?"):
			return nil, fmt.Errorf("takes no attribute %q", f.name)
		case given:
			if err := json.Unmarshal(v, f.ptr(a)); err != nil {
				return nil, fmt.Errorf("attribute %q: %w", f.name, err)
			}
			delete(raw, f.name)
		}
	}
	for name := range raw {
		return nil, fmt.Errorf("takes no attribute %q", name)
	}
	return a, nil
}

// sameAttrs reports whether two nodes of one op have equal attributes.
func sameAttrs(op *OpInfo, a, b *Attrs) bool { return encodeAttrs(op, a) == encodeAttrs(op, b) }
