package server

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"layerd/camera"
	"layerd/internal/store"
)

func TestCamerasAreSetUpAndKept(t *testing.T) {
	r := newRig(t)
	secret := camera.Settings{Device: "http://me:secret@cam.local/video"}
	for _, step := range []struct {
		text string
		code int
		want []camera.Setup
	}{
		{`{"do":"set_camera","camera":{"id":0,"device":"none","fps":5}}`, 200, []camera.Setup{{Settings: camera.Settings{Device: "none", FPS: 5}}}},
		{`{"do":"set_camera","camera":{"id":1,"device":"none"}}`, 404, nil},
		{`{"do":"set_camera","camera":{"id":-1,"name":"Side","device":"http://me:secret@cam.local/video"}}`, 200, []camera.Setup{
			{Settings: camera.Settings{Device: "none", FPS: 5}}, {ID: 1, Name: "Side", Settings: secret}}},
		{`{"do":"remove_camera","camera_id":0}`, 200, []camera.Setup{{ID: 1, Name: "Side", Settings: secret}}},
		{`{"do":"remove_camera","camera_id":0}`, 404, nil},
		{`{"do":"remove_camera"}`, 400, nil},
		// What is shown has no password; what is saved from it keeps it.
		{`{"do":"set_camera","camera":{"id":1,"device":"http://me:xxxxx@cam.local/video","rotate":90}}`, 200, []camera.Setup{
			{ID: 1, Settings: camera.Settings{Device: secret.Device, Rotate: 90}}}},
		{`{"do":"set_control","camera_id":1,"name":"focus","value":35}`, 200, []camera.Setup{
			{ID: 1, Settings: camera.Settings{Device: secret.Device, Rotate: 90}, Controls: map[string]int64{"focus": 35}}}},
		{`{"do":"set_control","camera_id":1,"name":"focus","value":251}`, 422, nil},
		{`{"do":"set_control","camera_id":1,"name":"focus","value":0.5}`, 422, nil},
		{`{"do":"set_control","camera_id":1,"name":"zoom","value":1}`, 422, nil},
		{`{"do":"set_camera","camera":{"id":1,"device":"none"}}`, 200, []camera.Setup{{ID: 1, Settings: camera.Settings{Device: "none"}, Controls: map[string]int64{"focus": 35}}}},
		{`{"do":"set_control","camera_id":1,"name":"focus"}`, 200, []camera.Setup{{ID: 1, Settings: camera.Settings{Device: "none"}, Controls: map[string]int64{}}}},
		{`{"do":"set_camera","camera":{"id":1,"device":"frames:/etc"}}`, 422, nil},
		{`{"do":"set_camera"}`, 400, nil},
	} {
		before := r.cameras.Setups()
		code, a := r.command(t, "owner", step.text)
		if code != step.code {
			t.Fatalf("%s: got %d %+v, want %d", step.text, code, a.Error, step.code)
		}
		if step.want == nil {
			step.want = before
		} else if kept := r.files.settings["cameras"]; !reflect.DeepEqual(kept, step.want) {
			t.Errorf("%s: kept %+v, want %+v", step.text, kept, step.want)
		}
		if got := r.cameras.Setups(); !reflect.DeepEqual(got, step.want) {
			t.Errorf("%s: got %+v, want %+v", step.text, got, step.want)
		}
	}
	r.cameras.refuse = fmt.Errorf("%w: no", camera.ErrSettings)
	if code, _ := r.command(t, "owner", `{"do":"set_camera","camera":{"id":1,"fps":3}}`); code != 422 || reflect.DeepEqual(r.files.settings["cameras"], r.cameras.Setups()) == false {
		t.Errorf("what the rig refuses: got %d, kept %+v", code, r.files.settings["cameras"])
	}
	r.cameras.refuse, r.files.failEach = nil, store.ErrNoSpace
	before := r.cameras.Setups()
	for _, text := range []string{`{"do":"set_camera","camera":{"id":1,"fps":3}}`, `{"do":"remove_camera","camera_id":1}`} {
		if code, _ := r.command(t, "owner", text); code != 507 || !reflect.DeepEqual(r.cameras.Setups(), before) {
			t.Errorf("%s on a full disk: got %d, and %+v, want all as it was: %+v", text, code, r.cameras.Setups(), before)
		}
	}
}

func TestACameraThatIsNotThere(t *testing.T) {
	r := newRig(t)
	r.cameras.take(1)
	for path, want := range map[string]int{
		"/webcam/?action=snapshot": 200, "/webcam/?action=snapshot&id=0": 200, "/webcam/0/?action=snapshot": 200, "/webcam/0?action=snapshot&cacheBuster=17": 200,
		"/webcam/?action=snapshot&id=1": 404, "/webcam/7/?action=snapshot": 404, "/webcam/../?action=snapshot": 400, "/webcam/a/?action=stream": 400, "/v1/camera?id=9": 404,
	} {
		if w := r.do("GET", path, "viewer", nil); w.Code != want {
			t.Errorf("%s: got %d, want %d", path, w.Code, want)
		}
	}
	if w := r.do("GET", "/webcam/0/?action=snapshot", "", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("without a key: got %d", w.Code)
	}
}

// Whoever looks at a camera that is removed is told so soon, also when no picture comes any more.
func TestCameraIsRemovedWhileWatched(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, dial func(string, string) *phone, _ func()) {
		p := dial("/v1/camera", "viewer")
		go r.do("GET", "/webcam/?action=stream", "viewer", nil, func(q *http.Request) { *q = *q.WithContext(t.Context()) })
		synctest.Wait()
		if n := len(r.streams); n != 1 {
			t.Fatalf("%d streams, want 1", n)
		}
		if code, a := r.command(t, "owner", `{"do":"remove_camera","camera_id":0}`); code != 200 {
			t.Fatalf("got %d %+v", code, a.Error)
		}
		if code := p.closeCode(); code != websocket.CloseGoingAway {
			t.Errorf("the socket: got code %d, want %d", code, websocket.CloseGoingAway)
		}
		time.Sleep(pingEvery)
		synctest.Wait()
		if n := len(r.streams); n != 0 {
			t.Errorf("%d streams go on, want none", n)
		}
	})
}
