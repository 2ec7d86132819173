package terminal

import "strings"

// Block is a title and rows of three columns, the last of which is wrapped.
type Block struct {
	Title     string
	Mark      string
	MarkColor Color
	Rows      []Row
}

// Row is a line of a block, or several if its text is long. Its label and its value are on the first one.
type Row struct {
	Label, Value, Text string
	ValueColor         Color
	TextColor          Color
}

// Blocks returns blocks of rows as text. Nothing but their columns' width is the same in all of them.
func (t Terminal) Blocks(all []Block) string {
	var labels, values int
	for _, b := range all {
		for _, r := range b.Rows {
			labels, values = max(labels, width(r.Label)), max(values, width(r.Value))
		}
	}
	var out strings.Builder
	for i, b := range all {
		if i > 0 {
			out.WriteByte('\n')
		}
		t.writeTitle(&out, &b)
		for _, r := range b.Rows {
			t.writeRow(&out, &r, labels, values)
		}
	}
	return out.String()
}

func (t Terminal) writeTitle(out *strings.Builder, b *Block) {
	mark := b.Mark
	if mark != "" {
		mark += ": "
	}
	for i, line := range wrap(b.Title, t.Width-width(mark)) {
		if i == 0 {
			out.WriteString(t.Paint(b.MarkColor, mark))
		} else {
			out.WriteString(strings.Repeat(" ", width(mark)))
		}
		out.WriteString(t.Paint(Bold, line) + "\n")
	}
}

func (t Terminal) writeRow(out *strings.Builder, r *Row, labels, values int) {
	const indent, gap = "  ", "  "
	before := len(indent) + labels + len(gap) + values + len(gap)
	for i, line := range wrap(r.Text, max(t.Width-before, MinWidth/2)) {
		if i > 0 {
			out.WriteString(strings.Repeat(" ", before) + t.Paint(r.TextColor, line) + "\n")
			continue
		}
		start := indent + Pad(Plain(r.Label), labels) + gap
		value := t.Paint(r.ValueColor, r.Value) + strings.Repeat(" ", values-width(r.Value))
		out.WriteString(strings.TrimRight(start+value+gap+t.Paint(r.TextColor, line), " ") + "\n")
	}
}

// Add appends rows to the block.
func (b *Block) Add(rows ...Row) { b.Rows = append(b.Rows, rows...) }
