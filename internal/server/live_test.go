package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"layerd/camera"
	"layerd/printer"
)

func TestPageGetsEverythingOnConnect(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		r.printer.change(func(s *printer.Snapshot) { s.State = printer.Printing })
		m := dial("/v1/live", "viewer").hear()
		if m.Type != "state" || m.Rev != 2 || m.State != "printing" || m.Me.Name != "the viewer" || m.NowMS != time.Now().UnixMilli() {
			t.Errorf("got %+v, want the whole state", m)
		}
	})
}

// A thousand changes in a second are at most ten messages, and the last one is the newest.
func TestChangesAreCoalesced(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/live", "viewer")
		p.hear()
		time.Sleep(time.Second)
		var heard []anything
		go func() {
			for {
				var m anything
				if p.conn.ReadJSON(&m) != nil {
					return
				}
				if m.Type == "state" {
					heard = append(heard, m)
				}
			}
		}()
		var newest uint64
		for range 1000 {
			newest = r.printer.change(func(*printer.Snapshot) {})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(viewEvery)
		synctest.Wait()
		if n := len(heard); n < 8 || n > 12 {
			t.Errorf("got %d messages for 1000 changes in 1 s, want about 10", n)
		}
		for i := 1; i < len(heard); i++ {
			if heard[i].Rev < heard[i-1].Rev {
				t.Errorf("revision %d came after %d", heard[i].Rev, heard[i-1].Rev)
			}
		}
		if last := heard[len(heard)-1].Rev; last != newest {
			t.Errorf("got revision %d last, want the newest, %d", last, newest)
		}
		p.conn.Close()
		synctest.Wait()
	})
}

func TestLoneChangeIsSentAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/live", "viewer")
		p.hear()
		time.Sleep(time.Second)
		before := time.Now()
		r.cameras.status.Set([]camera.Status{{Name: "fake", Problem: "unplugged"}})
		if m := p.hear(); m.Cameras[0].Problem != "unplugged" || time.Since(before) > 0 {
			t.Errorf("got %+v after %v, want the camera's problem at once", m, time.Since(before))
		}
	})
}

func TestFilesRevisionGrows(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/live", "viewer")
		before := p.hear().Files
		time.Sleep(time.Second)
		r.files.add("b.gcode", "G28\n")
		if m := p.hearType("state"); m.Files != before+1 {
			t.Errorf("got files_rev %d, want %d", m.Files, before+1)
		}
	})
}

func TestBeats(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/live", "viewer")
		p.hear()
		last := time.Now()
		for range 5 {
			m := p.hear()
			if gap := time.Since(last); gap > beatEvery {
				t.Errorf("nothing was heard for %v, want a beat every %v", gap, beatEvery)
			}
			last = time.Now()
			if m.Type != "state" && m.Type != "beat" {
				t.Errorf("got %+v", m)
			}
		}
		p.say(`{"beat":1795348800123}`)
		for {
			if m := p.hear(); m.Echo == "1795348800123" {
				break
			}
		}
	})
}

func TestCommandsOverTheSocket(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/live", "operator")
		for text, want := range map[string]string{
			`{"id":"a","do":"pause"}`:              "a ",
			`{"id":5,"do":"home"}`:                 "5 ",
			`{"id":"b","do":"send","line":"M105"}`: "b role_too_low",
			`{"do":"pause"}`:                       " bad_command",
			`{"id":"c","do":"nonsense"}`:           "c unknown_command",
			`{"id":"d"}`:                           "d bad_command",
			`{}`:                                   " bad_command",
			`{"unknown":1}`:                        " bad_message",
			`rubbish`:                              " bad_message",
			`{"beat":` + strings.Repeat("1", 100) + `}`: " bad_command",
		} {
			p.say(text)
			m := p.hearType("answer")
			got := m.ID + " "
			if m.Error != nil {
				got += m.Error.Code
			}
			if got != want {
				t.Errorf("%.60s: got %q, want %q", text, got, want)
			}
		}
		p.conn.WriteMessage(websocket.BinaryMessage, []byte(`{"id":"e","do":"pause"}`))
		if m := p.hearType("answer"); m.Error == nil || m.Error.Code != "bad_message" {
			t.Errorf("a binary message: got %+v, want bad_message", m)
		}
	})
}

