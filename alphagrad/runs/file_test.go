package runs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// list returns the names in dir.
func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFileAppearsOnlyWhenCommitted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	for _, commit := range []bool{false, true, false} {
		before, _ := os.ReadFile(path)
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("new")); err != nil {
			t.Fatal(err)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, before) {
			t.Errorf("visible before Commit: %q", now)
		}
		if commit {
			if err := f.Commit(); err != nil {
				t.Fatal(err)
			}
			before = []byte("new")
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, before) {
			t.Errorf("after commit=%t: %q, want %q", commit, now, before)
		}
		if _, err := f.Write(nil); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Write after Close: %v", err)
		}
		if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Commit after Close: %v", err)
		}
	}
	if got := list(t, dir); len(got) != 1 {
		t.Errorf("left behind: %q", got)
	}
}

func TestWriteFileRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		if err := WriteFile(path, want); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%q, %v", got, err)
		}
	})
}

// TestReadersNeverSeeAPart writes two large contents in turn while another goroutine reads.
func TestReadersNeverSeeAPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	contents := [][]byte{bytes.Repeat([]byte("a"), 1<<18), bytes.Repeat([]byte("b"), 1<<17)}
	if err := WriteFile(path, contents[0]); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, contents[0]) && !bytes.Equal(got, contents[1]) {
				t.Errorf("read %d bytes, %v", len(got), err)
				return
			}
		}
	})
	for i := range 40 {
		if err := WriteFile(path, contents[i%2]); err != nil {
			t.Error(err)
		}
	}
	close(done)
	wg.Wait()
}

func TestWriteFileErrors(t *testing.T) {
	dir := t.TempDir()
	if err := WriteFile(filepath.Join(dir, "missing", "x"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing directory: %v", err)
	}
	if err := WriteFile(dir+"/", nil); err == nil || !strings.Contains(err.Error(), "names a directory") {
		t.Errorf("a directory: %v", err)
	}
	if err := WriteFile(dir, nil); err == nil {
		t.Error("replaced a directory by a file")
	}
	if got := list(t, dir); len(got) != 0 {
		t.Errorf("left behind: %q", got)
	}
}

func TestPublishReplaces(t *testing.T) {
	parent := t.TempDir()
	dst := filepath.Join(parent, "deep", "poster")
	for _, content := range []string{"one", "two"} {
		staged, err := Stage(dst)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(staged, "figures"), 0o777); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{content, "common", "figures/f.svg"} {
			if err := WriteFile(filepath.Join(staged, name), []byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		if err := Publish(staged, dst); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(list(t, dst), " "); got != "common figures "+content {
			t.Errorf("published %q", got)
		}
		if got := read(t, filepath.Join(dst, "figures/f.svg")); got != content {
			t.Errorf("figures/f.svg is %q, want %q", got, content)
		}
		if got := list(t, filepath.Dir(dst)); len(got) != 1 {
			t.Errorf("left behind: %q", got)
		}
	}
}

// TestPublishFailureKeepsTheOldVersion makes the second rename impossible: a directory cannot move into itself.
func TestPublishFailureKeepsTheOldVersion(t *testing.T) {
	parent := t.TempDir()
	dst := filepath.Join(parent, "poster")
	staged := filepath.Join(dst, "inside")
	if err := os.MkdirAll(staged, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Publish(staged, dst); err == nil {
		t.Error("published a directory into itself")
	}
	if _, err := os.Stat(staged); err != nil {
		t.Errorf("the old version is gone: %v", err)
	}
	if err := Publish(filepath.Join(parent, "missing"), dst); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("published nothing: %v", err)
	}
	file := filepath.Join(parent, "file")
	if err := WriteFile(file, nil); err != nil {
		t.Fatal(err)
	}
	if err := Publish(file, dst); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("published a file: %v", err)
	}
}

func TestCopyTreeRefusesLinks(t *testing.T) {
	src, dst := t.TempDir(), t.TempDir()
	if err := os.Symlink("/", filepath.Join(src, "link")); err != nil {
		t.Skip("this system has no symbolic links:", err)
	}
	if err := CopyTree(dst, src); err == nil || !strings.Contains(err.Error(), "neither a file nor a directory") {
		t.Errorf("copied a link: %v", err)
	}
}
