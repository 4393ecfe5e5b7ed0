package report

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Fill is what the colour of the intermediate vertices tells.
type Fill int

// Fills. AutoFill shows costs where any vertex has one, else groups where any vertex has one, else nothing.
const (
	AutoFill Fill = iota
	FillPlain
	FillByGroup
	FillByCost
)

// GraphOptions says how graphs are drawn. The zero value is a good start.
type GraphOptions struct {
	Direction  Direction
	Fill       Fill
	SizeByCost bool   // vertices grow with their cost, too
	CostLabel  string // what the costs are, for the legend; empty means "cost"
	NoLegend   bool

	// MaxWidth and MaxHeight bound the drawing of the graph in points; everything shrinks to fit. Zero means 760 and 900.
	MaxWidth, MaxHeight float64
}

// DrawGraph draws g as SVG. It is short for SVG(GraphFigure{Graph: g, Options: o}).
func DrawGraph(g Graph, o GraphOptions) ([]byte, error) {
	return SVG(GraphFigure{Graph: g, Options: o})
}

// GraphFigure is the drawing of one computational graph.
type GraphFigure struct {
	Title, Subtitle string // an empty Title shows the name of the graph
	Graph           Graph
	Options         GraphOptions
}

// Drawing implements [Figure].
func (f GraphFigure) Drawing() (*Drawing, error) {
	title := f.Title
	if title == "" {
		title = f.Graph.Name
	}
	return drawPanels(title, f.Subtitle, []Frame{{Graph: f.Graph}}, 1, f.Options)
}

// Step shows one elimination, before and after side by side: the vertex and its edges, which disappear, in red; new
// edges in green and updated ones in blue. Nodes keep their place.
type Step struct {
	Title, Subtitle         string
	Before                  Graph
	Vertex                  string // ID of the vertex to eliminate
	BeforeLabel, AfterLabel string // captions; empty means "before" and "after eliminating <vertex>"
	Options                 GraphOptions
}

// Drawing implements [Figure].
func (s Step) Drawing() (*Drawing, error) {
	after, err := s.Before.Eliminate(s.Vertex)
	if err != nil {
		return nil, err
	}
	before := s.Before
	before.Nodes = append([]Node(nil), before.Nodes...)
	label := s.Vertex
	for i, n := range before.Nodes {
		if n.ID == s.Vertex {
			before.Nodes[i].Highlight = true
			if n.Label != "" {
				label = n.Label
			}
		}
	}
	before.Edges = append([]Edge(nil), before.Edges...)
	for i, e := range before.Edges {
		before.Edges[i].Style = NormalEdge
		if e.From == s.Vertex || e.To == s.Vertex {
			before.Edges[i].Style = RemovedEdge
		}
	}
	captions := [2]string{s.BeforeLabel, s.AfterLabel}
	for i, automatic := range [2]string{"before", "after eliminating " + label} {
		if captions[i] == "" {
			captions[i] = automatic
		}
	}
	return drawPanels(s.Title, s.Subtitle, []Frame{{before, captions[0]}, {after, captions[1]}}, 2, s.Options)
}

// Frame is one picture of a [FilmStrip].
type Frame struct {
	Graph   Graph
	Caption string
}

// FilmStrip shows several states of one graph in a common layout, row by row.
type FilmStrip struct {
	Title, Subtitle string
	Frames          []Frame
	Columns         int // frames per row; 0 means at most four, in rows of similar length
	Options         GraphOptions
}

// Drawing implements [Figure].
func (f FilmStrip) Drawing() (*Drawing, error) {
	columns := f.Columns
	if columns <= 0 {
		rows := max(1, (len(f.Frames)+3)/4)
		columns = max(1, (len(f.Frames)+rows-1)/rows)
	}
	return drawPanels(f.Title, f.Subtitle, f.Frames, columns, f.Options)
}

// Film returns the strip of eliminating vertices of g in the given order, one frame before each elimination and one at
// the end; each frame marks the vertex that goes next and shows the edges the previous elimination made. Costs are the
// Markowitz degrees in the frame's own graph, and captions sum them up.
func Film(g Graph, order []string) (FilmStrip, error) {
	strip := FilmStrip{Title: g.Name, Options: GraphOptions{CostLabel: "Markowitz degree"}}
	total := 0.0
	g = g.WithMarkowitzCosts()
	for i, id := range order {
		next, err := g.Eliminate(id)
		if err != nil {
			return FilmStrip{}, fmt.Errorf("report: step %d: %w", i+1, err)
		}
		label, cost := id, 0.0
		for k, n := range g.Nodes {
			if n.ID == id {
				g.Nodes[k].Highlight = true
				cost = n.Cost
				if n.Label != "" {
					label = n.Label
				}
			}
		}
		total += cost
		strip.Frames = append(strip.Frames, Frame{g, fmt.Sprintf("%d. eliminate %s: %g mul, total %g", i+1, label, cost, total)})
		g = next.WithMarkowitzCosts()
	}
	strip.Frames = append(strip.Frames, Frame{g, fmt.Sprintf("result after %g multiplications", total)})
	return strip, nil
}

// panels are frames in a common layout.
type panels struct {
	title, subtitle string
	frames          []Frame
	columns         int
	look            look
	layout          *layout
	legend          []legendEntry
	nodeAt          map[string]int    // index in the layout
	edgeAt          map[[2]string]int // index in the layout
	ghosts          []Node            // [nodes] of the union, for places whose node is gone
	head            vg.Length
	caption         vg.Length // height of a caption
	cell            vg.Point  // size of a panel without its caption
}

const panelGap vg.Length = 22

