package ir

// EvalNode applies a node to the values of its arguments. It is the definition of what an op means; back ends are
// tested against it through package interp. The node must be legal ([Verify]) and no input.
func EvalNode(n *Node, args []Tensor) Tensor {
	out := Tensor{Shape: n.Shape, Data: make([]float64, n.Shape.Size())}
	switch n.Op.Class {
	case Leaf:
		copy(out.Data, n.Value)
	case Elementwise:
		var buf [4]float64
		x := buf[:len(args)]
		for i := range out.Data {
			for k, a := range args {
				if len(a.Shape) == 0 {
					x[k] = a.Data[0]
				} else {
					x[k] = a.Data[i]
				}
			}
			out.Data[i] = n.Op.scalar(n.Attrs, x)
		}
	case IndexMap:
		shapes := make([]Shape, len(args))
		for k, a := range args {
			shapes[k] = a.Shape
		}
		for i, s := range n.Op.index(n.Attrs, shapes, n.Shape) {
			if s.arg >= 0 {
				out.Data[i] = args[s.arg].Data[s.index]
			}
		}
	case Reduction:
		for i, group := range reduceGroups(n.Attrs, args[0].Shape, n.Shape) {
			acc := args[0].Data[group[0]]
			for _, k := range group[1:] {
				acc = n.Op.scalar(nil, []float64{acc, args[0].Data[k]})
			}
			out.Data[i] = acc
		}
	case Contraction:
		shapes := make([]Shape, len(args))
		for k, a := range args {
			shapes[k] = a.Shape
		}
		c, err := ParseEinsum(n.Attrs.Spec, shapes)
		if err != nil {
			panic("ir: EvalNode on an illegal einsum: " + err.Error())
		}
		c.Each(func(o int, in []int) {
			t := args[0].Data[in[0]]
			for k := 1; k < len(in); k++ {
				t *= args[k].Data[in[k]]
			}
			out.Data[o] += t
		})
	}
	return out
}
