package notebook

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// page is a rendered notebook: Markdown text and the files it refers to, by name relative to the page.
type page struct {
	text  string
	files map[string][]byte
}

// render turns an executed notebook into a page. name is the notebook's name without extension; figures go to the
// directory name_files. Standard output comes before what a cell displays, because the two reach Jupyter on different
// ways and their order differs from run to run; standard error is for logs and is left out, and so is the set-up cell.
func render(name string, nb *Notebook) (*page, error) {
	r := renderer{name: name, page: &page{files: map[string][]byte{}}}
	fmt.Fprintf(&r.out, "<!-- Written by executing notebooks/%s.ipynb; edit that file instead. -->\n", name)
	n := 0
	for _, c := range nb.Cells {
		switch c.Type {
		case "markdown":
			r.block(siblings.ReplaceAllString(string(c.Source), "]($1.md)"))
		case "code":
			n++
			if string(c.Source) != FirstCell && strings.TrimSpace(string(c.Source)) != "" {
				r.fenced("go", string(c.Source))
			}
			if err := r.outputs(c.Outputs); err != nil {
				return nil, &CellError{Notebook: name + ".ipynb", Cell: n, Message: err.Error()}
			}
		}
	}
	r.page.text = r.out.String()
	return r.page, nil
}

// siblings are links to other notebooks, which on a page lead to their pages.
var siblings = regexp.MustCompile(`\]\(([0-9]{2}_[^/()]*)\.ipynb\)`)

type renderer struct {
	name string
	page *page
	out  strings.Builder
}

// block writes Markdown with an empty line before it.
func (r *renderer) block(markdown string) {
	if markdown = strings.Trim(markdown, "\n"); markdown != "" {
		r.out.WriteString("\n" + markdown + "\n")
	}
}

var backticks = regexp.MustCompile("`{3,}")

// fenced writes a code block, with a fence longer than any in the text.
func (r *renderer) fenced(language, text string) {
	fence := "```"
	for _, run := range backticks.FindAllString(text, -1) {
		if len(run) >= len(fence) {
			fence = run + "`"
		}
	}
	r.block(fence + language + "\n" + strings.Trim(text, "\n") + "\n" + fence)
}

func (r *renderer) outputs(outputs []Output) error {
	var stdout strings.Builder
	for _, o := range outputs {
		if o.Type == "stream" && o.Name == "stdout" {
			stdout.WriteString(string(o.Text))
		}
	}
	if text := terminal(stdout.String()); strings.TrimSpace(text) != "" {
		r.fenced("text", text)
	}
	for _, o := range outputs {
		if o.Type != "display_data" && o.Type != "execute_result" {
			continue
		}
		if err := r.display(o); err != nil {
			return err
		}
	}
	return nil
}

// display writes the richest form of an output that a static page can show.
func (r *renderer) display(o Output) error {
	for _, form := range []struct {
		mime  string
		write func(string) error
	}{
		{"image/svg+xml", r.svg},
		{"image/png", r.png},
		{"text/markdown", func(s string) error { r.block(s); return nil }},
		{"text/html", r.html},
		{"text/latex", func(s string) error { r.block(s); return nil }},
		{"text/plain", func(s string) error { r.fenced("text", terminal(s)); return nil }},
	} {
		raw, ok := o.Data[form.mime]
		if !ok {
			continue
		}
		var text Text
		if err := json.Unmarshal(raw, &text); err != nil {
			return fmt.Errorf("its %s output is broken: %w", form.mime, err)
		}
		return form.write(string(text))
	}
	if len(o.Data) == 0 {
		return nil // the kernel's way to clear an output
	}
	return fmt.Errorf("it shows something that a page cannot keep: use SVG, PNG, Markdown, HTML or text")
}

// figure adds a figure file and returns its Markdown.
func (r *renderer) figure(extension string, data []byte) string {
	n := len(r.page.files) + 1
	path := fmt.Sprintf("%s_files/figure-%d.%s", r.name, n, extension)
	r.page.files[path] = data
	return fmt.Sprintf("![Figure %d](%s)", n, path)
}

func (r *renderer) png(encoded string) error {
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil || !strings.HasPrefix(string(data), "\x89PNG\r\n\x1a\n") {
		return fmt.Errorf("its figure is not a PNG image")
	}
	r.block(r.figure("png", data))
	return nil
}

func (r *renderer) svg(text string) error {
	image, err := r.svgFigure(text)
	if err == nil {
		r.block(image)
	}
	return err
}

var (
	svgElement = regexp.MustCompile(`(?s)<svg\b.*?</svg>`)
	svgTag     = regexp.MustCompile(`<svg\b[^>]*>`)
	invisible  = regexp.MustCompile(`(?is)<script\b.*?</script>|<style\b.*?</style>|<!--.*?-->`)
	anyTag     = regexp.MustCompile(`<[^>]*>`)
	blankLines = regexp.MustCompile(`\n\s*\n`)
)

// svgFigure keeps an SVG drawing as a file. It must be well-formed, because outside HTML nothing repairs it, and must
// declare its namespace, which inside HTML is optional.
func (r *renderer) svgFigure(text string) (string, error) {
	start := svgTag.FindStringIndex(text)
	if start == nil {
		return "", fmt.Errorf("its SVG figure has no svg element")
	}
	if tag := text[start[0]:start[1]]; !strings.Contains(tag, "xmlns=") {
		text = text[:start[0]] + `<svg xmlns="http://www.w3.org/2000/svg"` + tag[len("<svg"):] + text[start[1]:]
	}
	dec := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := dec.Token(); err == io.EOF {
			break
		} else if err != nil {
			return "", fmt.Errorf("its SVG figure is broken: %w", err)
		}
	}
	return r.figure("svg", []byte(strings.TrimSpace(text)+"\n")), nil
}

// html writes HTML for a page that runs no scripts and has no styles of its own; the drawings in it become files,
// because sites that show Markdown drop inline SVG.
func (r *renderer) html(text string) error {
	text = invisible.ReplaceAllString(text, "")
	var failed error
	var figures []string
	text = svgElement.ReplaceAllStringFunc(text, func(svg string) string {
		image, err := r.svgFigure(svg)
		if err != nil {
			failed = err
		}
		figures = append(figures, image)
		return image
	})
	if failed != nil {
		return failed
	}
	words := strings.TrimSpace(anyTag.ReplaceAllString(text, ""))
	switch {
	case len(figures) > 0 && words == strings.Join(figures, ""):
		r.block(strings.Join(figures, "\n")) // nothing but drawings, in a div
	case len(figures) > 0:
		// Markdown inside HTML is not rendered, so here the images are HTML too.
		r.block(blankLines.ReplaceAllString(markdownImage.ReplaceAllString(text, `<img alt="$1" src="$2">`), "\n"))
	case words == "" && !strings.Contains(text, "<img"):
		return fmt.Errorf("it shows only a script, which a page cannot keep: use SVG or PNG")
	default:
		r.block(blankLines.ReplaceAllString(text, "\n")) // an empty line would end the HTML
	}
	return nil
}

var markdownImage = regexp.MustCompile(`!\[(Figure \d+)\]\(([^)]*)\)`)

// terminal returns text as a terminal would show it in the end: without colours, and with a line that was overwritten
// after a carriage return, as progress bars do, in its last state.
func terminal(text string) string {
	text = strings.ReplaceAll(escapeSequence.ReplaceAllString(text, ""), "\r\n", "\n")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		lines[i] = strings.TrimRight(line[strings.LastIndexByte(line, '\r')+1:], " \t")
	}
	return strings.Join(lines, "\n")
}
