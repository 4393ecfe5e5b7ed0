package experiments

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// A page is the README.md of a results directory: text, tables and figures, which are saved beside it.
type page struct {
	dir  string
	text strings.Builder
	err  error
}

func newPage(dir, title, file string) *page {
	p := &page{dir: dir}
	fmt.Fprintf(&p.text, "# %s\n\n", title)
	if file != "" {
		fmt.Fprintf(&p.text, "Written by `alphagrad run experiments/%s` with the settings in [config.yaml](config.yaml). ", file)
	}
	p.text.WriteString("[manifest.json](manifest.json) names the program, the command, the machine and the settings.\n")
	return p
}

// table saves a table and shows it under its title.
func (p *page) table(name string, t report.Table) {
	if p.err != nil {
		return
	}
	if p.err = report.SaveTable(p.dir, name, t); p.err != nil {
		return
	}
	text, err := t.Markdown()
	p.err = err
	fmt.Fprintf(&p.text, "\n## %s\n\n%s\n", t.Title, strings.TrimPrefix(text, "**"+t.Title+"**\n\n"))
}

// figure saves a figure and shows it.
func (p *page) figure(name, alt string, f report.Figure) {
	if p.err != nil {
		return
	}
	p.err = report.SaveFigure(p.dir, name, f)
	fmt.Fprintf(&p.text, "\n![%s](%s.svg)\n", alt, name)
}

func (p *page) printf(format string, args ...any) { fmt.Fprintf(&p.text, format, args...) }

// save writes the page.
func (p *page) save() error {
	if p.err != nil {
		return p.err
	}
	return runs.WriteFile(filepath.Join(p.dir, "README.md"), []byte(p.text.String()))
}
