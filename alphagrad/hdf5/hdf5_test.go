package hdf5

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	oracle "github.com/scigolib/hdf5"
	"pgregory.net/rapid"
)

// content is a dataset as h5py reads it.
type content struct {
	Shape []int
	Value []any
}

func open(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// find opens a dataset by its path.
func find(f *File, path string) (*Dataset, error) {
	g, err := f.Root()
	if err != nil {
		return nil, err
	}
	names := strings.Split(path, "/")
	for _, name := range names[:len(names)-1] {
		if g, err = g.Group(name); err != nil {
			return nil, err
		}
	}
	return g.Dataset(names[len(names)-1])
}

// values reads a dataset whatever it holds, in the form of JSON.
func (d *Dataset) values() (any, error) {
	var v any
	var err error
	switch d.Type.Class {
	case Integer, Float:
		v, err = d.Floats()
	case String, VString:
		v, err = d.Strings()
	default:
		var raw [][]byte
		raw, err = d.Sequences()
		all := make([][]float64, len(raw))
		for i := range raw {
			all[i] = []float64{}
			if err == nil {
				all[i], err = d.Type.Base.Floats(all[i], raw[i])
			}
		}
		v = all
	}
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out any
	return out, json.Unmarshal(b, &out)
}

// TestReadsWhatH5pyWrites compares every dataset of every fixture with what h5py finds in it.
func TestReadsWhatH5pyWrites(t *testing.T) {
	data, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]map[string]content
	if err := json.Unmarshal(data, &expected); err != nil {
		t.Fatal(err)
	}
	for file, datasets := range expected {
		f := open(t, filepath.Join("testdata", file))
		for path, want := range datasets {
			d, err := find(f, path)
			if err != nil {
				t.Error(err)
				continue
			}
			got, err := d.values()
			if err != nil {
				t.Error(err)
				continue
			}
			if fmt.Sprint(d.Shape) != fmt.Sprint(want.Shape) {
				t.Errorf("%s: %s has shape %v, want %v", file, path, d.Shape, want.Shape)
			}
			if list, _ := got.([]any); len(list)+len(want.Value) > 0 && !reflect.DeepEqual(list, want.Value) {
				t.Errorf("%s: %s (%v)\ngot  %.300v\nwant %.300v", file, path, d.Type, got, want.Value)
			}
		}
		if len(datasets) < 1 {
			t.Errorf("%s: nothing to compare", file)
		}
	}
}

