package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// Toolchain is the go command, without which nothing is timed.
func Toolchain() (string, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return "", errors.New("timing compiles generated code and needs the Go toolchain: no \"go\" on the PATH")
	}
	return tool, nil
}

// Build compiles the module in a directory, outside of any workspace and with the toolchain at hand.
func Build(ctx context.Context, dir, binary string) error {
	tool, err := Toolchain()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, tool, "build", "-o", binary, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOTOOLCHAIN=local")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compiling the generated code: %w: %.600s", err, bytes.TrimSpace(out))
	}
	return nil
}
