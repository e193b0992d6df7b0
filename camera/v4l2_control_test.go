package camera

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"layerd/internal/latest"
)

// fakeControls behaves as the controls of a USB camera do in Linux: modes make numbers inactive, and those cannot be set.
type fakeControls struct {
	list   []*fakeControl // by id
	locks  map[uint32]lock
	broken map[uint32]error // of set
	takes  time.Duration    // of each request
	sets   []string         // "Name=5", in order
}

type fakeControl struct {
	queryctrl
	items map[uint32]string
	value int32
}

// lock is a mode that makes numbers inactive unless it has a value.
type lock struct {
	free   int32
	number uint32
}

// control makes a fakeControl that has its default.
func control(id, kind uint32, name string, min, max, step, def int32, items ...string) *fakeControl {
	c := &fakeControl{queryctrl: queryctrl{id: id, kind: kind, min: min, max: max, step: step, def: def}, value: def, items: map[uint32]string{}}
	copy(c.name[:], name)
	for i, item := range items {
		if item != "" {
			c.items[uint32(i)] = item
		}
	}
	return c
}

// webcamControls are those of a common camera. Manual exposure is choice 1.
func webcamControls() *fakeControls {
	return &fakeControls{
		list: []*fakeControl{
			control(0x980001, 6, "User Controls", 0, 0, 0, 0),
			control(0x980900, kindInteger, "Brightness", -64, 64, 1, 0),
			control(0x98090c, kindBoolean, "White Balance, Automatic", 0, 1, 1, 1),
			control(0x98091a, kindInteger, "White Balance Temperature", 2800, 6500, 10, 4600),
			control(0x9a0901, kindMenu, "Auto Exposure", 0, 3, 1, 3, "", "Manual Mode", "", "Aperture Priority Mode"),
			control(0x9a0902, kindInteger, "Exposure Time, Absolute", 3, 2047, 1, 250),
		},
		locks:  map[uint32]lock{0x98090c: {0, 0x98091a}, 0x9a0901: {1, 0x9a0902}},
		broken: map[uint32]error{},
	}
}

func (d *fakeControls) find(id uint32) (*fakeControl, error) {
	pause(context.Background(), d.takes)
	i := slices.IndexFunc(d.list, func(c *fakeControl) bool { return c.id == id })
	if i < 0 {
		return nil, syscall.EINVAL
	}
	return d.list[i], nil
}

func (d *fakeControls) query(q *queryctrl) error {
	i := slices.IndexFunc(d.list, func(c *fakeControl) bool { return c.id > q.id&^flagNext })
	if i < 0 {
		return syscall.EINVAL
	}
	c, err := d.find(d.list[i].id)
	*q = c.queryctrl
	for mode, l := range d.locks {
		if m, err := d.find(mode); err == nil && l.number == c.id && m.value != l.free {
			q.flags |= flagInactive
		}
	}
	return err
}

func (d *fakeControls) menu(m *querymenu) error {
	c, err := d.find(m.id)
	if err != nil || c.items[m.index] == "" {
		return syscall.EINVAL
	}
	copy(m.name[:], c.items[m.index])
	return nil
}

func (d *fakeControls) get(v *ctrlValue) error {
	c, err := d.find(v.id)
	if err == nil {
		v.value = c.value
	}
	return err
}

func (d *fakeControls) set(v *ctrlValue) error {
	q := queryctrl{id: v.id - 1 | flagNext}
	c, err := d.find(v.id)
	if err != nil || d.query(&q) != nil {
		return syscall.EINVAL
	}
	d.sets = append(d.sets, fmt.Sprintf("%s=%d", controlName(c.name, ""), v.value))
	if q.flags&flagInactive != 0 {
		return syscall.EACCES
	}
	if v.value < c.min || v.value > c.max {
		return syscall.ERANGE
	}
	if err := d.broken[v.id]; err != nil {
		return err
	}
	c.value = v.value
	return nil
}

// adjusting is an adjuster on d, and what it has to tell.
func adjusting(d controlDevice) (a *adjuster, notes *[]error) {
	notes = new([]error)
	return &adjuster{
		device: d, wishes: new(wishes), shown: latest.New([]Control{}), note: func(err error) { *notes = append(*notes, err) },
	}, notes
}

func (a *adjuster) show() []Control {
	list, _ := a.shown.Get()
	return list
}

// values are "id=value" of what is shown, with "!" for what is inactive.
func (a *adjuster) values() string {
	var all []string
	for _, c := range a.show() {
		mark := ""
		if c.Inactive {
			mark = "!"
		}
		all = append(all, fmt.Sprintf("%s=%d%s", c.ID, c.Value, mark))
	}
	return strings.Join(all, " ")
}

