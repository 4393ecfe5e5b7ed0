package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Stage creates an empty directory next to dst, creating dst's parents as needed, to be filled and handed to Publish.
// The caller removes it if it is not published.
func Stage(dst string) (string, error) {
	dst = filepath.Clean(dst)
	parent := filepath.Dir(dst)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return "", fmt.Errorf("stage %s: %w", dst, err)
	}
	for {
		dir := filepath.Join(parent, "."+filepath.Base(dst)+temporaryMark+randomSuffix())
		err := os.Mkdir(dir, 0o777)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("stage %s: %w", dst, err)
		}
		return dir, nil
	}
}

// Publish makes the finished directory staged appear as dst, replacing what was there. Both must be on one file system,
// which Stage ensures. No portable call exchanges two directories, so the old one moves aside first: a crash between the
// two renames leaves dst missing, never mixed or half-written, and a failed second rename restores the old directory.
func Publish(staged, dst string) error {
	info, err := os.Stat(staged)
	if err != nil {
		return fmt.Errorf("publish %s: %w", dst, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("publish %s: %s is not a directory", dst, staged)
	}
	dst = filepath.Clean(dst)
	if err := syncTree(staged); err != nil {
		return fmt.Errorf("publish %s: %w", dst, err)
	}
	old := filepath.Join(filepath.Dir(dst), "."+filepath.Base(dst)+temporaryMark+randomSuffix())
	err = os.Rename(dst, old)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = ""
	case err != nil:
		return fmt.Errorf("publish %s: %w", dst, err)
	}
	if err := os.Rename(staged, dst); err != nil {
		if old != "" {
			err = errors.Join(err, os.Rename(old, dst))
		}
		return fmt.Errorf("publish %s: %w", dst, err)
	}
	if old != "" {
		if err := os.RemoveAll(old); err != nil {
			return fmt.Errorf("publish %s: remove the previous version: %w", dst, err)
		}
	}
	return syncDir(filepath.Dir(dst))
}

// CopyTree copies the regular files and directories of src into the existing directory dst. Anything else, a symbolic
// link for example, is refused: a published result has to stand on its own.
func CopyTree(dst, src string) error {
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil || rel == "." {
			return err
		}
		target := filepath.Join(dst, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o777)
		case d.Type().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return WriteFile(target, data)
		default:
			return fmt.Errorf("copy %s: it is neither a file nor a directory", path)
		}
	})
}

// syncTree flushes every file below dir, so that the rename that publishes them does not reach the disk before they do.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return syncDir(path)
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a directory", path)
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}
