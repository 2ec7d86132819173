package chart

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/test/testutil"
)

// TestEveryVerbIsNeeded lets the operator's process run with exactly what the chart grants its ServiceAccount, and does all that the
// operator is for. Then it takes every verb on every resource away in turn: the same must fail, because the API server refuses just that.
func TestEveryVerbIsNeeded(t *testing.T) {
	c := useCluster(t)
	c.namespace(t, releaseNamespace)
	c.installForRights(t)
	roles := []client.Object{&rbacv1.ClusterRole{}, &rbacv1.Role{}}
	for _, role := range roles {
		if err := c.Get(t.Context(), managerKey(role), role); err != nil {
			t.Fatal(err)
		}
		for _, granted := range grants(role) {
			c.expectAllowed(t, granted, true) // the API server follows roles with a delay
		}
	}
	if !t.Run("with all of them", func(t *testing.T) {
		if err := c.scenario(t, c.rightsNamespace(t), nil); err != nil {
			t.Error(err)
		}
	}) {
		return
	}
	for _, role := range roles {
		for _, taken := range grants(role) {
			t.Run(taken.String(), func(t *testing.T) {
				c.take(t, role, taken)
				if err := c.scenario(t, c.rightsNamespace(t), &taken); err == nil {
					t.Errorf("all goes well without %s", taken)
				} else if !strings.Contains(err.Error(), taken.refusal()) {
					t.Errorf("without %s: %v", taken, err)
				}
			})
		}
	}
}

// TestRolesOfWatchedNamespacesAreEnough: with watchNamespaces, the operator does all of it with rights in those namespaces only.
func TestRolesOfWatchedNamespacesAreEnough(t *testing.T) {
	c := useCluster(t)
	c.namespace(t, releaseNamespace)
	watched, other := c.rightsNamespace(t), c.rightsNamespace(t)
	c.installForRights(t, watched)
	cfg, err := testutil.AccountConfig(t.Context(), c.plane.Config, releaseNamespace, "maregister-manager")
	if err != nil {
		t.Fatal(err)
	}
	for namespace, allowed := range map[string]bool{watched: true, other: false} {
		list := &authorizationv1.ResourceAttributes{Resource: "configmaps", Verb: "list", Namespace: namespace}
		if err := testutil.WaitUntilAllowed(t.Context(), cfg, list, allowed); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.scenario(t, watched, nil); err != nil {
		t.Error(err)
	}

	upgrade := action.NewUpgrade(c.helm(t))
	upgrade.Namespace, upgrade.WaitStrategy, upgrade.ResetThenReuseValues = releaseNamespace, kube.StatusWatcherStrategy, true
	_, err = upgrade.Run(releaseName, loadChart(t, chartFolder()), values(t, `{config: {watchNamespaces: [`+watched+`, nowhere]}}`))
	if want := "create nowhere first"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("an upgrade to a namespace that is missing: got %v, want an error with %q", err, want)
	}
	list := &authorizationv1.ResourceAttributes{Resource: "configmaps", Verb: "list", Namespace: watched}
	if err := testutil.WaitUntilAllowed(t.Context(), cfg, list, true); err != nil {
		t.Errorf("it took rights away: %v", err)
	}
}

// grant is one verb on one resource of a rule.
type grant struct {
	rule                  int
	group, resource, verb string
	name                  string // of the one object that the rule is about; "" for any
}

func (g grant) String() string { return fmt.Sprintf("%s %s.%s", g.verb, g.resource, g.group) }

// refusal is what the API server says to who lacks it.
func (g grant) refusal() string {
	return fmt.Sprintf("cannot %s resource %q in API group %q", g.verb, g.resource, g.group)
}

func (g grant) attributes() *authorizationv1.ResourceAttributes {
	resource, sub, _ := strings.Cut(g.resource, "/")
	return &authorizationv1.ResourceAttributes{Group: g.group, Resource: resource, Subresource: sub, Verb: g.verb, Namespace: releaseNamespace, Name: g.name}
}

func rulesOf(role client.Object) *[]rbacv1.PolicyRule {
	if clusterRole, ok := role.(*rbacv1.ClusterRole); ok {
		return &clusterRole.Rules
	}
	return &role.(*rbacv1.Role).Rules
}