func TestControlsAreListed(t *testing.T) {
	d := webcamControls()
	d.list = append(d.list,
		control(0x9a0913, kindIntegerMenu, "Auto Exposure, Bias", 0, 2, 1, 1, "\x18\xfc\xff\xff\xff\xff\xff\xff", "\x00\x00\x00\x00\x00\x00\x00\x00", "\xe8\x03"),
		control(0x9a0920, kindInteger, "brightness\x1b[31m", 0, 10, 0, 99), // no step, a default out of bounds, a name that is there
		control(0x9a0921, kindInteger, "BRIGHTNESS [31m", 0, 10, -5, 0),
		control(0x9a0922, kindInteger, "Brightness", 0, 10, 1, 0),
		control(0x9a0930, kindInteger, "Upside down", 10, 0, 1, 0),
		control(0x9a0931, kindInteger, "No room", 7, 7, 1, 7),
		control(0x9a0932, kindMenu, "No choice", 0, 3, 1, 0),
		control(0x9a0933, 4, "Button", 0, 0, 0, 0),
		control(0x9a0934, 5, "64 bits", 0, 10, 1, 0),
		control(0x9a0935, 7, "Text", 0, 10, 1, 0),
		control(0x9a0936, 8, "Bits", 0, 10, 1, 0),
		control(0x9a0937, kindInteger, "Disabled", 0, 10, 1, 0),
		control(0x9a0938, kindInteger, "Read only", 0, 10, 1, 0),
		control(0x9a0939, kindInteger, "", 0, 10, 1, 0),
		control(0x9d0903, kindInteger, "Compression Quality", 0, 100, 1, 75), // of another class
	)
	d.list[len(d.list)-4].flags, d.list[len(d.list)-3].flags = flagDisabled, flagReadOnly
	var got []string
	for _, c := range listControls(t.Context(), d) {
		line := fmt.Sprintf("%s %s %d..%d/%d default %d", c.ID, c.Kind, c.Min, c.Max, c.Step, c.Default)
		for _, item := range c.Choices {
			line += fmt.Sprintf(" %d:%s", item.Value, item.Name)
		}
		if c.Inactive {
			line += " inactive"
		}
		got = append(got, line)
	}
	want := []string{
		"brightness number -64..64/1 default 0",
		"white_balance_automatic switch 0..1/1 default 1",
		"white_balance_temperature number 2800..6500/10 default 4600 inactive",
		"auto_exposure choice 0..3/1 default 3 1:Manual Mode 3:Aperture Priority Mode",
		"exposure_time_absolute number 3..2047/1 default 250 inactive",
		"auto_exposure_bias choice 0..2/1 default 1 0:-1000 1:0 2:1000",
		"brightness_31m number 0..10/1 default 10",
		"brightness_31m_2 number 0..10/1 default 0",
		"brightness_2 number 0..10/1 default 0",
		"control_009a0939 number 0..10/1 default 0",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// hostile answers with the same bytes whatever it is asked, but counts its controls up, or not.
type hostile struct {
	queryctrl
	step   uint32
	asked  int
	broken bool
}

func (h *hostile) query(q *queryctrl) error {
	h.asked++
	h.id += h.step
	*q = h.queryctrl
	return nil
}

func (h *hostile) menu(m *querymenu) error {
	h.asked++
	m.name = h.name
	return nil
}

func (h *hostile) get(v *ctrlValue) error {
	h.asked++
	if v.value = h.def; h.broken {
		return syscall.EIO
	}
	return nil
}

func (h *hostile) set(*ctrlValue) error { return nil }

func TestListOfAHostileDeviceEnds(t *testing.T) {
	for _, tc := range []struct {
		name  string
		d     hostile
		want  int
		asked int // at most
	}{
		{"controls without end", hostile{queryctrl: queryctrl{id: classUser, kind: kindInteger, max: 1}, step: 1}, maxControls, 2*maxControls + 1},
		{"none that is wanted, without end", hostile{queryctrl: queryctrl{id: classUser, kind: 4}, step: 1}, 0, maxQueries},
		{"none that can be read", hostile{queryctrl: queryctrl{id: classUser, kind: kindInteger, max: 1}, step: 1, broken: true}, 0, 2 * maxQueries},
		{"the same again and again", hostile{queryctrl: queryctrl{id: classUser, kind: kindInteger, max: 1}}, 1, 3},
		{"a menu without end", hostile{queryctrl: queryctrl{id: classUser, kind: kindMenu, min: -1 << 31, max: 1<<31 - 1}}, 1, maxChoices + 3},
		{"no number", hostile{queryctrl: queryctrl{id: 1<<32 - 1, kind: kindInteger, max: 1}}, 0, 1},
	} {
		if got := len(listControls(t.Context(), &tc.d)); got != tc.want || tc.d.asked > tc.asked {
			t.Errorf("%s: got %d controls after %d requests, want %d after at most %d", tc.name, got, tc.d.asked, tc.want, tc.asked)
		}
	}
}

func TestWithin(t *testing.T) {
	const most, least = 1<<63 - 1, -1 << 63
	for _, tc := range []struct{ min, max, step, v, want int64 }{
		{0, 10, 1, 5, 5}, {0, 10, 1, 11, 10}, {0, 10, 1, -1, 0}, {0, 10, 1, most, 10}, {0, 10, 1, least, 0},
		{2800, 6500, 10, 4604, 4600}, {2800, 6500, 10, 4605, 4610},
		{0, 10, 4, 10, 8}, {0, 10, 4, 9, 8}, {0, 10, 100, 10, 0},
		{-1 << 31, 1<<31 - 1, 1<<31 - 1, 5, -1}, {-1 << 31, 1<<31 - 1, 1, most, 1<<31 - 1},
	} {
		if got := (Control{Min: tc.min, Max: tc.max, Step: tc.step}).within(tc.v); got != tc.want {
			t.Errorf("%d in %d..%d/%d: got %d, want %d", tc.v, tc.min, tc.max, tc.step, got, tc.want)
		}
	}
}

func FuzzControls(f *testing.F) {
	f.Add(uint32(0x980900), uint32(kindInteger), []byte("Brightness"), int32(-64), int32(64), int32(1), int32(0), uint32(0), uint32(1), int64(5))
	f.Add(uint32(0x9a0901), uint32(kindMenu), []byte("Auto Exposure"), int32(0), int32(3), int32(1), int32(3), uint32(flagInactive), uint32(7), int64(1))
	f.Fuzz(func(t *testing.T, id, kind uint32, name []byte, least, most, step, def int32, flags, count uint32, v int64) {
		h := &hostile{queryctrl: queryctrl{id: id, kind: kind, min: least, max: most, step: step, def: def, flags: flags}, step: count}
		copy(h.name[:], name)
		seen := map[string]bool{}
		for _, c := range listControls(t.Context(), h) {
			if c.ID == "" || seen[c.ID] || strings.Trim(c.ID, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
				t.Errorf("id %q", c.ID)
			}
			seen[c.ID] = true
			if c.Name == "" || !utf8.ValidString(c.Name) || strings.ContainsFunc(c.Name, func(r rune) bool { return r < ' ' }) {
				t.Errorf("name %q", c.Name)
			}
			if c.Min > c.Max || c.Step < 1 || c.Choices == nil || len(c.Choices) > maxChoices || (c.Kind == "choice") != (len(c.Choices) > 0) {
				t.Errorf("got %+v", c)
			}
			if got, ok := (wish{value: v}).target(c.Control); ok && (got < c.Min || got > c.Max || c.Kind == "number" && (got-c.Min)%c.Step != 0) {
				t.Errorf("%d became %d in %+v", v, got, c)
			}
		}
		if len(seen) > maxControls || h.asked > 4*maxQueries+maxControls*maxIndexes {
			t.Errorf("%d controls after %d requests", len(seen), h.asked)
		}
	})
}

func TestControlsFollowTheWishes(t *testing.T) {
	d := webcamControls()
	a, notes := adjusting(d)
	for _, step := range []struct {
		name   string
		wanted map[string]int64
		sets   string
		values string
	}{
		{"nothing wanted: nothing is touched", nil, "",
			"brightness=0 white_balance_automatic=1 white_balance_temperature=4600! auto_exposure=3 exposure_time_absolute=250!"},
		{"the mode before the number that it releases", map[string]int64{"exposure_time_absolute": 100, "auto_exposure": 1}, "Auto Exposure=1 Exposure Time, Absolute=100",
			"brightness=0 white_balance_automatic=1 white_balance_temperature=4600! auto_exposure=1 exposure_time_absolute=100"},
		{"the same again", map[string]int64{"exposure_time_absolute": 100, "auto_exposure": 1}, "",
			"brightness=0 white_balance_automatic=1 white_balance_temperature=4600! auto_exposure=1 exposure_time_absolute=100"},
		{"only what is new; what is locked waits", map[string]int64{"exposure_time_absolute": 9999, "auto_exposure": 1, "white_balance_temperature": 3003},
			"Exposure Time, Absolute=2047",
			"brightness=0 white_balance_automatic=1 white_balance_temperature=4600! auto_exposure=1 exposure_time_absolute=2047"},
		{"until it is released", map[string]int64{"exposure_time_absolute": 9999, "auto_exposure": 1, "white_balance_temperature": 3003, "white_balance_automatic": 0},
			"White Balance, Automatic=0 White Balance Temperature=3000",
			"brightness=0 white_balance_automatic=0 white_balance_temperature=3000 auto_exposure=1 exposure_time_absolute=2047"},
		{"the number goes home before its mode locks it", map[string]int64{"white_balance_automatic": 0, "white_balance_temperature": 3000},
			"Exposure Time, Absolute=250 Auto Exposure=3",
			"brightness=0 white_balance_automatic=0 white_balance_temperature=3000 auto_exposure=3 exposure_time_absolute=250!"},
		{"a choice that there is not, and what no camera has", map[string]int64{"auto_exposure": 2, "warp": 9, "white_balance_automatic": 0, "white_balance_temperature": 3000}, "",
			"brightness=0 white_balance_automatic=0 white_balance_temperature=3000 auto_exposure=3 exposure_time_absolute=250!"},
		{"everything home", map[string]int64{}, "White Balance Temperature=4600 White Balance, Automatic=1",
			"brightness=0 white_balance_automatic=1 white_balance_temperature=4600! auto_exposure=3 exposure_time_absolute=250!"},
	} {
		d.sets = nil
		a.wishes.put(step.wanted)
		a.obey(t.Context())
		if got := strings.Join(d.sets, " "); got != step.sets {
			t.Errorf("%s: set %q, want %q", step.name, got, step.sets)
		}
		if got := a.values(); got != step.values {
			t.Errorf("%s: got  %s\nwant %s", step.name, got, step.values)
		}
	}
	if len(*notes) != 0 {
		t.Errorf("got notes %v", *notes)
	}
}

// A camera that is plugged in again is another open device, which may have forgotten what the kernel says that it has.
func TestWishesAreObeyedByEachOpenedDevice(t *testing.T) {
	a, _ := adjusting(webcamControls())
	a.wishes.put(map[string]int64{"brightness": 5})
	a.wishes.put(map[string]int64{"exposure_time_absolute": 100, "auto_exposure": 1})
	a.obey(t.Context())
	again := webcamControls()
	again.list[4].value = 1
	again.list[5].value = 100
	again.list[1].value = 5
	next := &adjuster{device: again, wishes: a.wishes, shown: a.shown, note: a.note}
	next.obey(t.Context())
	if got, want := strings.Join(again.sets, " "), "Brightness=0 Auto Exposure=1 Exposure Time, Absolute=100"; got != want {
		t.Errorf("set %q, want %q", got, want)
	}
	next.obey(t.Context())
	if len(again.sets) != 3 {
		t.Errorf("without news: set %q", again.sets[3:])
	}
}

func TestAControlThatFailsIsToldOnce(t *testing.T) {
	d := webcamControls()
	d.broken[0x980900] = syscall.EIO
	a, notes := adjusting(d)
	for i := range 3 {
		a.wishes.put(map[string]int64{"brightness": int64(i + 1), "white_balance_automatic": int64(i % 2)})
		a.obey(t.Context())
	}
	if len(*notes) != 1 || !errors.Is((*notes)[0], syscall.EIO) || (*notes)[0].Error() != "set brightness to 1: input/output error" {
		t.Errorf("got notes %v, want one", *notes)
	}
	if want := "brightness=0 white_balance_automatic=0 white_balance_temperature=4600"; !strings.HasPrefix(a.values(), want) {
		t.Errorf("got %s, want %s", a.values(), want)
	}
}

// Pictures must go on: a camera that is slow to answer costs less than the watchdog's patience, and ends when it is told to.
func TestSlowControlsDoNotStopThePictures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := webcamControls()
		a, notes := adjusting(d)
		a.obey(t.Context())
		whole := a.values()
		d.takes = 300 * time.Millisecond
		a.wishes.put(map[string]int64{"brightness": 5})
		began := time.Now()
		a.obey(t.Context())
		if took := time.Since(began); took > adjustTime+time.Second || took >= noFrame {
			t.Errorf("took %v", took)
		}
		if len(*notes) != 1 || a.values() != whole {
			t.Errorf("got notes %v and %s, want one, and the whole list of before", *notes, a.values())
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		a.wishes.put(nil)
		began = time.Now()
		a.obey(ctx)
		if took := time.Since(began); took != 0 || len(*notes) != 1 {
			t.Errorf("told to stop: took %v, notes %v", took, *notes)
		}
	})
}

func TestWishesAreBounded(t *testing.T) {
	w := new(wishes)
	for i := range 50 {
		wanted := map[string]int64{}
		for j := range maxControls {
			wanted[fmt.Sprint(i, " ", j)] = 1
		}
		w.put(wanted)
	}
	if all, seq := w.get(); len(all) != maxWishes || seq != 50 || all["49 0"] != (wish{value: 1}) {
		t.Errorf("got %d wishes, number %d", len(all), seq)
	}
}
