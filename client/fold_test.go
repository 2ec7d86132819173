package client

import (
	stdcmp "cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/internal/registry"
)

// TestFold: first is what is there at first, then what happens to it. The last good snapshot is checked after that, and the error.
func TestFold(t *testing.T) {
	one, many := tasks{"image_caption": 1}, numbered(60)
	cases := map[string]struct {
		first   tasks
		then    func(t *testing.T, p *publisher, f *fold, now []*corev1.ConfigMap)
		want    tasks
		wantErr string
		// wantNone says that there never was a good one.
		wantNone bool
	}{
		"no ConfigMap is an empty registry": {},
		"no task":                           {first: tasks{}},
		"one ConfigMap":                     {first: one, want: one},
		"several":                           {first: many, want: many},
		"an edit": {first: one, want: tasks{"image_caption": 2}, then: func(t *testing.T, p *publisher, f *fold, _ []*corev1.ConfigMap) {
			setAll(f, p.publish(t, tasks{"image_caption": 2}))
		}},
		"it splits": {first: one, want: many, then: func(t *testing.T, p *publisher, f *fold, _ []*corev1.ConfigMap) {
			next := p.publish(t, many)
			setAll(f, next[1:])
			wantTasks(t, f, one)
			setAll(f, next[:1])
		}},
		"it merges": {first: many, want: one, then: func(t *testing.T, p *publisher, f *fold, now []*corev1.ConfigMap) {
			setAll(f, p.publish(t, one))
			for _, shard := range now[1:] {
				f.remove(shard.Name)
				wantTasks(t, f, one)
			}
		}},
		"the index before its shards": {first: one, want: one, wantErr: "is not there", then: func(t *testing.T, p *publisher, f *fold, _ []*corev1.ConfigMap) {
			setAll(f, p.publish(t, many)[:2])
		}},
		"a shard of another content": {first: one, want: one, wantErr: "has the digest", then: func(t *testing.T, p *publisher, f *fold, _ []*corev1.ConfigMap) {
			next := p.publish(t, many)
			next[1].Data["task_000"] = strings.Replace(next[1].Data["task_000"], "4096", "1", 1) + " "
			setAll(f, next)
		}},
		"an entry edited": {first: one, want: one, wantErr: "has the digest", then: func(_ *testing.T, _ *publisher, f *fold, now []*corev1.ConfigMap) {
			now[0].Data["image_caption"] += " "
			setAll(f, now)
		}},
		"an edit that is put right": {first: one, want: one, then: func(t *testing.T, _ *publisher, f *fold, now []*corev1.ConfigMap) {
			before, _, _ := f.snapshot()
			right := now[0].DeepCopy()
			now[0].Data["image_caption"] += " "
			setAll(f, now)
			f.set(objectOf(right))
			if after, _, _ := f.snapshot(); after != before {
				t.Error("want the very snapshot from before, got another")
			}
		}},
		"a shard deleted, and back": {first: many, want: many, then: func(t *testing.T, _ *publisher, f *fold, now []*corev1.ConfigMap) {
			f.remove(now[1].Name)
			wantTasks(t, f, many)
			f.set(objectOf(now[1]))
		}},
		"the index deleted": {first: many, want: many, wantErr: "ConfigMap maze-registry is gone",
			then: func(_ *testing.T, _ *publisher, f *fold, now []*corev1.ConfigMap) { f.remove(now[0].Name) }},
		"all deleted": {first: many, want: many, wantErr: "ConfigMap maze-registry is gone",
			then: func(_ *testing.T, _ *publisher, f *fold, _ []*corev1.ConfigMap) { f.replace(nil) }},
		"deleted and made anew, with a lower generation": {first: one, want: tasks{"split_pdf": 1},
			then: func(t *testing.T, p *publisher, f *fold, now []*corev1.ConfigMap) {
				f.remove(now[0].Name)
				p.index = registry.Index{}
				setAll(f, p.publish(t, tasks{"split_pdf": 1}))
			}},
		"a generation that a hand made too high, put right": {first: one, want: tasks{"image_caption": 2},
			then: func(t *testing.T, p *publisher, f *fold, now []*corev1.ConfigMap) {
				high := now[0].DeepCopy()
				high.Data[registry.IndexKey] = strings.Replace(high.Data[registry.IndexKey], `"generation":1`, `"generation":9007199254740991`, 1)
				f.set(objectOf(high))
				if s, _, err := f.snapshot(); err != nil || s.Generation() != 1<<53-1 {
					t.Fatalf("generation %d, %v", s.Generation(), err)
				}
				setAll(f, p.publish(t, tasks{"image_caption": 2}))
			}},
		"another format": {first: one, want: one, wantErr: "has format 2; this version reads 1",
			then: func(_ *testing.T, _ *publisher, f *fold, now []*corev1.ConfigMap) {
				now[0].Data[registry.IndexKey] = `{"format":2,"shards":"elsewhere"}`
				setAll(f, now)
			}},
		"another format from the beginning": {wantErr: "has format 2; this version reads 1", wantNone: true,
			then: func(t *testing.T, p *publisher, f *fold, _ []*corev1.ConfigMap) {
				now := p.publish(t, one)
				now[0].Data[registry.IndexKey] = `{"format":2}`
				setAll(f, now)
			}},
		"someone else's ConfigMap from the beginning": {wantErr: "has no key .index", wantNone: true,
			then: func(_ *testing.T, _ *publisher, f *fold, _ []*corev1.ConfigMap) {
				f.set(objectOf(configMapOf(registry.ConfigMapName, map[string]string{"a": "b"})))
			}},
		"ConfigMaps that are not of a registry": {first: one, want: one,
			then: func(t *testing.T, _ *publisher, f *fold, _ []*corev1.ConfigMap) {
				f.set(objectOf(configMapOf("others", map[string]string{"a": "b"})))
				f.remove("never-seen")
				if len(f.objects) != 1 {
					t.Errorf("want others not kept, got %d", len(f.objects))
				}
			}},
		"an entry that is none": {first: one, want: one, wantErr: `the entry "a": decode an entry`,
			then: func(_ *testing.T, _ *publisher, f *fold, _ []*corev1.ConfigMap) {
				f.set(objectOf(forged(map[string]string{"a": "["})))
			}},
		"an entry under another's name": {first: one, want: one, wantErr: `the entry "a" has the name "b"`,
			then: func(_ *testing.T, _ *publisher, f *fold, _ []*corev1.ConfigMap) {
				f.set(objectOf(forged(map[string]string{"a": `{"name":"b"}`})))
			}},
		"a quantity that takes long": {first: one, want: one, wantErr: "a quantity has an exponent or is none",
			then: func(_ *testing.T, _ *publisher, f *fold, _ []*corev1.ConfigMap) {
				f.set(objectOf(forged(map[string]string{"a": `{"name":"a","kubernetes":{"placement":{"limits":{"cpu":"1e-10000000"}}}}`})))
			}},
		"one shard named again and again": {first: one, want: one, wantErr: `names ConfigMap "maze-registry" twice`,
			then: func(_ *testing.T, _ *publisher, f *fold, now []*corev1.ConfigMap) {
				digest := registry.ContentDigest(now[0].Data)
				ref := fmt.Sprintf(`{"name":"maze-registry","digest":%q,"tasks":1},`, digest)
				now[0].Data[registry.IndexKey] = `{"format":1,"generation":9,"tasks":10001,"shards":[` + strings.Repeat(ref, 10000) + ref[:len(ref)-1] + `]}`
				setAll(f, now)
			}},
		"two shards with one entry": {first: one, want: one, wantErr: `two shards of generation 9 have an entry "image_caption"`,
			then: func(_ *testing.T, _ *publisher, f *fold, now []*corev1.ConfigMap) {
				digest := registry.ContentDigest(now[0].Data)
				f.set(objectOf(configMapOf("maze-registry-0-0123456789", maps.Clone(now[0].Data))))
				f.remove(registry.ConfigMapName)
				now[0].Data[registry.IndexKey] = fmt.Sprintf(`{"format":1,"generation":9,"tasks":2,"shards":[{"name":"maze-registry","digest":%q,"tasks":1},`+
					`{"name":"maze-registry-0-0123456789","digest":%q,"tasks":1}]}`, digest, digest)
				setAll(f, now)
			}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var p publisher
			var f fold
			var now []*corev1.ConfigMap
			if tc.first != nil {
				now = p.publish(t, tc.first)
				setAll(&f, now)
				wantTasks(t, &f, tc.first)
			}
			if tc.then != nil {
				tc.then(t, &p, &f, now)
			}
			s, ok, err := f.snapshot()
			if ok == tc.wantNone {
				t.Errorf("want ok %t, got %t", !tc.wantNone, ok)
			}
			if (err != nil) != (tc.wantErr != "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
				t.Errorf("want the error %q, got %v", tc.wantErr, err)
			}
			if diff := cmp.Diff(maps.Clone(tc.want), tasksOf(t, s)); diff != "" && len(tc.want)+s.Len() > 0 {
				t.Errorf("tasks (-want +got):\n%s", diff)
			}
		})
	}
}

