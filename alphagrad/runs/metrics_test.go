package runs

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestMetricsSurviveACrashAtAnyByte(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.jsonl")
	rapid.Check(t, func(t *rapid.T) {
		os.Remove(path)
		words := rapid.SliceOfN(rapid.StringN(0, 6000, 6000), 0, 5).Draw(t, "words")
		m, err := OpenMetrics(path)
		if err != nil {
			t.Fatal(err)
		}
		ends := []int64{0}
		for _, w := range words {
			if err := m.Append(map[string]any{"word": w}); err != nil {
				t.Fatal(err)
			}
			info, _ := os.Stat(path)
			ends = append(ends, info.Size())
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		size := rapid.Int64Range(0, ends[len(words)]).Draw(t, "size")
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		complete := 0
		for complete < len(words) && ends[complete+1] <= size {
			complete++
		}
		if m, err = OpenMetrics(path); err != nil {
			t.Fatal(err)
		}
		if err := m.Append(map[string]any{"word": "resumed"}); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		records, err := ReadMetrics(path)
		if err != nil {
			t.Fatal(err)
		}
		want := append(append([]string{}, words[:complete]...), "resumed")
		if len(records) != len(want) {
			t.Fatalf("%d records, want %d", len(records), len(want))
		}
		for i, r := range records {
			if valid := strings.ToValidUTF8(want[i], "\uFFFD"); r["word"] != valid {
				t.Fatalf("record %d is %q, want %q", i, r["word"], valid)
			}
		}
	})
}

func TestMetricsValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.jsonl")
	m, err := OpenMetrics(path)
	if err != nil {
		t.Fatal(err)
	}
	err = m.Append(map[string]any{"b": math.NaN(), "a": []float64{1, math.Inf(-1)}, "c": float32(math.Inf(1)), "n": int64(math.MaxInt64)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Append(map[string]any{"f": func() {}}); err == nil {
		t.Error("a function was accepted")
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	want := `{"a":[1,"-Inf"],"b":"NaN","c":"+Inf","n":9223372036854775807}` + "\n"
	if got := read(t, path); got != want {
		t.Errorf("got %swant %s", got, want)
	}
	records, err := ReadMetrics(path)
	if err != nil || records[0]["n"] != json.Number("9223372036854775807") {
		t.Errorf("%v, %v", records, err)
	}
}

func TestMetricsFromManyGoroutines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.jsonl")
	m, err := OpenMetrics(path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 100 {
				if err := m.Append(map[string]any{"id": worker*100 + i}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	records, err := ReadMetrics(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range records {
		seen[fmt.Sprint(r["id"])] = true
	}
	if len(seen) != 400 {
		t.Errorf("%d of 400 records arrived", len(seen))
	}
}

func TestReadMetricsErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.jsonl")
	for _, c := range []struct{ text, want string }{
		{"{\"a\":1}\n[1]\n", "m.jsonl:2: "},
		{"{}{}\n", "m.jsonl:1: expected one JSON object"},
		{"{}\n\n{}\n", "m.jsonl:2: "},
		{"null\n", "m.jsonl:1: "},
	} {
		os.WriteFile(path, []byte(c.text), 0o600)
		if _, err := ReadMetrics(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
	for _, empty := range []string{"", "{\"torn\":"} {
		os.WriteFile(path, []byte(empty), 0o600)
		if records, err := ReadMetrics(path); err != nil || len(records) != 0 {
			t.Errorf("%q: %v, %v", empty, records, err)
		}
	}
}

// FuzzReadMetrics: no file panics.
func FuzzReadMetrics(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n{\"b\":"))
	f.Add([]byte("\n\n"))
	path := filepath.Join(f.TempDir(), "m.jsonl")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		records, err := ReadMetrics(path)
		if err == nil && len(records) != strings.Count(string(data), "\n") {
			t.Fatalf("%d records in %q", len(records), data)
		}
	})
}
