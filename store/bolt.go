package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/grapnel-gateway/grapnel"
)

// The embedded file: sessions by id, with the moment in which they expire in
// front; the ids of those that expire, by that moment; the same for records;
// documents by kind.
// docs/decisions/embedded-store.md says what survives what.
const (
	sessionBucket  = "sessions"
	expiryBucket   = "expiries"
	recordBucket   = "records"
	lapseBucket    = "lapses" // of records
	documentBucket = "documents"

	stampLen  = 8    // bytes of a moment: Unix nanoseconds, big-endian
	sweepMost = 1000 // of each kind, what has expired and is removed by one commit
)

// embedded is the store in a file, for one gateway.
type embedded struct {
	*local
	db     *bbolt.DB
	writes *committer
	counts *quotaLog
	log    *slog.Logger
}

// openFile opens or creates the file, and the log of quotas beside it.
func openFile(path string, o Options) (grapnel.Store, error) {
	if path == "" {
		return nil, errors.New("store: file: names no file")
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("store: another process has %s open; one gateway at a time can use an embedded file, several can share a Redis", path)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", path, err)
	}
	e := &embedded{db: db, log: o.Log, writes: &committer{db: db, changes: make(chan *change)}}
	if err = createBuckets(db); err == nil {
		e.local = newLocal(func(key string, q quota) error { return e.counts.append(key, q) })
		e.counts, err = openQuotaLog(path+".quota", e.quotas.load)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: %s: %w", path, err), db.Close())
	}
	e.running.Go(func() { e.writes.run(e.ctx) })
	e.begin(e.sweep)
	return e, nil
}

// createBuckets makes a new file ready, and leaves an old one as it is.
func createBuckets(db *bbolt.DB) error {
	names := []string{sessionBucket, expiryBucket, recordBucket, lapseBucket, documentBucket}
	complete := true
	err := db.View(func(tx *bbolt.Tx) error {
		for _, name := range names {
			complete = complete && tx.Bucket([]byte(name)) != nil
		}
		return nil
	})
	if err != nil || complete {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range names {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *embedded) Session(ctx context.Context, id string) (*grapnel.Session, error) {
	if err := e.alive(ctx); err != nil {
		return nil, err
	}
	var session *grapnel.Session
	err := e.view(func(tx *bbolt.Tx) error {
		expires, stored := unstamp(tx.Bucket([]byte(sessionBucket)).Get([]byte(id)))
		if stored == nil || past(expires, time.Now()) {
			return grapnel.ErrNotFound
		}
		var err error
		session, err = decode(id, stored)
		return err
	})
	return session, err
}

func (e *embedded) PutSession(ctx context.Context, id string, s *grapnel.Session, ttl time.Duration) error {
	if err := e.alive(ctx); err != nil {
		return err
	}
	stored, err := s.Lean()
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	expires := expiry(ttl)
	return e.writes.do(ctx, e.ctx, func(tx *bbolt.Tx) error {
		sessions, key := tx.Bucket([]byte(sessionBucket)), []byte(id)
		before, _ := unstamp(sessions.Get(key))
		if err := sessions.Put(key, stamp(expires, stored)); err != nil {
			return fmt.Errorf("session: %w", err)
		}
		return reindex(tx, expiryBucket, before, expires, id)
	})
}

func (e *embedded) DeleteSession(ctx context.Context, id string) error {
	if err := e.alive(ctx); err != nil {
		return err
	}
	return e.writes.do(ctx, e.ctx, func(tx *bbolt.Tx) error { return remove(tx, id) })
}

// remove deletes a session, which may have expired.
func remove(tx *bbolt.Tx, id string) error {
	sessions := tx.Bucket([]byte(sessionBucket))
	expires, stored := unstamp(sessions.Get([]byte(id)))
	if stored == nil {
		return grapnel.ErrNotFound
	}
	gone := past(expires, time.Now())
	if err := errors.Join(sessions.Delete([]byte(id)), reindex(tx, expiryBucket, expires, 0, id)); err != nil {
		return err
	}
	if gone {
		return grapnel.ErrNotFound
	}
	return nil
}

// reindex moves an id from one moment of an index to another; 0 is none.
func reindex(tx *bbolt.Tx, index string, from, to int64, id string) error {
	b := tx.Bucket([]byte(index))
	if from != 0 {
		if err := b.Delete(stamp(from, []byte(id))); err != nil {
			return err
		}
	}
	if to != 0 {
		return b.Put(stamp(to, []byte(id)), nil)
	}
	return nil
}

func (e *embedded) SessionIDs(ctx context.Context, prefix string) ([]string, error) {
	if err := e.alive(ctx); err != nil {
		return nil, err
	}
	ids, now := []string{}, time.Now()
	err := e.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(sessionBucket)).Cursor()
		for key, value := c.Seek([]byte(prefix)); key != nil && bytes.HasPrefix(key, []byte(prefix)); key, value = c.Next() {
			if expires, _ := unstamp(value); !past(expires, now) {
				ids = append(ids, string(key))
			}
		}
		return nil
	})
	return ids, err
}

