package elim_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/alphagrad/alphagrad-go/alphagrad/elim"
)

func TestParseOrder(t *testing.T) {
	for text, want := range map[string][]int{
		"1,2,3": {1, 2, 3}, " 3 2\n1\t": {3, 2, 1}, "[1, 2]": {1, 2}, `{"task": "x", "order": [2, 1]}`: {2, 1}, "": {}, "[]": {},
	} {
		if got, err := elim.ParseOrder(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("ParseOrder(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"1,two": `"two" is no vertex number`, "1.5": "no vertex number", "{}": `no list "order"`, `{"order": "x"}`: "no order", `{"order": [1`: "no order",
	} {
		if _, err := elim.ParseOrder(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseOrder(%q): error %v, want it to say %q", text, err, want)
		}
	}
}

func FuzzParseOrder(f *testing.F) {
	f.Add("1,2 3")
	f.Add(`{"order": [3, 1]}`)
	f.Fuzz(func(t *testing.T, text string) {
		order, err := elim.ParseOrder(text)
		if err != nil {
			return
		}
		data, err := json.Marshal(order)
		if err != nil {
			t.Fatal(err)
		}
		if order == nil {
			data = []byte("[]")
		}
		if again, err := elim.ParseOrder(string(data)); err != nil || !slices.Equal(again, order) {
			t.Fatalf("%q reads as %v, which reads back as %v, %v", text, order, again, err)
		}
	})
}
