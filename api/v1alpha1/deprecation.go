package v1alpha1

import "strings"

// Deprecation says why a task should no longer be used, and what to use instead.
type Deprecation struct {
	// message says why, and what to do: "Use caption2, which knows more languages. Goes with release 4." Its white space does not count.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.trim() != ''",message="must say why the task is deprecated, and what to do"
	Message string `json:"message,omitempty"`

	// replacement is the spec.name of the task that takes over, in the same namespace. It need not be there yet.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$')",message="must be the spec.name of a task, such as image_caption"
	Replacement string `json:"replacement,omitempty"`
}

// String returns what to tell a person, in one line: the message, and the replacement.
func (d *Deprecation) String() string {
	if d.Replacement == "" {
		return d.Why()
	}
	return d.Why() + "; replacement: " + d.Replacement
}

// Why returns the message in one line, without a period at its end: a sentence goes on behind it.
func (d *Deprecation) Why() string {
	return strings.TrimRight(strings.Join(strings.Fields(d.Message), " "), ".")
}
