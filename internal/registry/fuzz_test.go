package registry

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FuzzParse: whatever stands in the ConfigMaps, Parse does not panic, and what it accepts is whole. In the index, ROOT
// and SHARD stand for the true digests of maze-registry and of the other ConfigMap, which a fuzzer would never find.
func FuzzParse(f *testing.F) {
	for _, index := range []string{
		``, `null`, `[]`, `{}`, `{"format":2}`, `{"format":1}`,
		`{"format":1,"generation":1,"shards":[{"digest":"ROOT","name":"maze-registry","prefix":"","tasks":1}],"tasks":1}`,
		`{"format":1,"generation":1,"shards":[{"digest":"SHARD","name":"maze-registry-0-a","prefix":"0","tasks":1},{"digest":"ROOT","name":"maze-registry"}],"tasks":2}`,
		`{"format":1,"generation":-1,"shards":[{"name":""},{}],"tasks":-1}`,
		`{"format":1,"shards":[null],"tasks":1000}`,
	} {
		f.Add(index, "task-0", `{"name":"task-0"}`, "task-1", `{"name":"task-1"}`)
	}
	f.Add(`{"format":1,"shards":[{"digest":"SHARD","name":"s"}],"tasks":0}`, "", "", IndexKey, "")
	f.Fuzz(func(t *testing.T, indexText, rootKey, rootText, shardKey, shardText string) {
		shard := &corev1.ConfigMap{Data: map[string]string{shardKey: shardText}}
		index := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: ConfigMapName}, Data: map[string]string{rootKey: rootText}}
		digests := strings.NewReplacer("ROOT", ContentDigest(index.Data), "SHARD", ContentDigest(shard.Data))
		index.Data[IndexKey] = digests.Replace(indexText)

		entries, err := Parse(index, func(name string) *corev1.ConfigMap {
			if strings.HasPrefix(name, "missing") {
				return nil
			}
			return shard
		})
		if err != nil {
			return
		}
		decoded, err := DecodeIndex(index)
		if err != nil {
			t.Fatalf("Parse accepts what DecodeIndex does not: %v", err)
		}
		if len(entries) != decoded.Tasks {
			t.Errorf("want %d entries, got %d", decoded.Tasks, len(entries))
		}
		for key, text := range entries {
			if key == IndexKey || index.Data[key] != text && shard.Data[key] != text {
				t.Errorf("an entry that is in no ConfigMap: %q: %q", key, text)
			}
		}
	})
}

// FuzzDecode: whatever an entry's text is, Decode does not panic, keeps the text, and canonical JSON of what it read is a fixed point.
func FuzzDecode(f *testing.F) {
	entry, err := NewEntry(fullTask(), fullInterface(), gpuPlacement(), nil)
	if err != nil {
		f.Fatal(err)
	}
	full, err := entry.Encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		full.Text, ``, `null`, `[]`, `{}`, `{"name":null}`, `{"NAME":"a","name":"b"}`, `{"name":"\ud800"}`,
		`{"input_parameters":null,"output_parameters":1e400,"schema":{"input":[],"output":"x"}}`,
		`{"kubernetes":{"uid":"u","generation":9223372036854775807,"placement":{"requests":{"cpu":"1e3","memory":1,"":"0.5Ki"}}}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		item, err := Decode(text)
		if err != nil {
			return
		}
		if item.Text != text || item.Digest != sha(text) {
			t.Errorf("Decode(%q): want the text and its digest, got %q and %s", text, item.Text, item.Digest)
		}
		var read Entry
		if err := json.Unmarshal([]byte(text), &read); err != nil {
			t.Fatalf("Decode(%q) accepts what is no entry: %v", text, err)
		}
		once, err := read.Encode()
		if err != nil {
			t.Fatalf("Encode() of %q: %v", text, err)
		}
		var again Entry
		if err := json.Unmarshal([]byte(once.Text), &again); err != nil {
			t.Fatalf("Decode(%q), which Encode wrote: %v", once.Text, err)
		}
		if twice, err := again.Encode(); err != nil || twice.Text != once.Text {
			t.Errorf("Encode(Decode(...)): want the same text, got %v and\n%s\n%s", err, once.Text, twice.Text)
		}
	})
}
