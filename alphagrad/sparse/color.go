package sparse

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// A Coloring groups columns, rows or both so that every entry can be read off: the sum of the columns of one colour, or of
// the rows of one colour, holds it alone. Colours are numbered from 0; −1 marks a column or row that takes no part.
type Coloring struct {
	Column, Row   []int32
	Columns, Rows int // number of colours
}

// Colors is the number of products with seeds that the colouring needs.
func (c *Coloring) Colors() int { return c.Columns + c.Rows }

// An order is a row of the table of orders in which vertices are coloured greedily.
var orders = []struct {
	name string
	sort func(p *Pattern, rows *Pattern) []int32 // columns in order; rows is p transposed
}{
	{"natural", func(p, _ *Pattern) []int32 { return sequence(p.Columns) }},
	// The most entries first (Welsh & Powell 1967).
	{"largest first", func(p, t *Pattern) []int32 {
		list, degree := sequence(p.Columns), degrees(p, t)
		slices.SortStableFunc(list, func(a, b int32) int { return cmp.Compare(degree[b], degree[a]) })
		return list
	}},
	// Last the columns with the fewest neighbours, then those with the fewest among the rest (Matula & Beck 1983).
	{"smallest last", smallestLast},
}

func sequence(n int) []int32 {
	list := make([]int32, n)
	for k := range list {
		list[k] = int32(k)
	}
	return list
}

// degrees bounds, for each column, the number of columns that share a row with it.
func degrees(p, t *Pattern) []int {
	degree := make([]int, p.Columns)
	for j := range degree {
		for _, i := range t.Row(j) {
			degree[j] += len(p.Row(int(i))) - 1
		}
	}
	return degree
}

func smallestLast(p, t *Pattern) []int32 {
	degree := degrees(p, t)
	buckets := make([][]int32, slices.Max(append([]int{0}, degree...))+1)
	for j, d := range degree {
		buckets[d] = append(buckets[d], int32(j))
	}
	done := make([]bool, p.Columns)
	order := make([]int32, p.Columns)
	for at, low := p.Columns-1, 0; at >= 0; {
		for len(buckets[low]) == 0 {
			low++
		}
		j := buckets[low][len(buckets[low])-1]
		buckets[low] = buckets[low][:len(buckets[low])-1]
		if done[j] || degree[j] != low {
			continue // an outdated entry: the column has moved to a lower bucket
		}
		done[j], order[at] = true, j
		at--
		for _, i := range t.Row(int(j)) {
			for _, k := range p.Row(int(i)) {
				if !done[k] {
					degree[k]--
					buckets[degree[k]] = append(buckets[degree[k]], k)
					low = min(low, degree[k])
				}
			}
		}
	}
	return order
}

// distance2 colours the columns so that no two with an entry in the same row have the same colour, greedily in the best of
// the orders. Columns without entries take no part.
func distance2(p, t *Pattern) (colors []int32, n int) {
	for _, o := range orders {
		c, k := greedy(p, t, o.sort(p, t))
		if colors == nil || k < n {
			colors, n = c, k
		}
	}
	return colors, n
}

func greedy(p, t *Pattern, order []int32) (colors []int32, n int) {
	colors = make([]int32, p.Columns)
	for j := range colors {
		colors[j] = -1
	}
	var taken []int32 // by colour: the column that forbids it
	for _, j := range order {
		rows := t.Row(int(j))
		if len(rows) == 0 {
			continue
		}
		for _, i := range rows {
			for _, k := range p.Row(int(i)) {
				if c := colors[k]; c >= 0 {
					taken[c] = j + 1
				}
			}
		}
		c := 0
		for c < len(taken) && taken[c] == j+1 {
			c++
		}
		if c == len(taken) {
			taken = append(taken, 0)
		}
		colors[j] = int32(c)
	}
	return colors, len(taken)
}

// ColorColumns groups columns without a common row: products J·s (Gebremedhin et al., section 3.2).
func ColorColumns(p *Pattern) *Coloring {
	c, n := distance2(p, p.Transpose())
	return &Coloring{Column: c, Columns: n}
}

// ColorRows groups rows without a common column: products sᵀ·J.
func ColorRows(p *Pattern) *Coloring {
	t := p.Transpose()
	c, n := distance2(t, p)
	return &Coloring{Row: c, Rows: n}
}

// thresholds bounds how many ways of splitting rows from columns [ColorBoth] tries.
const thresholds = 24

