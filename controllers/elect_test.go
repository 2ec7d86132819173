package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// TestElectRemembersWhoWasOverwritten: only a task that had the name can lose it. Of the tasks v1, v2 and v3, the higher the newer.
func TestElectRemembersWhoWasOverwritten(t *testing.T) {
	steps := []struct {
		what  string
		tasks []string
		want  ownership
	}{
		{"the first", []string{"v1"}, ownership{owner: "v1"}},
		{"a second one overwrites it", []string{"v1", "v2"}, ownership{owner: "v2", overwrote: "v1"}},
		{"which is still to be told", []string{"v1", "v2"}, ownership{owner: "v2", overwrote: "v1"}},
		{"a third one overwrites the second, not the first", []string{"v1", "v2", "v3"}, ownership{owner: "v3", overwrote: "v2"}},
		{"the third goes: the second overwrites nobody", []string{"v1", "v2"}, ownership{owner: "v2"}},
		{"all go", nil, ownership{}},
		{"several come at once", []string{"v3", "v1", "v2"}, ownership{owner: "v3", overwrote: "v2"}},
	}
	r, remembered := &registryReconciler{shardSize: registry.DefaultShardSize}, &memory{}
	for _, step := range steps {
		s := &scope{memory: remembered, judged: map[types.UID]*judgement{}}
		for _, name := range step.tasks {
			task := v1alpha1.MazeTask{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)}, Spec: v1alpha1.MazeTaskSpec{Name: "ocr"}}
			task.CreationTimestamp = metav1.NewTime(noon.Add(time.Duration(name[1]) * time.Second))
			s.tasks = append(s.tasks, task)
			s.judged[task.UID] = &judgement{served: &placed{Item: registry.Item{Name: "ocr"}}}
		}
		if err := r.elect(t.Context(), s); err != nil {
			t.Fatalf("%s: elect(...): %v", step.what, err)
		}
		if diff := cmp.Diff(step.want, remembered.owned["ocr"], cmp.AllowUnexported(ownership{})); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", step.what, diff)
		}
	}
}
