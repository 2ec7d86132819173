// Package faults runs the manager as it is built against a real etcd and kube-apiserver, does faults to it while tasks, nodes and
// registries change, and checks that it keeps what the documentation promises.
//
// A plan is a scenario (what users do) and one or two faults (what goes wrong meanwhile). It follows from a seed and a number alone, so
// that "make faults REPLAY=<seed>/<number>" repeats it. Each plan has a namespace of its own, a manager process that watches this
// namespace only, and a proxy between that process and the API server. All plans share one API server.
//
//   - plan.go draws plans; kinds.go has the kinds of faults; scenarios*.go have what users do.
//   - proxy*.go stand between manager and API server, and do what is wrong with requests, watches and connections. process.go has the
//     manager process, which is started again when it ends, as the kubelet does.
//   - observer.go records every version of tasks, ConfigMaps and leases by a connection of its own; replay*.go go through them in the
//     order of their resourceVersions and check what must always hold. windows.go has the exceptions, each with its reason.
//   - oracle*.go have what must hold in the end: they are written from README.md and docs/, and share no code with the operator.
//     Whether a spec is valid is not computed: each spec says in spec.source.path what the scenario made of it.
//   - named.go has the plans that showed faults of the operator, so that each stays reproducible.
//
// A plan whose fault did not strike is counted as such. A failure prints the plan, what was written, the difference and the command that
// repeats it. Timing is the machine's, so a repetition does the same things, in an order that may differ in detail.
package faults
