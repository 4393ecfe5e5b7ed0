package runs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

type settings struct {
	Experiment string        `yaml:"experiment"`
	Budget     time.Duration `yaml:"budget"`
	Out        string        `yaml:"out"`
	Scale      float64       `yaml:"scale"`
}

func start(t *testing.T, root string) *Run {
	t.Helper()
	r, err := Start(Spec{
		Root: root, Experiment: "poster", Seed: math.MaxUint64,
		Config: &settings{"poster", time.Minute, filepath.Join(root, "results", "poster"), math.Inf(1)},
		Args:   []string{"alphagrad", "run", filepath.Join(root, "experiments", "poster.yaml"), "--out=/data/elsewhere/x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunFromStartToPublication(t *testing.T) {
	root := t.TempDir()
	r := start(t, root)
	if got := filepath.Dir(r.Dir()); got != filepath.Join(root, "runs") {
		t.Errorf("run directory in %s", got)
	}
	dst := filepath.Join(root, "results", "poster")
	running, err := ReadManifest(r.Dir())
	if err != nil || running.Status != StatusRunning || running.Ended != nil {
		t.Errorf("manifest at the start: %v, %+v", err, running)
	}
	if err := r.Publish(dst); err == nil || !strings.Contains(err.Error(), `not finished: its status is "running"`) {
		t.Errorf("published a running run: %v", err)
	}
	if err := r.WriteFile("orders/best.json", []byte("[1,2]")); err != nil {
		t.Fatal(err)
	}
	metrics, err := r.Metrics()
	if err != nil {
		t.Fatal(err)
	}
	if err := metrics.Append(map[string]any{"step": 1, "loss": math.NaN()}); err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(errors.New("second")); err != nil {
		t.Fatal(err)
	}
	if err := r.Publish(dst); err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(dst)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(dst); err != nil {
		t.Error(err)
	}
	if m.Status != StatusFinished || m.Error != "" || m.Seed != math.MaxUint64 || m.Ended == nil || m.Seconds < 0 {
		t.Errorf("manifest: %+v", m)
	}
	var names []string
	for _, f := range m.Files {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "config.yaml metrics.jsonl orders/best.json" {
		t.Errorf("files: %s", got)
	}
	if got, want := m.Args, []string{"alphagrad", "run", "experiments/poster.yaml", "--out=.../x"}; !reflect.DeepEqual(got, want) {
		t.Errorf("args %q, want %q", got, want)
	}
	var config map[string]any
	if err := json.Unmarshal(m.Config, &config); err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"experiment": "poster", "budget": "1m0s", "out": "results/poster", "scale": "+Inf"}; !reflect.DeepEqual(config, want) {
		t.Errorf("config %v, want %v", config, want)
	}
	var again settings
	if err := Load(filepath.Join(dst, ConfigName), &again); err != nil || again.Budget != time.Minute {
		t.Errorf("the run's own configuration: %v, %+v", err, again)
	}
}

// TestNothingPersonalInARun looks for what identifies a machine in everything a run writes.
func TestNothingPersonalInARun(t *testing.T) {
	home := filepath.Join(t.TempDir(), "ada.lovelace")
	t.Setenv("HOME", home)
	root := filepath.Join(home, "src", "alphagrad")
	if err := os.MkdirAll(root, 0o777); err != nil {
		t.Fatal(err)
	}
	r := start(t, root)
	outcome := fmt.Errorf("open %s: no such file; see %s and %s.log", root, home+"/notes", home)
	if err := r.Finish(outcome); err != nil {
		t.Fatal(err)
	}
	private := []string{home, root, os.TempDir() + "/"}
	if host, err := os.Hostname(); err == nil && len(host) > 3 {
		private = append(private, host)
	}
	if u, err := user.Current(); err == nil && len(u.Username) > 4 {
		private = append(private, u.Username)
	}
	for _, name := range []string{ManifestName, ConfigName} {
		text := read(t, filepath.Join(r.Dir(), name))
		for _, word := range private {
			if name == ManifestName && strings.Contains(text, home+".log") {
				text = strings.ReplaceAll(text, home+".log", "") // not inside the home directory
			}
			if strings.Contains(text, word) {
				t.Errorf("%s contains %q:\n%s", name, word, text)
			}
		}
	}
}

func TestOutcomeDecidesStatus(t *testing.T) {
	for _, c := range []struct {
		outcome error
		want    Status
	}{
		{nil, StatusFinished},
		{fmt.Errorf("search: %w", context.Canceled), StatusInterrupted},
		{context.DeadlineExceeded, StatusFailed},
		{errors.New("no such task"), StatusFailed},
	} {
		r := start(t, t.TempDir())
		if err := r.Finish(c.outcome); err != nil {
			t.Fatal(err)
		}
		m, err := ReadManifest(r.Dir())
		if err != nil || m.Status != c.want || (m.Error == "") != (c.outcome == nil) {
			t.Errorf("%v: status %q, error %q, %v", c.outcome, m.Status, m.Error, err)
		}
		if err := m.Verify(r.Dir()); (err == nil) != (c.outcome == nil) {
			t.Errorf("%v: Verify says %v", c.outcome, err)
		}
	}
}

// TestKilledRunNeverLooksFinished starts this test binary as a process that is killed in the middle of a run.
func TestKilledRunNeverLooksFinished(t *testing.T) {
	if root := os.Getenv("RUNS_TEST_ROOT"); root != "" {
		r := start(t, root)
		if err := r.WriteFile("table.md", []byte("half")); err != nil {
			t.Fatal(err)
		}
		fmt.Println(r.Dir())
		select {}
	}
	root := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledRunNeverLooksFinished$")
	cmd.Env = append(os.Environ(), "RUNS_TEST_ROOT="+root)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	dir := strings.TrimSpace(line)
	m, err := ReadManifest(dir)
	if err != nil || m.Status != StatusRunning {
		t.Errorf("manifest of a killed run: %v, status %q", err, m.Status)
	}
	if err := m.Verify(dir); err == nil {
		t.Error("a killed run was verified")
	}
}

func TestVerifyNamesEveryDifference(t *testing.T) {
	r := start(t, t.TempDir())
	for _, name := range []string{"a", "b", "c"} {
		if err := r.WriteFile(name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Finish(nil); err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(r.Dir())
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(r.Dir(), "a"))
	os.WriteFile(filepath.Join(r.Dir(), "b"), []byte("B"), 0o600)
	os.WriteFile(filepath.Join(r.Dir(), "d"), nil, 0o600)
	err = m.Verify(r.Dir())
	if err == nil || !strings.HasSuffix(err.Error(), "a is missing; b has changed; d is not in the manifest") {
		t.Errorf("Verify: %v", err)
	}
}

func TestRunDirectoriesAreDistinct(t *testing.T) {
	root := t.TempDir()
	var mu sync.Mutex
	dirs := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r := start(t, root)
			mu.Lock()
			defer mu.Unlock()
			dirs[r.Dir()] = true
		})
	}
	wg.Wait()
	if len(dirs) != 8 {
		t.Errorf("8 runs started in the same second have %d directories", len(dirs))
	}
}

func TestRunErrors(t *testing.T) {
	for _, name := range []string{"", "a/b", "..", ".hidden", "a b"} {
		if _, err := Start(Spec{Root: t.TempDir(), Experiment: name, Config: settings{}}); err == nil {
			t.Errorf("experiment %q was accepted", name)
		}
		if _, err := NotebookDir(name); err == nil {
			t.Errorf("notebook %q was accepted", name)
		}
	}
	if _, err := Start(Spec{Root: t.TempDir(), Experiment: "x", Config: 3}); err == nil {
		t.Error("a configuration of type int was accepted")
	}
	r := start(t, t.TempDir())
	for _, name := range []string{"../x", "/x", ""} {
		if err := r.WriteFile(name, nil); err == nil {
			t.Errorf("wrote outside the run: %q", name)
		}
	}
	if _, err := ReadManifest(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not a run") {
		t.Errorf("ReadManifest of an empty directory: %v", err)
	}
	for _, text := range []string{"{", `{"format":"other"}`, `{"unknown":1}`} {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, ManifestName), []byte(text), 0o600)
		if _, err := ReadManifest(dir); err == nil || !strings.Contains(err.Error(), ManifestName) {
			t.Errorf("manifest %s: %v", text, err)
		}
	}
}

