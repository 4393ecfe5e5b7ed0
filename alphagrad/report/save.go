package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// SaveFigure writes f as name.svg and name.png into dir, which is created if needed. Both are drawn before either is
// written, and each file appears complete or not at all.
func SaveFigure(dir, name string, f Figure) error {
	if err := checkName(name); err != nil {
		return err
	}
	svg, err := SVG(f)
	if err != nil {
		return fmt.Errorf("figure %s: %w", name, err)
	}
	png, err := PNG(f)
	if err != nil {
		return fmt.Errorf("figure %s: %w", name, err)
	}
	return errors.Join(writeFile(dir, name+".svg", svg), writeFile(dir, name+".png", png))
}

// SaveTable writes t as name.md, name.tex and name.csv into dir, which is created if needed. All are rendered before any
// is written, and each file appears complete or not at all.
func SaveTable(dir, name string, t Table) error {
	if err := checkName(name); err != nil {
		return err
	}
	contents := make([]string, len(tableFormats))
	for i, format := range tableFormats {
		var err error
		if contents[i], err = format.render(t); err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
	}
	for i, format := range tableFormats {
		if err := writeFile(dir, name+format.extension, []byte(contents[i])); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses names that would leave the directory.
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
		return fmt.Errorf("report: %q is not a file name", name)
	}
	return nil
}

// writeFile writes a temporary file and renames it, so that no reader ever sees half of it.
func writeFile(dir, name string, data []byte) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	f, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
			err = fmt.Errorf("report: writing %s: %w", filepath.Join(dir, name), err)
		}
	}()
	_, err = f.Write(data)
	// CreateTemp makes files private; results are for everybody.
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
