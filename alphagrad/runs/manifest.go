package runs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ManifestName is the manifest's file name in a run directory.
const ManifestName = "manifest.json"

// manifestFormat identifies the file; its version changes when the meaning of a field does.
const manifestFormat = "alphagrad-run/1"

// Status says how far a run got. Only StatusFinished means that its results are complete.
type Status string

// The states of a run. A run whose process was killed keeps StatusRunning for ever.
const (
	StatusRunning     Status = "running"
	StatusFinished    Status = "finished"
	StatusFailed      Status = "failed"
	StatusInterrupted Status = "interrupted"
)

// Manifest describes a run: what was asked, by which program, on which machine, and what came out. It holds neither
// user or host names nor absolute paths, so it can be published.
type Manifest struct {
	Format     string          `json:"format"`
	Experiment string          `json:"experiment"`
	Status     Status          `json:"status"`
	Error      string          `json:"error,omitempty"` // why the status is failed or interrupted
	Seed       Seed            `json:"seed"`
	Args       []string        `json:"args"`   // the command line; paths relative to the module root
	Config     json.RawMessage `json:"config"` // the resolved configuration, defaults and overrides included
	Started    time.Time       `json:"started"`
	Ended      *time.Time      `json:"ended,omitempty"` // absent while running
	Seconds    float64         `json:"seconds"`         // wall time from Started to Ended
	Program    Program         `json:"program"`
	Machine    Machine         `json:"machine"`
	Files      []FileSum       `json:"files"` // every file but the manifest, sorted by name; filled at the end
}

// Program identifies the code that ran.
type Program struct {
	Module  string `json:"module"`
	Version string `json:"version,omitempty"` // of the module; absent in a development build
	Commit  string `json:"commit,omitempty"`  // absent outside a git checkout
	Dirty   bool   `json:"dirty,omitempty"`   // the sources differed from Commit
	Go      string `json:"go"`
}

// Machine identifies the hardware as far as measured times depend on it.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	CPU   string `json:"cpu,omitempty"`
	Cores int    `json:"cores"` // logical processors this process may use
}

// FileSum is a result file and its content's SHA-256 in hexadecimal.
type FileSum struct {
	Name   string `json:"name"` // slash-separated, relative to the run directory
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ReadManifest reads the manifest of the run in dir.
func ReadManifest(dir string) (Manifest, error) {
	path := filepath.Join(dir, ManifestName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, fmt.Errorf("%s is not a run: it has no %s", dir, ManifestName)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	var m Manifest
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	if m.Format != manifestFormat {
		return Manifest{}, fmt.Errorf("%s: format %q, expected %q", path, m.Format, manifestFormat)
	}
	return m, nil
}

// Verify checks that the run in dir is finished and that its files are exactly the ones the manifest lists, byte for
// byte. All differences are named in one error.
func (m Manifest) Verify(dir string) error {
	if m.Status != StatusFinished {
		return fmt.Errorf("run %s is not finished: its status is %q", dir, m.Status)
	}
	present, err := sumFiles(dir)
	if err != nil {
		return err
	}
	byName := make(map[string]FileSum, len(present))
	for _, f := range present {
		byName[f.Name] = f
	}
	var problems []string
	for _, want := range m.Files {
		got, ok := byName[want.Name]
		delete(byName, want.Name)
		switch {
		case !ok:
			problems = append(problems, want.Name+" is missing")
		case got != want:
			problems = append(problems, want.Name+" has changed")
		}
	}
	for name := range byName {
		problems = append(problems, name+" is not in the manifest")
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return fmt.Errorf("run %s: %s", dir, strings.Join(problems, "; "))
	}
	return nil
}

// write replaces the manifest in dir atomically.
func (m Manifest) write(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	return WriteFile(filepath.Join(dir, ManifestName), append(data, '\n'))
}

// sumFiles lists the regular files below dir except the manifest and anything uncommitted, sorted by name.
func sumFiles(dir string) ([]FileSum, error) {
	files := []FileSum{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if rel == ManifestName || isTemporary(d.Name()) {
			return nil
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a directory", path)
		}
		sum, err := sumFile(path)
		sum.Name = filepath.ToSlash(rel)
		files = append(files, sum)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list files of %s: %w", dir, err)
	}
	slices.SortFunc(files, func(a, b FileSum) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

func sumFile(path string) (FileSum, error) {
	f, err := os.Open(path)
	if err != nil {
		return FileSum{}, err
	}
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, f)
	return FileSum{Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

func isTemporary(name string) bool {
	return strings.HasPrefix(name, ".") && strings.Contains(name, temporaryMark)
}
