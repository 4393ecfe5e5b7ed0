package train

import (
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/game"
	"github.com/alphagrad/alphagrad-go/alphagrad/net"
)

// TestOneYardstick: the cheap completion that values are relative to is the same to the game and to the network, in every
// state of a game.
func TestOneYardstick(t *testing.T) {
	for seed := range uint64(20) {
		gm, err := openBoard(t, "muls", game.None, randomSource(20, 80, seed)).game()
		if err != nil {
			t.Fatal(err)
		}
		var c net.Completion
		var legal []int32
		for k := 0; !gm.Done(); k++ {
			if cheap := c.CheapCost(gm.State()); cheap != -int64(gm.Baseline()) {
				t.Fatalf("seed %d, move %d: %d to the network, %v to the game", seed, k, cheap, -gm.Baseline())
			}
			legal = gm.Legal(legal)
			gm.Apply(legal[(7*k+int(seed))%len(legal)])
		}
	}
}