func TestRefused(t *testing.T) {
	for path, want := range map[string]string{
		"refused.h5:compound":        "elements of type compound are not supported",
		"refused.h5:complex":         "elements of type compound are not supported",
		"refused.h5:unwritten":       "no elements were ever written",
		"refused.h5:holes":           "1 of 5 chunks were written",
		"refused.h5:null":            "it has no elements (a null dataspace)",
		"refused.h5:checksummed":     `filter 3 "fletcher32" is not supported; compress with gzip`,
		"refused.h5:group/soft":      "soft and external links are not supported",
		"refused.h5:group/external":  "soft and external links are not supported",
		"refused.h5:uses_committed":  "a datatype that is stored elsewhere is not supported",
		"refused.h5:committed":       "no dataset: its dataspace is missing",
		"refused.h5:absent":          `not there; the group holds ["checksummed" "committed" "complex" "compound" "group" "holes" "null" "unwritten" "uses_committed"]`,
		"refused.h5:group":           "a group, not a dataset",
		"refused.h5:compound/x":      "not a group",
		"dense.h5:many/1":            "dense storage of links is not supported; write the file with h5py's default libver='earliest'",
		"dense.h5:indexed":           "this index of chunks (HDF5 1.10) is not supported; write the file with h5py's default libver='earliest'",
		"earliest.h5:scalar/absent2": `not there; the group holds ["bool" "bytes" "float" "int" "text"]`,
	} {
		file, path, _ := strings.Cut(path, ":")
		d, err := find(open(t, filepath.Join("testdata", file)), path)
		if err == nil {
			_, err = d.values()
		}
		if err == nil || !strings.HasPrefix(err.Error(), filepath.Join("testdata", file)+": /") || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%s:%s: got %v, want %s", file, path, err, want)
		}
	}
	// Asking for the wrong thing.
	f := open(t, "testdata/earliest.h5")
	for path, read := range map[string]func(*Dataset) error{
		"strings/fixed":   func(d *Dataset) error { _, err := d.Floats(); return err },
		"plain/u/u1":      func(d *Dataset) error { _, err := d.Strings(); return err },
		"scalar/text":     func(d *Dataset) error { _, err := d.Sequences(); return err },
		"scalar/float":    func(d *Dataset) error { _, err := d.Ints(); return err },
		"vlen/half":       func(d *Dataset) error { _, err := d.Strings(); return err },
		"filtered/gzip":   func(d *Dataset) error { _, err := d.Ints(); return err },
		"filtered/lzf":    func(d *Dataset) error { _, err := d.Sequences(); return err },
		"strings/grid":    func(d *Dataset) error { _, err := d.Ints(); return err },
		"vlen/units":      func(d *Dataset) error { _, err := d.Floats(); return err },
		"plain/f/le_f2":   func(d *Dataset) error { _, err := d.Sequences(); return err },
		"empty/strings":   func(d *Dataset) error { _, err := d.Floats(); return err },
		"filtered/gzip/x": func(d *Dataset) error { return nil },
	} {
		d, err := find(f, path)
		if err == nil {
			err = read(d)
		}
		if err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

func TestNotHDF5(t *testing.T) {
	whole, err := os.ReadFile("testdata/userblock.h5")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for want, content := range map[string][]byte{
		"not an HDF5 file: it is empty": {},
		"not an HDF5 file: it is compressed with gzip; decompress it with gunzip first": []byte("\x1f\x8b\x08 and so on"),
		"not an HDF5 file": []byte("label,times\n"),
		fmt.Sprintf("truncated: the file has 1500 bytes and should have %d", len(whole)): whole[:1500],
	} {
		path := filepath.Join(dir, "x.h5")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || err.Error() != path+": "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := Open(filepath.Join(dir, "absent.h5")); !os.IsNotExist(err) {
		t.Errorf("absent file: %v", err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("a directory was opened")
	}
}

// TestHalf checks all 65536 numbers of 16 bits by their definition: ±m·2^(e−25), with an implicit leading bit.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		sign := 1.0
		if h&0x8000 != 0 {
			sign = -1
		}
		e, m := h>>10&31, float64(h&1023)
		got := half(uint16(h))
		switch {
		case e == 31 && m == 0:
			if !math.IsInf(got, int(sign)) {
				t.Fatalf("%#04x is %g", h, got)
			}
		case e == 31:
			if !math.IsNaN(got) {
				t.Fatalf("%#04x is %g", h, got)
			}
		default:
			if e > 0 {
				m += 1024
			}
			if want := sign * math.Ldexp(m, max(e, 1)-25); got != want || math.Signbit(got) != (sign < 0) {
				t.Fatalf("%#04x is %g, want %g", h, got, want)
			}
		}
	}
}

// TestLookup3 uses the values of Bob Jenkins' own driver and the checksums that libhdf5 wrote.
func TestLookup3(t *testing.T) {
	for text, want := range map[string]uint32{"": 0xdeadbeef, "Four score and seven years ago": 0x17770551} {
		if got := lookup3([]byte(text)); got != want {
			t.Errorf("%q: %#x, want %#x", text, got, want)
		}
	}
}

// tree is a random file.
type tree struct {
	floats  map[string][]float64
	ints    map[string][]int
	strings map[string][]string
	shapes  map[string][]int
}

func drawTree(t *rapid.T) tree {
	tr := tree{map[string][]float64{}, map[string][]int{}, map[string][]string{}, map[string][]int{}}
	name := rapid.StringMatching(`[a-zé_.]{1,3}[0-9 ]?`).Filter(func(s string) bool { return strings.Trim(s, ".") != "" })
	for range rapid.IntRange(1, 12).Draw(t, "datasets") {
		path := name.Draw(t, "group") + "!/" + name.Draw(t, "name") // "!" keeps groups and datasets apart
		if rapid.Bool().Draw(t, "deep") {
			path = "top!/" + path
		}
		if _, there := tr.shapes[path]; there {
			continue
		}
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 3).Draw(t, "shape")
		n := 1
		for _, s := range shape {
			n *= s
		}
		tr.shapes[path] = shape
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			tr.floats[path] = rapid.SliceOfN(rapid.Float64(), n, n).Draw(t, "floats")
		case 1:
			tr.ints[path] = rapid.SliceOfN(rapid.IntRange(-1<<50, 1<<50), n, n).Draw(t, "ints")
		default:
			tr.strings[path] = rapid.SliceOfN(rapid.StringMatching(`[a-zäß€ ]{0,20}`), n, n).Draw(t, "strings")
		}
	}
	return tr
}