// ColorBoth recovers the fullest rows through products with rows and everything else through products with columns, or the
// reverse, whichever needs fewest colours: the direct bidirectional cover of Coleman & Verma (1998) and Hossain & Steihaug
// (1998), with the split searched over the counts of entries. It never needs more colours than one side alone.
func ColorBoth(p *Pattern) *Coloring {
	t := p.Transpose()
	best := split(p, math.MaxInt)
	if c := split(t, best.limit()); c != nil {
		best = c.transposed()
	}
	sides := []struct{ p, t *Pattern }{{p, t}, {t, p}}
	if most(t) < most(p) { // a side needs no fewer colours than its fullest row has entries
		slices.Reverse(sides)
	}
	for _, s := range sides {
		if best.limit() <= most(s.p) {
			continue
		}
		colors, n := distance2(s.p, s.t)
		if n >= best.limit() {
			continue
		}
		if best = (&Coloring{Column: colors, Columns: n}); s.p == t {
			best = best.transposed()
		}
	}
	return best
}

// limit is the number of colours that another colouring has to stay below; there may be none yet.
func (c *Coloring) limit() int {
	if c == nil {
		return math.MaxInt
	}
	return c.Colors()
}

// transposed is the colouring for the transposed pattern.
func (c *Coloring) transposed() *Coloring {
	return &Coloring{Column: c.Row, Row: c.Column, Columns: c.Rows, Rows: c.Columns}
}

// split colours the rows with more entries than a threshold by rows and the columns of all others by columns; nil where
// that needs no fewer colours than known. One order of vertices compares the thresholds, the best gets all of them.
func split(p *Pattern, known int) *Coloring {
	counts := make([]int, p.Rows)
	for i := range counts {
		counts[i] = len(p.Row(i))
	}
	levels := slices.Compact(slices.Sorted(slices.Values(counts)))
	if len(levels) > thresholds {
		var few []int
		for k := range thresholds {
			few = append(few, levels[k*(len(levels)-1)/(thresholds-1)])
		}
		levels = slices.Compact(few)
	}
	if len(levels) < 2 {
		return nil
	}
	type parts struct{ rest, restT, full, fullT *Pattern }
	var best parts
	least := math.MaxInt
	for _, level := range levels[:len(levels)-1] { // above the last there is no row
		s := parts{rest: part(p, func(i int) bool { return counts[i] <= level }), full: part(p, func(i int) bool { return counts[i] > level })}
		s.fullT = s.full.Transpose()
		if most(s.rest)+most(s.fullT) >= min(known, least) { // entries of one row, or of one column, have different colours
			continue
		}
		s.restT = s.rest.Transpose()
		_, columns := greedy(s.rest, s.restT, sequence(p.Columns))
		_, rows := greedy(s.fullT, s.full, sequence(p.Rows))
		if columns+rows < least {
			best, least = s, columns+rows
		}
	}
	if best.rest == nil {
		return nil
	}
	c := &Coloring{}
	c.Column, c.Columns = distance2(best.rest, best.restT)
	c.Row, c.Rows = distance2(best.fullT, best.full)
	if c.Colors() >= known {
		return nil
	}
	return c
}

// most is the number of entries of the fullest row.
func most(p *Pattern) (n int) {
	for i := range p.Rows {
		n = max(n, len(p.Row(i)))
	}
	return n
}

// part is the pattern with some rows only; the others are empty.
func part(p *Pattern, keep func(i int) bool) *Pattern {
	q := &Pattern{Rows: p.Rows, Columns: p.Columns, Start: make([]int32, p.Rows+1)}
	for i := range p.Rows {
		if keep(i) {
			q.Column = append(q.Column, p.Row(i)...)
		}
		q.Start[i+1] = int32(len(q.Column))
	}
	return q
}

// Check reports whether a colouring can recover every entry of a pattern; the error names the first that it cannot.
func (c *Coloring) Check(p *Pattern) error {
	_, err := c.sources(p)
	return err
}

// A source says where an entry is read: element index of the product with column colour, or with row colour, at.
type source struct {
	row bool
	at  int // rows or columns times colours may exceed an int32
}

