package report

import (
	"encoding/csv"
	"encoding/xml"
	"math"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func resultTable() Table {
	t := Table{
		Title:   "Multiplications per Jacobian",
		Caption: "The best order of every task in bold; times are medians with quartiles on 1 core, 50 % of runs inside.",
		Columns: []Column{{Name: "task"}},
		Best:    []Best{{Columns: methodNames}},
	}
	for _, m := range methodNames {
		t.Columns = append(t.Columns, Column{Name: m})
	}
	t.Columns = append(t.Columns, Column{Name: "time", Unit: "ns", Format: "%.1f"}, Column{Name: "proved", Align: AlignCenter})
	for i, name := range taskNames {
		row := []any{name}
		for j, m := range taskMuls[i] {
			switch {
			case i == 4 && j == 3:
				row = append(row, nil)
			default:
				row = append(row, int(m))
			}
		}
		low := float64(i) + 17.25
		t.Rows = append(t.Rows, append(row, Range{low + 1, low, low + 3}, i%4 != 0))
	}
	t.Rows[1][6] = math.NaN()
	return t
}

// awkwardTable has every character that means something in one of the formats.
func awkwardTable() Table {
	return Table{
		Title:   `100% of $x_1$ & #2 \ {a}`,
		Caption: "<b>not bold</b> *nor this* ~ ^ `code` [link](x) | \"quoted\"",
		Columns: []Column{{Name: "a|b", Unit: "µs"}, {Name: "_x_"}, {Name: "∂y/∂x"}},
		Rows: [][]any{
			{"[x] first", "two\nlines", Cell{Value: -1.5, Bold: true}},
			{"", "a_b _c", nil},
			{"tab\there", `back\slash`, 1e-300},
			{"a,b", `say "hi"`, 123456789},
		},
	}
}

func TestTableGolden(t *testing.T) {
	for name, table := range map[string]Table{"results": resultTable(), "awkward": awkwardTable()} {
		for extension, render := range map[string]func() (string, error){
			".md": table.Markdown, ".tex": table.LaTeX, ".csv": table.CSV, ".txt": table.Text, ".html": table.HTML,
		} {
			got, err := render()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+extension, got)
		}
	}
}

func TestBestMarksTiesAndIgnoresMissing(t *testing.T) {
	table := Table{
		Columns: []Column{{Name: "a"}, {Name: "b"}, {Name: "c"}},
		Rows:    [][]any{{2, 1.0, 1}, {math.NaN(), 5, nil}, {nil, nil, "text"}, {Range{1, 0, 2}, 3, 2}},
	}
	for _, test := range []struct {
		highest bool
		want    [][]bool
	}{
		{false, [][]bool{{false, true, true}, {false, true, false}, {false, false, false}, {true, false, false}}},
		{true, [][]bool{{true, false, false}, {false, true, false}, {false, false, false}, {false, true, false}}},
	} {
		table.Best = []Best{{Columns: []string{"a", "b", "c"}, Highest: test.highest}}
		g, err := table.grid()
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range g.rows {
			for j, c := range row {
				if c.bold != test.want[i][j] {
					t.Errorf("highest %v: row %d, column %d: bold is %v", test.highest, i, j, c.bold)
				}
			}
		}
	}
}

func TestTableErrors(t *testing.T) {
	one := []Column{{Name: "n"}}
	for want, table := range map[string]Table{
		`report: table "t" has no columns`:                           {Title: "t"},
		`report: table "t": row 1 has 2 cells, want 1`:               {Title: "t", Columns: one, Rows: [][]any{{1, 2}}},
		`report: table "t": cannot emphasise unknown column "other"`: {Title: "t", Columns: one, Best: []Best{{Columns: []string{"other"}}}},
		`report: table "t": row 1, column "n": format "%d" needs an integer, not 1.5`: {Title: "t",
			Columns: []Column{{Name: "n", Format: "%d"}}, Rows: [][]any{{1.5}}},
		`report: table "t": row 1, column "n": format "%z" cannot show a number`: {Title: "t",
			Columns: []Column{{Name: "n", Format: "%z"}}, Rows: [][]any{{1}}},
	} {
		for _, render := range []func() (string, error){table.Markdown, table.LaTeX, table.CSV, table.Text, table.HTML} {
			if _, err := render(); err == nil || err.Error() != want {
				t.Errorf("got error %v, want %s", err, want)
			}
		}
	}
}

