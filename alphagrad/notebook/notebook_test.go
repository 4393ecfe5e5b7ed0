package notebook

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file returns a notebook file with the given code cells after a title and the standard first cell, as Strip writes it.
func file(t *testing.T, cells ...string) []byte {
	t.Helper()
	list := []any{map[string]any{"cell_type": "markdown", "id": "title", "metadata": map[string]any{}, "source": "# Title"}}
	for i, source := range append([]string{FirstCell}, cells...) {
		list = append(list, map[string]any{"cell_type": "code", "id": string(rune('a' + i)), "metadata": map[string]any{},
			"source": source, "outputs": []any{}, "execution_count": nil})
	}
	data, err := json.Marshal(map[string]any{"nbformat": 4, "nbformat_minor": 5, "cells": list,
		"metadata": map[string]any{"kernelspec": map[string]any{"name": "gonb", "display_name": "Go (gonb)", "language": "go"}}})
	if err != nil {
		t.Fatal(err)
	}
	clean, err := Strip("x", data)
	if err != nil {
		t.Fatal(err)
	}
	return clean
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestStripMatchesJupyter: the layout is the one of nbformat's writer, here produced by it once.
func TestStripMatchesJupyter(t *testing.T) {
	executed := `{"nbformat_minor": 5, "nbformat": 4, "metadata": {"language_info": {"name": "go"}, "kernelspec": {"name": "gonb"}},
		"cells": [{"source": ["%%\n", "fmt.Println(\"<é>\")"], "metadata": {"execution": {"x": 1}, "tags": ["a"]}, "id": "1", "cell_type": "code",
		"execution_count": 3, "outputs": [{"output_type": "stream", "name": "stdout", "text": "<é>"}]}]}`
	want := `{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "1",
   "metadata": {
    "tags": [
     "a"
    ]
   },
   "outputs": [],
   "source": [
    "%%\n",
    "fmt.Println(\"<é>\")"
   ]
  }
 ],
 "metadata": {
  "kernelspec": {
   "name": "gonb"
  }
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
`
	got, err := Strip("x", []byte(executed))
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if again, err := Strip("x", got); err != nil || !bytes.Equal(again, got) {
		t.Errorf("Strip is not idempotent: %v\n%s", err, again)
	}
}

func TestCheck(t *testing.T) {
	good := string(file(t, "%%\nprintln(1)"))
	for _, c := range []struct {
		name, file, data, want string
	}{
		{"good", "02_b.ipynb", good, ""},
		{"gap", "03_b.ipynb", good, `03_b.ipynb: its number is 03, expected 02`},
		{"name", "b.ipynb", good, "expected a name such as 01_graphs.ipynb"},
		{"kernel", "02_b.ipynb", strings.Replace(good, `"name": "gonb"`, `"name": "python3"`, 1), `its kernel is "python3", expected "gonb"`},
		{"title", "02_b.ipynb", strings.Replace(good, "# Title", "Title", 1), "it has no title"},
		{"first cell", "02_b.ipynb", strings.Replace(good, "%noautoget", "%autoget", 1), "its first code cell is not the standard one"},
		{"count", "02_b.ipynb", strings.Replace(good, `"execution_count": null`, `"execution_count": 1`, 1), "it holds outputs"},
		{"output", "02_b.ipynb", strings.Replace(good, `"outputs": []`, `"outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]`, 1), "it holds outputs"},
		{"layout", "02_b.ipynb", strings.Replace(good, "\n ", "\n  ", 1), "it holds outputs"},
		{"JSON", "02_b.ipynb", "{", "02_b.ipynb: not a notebook"},
		{"trailing", "02_b.ipynb", good + "{}", "02_b.ipynb: not a notebook"},
		{"capitals", "02_b.ipynb", strings.ReplaceAll(strings.ReplaceAll(good, `"cells"`, `"Cells"`), `"execution_count": null`, `"execution_count": 1`), "its keys are spelled with capital letters"},
		{"format", "02_b.ipynb", `{"nbformat": 3}`, "02_b.ipynb: notebook format 3, expected 4"},
		{"cell type", "02_b.ipynb", `{"nbformat": 4, "cells": [{"cell_type": "x"}]}`, `cell 1 has the type "x"`},
		{"source", "02_b.ipynb", `{"nbformat": 4, "cells": [{"cell_type": "code", "source": 1}]}`, "expected a string or a list of strings"},
	} {
		dir := t.TempDir()
		write(t, dir, "01_a.ipynb", []byte(good))
		write(t, dir, c.file, []byte(c.data))
		err := Check(dir)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if err := Check(t.TempDir()); err == nil || !strings.Contains(err.Error(), "holds no notebooks") {
		t.Errorf("empty directory: %v", err)
	}
	odd := filepath.Join(t.TempDir(), "a [b] *c")
	if err := os.Mkdir(odd, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, odd, "01_a.ipynb", []byte(good))
	if err := Check(odd); err != nil {
		t.Errorf("a directory with a strange name: %v", err)
	}
}

// FuzzStrip: no file panics, and what can be stripped parses again without outputs.
func FuzzStrip(f *testing.F) {
	f.Add([]byte(`{"nbformat":4,"cells":[{"cell_type":"code","source":["a"],"outputs":[{"text":"x"}],"execution_count":1}],"metadata":{}}`))
	f.Add([]byte(`{"nbformat":4,"cells":null,"metadata":[]}`))
	f.Add([]byte(`{"nbformat":4,"Cells":[{"cell_type":"raw"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		clean, err := Strip("x", data)
		if err != nil {
			return
		}
		nb, err := Parse("x", clean)
		if err != nil {
			t.Fatalf("%v\n%s", err, clean)
		}
		for _, c := range nb.code() {
			if c.Count != nil || len(c.Outputs) > 0 {
				t.Fatalf("outputs are left:\n%s", clean)
			}
		}
	})
}
