package report

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// missing is shown where a table has no value.
const missing = "–"

// Align is the horizontal alignment of a table column.
type Align int

// Alignments. AlignAuto aligns a column of numbers to the right and anything else to the left.
const (
	AlignAuto Align = iota
	AlignLeft
	AlignRight
	AlignCenter
)

// Column describes one column of a [Table].
type Column struct {
	Name   string
	Unit   string // shown in parentheses after the name; empty for counts and text
	Align  Align
	Format string // fmt verb for the numbers of this column, such as "%.2f"; empty means "%d" for integers, "%.4g" for floats
}

// Cell is a table value with emphasis. A plain value in a row is the same as Cell{Value: value}.
type Cell struct {
	Value any
	Bold  bool
}

// Range is a measured value with the interval around it, for instance a median with its quartiles.
// It is shown as "18.2 (17.9–18.6)" and becomes three columns in CSV.
type Range struct {
	Value, Low, High float64
}

// Best emphasises, in every row, the best number among some columns; ties are all emphasised.
type Best struct {
	Columns []string // names of the columns to compare
	Highest bool     // the highest is best; otherwise the lowest
}

// Table is a table of results. Every row has one value per column: a string, a bool, any integer or float, a
// [Range], a [Cell] around one of those, or anything with a String method. nil and NaN mean "no value".
type Table struct {
	Title   string
	Caption string
	Columns []Column
	Rows    [][]any
	Best    []Best
}

// gridCell is one resolved cell: the text to show, and whether to emphasise it.
type gridCell struct {
	text string
	bold bool
}

// grid is a table with every value turned into text, the common input of all renderers.
type grid struct {
	title, caption string
	header         []string     // [columns] name with unit
	align          []Align      // [columns] never AlignAuto
	rows           [][]gridCell // [rows][columns]
}

// grid resolves formats, alignment and emphasis, and checks the table's shape.
func (t Table) grid() (*grid, error) {
	if len(t.Columns) == 0 {
		return nil, fmt.Errorf("report: table %q has no columns", t.Title)
	}
	g := &grid{title: t.Title, caption: t.Caption}
	index := make(map[string]int, len(t.Columns))
	for j, c := range t.Columns {
		index[c.Name] = j
		g.header = append(g.header, withUnit(c.Name, c.Unit))
	}
	numeric := make([]bool, len(t.Columns))
	for j := range numeric {
		numeric[j] = true
	}
	for i, row := range t.Rows {
		if len(row) != len(t.Columns) {
			return nil, fmt.Errorf("report: table %q: row %d has %d cells, want %d", t.Title, i+1, len(row), len(t.Columns))
		}
		out := make([]gridCell, len(row))
		for j, v := range row {
			c := toCell(v)
			s, err := formatValue(c.Value, t.Columns[j].Format)
			if err != nil {
				return nil, fmt.Errorf("report: table %q: row %d, column %q: %w", t.Title, i+1, t.Columns[j].Name, err)
			}
			out[j] = gridCell{text: s, bold: c.Bold}
			if _, ok := number(c.Value); !ok && !isMissing(c.Value) {
				numeric[j] = false
			}
		}
		g.rows = append(g.rows, out)
	}
	for j, c := range t.Columns {
		a := c.Align
		if a == AlignAuto {
			a = AlignLeft
			if numeric[j] {
				a = AlignRight
			}
		}
		g.align = append(g.align, a)
	}
	for _, b := range t.Best {
		if err := t.emphasise(g, b, index); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// emphasise marks the best cells of every row in g.
func (t Table) emphasise(g *grid, b Best, index map[string]int) error {
	var columns []int
	for _, name := range b.Columns {
		j, ok := index[name]
		if !ok {
			return fmt.Errorf("report: table %q: cannot emphasise unknown column %q", t.Title, name)
		}
		columns = append(columns, j)
	}
	for i, row := range t.Rows {
		best := math.Inf(1)
		sign := 1.0
		if b.Highest {
			sign = -1
		}
		for _, j := range columns {
			if x, ok := number(toCell(row[j]).Value); ok {
				best = math.Min(best, sign*x)
			}
		}
		for _, j := range columns {
			if x, ok := number(toCell(row[j]).Value); ok && sign*x == best {
				g.rows[i][j].bold = true
			}
		}
	}
	return nil
}

func withUnit(name, unit string) string {
	if unit == "" {
		return name
	}
	return name + " (" + unit + ")"
}

func toCell(v any) Cell {
	switch c := v.(type) {
	case Cell:
		return c
	case *Cell:
		if c == nil {
			return Cell{}
		}
		return *c
	}
	return Cell{Value: v}
}

// number returns v as a float64 for comparison; ok is false for text and for missing values.
func number(v any) (x float64, ok bool) {
	if r, isRange := v.(Range); isRange {
		return r.Value, !math.IsNaN(r.Value)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return float64(r.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return float64(r.Uint()), true
	case reflect.Float32, reflect.Float64:
		return r.Float(), !math.IsNaN(r.Float())
	}
	return 0, false
}

func isMissing(v any) bool {
	if v == nil {
		return true
	}
	if r, ok := v.(Range); ok {
		return math.IsNaN(r.Value)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Float32, reflect.Float64:
		return math.IsNaN(r.Float())
	case reflect.Pointer, reflect.Interface:
		return r.IsNil()
	}
	return false
}

// formatValue shows v with a column's format.
func formatValue(v any, format string) (string, error) {
	switch {
	case isMissing(v):
		return missing, nil
	case isRange(v):
		r := v.(Range)
		mid, err := formatNumber(r.Value, format)
		if err != nil || math.IsNaN(r.Low) || math.IsNaN(r.High) {
			return mid, err
		}
		low, err := formatNumber(r.Low, format)
		if err != nil {
			return "", err
		}
		high, err := formatNumber(r.High, format)
		return mid + " (" + low + "–" + high + ")", err
	}
	if s, ok := v.(fmt.Stringer); ok {
		return s.String(), nil
	}
	if _, ok := number(v); ok {
		return formatNumber(v, format)
	}
	return fmt.Sprint(v), nil
}

func isRange(v any) bool { _, ok := v.(Range); return ok }

// formatNumber applies a fmt verb to an integer or a float, converting between the two where the verb asks for it.
func formatNumber(v any, format string) (string, error) {
	r := reflect.ValueOf(v)
	isFloat := r.CanFloat()
	if format == "" {
		if isFloat {
			return fmt.Sprintf("%.4g", v), nil
		}
		return fmt.Sprintf("%d", v), nil
	}
	wantsInteger := strings.ContainsAny(verb(format), "dxXob")
	switch {
	case wantsInteger && isFloat:
		f := r.Float()
		if f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return "", fmt.Errorf("format %q needs an integer, not %v", format, f)
		}
		v = int64(f)
	case !wantsInteger && !isFloat:
		x, _ := number(v)
		v = x
	}
	s := fmt.Sprintf(format, v)
	if strings.Contains(s, "%!") {
		return "", fmt.Errorf("format %q cannot show a number", format)
	}
	return s, nil
}

// verb returns the letter of the first formatting directive in format.
func verb(format string) string {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		if i+1 < len(format) && format[i+1] == '%' {
			i++
			continue
		}
		for _, r := range format[i+1:] {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return string(r)
			}
		}
	}
	return ""
}

// raw shows v with full precision, for files that programs read. A missing value is empty.
func raw(v any) string {
	if isMissing(v) {
		return ""
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Float32:
		return strconv.FormatFloat(r.Float(), 'g', -1, 32)
	case reflect.Float64:
		return strconv.FormatFloat(r.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
