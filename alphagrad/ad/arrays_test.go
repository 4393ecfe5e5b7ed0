package ad_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/exec/interp"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"pgregory.net/rapid"
)

// drawArrayProgram draws a program of small arrays that uses every op over arrays.
func drawArrayProgram(t *rapid.T) *ir.Program {
	b := ir.NewBuilder("p")
	var vs []*ir.Value
	shapes := []ir.Shape{{}, {2}, {3}, {2, 3}, {1, 3}, {2, 1}, {3, 2}, {6}, {2, 2}}
	for i := range rapid.IntRange(1, 3).Draw(t, "inputs") {
		vs = append(vs, b.Input(fmt.Sprintf("x%d", i), rapid.SampledFrom(shapes).Draw(t, "shape")...))
	}
	pick := func() *ir.Value { return vs[rapid.IntRange(0, len(vs)-1).Draw(t, "arg")] }
	// like returns a value of the same shape as x, or a scalar.
	like := func(x *ir.Value) *ir.Value {
		var same []*ir.Value
		for _, v := range vs {
			if v.Shape().Equal(x.Shape()) || len(v.Shape()) == 0 {
				same = append(same, v)
			}
		}
		return rapid.SampledFrom(same).Draw(t, "like")
	}
	axis := func(x *ir.Value) int { return rapid.IntRange(0, len(x.Shape())-1).Draw(t, "axis") }
	axes := func(x *ir.Value) (list []int) {
		for k := range x.Shape() {
			if rapid.Bool().Draw(t, "reduced") {
				list = append(list, k)
			}
		}
		if list == nil && len(x.Shape()) > 0 {
			list = []int{0}
		}
		return list
	}
	for range rapid.IntRange(1, 10).Draw(t, "nodes") {
		x := pick()
		var y *ir.Value
		rank := len(x.Shape())
		kind := rapid.IntRange(0, 15).Draw(t, "kind")
		if rank == 0 && kind > 6 {
			kind = rapid.IntRange(0, 6).Draw(t, "kind")
		}
		switch kind {
		case 0:
			y = ir.Sin(x)
		case 1:
			y = ir.Add(x, like(x))
		case 2:
			y = ir.Mul(x, like(x))
		case 3:
			y = ir.Div(x, ir.OnePlus(ir.Square(like(x))))
		case 4:
			y = ir.MulScalar(x, rapid.SampledFrom([]float64{-1, 1, 2}).Draw(t, "c"))
		case 5:
			y = ir.Max(x, like(x))
		case 6:
			if rank > 1 {
				continue
			}
			n := rapid.IntRange(2, 3).Draw(t, "n")
			shape, at := append(slices.Clone(x.Shape()), n), []int{0}[:rank]
			if rapid.Bool().Draw(t, "front") {
				shape, at = append(ir.Shape{n}, x.Shape()...), []int{1}[:rank]
			}
			y = ir.Broadcast(x, shape, at...)
		case 7:
			y = ir.ReduceSum(x, axes(x)...)
		case 8:
			y = ir.ReduceMultiply(x, axes(x)...)
		case 9:
			y = ir.ReduceMax(x, axes(x)...)
		case 10:
			p := make([]int, rank)
			for k := range p {
				p[k] = rank - 1 - k
			}
			y = ir.Transpose(x, p...)
		case 11:
			n := x.Shape().Size()
			var fits []ir.Shape
			for _, s := range append([]ir.Shape{{n}, {1, n}, {n, 1}}, shapes...) {
				if s.Size() == n {
					fits = append(fits, s)
				}
			}
			y = ir.Reshape(x, rapid.SampledFrom(fits).Draw(t, "shape")...)
		case 12:
			start, limit := make([]int, rank), make([]int, rank)
			for k, n := range x.Shape() {
				start[k] = rapid.IntRange(0, n-1).Draw(t, "start")
				limit[k] = rapid.IntRange(start[k]+1, n).Draw(t, "limit")
			}
			y = ir.Slice(x, start, limit)
		case 13:
			k := axis(x)
			var parts []*ir.Value
			for _, v := range vs {
				ok := len(v.Shape()) == rank
				for i := 0; ok && i < rank; i++ {
					ok = i == k || v.Shape()[i] == x.Shape()[i]
				}
				if ok && len(parts) < 2 {
					parts = append(parts, v)
				}
			}
			y = ir.Concatenate(parts, k)
			if y.Shape().Size() > 12 {
				continue
			}
		case 14:
			k := axis(x)
			y = ir.Gather(x, k, rapid.SliceOfN(rapid.IntRange(0, x.Shape()[k]-1), 1, 3).Draw(t, "indices")...)
		case 15:
			low, high := make([]int, rank), make([]int, rank)
			low[0], high[rank-1] = 1, rapid.IntRange(0, 1).Draw(t, "high")
			if y = ir.Pad(x, low, high); y.Shape().Size() > 12 {
				continue
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "contract") == 0 && len(y.Shape()) > 0 {
			for _, v := range vs {
				if s, n := v.Shape(), y.Shape(); len(s) > 0 && s[0] == n[len(n)-1] {
					y = ir.Einsum(map[[2]int]string{{1, 1}: "i,i->", {1, 2}: "i,ij->ij", {2, 1}: "ji,i->j", {2, 2}: "ji,ik->kj"}[[2]int{len(n), len(s)}], y, v)
					break
				}
			}
		}
		vs = append(vs, y)
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "outputs") {
		b.Output(fmt.Sprintf("y%d", i), vs[rapid.IntRange(0, len(vs)-1).Draw(t, "out")])
	}
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// elementwiseJacobian differentiates the scalar form of a program and returns ∂y/∂x as dense tensors, one for each pair of
// output and input: the oracle for programs of arrays.
func elementwiseJacobian(t interface{ Fatal(...any) }, p *ir.Program, at []ir.Tensor) [][]float64 {
	q, _, err := ir.Scalarize(p)
	if err != nil {
		t.Fatal(err)
	}
	jac, err := ad.Jacobian(q, nil)
	if err != nil {
		t.Fatal(err)
	}
	var x []float64
	for _, a := range at {
		x = append(x, a.Data...)
	}
	all, err := interp.EvalScalar(jac, x)
	if err != nil {
		t.Fatal(err)
	}
	var blocks [][]float64
	row := 0
	for _, o := range p.Outputs {
		rows := p.Nodes[o.Node].Shape.Size()
		column := 0
		for _, a := range at {
			var block []float64
			for i := range rows {
				from := (row+i)*len(x) + column
				block = append(block, all[from:from+len(a.Data)]...)
			}
			blocks = append(blocks, block)
			column += len(a.Data)
		}
		row += rows
	}
	return blocks
}

func randomPoint(p *ir.Program, rng *rand.Rand) (at []ir.Tensor) {
	for _, id := range p.Inputs {
		x := ir.Tensor{Shape: p.Nodes[id].Shape, Data: make([]float64, p.Nodes[id].Shape.Size())}
		for k := range x.Data {
			x.Data[k] = rng.Float64()*2 - 1
		}
		at = append(at, x)
	}
	return at
}

func TestRandomArrayProgramsAgainstScalars(t *testing.T) {
	structured := 0
	rapid.Check(t, func(t *rapid.T) {
		p := drawArrayProgram(t)
		if scalar, _ := p.IsScalar(); scalar {
			return
		}
		structured++
		g, err := ad.Graph(p)
		if err != nil {
			t.Fatal(err)
		}
		order := rapid.Permutation(g.Eliminable()).Draw(t, "order")
		jac, err := ad.Jacobian(p, order)
		if err != nil {
			t.Fatal(err)
		}
		at := randomPoint(p, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)))
		got, err := interp.Eval(jac, at)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range elementwiseJacobian(t, p, at) {
			shape := slices.Concat(p.Nodes[p.Outputs[k/len(at)].Node].Shape, at[k%len(at)].Shape)
			if !got[k].Shape.Equal(shape) {
				t.Fatalf("%s has shape %v, want %v", jac.Outputs[k].Name, got[k].Shape, shape)
			}
			for i, w := range want {
				if d := math.Abs(got[k].Data[i] - w); !(d <= 1e-11*(1+math.Abs(w))) {
					t.Fatalf("%s[%d] = %v, want %v\n%s\norder %v", jac.Outputs[k].Name, i, got[k].Data[i], w, p, order)
				}
			}
		}
	})
	if structured < 50 {
		t.Errorf("only %d programs had arrays", structured)
	}
}

