package net

import "golang.org/x/sys/cpu"

// vectorKernels lists the assembly kernels, the fastest first.
var vectorKernels = []vectorKernel{
	{name: "avx512", rows: 8, cols: 32, block: block8x32, usable: cpu.X86.HasAVX512F},
	{name: "avx2", rows: 4, cols: 16, block: block4x16, usable: cpu.X86.HasAVX2 && cpu.X86.HasFMA},
}

//go:noescape
func block8x32(y *float32, ldy int, x *float32, ldx int, w *float32, ldw int, k int)

//go:noescape
func block4x16(y *float32, ldy int, x *float32, ldx int, w *float32, ldw int, k int)
