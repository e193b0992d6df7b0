package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"layerd/internal/store"
)

// member is one of an archive that a test makes.
type member struct {
	tar.Header
	body string
}

// members takes an archive apart.
func members(t testing.TB, b []byte) (all []member) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(b))
	must(t, err)
	for r := tar.NewReader(packed); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		must(t, err)
		body, err := io.ReadAll(r)
		must(t, err)
		all = append(all, member{*h, string(body)})
	}
}

// pack is an archive of these members, with sums that are right unless the last of them is one already.
func pack(t testing.TB, all []member) []byte {
	t.Helper()
	var b, sums bytes.Buffer
	packed := gzip.NewWriter(&b)
	w := tar.NewWriter(packed)
	put := func(m member) {
		if m.Typeflag == 0 {
			m.Typeflag = tar.TypeReg
		}
		if m.Typeflag == tar.TypeReg {
			m.Size = int64(len(m.body))
		}
		must(t, w.WriteHeader(&m.Header))
		_, err := io.WriteString(w, m.body)
		must(t, err)
		sum := sha256.New()
		io.WriteString(sum, m.body)
		sumLine(&sums, sum, m.Name)
	}
	for _, m := range all {
		put(m)
	}
	if all[len(all)-1].Name != sumsName {
		put(member{tar.Header{Name: sumsName}, sums.String()})
	}
	must(t, w.Close())
	must(t, packed.Close())
	return b.Bytes()
}

func named(name, body string) member { return member{tar.Header{Name: name}, body} }

// TestHostile gives what somebody has made, or a card has spoilt, and finds the data directory as empty as before.
func TestHostile(t *testing.T) {
	from := t.TempDir()
	furnished(t, from)
	good := write(t, from, Wish{Files: true})
	whole := members(t, good)
	about, db, file, sums := whole[0], whole[1], whole[2], whole[3]
	if about.Name != manifestName || db.Name != "layerd.db" || file.Name != "files/parts/cube.gcode" || sums.Name != sumsName {
		t.Fatalf("the form is another: %v", whole)
	}
	with := func(more ...member) []byte { return pack(t, append([]member{about, db}, more...)) }
	flipped := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 0x40
		return b
	}
	changed := func(old, new string) member { return named(about.Name, strings.Replace(about.body, old, new, 1)) }
	evil := db
	evil.body = damagedDatabase(db.body)
	sparse := member{tar.Header{Name: "files/a.gcode", PAXRecords: map[string]string{"comment": "x"}}, "x"}
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":               {nil, ErrNotBackup},
		"text":                  {[]byte("G28\nG1 X10\n"), ErrNotBackup},
		"an empty gzip":         {pack(t, []member{named("a", "")}), ErrNotBackup},
		"cut in the middle":     {good[:len(good)/2], ErrDamaged},
		"cut by a byte":         {good[:len(good)-1], ErrDamaged},
		"a bit of the end":      {flipped(len(good) - 6), ErrDamaged},
		"no sums":               {pack(t, []member{about, db, file, named("x", "")}), ErrNotBackup},
		"wrong sum":             {pack(t, []member{about, db, named(file.Name, "G28\n"), sums}), ErrDamaged},
		"a file is missing":     {pack(t, []member{about, db, sums}), ErrDamaged},
		"after the sums":        {pack(t, []member{about, db, file, sums, named("files/b.gcode", "")}), ErrNotBackup},
		"no manifest":           {pack(t, []member{db, file}), ErrNotBackup},
		"upwards":               {with(named("../evil", "x")), ErrNotBackup},
		"upwards from files":    {with(named("files/../../evil", "x")), ErrNotBackup},
		"absolute":              {with(named("/etc/evil", "x")), ErrNotBackup},
		"another place":         {with(named("tailnet/tailscaled.state", "x")), ErrNotBackup},
		"a newline":             {with(named("files/a\nb", "x")), ErrNotBackup},
		"twice":                 {with(file, file), ErrNotBackup},
		"database twice":        {with(db), ErrNotBackup},
		"a file as a folder":    {with(named("files/a", "x"), named("files/a/b", "x")), ErrNotBackup},
		"a link":                {with(member{tar.Header{Name: "files/a", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, ""}), ErrNotBackup},
		"a hard link":           {with(member{tar.Header{Name: "files/a", Typeflag: tar.TypeLink, Linkname: "layerd.db"}, ""}), ErrNotBackup},
		"a device":              {with(member{tar.Header{Name: "files/a", Typeflag: tar.TypeChar}, ""}), ErrNotBackup},
		"too many names":        {with(sparse, named(strings.Repeat("files/a", 200), "")), ErrNotBackup},
		"a newer form":          {pack(t, []member{changed(`"format": 1`, `"format": 2`), db}), ErrNewer},
		"a newer schema":        {pack(t, []member{changed(`"schema": `, `"schema": 9`), db}), ErrNewer},
		"another schema":        {pack(t, []member{changed(`"schema": 1`, `"schema": `), db}), ErrNotBackup},
		"no database":           {pack(t, []member{about, file}), nil},
		"a damaged database":    {pack(t, []member{about, evil}), store.ErrDamaged},
		"something for another": {pack(t, []member{about, named("layerd.db", strings.Repeat("no database", 1000))}), store.ErrDamaged},
	} {
		dir := t.TempDir()
		_, err := Restore(t.Context(), bytes.NewReader(c.b), dir)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if left := below(t, dir); !reflect.DeepEqual(left, []string{"lock"}) {
			t.Errorf("%s: it left %v", name, left)
		}
		if _, err := Check(t.Context(), bytes.NewReader(c.b), dir); err == nil {
			t.Errorf("%s: it was found well", name)
		}
		if left := below(t, dir); !reflect.DeepEqual(left, []string{"lock"}) {
			t.Errorf("%s: the check left %v", name, left)
		}
	}
}

