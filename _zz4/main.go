package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/alphagrad/alphagrad-go/alphagrad/graphgen"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
)

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	p, err := graphgen.Generate(graphgen.Settings{Family: os.Args[2], Vertices: n, Seed: 3})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	err = ir.WriteGraph(os.Stdout, p)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}

}
