package sparse_test

import (
	"fmt"
	"log"

	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/sparse"
)

// second is the second difference of a vector of n points, squared: each result depends on three points.
func second(n int) *ir.Program {
	b := ir.NewBuilder("second")
	u := b.Input("u", n)
	part := func(from int) *ir.Value { return ir.Slice(u, []int{from}, []int{from + n - 2}) }
	b.Output("v", ir.Square(ir.Add(ir.Sub(part(0), ir.MulScalar(part(1), 2)), part(2))))
	p, err := b.Build()
	if err != nil {
		log.Fatal(err)
	}
	return p
}

// A thousand points: the pattern, its colouring, the Jacobian in rows.
func Example() {
	p := second(1_000)
	plan, err := sparse.NewPlan(p, sparse.Options{Strategy: sparse.Columns})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Pattern.Rows, plan.Pattern.Columns, plan.Pattern.Entries(), plan.Coloring.Colors())
	u := make([]float64, 1_000)
	for i := range u {
		u[i] = float64(i * i)
	}
	_, m, err := plan.Jacobian([]ir.Tensor{{Shape: ir.Shape{1_000}, Data: u}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.At(5, 5), m.At(5, 6), m.At(5, 7), m.At(5, 8))
	// Output:
	// 998 1000 2994 3
	// 4 -8 4 0
}

// Colourings are kept for later: they fit their pattern only.
func ExampleColoring_Marshal() {
	p, err := sparse.Detect(second(10))
	if err != nil {
		log.Fatal(err)
	}
	data, err := sparse.ColorColumns(p).Marshal(p)
	if err != nil {
		log.Fatal(err)
	}
	c, err := sparse.UnmarshalColoring(data, p)
	fmt.Println(c.Colors(), err)
	other, err := sparse.Detect(second(11))
	if err != nil {
		log.Fatal(err)
	}
	_, err = sparse.UnmarshalColoring(data, other)
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// colouring: made for another pattern than this one of 9 rows, 11 columns and 27 entries; colour this one
}