// forged returns an index with the true digest of what anyone may write.
func forged(data map[string]string) *corev1.ConfigMap {
	digest := registry.ContentDigest(data)
	data[registry.IndexKey] = fmt.Sprintf(`{"format":1,"generation":9,"tasks":%d,"shards":[{"name":"maze-registry","digest":%q,"tasks":%d}]}`,
		len(data), digest, len(data))
	return configMapOf(registry.ConfigMapName, data)
}

func configMapOf(name string, data map[string]string) *corev1.ConfigMap {
	configMap := &corev1.ConfigMap{Data: data}
	configMap.Name = name
	return configMap
}

// wantTasks checks that a fold has a registry as it should be now.
func wantTasks(t *testing.T, f *fold, want tasks) {
	t.Helper()
	s, ok, err := f.snapshot()
	if !ok || err != nil {
		t.Fatalf("want a registry, got %t, %v", ok, err)
	}
	if diff := cmp.Diff(want, tasksOf(t, s)); diff != "" {
		t.Fatalf("tasks (-want +got):\n%s", diff)
	}
}

// TestFoldShowsOnlyWhatWasMeant lets tasks change at random, writes each registry as the operator does (new shards first, the index next, old shards
// last, in any order among themselves), has hands meddle, reconnects, and checks after every single event.
func TestFoldShowsOnlyWhatWasMeant(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := &replay{T: t, random: rand.New(rand.NewPCG(seed, 1)), there: map[string]*corev1.ConfigMap{}, meant: map[string]bool{}, meddles: seed%2 == 1}
			for range 30 {
				r.step()
			}
			if r.checked < 60 {
				t.Errorf("only %d events", r.checked)
			}
		})
	}
}

