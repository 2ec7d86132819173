package runtask

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// JobOptions are what a user says of the Pod, besides what the task says.
type JobOptions struct {
	Namespace string
	// Image is for a task that names none, and counts before the one that a task names.
	Image string
	// Claim is a PersistentVolumeClaim for files. Empty for none.
	Claim          string
	Env            []corev1.EnvVar
	EnvFrom        []corev1.EnvFromSource
	PullSecrets    []string
	ServiceAccount string
}

const (
	taskLabel    = v1alpha1.GroupName + "/task"
	entryKey     = v1alpha1.GroupName + "/entry"
	container    = "task"
	taskFolder   = "/etc/maze-task"
	registryFile = "registry.json"
	shared       = "/shared"
	// group may write to the volume. Without it, a user that is not root cannot.
	group = 65532
	// startup is how long a node may take to pull an image, and grace what the executor has to end, in seconds. A Pod's own deadline counts them.
	startup = 1800
	grace   = 10
	// kept is how long a Job that has ended stays, in seconds: for those who want to look at it.
	kept = 3600
	// maxEntry and maxArguments are how much an annotation and a variable hold, in bytes.
	maxEntry     = 200 << 10
	maxArguments = 128<<10 - 64
)

// lasting are the exit codes of the executor after which another try ends the same.
var lasting = []int32{64, 65, 66, 69, 76}

// NewJob returns the Job that runs a task once, and again as often as the task says. It refuses a task that no Pod can run.
func NewJob(entry *registry.Entry, arguments []byte, o *JobOptions) (*batchv1.Job, error) {
	var run v1alpha1.Run
	if entry.Run != nil {
		run = *entry.Run
	}
	image := cmp.Or(o.Image, run.Image)
	item, err := entry.Encode()
	switch {
	case err != nil:
		return nil, err
	case entry.EntryPoint == nil:
		return nil, fmt.Errorf("MazeTask %s has no entryPoint, by which an executor would get the function: declare it", entry.Kubernetes.Name)
	case image == "":
		return nil, fmt.Errorf("MazeTask %s names no image: set its run.image, or give --image", entry.Kubernetes.Name)
	case len(arguments) > maxArguments:
		return nil, fmt.Errorf("the arguments have %d bytes, and a variable holds %d: pass large ones by files", len(arguments), maxArguments)
	case len(item.Text) > maxEntry:
		return nil, fmt.Errorf("the entry of %s has %d bytes, and an annotation holds %d: shorten its description and schemas", entry.Name, len(item.Text), maxEntry)
	}
	labels := map[string]string{"app.kubernetes.io/managed-by": "mazectl"}
	if len(validation.IsValidLabelValue(entry.Name)) == 0 {
		labels[taskLabel] = entry.Name
	}
	return &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "Job"},
		ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, GenerateName: generatedFrom(entry.Name), Labels: labels},
		Spec: batchv1.JobSpec{
			BackoffLimit:            ptr.To(ptr.Deref(run.Retries, 0)),
			TTLSecondsAfterFinished: ptr.To[int32](kept),
			PodFailurePolicy: &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
				{Action: batchv1.PodFailurePolicyActionIgnore, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{
					{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue},
				}},
				{Action: batchv1.PodFailurePolicyActionFailJob, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
					ContainerName: ptr.To(container), Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: lasting,
				}},
			}},
			Template: *newTemplate(entry, item, arguments, image, labels, o),
		},
	}, nil
}

// generatedFrom returns what the name of a task's Job begins with.
func generatedFrom(name string) string {
	const most = 40
	name = strings.Trim(notInName.ReplaceAllString(strings.ToLower(name), "-"), "-")
	return strings.TrimRight(name[:min(len(name), most)], "-") + "-"
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

func newTemplate(entry *registry.Entry, item registry.Item, arguments []byte, image string, labels map[string]string, o *JobOptions) *corev1.PodTemplateSpec {
	placement := &entry.Kubernetes.Placement
	template := &corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{entryKey: fmt.Sprintf("{%q:%s}", entry.Name, item.Text)}},
		Spec: corev1.PodSpec{
			RestartPolicy:                corev1.RestartPolicyNever,
			AutomountServiceAccountToken: ptr.To(false), // a task has no business with the API server
			EnableServiceLinks:           ptr.To(false),
			SecurityContext: &corev1.PodSecurityContext{ // what the Pod Security Standard "restricted" asks for
				RunAsNonRoot: ptr.To(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			NodeSelector: placement.NodeSelector, Tolerations: placement.Tolerations, SchedulerName: placement.SchedulerName,
			Containers: []corev1.Container{{
				Name: container, Image: image, Command: []string{"python3", "-m", "maregister", "run"}, Args: []string{*entry.EntryPoint},
				Env: append(o.Env[:len(o.Env):len(o.Env)], variables(entry, arguments)...), EnvFrom: append(o.EnvFrom[:len(o.EnvFrom):len(o.EnvFrom)], envFrom(entry)...),
				Resources: corev1.ResourceRequirements{Requests: placement.Requests, Limits: placement.Limits},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
				TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError, // an image without the executor tells by its log
				VolumeMounts:             []corev1.VolumeMount{{Name: "registry", MountPath: taskFolder, ReadOnly: true}},
			}},
			Volumes: []corev1.Volume{{Name: "registry", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
				Items: []corev1.DownwardAPIVolumeFile{
					{Path: registryFile, FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + entryKey + "']"}},
				},
			}}}},
		},
	}
	if placement.Affinity != nil {
		template.Spec.Affinity = &corev1.Affinity{NodeAffinity: placement.Affinity.NodeAffinity}
	}
	for key, value := range placement.Annotations {
		template.Annotations[key] = value
	}
	if timeout := timeoutOf(entry); timeout > 0 {
		template.Spec.ActiveDeadlineSeconds = ptr.To(int64(math.Ceil(timeout)) + grace + startup)
	}
	o.apply(&template.Spec)
	return template
}

