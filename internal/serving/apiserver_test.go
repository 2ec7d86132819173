package serving_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

const namespace = "docs"

// actor is who writes.
type actor string

const (
	operator actor = registry.FieldOwner
	hand     actor = "kubectl-edit"
)

// apiServer holds the ConfigMaps and MazeTasks of one namespace, as a Kubernetes API server does. Stored objects never change; each
// write stores another one.
type apiServer struct {
	version    int64
	uids       int
	now        func() time.Time
	configMaps map[string]*corev1.ConfigMap
	tasks      map[string]*v1alpha1.MazeTask
	// mapsLog and tasksLog hold what there was after each write: a cache shows one of them.
	mapsLog  []mapsAt
	tasksLog []tasksAt
	// deleters holds who has deleted an object that finalizers hold.
	deleters map[types.UID]actor
	// changed is called after each write of a ConfigMap.
	changed func(change)
}

type mapsAt struct {
	version int64
	objects map[string]*corev1.ConfigMap
}

type tasksAt struct {
	version int64
	objects map[string]*v1alpha1.MazeTask
}

// change is one write of a ConfigMap: before is nil for a creation, after for a deletion.
type change struct {
	name          string
	before, after *corev1.ConfigMap
	by            actor
	// call is the request of an operator. Nil for a hand.
	call *call
}

func newAPIServer() *apiServer {
	s := &apiServer{
		version: 95, configMaps: map[string]*corev1.ConfigMap{}, tasks: map[string]*v1alpha1.MazeTask{}, deleters: map[types.UID]actor{},
		changed: func(change) {}, now: func() time.Time { return noon },
	}
	s.mapsLog = []mapsAt{{s.version, map[string]*corev1.ConfigMap{}}}
	s.tasksLog = []tasksAt{{s.version, map[string]*v1alpha1.MazeTask{}}}
	return s
}

func (s *apiServer) uid() types.UID {
	s.uids++
	return types.UID(fmt.Sprintf("uid-%d", s.uids))
}

func (s *apiServer) next() string {
	s.version++
	return strconv.FormatInt(s.version, 10)
}

var configMapResource = schema.GroupResource{Resource: "configmaps"}

func (s *apiServer) get(name string) (*corev1.ConfigMap, error) {
	if found := s.configMaps[name]; found != nil {
		return found.DeepCopy(), nil
	}
	return nil, apierrors.NewNotFound(configMapResource, name)
}

// store replaces a ConfigMap: nil deletes it.
func (s *apiServer) store(name string, after *corev1.ConfigMap, by actor, c *call) {
	before := s.configMaps[name]
	version := s.next()
	if after == nil {
		delete(s.configMaps, name)
	} else {
		after.ResourceVersion = version
		s.configMaps[name] = after
	}
	s.mapsLog = append(s.mapsLog, mapsAt{s.version, maps.Clone(s.configMaps)})
	s.changed(change{name, before, after, by, c})
}

// manage notes who has written an object, which of its data, and when: in whole seconds. A key is whose value it is; a key that is removed
// is nobody's.
func (s *apiServer) manage(before, object *corev1.ConfigMap, by actor) {
	written := map[actor]map[string]bool{by: {}}
	for _, entry := range object.ManagedFields {
		keys := map[string]bool{}
		for key := range dataFields(entry.FieldsV1) {
			keys[strings.TrimPrefix(key, "f:")] = true
		}
		written[actor(entry.Manager)] = keys
	}
	for key, value := range object.Data {
		if old, existed := before.Data[key]; existed && old == value {
			continue
		}
		for _, keys := range written {
			delete(keys, key)
		}
		written[by][key] = true
	}
	if len(object.BinaryData) > 0 && len(before.BinaryData) == 0 {
		written[by]["binary"] = true
	}
	at := &metav1.Time{Time: s.now().Truncate(time.Second)}
	object.ManagedFields = slices.Clone(object.ManagedFields)
	if !slices.ContainsFunc(object.ManagedFields, func(entry metav1.ManagedFieldsEntry) bool { return entry.Manager == string(by) }) {
		object.ManagedFields = append(object.ManagedFields, metav1.ManagedFieldsEntry{Manager: string(by), Operation: "Update"})
	}
	for i := range object.ManagedFields {
		entry := &object.ManagedFields[i]
		entry.FieldsV1 = writtenFields(written[actor(entry.Manager)], object)
		if entry.Manager == string(by) {
			entry.Time = at
		}
	}
}