func TestNotebookDir(t *testing.T) {
	parent := t.TempDir()
	t.Setenv(RunDirEnv, parent)
	dir, err := NotebookDir("01_graphs")
	if err != nil || dir != filepath.Join(parent, "01_graphs") {
		t.Errorf("%q, %v", dir, err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	t.Setenv(RunDirEnv, "")
	t.Chdir(t.TempDir())
	if _, err := NotebookDir("01_graphs"); err == nil || !strings.Contains(err.Error(), ModulePath) {
		t.Errorf("outside the module: %v", err)
	}
}

func TestRootIsFoundFromBelow(t *testing.T) {
	root := t.TempDir()
	below := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(below, 0o777); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(root, "go.mod"), []byte("// text\nmodule "+ModulePath+"\n\ngo 1.26\n"), 0o600)
	os.WriteFile(filepath.Join(root, "a", "go.mod"), []byte("module other\n"), 0o600)
	if got, err := Root(below); err != nil || got != root {
		t.Errorf("%q, %v", got, err)
	}
}

func TestProgramSeesTheCheckout(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	root := t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "core.hooksPath=/dev/null"}, args...)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	if p := programInfo(root); p.Commit != "" || p.Dirty {
		t.Errorf("outside a checkout: %+v", p)
	}
	git("init", "-q")
	os.WriteFile(filepath.Join(root, "a.go"), nil, 0o600)
	git("add", ".")
	git("commit", "-q", "-m", "x")
	os.Mkdir(filepath.Join(root, "results"), 0o777)
	os.WriteFile(filepath.Join(root, "results", "x"), nil, 0o600)
	if p := programInfo(root); len(p.Commit) != 40 || p.Dirty {
		t.Errorf("new results made the sources dirty: %+v", p)
	}
	os.WriteFile(filepath.Join(root, "b.go"), nil, 0o600)
	if p := programInfo(root); !p.Dirty {
		t.Errorf("a new source file did not make the sources dirty: %+v", p)
	}
}
