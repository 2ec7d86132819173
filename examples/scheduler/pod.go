package main

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/client"
)

// Labels and annotations of the Pods. Take a prefix of your own: registry.mazeagent.net is the operator's.
const (
	prefix = "scheduler.mazeagent.net/"
	// runKey and nodeKey are labels, and nodeKey is an annotation, too: a label's value is shortened where it is too long.
	runKey  = prefix + "run"
	nodeKey = prefix + "node"
	// taskKey, a label and an annotation, has the task's spec.name.
	taskKey = prefix + "task"
	// generationKey, specKey and interfaceKey, annotations, tell predictors and monitoring which version of the task ran.
	generationKey = prefix + "generation"
	specKey       = prefix + "spec"
	interfaceKey  = prefix + "interface"
	// entryKey, an annotation, has the digest of the entry from which the Pod was made.
	entryKey = prefix + "entry"
	// registryKey, an annotation, has the entry itself, as a registry of one task. The Pod mounts it: so the executor goes by what the decision
	// was made by, whatever the registry has become meanwhile, and whether or not it is one ConfigMap.
	registryKey = prefix + "registry"
)

const (
	// taskFolder has the registry of one task in the Pod.
	taskFolder   = "/etc/maze-task"
	registryFile = "registry.json"
	// maxEntry is how large an entry may be to be in an annotation, in bytes. All annotations together have 256 KiB.
	maxEntry = 200 << 10
	// startup is what the nodes of the cluster have to pull an image, in seconds. A Pod's own deadline counts that, a task's timeout does not.
	startup = 1800
	// grace is the executor's own, in seconds.
	grace = 10
)

// newPod makes the Pod that runs a node, at an attempt from 0 on. digest is that of the entry, inputs are the outputs of other nodes.
//
// It starts the executor of the Python package with the entry point, "package.module:function". docs/run.md has the variables.
func (s *scheduler) newPod(n *node, entry client.Entry, digest string, attempt int, inputs string) *corev1.Pod {
	run := s.workflow.run
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.namespace,
			Name:      podName(run, n.ID, attempt),
			Labels:    map[string]string{runKey: run, nodeKey: labelValue(n.ID), taskKey: labelValue(entry.Name)},
			Annotations: map[string]string{
				nodeKey: n.ID, taskKey: entry.Name, generationKey: strconv.FormatInt(entry.Kubernetes.Generation, 10),
				specKey: entry.Digest.Spec, interfaceKey: entry.Digest.Interface, entryKey: digest,
			},
		},
		Spec: corev1.PodSpec{
			RestartPolicy:                corev1.RestartPolicyNever,
			AutomountServiceAccountToken: ptr.To(false), // a task has no business with the API server
			EnableServiceLinks:           ptr.To(false),
			SecurityContext: &corev1.PodSecurityContext{ // what the Pod Security Standard "restricted" asks for
				RunAsNonRoot:   ptr.To(true),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name:    "task",
				Image:   s.imageOf(entry),
				Command: []string{"python3", "-m", "maregister", "run"},
				Args:    []string{ptr.Deref(entry.EntryPoint, "")},
				Env: []corev1.EnvVar{
					{Name: "MAZE_RUN", Value: verbatim(run)},
					{Name: "MAZE_NODE", Value: verbatim(n.ID)},
					{Name: "MAZE_ARGS", Value: verbatim(string(n.Args))},
					{Name: "MAZE_INPUTS", Value: verbatim(inputs)},
				},
				EnvFrom: envFromOf(entry),
				// Where no executor runs, as the image has none, the end of the log says why.
				TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false),
					Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
	addEntry(pod, entry)
	addTimeout(pod, entry)
	place(pod, entry.Kubernetes.Placement)
	s.apply(pod)
	return pod
}

// addEntry has the executor find the entry, and tells the task what its model needs to know.
func addEntry(pod *corev1.Pod, entry client.Entry) {
	c := &pod.Spec.Containers[0]
	if name := entry.Resources.ModelName; name != nil {
		c.Env = append(c.Env, corev1.EnvVar{Name: "MAZE_MODEL_NAME", Value: verbatim(*name)})
	}
	if backend := entry.Resources.Backend; backend != nil {
		c.Env = append(c.Env, corev1.EnvVar{Name: "MAZE_BACKEND", Value: verbatim(*backend)})
	}
	if gpu := entry.Kubernetes.Placement.GPU; gpu != nil {
		c.Env = append(c.Env, corev1.EnvVar{Name: "MAZE_TENSOR_PARALLEL_SIZE", Value: strconv.Itoa(int(gpu.TensorParallelSize))})
	}
	item, err := entry.Encode()
	if err != nil || len(item.Text) > maxEntry {
		return // the function's own declaration counts then
	}
	metav1.SetMetaDataAnnotation(&pod.ObjectMeta, registryKey, fmt.Sprintf("{%q:%s}", entry.Name, item.Text))
	c.Env = append(c.Env,
		corev1.EnvVar{Name: "MAZE_REGISTRY", Value: taskFolder + "/" + registryFile}, corev1.EnvVar{Name: "MAZE_TASK", Value: verbatim(entry.Name)})
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "registry", MountPath: taskFolder, ReadOnly: true})
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "registry", VolumeSource: corev1.VolumeSource{
		DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
			{Path: registryFile, FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + registryKey + "']"}},
		}},
	}})
}

// addTimeout has the executor end a run that takes too long, and Kubernetes a Pod whose executor does not.
func addTimeout(pod *corev1.Pod, entry client.Entry) {
	if entry.Run == nil || entry.Run.Timeout.Length() == 0 {
		return
	}
	seconds := entry.Run.Timeout.Length().Seconds()
	c := &pod.Spec.Containers[0]
	c.Env = append(c.Env, corev1.EnvVar{Name: "MAZE_TIMEOUT", Value: strconv.FormatFloat(seconds, 'f', -1, 64)})
	pod.Spec.ActiveDeadlineSeconds = ptr.To(int64(math.Ceil(seconds)) + grace + startup)
}

// verbatim makes Kubernetes pass a value as it is: it replaces $(NAME) by a variable's value, and $$ by $.
func verbatim(value string) string { return strings.ReplaceAll(value, "$", "$$") }

// literal is the way back from verbatim.
func literal(value string) string { return strings.ReplaceAll(value, "$$", "$") }

// podName returns the name of a node's Pod at an attempt. It depends on these alone, so that nobody can create a second one.
func podName(run, id string, attempt int) string {
	const readable = 40
	name := strings.Trim(notInPodName.ReplaceAllString(strings.ToLower(run+"-"+id), "-"), "-")
	name = strings.Trim(name[:min(len(name), readable)], "-")
	whole := run + "\x00" + id
	if attempt > 0 {
		whole += "\x00" + strconv.Itoa(attempt)
	}
	return cmp.Or(name, "node") + "-" + shortHash(whole)
}

var (
	notInPodName    = regexp.MustCompile(`[^a-z0-9]+`)
	notInLabelValue = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)
)

// labelValue returns a text itself where it can be a label's value, and otherwise what is left of it with a hash of the whole.
func labelValue(text string) string {
	if text != "" && len(validation.IsValidLabelValue(text)) == 0 {
		return text
	}
	const readable = 40
	value := strings.Trim(notInLabelValue.ReplaceAllString(text, "-"), "-_.")
	value = strings.Trim(value[:min(len(value), readable)], "-_.")
	return cmp.Or(value, "x") + "-" + shortHash(text)
}
