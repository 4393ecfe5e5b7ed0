package report

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours of text and rules.
var (
	ink     = rgb(0x222222)
	softInk = rgb(0x666666)
	gridInk = rgb(0xe3e3e3)
	paper   = rgb(0xffffff)
)

// palette colours series in order. It is the colour-blind-safe set of Okabe and Ito (Color Universal Design, 2008)
// without its yellow, which is too light for lines on white; the sixth and later series start again, and line plots
// then change the dashes.
var palette = []color.NRGBA{
	rgb(0x56b4e9), // sky blue
	rgb(0x0072b2), // blue
	rgb(0xe69f00), // orange
	rgb(0x009e73), // green
	rgb(0xd55e00), // vermillion
	rgb(0xcc79a7), // purple
	rgb(0x7f7f7f), // grey
}

// Colours with a fixed meaning.
var (
	positive = rgb(0x0072b2)
	negative = rgb(0xd55e00)
	removed  = rgb(0xc8281e)
	added    = rgb(0x009e73)
	changed  = rgb(0x0072b2)
)

func seriesColor(i int) color.NRGBA { return palette[i%len(palette)] }

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
}

func withAlpha(c color.NRGBA, alpha float64) color.NRGBA {
	c.A = uint8(math.Round(255 * alpha))
	return c
}

// mix returns the colour a fraction t of the way from a to b.
func mix(a, b color.NRGBA, t float64) color.NRGBA {
	f := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + t*(float64(y)-float64(x)))) }
	return color.NRGBA{R: f(a.R, b.R), G: f(a.G, b.G), B: f(a.B, b.B), A: f(a.A, b.A)}
}

// costRamp runs from nearly white to deep red-brown with steadily falling lightness, so that it also reads in grey.
// Its stops are those of ColorBrewer's OrRd (Brewer, 2002).
var costRamp = []color.NRGBA{rgb(0xfff7ec), rgb(0xfee8c8), rgb(0xfdd49e), rgb(0xfdbb84), rgb(0xfc8d59), rgb(0xef6548), rgb(0xd7301f), rgb(0x990000)}

// divergingRamp runs from vermillion through white to blue.
var divergingRamp = []color.NRGBA{rgb(0xa03c00), rgb(0xd55e00), rgb(0xf2b48a), rgb(0xffffff), rgb(0x8fc1e0), rgb(0x0072b2), rgb(0x00466e)}

// rampAt interpolates a colour ramp at t in [0, 1].
func rampAt(ramp []color.NRGBA, t float64) color.NRGBA {
	t = math.Max(0, math.Min(1, t)) * float64(len(ramp)-1)
	i := min(int(t), len(ramp)-2)
	return mix(ramp[i], ramp[i+1], t-float64(i))
}

// contrasting returns black or white, whichever is easier to read on c.
func contrasting(c color.NRGBA) color.NRGBA {
	if 0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B) < 140 {
		return paper
	}
	return ink
}

// lettering is a way to write a line of text in Liberation Sans.
type lettering struct {
	size  vg.Length
	bold  bool
	color color.Color
}

// capHeight is the height of capitals and digits of Liberation Sans, in em.
const capHeight = 0.716

func (l lettering) font() font.Font {
	f := font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, l.size)
	if l.bold {
		f.Weight = xfont.WeightBold
	}
	return f
}

// style is the equivalent text style of gonum/plot.
func (l lettering) style() text.Style {
	return text.Style{Color: l.color, Font: l.font(), Handler: plot.DefaultTextHandler}
}

func (l lettering) width(s string) vg.Length {
	face := font.DefaultCache.Lookup(l.font(), l.size)
	return face.Width(oneLine(s))
}

// write puts s on a baseline through pt; align is the fraction of its width that lies to the left of pt.
func (l lettering) write(c draw.Canvas, pt vg.Point, align float64, s string) {
	if s = oneLine(s); s == "" {
		return
	}
	face := font.DefaultCache.Lookup(l.font(), l.size)
	c.SetColor(l.color)
	c.FillString(face, vg.Point{X: pt.X - vg.Length(align)*face.Width(s), Y: pt.Y}, s)
}

// wrap breaks s at spaces into lines of at most width, where its words allow that.
func (l lettering) wrap(s string, width vg.Length) []string {
	var lines []string
	for _, word := range strings.Fields(s) {
		if n := len(lines); n > 0 && l.width(lines[n-1]+" "+word) <= width {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// centre puts s with its capitals centred on pt, both ways.
func (l lettering) centre(c draw.Canvas, pt vg.Point, s string) {
	l.write(c, vg.Point{X: pt.X, Y: pt.Y - l.size*capHeight/2}, 0.5, s)
}

// rotated puts s at an angle in radians about pt, its capitals centred on the line through pt.
func (l lettering) rotated(c draw.Canvas, pt vg.Point, angle, align float64, s string) {
	c.Push()
	c.Translate(pt)
	c.Rotate(angle)
	l.write(c, vg.Point{Y: -l.size * capHeight / 2}, align, s)
	c.Pop()
}

// fillBox fills a rectangle.
func fillBox(c draw.Canvas, col color.Color, r vg.Rectangle) {
	c.SetColor(col)
	c.Fill(r.Path())
}

// short formats a number compactly for labels: up to four significant digits, a true minus sign.
func short(x float64) string {
	s := fmt.Sprintf("%.4g", x)
	if s[0] == '-' {
		s = "−" + s[1:]
	}
	return s
}
