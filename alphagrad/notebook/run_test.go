package notebook

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// project makes a module, in a directory whose name has spaces, with one notebook of the given cells.
func project(t *testing.T, cells ...string) Options {
	t.Helper()
	root := filepath.Join(t.TempDir(), "a module")
	dir := filepath.Join(root, "notebooks")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, root, "go.mod", []byte("module "+runs.ModulePath+"\n\ngo 1.26\n"))
	write(t, root, "answer.go", []byte("// Package answer knows.\npackage answer\n\n// Answer is it.\nconst Answer = 42\n"))
	write(t, dir, "01_test.ipynb", file(t, cells...))
	return Options{Dir: dir, Out: filepath.Join(root, "results", "notebooks"), Venv: environment(t), Args: []string{"test"}}
}

const imports = "import (\n\t\"fmt\"\n\t\"os\"\n\t\"time\"\n\n\tanswer \"" + runs.ModulePath + "\"\n)\n"

func TestRunPublishesPages(t *testing.T) {
	t.Parallel()
	opts := project(t, imports+"\n%%\nfmt.Println(answer.Answer, os.Getenv(\"ALPHAGRAD_QUICK\"), os.Getenv(\"ALPHAGRAD_RUN_DIR\") != \"\")\nfmt.Fprintln(os.Stderr, \"log\", time.Now())")
	opts.Quick = true
	before, err := os.ReadFile(filepath.Join(opts.Dir, "01_test.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	var events []Event
	opts.Progress = func(e Event) { events = append(events, e) }
	results, err := Run(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 || results[0].Cells != 2 || results[0].Title != "Title" || len(events) != 2 || events[0].Result != nil || events[1].Result == nil {
		t.Errorf("results %+v, events %+v", results, events)
	}
	page, err := os.ReadFile(filepath.Join(opts.Out, "01_test.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(string(page), "\n```text\n42 1 true\n```\n") || strings.Contains(string(page), "go.work") {
		t.Errorf("page:\n%s", page)
	}
	readme, err := os.ReadFile(filepath.Join(opts.Out, "README.md"))
	if err != nil || !strings.Contains(string(readme), "1. [Title](01_test.md)") || !strings.Contains(string(readme), "shrunken budgets") {
		t.Errorf("%v, index:\n%s", err, readme)
	}
	m, err := runs.ReadManifest(opts.Out)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(opts.Out); err != nil {
		t.Error(err)
	}
	after, err := os.ReadFile(filepath.Join(opts.Dir, "01_test.ipynb"))
	if err != nil || string(after) != string(before) {
		t.Errorf("the notebook itself has changed: %v", err)
	}
}

// TestRunNamesTheFailure also checks that a failure leaves the published pages alone.
func TestRunNamesTheFailure(t *testing.T) {
	for _, c := range []struct {
		name  string
		cells []string
		want  string
		limit time.Duration
	}{
		{"compile", []string{"%%\nvar x int = \"s\"\n_ = x"}, `01_test.ipynb: code cell 2, line 2: cannot use "s" (untyped string constant) as int value in variable declaration`, 0},
		{"syntax", []string{"%%\nx := := 1"}, `01_test.ipynb: code cell 2, line 2: expected `, 0},
		{"panic", []string{"func f() { panic(\"no good\") }", imports + "%%\nfmt.Println(\"on the way\")\nf()"}, `01_test.ipynb: code cell 3, line 10: panic: no good`, 0},
		{"exit", []string{imports + "%%\nfmt.Fprintln(os.Stderr, \"the file is missing\")\nos.Exit(3)"}, `01_test.ipynb: code cell 2: the file is missing`, 0},
		{"silent exit", []string{imports + "%%\nos.Exit(3)"}, `01_test.ipynb: code cell 2: exit status 3`, 0},
		{"missing package", []string{"import \"example.org/none\"\n%%\nnone.F()"}, `01_test.ipynb: code cell 2, line 1: no required module provides package example.org/none`, 0},
		{"shell", []string{"!echo half; exit 4", "%%\nprintln(1)"}, `01_test.ipynb: code cell 2: a shell line failed: exit status 4`, 0},
		{"time limit", []string{imports + "%%\ntime.Sleep(time.Hour)"}, `01_test.ipynb: code cell 2: it took longer than the time limit for one cell`, 3 * time.Second},
		{"time limit of a long cell", []string{imports + "// It's \"long\".\nvar (\n\ta = '\\n'\n\tb = \"\\t\"\n)\n%%\nprintln(a, b)\ntime.Sleep(time.Hour)"}, `01_test.ipynb: code cell 2: it took longer`, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			opts := project(t, c.cells...)
			opts.Timeout = c.limit
			if err := os.MkdirAll(opts.Out, 0o777); err != nil {
				t.Fatal(err)
			}
			write(t, opts.Out, "old.md", nil)
			_, err := Run(context.Background(), opts)
			var cellErr *CellError
			if !errors.As(err, &cellErr) || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(opts.Out, "old.md")); err != nil {
				t.Errorf("the published pages are gone: %v", err)
			}
			if got := statusOf(t, opts); got != runs.StatusFailed {
				t.Errorf("the run's status is %q", got)
			}
		})
	}
}

// statusOf returns the status of the only run below the module root.
func statusOf(t *testing.T, opts Options) runs.Status {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(filepath.Dir(opts.Dir), "runs", "notebooks-*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("run directories: %q, %v", dirs, err)
	}
	m, err := runs.ReadManifest(dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	return m.Status
}

// TestRunIsCancelled: a cancellation stops the cell's own process too, and the run is marked.
func TestRunIsCancelled(t *testing.T) {
	t.Parallel()
	beat := filepath.Join(t.TempDir(), "beat")
	opts := project(t, imports+"%%\nfor {\n\tos.WriteFile(\""+beat+"\", []byte(fmt.Sprint(time.Now(), answer.Answer)), 0o666)\n\ttime.Sleep(20 * time.Millisecond)\n}")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(beat); err == nil {
				cancel()
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	_, err := Run(ctx, opts)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "01_test.ipynb") {
		t.Errorf("Run: %v", err)
	}
	if got := statusOf(t, opts); got != runs.StatusInterrupted {
		t.Errorf("the run's status is %q", got)
	}
	if _, err := os.Stat(opts.Out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was published: %v", err)
	}
	first, err := os.ReadFile(beat)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	if second, err := os.ReadFile(beat); err != nil || string(second) != string(first) {
		t.Errorf("the cell is still running: %s, then %s, %v", first, second, err)
	}
}

func TestMissingEnvironment(t *testing.T) {
	t.Setenv(VenvEnv, "")
	dir := filepath.Join(t.TempDir(), "notebooks")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "01_a.ipynb", file(t))
	_, err := Run(context.Background(), Options{Dir: dir})
	if !errors.Is(err, ErrNoEnvironment) || !strings.Contains(err.Error(), "make setup installs it") {
		t.Errorf("Run: %v", err)
	}
}

func TestFailureWithoutACell(t *testing.T) {
	nb := &Notebook{}
	for log, want := range map[string]string{
		"":                                 "x.ipynb: nbconvert failed: ",
		"Traceback\n  File\nKeyError: 'a'": "x.ipynb: nbconvert failed: KeyError: 'a'",
		strings.Repeat("long ", 1000):      "x.ipynb: nbconvert failed: long long",
	} {
		got := failure("x.ipynb", nb, log).Error()
		if !strings.HasPrefix(got, want) || len(got) > maxMessage+60 {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// FuzzFailure: whatever the kernel and nbconvert print, the message is one line.
func FuzzFailure(f *testing.F) {
	f.Add(failedCell + "a" + sourceEnd + "\n----- stderr -----\npanic: b\n------------------\n\nexit status 2\n")
	f.Add("Failed \"go build\":\nmain.go:1:2: c\n\n" + failedCell + "a" + sourceEnd + "\nCell[2]: Line 4\n")
	f.Add(timedOut + previewRule + "['a']" + previewRule)
	nb := &Notebook{Cells: []Cell{{Type: "code", Source: "a"}, {Type: "code"}}}
	f.Fuzz(func(t *testing.T, log string) {
		if got := failure("x.ipynb", nb, log).Error(); strings.Contains(got, "\n") {
			t.Fatalf("%q", got)
		}
	})
}
