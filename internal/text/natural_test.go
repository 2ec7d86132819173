package text

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompareNatural(t *testing.T) {
	want := []string{"", "1", "2", "10", "MazeWorkflow a/w1", "MazeWorkflow a/w2", "MazeWorkflow a/w10", "a", "n", "n-1", "n01", "n1", "n2", "n2x", "n10", "n10/3",
		"n10/20", "n18446744073709551616", "n18446744073709551617", "nn"}
	got := slices.Clone(want)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, CompareNatural)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, a := range want {
		for _, b := range want {
			if CompareNatural(a, b) != -CompareNatural(b, a) || (CompareNatural(a, b) == 0) != (a == b) {
				t.Errorf("%q and %q have no order", a, b)
			}
		}
	}
}

func FuzzCompareNatural(f *testing.F) {
	f.Add("n10", "n2", "n02")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if CompareNatural(a, b) <= 0 && CompareNatural(b, c) <= 0 && CompareNatural(a, c) > 0 {
			t.Errorf("%q, %q, %q: this is no order", a, b, c)
		}
	})
}
