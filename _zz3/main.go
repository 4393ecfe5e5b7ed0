package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/alphagrad/alphagrad-go/alphagrad/ad"
	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/graphgen"
	"github.com/alphagrad/alphagrad-go/alphagrad/ir"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
	"github.com/alphagrad/alphagrad-go/alphagrad/tasks"
	"github.com/alphagrad/alphagrad-go/alphagrad/train"
)

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return v
}

func main() {
	nw := must(net.Load(os.Args[1]))
	one := func(p *ir.Program) {
		g := must(ad.Graph(p))
		if len(g.Eliminable()) < 40 {
			return
		}
		pr := must(train.NewProposer(nw, p.Name, g, 1))
		t := time.Now()
		o := pr(context.Background(), 0, nil)
		d1 := time.Since(t)
		a := must(train.NewAgent(nw, train.Default().PlayOptions(0)))
		gm := must(train.NewGame("", g, game.All))
		t = time.Now()
		b := must(a.Play(gm, 1))
		d2 := time.Since(t)
		fmt.Printf("%-40s %4d hasty %d in %.1f ms, bare %d in %.1f ms, rev %d mark %d\n", p.Name, len(g.Eliminable()), must(g.Muls(o)), d1.Seconds()*1e3, b.Muls, d2.Seconds()*1e3, must(g.Muls(elim.Reverse(g))), must(g.Muls(elim.Markowitz(g))))
	}
	for _, t := range append(tasks.Unseen(), tasks.All()...) {
		one(must(t.Program()))
	}
	for i := range 8 {
		one(must(graphgen.Draw(uint64(i)+1<<41, 200, 400)))
	}
}
