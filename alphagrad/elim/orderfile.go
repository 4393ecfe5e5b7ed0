package elim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ParseOrder reads vertex numbers separated by commas or white space, a JSON list of them, or a JSON object with such a
// list under "order", which is how results are stored. Whether the numbers are an order of a graph is for
// [Graph.CheckOrder] to say.
func ParseOrder(text string) ([]int, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		var f struct {
			Order *[]int `json:"order"`
		}
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return nil, fmt.Errorf("no order: %w", err)
		}
		if f.Order == nil {
			return nil, errors.New(`no order: the object has no list "order"`)
		}
		return *f.Order, nil
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	order := make([]int, len(fields))
	for i, f := range fields {
		n, err := strconv.Atoi(f)
		if err != nil {
			if len(f) > 20 {
				f = f[:20] + "…"
			}
			return nil, fmt.Errorf("%q is no vertex number", f)
		}
		order[i] = n
	}
	return order, nil
}
