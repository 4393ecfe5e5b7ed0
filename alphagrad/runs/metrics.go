package runs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"sync"
)

// Metrics is a growing file of JSON lines, one object per record, for what a run measures on its way: a loss, a cost
// against time, a rate. Every record is one write, so another process can follow the file, and an interrupted run
// loses at most its last record. It is safe for concurrent use.
type Metrics struct {
	mu   sync.Mutex
	f    *os.File
	path string
}

// OpenMetrics opens the file at path for appending, creating it if needed. A record torn by an earlier crash is cut off
// first, so that the file is valid again before it grows.
func OpenMetrics(path string) (*Metrics, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("open metrics: %w", err)
	}
	end, err := completeLength(f)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open metrics %s: %w", path, err)
	}
	return &Metrics{f: f, path: path}, nil
}

// Append adds one record with sorted keys. Values are anything encoding/json takes; floating-point numbers that JSON
// cannot express are written as the strings "NaN", "+Inf" and "-Inf", because a diverged loss is a result too.
func (m *Metrics) Append(record map[string]any) error {
	plain := make(map[string]any, len(record))
	for key, value := range record {
		plain[key] = finite(value)
	}
	line, err := json.Marshal(plain)
	if err != nil {
		return fmt.Errorf("metrics %s: %w", m.path, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("metrics %s: %w", m.path, err)
	}
	return nil
}

// Close flushes the records to disk.
func (m *Metrics) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.f.Sync()
	if closeErr := m.f.Close(); err == nil {
		err = closeErr
	}
	if err != nil && !errors.Is(err, fs.ErrClosed) {
		return fmt.Errorf("metrics %s: %w", m.path, err)
	}
	return nil
}

// ReadMetrics returns the complete records of a metrics file, in order. Numbers are json.Number, so that 64-bit integers
// keep every digit. A torn last line is left out; any other malformed line is an error naming it.
func ReadMetrics(path string) ([]map[string]any, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	var records []map[string]any
	for i, line := range bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) {
		if len(data) == 0 {
			break
		}
		var record map[string]any
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.UseNumber()
		if err := dec.Decode(&record); err != nil {
			return nil, fmt.Errorf("%s:%d: %w, expected one JSON object per line", path, i+1, err)
		}
		if _, err := dec.Token(); err != io.EOF || record == nil {
			return nil, fmt.Errorf("%s:%d: expected one JSON object per line", path, i+1)
		}
		records = append(records, record)
	}
	return records, nil
}

// completeLength returns the length of f up to and including its last newline.
func completeLength(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 4096)
	for end := info.Size(); end > 0; {
		start := max(0, end-int64(len(buf)))
		chunk := buf[:end-start]
		if _, err := f.ReadAt(chunk, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(chunk, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// finite replaces the floating-point values that JSON cannot express, also inside a slice of them.
func finite(value any) any {
	switch v := value.(type) {
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 1):
			return "+Inf"
		case math.IsInf(v, -1):
			return "-Inf"
		}
	case float32:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return finite(f)
		}
	case []float64:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = finite(x)
		}
		return out
	}
	return value
}
