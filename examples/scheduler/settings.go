package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/client"
)

const (
	// shared is where the volume is mounted: at one place in all Pods, so that paths mean the same.
	shared = "/shared"
	// group may write to the volume. Without it, a user that is not root cannot.
	group = 65532
)

// settings are what the Pods of a run have in common, besides what tasks say.
type settings struct {
	// image is for tasks that name none.
	image string
	// claim is a PersistentVolumeClaim, ReadWriteMany, for files and large outputs. Empty for none.
	claim          string
	env            []corev1.EnvVar
	envFrom        []corev1.EnvFromSource
	pullSecrets    []corev1.LocalObjectReference
	serviceAccount string
	// given are the flags by which these came, in their order.
	given []string
}

// addFlags defines the flags of the settings, and keeps what is given, for the Job of a detached run.
func (s *settings) addFlags(flags *flag.FlagSet) {
	add := func(name, usage string, set func(text string) error) {
		flags.Func(name, usage, func(text string) error {
			s.given = append(s.given, "--"+name+"="+text)
			return set(text)
		})
	}
	addText := func(name, usage string, value *string) {
		add(name, usage, func(text string) error { *value = text; return nil })
	}
	addText("image", "container `image` for tasks whose run.image says nothing: with their code, and the Python package maregister", &s.image)
	addText("volume", "PersistentVolumeClaim, `CLAIM`, ReadWriteMany, that all Pods mount: for files and large outputs", &s.claim)
	addText("service-account", "service account, by its `NAME`, for the Pods", &s.serviceAccount)
	add("env", "variable `NAME=VALUE` of all Pods; can be repeated", func(text string) error {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return errors.New("write NAME=VALUE")
		}
		s.env = append(s.env, corev1.EnvVar{Name: name, Value: verbatim(value)})
		return nil
	})
	add("env-from", "`secret/NAME` or configmap/NAME, whose keys become variables of all Pods; can be repeated", func(text string) error {
		kind, name, _ := strings.Cut(text, "/")
		reference := corev1.LocalObjectReference{Name: name}
		switch {
		case kind == "secret" && name != "":
			s.envFrom = append(s.envFrom, corev1.EnvFromSource{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: reference}})
		case kind == "configmap" && name != "":
			s.envFrom = append(s.envFrom, corev1.EnvFromSource{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: reference}})
		default:
			return errors.New("write secret/NAME or configmap/NAME")
		}
		return nil
	})
	add("pull-secret", "Secret, by its `NAME`, by which images are pulled; can be repeated", func(name string) error {
		s.pullSecrets = append(s.pullSecrets, corev1.LocalObjectReference{Name: name})
		return nil
	})
}

// imageOf returns the image of a task. It is empty where neither the task nor the user names one.
func (s *settings) imageOf(entry client.Entry) string {
	if entry.Run == nil {
		return s.image
	}
	return cmp.Or(entry.Run.Image, s.image)
}

// apply puts the settings into a Pod. Variables that are there already count before these.
func (s *settings) apply(pod *corev1.Pod) {
	c := &pod.Spec.Containers[0]
	c.Env, c.EnvFrom = slices.Concat(s.env, c.Env), slices.Concat(s.envFrom, c.EnvFrom)
	pod.Spec.ImagePullSecrets = s.pullSecrets
	if s.serviceAccount != "" {
		pod.Spec.ServiceAccountName, pod.Spec.AutomountServiceAccountToken = s.serviceAccount, nil // who names one has a use for its token
	}
	if s.claim == "" {
		return
	}
	pod.Spec.SecurityContext.FSGroup = ptr.To[int64](group)
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "shared", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: s.claim},
	}})
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "shared", MountPath: shared})
	c.Env = append(c.Env, corev1.EnvVar{Name: "MAZE_SHARED", Value: shared})
}

// envFromOf returns the ConfigMaps and Secrets that a task names.
func envFromOf(entry client.Entry) []corev1.EnvFromSource {
	if entry.Run == nil {
		return nil
	}
	var all []corev1.EnvFromSource
	for _, from := range entry.Run.EnvFrom {
		source := corev1.EnvFromSource{Prefix: from.Prefix}
		if r := from.ConfigMapRef; r != nil {
			source.ConfigMapRef = &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: r.Name}, Optional: r.Optional}
		}
		if r := from.SecretRef; r != nil {
			source.SecretRef = &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: r.Name}, Optional: r.Optional}
		}
		all = append(all, source)
	}
	return all
}

// whyNoImage says that nobody names an image for a task, and what to do.
func whyNoImage(entry client.Entry) string {
	return fmt.Sprintf("MazeTask %s names no image: set its run.image, or give --image", entry.Kubernetes.Name)
}
