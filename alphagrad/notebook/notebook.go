// Package notebook keeps the project's Jupyter notebooks honest: it executes them without a browser, turns what they
// showed into Markdown with figures as files, and checks that the committed ones are clean.
//
// Jupyter's nbconvert runs the cells with the GoNB kernel; everything after that happens here, so that the kept pages are
// the same on every machine and readable on any site that shows Markdown.
package notebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// FirstCell is the first code cell of every notebook. It makes the kernel's temporary module and this one a workspace, so
// that cells import the checked-out packages, without network access and without an absolute path.
const FirstCell = `!*rm -f go.work && go work init && go work use . "${GONB_DIR}/.."
%noautoget`

// kernelName is the kernel that executes the notebooks.
const kernelName = "gonb"

// Notebook is the part of a Jupyter notebook, format 4, that this package uses.
type Notebook struct {
	Format   int      `json:"nbformat"`
	Cells    []Cell   `json:"cells"`
	Metadata Metadata `json:"metadata"`
}

// Metadata names the kernel a notebook is written for.
type Metadata struct {
	Kernel struct {
		Name string `json:"name"`
	} `json:"kernelspec"`
}

// Cell is one cell; the last two fields are only used by code cells.
type Cell struct {
	Type    string   `json:"cell_type"` // "code", "markdown" or "raw"
	Source  Text     `json:"source"`
	Count   *int     `json:"execution_count"`
	Outputs []Output `json:"outputs"`
}

// Output is what a code cell showed.
type Output struct {
	Type string                     `json:"output_type"` // "stream", "display_data", "execute_result" or "error"
	Name string                     `json:"name"`        // of a stream: "stdout" or "stderr"
	Text Text                       `json:"text"`        // of a stream
	Data map[string]json.RawMessage `json:"data"`        // of the others, by MIME type
}

// Text is a string that the file format may also write as a list of lines.
type Text string

// UnmarshalJSON accepts both forms.
func (t *Text) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err == nil {
		*t = Text(s)
		return nil
	}
	var lines []string
	if err := json.Unmarshal(data, &lines); err != nil {
		return errors.New("expected a string or a list of strings")
	}
	*t = Text(strings.Join(lines, ""))
	return nil
}

// Parse reads a notebook; name stands for it in errors.
func Parse(name string, data []byte) (*Notebook, error) {
	var nb Notebook
	if err := json.Unmarshal(data, &nb); err != nil {
		return nil, fmt.Errorf("%s: not a notebook: %w", name, err)
	}
	if nb.Format != 4 {
		return nil, fmt.Errorf("%s: notebook format %d, expected 4", name, nb.Format)
	}
	for i, c := range nb.Cells {
		switch c.Type {
		case "code", "markdown", "raw":
		default:
			return nil, fmt.Errorf("%s: cell %d has the type %q, expected code, markdown or raw", name, i+1, c.Type)
		}
	}
	return &nb, nil
}

// Title returns the notebook's first heading, or "".
func (nb *Notebook) Title() string {
	for _, c := range nb.Cells {
		if c.Type != "markdown" {
			continue
		}
		for line := range strings.Lines(string(c.Source)) {
			if title, ok := strings.CutPrefix(line, "# "); ok {
				return strings.TrimSpace(title)
			}
		}
	}
	return ""
}

// code returns the code cells. Jupyter counts executions from 1, so cell n of a fresh execution is code()[n-1].
func (nb *Notebook) code() []Cell {
	var cells []Cell
	for _, c := range nb.Cells {
		if c.Type == "code" {
			cells = append(cells, c)
		}
	}
	return cells
}

// fileName is the form of a notebook's file name: two digits for the order, then words.
var fileName = regexp.MustCompile(`^([0-9]{2})_[a-z0-9_]+\.ipynb$`)

// List returns the paths of the notebooks in dir in order. A notebook with another form of name is an error, because it
// would be forgotten.
func List(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.ipynb"))
	if err != nil {
		return nil, fmt.Errorf("list notebooks: %w", err)
	}
	if len(paths) == 0 {
		if _, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("list notebooks: %w", err)
		}
		return nil, fmt.Errorf("%s holds no notebooks", dir)
	}
	for _, path := range paths {
		if !fileName.MatchString(filepath.Base(path)) {
			return nil, fmt.Errorf("%s: expected a name such as 01_graphs.ipynb", path)
		}
	}
	return paths, nil // Glob sorts
}

// escapeGlob makes dir match only itself.
func escapeGlob(dir string) string {
	return regexp.MustCompile(`[*?[\\]`).ReplaceAllString(dir, `\$0`)
}

// Strip returns the notebook without outputs, execution counts and editor state, in the layout that Jupyter writes, so
// that a committed notebook changes only where its author changed it. It is idempotent.
func Strip(name string, data []byte) ([]byte, error) {
	if _, err := Parse(name, data); err != nil {
		return nil, err
	}
	var nb map[string]any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&nb); err != nil {
		return nil, fmt.Errorf("%s: not a notebook: %w", name, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("%s: not a notebook: text after its end", name)
	}
	if metadata, ok := nb["metadata"].(map[string]any); ok {
		nb["metadata"] = keep(metadata, "kernelspec")
	}
	cells, _ := nb["cells"].([]any)
	for _, c := range cells {
		cell, ok := c.(map[string]any)
		if !ok {
			continue
		}
		metadata, _ := cell["metadata"].(map[string]any)
		cell["metadata"] = keep(metadata, "tags")
		if cell["cell_type"] == "code" {
			cell["outputs"] = []any{}
			cell["execution_count"] = nil
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(nb); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// Parse takes keys in any case, as encoding/json does, but the format has only one.
	stripped, err := Parse(name, out.Bytes())
	if err != nil {
		return nil, err
	}
	for _, c := range stripped.code() {
		if c.Count != nil || len(c.Outputs) > 0 {
			return nil, fmt.Errorf("%s: not a notebook: its keys are spelled with capital letters", name)
		}
	}
	return out.Bytes(), nil
}

// keep returns a map with only key of m, if it has it.
func keep(m map[string]any, key string) map[string]any {
	kept := map[string]any{}
	if v, ok := m[key]; ok {
		kept[key] = v
	}
	return kept
}

// Check reports everything that is wrong with the committed notebooks of dir, one line each: numbering with gaps, outputs
// or other traces of an execution, another kernel, a first cell that is not FirstCell, a missing title.
func Check(dir string) error {
	paths, err := List(dir)
	if err != nil {
		return err
	}
	var problems []error
	for i, path := range paths {
		name := filepath.Base(path)
		complain := func(format string, args ...any) {
			problems = append(problems, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
		}
		if want := fmt.Sprintf("%02d", i+1); name[:2] != want {
			complain("its number is %s, expected %s: notebooks are numbered without gaps", name[:2], want)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		nb, err := Parse(name, data)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if nb.Metadata.Kernel.Name != kernelName {
			complain("its kernel is %q, expected %q", nb.Metadata.Kernel.Name, kernelName)
		}
		if nb.Title() == "" {
			complain("it has no title: expected a Markdown cell with a line that starts with \"# \"")
		}
		if code := nb.code(); len(code) == 0 || string(code[0].Source) != FirstCell {
			complain("its first code cell is not the standard one:\n%s", FirstCell)
		}
		stripped, err := Strip(name, data)
		if err != nil {
			problems = append(problems, err)
		} else if !bytes.Equal(stripped, data) {
			complain("it holds outputs, execution counts or editor state: remove them with make strip")
		}
	}
	return errors.Join(problems...)
}
