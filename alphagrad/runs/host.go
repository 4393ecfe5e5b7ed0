package runs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// ModulePath is the path of this module.
const ModulePath = "github.com/alphagrad/alphagrad-go"

// Root returns the root directory of this module: the nearest directory at or above dir whose go.mod declares it.
func Root(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the module root: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && moduleLine.Match(data) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside a checkout of %s", start, ModulePath)
		}
	}
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?` + regexp.QuoteMeta(ModulePath) + `"?\s*(//.*)?$`)

// hostTimeout bounds each question to another program; a manifest never waits for a hanging git.
const hostTimeout = 10 * time.Second

// programInfo describes the running code, with the state of the git checkout at root.
func programInfo(root string) Program {
	p := Program{Module: ModulePath, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Path == ModulePath && info.Main.Version != "(devel)" {
		p.Version = info.Main.Version
	}
	commit, err := output(root, "git", "rev-parse", "--verify", "HEAD")
	if err != nil {
		return p
	}
	p.Commit = commit
	// Results and runs change because an experiment runs; only sources make a commit misleading.
	status, err := output(root, "git", "status", "--porcelain", "--", ".", ":(exclude)results", ":(exclude)runs")
	p.Dirty = err != nil || status != ""
	return p
}

// Host describes this machine.
func Host() Machine {
	return Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(), Cores: runtime.NumCPU()}
}

// cpuModel returns the processor's name, or "" where the system does not tell.
func cpuModel() string {
	switch runtime.GOOS {
	case "linux":
		data, err := os.ReadFile("/proc/cpuinfo")
		if err != nil {
			return ""
		}
		for line := range strings.Lines(string(data)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.Join(strings.Fields(value), " ")
			}
		}
	case "darwin":
		name, err := output("", "sysctl", "-n", "machdep.cpu.brand_string")
		if err == nil {
			return name
		}
	}
	return ""
}

// output runs a program in dir and returns what it prints, trimmed.
func output(dir, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), hostTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// Scrub makes text that names files publishable: directories of this machine are replaced, the module root by ".", the
// home directory by "~" and the directory for temporary files by "$TMPDIR".
func Scrub(root, text string) string { return newScrubber(root).text(text) }

// scrubber removes from text what identifies a machine or its user.
type scrubber struct {
	places []place // longest directory first, because one can lie inside another
}

// place is a directory of this machine and what stands for it in published text.
type place struct {
	dir, name string
	inText    *regexp.Regexp // dir as a whole path prefix
}

// newScrubber knows the module root, the home directory and the directory for temporary files.
func newScrubber(root string) scrubber {
	var s scrubber
	s.add(root, ".")
	if home, err := os.UserHomeDir(); err == nil {
		s.add(home, "~")
	}
	s.add(os.TempDir(), "$TMPDIR")
	slices.SortStableFunc(s.places, func(a, b place) int { return len(b.dir) - len(a.dir) })
	return s
}

func (s *scrubber) add(dir, name string) {
	// "/" as a home directory, as some containers have it, would turn every path into nonsense.
	if dir = filepath.Clean(dir); filepath.IsAbs(dir) && dir != filepath.Dir(dir) {
		inText := regexp.MustCompile(regexp.QuoteMeta(dir) + `([^\pL\pN_.-]|$)`)
		s.places = append(s.places, place{dir, name, inText})
	}
}

// path makes one path publishable: relative to a known directory, or just its base name.
func (s scrubber) path(p string) string {
	if !filepath.IsAbs(p) {
		return p
	}
	for _, place := range s.places {
		rel, err := filepath.Rel(place.dir, p)
		if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			continue
		}
		return path.Join(place.name, filepath.ToSlash(rel))
	}
	return ".../" + filepath.Base(p)
}

// arg makes one command-line argument or configuration value publishable: the whole of it, or what follows its first =,
// can be a path.
func (s scrubber) arg(a string) string {
	if key, value, ok := strings.Cut(a, "="); ok && filepath.IsAbs(value) {
		return key + "=" + s.path(value)
	}
	return s.path(a)
}

// text makes running text, such as an error message, publishable by replacing the known directories inside it.
func (s scrubber) text(t string) string {
	for _, place := range s.places {
		t = place.inText.ReplaceAllString(t, strings.ReplaceAll(place.name, "$", "$$")+"$1")
	}
	return t
}

// value makes a configuration tree, as plain returns it, publishable and expressible in JSON.
func (s scrubber) value(v any) any {
	switch v := v.(type) {
	case string:
		return s.arg(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = s.value(v[i])
		}
		return out
	case []entry:
		out := make(map[string]any, len(v))
		for _, e := range v {
			out[e.key] = s.value(e.value)
		}
		return out
	default:
		return finite(v)
	}
}
