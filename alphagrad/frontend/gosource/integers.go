package gosource

import (
	"go/ast"
	"go/token"
	"go/types"
)

// wrapped reduces an integer to the width of its type.
func (e *evaluator) wrapped(x ast.Expr, n integer) integer { return wrap(e.typeOf(x), n) }

func wrap(t types.Type, n integer) integer {
	b, ok := t.Underlying().(*types.Basic)
	if !ok {
		return n
	}
	switch b.Kind() {
	case types.Int8:
		return integer(int8(n))
	case types.Int16:
		return integer(int16(n))
	case types.Int32:
		return integer(int32(n))
	case types.Uint8:
		return integer(uint8(n))
	case types.Uint16:
		return integer(uint16(n))
	case types.Uint32:
		return integer(uint32(n))
	}
	return n
}

func unsigned(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsUnsigned != 0
}

// integers applies an operator to known integers.
func (e *evaluator) integers(pos token.Pos, op token.Token, t types.Type, a, b integer) value {
	u := unsigned(t)
	less := func(a, b integer) bool {
		if u {
			return uint64(a) < uint64(b)
		}
		return a < b
	}
	switch op {
	case token.EQL:
		return boolean{c: a == b}
	case token.NEQ:
		return boolean{c: a != b}
	case token.LSS:
		return boolean{c: less(a, b)}
	case token.LEQ:
		return boolean{c: !less(b, a)}
	case token.GTR:
		return boolean{c: less(b, a)}
	case token.GEQ:
		return boolean{c: !less(a, b)}
	}
	var n integer
	switch op {
	case token.ADD:
		n = a + b
	case token.SUB:
		n = a - b
	case token.MUL:
		n = a * b
	case token.AND:
		n = a & b
	case token.OR:
		n = a | b
	case token.XOR:
		n = a ^ b
	case token.AND_NOT:
		n = a &^ b
	case token.QUO, token.REM:
		if b == 0 {
			e.fail(pos, "integer division by zero")
		}
		switch {
		case u && op == token.QUO:
			n = integer(uint64(a) / uint64(b))
		case u:
			n = integer(uint64(a) % uint64(b))
		case op == token.QUO:
			n = a / b
		default:
			n = a % b
		}
	default:
		e.fail(pos, "operator %s on integers is not supported", op)
	}
	return wrap(t, n)
}

func (e *evaluator) shift(pos token.Pos, op token.Token, t types.Type, n, by int64, unsignedCount bool) value {
	if by < 0 && !unsignedCount {
		e.fail(pos, "a shift by %d", by)
	}
	count := min(uint64(by), 64)
	switch {
	case op == token.SHL:
		return wrap(t, integer(n<<count))
	case unsigned(t):
		return wrap(t, integer(uint64(n)>>count))
	}
	return wrap(t, integer(n>>count))
}
