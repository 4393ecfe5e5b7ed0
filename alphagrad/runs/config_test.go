package runs

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type common struct {
	Label string `yaml:"label"`
}

type method struct {
	Name   string        `yaml:"name"`
	Budget time.Duration `yaml:"budget"`
	Seeds  []int         `yaml:"seeds"`
}

type example struct {
	common  `yaml:"-"`
	Shared  common             `yaml:",inline"`
	Kind    string             `yaml:"experiment"`
	Seed    Seed               `yaml:"seed"`
	Small   int8               `yaml:"small"`
	Rate    float64            `yaml:"rate"`
	Fast    bool               `yaml:"fast"`
	Search  method             `yaml:"search"`
	Methods []method           `yaml:"methods"`
	Limits  map[string]float64 `yaml:"limits"`
	Ratio   *float64           `yaml:"ratio"`
	Pair    [2]int             `yaml:"pair"`
	hidden  int
}

func (e *example) Validate() error {
	if e.Rate < 0 {
		return errors.New("rate: expected at least 0")
	}
	return nil
}

func genMethod(t *rapid.T) method {
	return method{
		Name:   rapid.String().Draw(t, "name"),
		Budget: time.Duration(rapid.Int64().Draw(t, "budget")),
		Seeds:  rapid.SliceOfN(rapid.Int(), 1, 4).Draw(t, "seeds"),
	}
}

func genExample(t *rapid.T) example {
	ratio := rapid.Float64().Draw(t, "ratio")
	return example{
		Shared:  common{Label: rapid.String().Draw(t, "label")},
		Kind:    rapid.String().Draw(t, "kind"),
		Seed:    Seed(rapid.Uint64().Draw(t, "seed")),
		Small:   rapid.Int8().Draw(t, "small"),
		Rate:    rapid.Float64().Draw(t, "rate"),
		Fast:    rapid.Bool().Draw(t, "fast"),
		Search:  genMethod(t),
		Methods: []method{genMethod(t), genMethod(t)},
		Limits:  map[string]float64{"a": rapid.Float64().Draw(t, "limit")},
		Ratio:   &ratio,
		Pair:    [2]int{rapid.Int().Draw(t, "first"), rapid.Int().Draw(t, "second")},
	}
}

func TestEncodeDecodeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genExample(t)
		data, err := Encode(&want)
		if err != nil {
			t.Fatal(err)
		}
		var got example
		if err := Decode("x.yaml", data, &got); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v\n%s", got, want, data)
		}
	})
}