func TestNumberFormats(t *testing.T) {
	for _, test := range []struct {
		value  any
		format string
		want   string
	}{
		{620, "", "620"}, {uint8(7), "", "7"}, {1.23456, "", "1.235"}, {320.0, "%d", "320"}, {3, "%.2f", "3.00"},
		{0.5, "%.0f%%", "0%"}, {12, "%5d", "   12"}, {float32(0.25), "%g", "0.25"}, {math.NaN(), "%d", missing}, {nil, "%d", missing},
		{Range{2, 1, 3}, "%.1f", "2.0 (1.0–3.0)"}, {Range{2, math.NaN(), 3}, "%.1f", "2.0"}, {true, "%d", "true"}, {"x", "%d", "x"},
	} {
		got, err := formatValue(test.value, test.format)
		if err != nil || got != test.want {
			t.Errorf("%v with %q: got %q (%v), want %q", test.value, test.format, got, err, test.want)
		}
	}
}

func TestSaveTable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tables")
	if err := SaveTable(dir, "results", resultTable()); err != nil {
		t.Fatal(err)
	}
	if err := SaveTable(dir, "broken", Table{}); err == nil {
		t.Error("a broken table was saved")
	}
	checkFiles(t, dir, "results.csv", "results.md", "results.tex")
}

// markdownCells splits a line of a Markdown table at its unescaped bars, as a renderer does.
func markdownCells(line string) int {
	n, escaped := -1, false
	for _, r := range line {
		if r == '|' && !escaped {
			n++
		}
		escaped = r == '\\' && !escaped
	}
	return n
}

// latexBalanced reports whether braces outside escapes match.
func latexBalanced(s string) bool {
	depth, escaped := 0, false
	for _, r := range s {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '{':
			depth++
		case r == '}':
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0
}

func FuzzTableEscaping(f *testing.F) {
	for _, s := range []string{"", "RoeFlux_1d", "a|b\\|c", "two\r\nlines\rthree\n", "<td>&amp;", `"q",`, " pad ", "\\", "\\\\|", "\x1b[2J", "\xff", "\u2028x", "`", "$%#_{}~^"} {
		f.Add(s, 1.5)
	}
	f.Fuzz(func(t *testing.T, s string, x float64) {
		for _, columns := range []int{1, 3} {
			table := Table{Title: s, Caption: s}
			row := []any{s, x, Cell{Value: s, Bold: true}}
			for range columns {
				table.Columns = append(table.Columns, Column{Name: s})
			}
			table.Rows = [][]any{row[:columns], row[:columns]}
			checkEscaping(t, table, s, x)
		}
	})
}

func checkEscaping(t *testing.T, table Table, s string, x float64) {
	columns := len(table.Columns)
	// CSV: exactly the raw values come back. The reader of encoding/csv turns CRLF inside a field into LF.
	text, err := table.CSV()
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("CSV %q: %v", text, err)
	}
	read := strings.ReplaceAll(s, "\r\n", "\n")
	number := ""
	if !math.IsNaN(x) {
		number = strconv.FormatFloat(x, 'g', -1, 64)
	}
	row := []string{read, number, read}[:columns]
	want := [][]string{[]string{read, read, read}[:columns], row, row}
	if !reflect.DeepEqual(records, want) {
		t.Fatalf("CSV %q reads as %q, want %q", text, records, want)
	}

	// Markdown: header, rule and two rows, each of the right number of cells.
	table.Title, table.Caption = "", ""
	text, err = table.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 4 {
		t.Fatalf("Markdown of %q has %d lines, want 4:\n%s", s, len(lines), text)
	}
	for _, line := range lines {
		if markdownCells(line) != columns || strings.ContainsAny(line, "\r\x1b") {
			t.Fatalf("Markdown of %q: bad line %q", s, line)
		}
	}

	table.Title, table.Caption = s, s
	text, err = table.LaTeX()
	if err != nil {
		t.Fatal(err)
	}
	if !latexBalanced(text) || strings.Count(text, "\n    ") != 6 {
		t.Fatalf("LaTeX of %q is broken:\n%s", s, text)
	}

	text, err = table.HTML()
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader("<x>" + strings.ReplaceAll(stripControls(text), "<br>", "<br/>") + "</x>"))
	cells := 0
	for {
		token, err := d.Token()
		if token == nil {
			if err != nil && err.Error() != "EOF" {
				t.Fatalf("HTML of %q: %v", s, err)
			}
			break
		}
		if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "td" || e.Name.Local == "th") {
			cells++
		}
	}
	if cells != 3*columns {
		t.Fatalf("HTML of %q has %d cells, want %d", s, cells, 3*columns)
	}

	text, err = table.Text()
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\x1b\x00") {
		t.Fatalf("text of %q has control characters: %q", s, text)
	}
}

// stripControls removes what HTML allows and XML does not.
func stripControls(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}
