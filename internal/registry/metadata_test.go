package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/internal/registry"
)

func TestLimitMetadata(t *testing.T) {
	own := registry.Labels(registry.RoleIndex)
	with := func(all map[string]string, key, value string) map[string]string {
		out := map[string]string{key: value}
		for k, v := range all {
			out[k] = v
		}
		return out
	}
	source := map[string]string{registry.SourceAnnotation: "42"}
	many := own
	for i := range 1_000 {
		many = with(many, fmt.Sprintf("%s/%d", registry.RoleLabel, i), strings.Repeat("v", 63))
	}
	for _, c := range []struct {
		name                        string
		labels, annotations         map[string]string
		wantLabels, wantAnnotations map[string]string
	}{
		{"none", nil, nil, nil, nil},
		{"others' that leave room stay", with(own, "team", "vision"), with(source, "note", "hello"), with(own, "team", "vision"), with(source, "note", "hello")},
		{"a large annotation goes", with(own, "team", "vision"), with(source, "note", strings.Repeat("x", 64<<10)), own, source},
		{"many labels go, with a prefix of ours too", many, source, own, source},
		{"an own one that the operator cannot have written goes", own, with(nil, registry.SourceAnnotation, strings.Repeat("4", 64<<10)), own, map[string]string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Labels: c.labels, Annotations: c.annotations}}
			registry.LimitMetadata(object)
			if diff := cmp.Diff(c.wantLabels, object.Labels); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.wantAnnotations, object.Annotations); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
		})
	}
}
