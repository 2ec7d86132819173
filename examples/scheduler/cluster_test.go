package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
)

// TestActDoesNoHarm checks what the API server is asked for, and which of its refusals count. Whole runs are tested in test/e2e.
func TestActDoesNoHarm(t *testing.T) {
	seenBefore := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "vision", Name: "demo-t1", UID: "7", ResourceVersion: "42"}}
	remove := plan{remove: []*corev1.Pod{seenBefore}}
	create := plan{create: []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Namespace: "vision", Name: "demo-t1"}}}}
	cases := map[string]struct {
		plan    plan
		answer  metav1.Status
		wantErr string
	}{
		"deleted":                     {plan: remove, answer: metav1.Status{Code: http.StatusOK}},
		"bound or replaced meanwhile": {plan: remove, answer: metav1.Status{Code: http.StatusConflict, Reason: metav1.StatusReasonConflict}},
		"gone meanwhile":              {plan: remove, answer: metav1.Status{Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound}},
		"a missing right": {
			plan: remove, answer: metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "may not"},
			wantErr: "delete Pod demo-t1: may not",
		},
		"created by another scheduler": {plan: create, answer: metav1.Status{Code: http.StatusConflict, Reason: metav1.StatusReasonAlreadyExists}},
		"a quota": {
			plan: create, answer: metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "exceeded quota"},
			wantErr: "create Pod demo-t1: exceeded quota",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var asked metav1.DeleteOptions
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
						t.Error(err)
					}
				}
				tc.answer.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
				tc.answer.Status = metav1.StatusSuccess
				if tc.answer.Code >= http.StatusBadRequest {
					tc.answer.Status = metav1.StatusFailure
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(int(tc.answer.Code))
				if err := json.NewEncoder(w).Encode(tc.answer); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()

			err := writerTo(t, server.URL).act(t.Context(), &tc.plan)

			if (err != nil) != (tc.wantErr != "") || err != nil && err.Error() != tc.wantErr {
				t.Errorf("want the error %q, got %v", tc.wantErr, err)
			}
			if len(tc.plan.remove) == 0 {
				return
			}
			want := &metav1.Preconditions{UID: &seenBefore.UID, ResourceVersion: &seenBefore.ResourceVersion}
			if diff := cmp.Diff(want, asked.Preconditions); diff != "" {
				t.Errorf("want the Pod to be deleted only as it was seen (-want +got):\n%s", diff)
			}
		})
	}
}

func writerTo(t *testing.T, url string) *cluster {
	t.Helper()
	mapper := meta.NewDefaultRESTMapper(nil)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Pod"), meta.RESTScopeNamespace)
	config := &rest.Config{Host: url, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
	writer, err := kube.New(config, kube.Options{Scheme: scheme.Scheme, Mapper: mapper})
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{writer: writer}
}
