package terminal

import "context"

// StdinArgument stands for the standard input where a file is asked for.
const StdinArgument = "-"

// StdinName is what findings call the standard input.
const StdinName = "<stdin>"

// Until does what may wait for a pipe that never ends, as long as the context does not. What is waited for then is left behind: a
// read of a pipe cannot be called off.
func Until[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	if ctx.Err() != nil {
		return *new(T), context.Cause(ctx)
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), context.Cause(ctx)
	}
}
