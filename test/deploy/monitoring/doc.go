// Package monitoring tests what of MaRegister is told to Prometheus: that the rules and the dashboard of the chart are well-formed, and
// that what they ask for is there when the real manager and the real kube-state-metrics are scraped.
package monitoring
