// Package nearest guesses which name was meant where another one stands.
package nearest

import "strings"

// maxLength is that of the longest name for which it is worth the time.
const maxLength = 60

// Name is the candidate with the fewest edits to a name, if there are at most two and at most half as many as the name is
// long; the first of several. Case does not count. Empty if there is none.
func Name(name string, candidates []string) string {
	const maxEdits = 2
	if len(name) > maxLength {
		return ""
	}
	best, guess := min(maxEdits, len(name)/2)+1, ""
	for _, candidate := range candidates {
		if n := edits(strings.ToLower(name), strings.ToLower(candidate)); n < best {
			best, guess = n, candidate
		}
	}
	return guess
}

// edits is the optimal string alignment distance: insertions, deletions,
// replacements and swaps of two neighbours.
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(replaced, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
