package caches

import (
	"encoding/json"
	"runtime"
	"sync"
	"weak"
)

// interner returns one pointer for all values that are equal when encoded. Values that nobody uses any more are forgotten. It is
// for values that nobody changes: a cache of thousands of tasks holds a few dozen placements.
type interner[T any] struct {
	mu    sync.Mutex
	known map[string]weak.Pointer[T]
}

// intern returns the value that stands for all of its content. A value that cannot be encoded stands for itself.
func (i *interner[T]) intern(value *T) *T {
	encoded, err := json.Marshal(value)
	if value == nil || err != nil {
		return value
	}
	key := string(encoded)
	i.mu.Lock()
	defer i.mu.Unlock()
	if shared := i.known[key].Value(); shared != nil {
		return shared
	}
	if i.known == nil {
		i.known = map[string]weak.Pointer[T]{}
	}
	i.known[key] = weak.Make(value)
	runtime.AddCleanup(value, i.forget, key)
	return value
}

// forget drops a value that is collected, unless an equal one has taken its place.
func (i *interner[T]) forget(key string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if pointer, known := i.known[key]; known && pointer.Value() == nil {
		delete(i.known, key)
	}
}
