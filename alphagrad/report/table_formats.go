package report

import (
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tableFormats lists the files a table is saved as: one row per format.
var tableFormats = []struct {
	extension string
	render    func(Table) (string, error)
}{
	{".md", Table.Markdown},
	{".tex", Table.LaTeX},
	{".csv", Table.CSV},
}

// Markdown renders the table for GitHub-flavoured Markdown, the title in bold above and the caption in italics below.
func (t Table) Markdown() (string, error) {
	g, err := t.grid()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if g.title != "" {
		fmt.Fprintf(&b, "**%s**\n\n", escapeMarkdown(g.title))
	}
	width := make([]int, len(g.header))
	cells := make([][]string, 0, len(g.rows)+1)
	head := make([]string, len(g.header))
	for j, h := range g.header {
		head[j] = escapeMarkdown(h)
	}
	cells = append(cells, head)
	for _, row := range g.rows {
		line := make([]string, len(row))
		for j, c := range row {
			line[j] = escapeMarkdown(c.text)
			if c.bold && line[j] != "" {
				line[j] = "**" + line[j] + "**"
			}
		}
		cells = append(cells, line)
	}
	for _, line := range cells {
		for j, s := range line {
			width[j] = max(width[j], 3, utf8.RuneCountInString(s))
		}
	}
	for i, line := range cells {
		for j, s := range line {
			b.WriteString("| " + pad(s, width[j], g.align[j]) + " ")
		}
		b.WriteString("|\n")
		if i > 0 {
			continue
		}
		for j := range line {
			b.WriteString("|" + markdownRule(width[j]+2, g.align[j]))
		}
		b.WriteString("|\n")
	}
	if g.caption != "" {
		fmt.Fprintf(&b, "\n*%s*\n", escapeMarkdown(g.caption))
	}
	return b.String(), nil
}

// markdownRule is the delimiter cell of a column, width characters wide.
func markdownRule(width int, a Align) string {
	switch a {
	case AlignRight:
		return strings.Repeat("-", width-1) + ":"
	case AlignCenter:
		return ":" + strings.Repeat("-", width-2) + ":"
	}
	return strings.Repeat("-", width)
}

// escapeMarkdown makes s literal text on one line of a table cell.
func escapeMarkdown(s string) string {
	s = strings.TrimSpace(normaliseNewlines(s))
	var b strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case r == '\n':
			b.WriteString("<br>")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '_':
			// Inside a word an underscore is literal already, and names such as RoeFlux_1d stay readable.
			if i == 0 || i == len(runes)-1 || !isWord(runes[i-1]) || !isWord(runes[i+1]) {
				b.WriteByte('\\')
			}
			b.WriteByte('_')
		case strings.ContainsRune("\\`*[]|~$#", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r):
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// LaTeX renders the table as a table environment for the booktabs package.
func (t Table) LaTeX() (string, error) {
	g, err := t.grid()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("\\begin{table}\n  \\centering\n")
	if caption := joinNonEmpty(" ", sentence(g.title), g.caption); caption != "" {
		fmt.Fprintf(&b, "  \\caption{%s}\n", escapeLaTeX(caption))
	}
	b.WriteString("  \\begin{tabular}{")
	for _, a := range g.align {
		b.WriteByte("?lrc"[a])
	}
	b.WriteString("}\n    \\toprule\n")
	head := make([]gridCell, len(g.header))
	for j, h := range g.header {
		head[j].text = h
	}
	latexRow(&b, head)
	b.WriteString("    \\midrule\n")
	for _, row := range g.rows {
		latexRow(&b, row)
	}
	b.WriteString("    \\bottomrule\n  \\end{tabular}\n\\end{table}\n")
	return b.String(), nil
}

func latexRow(b *strings.Builder, row []gridCell) {
	b.WriteString("    ")
	for j, c := range row {
		if j > 0 {
			b.WriteString(" & ")
		}
		s := escapeLaTeX(c.text)
		switch {
		case c.bold && s != "":
			s = "\\textbf{" + s + "}"
		case j == 0 && strings.HasPrefix(s, "["):
			// booktabs and \\ would read a leading bracket as an optional argument.
			s = "{}" + s
		}
		b.WriteString(s)
	}
	b.WriteString(" \\\\\n")
}

var latexEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, `{`, `\{`, `}`, `\}`, `$`, `\$`, `&`, `\&`, `#`, `\#`, `%`, `\%`, `_`, `\_`,
	`^`, `\textasciicircum{}`, `~`, `\textasciitilde{}`, `<`, `\textless{}`, `>`, `\textgreater{}`, `|`, `\textbar{}`,
	`"`, `\textquotedbl{}`, "`", `\textasciigrave{}`,
	"–", "--", "—", "---", "−", "$-$", "×", `$\times$`, "±", `$\pm$`, "≤", `$\leq$`, "≥", `$\geq$`, "·", `$\cdot$`,
	"∂", `$\partial$`, "µ", `\textmu{}`, "→", `$\rightarrow$`, "Σ", `$\Sigma$`, "²", `$^2$`, "³", `$^3$`,
)

// escapeLaTeX makes s literal text on one line of a LaTeX table.
func escapeLaTeX(s string) string {
	return latexEscapes.Replace(oneLine(s))
}

// CSV renders the raw values, unrounded and without title, caption or emphasis, as RFC 4180 describes: CRLF line
// ends, fields quoted where needed. A missing value is an empty field. A column that holds a [Range] anywhere becomes
// three: its name, "name low" and "name high".
func (t Table) CSV() (string, error) {
	if _, err := t.grid(); err != nil {
		return "", err
	}
	ranged := make([]bool, len(t.Columns))
	for _, row := range t.Rows {
		for j, v := range row {
			ranged[j] = ranged[j] || isRange(toCell(v).Value)
		}
	}
	var b strings.Builder
	var fields []string
	for j, c := range t.Columns {
		fields = append(fields, withUnit(c.Name, c.Unit))
		if ranged[j] {
			fields = append(fields, withUnit(c.Name+" low", c.Unit), withUnit(c.Name+" high", c.Unit))
		}
	}
	csvRecord(&b, fields)
	for _, row := range t.Rows {
		fields = fields[:0]
		for j, v := range row {
			value := toCell(v).Value
			r, ok := value.(Range)
			switch {
			case ok:
				fields = append(fields, raw(r.Value), raw(r.Low), raw(r.High))
			case ranged[j]:
				fields = append(fields, raw(value), "", "")
			default:
				fields = append(fields, raw(value))
			}
		}
		csvRecord(&b, fields)
	}
	return b.String(), nil
}

// csvRecord writes one record. encoding/csv is not used for writing because it turns a record of one empty field into
// a blank line, which readers skip, and rewrites line breaks inside fields.
func csvRecord(b *strings.Builder, fields []string) {
	for j, f := range fields {
		if j > 0 {
			b.WriteByte(',')
		}
		quote := strings.ContainsAny(f, ",\"\r\n") || f == "" && len(fields) == 1 ||
			strings.HasPrefix(f, " ") || strings.HasSuffix(f, " ")
		if quote {
			f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
		b.WriteString(f)
	}
	b.WriteString("\r\n")
}

// Text renders the table for a terminal, emphasised cells followed by an asterisk.
func (t Table) Text() (string, error) {
	g, err := t.grid()
	if err != nil {
		return "", err
	}
	width := make([]int, len(g.header))
	cells := [][]string{make([]string, len(g.header))}
	starred := make([]bool, len(g.header))
	for _, row := range g.rows {
		for j, c := range row {
			starred[j] = starred[j] || c.bold
		}
	}
	for j, h := range g.header {
		cells[0][j] = oneLine(h)
	}
	for _, row := range g.rows {
		line := make([]string, len(row))
		for j, c := range row {
			line[j] = oneLine(c.text)
			switch {
			case c.bold:
				line[j] += "*"
			case starred[j] && g.align[j] == AlignRight:
				line[j] += " " // keeps the digits of the column in line
			}
		}
		cells = append(cells, line)
	}
	for _, line := range cells {
		for j, s := range line {
			width[j] = max(width[j], utf8.RuneCountInString(s))
		}
	}
	var b strings.Builder
	if g.title != "" {
		b.WriteString(oneLine(g.title) + "\n\n")
	}
	for i, line := range cells {
		var text strings.Builder
		for j, s := range line {
			if j > 0 {
				text.WriteString("  ")
			}
			text.WriteString(pad(s, width[j], g.align[j]))
		}
		b.WriteString(strings.TrimRight(text.String(), " ") + "\n")
		if i > 0 {
			continue
		}
		for j, w := range width {
			if j > 0 {
				b.WriteString("  ")
			}
			b.WriteString(strings.Repeat("─", w))
		}
		b.WriteByte('\n')
	}
	if g.caption != "" {
		b.WriteString("\n" + oneLine(g.caption) + "\n")
	}
	return b.String(), nil
}

// HTML renders the table for a notebook. Styles are inline, because a style element would show up as text where the
// notebook is converted to Markdown.
func (t Table) HTML() (string, error) {
	g, err := t.grid()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("<table style=\"border-collapse:collapse\">\n")
	if g.title != "" {
		fmt.Fprintf(&b, "<caption style=\"caption-side:top;text-align:left;font-weight:bold\">%s</caption>\n", escapeHTML(g.title))
	}
	b.WriteString("<thead>\n<tr>")
	for j, h := range g.header {
		b.WriteString(htmlCell("th", escapeHTML(h), g.align[j], "border-bottom:1px solid #888;padding:3px 10px"))
	}
	b.WriteString("</tr>\n</thead>\n<tbody>\n")
	for _, row := range g.rows {
		b.WriteString("<tr>")
		for j, c := range row {
			s := escapeHTML(c.text)
			if c.bold {
				s = "<b>" + s + "</b>"
			}
			b.WriteString(htmlCell("td", s, g.align[j], "padding:3px 10px"))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n")
	if g.caption != "" {
		fmt.Fprintf(&b, "<p><i>%s</i></p>\n", escapeHTML(g.caption))
	}
	return b.String(), nil
}

func htmlCell(tag, content string, a Align, style string) string {
	align := map[Align]string{AlignLeft: "left", AlignRight: "right", AlignCenter: "center"}[a]
	// The align attribute survives where sanitisers remove style.
	return fmt.Sprintf("<%s align=%q style=\"text-align:%s;%s\">%s</%s>", tag, align, align, style, content, tag)
}

func escapeHTML(s string) string {
	return strings.ReplaceAll(html.EscapeString(normaliseNewlines(s)), "\n", "<br>")
}

// pad extends s with spaces to width characters.
func pad(s string, width int, a Align) string {
	n := max(0, width-utf8.RuneCountInString(s))
	switch a {
	case AlignRight:
		return strings.Repeat(" ", n) + s
	case AlignCenter:
		return strings.Repeat(" ", n/2) + s + strings.Repeat(" ", n-n/2)
	}
	return s + strings.Repeat(" ", n)
}

func normaliseNewlines(s string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
}

// oneLine replaces line breaks and other control characters by spaces: they could drive a terminal, and like the
// noncharacters U+FFFE and U+FFFF they are not allowed in XML.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' {
			return ' '
		}
		return r
	}, strings.TrimSpace(normaliseNewlines(s)))
}

func joinNonEmpty(sep string, parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, sep)
}

// sentence ends s with a full stop.
func sentence(s string) string {
	if s == "" || strings.ContainsAny(s[len(s)-1:], ".?!:") {
		return s
	}
	return s + "."
}
