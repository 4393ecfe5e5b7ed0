package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"alphagrad": func() { os.Exit(run(os.Args[1:])) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			// Generated code compiles with the toolchain and caches of the test itself.
			for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "HOME", "GOPROXY"} {
				if v := os.Getenv(name); v != "" {
					env.Setenv(name, v)
				}
			}
			checkout, err := filepath.Abs(filepath.Join("..", ".."))
			if err != nil {
				return err
			}
			env.Setenv("CHECKOUT", checkout)
			env.Setenv("TMPDIR", os.TempDir()) // graphviz keeps its compiled code there, or every call starts a second late
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":  code,
			"value": value,
		},
	})
}

// code WANT COMMAND…: the command ends with this exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code WANT COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		text := err.Error()
		n, aerr := strconv.Atoi(text[strings.LastIndexByte(text, ' ')+1:])
		if aerr != nil {
			ts.Fatalf("%v", err)
		}
		got = n
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// value PATH OP WANT: compares a number, string or truth value of the JSON on stdout; PATH is keys and indices joined by
// dots, len is a length.
func value(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: value PATH ==|<=|>= WANT")
	}
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &v); err != nil {
		ts.Fatalf("stdout is no JSON: %v", err)
	}
	for _, key := range strings.Split(args[0], ".") {
		switch at := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = at[key]; !ok {
				ts.Fatalf("%s: no key %q", args[0], key)
			}
		case []any:
			if key == "len" {
				v = float64(len(at))
				continue
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(at) {
				ts.Fatalf("%s: no index %q in a list of %d", args[0], key, len(at))
			}
			v = at[i]
		default:
			ts.Fatalf("%s: nothing below %q", args[0], key)
		}
	}
	x, isNumber := v.(float64)
	want, err := strconv.ParseFloat(args[2], 64)
	ok := fmt.Sprint(v) == args[2]
	if isNumber && err == nil {
		ok = map[string]bool{"==": x == want, "<=": x <= want, ">=": x >= want}[args[1]]
	}
	if !ok {
		ts.Fatalf("%s is %v, want %s %s", args[0], v, args[1], args[2])
	}
}

// TestHelp: every verb explains itself with an example and completes its flags.
func TestHelp(t *testing.T) {
	root := newRoot()
	for _, cmd := range root.Commands() {
		if slices.Contains([]string{"help", "completion"}, cmd.Name()) {
			continue
		}
		if cmd.Short == "" || cmd.Example == "" || cmd.RunE == nil {
			t.Errorf("%s lacks a description, an example or an action", cmd.Name())
		}
	}
}