// drawPanels lays out the union of all frames' graphs, so that every node keeps its place, and scales it to fit.
func drawPanels(title, subtitle string, frames []Frame, columns int, o GraphOptions) (*Drawing, error) {
	if len(frames) == 0 {
		return nil, fmt.Errorf("report: %q has no graph to draw", title)
	}
	p := &panels{title: title, subtitle: subtitle, frames: frames, columns: min(columns, len(frames)),
		nodeAt: make(map[string]int), edgeAt: make(map[[2]string]int)}
	for _, f := range frames {
		if err := f.Graph.check(); err != nil {
			return nil, err
		}
		if f.Caption != "" {
			p.caption = legendType.size * 2
		}
	}
	p.look = newLook(frames, o)
	nodes, edges := p.union()

	rows := (len(frames) + p.columns - 1) / p.columns
	room := vg.Point{X: orDefault(o.MaxWidth, 760), Y: orDefault(o.MaxHeight, 900)}
	room.X = (room.X - 2*margin - panelGap*vg.Length(p.columns-1)) / vg.Length(p.columns)
	room.Y = (room.Y-2*margin-panelGap*vg.Length(rows-1))/vg.Length(rows) - p.caption
	if room.X <= 0 || room.Y <= 0 {
		return nil, fmt.Errorf("report: %q: %d frames do not fit into %g × %g points", title, len(frames), orDefault(o.MaxWidth, 760).Points(), orDefault(o.MaxHeight, 900).Points())
	}
	scale, err := p.place(nodes, edges, o.Direction, room)
	if err != nil {
		return nil, err
	}
	p.look.scale = scale
	p.cell = vg.Point{X: p.layout.width, Y: p.layout.height}
	for _, f := range frames {
		p.cell.X = max(p.cell.X, min(room.X, legendType.width(f.Caption)))
	}
	if !o.NoLegend {
		p.legend = p.look.legend(frames)
	}
	width := p.cell.X*vg.Length(p.columns) + panelGap*vg.Length(p.columns-1) + 2*margin
	width = max(width, 300)
	p.head = headHeight(title, subtitle, p.legend, width)
	height := p.head + (p.cell.Y+p.caption)*vg.Length(rows) + panelGap*vg.Length(rows-1) + 3*margin
	return &Drawing{Width: width, Height: height, Paint: p.paint}, nil
}

func orDefault(x float64, otherwise vg.Length) vg.Length {
	if x <= 0 || math.IsNaN(x) {
		return otherwise
	}
	return vg.Length(x)
}

// place sets the layout, choosing the direction if asked to, and returns how much it was shrunk.
func (p *panels) place(nodes []layoutNode, edges []layoutEdge, dir Direction, room vg.Point) (scale vg.Length, err error) {
	directions := []Direction{dir}
	if dir == AutoDirection {
		directions = []Direction{LeftToRight, TopToBottom}
	}
	for _, d := range directions {
		l, err := placeGraph(nodes, edges, d)
		if err != nil {
			return 0, err
		}
		if s := min(1, room.X/l.width, room.Y/l.height); s > scale {
			scale, p.layout = s, l
		}
	}
	p.layout.scale(scale)
	return scale, nil
}

// union numbers the nodes and edges of all frames. Edges of later frames are fill-in and do not shape the layout.
func (p *panels) union() (nodes []layoutNode, edges []layoutEdge) {
	for i, f := range p.frames {
		for _, n := range f.Graph.Nodes {
			w, h := p.look.size(n)
			at, known := p.nodeAt[n.ID]
			if !known {
				p.nodeAt[n.ID] = len(nodes)
				nodes = append(nodes, layoutNode{w, h, isRound(n, w, h)})
				p.ghosts = append(p.ghosts, n)
				continue
			}
			nodes[at].width, nodes[at].height = max(nodes[at].width, w), max(nodes[at].height, h)
		}
		for _, e := range f.Graph.Edges {
			pair := [2]string{e.From, e.To}
			if at, known := p.edgeAt[pair]; known {
				if len(e.Label) > len(edges[at].label) {
					edges[at].label = e.Label
				}
				continue
			}
			p.edgeAt[pair] = len(edges)
			edges = append(edges, layoutEdge{from: p.nodeAt[e.From], to: p.nodeAt[e.To], label: e.Label, light: i > 0})
		}
	}
	return nodes, edges
}

func (p *panels) paint(c draw.Canvas) {
	fillBox(c, paper, c.Rectangle)
	top := paintHead(c, p.title, p.subtitle, p.legend) - margin
	left := c.Center().X - (p.cell.X*vg.Length(p.columns)+panelGap*vg.Length(p.columns-1))/2
	for i, f := range p.frames {
		col, row := vg.Length(i%p.columns), vg.Length(i/p.columns)
		corner := vg.Point{
			X: left + col*(p.cell.X+panelGap) + (p.cell.X-p.layout.width)/2,
			Y: top - row*(p.cell.Y+p.caption+panelGap) - p.caption - p.layout.height,
		}
		if f.Caption != "" {
			caption := lettering{legendType.size, true, ink}
			if w := caption.width(f.Caption); w > p.cell.X+panelGap/2 {
				caption.size *= (p.cell.X + panelGap/2) / w
			}
			caption.write(c, vg.Point{X: corner.X + p.layout.width/2, Y: corner.Y + p.layout.height + legendType.size}, 0.5, f.Caption)
		}
		p.paintGraph(c, corner, f.Graph)
		if col > 0 {
			x, y := left+col*(p.cell.X+panelGap)-panelGap/2, corner.Y+p.layout.height/2
			paintArrow(c, softInk, vg.Point{X: x - 7, Y: y}, vg.Point{X: x + 7, Y: y})
		}
	}
}
