package nb

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

// Get ends the cell as [Must] does if err is not nil, otherwise it returns v: g := nb.Get(ad.Graph(p)).
func Get[T any](v T, err error) T {
	Must(err)
	return v
}

// kinds says how files are shown, by extension.
var kinds = map[string]protocol.MIMEType{".svg": protocol.MIMEImageSVG, ".md": protocol.MIMETextMarkdown, ".html": protocol.MIMETextHTML}

// File shows a table (.md, .html) or figure (.svg) of a results directory as it is. Outside a notebook it prints text.
func File(path string) error {
	kind, ok := kinds[filepath.Ext(path)]
	if !ok {
		return fmt.Errorf("nb: %s: can show .svg, .md and .html", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("nb: %w", err)
	}
	if gonbui.IsNotebook {
		return send("", kind, string(data))
	}
	if kind == protocol.MIMETextMarkdown {
		_, err = fmt.Fprintln(output, string(data))
	}
	return err
}
