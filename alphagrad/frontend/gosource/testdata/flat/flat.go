// Package flat calls functions with numbers in a row.
package flat

import "reflect"

// fill sets the numbers in v, one after the other, from x and returns the rest.
func fill(v reflect.Value, x []float64) []float64 {
	switch v.Kind() {
	case reflect.Float64:
		v.SetFloat(x[0])
		return x[1:]
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			x = fill(v.Index(i), x)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			x = fill(v.Field(i), x)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		x = fill(v.Elem(), x)
	}
	return x
}

// numbers lists the numbers in v.
func numbers(v reflect.Value) (x []float64) {
	switch v.Kind() {
	case reflect.Float64:
		return []float64{v.Float()}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			x = append(x, numbers(v.Index(i))...)
		}
	case reflect.Pointer:
		return numbers(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			x = append(x, numbers(v.Field(i))...)
		}
	}
	return x
}

// Call calls an ordinary function with the numbers x and lists those that it returns. Slices have 3 elements.
func Call(fn any, x []float64) (y []float64) {
	f := reflect.ValueOf(fn)
	var args []reflect.Value
	for i := range f.Type().NumIn() {
		a := reflect.New(f.Type().In(i)).Elem()
		if a.Kind() == reflect.Slice {
			a.Set(reflect.MakeSlice(a.Type(), 3, 3))
		}
		x = fill(a, x)
		args = append(args, a)
	}
	for _, r := range f.Call(args) {
		y = append(y, numbers(r)...)
	}
	return y
}