func TestDecodeKeepsDefaults(t *testing.T) {
	got := example{Rate: 2, Search: method{Name: "anneal", Budget: time.Second, Seeds: []int{1, 2}}, Methods: []method{{Name: "x"}}}
	err := Decode("x.yaml", []byte("# comment\nsearch:\n  budget: 3m\n  seeds: [7]\nlabel: hello\nseed: 1e6\nratio: .5\n"), &got)
	if err != nil {
		t.Fatal(err)
	}
	half := .5
	want := example{Shared: common{"hello"}, Seed: 1_000_000, Rate: 2, Ratio: &half,
		Search: method{Name: "anneal", Budget: 3 * time.Minute, Seeds: []int{7}}, Methods: []method{{Name: "x"}}}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for _, empty := range []string{"", "\n", "# only a comment\n", "---\n"} {
		if err := Decode("x.yaml", []byte(empty), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, %+v", empty, err, got)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"sed: 1", `x.yaml:1:1: unknown key "sed", did you mean "seed"?`},
		{"search:\n  bugdet: 1s", `x.yaml:2:3: unknown key "search.bugdet", did you mean "search.budget"?`},
		{"methods:\n- {nme: a}", `x.yaml:2:4: unknown key "methods.0.nme", did you mean "methods.0.name"?`},
		{"search: {zzzzzzzz: 1}", `x.yaml:1:10: unknown key "search.zzzzzzzz", expected one of budget, name, seeds`},
		{"hidden: 1", `x.yaml:1:1: unknown key "hidden", expected one of experiment, fast, label, limits, methods, pair, rate, ratio, search, seed, small`},
		{"seed: -1", `x.yaml:1:7: seed: "-1", expected a whole number of at least 0 that fits in 64 bits`},
		{"seed: abc", `x.yaml:1:7: seed: "abc", expected a whole number of at least 0 that fits in 64 bits`},
		{"small: 128", `x.yaml:1:8: small: "128", expected a whole number that fits in 8 bits`},
		{"small: 1.5", `x.yaml:1:8: small: "1.5", expected a whole number that fits in 8 bits`},
		{"rate: fast", `x.yaml:1:7: rate: "fast", expected a number`},
		{"fast: 1", `x.yaml:1:7: fast: "1", expected true or false`},
		{"experiment: 7", `x.yaml:1:13: experiment: "7", expected a string (quote it if it looks like something else)`},
		{"search:\n  budget: 10", `x.yaml:2:11: search.budget: "10", expected a duration with its unit, such as 10s or 5m`},
		{"search: 3", `x.yaml:1:9: search: "3", expected a mapping with the keys name, budget, seeds`},
		{"methods: {a: 1}", `methods: a mapping, expected a list`},
		{"search:\n  seeds: [1, x]", `x.yaml:2:14: search.seeds.1: "x", expected a whole number that fits in 64 bits`},
		{"pair: [1]", `pair: 1 values, expected 2`},
		{"seed:", `seed: the value is empty, expected a whole number of at least 0 that fits in 64 bits`},
		{"limits: &a {x: 1}", `anchors, aliases and merge keys are not supported`},
		{"seed: !!int 1", `the tag !!int is not supported`},
		{"seed: 1\nseed: 2", `x.yaml:2:1: `},
		{"seed: [1", `x.yaml:1:7: `},
		{"seed: 1\n---\nseed: 2", `x.yaml: more than one YAML document, expected one`},
		{"[1]", `x.yaml:1:1: a list, expected a mapping with the keys`},
	} {
		var e example
		err := Decode("x.yaml", []byte(c.yaml), &e)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\ngot  %v\nwant %s", c.yaml, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: the error has more than one line: %q", c.yaml, err)
		}
	}
	for _, bad := range []any{nil, example{}, (*example)(nil), new(int)} {
		if err := Decode("x.yaml", nil, bad); err == nil || !strings.Contains(err.Error(), "pointer to a struct") {
			t.Errorf("Decode into %T: %v", bad, err)
		}
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	for _, open := range []string{"[", "{a: "} {
		var e example
		err := Decode("x.yaml", []byte(strings.Repeat(open, 10_000)), &e)
		if err == nil || !strings.Contains(err.Error(), "brackets are open") {
			t.Errorf("10000 times %q: %v", open, err)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(path, []byte("experiment: poster\nrate: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if kind, err := Peek(path, "experiment"); err != nil || kind != "poster" {
		t.Errorf("Peek: %q, %v", kind, err)
	}
	if _, err := Peek(path, "missing"); err == nil || !strings.Contains(err.Error(), `the key "missing" is missing`) {
		t.Errorf("Peek: %v", err)
	}
	var e example
	if err := Load(path, &e, "rate=3", "search.name=beam"); err != nil || e.Rate != 3 || e.Search.Name != "beam" {
		t.Errorf("Load: %v, %+v", err, e)
	}
	if err := Load(path, &e, "rate=-3"); err == nil || !strings.HasSuffix(err.Error(), "x.yaml: rate: expected at least 0") {
		t.Errorf("Validate was not called: %v", err)
	}
	if err := Load(path+"x", &e); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.Truncate(path, maxConfigBytes+1); err != nil {
		t.Fatal(err)
	}
	if err := Load(path, &e); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("huge file: %v", err)
	}
}

// TestOverrideSetsExactlyOneValue sets every leaf of a random configuration to another one's value, and compares with
// the same assignment made in Go.
func TestOverrideSetsExactlyOneValue(t *testing.T) {
	plain := func(s string) string { return strings.Trim(s, `"'`) }
	rapid.Check(t, func(t *rapid.T) {
		from := genExample(t)
		leaves := []struct {
			assignment string
			set        func(*example)
		}{
			{fmt.Sprintf("seed=%d", from.Seed), func(e *example) { e.Seed = from.Seed }},
			{fmt.Sprintf("small=%d", from.Small), func(e *example) { e.Small = from.Small }},
			{fmt.Sprintf("rate=%g", from.Rate), func(e *example) { e.Rate = from.Rate }},
			{fmt.Sprintf("fast=%t", from.Fast), func(e *example) { e.Fast = from.Fast }},
			{fmt.Sprintf("ratio=%g", *from.Ratio), func(e *example) { e.Ratio = from.Ratio }},
			{"label=" + plain(from.Kind), func(e *example) { e.Shared.Label = plain(from.Kind) }},
			{"search.name=" + plain(from.Kind), func(e *example) { e.Search.Name = plain(from.Kind) }},
			{"methods.1.budget=" + from.Search.Budget.String(), func(e *example) { e.Methods[1].Budget = from.Search.Budget }},
			{fmt.Sprintf("methods.0.seeds=[%d, 3]", from.Small), func(e *example) { e.Methods[0].Seeds = []int{int(from.Small), 3} }},
			{fmt.Sprintf("search.seeds.0=%d", from.Pair[0]), func(e *example) { e.Search.Seeds[0] = from.Pair[0] }},
			{fmt.Sprintf("limits.b=%g", from.Rate), func(e *example) { e.Limits["b"] = from.Rate }},
			{"search={name: abc, budget: 1s}", func(e *example) { e.Search.Name, e.Search.Budget = "abc", time.Second }},
			{fmt.Sprintf("pair.1=%d", from.Pair[0]), func(e *example) { e.Pair[1] = from.Pair[0] }},
			{"ratio=null", func(e *example) { e.Ratio = nil }},
		}
		seed := rapid.Uint64().Draw(t, "example")
		leaf := rapid.SampledFrom(leaves).Draw(t, "leaf")
		got, want := exampleOf(seed), exampleOf(seed)
		leaf.set(&want)
		if err := Override(&got, leaf.assignment); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\ngot  %+v\nwant %+v", leaf.assignment, got, want)
		}
	})
}

// exampleOf returns a configuration that shares no memory with any other.
func exampleOf(seed uint64) example {
	r := Seed(seed).Rand()
	m := func() method { return method{Name: fmt.Sprint(r.Uint64()), Seeds: []int{r.Int(), r.Int()}} }
	ratio := r.Float64()
	return example{Seed: Seed(r.Uint64()), Search: m(), Methods: []method{m(), m()}, Ratio: &ratio,
		Limits: map[string]float64{"a": r.Float64()}, hidden: r.Int()}
}

func TestOverrideErrors(t *testing.T) {
	for _, c := range []struct{ assignment, want string }{
		{"seed", `override "seed": expected key=value`},
		{"=1", `expected key=value`},
		{"", `expected key=value`},
		{"sede=1", `override "sede=1": unknown key "sede", did you mean "seed"?`},
		{"search.budgte=1s", `unknown key "search.budgte", did you mean "search.budget"?`},
		{"search..budget=1s", `unknown key "search.", expected one of budget, name, seeds`},
		{"search.budget.x=1", `search.budget is a duration with its unit, such as 10s or 5m and has no key "x"`},
		{"methods.2.name=x", `methods has 2 entries, "2" is not one of their indices`},
		{"methods.-1.name=x", `"-1" is not one of their indices`},
		{"methods.name=x", `"name" is not one of their indices`},
		{"seed=x", `seed: "x", expected a whole number of at least 0`},
		{"search.budget=10", `expected a duration with its unit`},
		{"search={name: a, nam: b}", `unknown key "search.nam", did you mean "search.name"?`},
		{"seed=", `seed: the value is empty`},
		{"hidden=1", `unknown key "hidden"`},
		{"pair.2=1", `pair has 2 entries`},
	} {
		got, want := exampleOf(1), exampleOf(1)
		err := Override(&got, c.assignment)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\ngot  %v\nwant %s", c.assignment, err, c.want)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q failed but changed the configuration to %+v", c.assignment, got)
		}
	}
}

