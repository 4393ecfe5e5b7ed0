package train

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFillsUp: in the middle of a checkpoint no byte more can be written. The training ends with an error, and the
// checkpoint before is whole.
func TestDiskFillsUp(t *testing.T) {
	dir := t.TempDir()
	c := small()
	c.Iterations = 2
	trainOnce(t, c, Env{Dir: dir})

	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Skip(err)
	}
	err := func() error {
		info, err := os.Stat(filepath.Join(dir, checkpointDir, "00000002", "trainer"))
		if err != nil {
			t.Fatal(err)
		}
		less := limit
		less.Cur = uint64(info.Size() - 1000) // a model still fits
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &less); err != nil {
			t.Skip(err)
		}
		defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
		return small().Run(context.Background(), Env{Dir: dir, Resume: dir})
	}()
	kept := filepath.Join(dir, checkpointDir, "00000002")
	if err == nil || !strings.Contains(err.Error(), "checkpoint of iteration 4: ") || !strings.Contains(err.Error(), "file too large") ||
		!strings.Contains(err.Error(), "the one before it, "+kept+", is as it was") {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, checkpointDir))
	if err != nil || len(entries) != 1 || entries[0].Name() != "00000002" {
		t.Errorf("left behind %v, %v", entries, err)
	}
	records := trainOnce(t, small(), Env{Dir: t.TempDir(), Resume: dir})
	if records[0]["iteration"] != 3 {
		t.Errorf("goes on with %v", records[0])
	}
}
