package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

const kubeconfig = `apiVersion: v1
kind: Config
current-context: a
clusters:
- {name: a, cluster: {server: "https://a.example.com"}}
- {name: b, cluster: {server: "https://b.example.com"}}
contexts:
- {name: a, context: {cluster: a, user: me, namespace: vision}}
- {name: b, context: {cluster: b, user: me}}
users:
- {name: me, user: {token: secret}}
`

// TestConnect: the cluster and the namespace are those that kubectl would take.
func TestConnect(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
	for name, tc := range map[string]struct {
		context, namespace string
		want               string
		wantErr            bool
	}{
		"as it is":          {want: "https://a.example.com vision"},
		"another namespace": {namespace: "speech", want: "https://a.example.com speech"},
		"another context":   {context: "b", want: "https://b.example.com default"},
		"no such context":   {context: "c", wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			flags := genericclioptions.NewConfigFlags(false)
			flags.Context, flags.Namespace = &tc.context, &tc.namespace
			got, err := Connect(flags)
			if (err != nil) != tc.wantErr {
				t.Fatalf("want an error: %t, got %v", tc.wantErr, err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tc.want, got.Config.Host+" "+got.Namespace); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if _, err := got.Tasks(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEach: every page is read, and an error ends it.
func TestEach(t *testing.T) {
	pages := 0
	list := func(_ context.Context, options metav1.ListOptions) (runtime.Object, error) {
		pages++
		all := &corev1.NodeList{Items: []corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("node-%d", pages)}}}}
		if options.Continue != "2" {
			all.Continue = fmt.Sprint(pages)
		}
		return all, nil
	}
	var got []string
	err := Each(t.Context(), list, func(node *corev1.Node) error {
		got = append(got, node.Name)
		return nil
	})
	if diff := cmp.Diff([]string{"node-1", "node-2", "node-3"}, got); err != nil || diff != "" {
		t.Errorf("%v; nodes (-want +got):\n%s", err, diff)
	}
	full := errors.New("full")
	pages = 0
	if err := Each(t.Context(), list, func(*corev1.Node) error { return full }); !errors.Is(err, full) {
		t.Errorf("want the error of the callback, got %v", err)
	}
	refused := errors.New("refused")
	err = Each(t.Context(), func(context.Context, metav1.ListOptions) (runtime.Object, error) { return nil, refused }, func(*corev1.Node) error { return nil })
	if !errors.Is(err, refused) {
		t.Errorf("want the error of the list, got %v", err)
	}
}