func grants(role client.Object) []grant {
	var out []grant
	for i, rule := range *rulesOf(role) {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					out = append(out, grant{rule: i, group: group, resource: resource, verb: verb, name: strings.Join(rule.ResourceNames, "")})
				}
			}
		}
	}
	return out
}

// without returns rules that grant all that others do, but for one verb on one resource.
func without(rules []rbacv1.PolicyRule, taken grant) []rbacv1.PolicyRule {
	rule := &rules[taken.rule]
	groups, resources, verbs := rule.DeepCopy(), rule.DeepCopy(), rule.DeepCopy()
	groups.APIGroups = but(rule.APIGroups, taken.group)
	resources.APIGroups, resources.Resources = []string{taken.group}, but(rule.Resources, taken.resource)
	verbs.APIGroups, verbs.Resources, verbs.Verbs = []string{taken.group}, []string{taken.resource}, but(rule.Verbs, taken.verb)
	return append(slices.Delete(slices.Clone(rules), taken.rule, taken.rule+1), *groups, *resources, *verbs)
}

func but(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(other string) bool { return other == one })
}

func managerKey(object client.Object) client.ObjectKey {
	key := client.ObjectKey{Name: "maregister-manager"}
	if _, ok := object.(*rbacv1.ClusterRole); !ok {
		key.Namespace = releaseNamespace
	}
	return key
}

// take takes a verb from a role for the rest of a test.
func (c *cluster) take(t *testing.T, role client.Object, taken grant) {
	t.Helper()
	c.setRules(t, role, without(*rulesOf(role), taken))
	c.expectAllowed(t, taken, false)
	t.Cleanup(func() {
		c.setRules(t, role, *rulesOf(role))
		c.expectAllowed(t, taken, true)
	})
}

// setRules writes a role with other rules. Those that grant nothing are left out, as the API server refuses them.
func (c *cluster) setRules(t *testing.T, role client.Object, rules []rbacv1.PolicyRule) {
	t.Helper()
	next := role.DeepCopyObject().(client.Object)
	*rulesOf(next) = slices.DeleteFunc(slices.Clone(rules), func(rule rbacv1.PolicyRule) bool {
		return len(rule.APIGroups) == 0 || len(rule.Resources) == 0 || len(rule.Verbs) == 0
	})
	next.SetResourceVersion("")
	if err := c.Update(context.Background(), next); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) expectAllowed(t *testing.T, what grant, allowed bool) {
	t.Helper()
	cfg, err := testutil.AccountConfig(context.Background(), c.plane.Config, releaseNamespace, "maregister-manager")
	if err != nil {
		t.Fatal(err)
	}
	if err := testutil.WaitUntilAllowed(context.Background(), cfg, what.attributes(), allowed); err != nil {
		t.Fatal(err)
	}
}

// manager is the operator's process.
type manager struct {
	log     string // the path of its log
	metrics string // the address of its metrics
}

// refused reports whether the API server has refused the operator something.
func (m *manager) refused(what *grant) (bool, error) {
	content, err := m.read()
	return what != nil && bytes.Contains(content, []byte(what.refusal())), err
}

// anyRefusal is what the API server says to who lacks a right.
var anyRefusal = regexp.MustCompile(`cannot \w+ (resource|path) .{0,200}`)

// unrefused fails if the API server has refused the operator anything.
func (m *manager) unrefused() error {
	content, err := m.read()
	if refusal := anyRefusal.Find(content); err == nil && refusal != nil {
		err = fmt.Errorf("it was refused something: %s", refusal)
	}
	return err
}

// read returns the log without the backslashes of quoted messages.
func (m *manager) read() ([]byte, error) {
	content, err := os.ReadFile(m.log)
	return bytes.ReplaceAll(content, []byte(`\`), nil), err
}

// startManager runs the operator's process with the token of the chart's ServiceAccount and the chart's own configuration file.
func (c *cluster) startManager(t *testing.T) *manager {
	t.Helper()
	folder := t.TempDir()
	kubeconfig := filepath.Join(folder, "kubeconfig")
	if err := testutil.WriteKubeconfig(t.Context(), c.plane.Config, releaseNamespace, "maregister-manager", kubeconfig); err != nil {
		t.Fatal(err)
	}
	metrics, err := testutil.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{log: filepath.Join(folder, "log"), metrics: metrics}
	c.launch(t, m, kubeconfig, filepath.Join(folder, "operator.yaml"))
	return m
}
