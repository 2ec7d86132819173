package finding

import "fmt"

// maxAlike is how many findings of one cause are told each. Of more, the first is told, and the others are counted: fifty nodes
// in the words of another framework are one mistake.
const maxAlike = 3

// Join makes one finding of those that have one cause, if there are more than a few: the first, which says in how many more places it is.
// Where findings are silenced or left out, that comes first: else one that is silenced would hide the others.
func Join(findings []Finding) []Finding {
	type cause struct{ file, name string }
	places := map[cause]int{}
	for i := range findings {
		if f := &findings[i]; f.Cause != "" {
			places[cause{f.File, f.Cause}] += 1 + f.More
		}
	}
	var joined []Finding
	told := map[cause]bool{}
	for _, f := range findings {
		key := cause{f.File, f.Cause}
		if n := places[key]; n > maxAlike {
			if told[key] {
				continue
			}
			told[key] = true
			f.Message += fmt.Sprintf(" (so it is in %d more places)", n-1)
		}
		f.Cause, f.More = "", 0
		joined = append(joined, f)
	}
	return joined
}
