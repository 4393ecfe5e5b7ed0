package ir

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Class groups ops that share a shape rule and a way to be evaluated.
type Class uint8

// The classes of ops.
const (
	Leaf        Class = iota // input and const: no arguments
	Elementwise              // one result element from the matching element of each argument
	IndexMap                 // moves elements: reshape, transpose, broadcast, slice, concat, pad, gather
	Reduction                // combines the elements along some axes
	Contraction              // einsum: sums of products
)

var classNames = [...]string{"leaf", "elementwise", "index map", "reduction", "contraction"}

// String names the class.
func (c Class) String() string { return classNames[c] }

// OpInfo is one row of the op table: everything the representation knows of an op. The derivative rule of an op is one
// row of package ad.
type OpInfo struct {
	Name        string
	Class       Class
	Arity       int      // number of arguments; -1: any number from 1
	Attrs       []string // attribute names the op takes (JSON spelling); a trailing "?" marks an optional one
	Linear      bool     // linear in all its arguments together
	Commutative bool     // the arguments may be exchanged

	// scalar evaluates an elementwise op on one element of each argument.
	scalar func(a *Attrs, x []float64) float64
	// shape gives the result shape of an op that is not elementwise, or the reason why there is none.
	shape func(a *Attrs, args []Shape) (Shape, error)
	// index describes an index map: which element of which argument each result element is (-1: none, a zero).
	index func(a *Attrs, args []Shape, out Shape) []source
	// lower rewrites the op into multiplications, additions and calls that a compiler has; nil when it is one of these.
	lower func(a *Attrs, x []*Value) *Value
}

// String is the op's name.
func (o *OpInfo) String() string { return o.Name }

// Scalar evaluates an elementwise op on one element of each argument.
func (o *OpInfo) Scalar(a *Attrs, x ...float64) float64 { return o.scalar(a, x) }

var opsByName = map[string]*OpInfo{}

// Op looks an op up by its name.
func Op(name string) (*OpInfo, bool) {
	o, ok := opsByName[name]
	return o, ok
}

// Ops lists the op table sorted by name.
func Ops() []*OpInfo {
	ops := make([]*OpInfo, 0, len(opsByName))
	for _, o := range opsByName {
		ops = append(ops, o)
	}
	sort.Slice(ops, func(i, j int) bool { return ops[i].Name < ops[j].Name })
	return ops
}

// row enters an op into the table.
func row(o OpInfo) *OpInfo {
	if _, dup := opsByName[o.Name]; dup {
		panic("ir: two table rows for op " + o.Name)
	}
	opsByName[o.Name] = &o
	return &o
}

func unary(name string, f func(float64) float64) OpInfo {
	return OpInfo{Name: name, Class: Elementwise, Arity: 1, scalar: func(_ *Attrs, x []float64) float64 { return f(x[0]) }}
}

func binary(name string, f func(x, y float64) float64) OpInfo {
	return OpInfo{Name: name, Class: Elementwise, Arity: 2, scalar: func(_ *Attrs, x []float64) float64 { return f(x[0], x[1]) }}
}

func (o OpInfo) linear() OpInfo      { o.Linear = true; return o }
func (o OpInfo) commutative() OpInfo { o.Commutative = true; return o }
func (o OpInfo) attrs(names ...string) OpInfo {
	o.Attrs = names
	return o
}
func (o OpInfo) lowered(f func(a *Attrs, x []*Value) *Value) OpInfo { o.lower = f; return o }

