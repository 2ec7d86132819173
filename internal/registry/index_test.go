package registry

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNewIndex(t *testing.T) {
	root := &Shard{Name: ConfigMapName, Items: itemsOf(2, 10), Digest: "sha256:r"}
	left := &Shard{Name: "maze-registry-0-l", Prefix: "0", Items: itemsOf(3, 10), Digest: "sha256:l"}
	right := &Shard{Name: "maze-registry-1-r", Prefix: "1", Items: itemsOf(4, 10), Digest: "sha256:r"}
	edited := &Shard{Name: "maze-registry-1-e", Prefix: "1", Items: itemsOf(4, 10), Digest: "sha256:e"}
	rootRef := ShardRef{Name: ConfigMapName, Tasks: 2, Digest: "sha256:r"}
	leftRef := ShardRef{Name: "maze-registry-0-l", Prefix: "0", Tasks: 3, Digest: "sha256:l"}
	rightRef := ShardRef{Name: "maze-registry-1-r", Prefix: "1", Tasks: 4, Digest: "sha256:r"}
	editedRef := ShardRef{Name: "maze-registry-1-e", Prefix: "1", Tasks: 4, Digest: "sha256:e"}

	cases := map[string]struct {
		shards   []*Shard
		previous Index
		want     Index
	}{
		"The first state has generation 1": {
			shards: []*Shard{root},
			want:   Index{Format: 1, Generation: 1, Tasks: 2, Shards: []ShardRef{rootRef}},
		},
		"So has a first state without entries": {
			shards: Split(nil, DefaultShardSize),
			want:   Index{Format: 1, Generation: 1, Shards: []ShardRef{{Name: ConfigMapName, Digest: sha("")}}},
		},
		"The same content keeps its generation": {
			shards:   []*Shard{left, right},
			previous: Index{Format: 1, Generation: 7, Tasks: 7, Shards: []ShardRef{leftRef, rightRef}},
			want:     Index{Format: 1, Generation: 7, Tasks: 7, Shards: []ShardRef{leftRef, rightRef}},
		},
		"Only the shards count": {
			shards:   []*Shard{left, right},
			previous: Index{Format: 0, Generation: 7, Tasks: 1000, Shards: []ShardRef{leftRef, rightRef}},
			want:     Index{Format: 1, Generation: 7, Tasks: 7, Shards: []ShardRef{leftRef, rightRef}},
		},
		"An edit": {
			shards:   []*Shard{left, edited},
			previous: Index{Format: 1, Generation: 7, Tasks: 7, Shards: []ShardRef{leftRef, rightRef}},
			want:     Index{Format: 1, Generation: 8, Tasks: 7, Shards: []ShardRef{leftRef, editedRef}},
		},
		"An edit of the only shard": {
			shards:   []*Shard{root},
			previous: Index{Format: 1, Generation: 7, Tasks: 2, Shards: []ShardRef{{Name: ConfigMapName, Tasks: 2, Digest: "sha256:s"}}},
			want:     Index{Format: 1, Generation: 8, Tasks: 2, Shards: []ShardRef{rootRef}},
		},
		"After the largest generation comes 1": {
			shards:   []*Shard{left, edited},
			previous: Index{Format: 1, Generation: 1<<53 - 1, Tasks: 7, Shards: []ShardRef{leftRef, rightRef}},
			want:     Index{Format: 1, Generation: 1, Tasks: 7, Shards: []ShardRef{leftRef, editedRef}},
		},
		"A split": {
			shards:   []*Shard{left, right},
			previous: Index{Format: 1, Generation: 7, Tasks: 2, Shards: []ShardRef{rootRef}},
			want:     Index{Format: 1, Generation: 8, Tasks: 7, Shards: []ShardRef{leftRef, rightRef}},
		},
		"The last entry goes": {
			shards:   Split(nil, DefaultShardSize),
			previous: Index{Format: 1, Generation: 7, Tasks: 2, Shards: []ShardRef{rootRef}},
			want:     Index{Format: 1, Generation: 8, Shards: []ShardRef{{Name: ConfigMapName, Digest: sha("")}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, NewIndex(tc.shards, tc.previous)); diff != "" {
				t.Errorf("NewIndex(...): -want, +got:\n%s", diff)
			}
		})
	}
}

