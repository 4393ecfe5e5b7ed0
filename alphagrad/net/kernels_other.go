//go:build !amd64

package net

var vectorKernels []vectorKernel
