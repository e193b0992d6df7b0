package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"layerd/internal/powercut"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// This test program, started again with powerDir set, is the daemon whose power is cut.
const powerDir = "STORE_TEST_POWER_DIR"

// What flows here: a child takes the steps, one by one, and after each says all that the store holds ─▶ strace ─▶ powercut: the disks that a power cut may leave,
// at each moment ─▶ Open ─▶ the store holds what the child said last, or that and the step that was under way, whole.

// steps are what a daemon does to its store, each acknowledged when its function returns. prefix and number make each as good as new.
func steps(s *Store) []func(context.Context) error {
	put := func(path string, layers int, overwrite bool) func(context.Context) error {
		return func(ctx context.Context) error {
			text := part(layers)
			_, err := s.Put(ctx, path, strings.NewReader(text), int64(len(text)), overwrite)
			return err
		}
	}
	set := func(key, value string) func(context.Context) error {
		return func(ctx context.Context) error { return s.SetSetting(ctx, key, value) }
	}
	p := Print{ID: "print", File: "toys/a.gcode", By: "Anna", Entry: 1}
	journal := func(line int64) func(context.Context) error {
		return func(ctx context.Context) error {
			p.Line, p.Offset, p.FilamentMM, p.ToolsMM = line, 100*line, float64(line), []float64{float64(line)}
			return s.Journal(ctx, p)
		}
	}
	var secret string
	var anna Person
	var token Token
	return []func(context.Context) error{
		set("profile", "first"),
		func(ctx context.Context) (err error) { anna, err = s.AddFirstOwner(ctx, "Anna", "hash"); return err },
		func(ctx context.Context) (err error) {
			secret, _, err = s.AddSession(ctx, Session{Person: anna.ID, Shown: "hash", Via: "password"}, "")
			return err
		},
		func(ctx context.Context) (err error) {
			_, token, err = s.CreateToken(ctx, Token{Name: "phone", Role: "owner"})
			return err
		},
		func(ctx context.Context) error { _, err := s.SessionBySecret(ctx, secret); return err },
		put("toys/a.gcode", 3, false),
		put("b.gcode", 4, false),
		set("profile", strings.Repeat("second", 3000)),
		func(ctx context.Context) error { _, err := s.Rename(ctx, "b.gcode", "other/deep/c.gcode"); return err },
		put("other/deep/c.gcode", 5, true),
		func(ctx context.Context) error {
			_, err := s.SaveSpool(ctx, SpoolEdit{Name: "red", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000})
			return err
		},
		func(ctx context.Context) error { return s.PutOn(ctx, ActiveSpool{Spool: 1, Name: "red", GPerM: 3}) },
		func(ctx context.Context) error { _, err := s.AddToQueue(ctx, "toys/a.gcode", 2, "Anna"); return err },
		func(ctx context.Context) error { return s.BeginPrint(ctx, p) },
		journal(1),
		journal(2),
		func(ctx context.Context) error { return s.Audit(ctx, []Deed{{AtMS: 1, What: "pause", Outcome: "ok"}}) },
		func(ctx context.Context) error {
			return s.KeepCurve(ctx, "print", Curve{AfterMS: []int64{0, 1000}, Heaters: []HeaterCurve{{Name: "bed", ActualC: []DeciC{1, 2}, TargetC: []DeciC{0, 0}}}})
		},
		func(ctx context.Context) error {
			_, err := s.KeepAlarm(ctx, Alarm{Print: "print", About: []byte(`{}`), Before: bytes.Repeat([]byte("b"), 30_000), After: []byte("a")})
			return err
		},
		func(ctx context.Context) error {
			_, err := s.KeepSettings(ctx, SettingsCopy{Firmware: "Marlin", Why: "M502", Text: "M92 X80\n"})
			return err
		},
		journal(3),
		func(ctx context.Context) error { return s.KeepPicture(ctx, "print", bytes.Repeat([]byte("p"), 50_000)) },
		func(ctx context.Context) error {
			return s.KeepLog(ctx, "print", []LogLine{{Dir: "in", Text: "Error:"}})
		},
		func(ctx context.Context) error { p.Outcome = "done"; return s.EndPrint(ctx, p) },
		func(ctx context.Context) error { return s.Delete(ctx, "toys/a.gcode") },
		func(ctx context.Context) error { _, err := s.MakeFolder(ctx, "empty/folder"); return err },
		func(ctx context.Context) error { _, err := s.Rename(ctx, "other", "toys/others"); return err },
		func(ctx context.Context) error { return s.DeleteToken(ctx, token.ID, false) },
		func(ctx context.Context) error { // the write-ahead log goes into the database, which is written in many places
			_, err := s.db.ExecContext(ctx, `PRAGMA wal_checkpoint(RESTART)`)
			return err
		},
		set("profile", "third"),
		put("last.gcode", 2, false),
	}
}

