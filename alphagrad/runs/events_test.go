package runs

import (
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// event is one decoded Event.
type event struct {
	wall    float64
	step    uint64
	version string
	scalars map[string]float32
}

// crc32c is the checksum by its definition: polynomial division, bit by bit, reflected, inverted at both ends.
func crc32c(data []byte) uint32 {
	c := ^uint32(0)
	for _, b := range data {
		c ^= uint32(b)
		for range 8 {
			low := c & 1
			c >>= 1
			if low == 1 {
				c ^= 0x82f63b78
			}
		}
	}
	return ^c
}

func unmask(m uint32) uint32 {
	rotated := m - 0xa282ead8
	return rotated>>17 | rotated<<15
}

// fields splits a message into its fields: numbers as they are on the wire, or bytes.
func fields(data []byte, each func(field int, number uint64, bytes []byte)) error {
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		if n <= 0 {
			return fmt.Errorf("no key in % x", data)
		}
		data = data[n:]
		var number uint64
		var bytes []byte
		switch key & 7 {
		case 0:
			if number, n = binary.Uvarint(data); n <= 0 {
				return fmt.Errorf("no varint in % x", data)
			}
		case 1:
			number, n = binary.LittleEndian.Uint64(data), 8
		case 2:
			size, m := binary.Uvarint(data)
			if m <= 0 || int(size) > len(data)-m {
				return fmt.Errorf("no bytes in % x", data)
			}
			bytes, n = data[m:m+int(size)], m+int(size)
		case 5:
			number, n = uint64(binary.LittleEndian.Uint32(data)), 4
		default:
			return fmt.Errorf("wire type %d", key&7)
		}
		data = data[n:]
		each(int(key>>3), number, bytes)
	}
	return nil
}

// decodeEvents reads an event file without anything of the writer.
func decodeEvents(data []byte) (events []event, err error) {
	for len(data) > 0 {
		if len(data) < 16 {
			return events, fmt.Errorf("%d bytes left over", len(data))
		}
		size := binary.LittleEndian.Uint64(data)
		if got := unmask(binary.LittleEndian.Uint32(data[8:])); got != crc32c(data[:8]) {
			return events, fmt.Errorf("checksum of a length is %#x", got)
		}
		body := data[12 : 12+size]
		if got := unmask(binary.LittleEndian.Uint32(data[12+size:])); got != crc32c(body) {
			return events, fmt.Errorf("checksum of a record is %#x", got)
		}
		data = data[16+size:]
		e := event{scalars: map[string]float32{}}
		var inner error
		err := fields(body, func(field int, number uint64, bytes []byte) {
			switch field {
			case 1:
				e.wall = math.Float64frombits(number)
			case 2:
				e.step = number
			case 3:
				e.version = string(bytes)
			case 5:
				inner = fields(bytes, func(field int, _ uint64, value []byte) {
					var tag string
					var x float32
					inner = fields(value, func(field int, number uint64, bytes []byte) {
						if field == 1 {
							tag = string(bytes)
						} else if field == 2 {
							x = math.Float32frombits(uint32(number))
						}
					})
					e.scalars[tag] = x
				})
			}
		})
		if err != nil || inner != nil {
			return events, fmt.Errorf("%v, %v", err, inner)
		}
		events = append(events, e)
	}
	return events, nil
}

func TestEventsAreReadBack(t *testing.T) {
	if got := crc32c([]byte("123456789")); got != 0xe3069283 { // RFC 3720, appendix B.4
		t.Fatalf("the test's own checksum gives %#x", got)
	}
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, EventsName)
		os.Remove(path)
		e, err := createEvents(path, func() time.Time { return time.Unix(1700000000, 5e8) })
		if err != nil {
			t.Fatal(err)
		}
		want := []event{{wall: 1700000000.5, version: "brain.Event:2", scalars: map[string]float32{}}}
		for range rapid.IntRange(0, 4).Draw(t, "records") {
			record := map[string]any{"name": "left out"}
			expect := event{wall: 1700000000.5, step: uint64(rapid.Int64Range(0, math.MaxInt64).Draw(t, "step")), scalars: map[string]float32{}}
			for _, key := range rapid.SliceOfN(rapid.StringN(1, 200, 400), 1, 4).Draw(t, "keys") {
				x := rapid.Float32().Draw(t, "x")
				record[key], expect.scalars[key] = float64(x), x
			}
			if err := e.Append(int64(expect.step), record); err != nil {
				t.Fatal(err)
			}
			want = append(want, expect)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeEvents(data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

var update = flag.Bool("update", false, "rewrite the golden event file")

// TestEventsGolden: this file, byte for byte, was read by TensorBoard 2.21.
func TestEventsGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), EventsName)
	e, err := createEvents(path, func() time.Time { return time.Unix(1700000000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	for step, record := range []map[string]any{
		{"policy_loss": 2.5, "games": 16, "incumbent": true, "best": int64(320), "why": "text"},
		{"why": "no number at all"},
		{"policy_loss": float32(1.25), "games": 32, "incumbent": false},
	} {
		if err := e.Append(int64(step), record); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "events.hex")
	text := hex.Dump(data)
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("the file is\n%s, want\n%s", text, want)
	}
}

func TestEventsErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), EventsName)
	e, err := CreateEvents(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := CreateEvents(path); err == nil || !strings.Contains(err.Error(), EventsName) {
		t.Errorf("a file that is there: %v", err)
	}
	if e.f, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Skip("no /dev/full here")
	}
	if err := e.Append(1, map[string]any{"x": 1}); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("a full disk: %v", err)
	}
}