// damagedDatabase has another page in the place of each but the first few.
func damagedDatabase(db string) string {
	b := []byte(db)
	for i := 4 * 4096; i < len(b); i++ {
		b[i] ^= 0xff
	}
	return string(b)
}

// TestRoom refuses what would fill the disk before it is written, also by a file that is greater than its bytes in the archive.
func TestRoom(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	must(t, err)
	defer root.Close()
	u := &unpacking{ctx: t.Context(), root: root, keepAll: true, room: 5 * block, stream: 1 << 20, sum: sha256.New(), taken: map[string]bool{}}
	if err := u.member(&tar.Header{Name: "files/a.gcode", Size: 2 * block}, strings.NewReader(strings.Repeat("x", 2*block))); err != nil {
		t.Fatal(err)
	}
	if err := u.member(&tar.Header{Name: "files/b.gcode", Size: 2 * block}, strings.NewReader("")); !errors.Is(err, ErrTooBig) {
		t.Errorf("got %v", err)
	}
	if err := u.member(&tar.Header{Name: "files/1/2/3/4/c.gcode"}, strings.NewReader("")); !errors.Is(err, ErrTooBig) {
		t.Errorf("folders that need more than there is: got %v", err)
	}
	looked := &unpacking{ctx: t.Context(), room: block, stream: 1 << 20, sum: sha256.New(), taken: map[string]bool{}}
	if err := looked.member(&tar.Header{Name: "files/a.gcode", Size: 2 * block}, strings.NewReader(strings.Repeat("x", 2*block))); err != nil {
		t.Errorf("looked at, it needs no room: got %v", err)
	}
	many := &unpacking{taken: map[string]bool{}}
	for n := 0; err == nil && n <= maxMembers; n++ {
		_, err = many.take(fmt.Sprintf("files/%d/a/b/c/d/e/f/g", n))
	}
	if !errors.Is(err, ErrNotBackup) || len(many.taken) > 2*maxMembers+10 {
		t.Errorf("folders without end: got %v after %d", err, len(many.taken))
	}
	var bomb bytes.Buffer
	packed := gzip.NewWriter(&bomb)
	packed.Write(make([]byte, 4<<20)) // a tar's end, again and again
	packed.Close()
	u = &unpacking{ctx: t.Context(), room: 1000, stream: 1 << 20, sum: sha256.New(), taken: map[string]bool{}}
	if err := u.all(&bomb); err == nil {
		t.Error("it was read")
	}
}

