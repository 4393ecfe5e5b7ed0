package alphagrad_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// TestGraphFileDocument: the documented example is a legal file, and every op of the table is documented.
func TestGraphFileDocument(t *testing.T) {
	data, err := os.ReadFile("../docs/graph-files.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(data)
	if example == nil {
		t.Fatal("no example")
	}
	if _, err := ir.ReadGraph(strings.NewReader(string(example[1]))); err != nil {
		t.Error(err)
	}
	words := strings.Fields(regexp.MustCompile(`[|(),]`).ReplaceAllString(string(data), " "))
	known := map[string]bool{}
	for _, w := range words {
		known[w] = true
	}
	for _, op := range ir.Ops() {
		if op.Class != ir.Leaf && !known[op.Name] {
			t.Errorf("op %s is not documented", op)
		}
	}
}
