package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/client-go/rest"
)

// reachTimeout bounds one try to reach the API server.
const reachTimeout = 2 * time.Second

// notReadyLimit is the time for which an API server that answers may say that it is not ready. Then the manager starts all the same.
const notReadyLimit = 10 * time.Second

// awaitAPIServer waits until the API server answers and is ready. A manager that starts sooner would fail, and the kubelet would wait
// longer before each next try.
func awaitAPIServer(ctx context.Context, cluster *rest.Config, probes *probes, outage *outage) error {
	cluster = rest.CopyConfig(cluster)
	cluster.Timeout = reachTimeout
	requests, err := rest.HTTPClientFor(cluster)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	defer requests.CloseIdleConnections()
	server, _, err := rest.DefaultServerUrlFor(cluster)
	if err != nil {
		return fmt.Errorf("find the API server: %w", err)
	}
	url := server.JoinPath("readyz").String()
	var answers time.Time // since when
	for {
		status, err := reach(ctx, requests, url)
		if err == nil && answers.IsZero() {
			answers = time.Now()
		}
		// One that does not let this account ask is as good as ready.
		if err == nil && (status < http.StatusInternalServerError || time.Since(answers) >= notReadyLimit) {
			outage.end()
			probes.waitFor(nil)
			return nil
		}
		if err == nil {
			err = fmt.Errorf("it answers %d %s", status, http.StatusText(status))
		}
		outage.begin(err.Error())
		probes.waitFor(fmt.Errorf("the operator waits for the API server: %w", err))
		if !pause(ctx, pollPeriod) {
			return ctx.Err()
		}
	}
}

// reach returns the status of the API server's answer.
func reach(ctx context.Context, requests *http.Client, url string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	response, err := requests.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