// replay is an operator and a reader.
type replay struct {
	*testing.T
	random    *rand.Rand
	publisher publisher
	fold      fold
	there     map[string]*corev1.ConfigMap
	now       tasks
	// meant are the registries that the operator meant, as text, and last is the newest of them that has an index.
	meant   map[string]bool
	last    string
	meddles bool
	checked int
}

// step changes the tasks and writes the registry.
func (r *replay) step() {
	next := maps.Clone(r.now)
	if next == nil {
		next = tasks{}
	}
	switch r.random.IntN(4) {
	case 0: // so many come that it splits
		for range 30 {
			next[fmt.Sprintf("task_%03d", r.random.IntN(200))]++
		}
	case 1: // and merges
		for name := range next {
			if r.random.IntN(3) > 0 {
				delete(next, name)
			}
		}
	default:
		next[fmt.Sprintf("task_%03d", r.random.IntN(200))] += int64(r.random.IntN(2))
	}
	for name, generation := range next {
		if generation == 0 {
			delete(next, name)
		}
	}
	r.now = next
	all := r.publisher.publish(r, next)
	r.meant[fmt.Sprint(next)] = true
	index, shards := all[0], all[1:]
	r.random.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
	named := map[string]bool{index.Name: true}
	for _, shard := range shards {
		named[shard.Name] = true
		r.write(shard)
	}
	r.meddle(shards)
	r.last = fmt.Sprint(next)
	r.write(index)
	for name := range r.there { // in any order
		if !named[name] {
			r.remove(name)
		}
	}
}

// meddle does what hands may do, and what the operator puts right before it writes an index.
func (r *replay) meddle(shards []*corev1.ConfigMap) {
	if !r.meddles {
		return
	}
	if old := r.there[registry.ConfigMapName]; old != nil && r.random.IntN(3) == 0 {
		harmed := old.DeepCopy()
		harmed.Data["ghost"] = `{"name":"ghost"}`
		if r.random.IntN(2) == 0 {
			harmed.Data = nil
		}
		r.write(harmed)
		r.remove(registry.ConfigMapName)
	}
	if len(shards) > 0 && r.random.IntN(3) == 0 {
		harmed := shards[0].DeepCopy()
		clear(harmed.Data)
		r.remove(harmed.Name)
		r.write(harmed)
		r.remove(harmed.Name)
		r.write(shards[0])
	}
}

func (r *replay) write(configMap *corev1.ConfigMap) {
	r.there[configMap.Name] = configMap
	r.fold.set(objectOf(configMap.DeepCopy()))
	r.check()
}

func (r *replay) remove(name string) {
	delete(r.there, name)
	r.fold.remove(name)
	r.check()
}

// check reads the registry after an event, and again, now and then, as one who has lost the connection.
func (r *replay) check() {
	r.checked++
	s, ok, err := r.fold.snapshot()
	if !ok || err != nil && !r.meddles {
		r.Fatalf("event %d: %t, %v", r.checked, ok, err)
	}
	got := fmt.Sprint(tasksOf(r, s))
	if s.Len() > 0 && !r.meant[got] || !r.meddles && got != stdcmp.Or(r.last, "map[]") {
		r.Fatalf("event %d: nobody meant %s", r.checked, got)
	}
	if r.random.IntN(20) > 0 {
		return
	}
	var again []*object
	for _, configMap := range r.there {
		again = append(again, objectOf(configMap))
	}
	r.fold.replace(again)
	if relisted, _, _ := r.fold.snapshot(); relisted != s {
		r.Fatalf("event %d: a reconnect makes another snapshot: %v", r.checked, tasksOf(r, relisted))
	}
}

