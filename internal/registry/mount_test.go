package registry

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestReadMount(t *testing.T) {
	const limit = 40
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	link := func(to string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink} }
	cases := map[string]struct {
		folder  fstest.MapFS
		want    Mount
		wantErr string
	}{
		"files of somebody": {folder: fstest.MapFS{"a": file("1"), "b": file("2")}, want: Mount{Data: map[string]string{"a": "1", "b": "2"}}},
		"what the kubelet writes": {
			folder: fstest.MapFS{"..data": link("..v2"), "..v1/a": file("1"), "..v2/a": file("2"), "a": link("..data/a"), "b": file("3")},
			want:   Mount{Version: "..v2", Data: map[string]string{"a": "2"}}},
		"what no ConfigMap has": {
			folder: fstest.MapFS{"a": file("1"), "with space": file("2"), "folder/b": file("3"), "pipe": {Mode: fs.ModeNamedPipe}, "link": link("a")},
			want:   Mount{Data: map[string]string{"a": "1"}}},
		"as much as there may be": {folder: fstest.MapFS{"a": file(strings.Repeat("x", limit-1))},
			want: Mount{Data: map[string]string{"a": strings.Repeat("x", limit-1)}}},
		"too large a file":             {folder: fstest.MapFS{"a": file(strings.Repeat("x", limit))}, wantErr: "it has more than a ConfigMap can have, 40 bytes"},
		"too many files":               {folder: fstest.MapFS{"a": file(strings.Repeat("x", 30)), "b": file(strings.Repeat("x", 30))}, wantErr: "it has more than a ConfigMap can have, 40 bytes"},
		"nothing":                      {folder: fstest.MapFS{}, want: Mount{Data: map[string]string{}}},
		"a link that leads away":       {folder: fstest.MapFS{"..data": link("/etc")}, wantErr: `the link ..data leads to "/etc", not to a version beside it`},
		"a link to the folder above":   {folder: fstest.MapFS{"..data": link("..")}, wantErr: `the link ..data leads to "..", not to a version beside it`},
		"a link to a folder's folder":  {folder: fstest.MapFS{"..data": link("..v1/a")}, wantErr: `the link ..data leads to "..v1/a", not to a version beside it`},
		"a version that is not there":  {folder: fstest.MapFS{"..data": link("..v1")}, wantErr: "open ..v1: file does not exist"},
		"a version that is a folder's": {folder: fstest.MapFS{"..data": link("v1"), "v1/a": file("1")}, wantErr: `the link ..data leads to "v1", not to a version beside it`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ReadMount(tc.folder, limit)
			message := ""
			if err != nil {
				message = err.Error()
			}
			if message != tc.wantErr {
				t.Fatalf("want the error %q, got %q", tc.wantErr, message)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// swapped is a folder whose version changes each time somebody asks for it, as often as swaps says.
type swapped struct {
	fstest.MapFS
	asked, swaps int
}

func (s *swapped) ReadLink(string) (string, error) {
	s.asked++
	return fmt.Sprintf("..v%d", min(s.asked, s.swaps)), nil
}

// TestReadMountOfOneMoment: what the kubelet swaps while it is read is read again, but not for ever.
func TestReadMountOfOneMoment(t *testing.T) {
	versions := fstest.MapFS{}
	for i := range 4 * maxSwaps {
		versions[fmt.Sprintf("..v%d/a", i)] = &fstest.MapFile{Data: fmt.Append(nil, i)}
	}
	got, err := ReadMount(&swapped{MapFS: versions, swaps: 3}, 1<<10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Mount{"..v3", map[string]string{"a": "3"}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	restless := &swapped{MapFS: versions, swaps: 1000}
	if _, err := ReadMount(restless, 1<<10); err == nil || err.Error() != "it changes too often to be read" {
		t.Errorf("want it to give up, got %v", err)
	}
	if restless.asked > 2*maxSwaps {
		t.Errorf("it was asked %d times", restless.asked)
	}
}
