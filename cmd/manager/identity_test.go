package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func env(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestIdentity(t *testing.T) {
	host := func() (string, error) { return "host", nil }
	for name, tc := range map[string]struct {
		env       map[string]string
		want      string
		wantError string
	}{
		"of a Pod":             {env: map[string]string{"POD_NAME": "manager-1", "POD_UID": "u-1"}, want: "manager-1_u-1"},
		"of a Pod, not handed": {env: map[string]string{"POD_NAME": "manager-1", "POD_UID": "u-1", identityVariable: "other"}, want: "manager-1_u-1"},
		"handed over":          {env: map[string]string{identityVariable: "host_1"}, want: "host_1"},
		"a Pod without a UID":  {env: map[string]string{"POD_NAME": "manager-1"}, wantError: "set both of POD_NAME and POD_UID, or neither"},
		"a UID without a Pod":  {env: map[string]string{"POD_UID": "u-1"}, wantError: "set both of POD_NAME and POD_UID, or neither"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := identityFrom(env(tc.env), host)
			if got != tc.want || (tc.wantError == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.wantError) {
				t.Errorf("got %q, %v; want %q, %q", got, err, tc.want, tc.wantError)
			}
		})
	}
}

// Two processes of one host must not take each other for themselves.
func TestIdentityOutsideAPodIsNeverTheSame(t *testing.T) {
	host := func() (string, error) { return "host", nil }
	one, _ := identityFrom(env(nil), host)
	other, _ := identityFrom(env(nil), host)
	if one == other || !strings.HasPrefix(one, "host_") {
		t.Errorf("got %q and %q, want two that begin with host_", one, other)
	}
	if _, err := identityFrom(env(nil), func() (string, error) { return "", errors.New("no name") }); err == nil {
		t.Error("want an error where the host has no name")
	}
}

func TestLeaseNamespace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "namespace")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pod := map[string]string{"POD_NAMESPACE": "from-pod"}
	for name, tc := range map[string]struct {
		flag, file, want string
		env              map[string]string
	}{
		"flag":     {flag: "from-flag", env: pod, file: file, want: "from-flag"},
		"variable": {env: pod, file: file, want: "from-pod"},
		"file":     {file: file, want: "from-file"},
		"none":     {file: file + ".missing"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := leaseNamespaceFrom(tc.flag, env(tc.env), tc.file)
			if got != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestMemoryLimit(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want int64
		bad  bool
	}{
		"none":               {},
		"256Mi":              {env: map[string]string{"MEMORY_LIMIT": "268435456"}, want: 241591910},
		"Go's own counts":    {env: map[string]string{"MEMORY_LIMIT": "268435456", "GOMEMLIMIT": "1GiB"}},
		"no limit":           {env: map[string]string{"MEMORY_LIMIT": "9223372036854771712"}},
		"not a number":       {env: map[string]string{"MEMORY_LIMIT": "256Mi"}, bad: true},
		"a negative number":  {env: map[string]string{"MEMORY_LIMIT": "-1"}, bad: true},
		"a limit of 0 bytes": {env: map[string]string{"MEMORY_LIMIT": "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := memoryLimit(env(tc.env))
			if got != tc.want || (err != nil) != tc.bad {
				t.Errorf("got %d, %v; want %d, an error: %t", got, err, tc.want, tc.bad)
			}
		})
	}
}
