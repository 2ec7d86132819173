package chart

import (
	"context"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// people expects that who has one of Kubernetes' roles in a namespace has its rights to the namespace's tasks, and no others.
func (l *lifecycle) people(t *testing.T) {
	write := []string{"create", "delete", "deletecollection", "patch", "update"}
	read := []string{"get", "list", "watch"}
	for role, may := range map[string]map[string]bool{
		"admin": {"read": true, "write": true},
		"edit":  {"read": true, "write": true},
		"view":  {"read": true},
	} {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: taskNamespace, Name: role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: role}},
		}
		if err := l.Create(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
		for _, verb := range read {
			l.expectMay(t, role, verb, "", may["read"])
		}
		for _, verb := range write {
			l.expectMay(t, role, verb, "", may["write"])
		}
		l.expectMay(t, role, "update", "status", false)
	}
}

func (l *lifecycle) expectMay(t *testing.T, user, verb, subresource string, want bool) {
	t.Helper()
	eventually(t, user+" may "+verb+" tasks or not, as wanted", func(ctx context.Context) (bool, error) {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: taskNamespace, Group: v1alpha1.GroupName, Resource: "mazetasks", Subresource: subresource, Verb: verb,
		}}}
		err := l.Create(ctx, review)
		return review.Status.Allowed == want, err
	})
}
