package ir_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

const graphHead = `{"format": "alphagrad-graph/1", "name": "p", "inputs": [{"name": "x", "shape": []}], `

// TestBadGraphs: one clear error naming node and reason.
func TestBadGraphs(t *testing.T) {
	cases := map[string][2]string{
		"unknown op":    {`"nodes": [{"name": "a", "op": "sine", "args": ["x"]}], "outputs": ["a"]}`, `node "a" (sine): unknown op; did you mean "sin"?`},
		"unknown name":  {`"nodes": [{"name": "a", "op": "sin", "args": ["q"]}], "outputs": ["a"]}`, `node "a" (sin): argument "q" is no input and no node`},
		"cycle":         {`"nodes": [{"name": "a", "op": "sin", "args": ["b"]}, {"name": "b", "op": "cos", "args": ["a"]}], "outputs": ["a"]}`, `lies on a cycle: b → a → b`},
		"self":          {`"nodes": [{"name": "a", "op": "sin", "args": ["a"]}], "outputs": ["a"]}`, `lies on a cycle: a → a`},
		"later":         {`"nodes": [{"name": "a", "op": "sin", "args": ["b"]}, {"name": "b", "op": "cos", "args": ["x"]}], "outputs": ["a"]}`, `declared only later`},
		"duplicate":     {`"nodes": [{"name": "a", "op": "sin", "args": ["x"]}, {"name": "a", "op": "cos", "args": ["x"]}], "outputs": ["a"]}`, `node "a" (cos): the name is used twice`},
		"input again":   {`"nodes": [{"name": "x", "op": "sin", "args": ["x"]}], "outputs": ["x"]}`, `node "x" (sin): the name is used twice`},
		"arity":         {`"nodes": [{"name": "a", "op": "add", "args": ["x"]}], "outputs": ["a"]}`, `node "a" (add): takes 2 argument(s), has 1`},
		"no arguments":  {`"nodes": [{"name": "a", "op": "concat", "args": [], "attrs": {"axis": 0}}], "outputs": ["a"]}`, `takes arguments, has none`},
		"argument":      {`"nodes": [{"name": "a", "op": "sin", "args": [true]}], "outputs": ["a"]}`, `expected a name or a number`},
		"null":          {`"nodes": [{"name": "a", "op": "sin", "args": [null]}], "outputs": ["a"]}`, `expected a name or a number`},
		"attribute":     {`"nodes": [{"name": "a", "op": "sin", "args": ["x"], "attrs": {"n": 2}}], "outputs": ["a"]}`, `takes no attribute "n"`},
		"missing":       {`"nodes": [{"name": "a", "op": "powi", "args": ["x"]}], "outputs": ["a"]}`, `needs the attribute "n"`},
		"power":         {`"nodes": [{"name": "a", "op": "powi", "args": ["x"], "attrs": {"n": 99999999}}], "outputs": ["a"]}`, `exponent n`},
		"shape":         {`"nodes": [{"name": "a", "op": "reshape", "args": ["x"], "attrs": {"shape": [2]}}], "outputs": ["a"]}`, `cannot reshape`},
		"huge":          {`"nodes": [{"name": "a", "op": "broadcast", "args": ["x"], "attrs": {"shape": [99999,99999,99999,99999,99999], "axes": []}}], "outputs": ["a"]}`, `more than`},
		"surrogate":     {`"nodes": [{"name": "a", "op": "heaviside", "args": ["x"], "attrs": {"surrogate": "bump"}}], "outputs": ["a"]}`, `unknown surrogate "bump"`},
		"output":        {`"nodes": [], "outputs": ["a"]}`, `output "a": there is no node "a"`},
		"output twice":  {`"nodes": [], "outputs": ["x", "x"]}`, `declared twice`},
		"no outputs":    {`"nodes": [], "outputs": []}`, `has no outputs`},
		"unknown field": {`"nodes": [], "outputs": ["x"], "extra": 1}`, `unknown field "extra"`},
		"cut off":       {`"nodes": [], "outp`, `ends in the middle`},
		"no name":       {`"nodes": [{"name": "", "op": "sin", "args": ["x"]}], "outputs": ["x"]}`, `has no name`},
		"const":         {`"nodes": [{"name": "c", "op": "const", "attrs": {"shape": [2], "value": [1]}}], "outputs": ["c"]}`, `needs 2 numbers, has 1`},
	}
	dir := t.TempDir()
	for name, c := range cases {
		path := filepath.Join(dir, "graph.json")
		if err := os.WriteFile(path, []byte(graphHead+c[0]), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ir.ReadGraphFile(path)
		if err == nil || !strings.Contains(err.Error(), c[1]) || !strings.HasPrefix(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q, want one line that begins with the file and says %q", name, err, c[1])
		}
	}
	if _, err := ir.ReadGraph(strings.NewReader(`{"format": "x"}`)); err == nil || !strings.Contains(err.Error(), ir.GraphFormat) {
		t.Errorf("foreign format: %v", err)
	}
	if _, err := ir.ReadGraph(strings.NewReader("[1")); err == nil {
		t.Error("an array is no graph")
	}
}

// TestLongGraph reads a graph of a million nodes, and one whose cycle is as long.
func TestLongGraph(t *testing.T) {
	const n = 1_000_000
	write := func(n int, first string) *bytes.Buffer {
		var b bytes.Buffer
		b.WriteString(graphHead + `"nodes": [` + fmt.Sprintf(`{"name": "n0", "op": "sin", "args": [%q]}`, first))
		for i := 1; i < n; i++ {
			fmt.Fprintf(&b, `,{"name":"n%d","op":"sin","args":["n%d"]}`, i, i-1)
		}
		fmt.Fprintf(&b, `], "outputs": ["n%d"]}`, n-1)
		return &b
	}
	start := time.Now()
	p, err := ir.ReadGraph(write(n, "x"))
	if err != nil || len(p.Vertices()) != n {
		t.Fatalf("long chain: %v", err)
	}
	if _, err = ir.ReadGraph(write(n/10, fmt.Sprintf("n%d", n/10-1))); err == nil || !strings.Contains(err.Error(), "cycle") || len(err.Error()) > 400 {
		t.Errorf("long cycle: %.400v", err)
	}
	t.Logf("both in %v", time.Since(start))
}

func FuzzReadGraph(f *testing.F) {
	f.Add(graphHead + `"nodes": [{"name": "a", "op": "mul", "args": ["x", 2.5]}], "outputs": ["a", {"name": "b", "node": "x"}]}`)
	f.Add(graphHead + `"nodes": [{"name": "c", "op": "const", "attrs": {"shape": [2], "value": [1, "inf"]}}, {"name": "e", "op": "einsum", "args": ["c", "c"], "attrs": {"spec": "i,j->ij"}}], "outputs": ["e"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ir.ReadGraph(strings.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := ir.WriteGraph(&b, p); err != nil {
			t.Fatalf("accepted but illegal: %v", err)
		}
		q, err := ir.ReadGraph(&b)
		if err != nil || !ir.Equal(p, q) {
			t.Fatalf("does not read back: %v\n%s\n%s", err, p, q)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("program p\ninput x []\ny = powi(x) {\"n\": 3}\n\"a b\" = mul(y, -2e3)\noutput y\noutput z = \"a b\"\n")
	f.Add("program \"\"\ninput x [2,3]\nc = const [2] {1, NaN}\ny = einsum(x, c) {\"spec\": \"ij,i->j\"}\noutput y")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ir.Parse(text)
		if err != nil {
			return
		}
		q, err := ir.Parse(ir.Print(p))
		if err != nil || !ir.Equal(p, q) {
			t.Fatalf("does not read back: %v\n%s", err, ir.Print(p))
		}
	})
}
