package gosource

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alphagrad/alphagrad-go/alphagrad/exec/gosrc"
)

// A destination is the package that generated code goes into.
type destination struct {
	path, name string
	same       bool              // the source's own package
	declared   map[string]string // what its other files declare, with the position
	used       map[*types.Package]bool
	from       *pkg
}

// destination finds the package of the file to be written.
func (f *Function) destination(em Emission) (*destination, error) {
	d := &destination{path: em.Path, declared: map[string]string{}, used: map[*types.Package]bool{}, from: f.pkg}
	dir := filepath.Dir(em.Path)
	var err error
	if d.same, err = sameDir(dir, f.pkg.Dir); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(em.Path, ".go") || strings.HasSuffix(em.Path, "_test.go") {
		return nil, fmt.Errorf("%s: the generated file must end in .go, and not in _test.go", em.Path)
	}
	if err := d.scan(dir); err != nil {
		return nil, err
	}
	switch {
	case d.name != "" && em.Package != "" && em.Package != d.name:
		return nil, fmt.Errorf("--package %s: %s holds package %s", em.Package, dir, d.name)
	case d.name == "" && em.Package != "":
		d.name = em.Package
	case d.name == "":
		d.name = f.pkg.Name
	}
	return d, nil
}

func sameDir(a, b string) (bool, error) {
	ia, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	ib, err := os.Stat(b)
	return err == nil && os.SameFile(ia, ib), err
}

// scan collects what the other files of a directory declare, tests included.
func (d *destination) scan(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	for _, entry := range entries {
		name := entry.Name()
		if match, err := build.Default.MatchFile(dir, name); err != nil || !match || !strings.HasSuffix(name, ".go") || d.writes(name) {
			continue
		}
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return firstOf(err)
		}
		test := strings.HasSuffix(name, "_test.go")
		if test && strings.HasSuffix(file.Name.Name, "_test") {
			continue
		}
		if !test {
			d.name = file.Name.Name
		}
		for _, id := range declares(file) {
			d.declared[id.Name] = fset.Position(id.Pos()).String()
		}
	}
	return nil
}

// declares lists the names in package scope that a file declares.
func declares(file *ast.File) (ids []*ast.Ident) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil && decl.Name.Name != "init" && decl.Name.Name != "_" {
				ids = append(ids, decl.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					ids = append(ids, spec.Name)
				case *ast.ValueSpec:
					ids = append(ids, spec.Names...)
				}
			}
		}
	}
	return ids
}

// qualify writes the package of a type.
func (d *destination) qualify(p *types.Package) string {
	if d.same && p == d.from.types {
		return ""
	}
	d.used[p] = true
	return p.Name()
}

// hides reports whether a variable of this name would hide a package that the signature names.
func (d *destination) hides(name string) bool {
	for p := range d.used {
		if p.Name() == name {
			return true
		}
	}
	return false
}

// imports lists the packages that the types in the signature come from.
func (d *destination) imports(f *Function) []string {
	for _, v := range slices.Concat(f.Params, f.Results) {
		types.TypeString(v.Type, d.qualify)
	}
	var paths []string
	for p := range d.used {
		paths = append(paths, p.Path())
	}
	slices.Sort(paths)
	return paths
}

// writes reports whether a file of the directory is one of those that are generated, with kernels or without.
func (d *destination) writes(name string) bool {
	base := filepath.Base(d.path)
	return name == base || slices.Contains(gosrc.Companions(base), name)
}

// check type-checks the generated files within their package, as on a machine without kernels.
func (d *destination) check(f *Function, generated []gosrc.NamedFile) error {
	var checked []*ast.File
	for _, g := range generated {
		if !strings.HasSuffix(g.Name, ".go") {
			continue
		}
		file, err := parser.ParseFile(f.l.fset, g.Name, g.Content, parser.SkipObjectResolution)
		if err != nil {
			return firstOf(err)
		}
		for _, id := range declares(file) {
			if at, taken := d.declared[id.Name]; taken {
				return fmt.Errorf("%s already declares %s, which would be generated; rename it, or generate into another package with -o", at, id.Name)
			}
		}
		for _, imp := range file.Imports {
			name := strings.Trim(imp.Path.Value, `"`)
			name = name[strings.LastIndexByte(name, '/')+1:]
			if at, taken := d.declared[name]; taken {
				return fmt.Errorf("%s declares %s, the name of a package that generated code imports; rename it, or generate into another package with -o", at, name)
			}
		}
		if !strings.HasSuffix(g.Name, "_amd64.go") {
			checked = append(checked, file)
		}
	}
	p := &pkg{listed: f.pkg.listed, files: checked}
	if d.same {
		for _, other := range f.pkg.files {
			if !d.writes(filepath.Base(f.l.fset.File(other.Pos()).Name())) {
				p.files = append(p.files, other)
			}
		}
	} else {
		if f.pkg.Name == "main" && len(d.used) > 0 {
			return fmt.Errorf("package main cannot be imported by %s; generate into its own directory", d.path)
		}
		if f.pkg.ImportPath == "command-line-arguments" && len(d.used) > 0 {
			return fmt.Errorf("%s is in no module, so that %s cannot import its types; generate into its own directory", f.pkg.Dir, d.path)
		}
		p.ImportPath += "/generated"
		f.l.loaded[f.pkg.ImportPath] = f.pkg
	}
	for _, e := range f.l.check(p) {
		if slices.ContainsFunc(checked, func(file *ast.File) bool { return e.Pos >= file.FileStart && e.Pos <= file.FileEnd }) {
			return fmt.Errorf("the generated code does not type-check in package %s: %w", d.name, e)
		}
	}
	if p.types == nil {
		return errors.New("the generated code does not type-check")
	}
	return nil
}