// TestArrayMultiplicationsAreThoseOfTheProgram: the cost that the search counts is what elimination records, as counted
// from the program. Two orders differ by nothing else.
func TestArrayMultiplicationsAreThoseOfTheProgram(t *testing.T) {
	differ := 0
	rapid.Check(t, func(t *rapid.T) {
		p := drawArrayProgram(t)
		if scalar, _ := p.IsScalar(); scalar {
			return
		}
		g, err := ad.Graph(p)
		if err != nil {
			t.Fatal(err)
		}
		count := func(order []int) (int64, int64) {
			muls, err := g.Muls(order)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := ad.Raw(p, order)
			if err != nil {
				t.Fatal(err)
			}
			ops, err := ir.Count(raw)
			if err != nil {
				t.Fatal(err)
			}
			return muls, ops.Mul
		}
		m1, c1 := count(elim.Reverse(g))
		m2, c2 := count(rapid.Permutation(g.Eliminable()).Draw(t, "order"))
		if m1 != m2 {
			differ++
		}
		if m1-m2 != c1-c2 {
			t.Fatalf("the orders differ by %d multiplications, the programs by %d\n%s", m1-m2, c1-c2, p)
		}
	})
	if differ < 10 {
		t.Errorf("only %d pairs of orders differ", differ)
	}
}

