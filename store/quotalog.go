package store

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
	"time"
)

// A quotaLog keeps what quotas have used, beyond the death of the process. A
// count is handed to the operating system before it is given out, with one
// write and no flush; the disk has it a second later. The last record of a key
// counts. A record is
//
//	checksum of the rest   4 bytes, CRC-32C
//	length of the key      2
//	used                   8
//	renews                 8, Unix nanoseconds, 0 is never
//	key
//
// all big-endian. A record that used nothing ends its key.
type quotaLog struct {
	path string

	mu     sync.Mutex
	file   *os.File
	end    int64 // where the next record goes
	buf    []byte
	tidied int64 // length after the last tidying
	dirty  bool  // something was written since the last flush
}

const (
	recordHead = 4 + 2 + 8 + 8
	// tidyFrom is below which length a log is left alone. Beyond it, a log
	// is written anew when it has grown fourfold.
	tidyFrom = 1 << 20
)

// openQuotaLog reads the log, gives each quota that still counts to load, and
// goes on behind the last whole record.
func openQuotaLog(path string, load func(key string, q quota)) (*quotaLog, error) {
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err // left by a process that died while tidying
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	byKey, end, err := replay(file)
	if err == nil {
		err = file.Truncate(end)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	for key, q := range byKey {
		load(key, q)
	}
	return &quotaLog{path: path, file: file, end: end, tidied: end}, nil
}

// replay reads records up to the first that is not whole. It returns the quotas
// that still count.
func replay(r io.Reader) (map[string]quota, int64, error) {
	in, byKey, now := bufio.NewReaderSize(r, 1<<16), map[string]quota{}, time.Now()
	var end int64
	var head [recordHead]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return byKey, end, atEnd(err)
		}
		key := make([]byte, binary.BigEndian.Uint16(head[4:]))
		if _, err := io.ReadFull(in, key); err != nil {
			return byKey, end, atEnd(err)
		}
		sum := crc32.Update(crc32.Checksum(head[4:], castagnoli()), castagnoli(), key)
		if sum != binary.BigEndian.Uint32(head[:]) {
			return byKey, end, nil
		}
		end += int64(recordHead + len(key))
		q := quota{used: int64(binary.BigEndian.Uint64(head[6:])), renews: int64(binary.BigEndian.Uint64(head[14:]))}
		if q.used == 0 || q.over(now) {
			delete(byKey, string(key))
		} else {
			byKey[string(key)] = q
		}
	}
}

// atEnd makes the end of a file, in a record or between two, no error.
func atEnd(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func record(b []byte, key string, q quota) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(key)))
	b = binary.BigEndian.AppendUint64(b, uint64(q.used))
	b = binary.BigEndian.AppendUint64(b, uint64(q.renews))
	b = append(b, key...)
	binary.BigEndian.PutUint32(b[start:], crc32.Checksum(b[start+4:], castagnoli()))
	return b
}

// append writes a record. It survives the process, not yet a power failure.
func (l *quotaLog) append(key string, q quota) error {
	if len(key) > 1<<16-1 {
		return unavailable(errors.New("the key of a quota is too long"))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = record(l.buf[:0], key, q)
	// Half a record that a full disk has left is overwritten by the next.
	if _, err := l.file.WriteAt(l.buf, l.end); err != nil {
		return unavailable(err)
	}
	l.end += int64(len(l.buf))
	l.dirty = true
	return nil
}

// tidy flushes what was written, and writes a log anew that has grown too long.
func (l *quotaLog) tidy() error {
	l.mu.Lock()
	file, end, dirty := l.file, l.end, l.dirty
	grown := end > max(tidyFrom, 4*l.tidied)
	l.dirty = false
	l.mu.Unlock()
	if grown {
		return l.rewrite(file, end)
	}
	if dirty {
		return file.Sync()
	}
	return nil
}

// rewrite replaces the log by one with a record for each quota that counts.
// Only what was appended meanwhile is copied while appends wait.
func (l *quotaLog) rewrite(old *os.File, end int64) (err error) {
	byKey, _, err := replay(io.NewSectionReader(old, 0, end))
	if err != nil {
		return err
	}
	fresh, err := os.OpenFile(l.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, fresh.Close(), os.Remove(l.path+".new"))
		}
	}()
	out, size := bufio.NewWriterSize(fresh, 1<<16), int64(0)
	for key, q := range byKey {
		n, err := out.Write(record(nil, key, q))
		if err != nil {
			return err
		}
		size += int64(n)
	}
	if err := errors.Join(out.Flush(), fresh.Sync()); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := io.Copy(fresh, io.NewSectionReader(old, end, l.end-end))
	if err != nil {
		return err
	}
	if err := os.Rename(l.path+".new", l.path); err != nil {
		return err
	}
	l.file, l.end, l.tidied, l.dirty = fresh, size+n, size, true
	return old.Close()
}

// close flushes the log.
func (l *quotaLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.file.Sync(), l.file.Close())
}