// dataFields returns the data that someone has written.
func dataFields(written *metav1.FieldsV1) map[string]json.RawMessage {
	var fields map[string]map[string]json.RawMessage
	if err := json.Unmarshal(written.GetRawBytes(), &fields); err != nil {
		panic(err)
	}
	return fields["f:data"]
}

// writtenFields returns managed fields with some keys of the data, as far as an object has them.
func writtenFields(keys map[string]bool, object *corev1.ConfigMap) *metav1.FieldsV1 {
	fields := map[string]map[string]struct{}{"f:metadata": {}}
	for key := range keys {
		if _, exists := object.Data[key]; !exists && (key != "binary" || len(object.BinaryData) == 0) {
			continue
		}
		if fields["f:data"] == nil {
			fields["f:data"] = map[string]struct{}{}
		}
		fields["f:data"]["f:"+key] = struct{}{}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return metav1.NewFieldsV1(string(raw))
}

func (s *apiServer) create(object *corev1.ConfigMap, by actor, c *call) (*corev1.ConfigMap, error) {
	if s.configMaps[object.Name] != nil {
		return nil, apierrors.NewAlreadyExists(configMapResource, object.Name)
	}
	if object.ResourceVersion != "" {
		return nil, apierrors.NewInternalError(errors.New("resourceVersion should not be set on objects to be created"))
	}
	created := object.DeepCopy()
	created.Namespace, created.UID, created.DeletionTimestamp, created.ManagedFields = namespace, s.uid(), nil, nil
	s.manage(&corev1.ConfigMap{}, created, by)
	s.store(object.Name, created, by, c)
	return created.DeepCopy(), nil
}

// update replaces a ConfigMap, as far as its immutability allows. Managed fields are merged unless reset is true.
func (s *apiServer) update(object *corev1.ConfigMap, by actor, c *call) (*corev1.ConfigMap, error) {
	live := s.configMaps[object.Name]
	switch {
	case live == nil:
		return nil, apierrors.NewNotFound(configMapResource, object.Name)
	case object.UID != "" && object.UID != live.UID, object.ResourceVersion != "" && object.ResourceVersion != live.ResourceVersion:
		return nil, apierrors.NewConflict(configMapResource, object.Name, errors.New("the object has been modified"))
	case ptr.Deref(live.Immutable, false) && (!ptr.Deref(object.Immutable, false) || !sameData(object, live)):
		return nil, apierrors.NewInvalid(schema.GroupKind{Kind: "ConfigMap"}, object.Name, nil)
	}
	if faults := validation.ValidateAnnotations(object.Annotations, field.NewPath("metadata", "annotations")); len(faults) > 0 {
		return nil, apierrors.NewInvalid(schema.GroupKind{Kind: "ConfigMap"}, object.Name, faults)
	}
	next := object.DeepCopy()
	next.Namespace, next.UID, next.DeletionTimestamp, next.ResourceVersion = namespace, live.UID, live.DeletionTimestamp, live.ResourceVersion
	if by == operator || len(next.ManagedFields) == 0 {
		next.ManagedFields = live.ManagedFields
	}
	if live.DeletionTimestamp != nil && len(next.Finalizers) == 0 {
		s.store(object.Name, nil, s.deleters[live.UID], c)
		return next, nil
	}
	if sameContent(next, live) {
		return live.DeepCopy(), nil // nothing is written
	}
	s.manage(live, next, by)
	s.store(object.Name, next, by, c)
	return next.DeepCopy(), nil
}

// strip removes all managers of a ConfigMap.
func (s *apiServer) strip(name string) {
	next := s.configMaps[name].DeepCopy()
	next.ManagedFields = nil
	s.store(name, next, hand, nil)
}

func sameData(a, b *corev1.ConfigMap) bool {
	return maps.Equal(a.Data, b.Data) && apiequality.Semantic.DeepEqual(a.BinaryData, b.BinaryData)
}

func sameContent(a, b *corev1.ConfigMap) bool {
	return sameData(a, b) && maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations) && slices.Equal(a.Finalizers, b.Finalizers) &&
		apiequality.Semantic.DeepEqual(a.OwnerReferences, b.OwnerReferences) && ptr.Deref(a.Immutable, false) == ptr.Deref(b.Immutable, false)
}