func TestEditDistanceMatchesRecursion(t *testing.T) {
	var naive func(a, b string) int
	naive = func(a, b string) int {
		switch {
		case a == "" || b == "":
			return len(a) + len(b)
		case a[0] == b[0]:
			return naive(a[1:], b[1:])
		}
		return 1 + min(naive(a[1:], b), naive(a, b[1:]), naive(a[1:], b[1:]))
	}
	word := rapid.StringMatching(`[abc]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, want := editDistance(a, b), naive(a, b); got != want {
			t.Fatalf("distance of %q and %q: %d, want %d", a, b, got, want)
		}
	})
}

// FuzzOverride: no assignment panics, a refused one changes nothing, and what an accepted one set survives a round trip.
func FuzzOverride(f *testing.F) {
	for _, s := range []string{"seed=7", "search.budget=10s", "methods.1.seeds=[1, 2]", "limits.x=.nan", "ratio=1e3", "a.b=c",
		"search={name: x}", "pair=[1, 2]", "label='q'", "=", "..=", "methods.9=1", "rate=&a 1", "rate=!!str 1", "search=[[[[",
		"label=\x00", "fast=yes", "seed=0x10", "methods=[{name: a}, {name: b}, {}]", "search=null", "limits.x.y=2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, assignment string) {
		got, before := exampleOf(1), exampleOf(1)
		if err := Override(&got, assignment); err != nil {
			if !reflect.DeepEqual(got, before) {
				t.Fatalf("%q failed with %v but changed the configuration", assignment, err)
			}
			return
		}
		again := got
		if err := Override(&again, assignment); err != nil {
			t.Fatalf("%q was accepted once, then: %v", assignment, err)
		}
		if !math.IsNaN(got.Rate) && (got.Ratio == nil || !math.IsNaN(*got.Ratio)) && len(got.Limits) == 1 && !reflect.DeepEqual(got, again) {
			t.Fatalf("%q is not idempotent:\n%+v\n%+v", assignment, got, again)
		}
	})
}

// FuzzDecode: no file panics.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{"seed: 7", "search:\n  budget: 10s\n", "methods:\n- {name: a}\n", "a: &x 1\nb: *x", "<<: {seed: 1}",
		"? a\n: b", "seed: !!int 1", "---\n---\n", "%YAML 1.2\n---\n", "label: |\n  text\n", "\t", "a: [", "limits: {? x : 1}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e example
		if err := Decode("x.yaml", data, &e); err != nil && !strings.HasPrefix(err.Error(), "x.yaml") {
			t.Fatalf("the error does not name the file: %v", err)
		}
	})
}
