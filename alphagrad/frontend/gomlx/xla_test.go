//go:build xla

package gomlx_test

import (
	"github.com/gomlx/compute"
	_ "github.com/gomlx/go-xla/compute/xla" // registers "xla"
)

// With the tag, the tests of this package run on XLA, for which PJRT_PLUGIN_LIBRARY_PATH names the directory of a
// pjrt_c_api_cpu_plugin.so, for instance that in the PyPI wheel lammps-jax-pjrt-cpu:
//
//	CGO_ENABLED=1 GOMLX_NO_AUTO_INSTALL=1 PJRT_PLUGIN_LIBRARY_PATH=… go test -tags xla -timeout 1h ./alphagrad/frontend/gomlx
func init() {
	b, err := compute.NewWithConfig("xla:cpu")
	if err != nil {
		panic(err)
	}
	xla = b
}
