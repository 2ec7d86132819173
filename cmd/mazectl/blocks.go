package main

import "strings"

// block is a title and rows of three columns, the last of which is wrapped.
type block struct {
	title     string
	mark      string
	markColor color
	rows      []row
}

type row struct {
	label, value, text string
	valueColor         color
	textColor          color
}

// blocks returns blocks of rows as text. Nothing but their columns' width is the same in all of them.
func (t terminal) blocks(all []block) string {
	var labels, values int
	for _, b := range all {
		for _, r := range b.rows {
			labels, values = max(labels, width(r.label)), max(values, width(r.value))
		}
	}
	var out strings.Builder
	for i, b := range all {
		if i > 0 {
			out.WriteByte('\n')
		}
		t.writeTitle(&out, &b)
		for _, r := range b.rows {
			t.writeRow(&out, &r, labels, values)
		}
	}
	return out.String()
}

func (t terminal) writeTitle(out *strings.Builder, b *block) {
	mark := b.mark
	if mark != "" {
		mark += ": "
	}
	for i, line := range wrap(b.title, t.width-width(mark)) {
		if i == 0 {
			out.WriteString(t.paint(b.markColor, mark))
		} else {
			out.WriteString(strings.Repeat(" ", width(mark)))
		}
		out.WriteString(t.paint(bold, line) + "\n")
	}
}

func (t terminal) writeRow(out *strings.Builder, r *row, labels, values int) {
	const indent, gap = "  ", "  "
	before := len(indent) + labels + len(gap) + values + len(gap)
	for i, line := range wrap(r.text, max(t.width-before, minWidth/2)) {
		if i > 0 {
			out.WriteString(strings.Repeat(" ", before) + t.paint(r.textColor, line) + "\n")
			continue
		}
		start := indent + pad(plain(r.label), labels) + gap
		value := t.paint(r.valueColor, r.value) + strings.Repeat(" ", values-width(r.value))
		out.WriteString(strings.TrimRight(start+value+gap+t.paint(r.textColor, line), " ") + "\n")
	}
}

func (b *block) add(rows ...row) { b.rows = append(b.rows, rows...) }
