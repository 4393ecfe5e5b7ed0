package notebook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/runs"
)

// Options says which notebooks to execute and where to keep the result.
type Options struct {
	Dir      string        // directory of the notebooks, directly below the module root
	Out      string        // directory to publish the pages to, replaced as a whole; "" publishes nothing
	Runs     string        // parent of the run directory; runs below the module root if empty
	Quick    bool          // shrink budgets: sets ALPHAGRAD_QUICK=1
	Venv     string        // Python environment; see FindVenv
	Timeout  time.Duration // limit for one cell; 10 minutes if zero
	Args     []string      // command line for the manifest; os.Args if nil
	Progress func(Event)   // called before and after each notebook; may be nil
}

// Event reports progress.
type Event struct {
	Name         string // of the notebook, without extension
	Index, Total int    // Index counts from 0
	Result       *Result
}

// Result describes an executed notebook.
type Result struct {
	Name    string        // file name without extension
	Title   string        // first heading
	Page    string        // path of the page, relative to Options.Out
	Cells   int           // code cells
	Figures int           // figure files of the page
	Elapsed time.Duration // wall time of the execution
}

// settings is the configuration of a run in its manifest: what was executed, exactly.
type settings struct {
	Quick     bool     `yaml:"quick"`
	Notebooks []source `yaml:"notebooks"`
}

type source struct {
	Name   string `yaml:"name"`
	SHA256 string `yaml:"sha256"` // of the notebook file
}

// Run executes all notebooks of a directory in order and, when every one succeeded, publishes their pages, figures and an
// index with a manifest. The first failure ends it with a *CellError; the run directory then says so and keeps the pages
// made so far, and Out stays as it was. Cancelling ctx stops the kernel and marks the run as interrupted.
func Run(ctx context.Context, opts Options) (results []Result, err error) {
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("execute notebooks: %w", err)
	}
	root := filepath.Dir(dir)
	paths, err := List(dir)
	if err != nil {
		return nil, err
	}
	venv, err := FindVenv(opts.Venv, root)
	if err != nil {
		return nil, err
	}
	config := settings{Quick: opts.Quick}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("execute notebooks: %w", err)
		}
		sum := sha256.Sum256(data)
		config.Notebooks = append(config.Notebooks, source{filepath.Base(path), hex.EncodeToString(sum[:])})
	}
	scratch, err := os.MkdirTemp("", "alphagrad-notebooks-")
	if err != nil {
		return nil, fmt.Errorf("execute notebooks: %w", err)
	}
	defer os.RemoveAll(scratch)

	run, err := runs.Start(runs.Spec{Root: root, Parent: opts.Runs, Experiment: "notebooks", Config: config, Args: opts.Args})
	if err != nil {
		return nil, err
	}
	defer func() {
		if finishErr := run.Finish(err); err == nil {
			err = finishErr
		}
		if err == nil && opts.Out != "" {
			err = run.Publish(opts.Out)
		}
	}()

	x := executor{venv: venv, scratch: scratch, state: filepath.Join(scratch, "state"), limit: opts.Timeout, quick: opts.Quick}
	if x.limit == 0 {
		x.limit = 10 * time.Minute
	}
	for i, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
		event := Event{Name: name, Index: i, Total: len(paths)}
		if opts.Progress != nil {
			opts.Progress(event)
		}
		result, err := x.keep(ctx, run, root, path, name)
		if err != nil {
			return results, err
		}
		results = append(results, *result)
		if opts.Progress != nil {
			event.Result = result
			opts.Progress(event)
		}
	}
	return results, run.WriteFile("README.md", []byte(index(results, opts.Quick)))
}

// keep executes one notebook and writes its page and figures to the run.
func (x executor) keep(ctx context.Context, run *runs.Run, root, path, name string) (*Result, error) {
	start := time.Now()
	nb, err := x.execute(ctx, path)
	if err != nil {
		return nil, err
	}
	result := &Result{Name: name, Title: nb.Title(), Page: name + ".md", Cells: len(nb.code()), Elapsed: time.Since(start)}
	page, err := render(name, nb)
	if err != nil {
		return nil, err
	}
	for file, data := range page.files {
		if err := run.WriteFile(file, data); err != nil {
			return nil, err
		}
	}
	result.Figures = len(page.files)
	return result, run.WriteFile(result.Page, []byte(runs.Scrub(root, page.text)))
}

// index is the page that lists the others.
func index(results []Result, quick bool) string {
	var b strings.Builder
	b.WriteString("# Executed notebooks\n\n" +
		"The notebooks of this project with everything they showed when they were last executed, to read without running\n" +
		"anything. [manifest.json](manifest.json) says which sources, which machine and when.\n")
	if quick {
		b.WriteString("\n**Executed with shrunken budgets (ALPHAGRAD_QUICK=1): the numbers are examples, not results.**\n")
	}
	b.WriteString("\n")
	for _, r := range results {
		title := r.Title
		if title == "" {
			title = r.Name
		}
		fmt.Fprintf(&b, "%d. [%s](%s)\n", number(r.Name), title, r.Page)
	}
	return b.String()
}

// number is the position in a notebook's name.
func number(name string) (n int) {
	fmt.Sscanf(name, "%d", &n)
	return n
}
