package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// temporaryMark is part of the name of everything this package writes before it is complete.
const temporaryMark = ".tmp-"

// File is a file that appears under its path only when Commit succeeds. Until then its bytes are in a hidden file of
// the same directory, so that the final rename never crosses a file system.
type File struct {
	path string
	f    *os.File
}

// Create opens an atomic file that will replace path. The directory must exist.
func Create(path string) (*File, error) {
	dir, base := filepath.Split(path)
	if base == "" {
		return nil, fmt.Errorf("cannot create %q: it names a directory, expected a file", path)
	}
	for {
		// os.CreateTemp would give mode 0600; results are meant to be read by others, subject to the umask.
		name := filepath.Join(dir, "."+base+temporaryMark+randomSuffix())
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("create %s: %w", path, err)
		}
		return &File{path: path, f: f}, nil
	}
}

// Write appends to the uncommitted file.
func (f *File) Write(p []byte) (int, error) {
	if f.f == nil {
		return 0, fmt.Errorf("write %s: %w", f.path, fs.ErrClosed)
	}
	return f.f.Write(p)
}

// Commit flushes the bytes to disk and gives the file its name, replacing what was there. After an error the old file
// is untouched and the new bytes are gone.
func (f *File) Commit() error {
	if f.f == nil {
		return fmt.Errorf("commit %s: %w", f.path, fs.ErrClosed)
	}
	temporary := f.f.Name()
	err := f.f.Sync()
	if closeErr := f.f.Close(); err == nil {
		err = closeErr
	}
	f.f = nil
	if err == nil {
		err = os.Rename(temporary, f.path)
	}
	if err != nil {
		os.Remove(temporary)
		return fmt.Errorf("commit %s: %w", f.path, err)
	}
	return syncDir(filepath.Dir(f.path))
}

// Close discards the file if it has not been committed and is harmless afterwards, so it belongs in a defer.
func (f *File) Close() error {
	if f.f == nil {
		return nil
	}
	temporary := f.f.Name()
	err := f.f.Close()
	f.f = nil
	return errors.Join(err, os.Remove(temporary))
}

// WriteFile writes data to path in one atomic step: a reader, or a machine that loses power, sees the old content or
// the new one and never a part of it.
func WriteFile(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Commit()
}

// syncDir makes a rename in dir durable. File systems that cannot sync a directory have nothing to report here.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// randomSuffix names temporary files; it is not derived from a Seed because it must differ between equal runs.
func randomSuffix() string {
	return strconv.FormatUint(rand.Uint64(), 36)
}
