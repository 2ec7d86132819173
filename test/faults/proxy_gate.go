package faults

import (
	"net"
	"sync"
)

// passage says what becomes of the bytes of connections.
type passage int

const (
	open   passage = iota
	closed         // connections are closed as soon as they are made
	silent         // nothing arrives, and nobody is told
)

// gate is a listener whose connections can be cut, refused and silenced.
type gate struct {
	net.Listener

	mu    sync.Mutex
	state passage
	heard chan struct{} // closed unless the state is silent
	conns map[*gatedConn]bool
}

func newGate(listener net.Listener) *gate {
	heard := make(chan struct{})
	close(heard)
	return &gate{Listener: listener, heard: heard, conns: map[*gatedConn]bool{}}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		gated := &gatedConn{Conn: conn, gate: g}
		g.mu.Lock()
		refused := g.state == closed
		if !refused {
			g.conns[gated] = true
		}
		g.mu.Unlock()
		if !refused {
			return gated, nil
		}
		_ = conn.Close() // that is what is to happen
	}
}

func (g *gate) set(state passage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == silent && state != silent {
		close(g.heard)
	}
	if g.state != silent && state == silent {
		g.heard = make(chan struct{})
	}
	g.state = state
}

// cut closes all connections.
func (g *gate) cut() {
	g.mu.Lock()
	conns := g.conns
	g.conns = map[*gatedConn]bool{}
	g.mu.Unlock()
	for conn := range conns {
		_ = conn.Conn.Close() // that is what is to happen
	}
}

// wait waits until the gate is not silent.
func (g *gate) wait() {
	g.mu.Lock()
	heard := g.heard
	g.mu.Unlock()
	<-heard
}

type gatedConn struct {
	net.Conn
	gate *gate
}

// Read implements net.Conn.
func (c *gatedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.gate.wait()
	return n, err
}

// Write implements net.Conn.
func (c *gatedConn) Write(b []byte) (int, error) {
	c.gate.wait()
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *gatedConn) Close() error {
	c.gate.mu.Lock()
	delete(c.gate.conns, c)
	c.gate.mu.Unlock()
	return c.Conn.Close()
}