func (e *embedded) Documents(ctx context.Context, kind string) (map[string][]byte, error) {
	if err := e.alive(ctx); err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	err := e.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(documentBucket)).Bucket([]byte(kind))
		if b == nil {
			return nil
		}
		return b.ForEach(func(id, document []byte) error {
			out[string(id)] = bytes.Clone(document)
			return nil
		})
	})
	return out, err
}

func (e *embedded) PutDocument(ctx context.Context, kind, id string, document []byte) error {
	if err := e.alive(ctx); err != nil {
		return err
	}
	document = bytes.Clone(document)
	return e.writes.do(ctx, e.ctx, func(tx *bbolt.Tx) error {
		b, err := tx.Bucket([]byte(documentBucket)).CreateBucketIfNotExists([]byte(kind))
		if err != nil {
			return err
		}
		return b.Put([]byte(id), document)
	})
}

func (e *embedded) DeleteDocument(ctx context.Context, kind, id string) error {
	if err := e.alive(ctx); err != nil {
		return err
	}
	return e.writes.do(ctx, e.ctx, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(documentBucket)).Bucket([]byte(kind))
		if b == nil || b.Get([]byte(id)) == nil {
			return grapnel.ErrNotFound
		}
		return b.Delete([]byte(id))
	})
}

// view reads the file. A file that was closed meanwhile is unavailable.
func (e *embedded) view(read func(*bbolt.Tx) error) error {
	err := e.db.View(read)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return unavailable(errClosed)
	}
	return err
}

func (e *embedded) Close() error {
	if e.ctx.Err() != nil {
		return nil
	}
	return errors.Join(e.local.Close(), e.counts.close(), e.db.Close())
}

// sweep removes some of what has expired, and tidies the log of quotas.
func (e *embedded) sweep(now time.Time) {
	err := errors.Join(
		e.sweepBucket(sessionBucket, expiryBucket, now),
		e.sweepBucket(recordBucket, lapseBucket, now),
		e.counts.tidy(),
	)
	if err != nil && e.ctx.Err() == nil {
		e.log.Warn("the store could not be swept", "err", err)
	}
}

// sweepBucket removes some of what has expired in a bucket, by its index.
func (e *embedded) sweepBucket(bucket, index string, now time.Time) error {
	var ids []string
	err := e.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(index)).Cursor()
		for key, _ := c.First(); key != nil && len(ids) < sweepMost; key, _ = c.Next() {
			expires, id := unstamp(key)
			if !past(expires, now) {
				break
			}
			ids = append(ids, string(id))
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	return e.writes.do(e.ctx, e.ctx, func(tx *bbolt.Tx) error { return removeExpired(tx, bucket, index, ids) })
}

// removeExpired deletes those of a bucket that have not been renewed since.
func removeExpired(tx *bbolt.Tx, bucket, index string, ids []string) error {
	b := tx.Bucket([]byte(bucket))
	for _, id := range ids {
		expires, stored := unstamp(b.Get([]byte(id)))
		if stored == nil || !past(expires, time.Now()) {
			continue
		}
		if err := errors.Join(b.Delete([]byte(id)), reindex(tx, index, expires, 0, id)); err != nil {
			return err
		}
	}
	return nil
}

// stamp puts a moment in front of b.
func stamp(moment int64, b []byte) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, stampLen+len(b)), uint64(moment)), b...)
}

// unstamp takes the moment off; nil has none.
func unstamp(b []byte) (int64, []byte) {
	if len(b) < stampLen {
		return 0, nil
	}
	return int64(binary.BigEndian.Uint64(b)), b[stampLen:]
}

// expiry is the moment in which something of this ttl expires, in Unix
// nanoseconds; 0 is never.
func expiry(ttl time.Duration) int64 {
	if ttl <= 0 {
		return 0
	}
	return time.Now().Add(ttl).UnixNano()
}

func past(moment int64, now time.Time) bool { return moment != 0 && moment <= now.UnixNano() }
