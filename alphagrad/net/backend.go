package net

import "github.com/alphagrad/alphagrad-go/alphagrad/exec/gomlx"

var backend, backendError = gomlx.Backend()