// stepUntilDone takes the steps, and says after each what the store holds, as one line of JSON.
func stepUntilDone(dir string) error {
	ctx := context.Background()
	s, err := Open(dir, Limits{MinFreeBytes: 1})
	if err != nil {
		return err
	}
	for i, step := range append([]func(context.Context) error{func(context.Context) error { return nil }}, steps(s)...) {
		if err := step(ctx); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		holds, err := holding(ctx, s)
		if err != nil {
			return fmt.Errorf("after step %d: %w", i, err)
		}
		line, err := json.Marshal(holds)
		if err != nil {
			return err
		}
		os.Stdout.Write(append(line, '\n')) // in one piece, which strace sees as one
	}
	return nil // its power is cut: nothing is closed
}

// holding is everything that the store holds and that people would miss, by a name. A print without an end is interrupted, for that is what Open makes of it.
func holding(ctx context.Context, s *Store) (map[string]string, error) {
	holds := map[string]string{}
	files, err := s.Files(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if f.Folder {
			holds["folder "+f.Path] = "there"
			continue
		}
		if _, err := s.Survey(ctx, f.Path); err != nil {
			return nil, err
		}
		text, _, err := s.OpenFile(ctx, f.Path)
		if err != nil {
			return nil, err
		}
		hash := sha256.New()
		_, err = io.Copy(hash, text)
		text.Close()
		if err != nil {
			return nil, err
		}
		holds["file "+f.Path] = fmt.Sprintf("%x", hash.Sum(nil))
	}
	var profile string
	if _, err := s.Setting(ctx, "profile", &profile); err != nil {
		return nil, err
	}
	holds["profile"] = profile
	prints, err := s.Prints(ctx, 0, 0)
	if err != nil {
		return nil, err
	}
	for _, p := range prints {
		if p.Outcome == "" {
			p.Outcome, p.Reason = interrupted, stoppedPrinting
		}
		p.EndedMS = 0
		curve, curveErr := s.Curve(ctx, p.ID)
		picture, pictureErr := s.Picture(ctx, p.ID)
		log, logErr := s.PrintLog(ctx, p.ID)
		alarms, alarmsErr := s.Alarms(ctx, p.ID)
		for _, err := range []error{curveErr, pictureErr, logErr, alarmsErr} {
			if err != nil && !errors.Is(err, ErrNotKept) {
				return nil, err
			}
		}
		for what, is := range map[string]any{"curve": curve, "picture": len(picture), "log": log, "alarms": len(alarms)} {
			holds[what+" of "+p.ID] = fmt.Sprint(is)
		}
		p.HasCurve, p.HasPicture, p.HasLog, p.Alarms = false, false, false, 0 // each is kept by itself
		holds["print "+p.ID] = fmt.Sprintf("%+v", p)
	}
	spools, err := s.Spools(ctx)
	holds["spools"] = fmt.Sprint(spools)
	on, onErr := s.ActiveSpools(ctx)
	holds["on"] = fmt.Sprint(on)
	queue, queueErr := s.Queue(ctx)
	for i := range queue {
		queue[i].Print = ""
	}
	holds["queue"] = fmt.Sprint(queue)
	people, peopleErr := s.People(ctx)
	for _, p := range people {
		holds["person "+p.Name] = p.Role
	}
	tokens, tokensErr := s.Tokens(ctx)
	for _, t := range tokens {
		holds["key "+t.Name] = t.Role
	}
	sessions, sessionsErr := s.Sessions(ctx, "")
	holds["sessions"] = strconv.Itoa(len(sessions))
	deeds, deedsErr := s.Deeds(ctx, 0, 10)
	holds["deeds"] = fmt.Sprint(deeds)
	copies, copiesErr := s.SettingsCopies(ctx)
	holds["copies of settings"] = fmt.Sprint(copies)
	return holds, errors.Join(err, onErr, queueErr, peopleErr, tokensErr, sessionsErr, deedsErr, copiesErr)
}