func TestOnStart(t *testing.T) {
	from := t.TempDir()
	s, _ := furnished(t, from)
	want := known(t, s)
	good := write(t, from, Wish{Files: true})

	dir := t.TempDir()
	if m, err := OnStart(t.Context(), dir); m != nil || err != nil {
		t.Errorf("nothing waits: got %v, %v", m, err)
	}
	must(t, os.WriteFile(filepath.Join(dir, Waiting), good[:len(good)/2], 0o644))
	if _, err := OnStart(t.Context(), dir); !errors.Is(err, ErrDamaged) {
		t.Errorf("a half one: got %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, Waiting), good, 0o644))
	m, err := OnStart(t.Context(), dir)
	if err != nil || m == nil || m.Host != "bench" {
		t.Fatalf("got %+v, %v", m, err)
	}
	same(t, "on start", known(t, openStore(t, dir)), want)
	if m, err := OnStart(t.Context(), dir); m != nil || err != nil {
		t.Errorf("the second start: got %v, %v", m, err)
	}
	must(t, os.WriteFile(filepath.Join(dir, Waiting), good, 0o644))
	if _, err := OnStart(t.Context(), dir); !errors.Is(err, store.ErrLocked) { // by the store that is open
		t.Errorf("beside a daemon: got %v", err)
	}

	other := t.TempDir()
	started := openStore(t, other)
	must(t, started.SetSetting(t.Context(), "uuid", "of a service that was started once"))
	must(t, started.Close())
	must(t, os.WriteFile(filepath.Join(other, Waiting), good, 0o644))
	if m, err := OnStart(t.Context(), other); m == nil || err != nil {
		t.Errorf("in the place of one that nobody has used: got %v, %v", m, err)
	}
	same(t, "in the place of an unused one", known(t, openStore(t, other)), want)
	other = t.TempDir()
	used := openStore(t, other)
	_, _, err = used.CreateToken(t.Context(), store.Token{Name: "slicer", Role: "operator"})
	must(t, err)
	must(t, used.Close())
	must(t, os.WriteFile(filepath.Join(other, Waiting), good, 0o644))
	if _, err := OnStart(t.Context(), other); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("in the place of another: got %v", err)
	}
	must(t, os.Remove(filepath.Join(other, Waiting)))
	must(t, os.Mkdir(filepath.Join(other, Waiting), 0o700))
	if _, err := OnStart(t.Context(), other); !errors.Is(err, ErrNotBackup) {
		t.Errorf("a folder: got %v", err)
	}
}

// TestBesideUploads restores settings where only the database is gone, and leaves the uploads; of two sets of uploads it takes none.
func TestBesideUploads(t *testing.T) {
	from := t.TempDir()
	furnished(t, from)
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "files"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "files/mine.gcode"), []byte(cube), 0o600))
	if _, err := Restore(t.Context(), bytes.NewReader(write(t, from, Wish{Files: true})), dir); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	if left := below(t, dir); !reflect.DeepEqual(left, []string{"files/mine.gcode", "lock"}) {
		t.Errorf("left: %v", left)
	}
	_, err := Restore(t.Context(), bytes.NewReader(write(t, from, Wish{})), dir)
	must(t, err)
	if left := below(t, dir); !reflect.DeepEqual(left, []string{"files/mine.gcode", "layerd.db", "lock"}) {
		t.Errorf("left: %v", left)
	}
}

// TestPowerCut ends a restore at each of its steps, and starts again.
func TestPowerCut(t *testing.T) {
	from := t.TempDir()
	s, _ := furnished(t, from)
	want := known(t, s)
	good := write(t, from, Wish{Files: true})
	for name, cut := range map[string]func(dir string) error{
		"while it is unpacked": func(dir string) error {
			os.MkdirAll(filepath.Join(dir, restoringDir, "files"), 0o700)
			return os.WriteFile(filepath.Join(dir, restoringDir, "layerd.db"), []byte("half"), 0o600)
		},
		"when it is decided": func(dir string) error {
			_, err := Stage(t.Context(), bytes.NewReader(good), dir)
			return err
		},
		"when the files have moved": func(dir string) error {
			_, err := Stage(t.Context(), bytes.NewReader(good), dir)
			return errors.Join(err, os.Rename(filepath.Join(dir, restoredDir, "files"), filepath.Join(dir, "files")))
		},
		"when the database has moved": func(dir string) error {
			_, err := Stage(t.Context(), bytes.NewReader(good), dir)
			return errors.Join(err, os.Rename(filepath.Join(dir, restoredDir, "files"), filepath.Join(dir, "files")),
				os.Rename(filepath.Join(dir, restoredDir, "layerd.db"), filepath.Join(dir, "layerd.db")))
		},
	} {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, Waiting), good, 0o644))
		must(t, cut(dir))
		m, err := OnStart(t.Context(), dir)
		if err != nil || m == nil {
			t.Errorf("%s: got %v, %v", name, m, err)
			continue
		}
		same(t, name, known(t, openStore(t, dir)), want)
		for _, gone := range []string{restoringDir, restoredDir, Waiting} {
			if _, err := os.Lstat(filepath.Join(dir, gone)); err == nil {
				t.Errorf("%s: %s is still there", name, gone)
			}
		}
	}
}

// TestFinishTwice: of a database that has its place already nothing is taken away, though a power cut has left the folder that it came from.
func TestFinishTwice(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	must(t, s.SetSetting(t.Context(), "uuid", "of the restored one")) // in its WAL
	must(t, os.Mkdir(filepath.Join(dir, restoredDir), 0o700))
	if finished, err := finish(dir); !finished || err != nil {
		t.Errorf("got %v, %v", finished, err)
	}
	if _, err := os.Stat(filepath.Join(dir, store.DatabaseFile+"-wal")); err != nil {
		t.Error(err)
	}
}

