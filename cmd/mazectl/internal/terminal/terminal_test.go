package terminal

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// TestTerminal tells what colours and widths are for.
func TestTerminal(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(read.Close(), write.Close()); err != nil {
			t.Error(err)
		}
	})
	for name, streams := range map[string]genericiooptions.IOStreams{"pipe": {Out: write}, "buffer": {Out: &bytes.Buffer{}}} {
		if got := New(streams); got.Color || got.Width != PipeWidth {
			t.Errorf("%s: colour %t, width %d, want none and %d", name, got.Color, got.Width, PipeWidth)
		}
	}
}

// TestWrap: no character of a manifest reaches the terminal as a command, and nothing is lost.
func TestWrap(t *testing.T) {
	cases := map[string]struct {
		text  string
		width int
		want  []string
	}{
		"empty":        {"", 10, []string{""}},
		"fits":         {"one two", 7, []string{"one two"}},
		"breaks":       {"one two three", 8, []string{"one two", "three"}},
		"long word":    {"a nvidia.com/gpu b", 5, []string{"a", "nvidia.com/gpu", "b"}},
		"no ASCII":     {"äöü äöü", 7, []string{"äöü äöü"}},
		"Chinese":      {"图像 说明", 8, []string{"图像", "说明"}},
		"Chinese fits": {"图像 说明", 9, []string{"图像 说明"}},
		"steers":       {"a\x1b[31mb\nc", 20, []string{"a^[[31mb c"}},
		"only a space": {" \n ", 10, []string{""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, wrap(tc.text, tc.width)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBlocksAlign: columns are as wide as what a terminal shows, and Chinese characters take two of its columns.
func TestBlocksAlign(t *testing.T) {
	block := Block{Title: "图像说明", Rows: []Row{{Label: "图像", Value: "是", Text: "a"}, {Label: "abc", Value: "no", Text: "b"}}}
	want := "图像说明\n  图像  是  a\n  abc   no  b\n"
	if diff := cmp.Diff(want, Terminal{Width: MinWidth}.Blocks([]Block{block})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := Pad("说明", 6) + "|"; got != "说明  |" {
		t.Errorf("Pad: got %q", got)
	}
}

// TestVisible: no text steers a terminal, and lines stay lines.
func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                "plain",
		"größe 图像":             "größe 图像",
		"a\nb\tc\n":            "a\nb\tc\n",
		"\x1b[31mred":          "^[[31mred",
		"bell\a, delete\x7f":   `bell\u0007, delete\u007f`,
		"C1\u009b31m\u0085":    `C1\u009b31m\u0085`,
		"right\u202eto left":   `right\u202eto left`,
		"bytes\xff":            `bytes\xff`,
		"no width\u200b\ufeff": `no width\u200b\ufeff`,
	} {
		if got := Visible(text); got != want {
			t.Errorf("Visible(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestWhatToDo: who cannot have a file read is told what to do about it.
func TestWhatToDo(t *testing.T) {
	folder := t.TempDir()
	broken, loop := filepath.Join(folder, "broken"), filepath.Join(folder, "loop")
	if err := errors.Join(os.Symlink("nowhere", broken), os.Symlink("loop", loop), os.WriteFile(filepath.Join(folder, "file"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		filepath.Join(folder, "none"):      "; check the path",
		broken:                             "; it is a link that leads nowhere: correct the link, or remove it",
		loop:                               "; it is a link that leads back to itself: correct the link, or remove it",
		filepath.Join(folder, "file/none"): "; a part of the path is a file: check the path",
	} {
		_, err := os.ReadFile(name)
		if got := WhatToDo(name, err); err == nil || got != want {
			t.Errorf("%v: want %q, got %q", err, want, got)
		}
	}
	if got := WhatToDo("a", &fs.PathError{Op: "open", Path: "a", Err: syscall.EACCES}); got != "; change its permissions, or leave it out" {
		t.Errorf("got %q", got)
	}
	if got := WhatToDo("a", io.ErrUnexpectedEOF); got != "" {
		t.Errorf("got %q", got)
	}
}
