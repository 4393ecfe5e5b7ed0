package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Class is what the elements of a dataset are.
type Class int

// Classes of elements.
const (
	Integer  Class = iota
	Float          // IEEE 754
	String         // of a fixed number of bytes
	VString        // of any length
	Sequence       // any number of integers or floating-point numbers
)

// Type describes the elements of a dataset.
type Type struct {
	Class     Class
	Size      int  // bytes of an element in the dataset itself
	Signed    bool // integers
	BigEndian bool // numbers
	Base      *Type
}

// String names the type as numpy does.
func (t Type) String() string {
	switch t.Class {
	case Integer:
		if !t.Signed {
			return fmt.Sprintf("uint%d", 8*t.Size)
		}
		return fmt.Sprintf("int%d", 8*t.Size)
	case Float:
		return fmt.Sprintf("float%d", 8*t.Size)
	case String:
		return fmt.Sprintf("strings of %d bytes", t.Size)
	case VString:
		return "strings"
	}
	return fmt.Sprintf("sequences of %v", *t.Base)
}

// classNames of the specification, for messages.
var classNames = [...]string{"integer", "float", "time", "string", "bit field", "opaque", "compound", "reference", "enumeration", "variable length", "array"}

// ieee holds exponent location, exponent size, mantissa location, mantissa size and bias of the floating-point formats,
// by their bytes.
var ieee = map[int][5]uint64{2: {10, 5, 0, 10, 15}, 4: {23, 8, 0, 23, 127}, 8: {52, 11, 0, 52, 1023}}

// datatype reads a Datatype message ("The Datatype Message"). Only the outermost type may be of variable length.
func (f *File) datatype(c *cursor, outermost bool) (Type, error) {
	class := c.uint(1) & 15
	bits := c.uint(3)
	size := c.uint(4)
	if c.bad {
		return Type{}, errors.New("damaged datatype")
	}
	t := Type{Size: int(size), BigEndian: bits&1 != 0}
	switch class {
	case 0:
		t.Class, t.Signed = Integer, bits&8 != 0
		if size != 1 && size != 2 && size != 4 && size != 8 || c.uint(2) != 0 || c.uint(2) != 8*size {
			return t, fmt.Errorf("integers of %d bytes with padding are not supported", size)
		}
	case 1:
		t.Class = Float
		want, known := ieee[t.Size]
		padding, precision := c.uint(2), c.uint(2)
		got := [5]uint64{c.uint(1), c.uint(1), c.uint(1), c.uint(1), c.uint(4)}
		if !known || bits&0x40 != 0 || padding != 0 || precision != 8*size || got != want {
			return t, fmt.Errorf("floating-point numbers of %d bytes that are not IEEE 754 are not supported", size)
		}
	case 3:
		t.Class = String
		if size < 1 || size > 1<<16 {
			return t, fmt.Errorf("strings of %d bytes are not supported", size)
		}
	case 8: // h5py stores booleans so
		base, err := f.datatype(c, false)
		if err != nil || base.Class != Integer || base.Size != t.Size {
			return t, errors.New("damaged enumeration")
		}
		return base, nil
	case 9:
		if !outermost || t.Size != 8+f.offset {
			return t, errors.New("sequences of sequences are not supported")
		}
		base, err := f.datatype(c, false)
		if err != nil {
			return t, err
		}
		switch {
		case bits&15 == 1:
			t.Class = VString
		case base.Class == Integer || base.Class == Float:
			t.Class, t.Base = Sequence, &base
		default:
			return t, fmt.Errorf("sequences of %v are not supported", base)
		}
	default:
		name := fmt.Sprint(class)
		if int(class) < len(classNames) {
			name = classNames[class]
		}
		return t, fmt.Errorf("elements of type %s are not supported", name)
	}
	if c.bad {
		return t, errors.New("damaged datatype")
	}
	return t, nil
}

// Floats appends the numbers in raw, elements of this type, to dst. Integers beyond 2^53 are rounded.
func (t Type) Floats(dst []float64, raw []byte) ([]float64, error) {
	if t.Class != Integer && t.Class != Float || t.Size < 1 || len(raw)%t.Size != 0 {
		return dst, fmt.Errorf("%d bytes of %v are no numbers", len(raw), t)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if t.BigEndian {
		order = binary.BigEndian
	}
	for ; len(raw) > 0; raw = raw[t.Size:] {
		var u uint64
		switch t.Size {
		case 1:
			u = uint64(raw[0])
		case 2:
			u = uint64(order.Uint16(raw))
		case 4:
			u = uint64(order.Uint32(raw))
		case 8:
			u = order.Uint64(raw)
		}
		var v float64
		switch unused := 64 - 8*t.Size; {
		case t.Class == Integer && t.Signed:
			v = float64(int64(u<<unused) >> unused)
		case t.Class == Integer:
			v = float64(u)
		case t.Size == 2:
			v = half(uint16(u))
		case t.Size == 4:
			v = float64(math.Float32frombits(uint32(u)))
		default:
			v = math.Float64frombits(u)
		}
		dst = append(dst, v)
	}
	return dst, nil
}

// half converts an IEEE 754 binary16 number.
func half(h uint16) float64 {
	sign, exponent, mantissa := uint64(h>>15), uint64(h>>10&31), uint64(h&1023)
	switch exponent {
	case 0: // zero or subnormal, exact as a product
		return math.Copysign(float64(mantissa)/(1<<24), float64(1-2*int(sign)))
	case 31:
		return math.Float64frombits(sign<<63 | 2047<<52 | mantissa<<42)
	}
	return math.Float64frombits(sign<<63 | (exponent-15+1023)<<52 | mantissa<<42)
}