// The op table. One row adds an op here; one row in package ad adds its partial derivatives.
var (
	OpInput = row(OpInfo{Name: "input", Class: Leaf})
	OpConst = row(OpInfo{Name: "const", Class: Leaf})

	// Arithmetic.
	OpAdd    = row(binary("add", func(x, y float64) float64 { return x + y }).linear().commutative())
	OpSub    = row(binary("sub", func(x, y float64) float64 { return x - y }).linear())
	OpMul    = row(binary("mul", func(x, y float64) float64 { return x * y }).commutative())
	OpDiv    = row(binary("div", func(x, y float64) float64 { return x / y }))
	OpNeg    = row(unary("neg", func(x float64) float64 { return -x }).linear())
	OpSquare = row(unary("square", func(x float64) float64 { return x * x }).
			lowered(func(_ *Attrs, x []*Value) *Value { return Mul(x[0], x[0]) }))
	OpPow   = row(binary("pow", math.Pow))
	OpPowi  = row(OpInfo{Name: "powi", Class: Elementwise, Arity: 1, Attrs: []string{"n"}, scalar: func(a *Attrs, x []float64) float64 { return powi(x[0], a.N) }, lower: lowerPowi})
	OpSqrt  = row(unary("sqrt", math.Sqrt))
	OpRsqrt = row(unary("rsqrt", func(x float64) float64 { return 1 / math.Sqrt(x) }).
		lowered(func(_ *Attrs, x []*Value) *Value { return Div(Const(x[0].b, 1), Sqrt(x[0])) }))

	// Exponentials and logarithms.
	OpExp      = row(unary("exp", math.Exp))
	OpExpm1    = row(unary("expm1", math.Expm1))
	OpLog      = row(unary("log", math.Log))
	OpLog1p    = row(unary("log1p", math.Log1p))
	OpLogistic = row(unary("logistic", func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }).
			lowered(func(_ *Attrs, x []*Value) *Value {
			one := Const(x[0].b, 1)
			return Div(one, Add(one, Exp(Neg(x[0]))))
		}))
	OpErf = row(unary("erf", math.Erf))

	// Circular and hyperbolic functions.
	OpSin   = row(unary("sin", math.Sin))
	OpCos   = row(unary("cos", math.Cos))
	OpTan   = row(unary("tan", math.Tan))
	OpAsin  = row(unary("asin", math.Asin))
	OpAcos  = row(unary("acos", math.Acos))
	OpAtan  = row(unary("atan", math.Atan))
	OpAtan2 = row(binary("atan2", math.Atan2))
	OpSinh  = row(unary("sinh", math.Sinh))
	OpCosh  = row(unary("cosh", math.Cosh))
	OpTanh  = row(unary("tanh", math.Tanh))
	OpAsinh = row(unary("asinh", math.Asinh))
	OpAcosh = row(unary("acosh", math.Acosh))
	OpAtanh = row(unary("atanh", math.Atanh))

	// Functions with kinks and steps.
	OpAbs          = row(unary("abs", math.Abs))
	OpSign         = row(unary("sign", sign))
	OpMax          = row(binary("max", math.Max).commutative())
	OpMin          = row(binary("min", math.Min).commutative())
	OpRelu         = row(unary("relu", func(x float64) float64 { return math.Max(x, 0) }).lowered(func(_ *Attrs, x []*Value) *Value { return Max(x[0], Const(x[0].b, 0)) }))
	OpSelect       = row(OpInfo{Name: "select", Class: Elementwise, Arity: 3, scalar: selectScalar})
	OpHeaviside    = row(OpInfo{Name: "heaviside", Class: Elementwise, Arity: 1, Attrs: []string{"surrogate?", "width?", "height?", "at_zero?"}, scalar: heaviside})
	OpStopGradient = row(unary("stop_gradient", func(x float64) float64 { return x }).linear().lowered(func(_ *Attrs, x []*Value) *Value { return x[0] }))

	// Structure.
	OpReshape   = row(OpInfo{Name: "reshape", Class: IndexMap, Arity: 1, Attrs: []string{"shape"}, Linear: true, shape: reshapeShape, index: reshapeIndex})
	OpTranspose = row(OpInfo{Name: "transpose", Class: IndexMap, Arity: 1, Attrs: []string{"axes"}, Linear: true, shape: transposeShape, index: transposeIndex})
	OpBroadcast = row(OpInfo{Name: "broadcast", Class: IndexMap, Arity: 1, Attrs: []string{"shape", "axes"}, Linear: true, shape: broadcastShape, index: broadcastIndex})
	OpSlice     = row(OpInfo{Name: "slice", Class: IndexMap, Arity: 1, Attrs: []string{"start", "limit", "stride?"}, Linear: true, shape: sliceShape, index: sliceIndex})
	OpConcat    = row(OpInfo{Name: "concat", Class: IndexMap, Arity: -1, Attrs: []string{"axis"}, Linear: true, shape: concatShape, index: concatIndex})
	OpPad       = row(OpInfo{Name: "pad", Class: IndexMap, Arity: 1, Attrs: []string{"low", "high"}, Linear: true, shape: padShape, index: padIndex})
	OpGather    = row(OpInfo{Name: "gather", Class: IndexMap, Arity: 1, Attrs: []string{"axis", "indices"}, Linear: true, shape: gatherShape, index: gatherIndex})

	// Reductions: the scalar function combines two partial results.
	OpReduceSum  = row(reduction("reduce_sum", OpAdd).linear())
	OpReduceProd = row(reduction("reduce_prod", OpMul))
	OpReduceMax  = row(reduction("reduce_max", OpMax))
	OpReduceMin  = row(reduction("reduce_min", OpMin))

	// Contraction of one or two operands, matrix products among them.
	OpEinsum = row(OpInfo{Name: "einsum", Class: Contraction, Arity: -1, Attrs: []string{"spec"}, shape: einsumShape})
)

