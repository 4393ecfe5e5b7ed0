package notebook

import (
	"encoding/base64"
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// imageLink matches an image in Markdown or HTML; one of the groups is its file.
var imageLink = regexp.MustCompile(`(?:!\[[^\]]*\]\(|<img [^>]*src=")([^)"]+)`)

const png = "\x89PNG\r\n\x1a\nrest"

// show returns a code cell that displayed the given data of one MIME type.
func show(mime, data string) Cell {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return Cell{Type: "code", Outputs: []Output{{Type: "display_data", Data: map[string]json.RawMessage{mime: raw}}}}
}

func stream(name, text string) Output { return Output{Type: "stream", Name: name, Text: Text(text)} }

func TestRender(t *testing.T) {
	const svg = `<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>`
	for _, c := range []struct {
		name string
		cell Cell
		want string            // page without its first line
		file map[string]string // figure files
	}{
		{"markdown", Cell{Type: "markdown", Source: "# T\n\ntext\n"}, "\n# T\n\ntext\n", nil},
		{"links", Cell{Type: "markdown", Source: "[next](02_two.ipynb), [other](x/02_two.ipynb), 02_two.ipynb"}, "\n[next](02_two.md), [other](x/02_two.ipynb), 02_two.ipynb\n", nil},
		{"code", Cell{Type: "code", Source: "x := 1"}, "\n```go\nx := 1\n```\n", nil},
		{"set-up cell", Cell{Type: "code", Source: FirstCell}, "", nil},
		{"raw cell", Cell{Type: "raw", Source: "x"}, "", nil},
		{"fence in code", Cell{Type: "code", Source: "s := `a\n```go\n```` b`"}, "\n`````go\ns := `a\n```go\n```` b`\n`````\n", nil},
		{"streams", Cell{Type: "code", Outputs: []Output{stream("stdout", "a"), stream("stderr", "log"), stream("stdout", "b\n")}}, "\n```text\nab\n```\n", nil},
		{"only stderr", Cell{Type: "code", Outputs: []Output{stream("stderr", "log")}}, "", nil},
		{"progress and colour", Cell{Type: "code", Outputs: []Output{stream("stdout", "1%\r50%\r100%\r\n\x1b[31mred\x1b[0m \n")}}, "\n```text\n100%\nred\n```\n", nil},
		{"svg", show("image/svg+xml", svg), "\n![Figure 1](n_files/figure-1.svg)\n", map[string]string{"n_files/figure-1.svg": svg + "\n"}},
		{"svg in a div", show("text/html", "<div><svg width='2'><g/></svg></div>"), "\n![Figure 1](n_files/figure-1.svg)\n",
			map[string]string{"n_files/figure-1.svg": "<svg xmlns=\"http://www.w3.org/2000/svg\" width='2'><g/></svg>\n"}},
		{"svg in a table", show("text/html", "<table>\n\n<tr><td>a</td><td>"+svg+"</td></tr></table>"),
			"\n<table>\n<tr><td>a</td><td><img alt=\"Figure 1\" src=\"n_files/figure-1.svg\"></td></tr></table>\n", map[string]string{"n_files/figure-1.svg": svg + "\n"}},
		{"png", show("image/png", base64.StdEncoding.EncodeToString([]byte(png))+"\n"), "\n![Figure 1](n_files/figure-1.png)\n", map[string]string{"n_files/figure-1.png": png}},
		{"markdown output", show("text/markdown", "| a |\n|---|\n"), "\n| a |\n|---|\n", nil},
		{"latex", show("text/latex", "$x$"), "\n$x$\n", nil},
		{"plain", show("text/plain", "42"), "\n```text\n42\n```\n", nil},
		{"html", show("text/html", "<style>a{}</style><b>x</b><script>y</script>"), "\n<b>x</b>\n", nil},
		{"cleared", Cell{Type: "code", Outputs: []Output{{Type: "display_data"}}}, "", nil},
	} {
		p, err := render("n", &Notebook{Cells: []Cell{c.cell}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		first, rest, _ := strings.Cut(p.text, "\n")
		if !strings.Contains(first, "notebooks/n.ipynb") {
			t.Errorf("%s: the page does not say where it comes from: %s", c.name, first)
		}
		if rest != c.want {
			t.Errorf("%s: got %q, want %q", c.name, rest, c.want)
		}
		if len(p.files) != len(c.file) {
			t.Errorf("%s: %d files, want %d", c.name, len(p.files), len(c.file))
		}
		for name, want := range c.file {
			if got := string(p.files[name]); got != want {
				t.Errorf("%s: %s is %q, want %q", c.name, name, got, want)
			}
		}
	}
}

// TestRenderOrder: text comes first whichever way round it arrived; figures keep their order and are numbered over the
// whole page.
func TestRenderOrder(t *testing.T) {
	a, b := show("text/markdown", "A").Outputs[0], show("image/svg+xml", "<svg></svg>").Outputs[0]
	text := stream("stdout", "text\n")
	want := ""
	for i, outputs := range [][]Output{{text, a, b}, {a, text, b}, {a, b, text}} {
		p, err := render("n", &Notebook{Cells: []Cell{show("image/svg+xml", "<svg/></svg>"), {Type: "code", Outputs: outputs}}})
		if err == nil {
			t.Fatal("broken SVG was accepted")
		}
		p, err = render("n", &Notebook{Cells: []Cell{show("image/svg+xml", "<svg></svg>"), {Type: "code", Outputs: outputs}}})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = p.text
		}
		if p.text != want {
			t.Errorf("order %d gives another page:\n%s\n%s", i, p.text, want)
		}
	}
	if !regexp.MustCompile(`(?s)figure-1.*text.*A.*figure-2`).MatchString(want) {
		t.Errorf("unexpected order:\n%s", want)
	}
}

func TestRenderErrors(t *testing.T) {
	for _, c := range []struct {
		cell Cell
		want string
	}{
		{show("image/svg+xml", "<svg><g></svg>"), "n.ipynb: code cell 1: its SVG figure is broken"},
		{show("image/svg+xml", "text"), "its SVG figure has no svg element"},
		{show("image/png", "abc="), "its figure is not a PNG image"},
		{show("image/png", "!"), "its figure is not a PNG image"},
		{show("text/html", "<div id=x></div><script>plot()</script>"), "it shows only a script"},
		{show("application/javascript", "x"), "something that a page cannot keep"},
		{Cell{Type: "code", Outputs: []Output{{Type: "display_data", Data: map[string]json.RawMessage{"text/plain": json.RawMessage("1")}}}}, "its text/plain output is broken"},
	} {
		if _, err := render("n", &Notebook{Cells: []Cell{c.cell}}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestRenderKeepsEveryFigure: a page refers to each of its files exactly once, and to nothing else.
func TestRenderKeepsEveryFigure(t *testing.T) {
	outputs := rapid.SampledFrom([]Cell{
		show("image/svg+xml", "<svg></svg>"), show("text/html", "<p>x<svg></svg>y<svg></svg></p>"), show("text/html", "<div><svg></svg><svg></svg></div>"),
		show("image/png", base64.StdEncoding.EncodeToString([]byte(png))), show("text/plain", "x"),
		{Type: "code", Outputs: []Output{stream("stdout", "x")}}, {Type: "markdown", Source: "text"},
	})
	rapid.Check(t, func(t *rapid.T) {
		p, err := render("n", &Notebook{Cells: rapid.SliceOf(outputs).Draw(t, "cells")})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range imageLink.FindAllStringSubmatch(p.text, -1) {
			if seen[m[1]] || p.files[m[1]] == nil || path.Dir(m[1]) != "n_files" {
				t.Fatalf("reference to %s in\n%s", m[1], p.text)
			}
			seen[m[1]] = true
		}
		if len(seen) != len(p.files) {
			t.Fatalf("%d of %d figures are shown in\n%s", len(seen), len(p.files), p.text)
		}
	})
}