// TestPowerCut cuts the power before each wait for the disk and after each acknowledgement: then most is under way. LAYERD_SOAK_CUTS is how many disks are tried
// at each that are left by chance.
func TestPowerCut(t *testing.T) {
	byChance := 1
	if n, err := strconv.Atoi(os.Getenv("LAYERD_SOAK_CUTS")); err == nil {
		byChance = n
	}
	memory := "/dev/shm" // where each Open does not wait for a disk
	if _, err := os.Stat(memory); err != nil {
		memory = t.TempDir()
	}
	room := t.TempDir()
	dir, trace := filepath.Join(room, "disk"), filepath.Join(room, "trace")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), powerDir+"="+filepath.Join(dir, "layerd"))
	var said, complaint bytes.Buffer
	child.Stdout, child.Stderr = &said, &complaint
	if err := powercut.Strace(t.Context(), child, trace, 1<<20).Run(); err != nil {
		t.Fatalf("the child under strace: %v: %s", err, complaint.Bytes())
	}
	// "" is before the first step, when nothing is promised.
	held := []map[string]string{{}}
	for line := range bytes.Lines(said.Bytes()) {
		var holds map[string]string
		if err := json.Unmarshal(line, &holds); err != nil {
			t.Fatal(err)
		}
		held = append(held, holds)
	}
	seed := time.Now().UnixNano()
	chance := rand.New(rand.NewPCG(uint64(seed), 0))
	disk, told, cuts := powercut.NewDisk(dir), 0, 0
	cut := func(loss powercut.Loss) {
		cuts++
		left, err := os.MkdirTemp(memory, "layerd-power-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(left)
		if err := disk.Cut(loss, chance).WriteTo(left); err != nil {
			t.Fatal(err)
		}
		if wrong := wrongAfter(filepath.Join(left, "layerd"), held[told], held[min(told+1, len(held)-1)]); wrong != "" {
			t.Errorf("after acknowledgement %d of %d, cut %d, loss %d, seed %d: %s", told, len(held)-1, cuts, loss, seed, wrong)
		}
	}
	all := func() {
		if t.Failed() {
			return // one is enough to look at
		}
		cut(powercut.Everything)
		cut(powercut.Nothing)
		for range byChance {
			cut(powercut.Chance)
		}
	}
	err := powercut.ReadTrace(trace, dir, func(op powercut.Op) error {
		switch {
		case op.Call == "write" && op.FD == 1:
			told++
			all()
			return nil
		case strings.HasSuffix(op.Call, "sync"):
			all()
		case strings.HasSuffix(op.Path, "-shm"):
			return nil
		}
		return disk.Do(op)
	})
	if err != nil {
		t.Fatal(err)
	}
	if told != len(held)-1 || cuts < 100 {
		t.Errorf("strace saw %d acknowledgements of %d, and %d cuts were tried", told, len(held)-1, cuts)
	}
	t.Logf("%d cuts", cuts)
}

// wrongAfter opens what a power cut has left, which must hold what was acknowledged, and of what was under way all or nothing; "" when it does.
func wrongAfter(dir string, before, after map[string]string) string {
	s, err := Open(dir, Limits{MinFreeBytes: 1})
	if err != nil {
		return err.Error()
	}
	defer s.Close()
	holds, err := holding(context.Background(), s)
	if err != nil {
		return err.Error()
	}
	for _, names := range []map[string]string{before, after, holds} {
		for name := range names {
			// Nothing is acknowledged before the first: then what there is may be empty.
			if is := holds[name]; is != before[name] && is != after[name] && len(before) > 0 {
				return fmt.Sprintf("%s is\n%.300s\nwhich is neither what it was\n%.300s\nnor what it becomes\n%.300s", name, is, before[name], after[name])
			}
		}
	}
	return ""
}