// sources finds a place to read every entry from.
func (c *Coloring) sources(p *Pattern) ([]source, error) {
	if c.Columns < 0 || c.Rows < 0 || (c.Columns > 0 && c.Column == nil) || (c.Rows > 0 && c.Row == nil) {
		return nil, fmt.Errorf("a colouring with %d colours of %d columns and %d of %d rows", c.Columns, len(c.Column), c.Rows, len(c.Row))
	}
	if (c.Column != nil && len(c.Column) != p.Columns) || (c.Row != nil && len(c.Row) != p.Rows) {
		return nil, fmt.Errorf("a colouring of %d columns and %d rows does not fit a pattern of %d rows and %d columns", len(c.Column), len(c.Row), p.Rows, p.Columns)
	}
	for k, list := range [][]int32{c.Column, c.Row} {
		most := []int{c.Columns, c.Rows}[k]
		for _, color := range list {
			if color < -1 || int(color) >= most {
				return nil, fmt.Errorf("colour %d is not among %d", color, most)
			}
		}
	}
	sources := make([]source, len(p.Column))
	found := make([]bool, len(p.Column))
	if c.Column != nil {
		count := make([]int32, c.Columns)
		for i := range p.Rows {
			row := p.Row(i)
			for _, j := range row {
				if k := c.Column[j]; k >= 0 {
					count[k]++
				}
			}
			for k, j := range row {
				if color := c.Column[j]; color >= 0 && count[color] == 1 {
					at := int(p.Start[i]) + k
					sources[at], found[at] = source{at: i*c.Columns + int(color)}, true
				}
			}
			for _, j := range row {
				if k := c.Column[j]; k >= 0 {
					count[k] = 0
				}
			}
		}
	}
	if c.Row != nil {
		count := make([]int32, c.Rows)
		t := p.Transpose()
		for j := range p.Columns {
			column := t.Row(j)
			for _, i := range column {
				if k := c.Row[i]; k >= 0 {
					count[k]++
				}
			}
			for _, i := range column {
				if color := c.Row[i]; color >= 0 && count[color] == 1 {
					at := p.find(int(i), j)
					if !found[at] {
						sources[at], found[at] = source{row: true, at: int(color)*p.Columns + j}, true
					}
				}
			}
			for _, i := range column {
				if k := c.Row[i]; k >= 0 {
					count[k] = 0
				}
			}
		}
	}
	for i := range p.Rows {
		for k := p.Start[i]; k < p.Start[i+1]; k++ {
			if !found[k] {
				return nil, fmt.Errorf("entry (%d, %d) cannot be read off: another entry always shares its sum", i, p.Column[k])
			}
		}
	}
	return sources, nil
}

// Groups numbers, for each entry of a pattern, the product it is read from: the colours of columns, then those of rows.
func (c *Coloring) Groups(p *Pattern) ([]int, error) {
	sources, err := c.sources(p)
	if err != nil {
		return nil, err
	}
	groups := make([]int, len(sources))
	for k, s := range sources {
		if s.row {
			groups[k] = c.Columns + s.at/p.Columns
		} else {
			groups[k] = s.at % c.Columns
		}
	}
	return groups, nil
}

// coloringFormat marks colouring files of this version.
const coloringFormat = "alphagrad-coloring/1"

type coloringFile struct {
	Format  string  `json:"format"`
	Pattern string  `json:"pattern"` // hash of the pattern it is for
	Columns int     `json:"columns"`
	Rows    int     `json:"rows"`
	Column  []int32 `json:"column,omitempty"`
	Row     []int32 `json:"row,omitempty"`
}

// Marshal writes a colouring of a pattern as JSON.
func (c *Coloring) Marshal(p *Pattern) ([]byte, error) {
	return json.Marshal(coloringFile{coloringFormat, p.Hash(), c.Columns, c.Rows, c.Column, c.Row})
}

// UnmarshalColoring reads a colouring; one that was made for another pattern is refused.
func UnmarshalColoring(data []byte, p *Pattern) (*Coloring, error) {
	var f coloringFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("colouring: %w", err)
	}
	if f.Format != coloringFormat {
		return nil, fmt.Errorf("colouring: format %q; expected %q", f.Format, coloringFormat)
	}
	if f.Pattern != p.Hash() {
		return nil, fmt.Errorf("colouring: made for another pattern than this one of %d rows, %d columns and %d entries; colour this one", p.Rows, p.Columns, p.Entries())
	}
	c := &Coloring{Column: f.Column, Row: f.Row, Columns: f.Columns, Rows: f.Rows}
	if f.Columns < 0 || f.Rows < 0 || f.Columns > p.Columns || f.Rows > p.Rows {
		return nil, fmt.Errorf("colouring: %d and %d colours for %d columns and %d rows", f.Columns, f.Rows, p.Columns, p.Rows)
	}
	if err := c.Check(p); err != nil {
		return nil, fmt.Errorf("colouring: %w", err)
	}
	return c, nil
}
