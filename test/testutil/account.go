package testutil

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

const (
	operatorNamespace = "maregister-system"
	operatorAccount   = "maregister-manager"
)

// OperatorConfig returns the configuration of a client with the rights that config/rbac grants the operator, and no others. Admin may
// grant them.
func OperatorConfig(ctx context.Context, admin *rest.Config) (*rest.Config, error) {
	if err := applyRBAC(ctx, admin); err != nil {
		return nil, fmt.Errorf("grant the operator its rights: %w", err)
	}
	cfg, err := AccountConfig(ctx, admin, operatorNamespace, operatorAccount)
	if err != nil {
		return nil, err
	}
	review := authorizationv1.ResourceAttributes{Group: v1alpha1.GroupName, Resource: "mazetasks", Verb: "list"}
	return cfg, WaitUntilAllowed(ctx, cfg, &review, true)
}

// AccountConfig returns the configuration of a client that is a ServiceAccount, by a token for it, and without a rate limit.
func AccountConfig(ctx context.Context, admin *rest.Config, namespace, name string) (*rest.Config, error) {
	clients, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return nil, fmt.Errorf("make the client: %w", err)
	}
	token, err := clients.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("get a token of ServiceAccount %s/%s: %w", namespace, name, err)
	}
	cfg := rest.AnonymousClientConfig(admin)
	cfg.BearerToken = token.Status.Token
	cfg.QPS, cfg.Burst = -1, -1
	return cfg, nil
}

// WriteKubeconfig writes a kubeconfig file of a client that is a ServiceAccount.
func WriteKubeconfig(ctx context.Context, admin *rest.Config, namespace, account, path string) error {
	cfg, err := AccountConfig(ctx, admin, namespace, account)
	if err != nil {
		return err
	}
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"test": {Server: cfg.Host, CertificateAuthorityData: cfg.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{account: {Token: cfg.BearerToken}},
		Contexts:       map[string]*clientcmdapi.Context{"test": {Cluster: "test", AuthInfo: account, Namespace: namespace}},
		CurrentContext: "test",
	}, path)
}

// WaitUntilAllowed waits until the API server, which follows roles with a delay, allows a client something, or denies it.
func WaitUntilAllowed(ctx context.Context, cfg *rest.Config, what *authorizationv1.ResourceAttributes, allowed bool) error {
	clients, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("make the client: %w", err)
	}
	reviews := clients.AuthorizationV1().SelfSubjectAccessReviews()
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: what}}
	err = wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, Patience, true, func(ctx context.Context) (bool, error) {
		answer, err := reviews.Create(ctx, review, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed == allowed, err
	})
	if err != nil {
		return fmt.Errorf("wait until %s of %s is allowed=%t: %w", what.Verb, what.Resource, allowed, err)
	}
	return nil
}

// applyRBAC applies the operator's account, roles, bindings and admission policy as kustomize does: in the operator's namespace.
func applyRBAC(ctx context.Context, admin *rest.Config) error {
	c, err := client.New(admin, client.Options{})
	if err != nil {
		return fmt.Errorf("make the client: %w", err)
	}
	namespace := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": operatorNamespace},
	}}
	objects := []*unstructured.Unstructured{namespace}
	for _, name := range []string{"rbac/service_account.yaml", "rbac/role.yaml", "rbac/role_binding.yaml", "admission/policy.yaml"} {
		found, err := readObjects(filepath.Join(Root(), "config", name))
		if err != nil {
			return err
		}
		objects = append(objects, found...)
	}
	for _, object := range objects {
		settle(object)
		if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("testutil"), client.ForceOwnership); err != nil {
			return fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// settle puts an object and its subjects into the operator's namespace.
func settle(object *unstructured.Unstructured) {
	switch object.GetKind() {
	case "ServiceAccount", "Role", "RoleBinding":
		object.SetNamespace(operatorNamespace)
	}
	subjects, _, _ := unstructured.NestedSlice(object.Object, "subjects")
	for _, subject := range subjects {
		subject.(map[string]any)["namespace"] = operatorNamespace
	}
	if subjects != nil {
		object.Object["subjects"] = subjects
	}
}

// readObjects reads the objects of a YAML file.
func readObjects(path string) ([]*unstructured.Unstructured, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	objects, err := decodeObjects(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return objects, nil
}

// decodeObjects decodes the objects of a YAML document.
func decodeObjects(content io.Reader) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	for decoder := utilyaml.NewYAMLOrJSONDecoder(content, 4096); ; {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(object); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case len(object.Object) > 0: // a document between two lines of "---" may be empty
			out = append(out, object)
		}
	}
}
