package powercut

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// left is what there is after a cut, as "name=content …", folders with a slash.
func left(t *testing.T, d *Disk, loss Loss, seed uint64) string {
	t.Helper()
	dir := t.TempDir()
	if err := d.Cut(loss, rand.New(rand.NewPCG(seed, 0))).WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	var all []string
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		switch rel, _ := filepath.Rel(dir, name); {
		case err != nil || rel == ".":
			return err
		case entry.IsDir():
			all = append(all, rel+"/")
		default:
			text, err := os.ReadFile(name)
			all = append(all, rel+"="+strings.ReplaceAll(string(text), "\x00", "0"))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func made(name string, fd int) Op {
	return Op{Call: "openat", Path: name, FD: fd, Flags: "O_RDWR|O_CREAT"}
}

func wrote(name string, fd int, text string) Op {
	return Op{Call: "write", Path: name, FD: fd, Data: []byte(text), Bytes: int64(len(text))}
}

func synced(name string, fd int) Op { return Op{Call: "fsync", Path: name, FD: fd} }

var root = Op{Call: "openat", Path: "/d", FD: 3, Flags: "O_RDONLY|O_DIRECTORY"}

func TestCut(t *testing.T) {
	for name, c := range map[string]struct {
		ops          []Op
		least, whole string
	}{
		"nothing is synced":        {[]Op{root, made("/d/a", 4), wrote("/d/a", 4, "x")}, "", "a=x"},
		"the content alone":        {[]Op{root, made("/d/a", 4), wrote("/d/a", 4, "x"), synced("/d/a", 4)}, "", "a=x"},
		"the name alone":           {[]Op{root, made("/d/a", 4), wrote("/d/a", 4, "x"), synced("/d", 3)}, "a=", "a=x"},
		"both":                     {[]Op{root, made("/d/a", 4), wrote("/d/a", 4, "x"), synced("/d/a", 4), synced("/d", 3), wrote("/d/a", 4, "y")}, "a=x", "a=xy"},
		"a hole":                   {[]Op{root, made("/d/a", 4), synced("/d", 3), {Call: "pwrite64", Path: "/d/a", FD: 4, Data: []byte("z"), Bytes: 1, Offset: 2}, synced("/d/a", 4)}, "a=00z", "a=00z"},
		"renamed, not synced":      {[]Op{root, made("/d/a", 4), synced("/d", 3), {Call: "renameat", Path: "/d/a", To: "/d/b"}}, "a=", "b="},
		"renamed and synced":       {[]Op{root, made("/d/a", 4), {Call: "renameat", Path: "/d/a", To: "/d/b"}, synced("/d", 3)}, "b=", "b="},
		"deleted, not synced":      {[]Op{root, made("/d/a", 4), synced("/d", 3), {Call: "unlinkat", Path: "/d/a"}}, "a=", ""},
		"a folder that is renamed": {[]Op{root, {Call: "mkdirat", Path: "/d/f"}, made("/d/f/a", 4), {Call: "renameat", Path: "/d/f", To: "/d/g"}, synced("/d", 3)}, "g/", "g/ g/a="},
		"cut short": {[]Op{root, made("/d/a", 4), wrote("/d/a", 4, "xyz"), synced("/d/a", 4), synced("/d", 3),
			{Call: "ftruncate", Path: "/d/a", FD: 4, Offset: 1}}, "a=xyz", "a=x"},
	} {
		t.Run(name, func(t *testing.T) {
			d := NewDisk("/d")
			for _, op := range c.ops {
				if err := d.Do(op); err != nil {
					t.Fatal(err)
				}
			}
			if got := left(t, d, Everything, 1); got != c.least {
				t.Errorf("with all lost: got %q, want %q", got, c.least)
			}
			if got := left(t, d, Nothing, 1); got != c.whole {
				t.Errorf("with nothing lost: got %q, want %q", got, c.whole)
			}
		})
	}
}

// Chance loses, keeps and tears.
func TestCutByChance(t *testing.T) {
	d := NewDisk("/d")
	for _, op := range []Op{root, made("/d/a", 4), synced("/d", 3), wrote("/d/a", 4, strings.Repeat("x", 3*sectorBytes))} {
		if err := d.Do(op); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for seed := range uint64(300) {
		seen[left(t, d, Chance, seed)] = true
	}
	x, z := strings.Repeat("x", sectorBytes), strings.Repeat("0", sectorBytes)
	for _, want := range []string{"", x, x + x, x + x + x, z + x, z + x + x, z + z + x} {
		if !seen["a="+want] {
			t.Errorf("a file with %d bytes was never left", len(want))
		}
	}
	if len(seen) != 7 {
		t.Errorf("got %d kinds of files, want 7", len(seen))
	}
}

// A real program, seen by strace: what it has done to its files is what they are.
func TestStrace(t *testing.T) {
	room := t.TempDir()
	dir, trace := filepath.Join(room, "d"), filepath.Join(room, "trace")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	program := exec.Command("sh", "-c", `d=$0; mkdir $d/f; echo 'one, "two"' | tee $d/f/a; echo three | tee -a $d/f/a; mv $d/f/a $d/b; echo gone | tee $d/c; rm $d/c; sync $d/b`, dir)
	if out, err := Strace(t.Context(), program, trace, 1000).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	d := NewDisk(dir)
	said := 0
	err := ReadTrace(trace, dir, func(op Op) error {
		if op.FD == 1 {
			said += len(op.Data)
			return nil
		}
		return d.Do(op)
	})
	if err != nil {
		t.Fatal(err)
	}
	if said < len("one, two three gone") {
		t.Errorf("of what was said %d bytes were seen", said)
	}
	if got, want := left(t, d, Nothing, 1), "b=one, \"two\"\nthree\n f/"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnknownCall(t *testing.T) {
	if _, _, err := parseCall(`fallocate(7</d/a>, 0, 0, 4096) = 0`, "/d"); err == nil {
		t.Error("a call that the disk does not know was passed over")
	}
	if _, ours, err := parseCall(`fallocate(7</e/a>, 0, 0, 4096) = 0`, "/d"); ours || err != nil {
		t.Errorf("elsewhere: got %v, %v", ours, err)
	}
}
