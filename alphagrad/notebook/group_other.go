//go:build !unix

package notebook

import "os/exec"

// GoNB runs on Unix only; these let the rest of the module build elsewhere.

func separateGroup(*exec.Cmd) {}

func killGroup(int) {}
