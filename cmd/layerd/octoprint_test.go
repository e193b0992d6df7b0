package main

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A program made for OctoPrint meets the same printer after a restart: its identity, and the addresses of pictures that it was given.
func TestOctoPrintClientsOverARestart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	env := []string{"LAYERD_PRINTER_PORT=/dev/none", "LAYERD_CAMERA_DEVICE=simulated"}
	type settings struct {
		Plugins struct {
			Discovery struct{ UpnpUUID string }
		}
		Webcam struct{ SnapshotURL string }
	}
	read := func(d *daemon) settings { t.Helper(); return get[settings](d, "/api/settings") }

	d := startDaemon(t, data, env)
	before := read(d)
	if len(before.Plugins.Discovery.UpnpUUID) != 36 || !strings.HasPrefix(before.Webcam.SnapshotURL, d.url+"webcam/?action=snapshot&view=") {
		t.Fatalf("got %+v", before)
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	w.WriteField("print", "true")
	part, err := w.CreateFormFile("file", "a.gcode")
	if err != nil {
		t.Fatal(err)
	}
	part.Write([]byte("G28\nG1 X10 Y10 E1\n"))
	w.Close()
	q, err := http.NewRequest("POST", d.url+"api/files/local", &form)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("X-Api-Key", d.newToken("operator"))
	q.Header.Set("Content-Type", w.FormDataContentType())
	response, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var uploaded struct{ Done, EffectivePrint bool }
	if err := json.NewDecoder(response.Body).Decode(&uploaded); err != nil || response.StatusCode != 201 || !uploaded.Done || uploaded.EffectivePrint {
		t.Errorf("upload without a printer: got %d, %+v, %v", response.StatusCode, uploaded, err)
	}
	d.end(20 * time.Second)

	d = startDaemon(t, data, env)
	if after := read(d); after.Plugins != before.Plugins {
		t.Errorf("it is another after a restart: %+v, was %+v", after, before)
	}
	_, ticket, _ := strings.Cut(before.Webcam.SnapshotURL, "/webcam/")
	d.await("a picture", func() bool {
		status, _ := d.ask("GET", "/webcam/"+ticket, "", nil)
		if status == 401 || status == 403 {
			t.Fatalf("the ticket is no longer good: %d", status)
		}
		return status == 200
	})
	if status, _ := d.ask("GET", "/api/settings?"+ticket, "", nil); status != 403 {
		t.Errorf("a ticket elsewhere: got %d, want 403", status)
	}
}