// FuzzFold: whatever stands in the ConfigMaps, nothing panics, errors are short, and what is accepted is whole.
func FuzzFold(f *testing.F) {
	item := itemOf(f, "a", 1)
	for _, index := range []string{
		``, `null`, `{}`, `{"format":1}`,
		`{"format":1,"generation":1,"shards":[{"digest":"ROOT","name":"maze-registry","prefix":"","tasks":1}],"tasks":1}`,
		`{"format":1,"generation":1,"shards":[{"digest":"SHARD","name":"maze-registry-0-0123456789","tasks":1},{"digest":"ROOT","name":"maze-registry","tasks":1}],"tasks":2}`,
		`{"format":1,"generation":1,"shards":[{"name":""},{},null],"tasks":-1}`,
	} {
		f.Add(index, "a", item.Text, "b", `{"name":"b"}`)
	}
	f.Fuzz(func(t *testing.T, indexText, rootKey, rootText, shardKey, shardText string) {
		root, shard := map[string]string{rootKey: rootText}, map[string]string{shardKey: shardText}
		digests := strings.NewReplacer("ROOT", registry.ContentDigest(root), "SHARD", registry.ContentDigest(shard))
		root[registry.IndexKey] = digests.Replace(indexText)
		var reader fold
		reader.set(objectOf(configMapOf("maze-registry-0-0123456789", shard)))
		reader.set(objectOf(configMapOf(registry.ConfigMapName, root)))
		s, ok, err := reader.snapshot()
		if ok != (err == nil) {
			t.Fatalf("ok is %t, and the error is %v", ok, err)
		}
		if err != nil {
			if text := bounded(err).Error(); len(text) > maxMessage+10 {
				t.Errorf("an error of %d bytes", len(text))
			}
			return
		}
		for _, entry := range s.List() {
			text := root[entry.Name]
			if shard[entry.Name] != "" {
				text = shard[entry.Name]
			}
			if digest, _ := s.Digest(entry.Name); digest != registry.EntryDigest(text) {
				t.Errorf("an entry that is in no ConfigMap: %q", entry.Name)
			}
		}
	})
}

// TestReadersShareShards: a process with many readers holds every entry once, and no longer than any of them needs it.
func TestReadersShareShards(t *testing.T) {
	digest := shareShards(t)
	for range 100 { // cleanups run after the collection, by themselves
		runtime.GC()
		shards.Lock()
		_, known := shards.known[digest]
		shards.Unlock()
		if !known {
			return
		}
		runtime.Gosched()
	}
	t.Error("a shard that nobody reads is still known")
}

// shareShards has two readers read one registry, and returns the digest of a shard of it. Nobody reads it after that.
func shareShards(t *testing.T) string {
	var p publisher
	all := p.publish(t, numbered(60))
	var readers [2]fold
	for i := range readers {
		for _, configMap := range all {
			readers[i].set(objectOf(configMap.DeepCopy()))
		}
	}
	a, _, _ := readers[0].snapshot()
	b, _, _ := readers[1].snapshot()
	if a.Len() != 60 || !slices.Equal(a.records(), b.records()) {
		t.Error("two readers of one registry hold other records")
	}
	edited := numbered(60)
	edited["task_000"] = 2
	setAll(&readers[0], p.publish(t, edited))
	after, _, err := readers[0].snapshot()
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, record := range after.records() {
		if slices.Contains(a.records(), record) {
			kept++
		}
	}
	if kept != 59 {
		t.Errorf("want 59 entries not decoded again, got %d", kept)
	}
	digest := readers[0].objects[all[1].Name].digest
	shards.Lock()
	defer shards.Unlock()
	if _, known := shards.known[digest]; !known {
		t.Error("a shard that is read is not known")
	}
	runtime.KeepAlive(readers)
	return digest
}

func TestErrorsAreShort(t *testing.T) {
	for name, err := range map[string]error{
		"none": nil, "short": errors.New("short"), "long": errors.New(strings.Repeat("说", 1000)), "bytes": errors.New(strings.Repeat("\xff", 1000)),
	} {
		got := bounded(err)
		if (got == nil) != (err == nil) || got != nil && (len(got.Error()) > maxMessage+10 || strings.ToValidUTF8(got.Error(), "") != got.Error()) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