// apply puts what a user says of a Pod besides its variables into it.
func (o *JobOptions) apply(pod *corev1.PodSpec) {
	for _, name := range o.PullSecrets {
		pod.ImagePullSecrets = append(pod.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	if o.ServiceAccount != "" {
		pod.ServiceAccountName, pod.AutomountServiceAccountToken = o.ServiceAccount, nil // who names one has a use for its token
	}
	if o.Claim == "" {
		return
	}
	pod.SecurityContext.FSGroup = ptr.To[int64](group)
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "shared", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: o.Claim},
	}})
	c := &pod.Containers[0]
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "shared", MountPath: shared})
	c.Env = append(c.Env, corev1.EnvVar{Name: "MAZE_SHARED", Value: shared})
}

func timeoutOf(entry *registry.Entry) float64 {
	if entry.Run == nil {
		return 0
	}
	return entry.Run.Timeout.Length().Seconds()
}

// variables are those of the executor's contract, and what tasks with a model need to know.
func variables(entry *registry.Entry, arguments []byte) []corev1.EnvVar {
	all := []corev1.EnvVar{
		{Name: "MAZE_TASK", Value: verbatim(entry.Name)},
		{Name: "MAZE_REGISTRY", Value: taskFolder + "/" + registryFile},
		{Name: "MAZE_ARGS", Value: verbatim(string(arguments))},
		{Name: "MAZE_REFERENCES", Value: "literal"}, // there are no other nodes
		{Name: "MAZE_RUN", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{
			FieldPath: "metadata.labels['" + batchv1.JobNameLabel + "']",
		}}},
		{Name: "MAZE_NODE", Value: "run"},
	}
	add := func(name, value string) { all = append(all, corev1.EnvVar{Name: name, Value: verbatim(value)}) }
	if name := entry.Resources.ModelName; name != nil {
		add("MAZE_MODEL_NAME", *name)
	}
	if backend := entry.Resources.Backend; backend != nil {
		add("MAZE_BACKEND", *backend)
	}
	if gpu := entry.Kubernetes.Placement.GPU; gpu != nil {
		add("MAZE_TENSOR_PARALLEL_SIZE", strconv.Itoa(int(gpu.TensorParallelSize)))
	}
	if timeout := timeoutOf(entry); timeout > 0 {
		add("MAZE_TIMEOUT", strconv.FormatFloat(timeout, 'f', -1, 64))
	}
	return all
}

// envFrom returns the ConfigMaps and Secrets that a task names: they have the form of a container's.
func envFrom(entry *registry.Entry) []corev1.EnvFromSource {
	if entry.Run == nil || len(entry.Run.EnvFrom) == 0 {
		return nil
	}
	var all []corev1.EnvFromSource
	text, err := json.Marshal(entry.Run.EnvFrom)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil { // cannot be: the fields are the same
		return nil
	}
	return all
}

// verbatim makes Kubernetes pass a value as it is: it replaces $(NAME) by a variable's value, and $$ by $.
func verbatim(value string) string { return strings.ReplaceAll(value, "$", "$$") }

// ParseEnv reads NAME=VALUE.
func ParseEnv(text string) (corev1.EnvVar, error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return corev1.EnvVar{}, fmt.Errorf("--env %q is not NAME=VALUE", text)
	}
	return corev1.EnvVar{Name: name, Value: verbatim(value)}, nil
}

// ParseEnvFrom reads secret/NAME or configmap/NAME.
func ParseEnvFrom(text string) (corev1.EnvFromSource, error) {
	kind, name, _ := strings.Cut(text, "/")
	reference := corev1.LocalObjectReference{Name: name}
	switch {
	case kind == "secret" && name != "":
		return corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: reference}}, nil
	case kind == "configmap" && name != "":
		return corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: reference}}, nil
	default:
		return corev1.EnvFromSource{}, fmt.Errorf("--env-from %q is neither secret/NAME nor configmap/NAME", text)
	}
}
