package health

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"

	"github.com/maze-agent/maregister/test/testutil"
)

// judges are the tools. Each gets a task or a workflow as it is in the cluster.
var judges = map[string]func(ctx context.Context, task *unstructured.Unstructured) (verdict, error){
	"kstatus": byKstatus,
	"Argo CD": func(_ context.Context, task *unstructured.Unstructured) (verdict, error) {
		health, err := byArgo(task)
		return argoVerdicts[health.Status], err
	},
	"Flux":    byFlux,
	"kubectl": byKubectl,
}

func byKstatus(_ context.Context, task *unstructured.Unstructured) (verdict, error) {
	result, err := status.Compute(task)
	if err != nil {
		return "", err
	}
	if result.Status == status.TerminatingStatus { // the others have no word of their own for it
		return inProgress, nil
	}
	return verdict(result.Status), nil
}

// argoHealth is what health.lua returns.
type argoHealth struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

var argoVerdicts = map[string]verdict{"Healthy": current, "Progressing": inProgress, "Degraded": failed}

// byArgo runs health.lua with the libraries that Argo CD opens for scripts from its configuration: no others.
func byArgo(task *unstructured.Unstructured) (argoHealth, error) {
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return argoHealth{}, err
		}
	}
	l.SetGlobal("obj", luaValue(l, task.Object))
	if err := l.DoFile(filepath.Join(argo(task.GetKind()), "health.lua")); err != nil {
		return argoHealth{}, err
	}
	result, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		return argoHealth{}, fmt.Errorf("health.lua returned a %s, not a table", l.Get(-1).Type())
	}
	return argoHealth{lua.LVAsString(result.RawGetString("status")), lua.LVAsString(result.RawGetString("message"))}, nil
}

func luaValue(l *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := l.NewTable()
		for key, field := range value {
			table.RawSetString(key, luaValue(l, field))
		}
		return table
	case []any:
		table := l.NewTable()
		for _, item := range value {
			table.Append(luaValue(l, item))
		}
		return table
	case string:
		return lua.LString(value)
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	default:
		return lua.LNil
	}
}

// byFlux evaluates the expressions of the example with Flux's own library.
func byFlux(ctx context.Context, task *unstructured.Unstructured) (verdict, error) {
	expressions, err := fluxExpressions(task.GetKind())
	if err != nil {
		return "", err
	}
	evaluator, err := cel.NewStatusEvaluator(expressions)
	if err != nil {
		return "", err
	}
	result, err := evaluator.Evaluate(ctx, task)
	if err != nil {
		return "", err
	}
	return verdict(result.Status), nil
}

// fluxExpressions reads the expressions from the example.
func fluxExpressions(kind string) (*kustomize.HealthCheckExpressions, error) {
	content, err := os.ReadFile(filepath.Join(testutil.Root(), "examples", "gitops", "flux.yaml"))
	if err != nil {
		return nil, err
	}
	for _, document := range bytes.Split(content, []byte("\n---\n")) {
		var object struct {
			Spec struct {
				HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal(document, &object); err != nil {
			return nil, err
		}
		for _, check := range object.Spec.HealthCheckExprs {
			if check.Kind == kind {
				return &check.HealthCheckExpressions, nil
			}
		}
	}
	return nil, fmt.Errorf("flux.yaml has no healthCheckExprs for %s", kind)
}

// byKubectl has kubectl look once for each of the two conditions that a person waits for.
func byKubectl(ctx context.Context, task *unstructured.Unstructured) (verdict, error) {
	for _, outcome := range []struct {
		condition string
		means     verdict
	}{{"Stalled", failed}, {"Ready", current}} {
		output, err := kubectl(ctx, "", "wait", "--namespace", task.GetNamespace(), strings.ToLower(task.GetKind())+"/"+task.GetName(), "--for=condition="+outcome.condition, "--timeout=0")
		switch {
		case err == nil:
			return outcome.means, nil
		case !strings.Contains(output, "condition not met for"):
			return "", fmt.Errorf("%w: %s", err, output)
		}
	}
	return inProgress, nil
}

// kubectl runs kubectl as the cluster's administrator.
func kubectl(ctx context.Context, input string, arguments ...string) (output string, err error) {
	command := exec.CommandContext(ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), append(arguments, "--kubeconfig", kubeconfig)...)
	command.Stdin = strings.NewReader(input)
	combined, err := command.CombinedOutput()
	return string(combined), err
}
