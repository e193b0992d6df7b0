package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"layerd/internal/access"
	"layerd/internal/store"
)

// fakeBackups makes backups of a few words, or fails.
type fakeBackups struct {
	fails, breaks error // before, and in the middle
	wish          string
	closed        bool
	given         string
}

func (f *fakeBackups) Prepare(_ context.Context, files, timelapses bool) (Backup, error) {
	f.wish = backupDetail(files, timelapses)
	if f.fails != nil {
		return nil, f.fails
	}
	return f, nil
}

func (f *fakeBackups) Write(_ context.Context, w io.Writer) error {
	if _, err := io.WriteString(w, "all that is known"); err != nil {
		return err
	}
	return f.breaks
}

func (f *fakeBackups) Close() error { f.closed = true; return nil }

func (f *fakeBackups) Restore(_ context.Context, r io.Reader) error {
	b, err := io.ReadAll(r)
	f.given = string(b)
	return errors.Join(err, f.fails)
}

func TestBackupOverHTTP(t *testing.T) {
	r := newRig(t)
	fake := &fakeBackups{}
	r.cfg.Backups = fake
	w := r.do("GET", "/v1/backup?files=1&timelapses=1", "owner", nil)
	if w.Code != 200 || w.Body.String() != "all that is known" || !fake.closed || fake.wish != "settings and history, files, timelapses" {
		t.Errorf("got %d %s, %+v", w.Code, w.Body, fake)
	}
	if h := w.Header().Get("Content-Disposition"); !strings.HasPrefix(h, "attachment; filename=layerd-") || !strings.HasSuffix(h, ".layerd-backup") {
		t.Errorf("got %q", h)
	}
	if w := r.do("HEAD", "/v1/backup", "owner", nil); w.Code != 200 || fake.wish != "settings and history, files, timelapses" {
		t.Errorf("HEAD made one: %d, %+v", w.Code, fake)
	}
	fake.fails = store.ErrNoSpace
	if w := r.do("GET", "/v1/backup", "owner", nil); w.Code != 507 || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("on a full disk: got %d %s", w.Code, w.Body)
	}
	fake.fails, fake.breaks, fake.closed = nil, errors.New("a file is gone"), false
	if r.do("GET", "/v1/backup", "owner", nil); !fake.closed {
		t.Error("one that broke is not closed")
	}
	if err := r.backups.take(); err != nil {
		t.Fatal(err)
	}
	if w := r.do("GET", "/v1/backup", "owner", nil); w.Code != 503 {
		t.Errorf("two at a time: got %d %s", w.Code, w.Body)
	}
	r.backups.free()
	r.cfg.Backups = nil
	for _, path := range []string{"/v1/backup", "/v1/backup/ready"} {
		if w := r.do("GET", path, "owner", nil); w.Code != 409 || errorCode(t, w.Body.Bytes()) != "no_backup" {
			t.Errorf("in the demo: %s: got %d %s", path, w.Code, w.Body)
		}
	}
}

// openGate has a set-up link.
type openGate struct{ *fakeGate }

func (openGate) CheckSetup(_ *http.Request, secret string) error {
	if secret != "of the link" {
		return access.ErrDenied
	}
	return nil
}

func TestRestoreOverHTTP(t *testing.T) {
	r := newRig(t)
	fake := &fakeBackups{}
	r.cfg.Backups, r.cfg.Gate = fake, openGate{r.gate}
	give := func(secret string) int {
		return r.do("POST", "/v1/restore", "", strings.NewReader("a backup"), func(q *http.Request) { q.Header.Set(setupHeader, secret) }).Code
	}
	if got := give("another"); got != 401 || fake.given != "" {
		t.Errorf("without the link: got %d, %+v", got, fake)
	}
	if got := give("of the link"); got != 204 || fake.given != "a backup" {
		t.Errorf("got %d, %+v", got, fake)
	}
	fake.fails = ErrBackup
	if got := give("of the link"); got != 422 {
		t.Errorf("a bad one: got %d", got)
	}
}