func (tr tree) write(t testing.TB) []byte {
	var w Writer
	for path, v := range tr.floats {
		check(t, w.Floats(path, tr.shapes[path], v))
	}
	for path, v := range tr.ints {
		check(t, w.Ints(path, tr.shapes[path], v))
	}
	for path, v := range tr.strings {
		check(t, w.Strings(path, tr.shapes[path], v))
	}
	data := w.Bytes()
	if !bytes.Equal(data, w.Bytes()) {
		t.Fatal("two writings of one file differ")
	}
	return data
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRoundTrip: whatever is written is read back, by this package and by scigolib/hdf5.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		tr := drawTree(rt)
		data := tr.write(t)
		f, err := NewFile("x", bytes.NewReader(data), int64(len(data)))
		check(t, err)
		path := filepath.Join(dir, "x.h5")
		check(t, os.WriteFile(path, data, 0o644))
		other, err := oracle.Open(path)
		check(t, err)
		defer other.Close()
		theirs := map[string]*oracle.Dataset{}
		other.Walk(func(path string, o oracle.Object) {
			if d, ok := o.(*oracle.Dataset); ok {
				theirs[strings.TrimPrefix(path, "/")] = d
			}
		})
		if len(theirs) != len(tr.shapes) {
			rt.Fatalf("the oracle finds %d datasets of %d", len(theirs), len(tr.shapes))
		}
		for path, shape := range tr.shapes {
			d, err := find(f, path)
			check(t, err)
			if fmt.Sprint(d.Shape) != fmt.Sprint(shape) {
				rt.Fatalf("%s: shape %v, want %v", path, d.Shape, shape)
			}
			switch {
			case tr.floats[path] != nil:
				got, err := d.Floats()
				check(t, err)
				same(rt, path, got, tr.floats[path])
				got, err = theirs[path].Read()
				check(t, err)
				same(rt, path, got, tr.floats[path])
			case tr.ints[path] != nil:
				got, err := d.Ints()
				check(t, err)
				same(rt, path, got, tr.ints[path])
				floats, err := theirs[path].Read()
				check(t, err)
				for i, v := range floats {
					if v != float64(tr.ints[path][i]) {
						rt.Fatalf("%s: the oracle reads %v, want %v", path, floats, tr.ints[path])
					}
				}
			default:
				got, err := d.Strings()
				check(t, err)
				same(rt, path, got, tr.strings[path])
				raw, err := theirs[path].ReadVLenBytes()
				check(t, err)
				for i, v := range raw {
					if string(v) != tr.strings[path][i] {
						rt.Fatalf("%s: the oracle reads %q, want %q", path, raw, tr.strings[path])
					}
				}
			}
		}
	})
}

func same[T comparable](t *rapid.T, path string, got, want []T) {
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", path, len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] && want[i] == want[i] {
			t.Fatalf("%s: %v, want %v", path, got, want)
		}
	}
}

