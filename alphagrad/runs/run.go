package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"sync"
	"time"
)

// ConfigName is the file in a run directory with the resolved configuration; Load reads it back, so a run can be
// repeated from its own directory.
const ConfigName = "config.yaml"

// MetricsName is the file in a run directory that Run.Metrics appends to.
const MetricsName = "metrics.jsonl"

// Spec says what a run is.
type Spec struct {
	Root       string   // module root; paths in the manifest are relative to it
	Parent     string   // directory that receives the run directory; Root/runs if empty
	Experiment string   // name: letters, digits, '-', '_' and '.'
	Seed       Seed     // root of all randomness of the run
	Config     any      // the resolved configuration, as filled by Load
	Args       []string // the command line; os.Args if nil
}

// Run is a run in progress. Its methods are safe for concurrent use.
type Run struct {
	dir   string
	scrub scrubber

	mu       sync.Mutex
	manifest Manifest
	metrics  *Metrics
	events   *Events
	ended    bool
}

var experimentName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// Start creates a new run directory named after the experiment and the time, with the resolved configuration and a
// manifest whose status is "running". The caller ends it with Finish.
func Start(spec Spec) (*Run, error) {
	if !experimentName.MatchString(spec.Experiment) {
		return nil, fmt.Errorf("experiment name %q: expected letters, digits, '-', '_' and '.'", spec.Experiment)
	}
	root, err := filepath.Abs(spec.Root)
	if err != nil {
		return nil, fmt.Errorf("start run: %w", err)
	}
	r := &Run{scrub: newScrubber(root)}
	config, err := Encode(spec.Config)
	if err != nil {
		return nil, err
	}
	configJSON, err := r.scrub.config(spec.Config)
	if err != nil {
		return nil, err
	}
	args := spec.Args
	if args == nil {
		args = slices.Clone(os.Args)
		args[0] = filepath.Base(args[0])
	}
	published := make([]string, len(args))
	for i, arg := range args {
		published[i] = r.scrub.arg(arg)
	}
	now := time.Now().UTC()
	r.manifest = Manifest{
		Format:     manifestFormat,
		Experiment: spec.Experiment,
		Status:     StatusRunning,
		Seed:       spec.Seed,
		Args:       published,
		Config:     configJSON,
		Started:    now.Round(time.Millisecond),
		Program:    programInfo(root),
		Machine:    Host(),
		Files:      []FileSum{},
	}
	parent := spec.Parent
	if parent == "" {
		parent = filepath.Join(root, "runs")
	}
	if r.dir, err = createRunDir(parent, spec.Experiment+"-"+now.Format("20060102-150405")); err != nil {
		return nil, err
	}
	// The manifest comes first: from its first file on, the directory says that it is not finished.
	if err := r.manifest.write(r.dir); err != nil {
		return nil, err
	}
	// Paths below the module root become relative to it, which is where a program that reads them again starts from.
	if err := WriteFile(filepath.Join(r.dir, ConfigName), []byte(r.scrub.text(string(config)))); err != nil {
		return nil, err
	}
	return r, nil
}

// createRunDir makes a directory that did not exist, adding -2, -3, … to a name that is taken.
func createRunDir(parent, name string) (string, error) {
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return "", fmt.Errorf("start run: %w", err)
	}
	dir := filepath.Join(parent, name)
	for n := 2; ; n++ {
		err := os.Mkdir(dir, 0o777)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("start run: %w", err)
		}
		dir = filepath.Join(parent, fmt.Sprintf("%s-%d", name, n))
	}
}

// Dir returns the run directory.
func (r *Run) Dir() string { return r.dir }

// Path returns a path inside the run directory and creates its parents.
func (r *Run) Path(name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("run file %q: expected a relative path inside the run directory", name)
	}
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", fmt.Errorf("run file %q: %w", name, err)
	}
	return path, nil
}

// WriteFile writes a result file atomically; name is slash-separated and relative to the run directory.
func (r *Run) WriteFile(name string, data []byte) error {
	path, err := r.Path(name)
	if err != nil {
		return err
	}
	return WriteFile(path, data)
}

// Metrics returns the run's metrics file, opened at the first call.
func (r *Run) Metrics() (*Metrics, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.metrics == nil {
		m, err := OpenMetrics(filepath.Join(r.dir, MetricsName))
		if err != nil {
			return nil, err
		}
		r.metrics = m
	}
	return r.metrics, nil
}

// Events returns the run's event file for TensorBoard, created at the first call.
func (r *Run) Events() (*Events, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.events == nil {
		e, err := CreateEvents(filepath.Join(r.dir, EventsName))
		if err != nil {
			return nil, err
		}
		r.events = e
	}
	return r.events, nil
}

// Finish ends the run and seals its files in the manifest. The outcome decides the status: nil is finished,
// context.Canceled is interrupted, anything else is failed. A second call does nothing, so that a deferred
// Finish(errors.New("panic")) can back up the regular one. The returned error is about writing the manifest, never the
// outcome itself.
func (r *Run) Finish(outcome error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return nil
	}
	if r.metrics != nil {
		if err := r.metrics.Close(); err != nil {
			return err
		}
	}
	if r.events != nil {
		if err := r.events.Close(); err != nil {
			return err
		}
	}
	m := r.manifest
	switch {
	case outcome == nil:
		m.Status = StatusFinished
	case errors.Is(outcome, context.Canceled):
		m.Status = StatusInterrupted
	default:
		m.Status = StatusFailed
	}
	if outcome != nil {
		m.Error = r.scrub.text(outcome.Error())
	}
	files, err := sumFiles(r.dir)
	if err != nil {
		return err
	}
	m.Files = files
	ended := time.Now().UTC().Round(time.Millisecond)
	m.Ended = &ended
	m.Seconds = ended.Sub(m.Started).Seconds()
	if err := m.write(r.dir); err != nil {
		return err
	}
	r.manifest, r.ended = m, true
	return nil
}

// Publish replaces dst, for example results/poster, by a copy of the finished run.
func (r *Run) Publish(dst string) error {
	m, err := ReadManifest(r.dir)
	if err != nil {
		return err
	}
	if err := m.Verify(r.dir); err != nil {
		return err
	}
	staged, err := Stage(dst)
	if err != nil {
		return err
	}
	defer os.RemoveAll(staged)
	if err := CopyTree(staged, r.dir); err != nil {
		return err
	}
	return Publish(staged, dst)
}

// config returns a configuration as the JSON of the manifest.
func (s scrubber) config(config any) (json.RawMessage, error) {
	tree, err := plain(reflect.Indirect(reflect.ValueOf(config)))
	if err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	data, err := json.Marshal(s.value(tree))
	if err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	return data, nil
}
