package report

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Figure is a picture that can be drawn as SVG and as PNG.
type Figure interface {
	// Drawing checks the description and lays the picture out.
	Drawing() (*Drawing, error)
}

// Drawing is a picture of a known size, ready to be painted on any canvas of gonum/plot.
type Drawing struct {
	Width, Height vg.Length
	Paint         func(c draw.Canvas)
}

// pixelsPerInch is the resolution of PNG files: twice the 96 of a screen, so that they stay sharp when enlarged.
const pixelsPerInch = 192

// maxPixels bounds the size of a PNG, so that an enormous drawing is refused instead of exhausting memory.
const maxPixels = 100_000_000

// SVG draws f as a self-contained SVG document that shrinks with the page it is shown on.
func SVG(f Figure) (data []byte, err error) {
	defer recoverAs(&err)
	d, err := drawing(f)
	if err != nil {
		return nil, err
	}
	c := vgsvg.New(d.Width, d.Height)
	d.Paint(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("report: writing SVG: %w", err)
	}
	return portableSVG(b.Bytes()), nil
}

// PNG draws f as a PNG image at 192 pixels per inch.
func PNG(f Figure) (data []byte, err error) {
	defer recoverAs(&err)
	d, err := drawing(f)
	if err != nil {
		return nil, err
	}
	if d.Width.Dots(pixelsPerInch)*d.Height.Dots(pixelsPerInch) > maxPixels {
		return nil, fmt.Errorf("report: a picture of %.0f × %.0f points is too large for PNG; save it as SVG", d.Width.Points(), d.Height.Points())
	}
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(d.Width, d.Height), vgimg.UseDPI(pixelsPerInch))}
	d.Paint(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("report: writing PNG: %w", err)
	}
	return b.Bytes(), nil
}

func drawing(f Figure) (*Drawing, error) {
	if f == nil {
		return nil, errors.New("report: no figure to draw")
	}
	d, err := f.Drawing()
	if err != nil {
		return nil, err
	}
	if !(d.Width > 0 && d.Height > 0) {
		return nil, fmt.Errorf("report: a picture of %g × %g points has no area", d.Width.Points(), d.Height.Points())
	}
	return d, nil
}

// recoverAs turns a panic of a drawing library into an error.
func recoverAs(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("report: drawing failed: %v", r)
	}
}

var svgHeader = regexp.MustCompile(`(?s)^<\?xml.*?<svg width="([0-9.e+]+)pt" height="([0-9.e+]+)pt"`)

// portableSVG adapts the document of gonum/plot to notebooks and browsers: it may be embedded in HTML (no XML prologue),
// shrinks to the width of its container, and names fonts with the same metrics as the one text was measured with.
func portableSVG(doc []byte) []byte {
	doc = svgHeader.ReplaceAll(doc, []byte(`<svg width="${1}pt" height="${2}pt" style="max-width:100%;height:auto;background:white"`))
	doc = bytes.ReplaceAll(doc, []byte("font-family:Liberation Sans;font-variant:normal;"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	return doc
}