// Sixteen commands hang, a seventeenth is refused, and the emergency stop goes through.
func TestEmergencyStopPassesWhatHangs(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		release := r.printer.holdUp("home")
		defer release()
		p := dial("/v1/live", "operator")
		for i := range 16 {
			p.say(fmt.Sprintf(`{"id":"h%d","do":"home"}`, i))
		}
		p.say(`{"id":"one more","do":"home"}`)
		if m := p.hearType("answer"); m.ID != "one more" || m.Error == nil || m.Error.Code != "crowded" {
			t.Errorf("got %+v, want the seventeenth refused", m)
		}
		p.say(`{"id":"stop","do":"emergency_stop"}`)
		if m := p.hearType("answer"); m.ID != "stop" || m.Error != nil {
			t.Errorf("got %+v, want the stop done", m)
		}
		release()
		for range 16 {
			if m := p.hearType("answer"); m.Error != nil {
				t.Errorf("got %+v, want it done", m)
			}
		}
	})
}

func TestConsole(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/live", "operator")
		for i := range 5 {
			r.console.say(fmt.Sprint("line ", i+1))
		}
		p.say(`{"console":{"on":true,"since":3}}`)
		if m := p.hearType("console"); len(m.Lines) != 2 || m.Lines[0].Seq != 4 {
			t.Errorf("got %+v, want lines 4 and 5", m.Lines)
		}
		began := time.Now()
		go func() {
			for range 1000 {
				r.console.say("x")
				time.Sleep(time.Millisecond)
			}
		}()
		messages, seq := 0, uint64(5)
		for seq < 1005 {
			m := p.hearType("console")
			messages++
			for _, line := range m.Lines {
				if line.Seq != seq+1 {
					t.Fatalf("got line %d after %d", line.Seq, seq)
				}
				seq = line.Seq
			}
		}
		if most := int(time.Since(began)/consoleEvery) + 2; messages > most {
			t.Errorf("1000 lines in 1 s took %d messages, want at most %d", messages, most)
		}
		p.say(`{"console":{"on":false}}`)
		p.say(`{"beat":1}`)
		for p.hearType("beat").Echo != "1" {
		}
		r.console.say("unheard")
		for range 3 {
			if m := p.hear(); m.Type == "console" {
				t.Errorf("got %+v after it was turned off", m)
			}
		}
		viewer := dial("/v1/live", "viewer")
		viewer.say(`{"console":{"on":true}}`)
		if m := viewer.hearType("answer"); m.Error == nil || m.Error.Code != "role_too_low" {
			t.Errorf("a viewer: got %+v, want role_too_low", m)
		}
	})
}

// BenchmarkSnapshotFanOut50 is one new view until fifty phones have read it, over loopback.
func BenchmarkSnapshotFanOut50(b *testing.B) {
	const phones = 50
	r := newRig(b)
	state := goldenState()
	r.printer.snaps.Set(&state.Snapshot)
	host := r.listen(b)
	read := make(chan error, phones)
	for range phones {
		conn, _, err := (&websocket.Dialer{EnableCompression: true}).Dial("ws://"+host+"/v1/live", http.Header{"Authorization": {"Bearer operator"}})
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		go func() {
			for {
				_, text, err := conn.ReadMessage()
				if err != nil {
					return
				}
				if strings.HasPrefix(string(text[:15]), `{"type":"state"`) {
					read <- nil
				}
			}
		}()
		<-read
	}
	time.Sleep(2 * viewEvery) // the first views are through
	for len(read) > 0 {
		<-read
	}
	b.ReportAllocs()
	for b.Loop() {
		r.views.Set(r.compose())
		for range phones {
			<-read
		}
	}
	b.ReportMetric(float64(b.N)*phones/b.Elapsed().Seconds(), "msgs/s")
}
