package serving

import (
	"errors"
	"testing"

	"github.com/maze-agent/maregister/internal/registry"
)

// TestServed: what others judge by is what the registry serves for certain, and never what is only assumed.
func TestServed(t *testing.T) {
	served, target := registry.NewTree(registry.DefaultShardSize), registry.NewTree(registry.DefaultShardSize)
	read := &indexState{holds: served}
	for name, tc := range map[string]struct {
		pass Pass
		want Served
	}{
		"published":               {Pass{published: true, target: target, served: served}, Served{Tree: target}},
		"not published, and read": {Pass{target: target, served: served, maps: configMaps{index: read}}, Served{Tree: served}},
		"not published, and the index is not known": {Pass{target: target, served: served}, Served{}},
		"behind":                           {Pass{behind: true, served: served, maps: configMaps{index: read}}, Served{}},
		"others change it again and again": {Pass{behind: true, contested: true, served: served}, Served{Conflict: contested().Message}},
		"someone else's":                   {Pass{served: served, maps: configMaps{index: &indexState{foreign: true}}}, Served{Conflict: foreign("maze-registry", "at once").Message}},
		"broken by others, and not put right": {
			Pass{served: served, failure: errors.New("refused"), maps: configMaps{index: &indexState{byOthers: true}}},
			Served{Conflict: "others have changed ConfigMap maze-registry, and it could not be put right yet: the operator goes on trying, and its log says what " +
				"is in the way"},
		},
		"an entry is assumed": {
			Pass{served: served, assumed: map[string]bool{"a": true}, maps: configMaps{index: read}}, Served{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.pass.Served()
			if got.Tree != tc.want.Tree || got.Conflict != tc.want.Conflict {
				t.Errorf("want %v, got %v", tc.want, got)
			}
			if known := tc.want.Tree != nil || tc.want.Conflict != ""; got.IsKnown() != known {
				t.Errorf("IsKnown(): want %t", known)
			}
		})
	}
}
