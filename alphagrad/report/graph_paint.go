package report

import (
	"image/color"
	"math"
	"sort"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of nodes before a drawing is shrunk, in points.
const (
	nodeSize     vg.Length = 24 // diameter of a circle, height of a box
	constantSize vg.Length = 18
	largestNode  vg.Length = 44 // with the highest cost, where size shows cost
)

var nodeType = lettering{9, false, ink}

// look is how the nodes of one drawing are coloured and sized.
type look struct {
	options GraphOptions
	fill    Fill
	maxCost float64
	groups  map[string]int // index of a group in the palette
	names   []string       // groups in that order
	scale   vg.Length
}

func newLook(frames []Frame, o GraphOptions) look {
	l := look{options: o, fill: o.Fill, groups: make(map[string]int), scale: 1}
	for _, f := range frames {
		for _, n := range f.Graph.Nodes {
			if n.Kind != VertexNode {
				continue
			}
			l.maxCost = math.Max(l.maxCost, n.Cost)
			if _, known := l.groups[n.Group]; !known && n.Group != "" {
				l.groups[n.Group] = 0
				l.names = append(l.names, n.Group)
			}
		}
	}
	sort.Strings(l.names)
	for i, name := range l.names {
		l.groups[name] = i
	}
	if l.fill == AutoFill {
		switch {
		case l.maxCost > 0:
			l.fill = FillByCost
		case len(l.names) > 0:
			l.fill = FillByGroup
		}
	}
	return l
}

func labelOf(n Node) string {
	if n.Label == "" {
		return n.ID
	}
	return n.Label
}

// size is the width and height of a node at full scale.
func (l *look) size(n Node) (width, height vg.Length) {
	s := nodeSize
	switch {
	case n.Kind == ConstantNode:
		s = constantSize
	case n.Kind == VertexNode && l.options.SizeByCost && l.maxCost > 0:
		// The area, not the diameter, is proportional to the cost above its minimum.
		s = vg.Length(math.Sqrt(float64(nodeSize*nodeSize) + n.Cost/l.maxCost*float64(largestNode*largestNode-nodeSize*nodeSize)))
	}
	text := nodeType.width(labelOf(n))
	if n.Kind == VertexNode && text <= s-6 {
		return s, s
	}
	return max(s, text+10), s
}

func isRound(n Node, w, h vg.Length) bool { return n.Kind == VertexNode && w == h }

// Fills of the nodes that are no vertices.
var (
	inputFill    = rgb(0xdcebf7)
	outputFill   = rgb(0xd9f0e5)
	constantFill = rgb(0xededed)
)

func (l *look) fillOf(n Node) color.NRGBA {
	switch n.Kind {
	case InputNode:
		return inputFill
	case OutputNode:
		return outputFill
	case ConstantNode:
		return constantFill
	}
	switch {
	case l.fill == FillByCost && l.maxCost > 0:
		return rampAt(costRamp, n.Cost/l.maxCost)
	case l.fill == FillByGroup && n.Group != "":
		return groupColor(l.groups[n.Group])
	}
	return paper
}

func outlineOf(k NodeKind) draw.LineStyle {
	switch k {
	case InputNode:
		return draw.LineStyle{Color: rgb(0x0072b2), Width: 0.9}
	case OutputNode:
		return draw.LineStyle{Color: rgb(0x00734f), Width: 1.7}
	case ConstantNode:
		return draw.LineStyle{Color: rgb(0x9a9a9a), Width: 0.9}
	}
	return draw.LineStyle{Color: rgb(0x4d4d4d), Width: 0.9}
}

// groupColor lightens the palette, so that dark text reads on it.
func groupColor(i int) color.NRGBA { return mix(seriesColor(i), paper, 0.45) }

func (p *panels) paintGraph(c draw.Canvas, corner vg.Point, g Graph) {
	c.Push()
	c.Translate(corner)
	defer c.Pop()
	present := make(map[string]bool, len(g.Nodes))
	for _, n := range g.Nodes {
		present[n.ID] = true
	}
	if len(p.frames) > 1 {
		for i, n := range p.ghosts {
			if !present[n.ID] {
				p.paintGhost(c, p.layout.nodes[i], n)
			}
		}
	}
	// Marked edges last, so that they lie on top.
	for _, style := range []EdgeStyle{NormalEdge, RemovedEdge, UpdatedEdge, NewEdge} {
		for _, e := range g.Edges {
			if e.Style == style {
				p.paintEdge(c, e)
			}
		}
	}
	for _, n := range g.Nodes {
		p.paintNode(c, n)
	}
	for _, e := range g.Edges {
		if e.Label == "" {
			continue
		}
		text := lettering{8 * p.look.scale, false, edgeLine(e.Style).Color}
		at := p.layout.labels[p.edgeAt[[2]string{e.From, e.To}]]
		text.centre(c, at, e.Label)
	}
}

func edgeLine(s EdgeStyle) draw.LineStyle {
	switch s {
	case NewEdge:
		return draw.LineStyle{Color: added, Width: 1.9}
	case RemovedEdge:
		return draw.LineStyle{Color: removed, Width: 1.5, Dashes: []vg.Length{4, 2.5}}
	case UpdatedEdge:
		return draw.LineStyle{Color: changed, Width: 1.9}
	}
	return draw.LineStyle{Color: rgb(0x808080), Width: 0.9}
}

func (p *panels) lineStyle(s EdgeStyle) draw.LineStyle {
	line := edgeLine(s)
	line.Width *= p.strokeScale()
	for i := range line.Dashes {
		line.Dashes[i] *= p.look.scale
	}
	return line
}

// strokeScale thins lines in shrunk drawings, but less than the rest: hairlines vanish in print.
func (p *panels) strokeScale() vg.Length { return vg.Length(math.Sqrt(float64(p.look.scale))) }

func (p *panels) paintEdge(c draw.Canvas, e Edge) {
	points := p.layout.edges[p.edgeAt[[2]string{e.From, e.To}]]
	line := p.lineStyle(e.Style)
	head := 3.2*p.look.scale + 1.1*line.Width
	n := len(points)
	tip := points[n-1]
	dir := direction(points[n-2], tip)
	if dir == (vg.Point{}) {
		dir = direction(points[n-4], tip)
	}
	end := tip.Sub(dir.Scale(head)) // the line stops inside the arrow head

	var path vg.Path
	path.Move(points[0])
	for i := 1; i+2 < n; i += 3 {
		target := points[i+2]
		if i+3 >= n {
			target = end
		}
		path.CubeTo(points[i], points[i+1], target)
	}
	c.SetLineStyle(line)
	c.Stroke(path)
	fillArrowHead(c, line.Color, tip, dir, head)
}

func direction(from, to vg.Point) vg.Point {
	d := to.Sub(from)
	length := vg.Length(math.Hypot(float64(d.X), float64(d.Y)))
	if length < 1e-6 {
		return vg.Point{}
	}
	return d.Scale(1 / length)
}

func fillArrowHead(c draw.Canvas, col color.Color, tip, dir vg.Point, length vg.Length) {
	side := vg.Point{X: -dir.Y, Y: dir.X}.Scale(length * 0.45)
	back := tip.Sub(dir.Scale(length * 1.25))
	c.FillPolygon(col, []vg.Point{tip, back.Add(side), back.Sub(side)})
}

// paintArrow paints a straight arrow.
func paintArrow(c draw.Canvas, col color.Color, from, to vg.Point) {
	dir := direction(from, to)
	const head = 6
	c.StrokeLines(draw.LineStyle{Color: col, Width: 1.4}, []vg.Point{from, to.Sub(dir.Scale(head))})
	fillArrowHead(c, col, to, dir, head)
}

func (p *panels) paintNode(c draw.Canvas, n Node) {
	at := p.layout.nodes[p.nodeAt[n.ID]]
	w, h := p.look.size(n)
	w, h = w*p.look.scale, h*p.look.scale
	fill, outline := p.look.fillOf(n), outlineOf(n.Kind)
	outline.Width *= p.strokeScale()
	text := contrasting(fill)
	if n.Faded {
		fill, text = mix(fill, paper, 0.75), rgb(0xa8a8a8)
		outline.Color = rgb(0xc8c8c8)
	}
	if n.Highlight {
		// The ring lies inside the node, clear of arrow heads, and a white gap sets it off from whatever colour the node has.
		ring := 2.2 * p.look.scale
		c.SetColor(removed)
		c.Fill(nodeShape(n, at, w+ring/2, h+ring/2))
		c.SetColor(paper)
		c.Fill(nodeShape(n, at, w-1.5*ring, h-1.5*ring))
		w, h = w-2.5*ring, h-2.5*ring
		outline.Width = 0
	}
	shape := nodeShape(n, at, w, h)
	c.SetColor(fill)
	c.Fill(shape)
	c.SetLineStyle(outline)
	c.Stroke(shape)
	label := nodeType
	label.size *= p.look.scale
	label.color = text
	label.centre(c, at, labelOf(n))
}

// paintGhost marks the place of a node that is gone.
func (p *panels) paintGhost(c draw.Canvas, at vg.Point, n Node) {
	w, h := p.look.size(n)
	c.SetLineStyle(draw.LineStyle{Color: rgb(0xcccccc), Width: 0.9 * p.strokeScale(), Dashes: []vg.Length{2.5 * p.look.scale, 2 * p.look.scale}})
	c.Stroke(nodeShape(n, at, w*p.look.scale, h*p.look.scale))
	label := nodeType
	label.size *= p.look.scale
	label.color = rgb(0xc4c4c4)
	label.centre(c, at, labelOf(n))
}

// nodeShape is the outline of a node: a circle or pill for a vertex, a rounded box for inputs and outputs, a square box
// for constants.
func nodeShape(n Node, at vg.Point, w, h vg.Length) vg.Path {
	radius := h / 2
	switch n.Kind {
	case InputNode, OutputNode:
		radius = h * 0.22
	case ConstantNode:
		radius = 0
	}
	return roundedBox(vg.Rectangle{
		Min: vg.Point{X: at.X - w/2, Y: at.Y - h/2},
		Max: vg.Point{X: at.X + w/2, Y: at.Y + h/2},
	}, radius)
}

// roundedBox is the outline of r with rounded corners.
func roundedBox(r vg.Rectangle, radius vg.Length) vg.Path {
	if radius <= 0 {
		return r.Path()
	}
	var p vg.Path
	p.Move(vg.Point{X: r.Max.X, Y: r.Min.Y + radius})
	corners := []vg.Point{
		{X: r.Max.X - radius, Y: r.Max.Y - radius}, {X: r.Min.X + radius, Y: r.Max.Y - radius},
		{X: r.Min.X + radius, Y: r.Min.Y + radius}, {X: r.Max.X - radius, Y: r.Min.Y + radius},
	}
	for i, corner := range corners {
		p.Arc(corner, radius, float64(i)*math.Pi/2, math.Pi/2)
	}
	p.Close()
	return p
}

// legend names the kinds of nodes, the colours and the kinds of edges that occur.
func (l *look) legend(frames []Frame) []legendEntry {
	kinds, styles := make(map[NodeKind]bool), make(map[EdgeStyle]bool)
	highlighted := false
	for _, f := range frames {
		for _, n := range f.Graph.Nodes {
			kinds[n.Kind] = true
			highlighted = highlighted || n.Highlight
		}
		for _, e := range f.Graph.Edges {
			styles[e.Style] = true
		}
	}
	var entries []legendEntry
	for _, k := range []struct {
		kind NodeKind
		name string
	}{{InputNode, "input"}, {VertexNode, "vertex"}, {OutputNode, "output"}, {ConstantNode, "constant"}} {
		coloured := k.kind == VertexNode && l.fill != AutoFill && l.fill != FillPlain
		if kinds[k.kind] && !coloured {
			entries = append(entries, legendEntry{name: k.name, width: 12, sample: l.nodeSample(Node{Kind: k.kind})})
		}
	}
	switch {
	case l.fill == FillByCost && l.maxCost > 0:
		name := l.options.CostLabel
		if name == "" {
			name = "cost"
		}
		entries = append(entries, legendEntry{name: name + " 0 … " + short(l.maxCost), sample: rampSample(costRamp), width: 60})
	case l.fill == FillByGroup:
		for _, g := range l.names {
			entries = append(entries, legendEntry{name: g, width: 10, sample: l.nodeSample(Node{Group: g})})
		}
	}
	if highlighted {
		entries = append(entries, legendEntry{name: "to eliminate", width: 12, sample: func(c draw.Canvas, box vg.Rectangle) {
			c.SetLineStyle(draw.LineStyle{Color: removed, Width: 2})
			c.Stroke(nodeShape(Node{}, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, 9, 9))
		}})
	}
	for _, s := range []struct {
		style EdgeStyle
		name  string
	}{{RemovedEdge, "removed"}, {NewEdge, "new"}, {UpdatedEdge, "updated"}} {
		if styles[s.style] {
			entries = append(entries, legendEntry{name: s.name, sample: func(c draw.Canvas, box vg.Rectangle) {
				line, y := edgeLine(s.style), (box.Min.Y+box.Max.Y)/2
				c.StrokeLine2(line, box.Min.X, y, box.Max.X-5, y)
				fillArrowHead(c, line.Color, vg.Point{X: box.Max.X, Y: y}, vg.Point{X: 1}, 5)
			}})
		}
	}
	return entries
}

func (l *look) nodeSample(n Node) swatch {
	return func(c draw.Canvas, box vg.Rectangle) {
		shape := nodeShape(n, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, box.Max.X-box.Min.X, min(9, box.Max.X-box.Min.X))
		if n.Kind == VertexNode {
			shape = nodeShape(n, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, 10, 10)
		}
		c.SetColor(l.fillOf(n))
		c.Fill(shape)
		c.SetLineStyle(outlineOf(n.Kind))
		c.Stroke(shape)
	}
}
