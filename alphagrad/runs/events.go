package runs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"sync"
	"time"
)

// EventsName is the file in a run directory that Run.Events appends to. TensorBoard finds files whose name contains
// "tfevents".
const EventsName = "events.out.tfevents.alphagrad"

// Events is a growing file of numbers in the format of TensorBoard, so that its pages can follow a run
// (tensorboard --logdir runs). The metrics file holds the same and more. It is safe for concurrent use.
//
// The format is written here, because no Go package for it is maintained: github.com/helinwang/tfsum (2017) and its
// copies need TensorFlow's C library, github.com/NVIDIA/go-tfdata (2020) has records but no events. A file is a sequence
// of TFRecords (tensorflow/core/lib/io/record_writer.h), little-endian:
//
//	uint64 length · uint32 masked CRC-32C of length · data · uint32 masked CRC-32C of data
//
// where a checksum c is masked as rotate-right(c, 15) + 0xa282ead8. The data are protocol buffers of the message Event
// (tensorflow/core/util/event.proto): field 1 the wall time as a double, 2 the step as a varint, 3 the string
// "brain.Event:2" in the first event, 5 a Summary in all others (tensorflow/core/framework/summary.proto), which repeats
// field 1, a Value of field 1, its tag, and field 2, the number as a float32.
type Events struct {
	mu   sync.Mutex
	f    *os.File
	path string
	now  func() time.Time
}

// CreateEvents starts an event file at path, which must not exist.
func CreateEvents(path string) (*Events, error) { return createEvents(path, time.Now) }

func createEvents(path string, now func() time.Time) (*Events, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, fmt.Errorf("create events: %w", err)
	}
	e := &Events{f: f, path: path, now: now}
	if err := e.write(protoBytes(e.event(), 3, []byte("brain.Event:2"))); err != nil {
		f.Close()
		return nil, err
	}
	return e, nil
}

// Append adds the numbers of a record at a step, each under its key, in the order of the keys. Booleans count as 0 and 1;
// what is no number is left out.
func (e *Events) Append(step int64, record map[string]any) error {
	var summary []byte
	for _, key := range slices.Sorted(maps.Keys(record)) {
		x, ok := number(record[key])
		if !ok {
			continue
		}
		value := protoBytes(nil, 1, []byte(key))
		value = binary.LittleEndian.AppendUint32(append(value, 2<<3|fixed32), math.Float32bits(float32(x)))
		summary = protoBytes(summary, 1, value)
	}
	if summary == nil {
		return nil
	}
	event := append(e.event(), 2<<3|varint)
	event = binary.AppendUvarint(event, uint64(step))
	return e.write(protoBytes(event, 5, summary))
}

// Close flushes the events to disk.
func (e *Events) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := errors.Join(e.f.Sync(), e.f.Close()); err != nil && !errors.Is(err, fs.ErrClosed) {
		return fmt.Errorf("events %s: %w", e.path, err)
	}
	return nil
}

// The wire types of protocol buffers that events use.
const (
	varint  = 0
	fixed64 = 1
	bytesOf = 2
	fixed32 = 5
)

// event is the beginning of every Event: its wall time in seconds.
func (e *Events) event() []byte {
	seconds := float64(e.now().UnixNano()) / 1e9
	return binary.LittleEndian.AppendUint64([]byte{1<<3 | fixed64}, math.Float64bits(seconds))
}

// protoBytes appends a field that holds a string or a message.
func protoBytes(to []byte, field byte, data []byte) []byte {
	to = binary.AppendUvarint(append(to, field<<3|bytesOf), uint64(len(data)))
	return append(to, data...)
}

// write appends one record in a single write, so that a reader never waits for its second half.
func (e *Events) write(data []byte) error {
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	record = binary.LittleEndian.AppendUint32(record, maskedSum(record))
	record = append(record, data...)
	record = binary.LittleEndian.AppendUint32(record, maskedSum(data))
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, err := e.f.Write(record); err != nil {
		return fmt.Errorf("events %s: %w", e.path, err)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func maskedSum(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// number is a metric as a number.
func number(value any) (float64, bool) {
	switch v := value.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float32:
		return float64(v), true
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}
