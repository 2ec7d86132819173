package v1alpha1

// Run says how a Pod runs a task, where the task's author knows better than the scheduler. The registry publishes it as it is, and whoever
// makes the Pod follows it. A scheduler has its own answer for each field that is absent.
//
// +kubebuilder:validation:MinProperties=1
type Run struct {
	// image is the container image that has the task's function, what it imports, and the executor as its entry point.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*|[[][0-9A-Fa-f:]+[]])(:[0-9]{1,5})?/)?[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?(@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,128})?$')",message="must be a container image such as registry.example.com/tools:v1"
	Image string `json:"image,omitempty"`

	// timeout is how long one run may take, the import of the function included: 90s, 10m, 1h30m. At most a year, 8760h. Without it, any time.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="size(self) > 1 && self.matches('^([0-9]{1,6}([.][0-9]{1,3})?h)?([0-9]{1,7}([.][0-9]{1,3})?m)?([0-9]{1,9}([.][0-9]{1,3})?s)?([0-9]{1,12}ms)?$') && duration(self) > duration('0s') && duration(self) <= duration('8760h')",messageExpression="self.matches('^[0-9]+$') ? 'timeout is ' + self + '; did you mean \"' + self + 's\"?' : 'must be a duration above 0 and at most 8760h, such as 90s, 10m or 1h30m'"
	Timeout Duration `json:"timeout,omitempty"`

	// retries is how many times a run that failed is started again. Without it, once, which is Maze's default.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Retries *int32 `json:"retries,omitempty"`

	// backoff is how long to wait before a run is started again: 2s, 500ms. At most a day, 24h. Without it, not at all.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="size(self) > 1 && self.matches('^([0-9]{1,6}([.][0-9]{1,3})?h)?([0-9]{1,7}([.][0-9]{1,3})?m)?([0-9]{1,9}([.][0-9]{1,3})?s)?([0-9]{1,12}ms)?$') && duration(self) <= duration('24h')",messageExpression="self.matches('^[0-9]+$') ? 'backoff is ' + self + '; did you mean \"' + self + 's\"?' : 'must be a duration of at most 24h, such as 2s or 500ms'"
	Backoff Duration `json:"backoff,omitempty"`

	// retryOn are the failures after which a run is started again: Maze's codes such as resource_insufficient and node_lost, kinds of the executor's
	// such as Timeout, and names of exceptions such as ConnectionError. Without it, those that are no fault of the task's. A run that asked for it, by
	// Retry, is started again in any case.
	//
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[\\\\pL_][\\\\pL\\\\pN_]*([.][\\\\pL_][\\\\pL\\\\pN_]*)*$')",message="must be a kind of failure such as resource_insufficient or Timeout, or the name of an exception such as ConnectionError"
	// +listType=set
	RetryOn []string `json:"retryOn,omitempty"`

	// envFrom are ConfigMaps and Secrets of the task's namespace whose keys become variables of the container, in the form of a container's
	// envFrom. Of two with one key, the later one counts. Variables of the executor's own contract count before all of them.
	//
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	EnvFrom []EnvFromSource `json:"envFrom,omitempty"`
}

// EnvFromSource is a ConfigMap or a Secret whose keys become variables, as a container's envFrom has it.
//
// +kubebuilder:validation:XValidation:rule="has(self.configMapRef) != has(self.secretRef)",message="must have either configMapRef or secretRef"
type EnvFromSource struct {
	// prefix is put before each key.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._A-Za-z][-._A-Za-z0-9]*$')",message="must be the beginning of a variable's name, such as MODEL_"
	Prefix string `json:"prefix,omitempty"`

	// configMapRef names a ConfigMap.
	//
	// +optional
	ConfigMapRef *EnvFromReference `json:"configMapRef,omitempty"`

	// secretRef names a Secret.
	//
	// +optional
	SecretRef *EnvFromReference `json:"secretRef,omitempty"`
}

// EnvFromReference names a ConfigMap or a Secret of the task's namespace.
type EnvFromReference struct {
	// name is the object's.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",message="must be the name of an object: lowercase letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// optional says that the Pod starts also where the object is not there.
	//
	// +optional
	Optional *bool `json:"optional,omitempty"`
}