// TestSeedsAgainstScalars: tangents and adjoints of random programs along random seeds.
func TestSeedsAgainstScalars(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawArrayProgram(t)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		at := randomPoint(p, rng)
		blocks := elementwiseJacobian(t, p, at)
		k := rapid.IntRange(1, 3).Draw(t, "seeds")
		random := func(shape ir.Shape) ir.Tensor {
			x := ir.Tensor{Shape: shape, Data: make([]float64, shape.Size())}
			for i := range x.Data {
				x.Data[i] = rng.NormFloat64()
			}
			return x
		}
		near := func(what string, got ir.Tensor, shape ir.Shape, want []float64) {
			if !got.Shape.Equal(shape) {
				t.Fatalf("%s has shape %v, want %v", what, got.Shape, shape)
			}
			for i, w := range want {
				if !(math.Abs(got.Data[i]-w) <= 1e-10*(1+math.Abs(w))) {
					t.Fatalf("%s[%d] = %v, want %v\n%s", what, i, got.Data[i], w, p)
				}
			}
		}

		forward, err := ad.PushForward(p, k)
		if err != nil {
			t.Fatal(err)
		}
		inputs := slices.Clone(at)
		for _, x := range at {
			inputs = append(inputs, random(append(slices.Clone(x.Shape), k)))
		}
		got, err := interp.Eval(forward, inputs)
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range p.Outputs {
			shape := p.Nodes[o.Node].Shape
			want := make([]float64, shape.Size()*k)
			for j, x := range at {
				n := len(x.Data)
				for row := range shape.Size() {
					for c := range n {
						for s := range k {
							want[row*k+s] += blocks[i*len(at)+j][row*n+c] * inputs[len(at)+j].Data[c*k+s]
						}
					}
				}
			}
			near("tangent", got[len(p.Outputs)+i], append(slices.Clone(shape), k), want)
		}

		back, err := ad.PullBack(p, k)
		if err != nil {
			t.Fatal(err)
		}
		inputs = slices.Clone(at)
		for _, o := range p.Outputs {
			inputs = append(inputs, random(append(ir.Shape{k}, p.Nodes[o.Node].Shape...)))
		}
		if got, err = interp.Eval(back, inputs); err != nil {
			t.Fatal(err)
		}
		for j, x := range at {
			n := len(x.Data)
			want := make([]float64, k*n)
			for i, o := range p.Outputs {
				rows := p.Nodes[o.Node].Shape.Size()
				for s := range k {
					for row := range rows {
						for c := range n {
							want[s*n+c] += inputs[len(at)+i].Data[s*rows+row] * blocks[i*len(at)+j][row*n+c]
						}
					}
				}
			}
			near("adjoint", got[len(p.Outputs)+j], append(ir.Shape{k}, x.Shape...), want)
		}
	})
}

// TestStructuredJacobian writes the parts densely, from the definition of a term, and compares.
func TestStructuredJacobian(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawArrayProgram(t)
		at := randomPoint(p, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3)))
		s, err := ad.StructuredJacobian(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		values, err := interp.Eval(s.Program, at)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range elementwiseJacobian(t, p, at) {
			got := make([]float64, len(want))
			for _, part := range s.Parts[k/len(at)][k%len(at)] {
				if v := values[part.Value]; v.Shape.Size() != int(max(1, part.Term.Elements())) {
					t.Fatalf("%s has a value of shape %v", part.Term, v.Shape)
				}
				part.Term.Each(func(out, in, value int) {
					got[out*len(at[k%len(at)].Data)+in] += values[part.Value].Data[value]
				})
			}
			for i, w := range want {
				if !(math.Abs(got[i]-w) <= 1e-11*(1+math.Abs(w))) {
					t.Fatalf("entry %d is %v, want %v\n%s", i, got[i], w, p)
				}
			}
		}
	})
}

