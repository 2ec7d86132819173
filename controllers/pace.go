package controllers

import (
	"bufio"
	"context"
	"net"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

const (
	// readsPerSecond is how often a paced connection is read. What it delays by, a twentieth of a second, is nothing to a
	// placement; and most of what an event costs is to wake up for it, which this shares among all that came meanwhile.
	readsPerSecond = 20
	// readSize, in bytes, holds what comes meanwhile in a large cluster: 50 nodes with their images, and more.
	readSize = 512 << 10
)

// paced gives a configuration whose connections are read seldom and then all at once: for watches of objects that change all
// the time in what does not matter.
func paced(config *rest.Config) *rest.Config {
	dial := config.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	config = rest.CopyConfig(config)
	config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		limiter := flowcontrol.NewTokenBucketRateLimiter(readsPerSecond, 1)
		return &pacedConn{Conn: conn, buffer: bufio.NewReaderSize(conn, readSize), limiter: limiter}, nil
	}
	return config
}

// pacedConn is a connection that is read at the limiter's rate.
type pacedConn struct {
	net.Conn
	buffer  *bufio.Reader
	limiter flowcontrol.RateLimiter
}

// Read implements net.Conn.
func (c *pacedConn) Read(b []byte) (int, error) {
	if c.buffer.Buffered() == 0 {
		c.limiter.Accept()
	}
	return c.buffer.Read(b)
}
