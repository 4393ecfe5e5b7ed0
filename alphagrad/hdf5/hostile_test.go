package hdf5

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// TestHostileStructures: lengths that lie, headers without end, and trees that do not go down.
func TestHostileStructures(t *testing.T) {
	var w Writer
	check(t, w.Strings("s", []int{1}, []string{"abc"}))
	data := w.Bytes()
	at := bytes.Index(data, binary.LittleEndian.AppendUint64([]byte{3, 0, 0, 0}, superblockSize))
	if at < 0 {
		t.Fatal("no reference to the heap")
	}
	data[at] = 200
	if _, err := readAll(data); err == nil || err.Error() != "x: /s: element 0: 200 items of 1 bytes do not fit into an object of 3 bytes" {
		t.Errorf("a long string: %v", err)
	}

	// A version 1 header whose only message continues it with itself.
	h := append([]byte{1, 0, 1, 0, 1, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0}, msgContinuation, 0, 16, 0, 0, 0, 0, 0)
	h = binary.LittleEndian.AppendUint64(h, 16)
	h = binary.LittleEndian.AppendUint64(h, 24)
	f := &File{r: bytes.NewReader(h), size: uint64(len(h)), offset: 8, length: 8}
	if _, err := f.header(0); err == nil || err.Error() != "an object header is continued without end" {
		t.Errorf("an endless header: %v", err)
	}

	// A node of a B-tree with one child, itself or another.
	node := func(level byte, child uint64) []byte {
		b := append([]byte("TREE"), 1, level, 1, 0)
		for _, v := range []uint64{undefined, undefined, 0, child} {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		return b
	}
	for want, tree := range map[string][]byte{
		"damaged index: a node of a B-tree has two parents":               node(1, 0),
		"damaged index: the levels of a B-tree are not in order":          append(node(5, 40), node(0, 0)...),
		"damaged index: there is no node of a B-tree where one should be": append(node(1, 40), make([]byte, 40)...),
		"lie outside the file of 40 bytes":                                node(1, 1000),
	} {
		f := &File{r: bytes.NewReader(tree), size: uint64(len(tree)), offset: 8, length: 8}
		if err := f.tree(0, 1, 8, func([]byte, uint64) error { return nil }); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	children := 0
	tree := append(node(1, 40), node(0, 7)...)
	f = &File{r: bytes.NewReader(tree), size: uint64(len(tree)), offset: 8, length: 8}
	if err := f.tree(0, 1, 8, func(_ []byte, child uint64) error { children += int(child); return nil }); err != nil || children != 7 {
		t.Errorf("a proper tree: %v, %d", err, children)
	}
}
