package main

import (
	"cmp"
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
)

// newPod makes the Pod that runs a node. digest is that of the entry.
//
// Its first argument is the entry point, "package.module:function". The environment has MAZE_ARGS, the node's arguments as JSON, with
// references to other nodes as they are written, and MAZE_RUN and MAZE_NODE, under which an executor keeps outputs, and finds those of
// others.
func (w *workflow) newPod(n *node, entry client.Entry, digest, namespace, image string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace,
			Name:      podName(w.run, n.ID),
			Labels:    map[string]string{runKey: w.run, nodeKey: labelValue(n.ID), taskKey: labelValue(entry.Name)},
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
				Name:  "task",
				Image: image,
				Args:  []string{ptr.Deref(entry.EntryPoint, "")},
				Env: []corev1.EnvVar{
					{Name: "MAZE_RUN", Value: verbatim(w.run)},
					{Name: "MAZE_NODE", Value: verbatim(n.ID)},
					{Name: "MAZE_ARGS", Value: verbatim(string(n.Args))},
				},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false),
					Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
	place(pod, entry.Kubernetes.Placement)
	return pod
}

// verbatim makes Kubernetes pass a value as it is: it replaces $(NAME) by a variable's value, and $$ by $.
func verbatim(value string) string { return strings.ReplaceAll(value, "$", "$$") }

// podName returns the name of a node's Pod. It depends on the run and the node alone, so that nobody can create a second one.
func podName(run, id string) string {
	const readable = 40
	name := strings.Trim(notInPodName.ReplaceAllString(strings.ToLower(run+"-"+id), "-"), "-")
	name = strings.Trim(name[:min(len(name), readable)], "-")
	return cmp.Or(name, "node") + "-" + shortHash(run+"\x00"+id)
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