// TestManyStrings fills more than one collection of the heap, and an empty group.
func TestManyStrings(t *testing.T) {
	var w Writer
	want := make([]string, maxObjects+10)
	for i := range want {
		want[i] = fmt.Sprint("string ", i)
	}
	long := []string{strings.Repeat("x", maxCollection+5), "", "y"}
	check(t, w.Strings("a/many", []int{len(want)}, want))
	check(t, w.Strings("b", []int{3}, long))
	check(t, w.Group("a/none"))
	data := w.Bytes()
	f, err := NewFile("x", bytes.NewReader(data), int64(len(data)))
	check(t, err)
	for path, want := range map[string][]string{"a/many": want, "b": long} {
		d, err := find(f, path)
		check(t, err)
		got, err := d.Strings()
		check(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s differs", path)
		}
	}
	root, err := f.Root()
	check(t, err)
	a, err := root.Group("a")
	check(t, err)
	if !a.IsGroup("none") || a.IsGroup("many") || a.Has("x") || !a.Has("none") || fmt.Sprint(a.Names()) != "[many none]" || a.Path() != "/a" {
		t.Errorf("group %s holds %q", a.Path(), a.Names())
	}
}

func TestWriterRefuses(t *testing.T) {
	var w Writer
	check(t, w.Floats("a/b", []int{1}, []float64{1}))
	for want, err := range map[string]error{
		`a/b: there is a dataset or group "a/b" already`:   w.Ints("a/b", []int{1}, []int{1}),
		`a: there is a dataset or group "a" already`:       w.Ints("a", []int{1}, []int{1}),
		`a/b/c: there is a dataset or group "a/b" already`: w.Ints("a/b/c", []int{1}, []int{1}),
		`"" is not a path`:                                w.Group(""),
		`"a//b" is not a path`:                            w.Group("a//b"),
		`"a/../b" is not a path`:                          w.Group("a/../b"),
		`c: 2 values do not have the shape [3]`:           w.Ints("c", []int{3}, []int{1, 2}),
		`c: [-1] is not a shape`:                          w.Ints("c", []int{-1}, nil),
		"c: the string \"a\\x00b\" has a zero byte in it": w.Strings("c", nil, []string{"a\x00b"}),
		`c: [1099511627777] is not a shape`:               w.Ints("c", []int{1<<40 + 1}, nil),
		`c: [0 9223372036854775807 2] is not a shape`:     w.Ints("c", []int{0, math.MaxInt, 2}, nil),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// readAll reads everything in a file, and returns the number of datasets without an error.
func readAll(data []byte) (datasets int, err error) {
	f, err := NewFile("x", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return 0, err
	}
	var walk func(g *Group, depth int) error
	budget := 2000
	walk = func(g *Group, depth int) error {
		var first error
		for _, name := range g.Names() {
			if budget--; budget < 0 || depth > 20 {
				return first
			}
			var e error
			if g.IsGroup(name) {
				var sub *Group
				if sub, e = g.Group(name); e == nil {
					e = walk(sub, depth+1)
				}
			} else {
				var d *Dataset
				if d, e = g.Dataset(name); e == nil {
					if _, e = d.values(); e == nil {
						datasets++
					}
				}
			}
			if first == nil {
				first = e
			}
		}
		return first
	}
	g, err := f.Root()
	if err != nil {
		return 0, err
	}
	return datasets, walk(g, 0)
}

// TestDamagedFiles flips bits everywhere and cuts files off: reading ends with an error or with data, in little memory.
func TestDamagedFiles(t *testing.T) {
	for _, name := range []string{"earliest.h5", "v110.h5", "dense.h5", "refused.h5"} {
		whole, err := os.ReadFile(filepath.Join("testdata", name))
		check(t, err)
		step := 1 + len(whole)/50
		failed := 0
		for i := 0; i < len(whole); i += step {
			for _, flip := range []byte{0x01, 0x80, 0xff} {
				data := append([]byte(nil), whole...)
				data[i] ^= flip
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if _, err := readAll(data); err != nil {
					failed++
				}
				runtime.ReadMemStats(&after)
				if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 {
					t.Fatalf("%s: byte %d flipped by %#x took %d MB", name, i, flip, used>>20)
				}
			}
			if _, err := readAll(whole[:i]); err == nil {
				t.Fatalf("%s: cut off at %d, no error", name, i)
			}
		}
		if failed == 0 {
			t.Errorf("%s: no flipped bit was noticed", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"latest.h5", "v110.h5", "userblock.h5", "refused.h5", "dense.h5", "earliest.h5"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			return
		}
		readAll(data)
	})
}
