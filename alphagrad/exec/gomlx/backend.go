package gomlx

import (
	"fmt"
	"os"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // registers "go"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// BackendConfig opens GoMLX's Go backend with operations in sequence, each on the calling goroutine. In its default
// mode, matrix products that are ready at the same time wait for each other's workers, forever if there are as many
// as workers. Parallelism is the caller's: independent calls from several goroutines.
const BackendConfig = "go:ops_sequential,parallelism=0"

// The backend is opened when the program starts, because opening it prints a line to standard output, which belongs to
// the results of commands. At this time no other goroutine can be using os.Stdout, so that it can be set aside.
var backend, backendError = openBackend()

// Backend is GoMLX's Go backend as this project uses it.
func Backend() (compute.Backend, error) { return backend, backendError }

func openBackend() (b compute.Backend, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("open GoMLX backend %s: %v", BackendConfig, r)
		}
	}()
	if silence, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		stdout := os.Stdout
		os.Stdout = silence
		defer func() {
			os.Stdout = stdout
			silence.Close()
		}()
	}
	return compute.NewWithConfig(BackendConfig)
}

// Call runs a GoMLX executor. Errors while building or running a graph are returned, panics included.
func Call(exec *graph.Exec, inputs ...any) (outputs []*tensors.Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("GoMLX: %v", r)
		}
	}()
	return exec.Call(inputs...)
}
