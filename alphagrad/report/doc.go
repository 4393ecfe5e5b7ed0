// Package report turns results into things people read: tables (Markdown, LaTeX, CSV, HTML, plain text), plots
// and drawings of computational graphs (SVG and PNG).
//
// Everything is a plain description: fill in a [Table], a [BarChart], a [LinePlot], a [Histogram], a [Matrix], a
// [Raster], a [GraphFigure], a [Step] or a [FilmStrip], then render it with the methods of Table, with [SVG] and [PNG], or save
// it with [SaveTable] and [SaveFigure]. The package knows nothing of programs, elimination or search, so anything can
// be reported with it; the callers fill the descriptions.
//
// Rendering is deterministic: the same description gives the same bytes. The fonts used to measure and to rasterise
// text are compiled in, so pictures do not depend on the machine. A description that cannot be drawn (lengths that
// disagree, values a logarithmic axis cannot show, an edge to an unknown node) gives one error that says what is
// wrong; nothing in this package panics across its boundary.
//
// Package report/nb shows the same descriptions in a GoNB notebook.
package report
