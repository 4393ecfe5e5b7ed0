package gosource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

// A pkg is a type-checked package with its syntax.
type pkg struct {
	listed
	types *types.Package
	info  *types.Info
	files []*ast.File
	decls map[*types.Func]*ast.FuncDecl
	fixed map[*types.Var]ast.Expr // package variables that the package never assigns to, with their initial values
}

// listed is what the go command says of a package.
type listed struct {
	Dir, ImportPath, Name string
	GoFiles, CgoFiles     []string
	Standard              bool
	ImportMap             map[string]string
	Module                *struct {
		Main      bool
		GoVersion string
	}
	Error *struct{ Err string }
}

// A loader type-checks packages from source, each once. It asks the go command where they are, so that modules,
// workspaces and build constraints hold, and reads nothing else.
type loader struct {
	fset   *token.FileSet
	listed map[string]*listed
	loaded map[string]*pkg
	bySelf map[*types.Package]*pkg
	limits limits
}

// limits bound the work of reading one function.
type limits struct {
	steps int // statements and expressions executed, and with it loops that would never end
	nodes int // operations recorded
	cells int // variables and elements of arrays, so that no type asks for more memory than a machine has
}

func newLoader() *loader {
	return &loader{token.NewFileSet(), map[string]*listed{}, map[string]*pkg{}, map[*types.Package]*pkg{}, limits{1 << 22, ir.MaxNodes / 4, 1 << 22}}
}

// list asks the go command for the package in dir and all that it needs; it returns the package itself.
func (l *loader) list(dir string) (*listed, error) {
	out, err := goList(dir, ".")
	if err != nil && strings.Contains(err.Error(), "go.mod file not found") {
		var here *build.Package
		if here, err = build.ImportDir(dir, 0); err != nil {
			return nil, err
		}
		out, err = goList(dir, here.GoFiles...)
	}
	if err != nil {
		return nil, err
	}
	return l.enter(dir, out)
}

// enter records what the go command printed and returns the last package.
func (l *loader) enter(dir string, out []byte) (*listed, error) {
	var last *listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &listed{}
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: what go list prints is not understood: %w", dir, err)
		}
		if last = p; l.listed[p.ImportPath] == nil {
			l.listed[p.ImportPath] = p
		}
	}
	if last == nil {
		return nil, fmt.Errorf("%s holds no Go package", dir)
	}
	return last, nil
}