func (s *apiServer) delete(name string, uid types.UID, by actor, c *call) error {
	live := s.configMaps[name]
	switch {
	case live == nil:
		return apierrors.NewNotFound(configMapResource, name)
	case uid != "" && uid != live.UID:
		return apierrors.NewConflict(configMapResource, name, errors.New("the UID in the precondition does not match"))
	case len(live.Finalizers) == 0:
		s.store(name, nil, by, c)
	case live.DeletionTimestamp == nil:
		next := live.DeepCopy()
		next.DeletionTimestamp = &metav1.Time{Time: noon}
		s.deleters[live.UID] = by
		s.store(name, next, by, c)
	}
	return nil
}

// do carries out the request of an operator.
func (s *apiServer) do(c *call) (*corev1.ConfigMap, error) {
	switch c.verb {
	case serving.Get:
		return s.get(c.object.Name)
	case serving.Create:
		return s.create(c.object, operator, c)
	case serving.Update:
		if c.object.ResourceVersion == "" {
			return nil, apierrors.NewInternalError(errors.New("an update without a resourceVersion"))
		}
		return s.update(c.object, operator, c)
	default:
		if c.object.UID == "" || c.object.ResourceVersion == "" {
			return nil, apierrors.NewInternalError(errors.New("a deletion without a UID and a resourceVersion"))
		}
		if live := s.configMaps[c.object.Name]; live != nil && c.object.ResourceVersion != live.ResourceVersion {
			return nil, apierrors.NewConflict(configMapResource, c.object.Name, errors.New("the resourceVersion in the precondition does not match"))
		}
		return nil, s.delete(c.object.Name, c.object.UID, operator, c)
	}
}

// edit is a hand's edit of a ConfigMap. One that the API server refuses does nothing.
func (s *apiServer) edit(name string, change func(*corev1.ConfigMap)) {
	if s.configMaps[name] == nil {
		return
	}
	next := s.configMaps[name].DeepCopy()
	if next.Data == nil {
		next.Data = map[string]string{}
	}
	change(next)
	_, _ = s.update(next, hand, nil) // it may be immutable
}

// storeTask replaces a task: nil deletes it.
func (s *apiServer) storeTask(name string, after *v1alpha1.MazeTask) {
	version := s.next()
	if after == nil {
		delete(s.tasks, name)
	} else {
		after.ResourceVersion = version
		s.tasks[name] = after
	}
	s.tasksLog = append(s.tasksLog, tasksAt{s.version, maps.Clone(s.tasks)})
}

// deleteTask deletes a task, or marks it as deleted while finalizers hold it.
func (s *apiServer) deleteTask(name string, now time.Time) {
	t := s.tasks[name]
	switch {
	case t == nil, t.DeletionTimestamp != nil:
	case len(t.Finalizers) == 0:
		s.storeTask(name, nil)
	default:
		next := t.DeepCopy()
		next.DeletionTimestamp = &metav1.Time{Time: now}
		next.Generation++
		s.storeTask(name, next)
	}
}
