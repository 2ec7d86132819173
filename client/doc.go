// Package client reads the registry that the operator publishes in a namespace: for schedulers, DAG builders, predictors and everyone else
// who needs to know which tasks there are.
//
// A [Registry] follows the ConfigMaps of one namespace, by a single watch, or a folder where the ConfigMap maze-registry is mounted:
//
//	tasks, err := client.New(config, "vision") // or client.NewFromFolder("/etc/maze-registry", 10*time.Second)
//	…
//	go tasks.Start(ctx)
//	if err := tasks.WaitForSync(ctx); err != nil { … }
//	caption, ok := tasks.Get("image_caption")
//
// It needs neither MazeTasks nor any right but to watch ConfigMaps.
//
// # What it promises
//
// Every [Snapshot] is a registry that was published, whole: the shards that an index names, with the digests that it gives. A state
// that is not whole, not legible or of a format that this version does not know is never shown; [Registry.Err] tells of it, and
// the last good snapshot stays. While nobody but the operator writes, nothing goes backwards: an entry's generation does not
// decrease, and a deleted task's UID does not come back. Digests are against torn reads and accidents, not against forgers: whoever may
// write ConfigMaps in the namespace may write a whole registry, until the operator puts it right. Who must be sure of an entry compares the
// SHA-256 of its text in the ConfigMap with status.entry.digest of its MazeTask, which only the operator writes.
//
// # Where there is no registry
//
// A namespace gets its registry with its first task, and keeps it, empty, when the last one goes. So one that has none when it is first
// read has no task. If it vanishes later, then by hand, and the operator will make it anew, or because the namespace is being deleted: that
// says nothing of the tasks, and the last snapshot stays.
package client
