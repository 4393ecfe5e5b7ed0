package notebook

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

const committed = "../../notebooks"

var strip = flag.Bool("strip", false, "remove the outputs from the committed notebooks")

// TestCommittedNotebooks checks the notebooks in the repository; with -strip it cleans them first.
func TestCommittedNotebooks(t *testing.T) {
	if *strip {
		paths, err := List(committed)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			clean, err := Strip(path, data)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(clean, data) {
				continue
			}
			if err := runs.WriteFile(path, clean); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := Check(committed); err != nil {
		t.Error(err)
	}
}

// TestCommittedNotebooksExecute executes the notebooks in the repository with small budgets.
func TestCommittedNotebooksExecute(t *testing.T) {
	if testing.Short() {
		t.Skip("executing notebooks is not short")
	}
	venv := environment(t)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	watchSources(t, root)
	out := filepath.Join(t.TempDir(), "results", "notebooks")
	results, err := Run(context.Background(), Options{
		Dir: committed, Out: out, Runs: t.TempDir(), Quick: true, Venv: venv, Args: []string{"test"},
		Progress: func(e Event) {
			if e.Result != nil {
				t.Logf("%s: %d cells, %d figures, %.1f s", e.Name, e.Result.Cells, e.Result.Figures, e.Result.Elapsed.Seconds())
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		page, err := os.ReadFile(filepath.Join(out, r.Page))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, m := range imageLink.FindAllSubmatch(page, -1) {
			if _, err := os.Stat(filepath.Join(out, string(m[1]))); err != nil {
				t.Errorf("%s refers to a figure that does not exist: %v", r.Page, err)
			}
		}
		if r.Figures > 0 && !imageLink.Match(page) {
			t.Errorf("%s shows none of its %d figures", r.Page, r.Figures)
		}
		if bytes.Contains(page, []byte(root+"/")) {
			t.Errorf("%s contains the path of this checkout", r.Page)
		}
	}
	m, err := runs.ReadManifest(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(out); err != nil {
		t.Error(err)
	}
}

// environment returns the notebook environment. Without one, a test run by hand is skipped; make test, which sets
// ALPHAGRAD_VENV, fails.
func environment(t *testing.T) string {
	t.Helper()
	venv, err := FindVenv("", "../..")
	if errors.Is(err, ErrNoEnvironment) && os.Getenv(VenvEnv) == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return venv
}

// watchSources looks at every source file of the module. The go command remembers which files a test looked at and
// repeats the test when one of them changes, but it cannot know what the notebooks' own processes import.
func watchSources(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "runs" && filepath.Dir(path) == root) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") || d.Name() == "go.mod" || d.Name() == "go.sum" {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
