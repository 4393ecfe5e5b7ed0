package rules

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestDocument: the documented rule and space are legal, and every kind of edit and every order is documented.
func TestDocument(t *testing.T) {
	data, err := os.ReadFile("../../docs/rule-files.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) []byte {
		m := regexp.MustCompile("(?s)```" + kind + "\n(.*?)```").FindSubmatch(data)
		if m == nil {
			t.Fatalf("no %s", kind)
		}
		return m[1]
	}
	rec := recurrence(t, "alif", 3, 5)
	r, err := Parse(block("json"))
	if err != nil {
		t.Fatal(err)
	}
	meaning(t, rec, r)
	var c struct{ Space []Choice }
	if err := yaml.Unmarshal(block("yaml"), &c); err != nil {
		t.Fatal(err)
	}
	if s, err := NewSpace(rec, c.Space); err != nil || s.Size() != 72 {
		t.Errorf("space of %v: %v", s, err)
	}
	for kind := range kinds {
		if !strings.Contains(string(data), "\n| "+kind+" | ") {
			t.Errorf("%s is not documented", kind)
		}
	}
	for _, o := range OrderNames() {
		if !strings.Contains(string(data), "`"+o+"`") {
			t.Errorf("order %s is not documented", o)
		}
	}
}