// combiners maps a reduction to the binary op that combines two partial results. Being consulted by name only, it needs
// no order of initialisation among the rows.
var combiners = map[string]string{}

func reduction(name string, combine *OpInfo) OpInfo {
	combiners[name] = combine.Name
	return OpInfo{Name: name, Class: Reduction, Arity: 1, Attrs: []string{"axes"}, scalar: combine.scalar, shape: reduceShape}
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // 0 or NaN
}

// selectScalar is x[1] where the condition x[0] is not zero, otherwise x[2].
func selectScalar(_ *Attrs, x []float64) float64 {
	if x[0] != 0 {
		return x[1]
	}
	return x[2]
}

func heaviside(a *Attrs, x []float64) float64 {
	switch v := x[0]; {
	case v > 0:
		return 1
	case v < 0:
		return 0
	case v == 0:
		return a.atZero()
	}
	return math.NaN()
}

func (a *Attrs) atZero() float64 {
	if a == nil || a.AtZero == nil {
		return 0.5
	}
	return *a.AtZero
}

// powi multiplies in the order of lowerPowi, so that interpreted and generated code agree to the last bit.
func powi(x float64, n int) float64 {
	if n < 0 {
		return 1 / powi(x, -n)
	}
	r := 1.0
	for first := true; n > 0; n >>= 1 {
		if n&1 == 1 {
			if first {
				r, first = x, false
			} else {
				r *= x
			}
		}
		if n > 1 {
			x *= x
		}
	}
	return r
}

// lowerPowi writes xⁿ as repeated squaring, 1/x⁻ⁿ for negative n.
func lowerPowi(a *Attrs, args []*Value) *Value {
	x := args[0]
	n := a.N
	if n < 0 {
		n = -n
	}
	var r *Value
	for k := n; k > 0; k >>= 1 {
		if k&1 == 1 {
			if r == nil {
				r = x
			} else {
				r = Mul(r, x)
			}
		}
		if k > 1 {
			x = Mul(x, x)
		}
	}
	one := Const(x.b, 1)
	switch {
	case r == nil:
		return one
	case a.N < 0:
		return Div(one, r)
	}
	return r
}

// resultShape applies the op's shape rule.
func (o *OpInfo) resultShape(a *Attrs, args []Shape) (Shape, error) {
	if o.Class == Leaf {
		return nil, fmt.Errorf("a leaf is declared, not applied")
	}
	if o.Arity >= 0 && len(args) != o.Arity {
		return nil, fmt.Errorf("takes %d argument(s), has %d", o.Arity, len(args))
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("takes at least one argument, has none")
	}
	if o.shape != nil {
		s, err := o.shape(a, args)
		if err != nil {
			return nil, err
		}
		return s, checkSize(s)
	}
	// Elementwise: equal shapes, scalars stretch.
	out := Shape{}
	for _, s := range args {
		if len(s) > 0 {
			if len(out) > 0 && !out.Equal(s) {
				return nil, fmt.Errorf("argument shapes %v and %v differ; an elementwise op takes equal shapes or scalars", out, s)
			}
			out = s
		}
	}
	return slices.Clone(out), nil
}

// maxSize bounds one value, so that a hostile graph file cannot ask for more memory than a machine has.
const maxSize = 1 << 26

// maxRank bounds the number of axes.
const maxRank = 16

func checkSize(s Shape) error {
	if len(s) > maxRank {
		return fmt.Errorf("shape %v has %d axes; at most %d", s, len(s), maxRank)
	}
	n := 1
	for _, d := range s {
		if d < 1 {
			return fmt.Errorf("shape %v has an axis of size %d; sizes start at 1", s, d)
		}
		if n > maxSize/d {
			return fmt.Errorf("shape %v has more than %d elements", s, maxSize)
		}
		n *= d
	}
	return nil
}