// TestBatchOfRandomPrograms: every sample of a batch is the program applied to that sample.
func TestBatchOfRandomPrograms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawArrayProgram(t)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 4))
		const n = 3
		var shared []string
		for _, name := range p.InputNames() {
			if rapid.IntRange(0, 2).Draw(t, "share") == 0 {
				shared = append(shared, name)
			}
		}
		q, err := ir.Batch(p, n, shared...)
		if err != nil {
			t.Fatal(err)
		}
		samples := make([][]ir.Tensor, n)
		all := make([]ir.Tensor, len(p.Inputs))
		for s := range samples {
			samples[s] = randomPoint(p, rng)
			for k, name := range p.InputNames() {
				if slices.Contains(shared, name) {
					samples[s][k] = samples[0][k]
					all[k] = samples[0][k]
				} else {
					all[k] = ir.Tensor{Shape: append(ir.Shape{n}, samples[s][k].Shape...), Data: append(all[k].Data, samples[s][k].Data...)}
				}
			}
		}
		got, err := interp.Eval(q, all)
		if err != nil {
			t.Fatal(err)
		}
		for s, x := range samples {
			want, err := interp.Eval(p, x)
			if err != nil {
				t.Fatal(err)
			}
			for k, w := range want {
				if !slices.Equal(got[k].Data[s*len(w.Data):(s+1)*len(w.Data)], w.Data) {
					t.Fatalf("output %d of sample %d is %v, want %v\n%s", k, s, got[k].Data[s*len(w.Data):(s+1)*len(w.Data)], w.Data, q)
				}
			}
		}
	})
}

// TestFunctions compares the functions over ops with their definitions, and the Jacobian of a transformer block of them
// with central differences.
func TestFunctions(t *testing.T) {
	b := ir.NewBuilder("block")
	x, w, g, o := b.Input("x", 3, 4), b.Input("w", 4, 4), b.Input("g", 4), b.Input("o", 4)
	q := ir.Reshape(ir.Dot(x, w), 3, 2, 2)
	a := ir.Softmax(ir.Einsum("ihe,jhe->hij", q, q))
	z := ir.Reshape(ir.Einsum("hij,jhe->ihe", a, q), 3, 4)
	b.Output("y", ir.LayerNorm(ir.Add(x, ir.Gelu(z)), g, o, 1e-5))
	b.Output("loss", ir.CrossEntropy(ir.Softmax(x), ir.Silu(z)))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	at := randomPoint(p, rand.New(rand.NewPCG(8, 9)))
	graph, err := ad.Graph(p)
	if err != nil {
		t.Fatal(err)
	}
	eval := func(p *ir.Program, at []ir.Tensor) []ir.Tensor {
		y, err := interp.Eval(p, at)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	for _, order := range [][]int{elim.Forward(graph), elim.Reverse(graph), elim.Markowitz(graph)} {
		jac, err := ad.Jacobian(p, order)
		if err != nil {
			t.Fatal(err)
		}
		got := eval(jac, at)
		const step = 1e-5
		for j := range at {
			for c := range at[j].Data {
				shift := func(d float64) []ir.Tensor {
					moved := slices.Clone(at)
					moved[j].Data = slices.Clone(at[j].Data)
					moved[j].Data[c] += d
					return eval(p, moved)
				}
				up, down := shift(step), shift(-step)
				for i := range up {
					block, n := got[i*len(at)+j], len(at[j].Data)
					for r := range up[i].Data {
						fd := (up[i].Data[r] - down[i].Data[r]) / (2 * step)
						if d := block.Data[r*n+c]; math.Abs(d-fd) > 1e-7 {
							t.Errorf("output %d[%d] by input %d[%d] is %v, differences give %v", i, r, j, c, d, fd)
						}
					}
				}
			}
		}
	}
	for row, k := range []int{0, 4, 8} { // layer norm: each row has mean o and deviation g
		y := eval(p, at)[0].Data[k : k+4]
		mean, square := 0.0, 0.0
		for i, v := range y {
			c := (v - at[3].Data[i]) / at[2].Data[i]
			mean, square = mean+c/4, square+c*c/4
		}
		if math.Abs(mean) > 1e-12 || math.Abs(square-1) > 1e-3 {
			t.Errorf("row %d of the layer norm has mean %v and variance %v", row, mean, square)
		}
	}
}
