// Package nearest guesses which name was meant where another one stands.
package nearest

import "strings"

const (
	// maxLength is that of the longest name for which it is worth the time, in bytes.
	maxLength = 60
	// maxEdits is how many edits a guess may take.
	maxEdits = 2
)

// Name is the candidate with the fewest edits to a name, if there are at most two and at most half as many as the name is
// long; the first of several. Case does not count. Empty if there is none. It takes well under a microsecond a candidate.
func Name(name string, candidates []string) string {
	if len(name) > maxLength {
		return ""
	}
	name = strings.ToLower(name)
	best, guess := min(maxEdits, len(name)/2)+1, ""
	for _, candidate := range candidates {
		if n := len(candidate) - len(name); n <= -best || n >= best { // as many insertions or deletions at least
			continue
		}
		if n := edits(name, strings.ToLower(candidate)); n < best {
			best, guess = n, candidate
		}
	}
	return guess
}

// Question is how every message ends that has a guess, which may be empty: ; did you mean "place"?
func Question(guess string) string {
	if guess == "" {
		return ""
	}
	return `; did you mean "` + guess + `"?`
}

// Within reports whether a candidate takes at most so many edits of a name, two at most. Case does not count.
func Within(name, candidate string, most int) bool {
	return len(name) <= maxLength && edits(strings.ToLower(name), strings.ToLower(candidate)) <= min(most, maxEdits)
}

// edits is the optimal string alignment distance: insertions, deletions, replacements and swaps of two neighbours. Beyond
// maxEdits, it is only some larger number.
func edits(a, b string) int {
	const far = maxEdits + 1
	if len(b) > maxLength+maxEdits || len(a)-len(b) > maxEdits || len(b)-len(a) > maxEdits {
		return far
	}
	var rows [3][maxLength + maxEdits + 1]int // for a's last two prefixes and the one before
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, above, before := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		first, last := max(1, i-maxEdits), min(len(b), i+maxEdits) // what is further from the diagonal takes more edits
		row[first-1] = far
		if first == 1 {
			row[0] = i
		}
		for j := first; j <= last; j++ {
			replaced := above[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(replaced, row[j-1]+1)
			if j < i+maxEdits {
				row[j] = min(row[j], above[j]+1)
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