func goList(dir string, what ...string) ([]byte, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return nil, errors.New("reading Go source needs the Go toolchain: no \"go\" on the PATH")
	}
	args := append([]string{"list", "-e", "-deps", "-json=Dir,ImportPath,Name,GoFiles,CgoFiles,Standard,ImportMap,Module,Error", "--"}, what...)
	cmd := exec.Command(tool, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w: %s", dir, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

// source loads the package that a file belongs to; generated code may be missing or out of date.
func (l *loader) source(file string) (*pkg, error) {
	if info, err := os.Stat(file); err != nil {
		return nil, err
	} else if info.IsDir() {
		return nil, fmt.Errorf("%s is a directory; expected FILE.go:FUNC", file)
	}
	dir := filepath.Dir(file)
	at, err := l.list(dir)
	if err != nil {
		return nil, err
	}
	base := filepath.Base(file)
	switch {
	case slices.Contains(at.CgoFiles, base):
		return nil, fmt.Errorf("%s uses cgo; only plain Go can be differentiated", file)
	case !slices.Contains(at.GoFiles, base):
		return nil, fmt.Errorf("%s is no part of its package here: it is a test, no Go file, or excluded by build constraints", file)
	}
	at.Dir = dir // as the user wrote it, for messages
	if at.Error != nil && len(at.GoFiles) == 0 {
		return nil, fmt.Errorf("%s: %s", file, at.Error.Err)
	}
	p, err := l.parse(at)
	if err != nil {
		return nil, err
	}
	if l.ownErrors(p) == nil {
		return p, nil
	}
	// What uses generated code that is out of date does not type-check: leave that out.
	p.files = slices.DeleteFunc(p.files, isGenerated)
	if err := l.ownErrors(p); err != nil {
		return nil, fmt.Errorf("%w (the source must type-check)", err)
	}
	return p, nil
}

// ownErrors type-checks a package and returns the first error, but for those in files that alphagrad generated and uses of
// names that it may be about to generate.
func (l *loader) ownErrors(p *pkg) error {
	stale := map[string]bool{}
	for _, f := range p.files {
		if isGenerated(f) {
			stale[l.fset.File(f.Pos()).Name()] = true
		}
	}
	errs := l.check(p)
	pending := p.pending()
	for _, e := range errs {
		name, undefined := strings.CutPrefix(e.Msg, "undefined: ")
		if stale[l.fset.Position(e.Pos).Filename] || undefined && pending[name] {
			continue
		}
		return e
	}
	return nil
}

// isGenerated reports whether alphagrad wrote a file.
func isGenerated(f *ast.File) bool {
	return len(f.Comments) > 0 && f.Comments[0].Pos() < f.Package && strings.HasPrefix(f.Comments[0].List[0].Text, gosrc.Generated)
}

// pending are the names of functions that could be generated from those of the package.
func (p *pkg) pending() map[string]bool {
	names := map[string]bool{}
	for fn := range p.decls {
		for _, suffix := range suffixes() {
			names[baseName(fn)+suffix] = true
		}
	}
	return names
}

// parse reads the files of a package.
func (l *loader) parse(at *listed) (*pkg, error) {
	p := &pkg{listed: *at}
	for _, name := range at.GoFiles {
		f, err := parser.ParseFile(l.fset, filepath.Join(at.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, firstOf(err)
		}
		p.files = append(p.files, f)
	}
	return p, nil
}

// firstOf is the first error of a file that does not parse, with its position.
func firstOf(err error) error {
	var list scanner.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		return fmt.Errorf("%s: %s", list[0].Pos, list[0].Msg)
	}
	return err
}

// check type-checks a parsed package and returns its errors.
func (l *loader) check(p *pkg) []types.Error {
	p.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Implicits: map[ast.Node]types.Object{}}
	var errs []types.Error
	conf := types.Config{
		Importer:         importer{l, p},
		IgnoreFuncBodies: !p.mine(),
		FakeImportC:      true,
		Sizes:            types.SizesFor("gc", runtime.GOARCH),
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) {
				errs = append(errs, e)
			}
		},
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		conf.GoVersion = "go" + p.Module.GoVersion
	}
	p.types, _ = conf.Check(p.ImportPath, l.fset, p.files, p.info)
	p.decls = map[*types.Func]*ast.FuncDecl{}
	for _, f := range p.files {
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				if fn, ok := p.info.Defs[d.Name].(*types.Func); ok {
					p.decls[fn] = d
				}
			}
		}
	}
	l.bySelf[p.types] = p
	return errs
}

// mine reports whether the bodies of the package's functions are read: those of the user's own modules are.
func (p *pkg) mine() bool { return !p.Standard && (p.Module == nil || p.Module.Main) }

// importer resolves the imports of one package.
type importer struct {
	l    *loader
	from *pkg
}

func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if mapped, ok := i.from.ImportMap[path]; ok {
		path = mapped
	}
	if p := i.l.loaded[path]; p != nil {
		return p.types, nil
	}
	at := i.l.listed[path]
	if at == nil { // only generated code imports it
		if out, err := goList(i.from.Dir, path); err == nil {
			at, _ = i.l.enter(i.from.Dir, out)
		}
	}
	switch {
	case at == nil:
		return nil, fmt.Errorf("package %s is not found", path)
	case len(at.GoFiles) == 0 && at.Error != nil:
		return nil, errors.New(strings.Join(strings.Fields(at.Error.Err), " "))
	}
	p, err := i.l.parse(at)
	if err != nil {
		return nil, err
	}
	if errs := i.l.check(p); len(errs) > 0 && p.mine() {
		return nil, errs[0]
	}
	i.l.loaded[path] = p
	return p.types, nil
}
