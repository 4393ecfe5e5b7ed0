//go:build unix

package notebook

import (
	"os/exec"
	"syscall"
)

// separateGroup makes cmd the leader of a new process group.
func separateGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// killGroup ends all processes of a process group.
func killGroup(id int) { syscall.Kill(-id, syscall.SIGKILL) }
