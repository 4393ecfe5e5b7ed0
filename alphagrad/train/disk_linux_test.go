package train

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// limited says to the process that TestDiskFillsUp starts where to go on training.
const limited = "ALPHAGRAD_TEST_LIMITED_RUN"

// TestDiskFillsUp: in the middle of a checkpoint no byte more can be written. The training ends with an error, and the
// checkpoint before is whole. A process of its own gets the limit, which would also meet the files of the test framework.
func TestDiskFillsUp(t *testing.T) {
	if dir := os.Getenv(limited); dir != "" {
		info, err := os.Stat(filepath.Join(dir, "checkpoints", "00000002", "trainer"))
		if err != nil {
			t.Fatal(err)
		}
		limit := syscall.Rlimit{Cur: uint64(info.Size() - 1000), Max: uint64(info.Size() - 1000)} // a model still fits
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		t.Log(small().Run(context.Background(), Env{Dir: dir, Resume: dir}))
		return
	}

	dir := t.TempDir()
	c := small()
	c.Iterations = 2
	trainOnce(t, c, Env{Dir: dir})
	cmd := exec.Command(os.Args[0], "-test.run=^TestDiskFillsUp$", "-test.v")
	cmd.Env = append(os.Environ(), limited+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	kept := filepath.Join(dir, "checkpoints", "00000002")
	for _, want := range []string{"checkpoint of iteration 4: ", "file too large", "the one before it, " + kept + ", is as it was"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the training ends with %s, want %q", out, want)
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "checkpoints"))
	if err != nil || len(entries) != 1 || entries[0].Name() != "00000002" {
		t.Errorf("left behind %v, %v", entries, err)
	}
	records := trainOnce(t, small(), Env{Dir: t.TempDir(), Resume: dir})
	if records[0]["iteration"] != 3 {
		t.Errorf("goes on with %v", records[0])
	}
}
