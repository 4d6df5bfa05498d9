package store

import (
	"context"

	"go.etcd.io/bbolt"
)

// commitMost bounds how many changes share a commit.
const commitMost = 1024

// A change is one write to the file. What it returns is for its caller alone:
// it must have changed nothing when that is an error.
type change struct {
	apply func(*bbolt.Tx) error
	err   error
	done  chan error
}

// A committer makes changes lasting. Changes that arrive while the disk is busy
// with a commit share the next one, so that many writers cost one flush, and a
// single one never waits for others.
type committer struct {
	db      *bbolt.DB
	changes chan *change // without room: who waits in it joins the next commit
}

// do returns when the change is on the disk, or is not going to be. When the
// context ends first, the change may or may not be made.
func (c *committer) do(ctx, life context.Context, apply func(*bbolt.Tx) error) error {
	ch := &change{apply: apply, done: make(chan error, 1)}
	select {
	case c.changes <- ch:
	case <-ctx.Done():
		return unavailable(ctx.Err())
	case <-life.Done():
		return unavailable(errClosed)
	}
	select {
	case err := <-ch.done:
		return err
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// run commits until life ends. Every change that it has accepted gets an answer.
func (c *committer) run(life context.Context) {
	for {
		select {
		case ch := <-c.changes:
			c.commit(c.gather(ch))
		case <-life.Done():
			return
		}
	}
}

// gather takes who waits already.
func (c *committer) gather(first *change) []*change {
	batch := []*change{first}
	for len(batch) < commitMost {
		select {
		case ch := <-c.changes:
			batch = append(batch, ch)
		default:
			return batch
		}
	}
	return batch
}

func (c *committer) commit(batch []*change) {
	err := c.db.Update(func(tx *bbolt.Tx) error {
		for _, ch := range batch {
			ch.err = ch.apply(tx)
		}
		return nil
	})
	for _, ch := range batch {
		if err != nil {
			ch.err = unavailable(err)
		}
		ch.done <- ch.err
	}
}
