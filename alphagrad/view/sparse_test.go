package view_test

import (
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/report"
	"github.com/alphagrad/alphagrad-go/alphagrad/sparse"
	"github.com/alphagrad/alphagrad-go/alphagrad/view"
)

func TestColoring(t *testing.T) {
	p, err := sparse.NewPattern(3, [][]int32{{0, 1, 2}, {0, 1}, {0, 2}})
	if err != nil {
		t.Fatal(err)
	}
	spy, err := view.Coloring(p, nil)
	if err != nil || spy.Colors != report.Pattern || !slices.Equal(spy.Data, []float64{1, 1, 1, 1, 1, 0, 1, 0, 1}) {
		t.Errorf("%+v, %v", spy, err)
	}
	c := sparse.ColorBoth(p)
	m, err := view.Coloring(p, c)
	if err != nil || m.Colors != report.Groups || slices.Max(m.Data) != float64(c.Colors()) || m.Data[5] != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := report.SVG(m); err != nil {
		t.Error(err)
	}
	other, err := sparse.NewPattern(2, [][]int32{{0}, {1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := view.Coloring(other, c); err == nil {
		t.Error("a colouring of another pattern is drawn")
	}
	wide, err := sparse.NewPattern(1<<20, [][]int32{{0}, {1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := view.Coloring(wide, nil); err == nil {
		t.Error("two million cells are drawn")
	}
}