// TestStageReplaces what a daemon that is nobody's has written.
func TestStageReplaces(t *testing.T) {
	from := t.TempDir()
	s, _ := furnished(t, from)
	want := known(t, s)
	good := write(t, from, Wish{})
	dir := t.TempDir()
	fresh := openStore(t, dir)
	must(t, fresh.SetSetting(t.Context(), "uuid", "of the fresh one"))
	_, err := Stage(t.Context(), bytes.NewReader(good), dir)
	must(t, err)
	must(t, fresh.Close())
	if m, err := OnStart(t.Context(), dir); m == nil || err != nil {
		t.Fatalf("got %v, %v", m, err)
	}
	again := openStore(t, dir)
	same(t, "staged", known(t, again), want)
	var id string
	if found, _ := again.Setting(t.Context(), "uuid", &id); found {
		t.Errorf("the fresh one's settings are still there: %s", id)
	}
}

// TestStageReplacesNothingUsed: who has a key, or becomes the owner while the backup still comes, loses nothing by it.
func TestStageReplacesNothingUsed(t *testing.T) {
	from := t.TempDir()
	furnished(t, from)
	good := write(t, from, Wish{})
	dir := t.TempDir()
	s := openStore(t, dir)
	last := readerFunc(func([]byte) (int, error) {
		if _, err := s.AddFirstOwner(t.Context(), "Anna", "hash"); err != nil {
			return 0, err
		}
		return 0, io.EOF
	})
	for _, when := range []string{"meanwhile", "before"} {
		if _, err := Stage(t.Context(), io.MultiReader(bytes.NewReader(good), last), dir); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("an owner %s: got %v", when, err)
		}
		for _, left := range []string{restoringDir, restoredDir} {
			if _, err := os.Lstat(filepath.Join(dir, left)); err == nil {
				t.Errorf("an owner %s: %s is there", when, left)
			}
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestOnStartBesideAnother: a second daemon, started by mistake, neither sweeps away nor finishes what the first is at.
func TestOnStartBesideAnother(t *testing.T) {
	from := t.TempDir()
	furnished(t, from)
	dir := t.TempDir()
	openStore(t, dir)
	must(t, os.Mkdir(filepath.Join(dir, restoringDir), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, restoringDir, "layerd.db"), []byte("half"), 0o600))
	for _, at := range []string{"unpacks", "has decided"} {
		if at == "has decided" {
			_, err := Stage(t.Context(), bytes.NewReader(write(t, from, Wish{})), dir)
			must(t, err)
		}
		before := below(t, dir)
		if _, err := OnStart(t.Context(), dir); !errors.Is(err, store.ErrLocked) {
			t.Errorf("the first %s: got %v", at, err)
		}
		if after := below(t, dir); !reflect.DeepEqual(after, before) {
			t.Errorf("the first %s: got %v, want %v", at, after, before)
		}
	}
}

// FuzzUnpack: whatever an archive is, reading it ends, and nothing is written outside its folder, nor more than there is room for. What SQLite makes of a database is
// not tried here.
func FuzzUnpack(f *testing.F) {
	about := named(manifestName, `{"format": 1, "layerd": "v1", "schema": 1}`)
	good := pack(f, []member{about, named("layerd.db", "a database"), named("files/parts/a.gcode", cube)})
	for _, b := range [][]byte{good, good[:len(good)/2], pack(f, []member{about, named("../evil", "x")}), pack(f, []member{about, named("files/a", "x"), named("files/a/b", "x")})} {
		f.Add(b)
		if packed, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
			text, _ := io.ReadAll(packed)
			f.Add(text) // packed again below, so that what is tried comes through
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		w.Write(b)
		w.Close()
		for _, r := range []io.Reader{bytes.NewReader(b), &packed} {
			top := t.TempDir()
			dir := filepath.Join(top, "in")
			must(t, os.Mkdir(dir, 0o700))
			root, err := os.OpenRoot(dir)
			must(t, err)
			u := &unpacking{ctx: t.Context(), root: root, keepAll: true, room: 1 << 20, stream: 4 << 20, sum: sha256.New(), taken: map[string]bool{}}
			if err := u.all(r); err != nil && !errors.Is(err, ErrNotBackup) && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) && !errors.Is(err, ErrTooBig) {
				t.Errorf("an error that nobody foresaw: %v", err)
			}
			root.Close()
			size := int64(0)
			for _, name := range below(t, top) {
				info, err := os.Lstat(filepath.Join(top, name))
				must(t, err)
				if size += info.Size(); !strings.HasPrefix(name, "in/") || size > 1<<20 {
					t.Errorf("%s, after %d bytes in all", name, size)
				}
			}
		}
	})
}
