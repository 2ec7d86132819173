package main

import (
	"bytes"
	"os"
	"testing"
)

// TestUpToDate fails where the parser was made from other inputs than these. To make it again needs clang; to notice it does not.
func TestUpToDate(t *testing.T) {
	want, err := stampOf(inputs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../internal/discover/python/treesitter/inputs.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("the Python parser was made from other inputs: run make generate where clang, lld and wasi-libc are, and commit what it makes")
	}
}

func TestCommentsDoNotCount(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	stamp := func(source []byte) string {
		tokens, err := withoutComments(source)
		if err != nil {
			t.Fatal(err)
		}
		return string(tokens)
	}
	want := stamp(source)
	if got := stamp(bytes.ReplaceAll(source, []byte("\nfunc "), []byte("\n\n// A comment.\nfunc "))); got != want {
		t.Error("a comment changes the stamp")
	}
	if got := stamp(bytes.Replace(source, []byte("64 << 20"), []byte("65 << 20"), 1)); got == want {
		t.Error("a change of the memory does not change the stamp")
	}
}