func TestIndexEncode(t *testing.T) {
	cases := map[string]struct {
		index Index
		want  string
	}{
		"One shard": {
			index: NewIndex(Split(nil, DefaultShardSize), Index{}),
			want:  `{"format":1,"generation":1,"shards":[{"digest":"` + sha("") + `","name":"maze-registry","prefix":"","tasks":0}],"tasks":0}`,
		},
		"A large generation": {
			index: Index{Format: 1, Generation: 1<<53 - 1, Tasks: 2, Shards: []ShardRef{{Name: "a", Prefix: "0", Tasks: 1}, {Name: "b", Prefix: "1", Tasks: 1}}},
			want: `{"format":1,"generation":9007199254740991,"shards":[{"digest":"","name":"a","prefix":"0","tasks":1},` +
				`{"digest":"","name":"b","prefix":"1","tasks":1}],"tasks":2}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := tc.index.Encode()
			if err != nil {
				t.Fatalf("Encode(): %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Encode(): -want, +got:\n%s", diff)
			}
			decoded, err := DecodeIndex(&corev1.ConfigMap{Data: map[string]string{IndexKey: got}})
			if err != nil {
				t.Fatalf("DecodeIndex(...): %v", err)
			}
			if diff := cmp.Diff(tc.index, decoded); diff != "" {
				t.Errorf("DecodeIndex(Encode()): -want, +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeIndexRefuses(t *testing.T) {
	text := func(index string) map[string]string { return map[string]string{IndexKey: index} }
	cases := map[string]struct {
		data map[string]string
		want string
	}{
		"No data":            {want: "ConfigMap maze-registry has no key .index"},
		"Only entries":       {data: map[string]string{"a": "{}"}, want: "ConfigMap maze-registry has no key .index"},
		"An empty text":      {data: text(""), want: "decode .index of ConfigMap maze-registry: unexpected end of JSON input"},
		"Half of it":         {data: text(`{"format":1,`), want: "decode .index of ConfigMap maze-registry: unexpected end of JSON input"},
		"A later format":     {data: text(`{"format":2}`), want: "ConfigMap maze-registry has format 2; this version reads 1"},
		"No format":          {data: text(`{}`), want: "ConfigMap maze-registry has format 0; this version reads 1"},
		"null":               {data: text(`null`), want: "ConfigMap maze-registry has format 0; this version reads 1"},
		"No generation":      {data: text(`{"format":1}`), want: "ConfigMap maze-registry has generation 0, which no operator writes"},
		"A huge generation":  {data: text(`{"format":1,"generation":9007199254740992}`), want: "ConfigMap maze-registry has generation 9007199254740992, which no operator writes"},
		"A negative format":  {data: text(`{"format":-1}`), want: "ConfigMap maze-registry has format -1; this version reads 1"},
		"Too many tasks":     {data: text(`{"format":1,"tasks":1e99}`), want: "decode .index of ConfigMap maze-registry: json: cannot unmarshal number 1e99 into Go struct field Index.tasks of type int"},
		"Shards of one text": {data: text(`{"format":1,"shards":"a"}`), want: "decode .index of ConfigMap maze-registry: json: cannot unmarshal string into Go struct field Index.shards of type []registry.ShardRef"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeIndex(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: ConfigMapName}, Data: tc.data})
			if err == nil || err.Error() != tc.want {
				t.Errorf("DecodeIndex(...): want error %q, got %v", tc.want, err)
			}
		})
	}
}

// TestIndexIsCanonical: the text is what encoding it as JSON with sorted keys gives.
func TestIndexIsCanonical(t *testing.T) {
	for name, index := range map[string]Index{
		"zero":     {},
		"a shard":  {Format: 1, Generation: 7, Tasks: 2, Shards: []ShardRef{{Name: ConfigMapName, Tasks: 2, Digest: "sha256:r"}}},
		"any text": {Shards: []ShardRef{{Name: "<a>\u2028", Prefix: "\"\n"}, {}}},
	} {
		want, err := canonicalJSON(index)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := index.Encode(); err != nil || got != string(want) {
			t.Errorf("%s: got %s and %v, want %s", name, got, err, want)
		}
	}
}
