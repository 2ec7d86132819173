// Package serving decides what the registry of one namespace holds: which task is served under each name, what is to be written for
// that, and what became of each task.
//
// A Pass is one decision. It starts from a Memory, which is what was decided before, and an Observation, which is what has been seen
// since. It then asks, by Next, for requests to the API server until nothing is left to do or a request fails. Outcomes holds what
// became of the tasks that the pass concerns, and Remember the memory for the next pass. So a program that runs passes reads: observe,
// decide, publish, announce, remember.
//
// Nothing here reads a clock, talks to a server or starts a goroutine: the same memory, observation and answers give the same
// decision. A restarted operator starts with an empty memory, and decides as it would have with the old one; what it needs from before
// is in the published registry.
//
// What a pass costs depends on what has changed, not on how many tasks there are: one task is judged, one entry encoded, one shard
// hashed.
//
// # How a registry is written
//
// Shards are immutable, and are named by their content. New shards are created first, then the index is written that names them, and
// what no index names any more is deleted last. These rules keep the registry whole, whatever fails in between and whoever else writes:
//
//   - A shard is named by an index only if it is confirmed: this process has created it, or has read it from the API server while the
//     live index named it.
//   - A shard that an index has ceased to name is never named again. If its name is needed again, it is deleted, and made anew with
//     another UID. So a deletion that a dead process has sent, which carries the UID, never hits a shard in use.
//   - Nothing is deleted before this process has written the index, after it saw what it deletes. The write makes the API server
//     refuse the index that any other process prepared before, and with it the last way in which the shard could be named again. See
//     fence. Only a hand that deletes the index just then takes this away: a shard may then be missing until the next pass makes it anew.
//   - After another process has written the index, only what that index names stays confirmed.
package serving
